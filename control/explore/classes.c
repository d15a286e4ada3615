/* SPDX-License-Identifier: MIT */
/*
 * Classes of runs, and sets of hashes.
 *
 * An event's hash is of its thread, its operation, the thread's event before
 * it, and the sum of the hashes of all earlier events that it depends on,
 * object by object.  That set is the same in all runs of a class, whatever
 * the order of independent events; so the sum of all is a hash of the
 * happens-before order.
 *
 * What a thread does with which object follows from what it did and saw
 * before; so neither objects nor results are part of it, whose numbers may
 * differ from run to run.
 */
#include <stdlib.h>
#include <string.h>

#include "depend.h"
#include "explore/trace.h"

/* The events so far that touched one object (and range) with one access. */
struct cell {
	struct seam_touch touch;
	uint64_t sum;
	struct cell *next;
};

struct ledger {
	struct cell **first; /* by object; 0: points */
	struct cell *cell;
	size_t cells;
	uint64_t *thread; /* hash of its last event, stirred with peers' */
	uint64_t *count;  /* events of the thread */
	uint64_t *local;  /* stirred with local steps behind that event */
	uint64_t global, all;
};

static struct cell **
list_of(const struct ledger *l, const struct seam_touch *t)
{
	return &l->first[t->object == SEAM_TOUCH_POINTS ? 0 : t->object];
}

static uint64_t
seen(const struct ledger *l, const struct seam_touch *t)
{
	const struct cell *c;
	uint64_t sum = 0;

	for (c = *list_of(l, t); c; c = c->next)
		if (seam_touches_conflict(&c->touch, t))
			sum += c->sum;
	return sum;
}

static void
add(struct ledger *l, const struct seam_touch *t, uint64_t hash)
{
	struct cell **first = list_of(l, t), *c;

	for (c = *first; c; c = c->next)
		if (c->touch.access == t->access && c->touch.off == t->off &&
		    c->touch.len == t->len)
			break;
	if (!c) {
		c = &l->cell[l->cells++];
		*c = (struct cell){ .touch = *t, .next = *first };
		*first = c;
	}
	c->sum += hash;
}

static uint16_t
peer_of(const struct explore_trace *t, const struct seam_op *op)
{
	uint16_t peer = (uint16_t)(op->peer - 1);

	return op->peer && peer < t->nthreads && seam_op_is_about(op, peer) ?
		   peer :
		   SEAM_NOBODY;
}

static uint64_t
own_hash(struct ledger *l, const struct explore_trace *t,
	 const struct seam_step *step)
{
	const struct seam_op *op = &step->op;
	uint64_t h = seam_stir(t->thread[step->slot].key, op->verb);

	h = seam_stir(h, (uint64_t)op->how << 8 | op->mode);
	h = seam_stir(h, l->count[step->slot]++);
	return seam_stir(h, l->thread[step->slot]);
}

static void
take(struct ledger *l, const struct explore_trace *t,
     const struct seam_step *step)
{
	struct seam_touch touch[2];
	uint16_t peer = peer_of(t, &step->op);
	uint64_t h = own_hash(l, t, step);
	unsigned i, n = 0;

	if (seam_op_is_global(&step->op)) {
		h = seam_stir(h, l->all);
		for (i = 0; i < t->nthreads; i++)
			h += l->local[i];
		l->global = seam_stir(l->global, h);
	} else {
		h = seam_stir(h, l->global);
		n = seam_touches(&step->op, touch);
	}
	for (i = 0; i < n; i++)
		h = seam_stir(h, seen(l, &touch[i]));
	if (peer != SEAM_NOBODY && peer != step->slot) {
		h = seam_stir(h, l->thread[peer]);
		l->thread[peer] = seam_stir(l->thread[peer], h);
	}
	for (i = 0; i < n; i++)
		add(l, &touch[i], h);
	l->thread[step->slot] = h;
	l->local[step->slot] = 0;
	l->all += h;
}

/* Only what ends threads depends on it: that somebody got there, or not.  How
 * often it went round there does not matter. */
