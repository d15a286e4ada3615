/* SPDX-License-Identifier: MIT */
#include "permute_auto.h"

#include <stdlib.h>
#include <string.h>

#define BIT(n) (UINT64_C(1) << (n))

/* What is known of a trial's class; steps are bits. */
struct past {
	uint64_t taken;
	uint64_t before[PERMUTE_STEPS];	  /* who came first, and has to */
	uint64_t freed_by[PERMUTE_STEPS]; /* that waited: the step that ended
					     it; 0: none did */
	uint64_t waited;
	uint64_t ended_by[PERMUTE_SESSIONS]; /* 0: it has not ended */
};

struct permute_auto {
	const struct permute *p;
	struct past *past;
	size_t n, room;
};

void
permute_trial_clear(struct permute_trial *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->interval[i].touch);
	*t = (struct permute_trial){ .n = 0 };
}

struct permute_auto *
permute_auto_new(const struct permute *p)
{
	struct permute_auto *a = calloc(1, sizeof(*a));

	if (a)
		a->p = p;
	return a;
}

void
permute_auto_free(struct permute_auto *a)
{
	if (a)
		free(a->past);
	free(a);
}

static void
take_interval(const struct permute_auto *a, struct past *past,
	      const struct permute_trial *t, size_t n)
{
	const struct permute_interval *now = &t->interval[n];
	uint64_t self = BIT(now->step);

	for (size_t i = 0; i < n; i++)
		if (!permute_commute(&t->interval[i], now))
			past->before[now->step] |= BIT(t->interval[i].step);
	for (size_t i = 0; i < a->p->steps; i++)
		if (now->done >> i & 1)
			past->freed_by[i] = self;
	for (size_t i = 0; i < a->p->sessions; i++)
		if (now->ended >> i & 1)
			past->ended_by[i] = self;
	past->waited |= now->waits ? self : 0;
	past->taken |= self;
}

/* Without memory an order is run that need not be. */
void
permute_auto_learn(struct permute_auto *a, const struct permute_trial *t)
{
	struct past past = { .taken = 0 }, *v;

	for (size_t i = 0; i < t->n; i++)
		take_interval(a, &past, t, i);
	if (a->n == a->room) {
		v = reallocarray(a->past, a->room + 64, sizeof(*v));
		if (!v)
			return;
		a->past = v;
		a->room += 64;
	}
	a->past[a->n++] = past;
}

/* Could that session take a step after those of `seen`?  latest: its own. */
static bool
is_stuck(const struct past *past, uint64_t seen, size_t session, size_t latest)
{
	if (past->ended_by[session] & seen)
		return true;
	return latest < PERMUTE_STEPS && past->waited >> latest & 1 &&
	       !(past->freed_by[latest] & seen);
}

/* Is the order one of that class, or known not to be possible? */
static bool
is_known(const struct permute_auto *a, const struct past *past,
	 const size_t *order)
{
	size_t latest[PERMUTE_SESSIONS];
	uint64_t seen = 0;

	memset(latest, 0xff, sizeof(latest));
	for (size_t i = 0; i < a->p->steps; i++) {
		size_t step = order[i], session = a->p->step[step].session;

		if (!(past->taken >> step & 1) || past->before[step] & ~seen)
			return is_stuck(past, seen, session, latest[session]);
		seen |= BIT(step);
		latest[session] = step;
	}
	return true;
}

/* The latest first: its neighbours in the list are most like it. */
bool
permute_auto_wants(struct permute_auto *a, const size_t *order)
{
	for (size_t i = a->n; i-- > 0;)
		if (is_known(a, &a->past[i], order))
			return false;
	return true;
}
