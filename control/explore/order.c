/* SPDX-License-Identifier: MIT */
/* Vector clocks (Mattern, 1989) over the steps of a trace. */
#include "explore/order.h"

#include <stdlib.h>
#include <string.h>

#include "depend.h"

/* The join of the clocks of all events that touched one object (and range)
 * with one access. */
struct order_cell {
	struct seam_touch touch;
	struct order_cell *next, *all;
	uint32_t clock[];
};

const struct seam_op *
order_op(const struct order *o, uint32_t event)
{
	return event < o->n ? &o->trace->step[event].op :
			      &o->trace->thread[event - o->n].pending;
}

uint16_t
order_slot(const struct order *o, uint32_t event)
{
	return event < o->n ? o->trace->step[event].slot :
			      (uint16_t)(event - o->n);
}

static bool
stands(const struct order *o, uint32_t slot)
{
	const struct explore_thread *t = &o->trace->thread[slot];

	return o->n == o->trace->nsteps && t->state == SEAM_SLOT_PENDING &&
	       t->pending.verb;
}

uint32_t
order_pending(const struct order *o, uint32_t i, uint16_t slot)
{
	uint32_t at = o->first[slot], low;

	/* The first event of the slot at or after i. */
	for (low = i; low < o->n && low < i + 64; low++)
		if (o->trace->step[low].slot == slot)
			return low;
	while (at < i && at < o->n)
		at = o->after[at];
	return at < o->n || stands(o, slot) ? at : ORDER_NONE;
}

static uint32_t *
row(uint32_t *rows, const struct order *o, uint32_t i)
{
	return &rows[(size_t)i * o->threads];
}

static void
join(const struct order *o, uint32_t *to, const uint32_t *from)
{
	uint32_t s;

	for (s = 0; s < o->threads; s++)
		if (from[s] > to[s])
			to[s] = from[s];
}

static struct order_cell **
cells_of(const struct order *o, const struct seam_touch *t)
{
	return &o->cell[t->object == SEAM_TOUCH_POINTS ? 0 : t->object];
}

static void
join_touched(const struct order *o, uint32_t *to, const struct seam_touch *t)
{
	const struct order_cell *c;

	for (c = *cells_of(o, t); c; c = c->next)
		if (seam_touches_conflict(&c->touch, t))
			join(o, to, c->clock);
}

static bool
note_touched(struct order *o, const uint32_t *clock, const struct seam_touch *t)
{
	struct order_cell **first = cells_of(o, t), *c;

	for (c = *first; c; c = c->next)
		if (c->touch.access == t->access && c->touch.off == t->off &&
		    c->touch.len == t->len)
			break;
	if (!c) {
		c = calloc(1, sizeof(*c) + o->threads * sizeof(uint32_t));
		if (!c)
			return false;
		c->touch = *t;
		c->next = *first;
		c->all = o->cells;
		*first = o->cells = c;
	}
	join(o, c->clock, clock);
	return true;
}

/* What lets them go on is no operation on their object. */
static bool
is_let_go_unseen(const struct seam_op *op)
{
	switch (op->verb) {
	case SEAM_BARRIER_WAIT:
		return op->mode == 'l';
	case SEAM_ONCE:
	case SEAM_IO_READ:
	case SEAM_IO_WRITE:
	case SEAM_IO_ACCEPT:
	case SEAM_IO_CONNECT:
	case SEAM_IO_POLL:
	case SEAM_FCNTL_SETLKW:
	case SEAM_FLOCK_LOCK:
	case SEAM_LOCKF_LOCK:
	case SEAM_PROCESS_WAIT:
	case SEAM_SIGNAL_WAIT:
		return op->how == SEAM_HOW_DONE;
	default:
		return false;
	}
}

/* The step that let event i go on: the masks tell when it became enabled. */
static void
join_enabler(struct order *o, uint32_t *to, uint32_t i, uint32_t since)
{
	const struct seam_step *step = o->trace->step;
	uint64_t bit = UINT64_C(1) << step[i].slot;
	uint32_t k = i;

	while (k > since && (step[k].enabled & bit))
		k--;
	if (!(step[k].enabled & bit) && k < i)
		join(o, to, row(o->clock, o, k));
}

static bool
is_about(const struct order *o, const struct seam_op *op, uint32_t slot)
{
	uint16_t peer = (uint16_t)(op->peer - 1);

	return op->peer && peer < o->threads && peer != slot &&
	       seam_op_is_about(op, peer);
}

/* Clocks while the trace is gone through. */
struct now {
	uint32_t *last;	      /* by slot: of its last event, or its creation */
	uint32_t *told;	      /* by slot: of what others did about it */
	uint32_t *everywhere; /* of global events: all depend on them */
	uint32_t *all;	      /* of all events */
};

