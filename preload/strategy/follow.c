/* SPDX-License-Identifier: MIT */
/*
 * Goes on with who runs; when that one cannot, the next slot in their order
 * has its turn.  It makes no preemption, and is what forced choices and the
 * searches of the controller are deviations from.
 */
#include "strategy.h"

static uint16_t
pick(struct seam_sched *s, const struct seam_candidates *among,
     uint16_t current)
{
	unsigned i;

	(void)s;
	for (i = 0; i < among->n; i++)
		if (among->slot[i] == current)
			return current;
	for (i = 0; i < among->n; i++)
		if (among->slot[i] > current)
			return among->slot[i];
	return among->slot[0];
}

const struct seam_strategy seam_strategy_follow = {
	.name = "follow",
	.pick = pick,
};
