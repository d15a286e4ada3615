/* SPDX-License-Identifier: MIT */
/*
 * A run as its switches: where another thread went on, each told by the
 * thread that had run and how many steps it had done.  Some may be left out:
 * then that thread goes on until it cannot, and the others are still where
 * they were.
 */
#ifndef SEAM_EXPLORE_SWITCHES_H
#define SEAM_EXPLORE_SWITCHES_H

#include "explore/trace.h"

struct explore_switch {
	uint64_t from, to; /* threads' keys */
	uint32_t at;	   /* after so many steps of `from` */
	uint8_t how;	   /* enum seam_how: of the step of `to` */
	bool preempts;	   /* `from` could have gone on */
};

struct explore_switches {
	struct explore_switch *v;
	uint32_t n;
};

/* All that the run has, and each step that ended otherwise than by being
 * done; false: no memory. */
bool explore_switches_of(struct explore_switches *s,
			 const struct explore_trace *t);
/* Of a run that does these steps, as far as it can. */
struct explore_move {
	uint16_t slot;
	uint8_t how;
	bool yields;
};
bool explore_switches_of_moves(struct explore_switches *s,
			       const struct explore_trace *t,
			       const struct explore_move *move, uint32_t n);
/* Makes the plan one of relaxed replay; `forced` has room for SEAM_STEPS.
 * keep: which of them; NULL: all. */
void explore_switches_plan(const struct explore_switches *s, const bool *keep,
			   struct seam_plan *plan, struct seam_forced *forced);
/* Those of `s` that the run made, in its order, replace it; false: no
 * memory. */
bool explore_switches_used(struct explore_switches *s,
			   const struct explore_trace *t);
/* A step that only says that its thread goes on after what lets others go. */
bool explore_is_after(const struct seam_op *op);
void explore_switches_clear(struct explore_switches *s);

#endif
