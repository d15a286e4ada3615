/* SPDX-License-Identifier: MIT */
/*
 * What picks the next thread.  A strategy is a row of functions over the
 * run's state, each in a file of its own; whatever it remembers lies in
 * sched->own, sched->change and the slots' priority, count and aux, since
 * the next pick may happen in another process.  It sees neither time nor
 * addresses: the same seed and the same program give the same picks.
 *
 * Nothing here includes the preload's core, so that tests can run a strategy
 * over a model.
 */
#ifndef SEAM_STRATEGY_H
#define SEAM_STRATEGY_H

#include "../../include/schedule.h"

/* Slots whose operation can be done now, in ascending order. */
struct seam_candidates {
	unsigned n;
	uint16_t slot[SEAM_SLOTS];
};

struct seam_strategy {
	const char *name;
	/* The run begins; sched->random is seeded from the plan.  May be NULL,
	 * as all below but pick. */
	void (*begin)(struct seam_sched *s);
	/* A slot has a new operation pending; the first time, it is new. */
	void (*arrived)(struct seam_sched *s, uint16_t slot);
	/* Picks one of two or more; `current` is who ran last, who need not be
	 * among them. */
	uint16_t (*pick)(struct seam_sched *s,
			 const struct seam_candidates *among, uint16_t current);
	/* The step has been done, by step->slot. */
	void (*done)(struct seam_sched *s, const struct seam_step *step);
};

/* The candidate of the highest priority, and of these the first. */
static inline uint16_t
seam_highest(const struct seam_sched *s, const struct seam_candidates *among)
{
	uint64_t priority, top = s->slot[among->slot[0]].priority;
	uint16_t best = among->slot[0];
	unsigned i;

	for (i = 1; i < among->n; i++) {
		priority = s->slot[among->slot[i]].priority;
		best = priority > top ? among->slot[i] : best;
		top = priority > top ? priority : top;
	}
	return best;
}

extern const struct seam_strategy seam_strategy_follow, seam_strategy_random,
    seam_strategy_pct, seam_strategy_pos, seam_strategy_surw,
    seam_strategy_delay, seam_strategy_direct;

/* A run begins: nothing is left of another's, whose slots may be there. */
void seam_strategy_begin(struct seam_sched *s);
/* By plan.strategy; an unknown number is FOLLOW. */
const struct seam_strategy *seam_strategy_of(uint32_t id);

/* SEAM_PLAN_RELAXED: who the plan wants next; NULL: nobody in particular.
 * switches.c. */
const struct seam_forced *seam_switch_at(const struct seam_sched *s,
					 uint16_t current);

#endif
