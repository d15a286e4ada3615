/* SPDX-License-Identifier: MIT */
/* The edges of a run: its reversible races, and which of them matter. */
#include <stdlib.h>
#include <string.h>

#include "depend.h"
#include "explore/as.h"
#include "rules_int.h"

#define TRIES 16   /* to leave edges out */
#define ROUNDS 2   /* each with four times as many tries */
#define RUNS 6000u /* schedules after which what is left stays */

struct collecting {
	struct as_work *w;
	size_t room;
	bool good;
};

static bool
is_there(const struct as_work *w, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < w->nedges; i++)
		if (w->edge[i].from == from && w->edge[i].to == to)
			return true;
	return false;
}

/* Instead of the end of a process, the latest call of its thread that need
 * not come before `from`; or ORDER_NONE. */
static uint32_t
before_the_end(const struct as_work *w, uint32_t from, uint32_t to)
{
	do
		to = w->order.before[to];
	while (to != ORDER_NONE &&
	       as_half_of(order_op(&w->order, to)) != AS_WHOLE);
	return to == ORDER_NONE || order_precedes(&w->order, to, from) ?
		   ORDER_NONE :
		   to;
}

/* Somebody who waits, and whom nobody has woken, need not be held up. */
static bool
is_held_anyway(const struct as_work *w, uint32_t event)
{
	const struct explore_thread *t;

	if (event < w->order.n)
		return false;
	t = &w->trace.thread[event - w->order.n];
	return t->state != SEAM_SLOT_PENDING || !t->pending.verb || t->queued ||
	       as_half_of(&t->pending) != AS_WHOLE;
}

/* No call comes after it that would show that it is over. */
static bool
is_an_end(const struct as_work *w, uint32_t event)
{
	uint8_t verb = order_op(&w->order, event)->verb;

	return verb == SEAM_THREAD_EXIT || verb == SEAM_PROCESS_EXIT ||
	       verb == SEAM_PROCESS_EXEC;
}

static void
add(struct collecting *c, uint32_t from, uint32_t to)
{
	struct as_work *w = c->w;
	struct as_edge *more = w->edge;
	bool loose;

	/* Whoever needs such an end waits for it. */
	while (from != ORDER_NONE && is_an_end(w, from))
		from = w->order.before[from];
	/* A handler is no call: it runs before the next one. */
	while (to < w->order.n &&
	       order_op(&w->order, to)->verb == SEAM_SIGNAL_HANDLE)
		to = w->order.after[to];
	if (is_held_anyway(w, to))
		return;
	loose = as_is_silent(w, to);
	if (loose)
		to = before_the_end(w, from, to);
	if (from == ORDER_NONE || to == ORDER_NONE || is_there(w, from, to) ||
	    !c->good)
		return;
	if (w->nedges == c->room) {
		c->room = c->room ? 2 * c->room : 64;
		more = realloc(w->edge, c->room * sizeof(*more));
	}
	c->good = more != NULL;
	if (!more)
		return;
	w->edge = more;
	w->edge[w->nedges++] = (struct as_edge){ from, to, loose };
}

/* Who had a lock before, and not who let it go: that comes by itself. */
static void
found(void *arg, const struct order_race *race)
{
	struct collecting *c = arg;
	const struct order *o = &c->w->order;
	const struct seam_op *second = order_op(o, race->second);
	uint16_t slot = order_slot(o, race->second);

	if (!race->others)
		add(c, race->first, race->second);
	for (int i = -1; race->others && i < race->others; i++) {
		uint32_t first = i < 0 ? race->first : race->other[i];

		if (seam_reversible(order_op(o, first), order_slot(o, first),
				    second, slot))
			add(c, first, race->second);
	}
}

static bool
collect_races(struct as_work *w)
{
	struct collecting c = { .w = w, .good = true };

	w->nedges = 0;
	for (uint32_t e = 0; e < w->order.n + w->order.threads; e++)
		if (!is_held_anyway(w, e))
			order_races(&w->order, e, found, &c);
	w->edges = w->nedges;
	return c.good;
}

/* Where what comes between the calls decides (a data race), all of it has to
 * come in the order of the run. */
