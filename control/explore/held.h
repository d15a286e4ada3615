/* SPDX-License-Identifier: MIT */
/* Who holds which locks, step by step, and what orders the steps. */
#ifndef SEAM_EXPLORE_HELD_H
#define SEAM_EXPLORE_HELD_H

#include "explore/lockorder.h"

#define HELD_MOST 16

struct held_lock {
	uint32_t object; /* + 1 */
	uint32_t step;	 /* at which it was taken */
	uint32_t depth;	 /* recursive ones, several readings */
	uint64_t off, len;
	uint8_t kind;
	bool shared;
};

struct held {
	const struct explore_trace *trace;
	struct held_by {
		unsigned n;
		struct held_lock lock[HELD_MOST];
	} * by; /* slot */
	/* A row a slot, of `threads` columns.  Of creation, joining and
	 * waiting for processes; of whatever may wake somebody, too. */
	uint32_t *must, *may;
	uint32_t **row; /* by object, when it is used; 0: pipes and the like */
};

/* Before the first step.  False: no memory; held_free all the same. */
bool held_begin(struct held *h, const struct explore_trace *t);
/* Does step i.  False: no memory. */
bool held_step(struct held *h, uint32_t i);
void held_free(struct held *h);

/* Has that slot the object (+ 1), in whichever way? */
bool held_has(const struct held *h, uint32_t slot, uint32_t object);

#endif