static void
pass(struct ledger *l, const struct explore_trace *t, uint16_t slot)
{
	l->local[slot] = seam_stir(t->thread[slot].key, l->thread[slot]);
}

uint64_t
explore_class(const struct explore_trace *t)
{
	struct ledger l = { 0 };
	uint32_t i;

	l.first = calloc((size_t)t->nobjects + 1, sizeof(struct cell *));
	l.cell = malloc(((size_t)t->nsteps * 2 + 1) * sizeof(struct cell));
	l.thread = calloc((size_t)t->nthreads + 1, sizeof(uint64_t));
	l.count = calloc((size_t)t->nthreads + 1, sizeof(uint64_t));
	l.local = calloc((size_t)t->nthreads + 1, sizeof(uint64_t));
	if (l.first && l.cell && l.thread && l.count && l.local) {
		for (i = 0; i < t->nsteps; i++) {
			if (seam_op_is_local(&t->step[i].op))
				pass(&l, t, t->step[i].slot);
			else
				take(&l, t, &t->step[i]);
		}
	}
	free(l.first);
	free(l.cell);
	free(l.thread);
	free(l.count);
	free(l.local);
	return l.all;
}

/* Open addressing; a place whose count is 0 is free. */
struct explore_set {
	size_t room, used, times[3];
	struct place {
		uint64_t hash;
		uint32_t count;
	} * place;
};

struct explore_set *
explore_set_new(void)
{
	struct explore_set *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->room = 64;
	s->place = calloc(s->room, sizeof(*s->place));
	if (!s->place) {
		free(s);
		return NULL;
	}
	return s;
}

static struct place *
find(struct place *place, size_t room, uint64_t hash)
{
	uint64_t at = (hash * UINT64_C(0x9e3779b97f4a7c15)) >> 20;

	while (place[at &= room - 1].count && place[at].hash != hash)
		at++;
	return &place[at];
}

static bool
grow(struct explore_set *s)
{
	struct place *bigger = calloc(s->room * 2, sizeof(*bigger));
	size_t i;

	if (!bigger)
		return false;
	for (i = 0; i < s->room; i++)
		if (s->place[i].count)
			*find(bigger, s->room * 2, s->place[i].hash) =
			    s->place[i];
	free(s->place);
	s->place = bigger;
	s->room *= 2;
	return true;
}

bool
explore_set_reserve(struct explore_set *s)
{
	return s->used * 4 < s->room * 3 || grow(s) || s->used + 1 < s->room;
}

static void
count_times(struct explore_set *s, uint32_t n, int more)
{
	if (n && n < 3)
		s->times[n] += (size_t)more;
}

uint32_t
explore_set_add_times(struct explore_set *s, uint64_t hash, uint32_t times)
{
	struct place *p;
	uint32_t before;

	/* Without memory for more, what is new is not counted. */
	if (!times || !explore_set_reserve(s))
		return 0;
	p = find(s->place, s->room, hash);
	before = p->count;
	s->used += !before;
	p->hash = hash;
	p->count = times < UINT32_MAX - before ? before + times : UINT32_MAX;
	count_times(s, before, -1);
	count_times(s, p->count, 1);
	return before;
}

uint32_t
explore_set_add(struct explore_set *s, uint64_t hash)
{
	return explore_set_add_times(s, hash, 1);
}

uint32_t
explore_set_count(const struct explore_set *s, uint64_t hash)
{
	return find(s->place, s->room, hash)->count;
}

void
explore_set_each(const struct explore_set *s, explore_set_each_fn *each,
		 void *arg)
{
	for (size_t i = 0; i < s->room; i++)
		if (s->place[i].count)
			each(arg, s->place[i].hash, s->place[i].count);
}

size_t
explore_set_size(const struct explore_set *s)
{
	return s->used;
}

size_t
explore_set_times(const struct explore_set *s, unsigned n)
{
	return n < 3 ? s->times[n] : 0;
}

void
explore_set_free(struct explore_set *s)
{
	if (!s)
		return;
	free(s->place);
	free(s);
}
