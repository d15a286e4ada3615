/* SPDX-License-Identifier: MIT */
/*
 * The scheduler of DeadlockFuzzer (Joshi, Park, Sen & Naik, PLDI 2009, phase
 * II): the choice is random, but threads of which a cycle is predicted are
 * held before they take its locks (plan.pause), while anybody else can go on.
 *
 * A thread that is held at its inner lock can keep others from ever coming to
 * theirs: so, if the plan says at which occurrence, it is held before its
 * outer one as well, until all who can have come that far.
 */
#include "strategy.h"

/* Others may wait for a held one by a loop that is no yield. */
#define PATIENCE 5000

enum { PICKS = SEAM_PAUSES }; /* own: steps at each outer, then this */
enum stage { FREE, OUTER, INNER };

static bool
is_at(const struct seam_sched *s, const struct seam_op *op, uint64_t site,
      const struct seam_pause_at *at)
{
	return (!at->site || at->site == site) && op->object &&
	       !(op->flags & SEAM_OP_LOCAL) &&
	       s->sobject[op->object - 1].key == at->object;
}

static enum stage
stage_by(const struct seam_sched *s, const struct seam_slot *slot, unsigned i)
{
	const struct seam_pause *p = &s->plan.pause[i];
	bool gated = p->nth != SEAM_PAUSE_ANY;

	if (p->thread != slot->key)
		return FREE;
	if (gated && s->own[i] == p->nth &&
	    is_at(s, &slot->op, slot->site, &p->outer))
		return OUTER;
	if (p->outer.object && s->own[i] <= (gated ? p->nth : 0))
		return FREE;
	return is_at(s, &slot->op, slot->site, &p->inner) ? INNER : FREE;
}

static enum stage
stage_of(const struct seam_sched *s, uint16_t slot)
{
	enum stage stage = FREE;
	unsigned i;

	for (i = 0; i < s->plan.pauses && i < SEAM_PAUSES && !stage; i++)
		stage = stage_by(s, &s->slot[slot], i);
	return stage;
}

/* One of those at that stage; SEAM_NOBODY: there is none. */
static uint16_t
any_at(struct seam_sched *s, const struct seam_candidates *among,
       enum stage stage)
{
	uint16_t chosen = SEAM_NOBODY;
	unsigned i, n = 0;

	for (i = 0; i < among->n; i++)
		if (stage_of(s, among->slot[i]) == stage &&
		    !seam_random_below(&s->random, ++n))
			chosen = among->slot[i];
	return chosen;
}

static uint16_t
pick(struct seam_sched *s, const struct seam_candidates *among,
     uint16_t current)
{
	uint16_t chosen = any_at(s, among, FREE);

	(void)current;
	if (chosen != SEAM_NOBODY && ++s->own[PICKS] < PATIENCE)
		return chosen;
	s->own[PICKS] = 0;
	chosen = any_at(s, among, OUTER);
	if (chosen == SEAM_NOBODY)
		chosen = any_at(s, among, INNER);
	return chosen == SEAM_NOBODY ? among->slot[0] : chosen;
}

static void
done(struct seam_sched *s, const struct seam_step *step)
{
	unsigned i;

	for (i = 0; i < s->plan.pauses && i < SEAM_PAUSES; i++)
		if (s->plan.pause[i].thread == s->slot[step->slot].key &&
		    is_at(s, &step->op, step->site, &s->plan.pause[i].outer))
			s->own[i]++;
}

const struct seam_strategy seam_strategy_direct = {
	.name = "direct",
	.pick = pick,
	.done = done,
};
