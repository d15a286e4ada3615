/* SPDX-License-Identifier: MIT */
/*
 * Who holds what, and who waits, over a run.  Holdings follow from the steps
 * alone; a thread waits as long as it stands at an operation that the
 * scheduler does not count among those that can go on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explore/out_run.h"

struct taking {
	const struct explore_trace *t;
	struct out_spans *s;
	size_t *open; /* holds that last, by index */
	size_t nopen, room_open;
	bool bad;
};

static struct out_span *
new_span(struct taking *k, struct out_span **list, size_t *n, size_t *room)
{
	size_t more = *room ? *room * 2 : 64;
	struct out_span *p;

	if (*n == *room) {
		p = reallocarray(*list, more, sizeof(*p));
		if (!p) {
			k->bad = true;
			return NULL;
		}
		*list = p;
		*room = more;
	}
	p = &(*list)[(*n)++];
	memset(p, 0, sizeof(*p));
	return p;
}

/* Holdings. */

static bool
push_open(struct taking *k, size_t index)
{
	size_t more = k->room_open ? k->room_open * 2 : 64, *p;

	if (k->nopen == k->room_open) {
		p = reallocarray(k->open, more, sizeof(*p));
		if (!p)
			return false;
		k->open = p;
		k->room_open = more;
	}
	k->open[k->nopen++] = index;
	return true;
}

static struct out_span *
open_hold(const struct taking *k, size_t i)
{
	return &k->s->hold[k->open[i]];
}

static void
close_hold(struct taking *k, size_t i, uint32_t step)
{
	struct out_span *h = open_hold(k, i);

	h->to = step;
	h->open = false;
	k->open[i] = k->open[--k->nopen];
}

static void
begin_hold(struct taking *k, uint32_t step, uint32_t object, uint8_t mode)
{
	const struct seam_step *s = &k->t->step[step];
	struct out_span *h =
	    new_span(k, &k->s->hold, &k->s->nholds, &k->s->room_holds);

	if (!h)
		return;
	*h = (struct out_span){ .from = step,
				.to = k->t->nsteps,
				.object = object,
				.slot = s->slot,
				.mode = mode,
				.open = true,
				.depth = 1,
				.off = s->op.off,
				.len = s->op.len };
	k->bad |= !push_open(k, k->s->nholds - 1);
}

/* A whole object, whoever has it. */
static void
drop_object(struct taking *k, uint32_t step, uint32_t object)
{
	for (size_t i = k->nopen; i-- > 0;)
		if (open_hold(k, i)->object == object)
			close_hold(k, i, step);
}

static void
acquire(struct taking *k, uint32_t step, uint32_t object, uint8_t mode)
{
	const uint16_t slot = k->t->step[step].slot;

	for (size_t i = 0; i < k->nopen; i++) {
		struct out_span *h = open_hold(k, i);

		if (h->object == object && h->slot == slot) {
			h->depth++;
			return;
		}
	}
	/* Who has it for itself has taken it from whoever died with it. */
	if (mode == 'w')
		drop_object(k, step, object);
	begin_hold(k, step, object, mode);
}

/* `all`: a wait for a condition lets go of a recursive mutex altogether. */
static void
release(struct taking *k, uint32_t step, uint32_t object, bool all)
{
	const uint16_t slot = k->t->step[step].slot;

	for (size_t i = 0; i < k->nopen; i++) {
		struct out_span *h = open_hold(k, i);

		if (h->object != object || h->slot != slot)
			continue;
		if (all || !--h->depth)
			close_hold(k, i, step);
		return;
	}
}

static uint64_t
end_of(uint64_t off, uint64_t len)
{
	return len ? off + len : UINT64_MAX;
}

/* What lies within the range, of that process. */
static void
drop_range(struct taking *k, uint32_t step, const struct seam_op *op,
	   bool whole)
{
	const struct explore_trace *t = k->t;
	const uint16_t process = t->thread[t->step[step].slot].process;

	for (size_t i = k->nopen; i-- > 0;) {
		const struct out_span *h = open_hold(k, i);

		if (h->object != op->object ||
		    t->thread[h->slot].process != process)
			continue;
		if (whole ||
		    (h->off >= op->off &&
		     end_of(h->off, h->len) <= end_of(op->off, op->len)))
			close_hold(k, i, step);
	}
}

static void
file_step(struct taking *k, uint32_t step)
{
	const struct seam_step *s = &k->t->step[step];
	const struct seam_op *op = &s->op;

	if (op->verb == SEAM_FILE_UNLOCK || op->verb == SEAM_FILE_CLOSE) {
		drop_range(k, step, op, op->verb == SEAM_FILE_CLOSE);
		return;
	}
	/* To take a flock in another mode is to let go of the first. */
	if (op->verb == SEAM_FLOCK_LOCK && s->result == EWOULDBLOCK)
		drop_range(k, step, op, true);
	if (s->result || op->how != SEAM_HOW_DONE || !op->mode ||
	    op->verb == SEAM_FCNTL_GETLK)
		return;
	drop_range(k, step, op, false);
	begin_hold(k, step, op->object, op->mode);
}

static bool
is_owned_kind(const struct explore_trace *t, uint32_t object)
{
	const uint8_t kind = object ? t->object[object - 1].kind : 0;

	return kind == SEAM_KIND_MUTEX || kind == SEAM_KIND_RWLOCK ||
	       kind == SEAM_KIND_SPIN;
}

/* The owner of a robust mutex died: it is acquired all the same. */
static bool
came_about(const struct seam_step *s)
{
	return s->op.how == SEAM_HOW_DONE &&
	       (!s->result || s->result == EOWNERDEAD);
}