static bool
collect_switches(struct as_work *w)
{
	const struct order *o = &w->order;
	struct collecting c = { .w = w, .good = true };

	for (uint32_t i = 0; i + 1 < o->n; i++)
		if (order_slot(o, i) != order_slot(o, i + 1))
			add(&c, i, i + 1);
	w->edges = w->nedges;
	return c.good;
}

/* Leaving out. */

/* Does it fail without those from `at` on? */
static enum seam_code
would_do(struct as_work *w, size_t at, size_t n, uint32_t tries, bool *does,
	 struct seam_error *err)
{
	struct as_edge *rest = calloc(w->nedges + 1, sizeof(*rest));
	struct as_plan plan = { 0 };
	enum seam_code code = SEAM_OK;
	uint32_t strayed = 0;

	*does = false;
	if (!rest)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	memcpy(rest, w->edge, at * sizeof(*rest));
	memcpy(rest + at, w->edge + at + n,
	       (w->nedges - at - n) * sizeof(*rest));
	if (!as_plan_make(&plan, w, rest, w->nedges - n))
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	else
		code = as_try(w, &plan, tries, 1, &strayed, err);
	*does = !code && !strayed;
	as_plan_clear(&plan);
	free(rest);
	return code;
}

/* What it does to a thread that runs freely may be something else, at any
 * moment. */
static bool
is_sudden(const struct as_work *w, uint32_t event)
{
	uint8_t verb = order_op(&w->order, event)->verb;

	return verb == SEAM_THREAD_CANCEL || verb == SEAM_SIGNAL_SEND;
}

/* Those that stay whatever the tries say come first; how many. */
static size_t
put_first(struct as_work *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->nedges; i++) {
		struct as_edge e = w->edge[i];

		if (!is_sudden(w, e.from) && !is_sudden(w, e.to))
			continue;
		memmove(w->edge + n + 1, w->edge + n, (i - n) * sizeof(e));
		w->edge[n++] = e;
	}
	return n;
}

/* All, halves, quarters, …, one by one (after Zeller & Hildebrandt, TSE 2002:
 * of ddmin the complements alone). */
static enum seam_code
leave_out(struct as_work *w, uint32_t tries, struct seam_error *err)
{
	const size_t first = put_first(w);

	for (size_t size = w->nedges - first; size; size /= 2) {
		for (size_t at = first; at + size <= w->nedges;) {
			bool does;
			enum seam_code code =
			    would_do(w, at, size, tries, &does, err);

			if (code)
				return code;
			if (w->again->runs > RUNS)
				return SEAM_OK;
			if (!does) {
				at += size;
				continue;
			}
			w->nedges -= size;
			memmove(w->edge + at, w->edge + at + size,
				(w->nedges - at) * sizeof(*w->edge));
		}
	}
	return SEAM_OK;
}

static enum seam_code
settle(struct as_work *w, struct seam_error *err)
{
	as_plan_clear(&w->plan);
	if (!as_plan_make(&w->plan, w, w->edge, w->nedges))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	return as_try(w, &w->plan, AS_TRIES, AS_TRIES, &w->strayed, err);
}

/* From all that were collected, which do it. */
static enum seam_code
reduce(struct as_work *w, struct seam_error *err)
{
	const size_t bytes = w->nedges * sizeof(*w->edge);
	struct as_edge *all = malloc(bytes + 1);
	enum seam_code code = SEAM_OK;
	uint32_t tries = TRIES;

	if (!all)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	memcpy(all, w->edge, bytes);
	w->strayed = 1;
	/* What was left out by luck comes back. */
	for (unsigned i = 0; i <= ROUNDS && w->strayed && !code; i++) {
		memcpy(w->edge, all, bytes);
		w->nedges = w->edges;
		if (i < ROUNDS)
			code = leave_out(w, tries, err);
		if (!code)
			code = settle(w, err);
		tries *= 4;
	}
	free(all);
	return code;
}

enum seam_code
as_reduce(struct as_work *w, struct seam_error *err)
{
	enum seam_code code;

	if (!collect_races(w))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	code = settle(w, err);
	if (!code && w->strayed) {
		if (!collect_switches(w))
			return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
					 "no memory");
		code = settle(w, err);
	}
	if (code || w->strayed || !w->nedges)
		return code;
	return reduce(w, err);
}
