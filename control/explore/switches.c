/* SPDX-License-Identifier: MIT */
#include "explore/switches.h"

#include <stdlib.h>

#include "explore/table.h"

/* A thread that has given way so often may be passed over (fairness): that it
 * goes on is then a choice, too. */
#define YIELDS 2

/* What is known at one point of a run. */
struct counts {
	uint32_t *steps, *yields; /* by slot */
};

static bool
begin(struct explore_switches *s, struct counts *c,
      const struct explore_trace *t, uint32_t n)
{
	s->n = 0;
	s->v = calloc(n + 1u, sizeof(*s->v));
	c->steps = calloc(2 * (t->nthreads + 1u), sizeof(*c->steps));
	c->yields = c->steps ? c->steps + t->nthreads + 1u : NULL;
	if (s->v && c->steps)
		return true;
	free(c->steps);
	explore_switches_clear(s);
	return false;
}

static void
add(struct explore_switches *s, const struct counts *c,
    const struct explore_trace *t, uint16_t from, uint16_t to, uint8_t how)
{
	s->v[s->n++] = (struct explore_switch){ .from = t->thread[from].key,
						.to = t->thread[to].key,
						.at = c->steps[from],
						.how = how };
}

static bool
is_choice(const struct counts *c, uint16_t from, uint16_t to, uint8_t how)
{
	return from != to || how != SEAM_HOW_DONE || c->yields[to] >= YIELDS;
}

bool
explore_switches_of(struct explore_switches *s, const struct explore_trace *t)
{
	struct counts c;

	if (!begin(s, &c, t, t->nsteps))
		return false;
	for (uint32_t i = 0; i < t->nsteps; i++) {
		const struct seam_step *now = &t->step[i];

		if (i && is_choice(&c, now[-1].slot, now->slot, now->op.how)) {
			add(s, &c, t, now[-1].slot, now->slot, now->op.how);
			s->v[s->n - 1].preempts = explore_is_preemption(t, i);
		}
		c.steps[now->slot]++;
		c.yields[now->slot] += (now->op.flags & SEAM_OP_YIELD) != 0;
	}
	free(c.steps);
	return true;
}

bool
explore_switches_of_moves(struct explore_switches *s,
			  const struct explore_trace *t,
			  const struct explore_move *move, uint32_t n)
{
	struct counts c;

	if (!begin(s, &c, t, n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (i &&
		    is_choice(&c, move[i - 1].slot, move[i].slot, move[i].how))
			add(s, &c, t, move[i - 1].slot, move[i].slot,
			    move[i].how);
		c.steps[move[i].slot]++;
		c.yields[move[i].slot] += move[i].yields;
	}
	free(c.steps);
	return true;
}

static int
compare(const void *a, const void *b)
{
	const struct explore_switch *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static int
compare_pairs(const void *a, const void *b)
{
	const struct seam_forced *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return x->how < y->how ? -1 : x->how > y->how;
}

void
explore_switches_plan(const struct explore_switches *s, const bool *keep,
		      struct seam_plan *plan, struct seam_forced *forced)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n && 2 * n + 2 <= SEAM_STEPS; i++) {
		const struct explore_switch *sw = &s->v[i];

		if (keep && !keep[i])
			continue;
		forced[2 * n] =
		    (struct seam_forced){ .thread = sw->from, .how = sw->at };
		forced[2 * n + 1] =
		    (struct seam_forced){ .thread = sw->to, .how = sw->how };
		n++;
	}
	qsort(forced, n, 2 * sizeof(*forced), compare_pairs);
	plan->forced = 2 * n;
	plan->flags &= ~(uint32_t)SEAM_PLAN_STRICT;
	plan->flags |= SEAM_PLAN_RELAXED;
}

bool
explore_switches_used(struct explore_switches *s, const struct explore_trace *t)
{
	struct explore_switches all;
	uint32_t n = 0;

	if (!explore_switches_of(&all, t))
		return false;
	qsort(s->v, s->n, sizeof(*s->v), compare);
	for (uint32_t i = 0; i < all.n; i++) {
		const struct explore_switch *sw =
		    bsearch(&all.v[i], s->v, s->n, sizeof(*s->v), compare);

		if (sw && sw->to == all.v[i].to && sw->how == all.v[i].how)
			all.v[n++] = all.v[i];
	}
	explore_switches_clear(s);
	all.n = n;
	*s = all;
	return true;
}

bool
explore_is_after(const struct seam_op *op)
{
	return (op->flags & SEAM_OP_LOCAL) && op->verb != SEAM_THREAD_START;
}

void
explore_switches_clear(struct explore_switches *s)
{
	free(s->v);
	s->v = NULL;
	s->n = 0;
}
