/* SPDX-License-Identifier: MIT */
/*
 * The order in which locks are taken, over all runs, and the cycles in it
 * that are deadlocks if their threads come at the right time (iGoodLock:
 * Joshi, Park, Sen & Naik, PLDI 2009, after Havelund's GoodLock, SPIN 2000;
 * with what creation and joining order, as Agarwal & Stoller have it, PADTAD
 * 2006).
 *
 * A *dependency* is a thread that takes a lock while it holds others.  A
 * cycle is of dependencies of different threads, each of which wants what the
 * next one holds, where no two hold what only one of them can have (a gate),
 * and none comes after another by creation or joining.
 */
#ifndef SEAM_EXPLORE_LOCKORDER_H
#define SEAM_EXPLORE_LOCKORDER_H

#include "explore/labels.h"

#define LOCKORDER_CYCLE 6 /* threads at most */

/* A lock that is held or wanted. */
struct lockorder_lock {
	uint64_t object; /* key */
	uint64_t off, len;
	uint64_t site;
	uint32_t nth;  /* of the thread's on it from that site, from 0 */
	uint32_t step; /* in the run in which it was first seen */
	uint8_t kind;
	bool shared; /* for reading */
	char *name, *at;
};

struct lockorder_clock;

struct lockorder_dep {
	uint64_t hash;
	uint64_t thread, process; /* keys */
	char *who;
	uint64_t schedule; /* first seen in */
	struct lockorder_lock want, *held;
	unsigned nheld;
	struct lockorder_clock *must, *may;
};

struct lockorder_cycle {
	unsigned n;
	struct lockorder_dep *dep[LOCKORDER_CYCLE];
	/* What the one before wants, of dep[i]->held. */
	unsigned held[LOCKORDER_CYCLE];
	/* Some come after others by signals, posts, barriers, pipes: perhaps
	 * they always do. */
	bool ordered;
};

struct lockorder;
struct lockorder *lockorder_new(void);
void lockorder_free(struct lockorder *o);

/* Calls `found` for each cycle that this run completes, by dep[0]; `session`
 * has it, for the names, of which there are none without one.  False: no
 * memory. */
typedef void lockorder_found(void *arg, const struct lockorder_cycle *c);
bool lockorder_learn(struct lockorder *o, const struct explore_trace *t,
		     struct seam_session *session, uint64_t schedule,
		     lockorder_found *found, void *arg);

/* Takes what a lock could be, whatever came of it; false: it is none. */
bool lockorder_wants(const struct explore_trace *t, const struct seam_op *op,
		     struct lockorder_lock *l);
/* Only one of two can have what they want. */
bool lockorder_conflict(const struct lockorder_lock *a,
			const struct lockorder_lock *b);
/* It is still one: semaphores may turn out not to be used as mutexes. */
bool lockorder_stands(const struct lockorder *o,
		      const struct lockorder_cycle *c);

#endif
