/* SPDX-License-Identifier: MIT */
/*
 * Selectively uniform random walk (Zhao, Wolff, Mathur & Roychoudhury,
 * ASPLOS 2025, algorithm 2).
 *
 * Of the events that are interesting, each interleaving is to be as likely as
 * the others; a thread with m of the M that are left has the next one in m/M
 * of them.  So a thread is drawn by its count, the *intended* one, and the
 * others are held when they stand at an interesting event.  Among all that
 * may run the choice is uniform.  If nobody may, because the intended one
 * waits for somebody held, another is drawn.
 *
 * A thread's count (plan.count) is that of its own interesting events and of
 * its descendants', since these cannot come before it has created them; a new
 * thread takes its part out of its parent's, and of the intention too.
 */
#include "strategy.h"

/*
 * The intended one may wait for what a held one would do, by a loop that is
 * not interesting: after so many picks with somebody held, a held one is drawn.
 */
#define PATIENCE 1000

enum { INTENDED, HELD }; /* own: slot + 1; picks with somebody held */

/* The slots': priority is 1 once the count is known, aux is whether the pending
 * operation is interesting. */

static bool
interesting(const struct seam_sched *s, const struct seam_op *op)
{
	uint64_t key = s->plan.interest;

	if (op->flags & SEAM_OP_LOCAL)
		return false;
	if (!key)
		return true;
	return (op->object && s->sobject[op->object - 1].key == key) ||
	       (op->second && s->sobject[op->second - 1].key == key);
}

static uint64_t
counted(const struct seam_plan *plan, uint64_t thread)
{
	uint32_t i;

	for (i = 0; i < plan->counts && i < SEAM_COUNTS; i++)
		if (plan->count[i].thread == thread)
			return plan->count[i].events;
	return 1;
}

static void
take_part(struct seam_sched *s, uint16_t slot)
{
	struct seam_slot *child = &s->slot[slot], *parent;

	if (!child->parent)
		return;
	parent = &s->slot[child->parent - 1];
	if (s->own[INTENDED] == child->parent && parent->count &&
	    seam_random(&s->random) % parent->count < child->count)
		s->own[INTENDED] = slot + 1u;
	parent->count -=
	    child->count < parent->count ? child->count : parent->count;
}

static void
arrived(struct seam_sched *s, uint16_t slot)
{
	struct seam_slot *self = &s->slot[slot];

	self->aux = interesting(s, &self->op);
	if (self->priority)
		return;
	self->priority = 1;
	self->count = counted(&s->plan, self->key);
	take_part(s, slot);
}

/* One that is about to do what had not been counted has one left. */
static uint64_t
left(const struct seam_slot *slot)
{
	return slot->count ? slot->count : slot->aux;
}

static void
intend(struct seam_sched *s, const struct seam_candidates *among)
{
	uint64_t total = 0, r;
	unsigned i;

	s->own[INTENDED] = s->own[HELD] = 0;
	for (i = 0; i < among->n; i++)
		total += left(&s->slot[among->slot[i]]);
	if (!total)
		return;
	r = seam_random(&s->random) % total;
	for (i = 0; r >= left(&s->slot[among->slot[i]]); i++)
		r -= left(&s->slot[among->slot[i]]);
	s->own[INTENDED] = among->slot[i] + 1u;
}

static bool
may(const struct seam_sched *s, uint16_t slot)
{
	return !s->slot[slot].aux || s->own[INTENDED] == slot + 1u;
}

static unsigned
how_many_may(const struct seam_sched *s, const struct seam_candidates *among)
{
	unsigned i, n = 0;

	for (i = 0; i < among->n; i++)
		n += may(s, among->slot[i]);
	return n;
}

/* The n-th candidate that may run, or that is held. */
static uint16_t
nth(const struct seam_sched *s, const struct seam_candidates *among, bool held,
    unsigned n)
{
	unsigned i;

	for (i = 0; may(s, among->slot[i]) == held || n--; i++)
		;
	return among->slot[i];
}

static uint16_t
pick(struct seam_sched *s, const struct seam_candidates *among,
     uint16_t current)
{
	unsigned n;

	(void)current;
	if (!s->own[INTENDED])
		intend(s, among);
	n = how_many_may(s, among);
	if (n && n < among->n && ++s->own[HELD] > PATIENCE) {
		n = seam_random_below(&s->random, among->n - n);
		s->own[INTENDED] = nth(s, among, true, n) + 1u;
		s->own[HELD] = 0;
		return (uint16_t)(s->own[INTENDED] - 1);
	}
	if (!n) {
		intend(s, among);
		return (uint16_t)(s->own[INTENDED] - 1);
	}
	return nth(s, among, false, seam_random_below(&s->random, n));
}

static void
done(struct seam_sched *s, const struct seam_step *step)
{
	if (!interesting(s, &step->op))
		return;
	if (s->slot[step->slot].count)
		s->slot[step->slot].count--;
	s->own[INTENDED] = 0;
}

const struct seam_strategy seam_strategy_surw = {
	.name = "surw",
	.arrived = arrived,
	.pick = pick,
	.done = done,
};
