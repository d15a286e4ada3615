/* SPDX-License-Identifier: MIT */
/*
 * Partial order sampling (Yuan, Yang & Gu, CAV 2018, algorithm 2).
 *
 * Every pending event draws a number, and of the candidates the one with the
 * highest runs.  Those that race with it draw again, as does the next event
 * of its thread, so that the numbers of events which are ordered by nothing
 * are independent: the order of each racing pair is nearly a fair coin's.
 */
#include "../../include/depend.h"
#include "../../include/ops.h"
#include "strategy.h"

static void
arrived(struct seam_sched *s, uint16_t slot)
{
	s->slot[slot].priority = seam_random(&s->random);
}

static uint16_t
pick(struct seam_sched *s, const struct seam_candidates *among,
     uint16_t current)
{
	(void)current;
	return seam_highest(s, among);
}

/* Surely no race: the usual case, and cheaper to see. */
static inline bool
apart(const struct seam_op *a, const struct seam_op *b)
{
	return a->object && b->object && a->object != b->object &&
	       !(a->second | b->second) && !(a->peer | b->peer) &&
	       a->verb != SEAM_POINT;
}

static void
done(struct seam_sched *s, const struct seam_step *step)
{
	uint32_t i, n = s->slots;

	if (step->op.flags & SEAM_OP_LOCAL)
		return;
	for (i = 0; i < n; i++) {
		struct seam_slot *slot = &s->slot[i];

		if (slot->state == SEAM_SLOT_PENDING && i != step->slot &&
		    !apart(&step->op, &slot->op) &&
		    seam_dependent(&step->op, step->slot, &slot->op,
				   (uint16_t)i))
			slot->priority = seam_random(&s->random);
	}
}

const struct seam_strategy seam_strategy_pos = {
	.name = "pos",
	.arrived = arrived,
	.pick = pick,
	.done = done,
};