static void
lock_step(struct taking *k, uint32_t step)
{
	const struct seam_step *s = &k->t->step[step];
	const struct seam_op *op = &s->op;

	switch (seam_verbs[op->verb].class) {
	case SEAM_CLASS_ACQUIRE:
	case SEAM_CLASS_TRY:
		/* What a wait returned, it has its mutex again. */
		if (came_about(s) || (op->verb == SEAM_COND_REACQUIRE &&
				      op->how == SEAM_HOW_DONE))
			acquire(k, step, op->object,
				op->verb == SEAM_RWLOCK_RDLOCK ||
					op->verb == SEAM_RWLOCK_TRYRDLOCK ?
				    'r' :
				    'w');
		break;
	case SEAM_CLASS_RELEASE:
		if (!s->result)
			release(k, step, op->object, false);
		break;
	case SEAM_CLASS_INIT:
	case SEAM_CLASS_DESTROY:
		drop_object(k, step, op->object);
		break;
	default:
		break;
	}
}

static void
step_holds(struct taking *k, uint32_t step)
{
	const struct seam_op *op = &k->t->step[step].op;

	if (op->flags & SEAM_OP_LOCAL)
		return;
	if (op->verb == SEAM_COND_WAIT)
		release(k, step, op->second, true);
	else if (op->object &&
		 k->t->object[op->object - 1].kind == SEAM_KIND_FILE)
		file_step(k, step);
	else if (is_owned_kind(k->t, op->object))
		lock_step(k, step);
}

/* Waits. */

/* In the queue of a condition, or for its mutex: which, only the end of the
 * run tells. */
static uint32_t
awaited(const struct taking *k, uint16_t slot, const struct seam_op *op,
	bool open)
{
	if (op->verb != SEAM_COND_REACQUIRE || !op->second)
		return op->object;
	return open && !k->t->thread[slot].queued ? op->object : op->second;
}

static void
add_wait(struct taking *k, uint16_t slot, uint32_t from, uint32_t to,
	 const struct seam_op *op, bool open)
{
	struct out_span *w =
	    new_span(k, &k->s->wait, &k->s->nwaits, &k->s->room_waits);

	if (w)
		*w = (struct out_span){ .from = from,
					.to = to,
					.object = awaited(k, slot, op, open),
					.slot = slot,
					.by = op->object ? 0 : op->peer,
					.open = open };
}

/* From the step after its last one up to the next, while it cannot go on. */
static void
waits_before(struct taking *k, uint16_t slot, uint32_t from, uint32_t to,
	     const struct seam_op *op, bool last)
{
	const struct explore_trace *t = k->t;
	uint32_t since = UINT32_MAX;

	if (slot >= SEAM_MASKED)
		return;
	for (uint32_t i = from; i < to; i++) {
		bool waits = !((t->step[i].enabled >> slot) & 1);

		if (waits && since == UINT32_MAX)
			since = i;
		if (waits || since == UINT32_MAX)
			continue;
		add_wait(k, slot, since, i, op, false);
		since = UINT32_MAX;
	}
	if (last)
		add_wait(k, slot, since == UINT32_MAX ? to : since, to, op,
			 true);
	else if (since != UINT32_MAX)
		add_wait(k, slot, since, to, op, false);
}

static void
take_waits(struct taking *k, uint32_t *after)
{
	const struct explore_trace *t = k->t;

	for (uint32_t i = 0; i < t->nsteps; i++) {
		const uint16_t slot = t->step[i].slot;

		if (after[slot])
			waits_before(k, slot, after[slot], i, &t->step[i].op,
				     false);
		after[slot] = i + 1;
	}
	for (uint32_t i = 0; i < t->nthreads; i++) {
		const struct explore_thread *th = &t->thread[i];

		if (after[i] && th->state == SEAM_SLOT_PENDING && !th->enabled)
			waits_before(k, (uint16_t)i, after[i], t->nsteps,
				     &th->pending, true);
	}
}

static int
by_from(const void *a, const void *b)
{
	const struct out_span *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->slot > y->slot) - (x->slot < y->slot);
}

/* Who has it: of several readers the one that keeps it longest. */
static void
name_holders(struct out_spans *s)
{
	size_t first = 0;

	for (size_t i = 0; i < s->nwaits; i++) {
		struct out_span *w = &s->wait[i];
		uint32_t until = 0;

		for (size_t j = first;
		     w->object && j < s->nholds && s->hold[j].from <= w->from;
		     j++) {
			const struct out_span *h = &s->hold[j];

			if (h->object != w->object || h->slot == w->slot ||
			    h->to < w->from || h->to <= until)
				continue;
			until = h->to;
			w->by = (uint16_t)(h->slot + 1);
		}
		/* Those that are over will not matter again. */
		while (first < s->nholds && s->hold[first].to < w->from)
			first++;
	}
}

bool
out_spans_take(struct out_spans *s, const struct explore_trace *t)
{
	struct taking k = { .t = t, .s = s };
	uint32_t *after = calloc(t->nthreads + 1u, sizeof(*after));

	memset(s, 0, sizeof(*s));
	for (uint32_t i = 0; after && i < t->nsteps; i++)
		step_holds(&k, i);
	if (after)
		take_waits(&k, after);
	k.bad |= !after;
	free(after);
	free(k.open);
	if (k.bad) {
		out_spans_free(s);
		return false;
	}
	if (s->nwaits)
		qsort(s->wait, s->nwaits, sizeof(*s->wait), by_from);
	name_holders(s);
	return true;
}

void
out_spans_free(struct out_spans *s)
{
	free(s->hold);
	free(s->wait);
	memset(s, 0, sizeof(*s));
}
