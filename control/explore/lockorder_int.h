/* SPDX-License-Identifier: MIT */
#ifndef SEAM_EXPLORE_LOCKORDER_INT_H
#define SEAM_EXPLORE_LOCKORDER_INT_H

#include "explore/lockorder.h"

#define LOCKORDER_DEPS 2048
#define LOCKORDER_COUNTING 1024

/* What a thread knew of the others: by key, and how often they had told of
 * themselves. */
struct lockorder_clock {
	unsigned n;
	struct {
		uint64_t thread;
		uint32_t count;
	} at[];
};

struct lockorder {
	struct explore_set *seen; /* hashes of dependencies */
	struct lockorder_dep *dep[LOCKORDER_DEPS];
	unsigned ndeps;
	uint64_t counting[LOCKORDER_COUNTING];
	size_t ncounting;
};

/* Semaphores may turn out not to be used as mutexes. */
bool lockorder_is_lock(const struct lockorder *o,
		       const struct lockorder_lock *l);

/* lockorder_cycles.c: all cycles that d is part of. */
void lockorder_search(const struct lockorder *o, struct lockorder_dep *d,
		      lockorder_found *found, void *arg);

#endif
