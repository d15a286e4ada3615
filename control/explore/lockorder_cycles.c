/* SPDX-License-Identifier: MIT */
/* Cycles among dependencies, shortest first where they share their locks. */
#include "explore/lockorder_int.h"

/* Looks at so many pairs for a new dependency. */
#define PATIENCE 200000

struct search {
	const struct lockorder *o;
	struct lockorder_cycle cycle;
	unsigned left;
	lockorder_found *found;
	void *arg;
};

static uint32_t
count_of(const struct lockorder_clock *c, uint64_t thread)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->at[i].thread == thread)
			return c->at[i].count;
	return 0;
}

static bool
comes_before(const struct lockorder_clock *a, uint64_t thread,
	     const struct lockorder_clock *b)
{
	return count_of(a, thread) <= count_of(b, thread);
}

static bool
are_ordered(const struct lockorder_dep *a, const struct lockorder_dep *b)
{
	return comes_before(a->must, a->thread, b->must) ||
	       comes_before(b->must, b->thread, a->must);
}

static bool
may_be_ordered(const struct lockorder_dep *a, const struct lockorder_dep *b)
{
	return comes_before(a->may, a->thread, b->may) ||
	       comes_before(b->may, b->thread, a->may);
}

/* Of the file's ranges a process has its own. */
static bool
excludes(const struct lockorder *o, const struct lockorder_dep *a,
	 const struct lockorder_lock *x, const struct lockorder_dep *b,
	 const struct lockorder_lock *y)
{
	return lockorder_conflict(x, y) && lockorder_is_lock(o, x) &&
	       (x->kind != SEAM_KIND_FILE || a->process != b->process);
}

static bool
have_gate(const struct lockorder *o, const struct lockorder_dep *a,
	  const struct lockorder_dep *b)
{
	for (unsigned i = 0; i < a->nheld; i++)
		for (unsigned k = 0; k < b->nheld; k++)
			if (excludes(o, a, &a->held[i], b, &b->held[k]))
				return true;
	return false;
}

static bool
fits(const struct search *s, const struct lockorder_dep *d)
{
	for (unsigned i = 0; i < s->cycle.n; i++) {
		const struct lockorder_dep *c = s->cycle.dep[i];

		if (c == d || c->thread == d->thread || are_ordered(c, d) ||
		    have_gate(s->o, c, d))
			return false;
	}
	return true;
}

/* Which of b's locks keeps a waiting; -1: none. */
static int
awaited(const struct search *s, const struct lockorder_dep *a,
	const struct lockorder_dep *b)
{
	for (unsigned k = 0; k < b->nheld; k++)
		if (excludes(s->o, a, &a->want, b, &b->held[k]))
			return (int)k;
	return -1;
}

static void
tell(struct search *s)
{
	struct lockorder_cycle *c = &s->cycle;

	c->ordered = false;
	for (unsigned i = 0; i < c->n; i++)
		for (unsigned k = 0; k < i; k++)
			c->ordered |= may_be_ordered(c->dep[i], c->dep[k]);
	s->found(s->arg, c);
}

static void
push(struct search *s, struct lockorder_dep *d, unsigned held)
{
	s->cycle.dep[s->cycle.n] = d;
	s->cycle.held[s->cycle.n++] = held;
}

/* The last one's wish leads on; recursion is LOCKORDER_CYCLE deep at most. */
static void
extend(struct search *s) /* NOLINT(misc-no-recursion) */
{
	struct lockorder_dep *last = s->cycle.dep[s->cycle.n - 1];
	int held = awaited(s, last, s->cycle.dep[0]);

	if (s->cycle.n > 1 && held >= 0) {
		s->cycle.held[0] = (unsigned)held;
		tell(s);
		return;
	}
	if (s->cycle.n == LOCKORDER_CYCLE)
		return;
	for (unsigned i = 0; i < s->o->ndeps && s->left; i++, s->left--) {
		struct lockorder_dep *d = s->o->dep[i];

		held = awaited(s, last, d);
		if (held < 0 || !fits(s, d))
			continue;
		push(s, d, (unsigned)held);
		extend(s);
		s->cycle.n--;
	}
}

void
lockorder_search(const struct lockorder *o, struct lockorder_dep *d,
		 lockorder_found *found, void *arg)
{
	struct search s = {
		.o = o, .left = PATIENCE, .found = found, .arg = arg
	};

	push(&s, d, 0);
	extend(&s);
}

bool
lockorder_stands(const struct lockorder *o, const struct lockorder_cycle *c)
{
	for (unsigned i = 0; i < c->n; i++)
		if (!lockorder_is_lock(o, &c->dep[i]->want))
			return false;
	return true;
}
