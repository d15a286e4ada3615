/* SPDX-License-Identifier: MIT */
/*
 * Delay bounding (Emmi, Qadeer & Rakamaric, POPL 2011).
 *
 * A deterministic order, round robin and not preemptive: who runs goes on
 * until it cannot, then the next candidate in a cyclic order of the slots has
 * its turn.  A delay skips whoever would have run, in favour of the one after
 * it.  plan.point are the delays, in ascending order, by the number of the
 * pick, from 0; a number that is there twice skips two.
 *
 * plan.base is the order: 0, of creation; 1, reversed; 2, of creation, but a
 * new thread runs before its creator goes on; others, a permutation that
 * plan.seed and the number make.
 */
#include "strategy.h"

enum { PICKS, POINT, NEW }; /* own: made so far; next point; slot + 1 */
enum { CREATION, REVERSED, CHILDREN };

/* The slots': priority is the place in the cyclic order, never 0. */

static uint64_t
rank_of(const struct seam_plan *plan, uint16_t slot)
{
	if (plan->base == CREATION || plan->base == CHILDREN)
		return slot + 1u;
	if (plan->base == REVERSED)
		return SEAM_SLOTS - (uint64_t)slot;
	return seam_stir(seam_stir(plan->seed, plan->base), slot) | 1;
}

static void
arrived(struct seam_sched *s, uint16_t slot)
{
	if (s->slot[slot].priority)
		return;
	s->slot[slot].priority = rank_of(&s->plan, slot);
	if (s->plan.base == CHILDREN)
		s->own[NEW] = slot + 1u;
}

/* The candidate after `slot` in the cyclic order. */
static uint16_t
after(const struct seam_sched *s, const struct seam_candidates *among,
      uint16_t slot)
{
	uint64_t place = slot < SEAM_SLOTS ? s->slot[slot].priority : 0;
	uint64_t best = UINT64_MAX;
	uint16_t found = among->slot[0];
	unsigned i;

	/* Distances wrap, and that of `slot` itself is the greatest. */
	for (i = 0; i < among->n; i++) {
		uint64_t far = s->slot[among->slot[i]].priority - place - 1;

		if (far < best) {
			best = far;
			found = among->slot[i];
		}
	}
	return found;
}

static bool
is_among(const struct seam_candidates *among, uint64_t slot)
{
	unsigned i;

	for (i = 0; i < among->n; i++)
		if (among->slot[i] == slot)
			return true;
	return false;
}

static uint16_t
undelayed(struct seam_sched *s, const struct seam_candidates *among,
	  uint16_t current)
{
	uint64_t new = s->own[NEW];

	s->own[NEW] = 0;
	if (new &&is_among(among, new - 1))
		return (uint16_t)(new - 1);
	return is_among(among, current) ? current : after(s, among, current);
}

static uint16_t
pick(struct seam_sched *s, const struct seam_candidates *among,
     uint16_t current)
{
	const struct seam_plan *plan = &s->plan;
	uint16_t slot = undelayed(s, among, current);
	uint64_t number = s->own[PICKS]++;

	while (s->own[POINT] < plan->points && s->own[POINT] < SEAM_POINTS &&
	       plan->point[s->own[POINT]] <= number) {
		if (plan->point[s->own[POINT]++] == number)
			slot = after(s, among, slot);
	}
	return slot;
}

const struct seam_strategy seam_strategy_delay = {
	.name = "delay",
	.arrived = arrived,
	.pick = pick,
};
