/* SPDX-License-Identifier: MIT */
/*
 * Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi &
 * Nagarakatte, ASPLOS 2010, algorithm 1).
 *
 * A thread gets a random priority when it is new, and of the candidates the
 * one of highest priority runs.  At d - 1 change points, drawn from [1, k],
 * that one falls to a priority below all of the random ones: to d - i at the
 * i-th, in the order they were drawn.  A bug of depth d is hit with a
 * probability of at least 1 / (n k^(d-1)), n being the number of threads.
 *
 * k (plan.length) and the change points count picks, from 1, and not steps:
 * where there is one candidate, a change has no effect before the next pick.
 */
#include "strategy.h"

#define DRAWN (UINT64_C(1) << 63)

enum { PICKS, NEXT }; /* own: made so far; the next change point, or 0 */

static uint32_t
changes(const struct seam_sched *s)
{
	if (!s->plan.depth)
		return 0;
	return s->plan.depth > SEAM_POINTS ? SEAM_POINTS : s->plan.depth - 1;
}

static void
find_next(struct seam_sched *s)
{
	uint32_t i, next = 0;

	for (i = 0; i < changes(s); i++)
		if (s->change[i] > s->own[PICKS] &&
		    (!next || s->change[i] < next))
			next = s->change[i];
	s->own[NEXT] = next;
}

static void
begin(struct seam_sched *s)
{
	uint32_t i, length = s->plan.length ? s->plan.length : 1;

	for (i = 0; i < changes(s); i++)
		s->change[i] = 1 + seam_random_below(&s->random, length);
	find_next(s);
}

static void
arrived(struct seam_sched *s, uint16_t slot)
{
	if (!s->slot[slot].priority)
		s->slot[slot].priority = seam_random(&s->random) | DRAWN;
}

static void
change(struct seam_sched *s, const struct seam_candidates *among)
{
	uint32_t i, n = changes(s);

	for (i = 0; i < n; i++)
		if (s->change[i] == s->own[PICKS])
			s->slot[seam_highest(s, among)].priority = n - i;
	find_next(s);
}

static uint16_t
pick(struct seam_sched *s, const struct seam_candidates *among,
     uint16_t current)
{
	(void)current;
	if (++s->own[PICKS] == s->own[NEXT])
		change(s, among);
	return seam_highest(s, among);
}

const struct seam_strategy seam_strategy_pct = {
	.name = "pct",
	.begin = begin,
	.arrived = arrived,
	.pick = pick,
};