static void
fill_row(struct order *o, uint32_t i, const struct now *now)
{
	const struct seam_op *op = order_op(o, i);
	uint16_t slot = order_slot(o, i);
	uint32_t *clock = row(o->clock, o, i);
	struct seam_touch touch[2];
	unsigned k, n;

	memcpy(row(o->past, o, i), row(now->last, o, slot),
	       o->threads * sizeof(*clock));
	memcpy(clock, row(now->last, o, slot), o->threads * sizeof(*clock));
	join(o, clock, row(now->told, o, slot));
	if (i < o->n)
		clock[slot] = i + 1;
	if (is_about(o, op, slot))
		join(o, clock, row(now->last, o, op->peer - 1u));
	if (seam_op_is_global(op)) {
		join(o, clock, now->all);
		if (i < o->n)
			join(o, now->everywhere, clock);
		return;
	}
	join(o, clock, now->everywhere);
	if (seam_op_is_local(op))
		return;
	n = seam_touches(op, touch);
	for (k = 0; k < n; k++)
		join_touched(o, clock, &touch[k]);
	if (i < o->n && is_let_go_unseen(op))
		join_enabler(o, clock, i,
			     o->before[i] == ORDER_NONE ? 0 : o->before[i] + 1);
}

static bool
note(struct order *o, uint32_t i, const struct now *now)
{
	const struct seam_op *op = order_op(o, i);
	uint16_t slot = order_slot(o, i);
	const uint32_t *clock = row(o->clock, o, i);
	struct seam_touch touch[2];
	unsigned k, n = 0;

	memcpy(row(now->last, o, slot), clock, o->threads * sizeof(*clock));
	if (is_about(o, op, slot)) {
		join(o, row(now->told, o, op->peer - 1u), clock);
		if (op->verb == SEAM_THREAD_CREATE ||
		    op->verb == SEAM_PROCESS_FORK)
			join(o, row(now->last, o, op->peer - 1u), clock);
		o->abouts[i] = o->about[op->peer - 1];
		o->about[op->peer - 1] = i;
	}
	join(o, now->all, clock);
	if (seam_op_is_local(op))
		return true;
	if (seam_op_is_global(op)) {
		o->globals[i] = o->global;
		o->global = i;
	} else {
		n = seam_touches(op, touch);
	}
	for (k = 0; k < n; k++) {
		uint32_t *latest = &o->latest[cells_of(o, &touch[k]) - o->cell];

		o->link[2 * i + k] = *latest;
		*latest = 2 * i + k;
		if (!note_touched(o, clock, &touch[k]))
			return false;
	}
	return true;
}

static bool
fill(struct order *o, const struct now *now)
{
	uint32_t i, s;

	for (s = 0; s < o->threads; s++)
		o->first[s] = o->about[s] = ORDER_NONE;
	memset(o->latest, 0xff,
	       ((size_t)o->trace->nobjects + 1) * sizeof(uint32_t));
	for (i = 0; i < o->n; i++) {
		o->before[i] = ORDER_NONE;
		o->after[i] = o->n + order_slot(o, i);
	}
	for (i = 0; i < o->n; i++) {
		uint16_t slot = order_slot(o, i);
		uint32_t own = row(now->last, o, slot)[slot];

		if (o->first[slot] == ORDER_NONE)
			o->first[slot] = i;
		if (own) {
			o->before[i] = own - 1;
			o->after[own - 1] = i;
		}
		fill_row(o, i, now);
		if (!note(o, i, now))
			return false;
	}
	for (s = 0; s < o->threads; s++) {
		if (o->first[s] == ORDER_NONE)
			o->first[s] = o->n + s;
		o->before[o->n + s] = row(now->last, o, s)[s] ?
					  row(now->last, o, s)[s] - 1 :
					  ORDER_NONE;
		if (stands(o, s))
			fill_row(o, o->n + s, now);
	}
	return true;
}

static uint32_t *
numbers(size_t n)
{
	return calloc(n ? n : 1, sizeof(uint32_t));
}

bool
order_make(struct order *o, const struct explore_trace *t, uint32_t n)
{
	struct now now;
	size_t rows, all, objects = (size_t)t->nobjects + 1;
	bool good;

	memset(o, 0, sizeof(*o));
	o->trace = t;
	o->n = n < t->nsteps ? n : t->nsteps;
	o->threads = t->nthreads;
	o->global = ORDER_NONE;
	rows = (size_t)o->n + o->threads;
	o->clock = numbers(rows * o->threads);
	o->past = numbers(rows * o->threads);
	o->before = numbers(rows);
	o->after = numbers(rows);
	o->first = numbers(o->threads);
	o->link = numbers(rows * 2);
	o->latest = numbers(objects);
	o->about = numbers(o->threads);
	o->abouts = numbers(rows);
	o->globals = numbers(rows);
	o->scratch = numbers(rows * 2);
	o->cell = calloc(objects, sizeof(struct order_cell *));
	all = (size_t)o->threads * o->threads;
	now.last = numbers(2 * all + 2 * (size_t)o->threads);
	now.told = now.last + all;
	now.everywhere = now.told + all;
	now.all = now.everywhere + o->threads;
	good = o->clock && o->past && o->before && o->after && o->first &&
	       o->link && o->latest && o->about && o->abouts && o->globals &&
	       o->scratch && o->cell && now.last && fill(o, &now);
	free(now.last);
	if (!good)
		order_free(o);
	return good;
}

void
order_free(struct order *o)
{
	struct order_cell *c, *next;

	for (c = o->cells; c; c = next) {
		next = c->all;
		free(c);
	}
	free(o->clock);
	free(o->past);
	free(o->before);
	free(o->after);
	free(o->first);
	free(o->link);
	free(o->latest);
	free(o->about);
	free(o->abouts);
	free(o->globals);
	free(o->scratch);
	free((void *)o->cell);
	memset(o, 0, sizeof(*o));
}
