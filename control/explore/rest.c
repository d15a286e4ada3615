/* SPDX-License-Identifier: MIT */
#include "explore/rest.h"

#include <stdlib.h>
#include <string.h>

#include "depend.h"

static const struct seam_op *
op_at(const struct rest *r, uint32_t at)
{
	return r->event[at] == r->race.second ?
		   &r->last :
		   order_op(r->order, r->event[at]);
}

static uint16_t
slot_at(const struct rest *r, uint32_t at)
{
	return order_slot(r->order, r->event[at]);
}

/* e' depends on what its thread knew, and on what it touches now. */
static void
fill_known(struct rest *r)
{
	const struct order *o = r->order;
	uint32_t i, s, j = r->race.second;

	for (s = 0; s < o->threads; s++)
		r->known[s] = o->past[(size_t)j * o->threads + s];
	for (i = 0; r->event[i] != j; i++) {
		uint32_t k = r->event[i];

		if (!seam_dependent(order_op(o, k), order_slot(o, k), &r->last,
				    order_slot(o, j)))
			continue;
		for (s = 0; s < o->threads; s++)
			if (o->clock[(size_t)k * o->threads + s] > r->known[s])
				r->known[s] =
				    o->clock[(size_t)k * o->threads + s];
	}
}

bool
rest_make(struct rest *r, const struct order *o, const struct order_race *race,
	  uint32_t until)
{
	uint32_t k, j = race->second;

	memset(r, 0, sizeof(*r));
	r->order = o;
	r->race = *race;
	r->last = order_reversed(o, race);
	r->event = calloc((size_t)until - race->first + 2, sizeof(uint32_t));
	r->known = calloc(o->threads, sizeof(uint32_t));
	r->gone = calloc((size_t)until - race->first + 2, sizeof(bool));
	if (!r->event || !r->known || !r->gone) {
		rest_free(r);
		return false;
	}
	for (k = race->first + 1; k < until; k++)
		if (k != j && !order_left_out(o, race, k) &&
		    (j >= o->n || !order_precedes(o, j, k)))
			r->event[r->n++] = k;
	r->event[r->n++] = j;
	if (j >= o->n && seam_op_is_global(order_op(o, race->first)))
		r->event[r->n++] = race->first;
	fill_known(r);
	return true;
}

void
rest_free(struct rest *r)
{
	free(r->event);
	free(r->known);
	free(r->gone);
	memset(r, 0, sizeof(*r));
}

static bool
precedes(const struct rest *r, uint32_t a, uint32_t b)
{
	if (r->event[b] == r->race.first)
		return true;
	if (r->event[b] == r->race.second)
		return r->known[slot_at(r, a)] > r->event[a];
	return order_precedes(r->order, r->event[a], r->event[b]);
}

bool
rest_pending(const struct order *o, uint32_t i, uint16_t slot,
	     struct seam_op *op)
{
	uint32_t event = order_pending(o, i, slot);
	const struct seam_step *step;

	if (event == ORDER_NONE)
		return false;
	*op = *order_op(o, event);
	op->how = SEAM_HOW_DONE;
	if (i < o->n) {
		step = &o->trace->step[i];
		if ((step->timeouts & ~step->enabled) >> slot & 1)
			op->how = SEAM_HOW_TIMEOUT;
	}
	if (op->verb != SEAM_TIME_YIELD && op->verb != SEAM_TIME_SLEEP)
		op->flags &= (uint8_t)~SEAM_OP_YIELD;
	return true;
}

/* Its first event that is left has nothing left before it. */
static bool
is_initial(const struct rest *r, uint32_t at)
{
	uint32_t i;

	for (i = 0; i < at; i++)
		if (!r->gone[i] && precedes(r, i, at))
			return false;
	return true;
}

static bool
commutes_with_all(const struct rest *r, uint16_t slot, const struct seam_op *op)
{
	uint32_t i;

	for (i = 0; i < r->n; i++)
		if (!r->gone[i] &&
		    seam_dependent(op_at(r, i), slot_at(r, i), op, slot))
			return false;
	return true;
}

bool
rest_weak(const struct rest *r, uint16_t slot, uint32_t *at)
{
	struct seam_op op;
	uint32_t i, from = r->race.first;

	for (i = 0; i < r->n; i++) {
		if (slot_at(r, i) != slot)
			continue;
		if (!r->gone[i]) {
			*at = i;
			return is_initial(r, i);
		}
		from = r->event[i] + 1;
	}
	/* What comes behind the reversed event is not known. */
	*at = ORDER_NONE;
	if (slot == order_slot(r->order, r->race.second) ||
	    from > r->order->n || !rest_pending(r->order, from, slot, &op))
		return false;
	*at = r->n;
	return commutes_with_all(r, slot, &op);
}

uint64_t
rest_initials(const struct rest *r)
{
	uint64_t seen = 0, initials = 0;
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		uint64_t bit = UINT64_C(1) << slot_at(r, i);

		if (!(seen & bit) && is_initial(r, i))
			initials |= bit;
		seen |= bit;
	}
	return initials;
}

static uint16_t
slot_of(const struct explore_trace *t, uint64_t key)
{
	uint16_t s;

	for (s = 0; s < t->nthreads; s++)
		if (t->thread[s].key == key)
			return s;
	return SEAM_NOBODY;
}

static int
append(struct wakeup **to, const struct rest *r, bool fresh)
{
	uint32_t i;

	while (*to)
		to = &(*to)->next;
	for (i = 0; i < r->n; i++) {
		if (r->gone[i])
			continue;
		*to = calloc(1, sizeof(**to));
		if (!*to)
			return -1;
		(*to)->thread = r->order->trace->thread[slot_at(r, i)].key;
		(*to)->fresh = fresh;
		fresh = false;
		to = &(*to)->child;
	}
	return 1;
}

int
wakeup_insert(struct wakeup **tree, struct rest *r)
{
	uint32_t left = r->n, at;
	uint64_t passed = 0;
	bool unknown = false;
	struct wakeup *w = *tree;

	while (w) {
		uint16_t slot = slot_of(r->order->trace, w->thread);
		bool weak = false;

		/* Behind a step that v does not have, the thread's next one is
		 * not known either. */
		at = ORDER_NONE;
		if (slot != SEAM_NOBODY && !((passed >> slot) & 1))
			weak = rest_weak(r, slot, &at);
		if (!weak) {
			unknown = unknown || at == ORDER_NONE;
			tree = &w->next;
			w = *tree;
			continue;
		}
		if (at < r->n) {
			r->gone[at] = true;
			left--;
		} else {
			passed |= UINT64_C(1) << slot;
		}
		if (!w->child || !left)
			return 0;
		tree = &w->child;
		w = *tree;
		unknown = false;
	}
	return append(tree, r, unknown);
}

void
wakeup_free(struct wakeup *tree)
{
	while (tree) {
		struct wakeup *next = tree->next;

		wakeup_free(tree->child);
		free(tree);
		tree = next;
	}
}
