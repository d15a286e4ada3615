/* SPDX-License-Identifier: MIT */
/*
 * Uniform over the candidates of each decision.  Not uniform over the
 * interleavings: a thread with many events is seldom late as a whole.
 */
#include "strategy.h"

static uint16_t
pick(struct seam_sched *s, const struct seam_candidates *among,
     uint16_t current)
{
	(void)current;
	return among->slot[seam_random_below(&s->random, among->n)];
}

const struct seam_strategy seam_strategy_random = {
	.name = "random",
	.pick = pick,
};
