/* SPDX-License-Identifier: MIT */
/*
 * Relaxed replay (Choi & Zeller, ISSTA 2002; Jalbert & Sen, FSE 2010): the
 * plan's forced choices are places where somebody else has to go on, each by
 * the thread that ran last and how many steps it has done.  So one can be
 * taken out, and the others are still where they were; the thread goes on
 * until it cannot.
 */
#include <stddef.h>

#include "strategy.h"

static int
compare(const struct seam_forced *at, uint64_t thread, uint32_t steps)
{
	if (at->thread != thread)
		return at->thread < thread ? -1 : 1;
	return at->how < steps ? -1 : at->how > steps;
}

const struct seam_forced *
seam_switch_at(const struct seam_sched *s, uint16_t current)
{
	uint32_t low = 0, high = s->plan.forced / 2;
	const struct seam_slot *last;

	if (!(s->plan.flags & SEAM_PLAN_RELAXED) || current >= SEAM_SLOTS ||
	    high > SEAM_STEPS / 2)
		return NULL;
	last = &s->slot[current];
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct seam_forced *at = &s->forced[2 * (size_t)middle];
		int order = compare(at, last->key, last->steps);

		if (!order)
			return at + 1;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
