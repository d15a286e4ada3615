/* SPDX-License-Identifier: MIT */
#include "explore/held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Clocks: a thread's own number goes up whenever others learn of it. */

static uint32_t *
row(uint32_t *rows, const struct held *h, uint32_t slot)
{
	return &rows[(size_t)slot * h->trace->nthreads];
}

static void
join(const struct held *h, uint32_t *to, const uint32_t *from)
{
	for (uint32_t i = 0; i < h->trace->nthreads; i++)
		if (from[i] > to[i])
			to[i] = from[i];
}

static uint32_t *
channel_of(struct held *h, uint32_t object)
{
	if (!h->row[object])
		h->row[object] = calloc(h->trace->nthreads, sizeof(**h->row));
	return h->row[object];
}

static void
create(struct held *h, uint32_t slot, uint32_t child)
{
	join(h, row(h->must, h, child), row(h->must, h, slot));
	join(h, row(h->may, h, child), row(h->may, h, slot));
	row(h->must, h, slot)[slot]++;
	row(h->may, h, slot)[slot]++;
}

static void
await(struct held *h, uint32_t slot, uint32_t other)
{
	join(h, row(h->must, h, slot), row(h->must, h, other));
	join(h, row(h->may, h, slot), row(h->may, h, other));
}

static void
await_process(struct held *h, uint32_t slot, uint32_t first)
{
	const struct explore_thread *t = h->trace->thread;

	for (uint32_t i = 0; i < h->trace->nthreads; i++)
		if (t[i].process == t[first].process && i != slot)
			await(h, slot, i);
}

/* Tells and is told by way of an object: signals, posts, barriers, pipes. */
enum { TELLS = 1, IS_TOLD = 2 };

static unsigned
talks(const struct seam_op *op)
{
	switch (op->verb) {
	case SEAM_SEM_POST:
	case SEAM_COND_SIGNAL:
	case SEAM_COND_BROADCAST:
	case SEAM_FUTEX_WAKE:
	case SEAM_IO_WRITE:
	case SEAM_IO_CONNECT:
		return TELLS;
	case SEAM_SEM_WAIT:
	case SEAM_SEM_TRYWAIT:
	case SEAM_COND_REACQUIRE:
	case SEAM_FUTEX_WAIT:
	case SEAM_IO_READ:
	case SEAM_IO_ACCEPT:
	case SEAM_IO_POLL:
		return IS_TOLD;
	case SEAM_BARRIER_WAIT:
	case SEAM_ONCE:
		return TELLS | IS_TOLD;
	default:
		return 0;
	}
}

static bool
talk(struct held *h, uint32_t slot, const struct seam_op *op)
{
	unsigned how = talks(op);
	uint32_t *channel;

	if (!how)
		return true;
	channel = channel_of(h, op->verb == SEAM_COND_REACQUIRE ? op->second :
				op->verb >= SEAM_IO_READ	? 0 :
								  op->object);
	if (!channel)
		return false;
	if (how & IS_TOLD)
		join(h, row(h->may, h, slot), channel);
	if (how & TELLS) {
		join(h, channel, row(h->may, h, slot));
		row(h->may, h, slot)[slot]++;
	}
	return true;
}

static bool
keep_clocks(struct held *h, const struct seam_step *step)
{
	const struct seam_op *op = &step->op;
	uint32_t slot = step->slot, peer = op->peer ? op->peer - 1u : slot;

	if (step->result || op->how != SEAM_HOW_DONE)
		return true;
	if (peer != slot)
		switch (op->verb) {
		case SEAM_THREAD_CREATE:
		case SEAM_PROCESS_FORK:
			create(h, slot, peer);
			return true;
		case SEAM_THREAD_JOIN:
			await(h, slot, peer);
			return true;
		case SEAM_PROCESS_WAIT:
			await_process(h, slot, peer);
			return true;
		case SEAM_THREAD_CANCEL:
		case SEAM_SIGNAL_SEND:
			join(h, row(h->may, h, peer), row(h->may, h, slot));
			row(h->may, h, slot)[slot]++;
			return true;
		default:
			break;
		}
	return talk(h, slot, op);
}

/* Locks. */

static bool
overlap(const struct held_lock *l, const struct lockorder_lock *m)
{
	return (!l->len || l->off + l->len > m->off) &&
	       (!m->len || m->off + m->len > l->off);
}

static void
drop(struct held_by *by, unsigned i)
{
	by->lock[i] = by->lock[--by->n];
}

static void
take(struct held *h, uint32_t i, const struct lockorder_lock *l)
{
	const struct seam_step *step = &h->trace->step[i];
	struct held_by *by = &h->by[step->slot];

	for (unsigned k = 0; k < by->n; k++) {
		struct held_lock *have = &by->lock[k];

		if (have->object != step->op.object || have->off != l->off ||
		    have->len != l->len)
			continue;
		if (l->kind == SEAM_KIND_FILE)
			have->shared = l->shared;
		else
			have->depth++;
		return;
	}
	if (by->n == HELD_MOST)
		return;
	by->lock[by->n++] = (struct held_lock){ .object = step->op.object,
						.step = i,
						.depth = 1,
						.off = l->off,
						.len = l->len,
						.kind = l->kind,
						.shared = l->shared };
}

static void
let_go(struct held_by *by, uint32_t object)
{
	for (unsigned k = 0; k < by->n; k++)
		if (by->lock[k].object == object) {
			if (!--by->lock[k].depth)
				drop(by, k);
			return;
		}
}

/* A process's, whichever thread took them; closing drops all. */
static void
let_range_go(struct held *h, const struct seam_step *step)
{
	const struct explore_thread *t = h->trace->thread;
	struct lockorder_lock l = { .off = step->op.off, .len = step->op.len };

	if (step->op.verb == SEAM_FILE_CLOSE)
		l.off = l.len = 0;
	for (uint32_t i = 0; i < h->trace->nthreads; i++)
		for (unsigned k = h->by[i].n; k-- > 0;)
			if (t[i].process == t[step->slot].process &&
			    h->by[i].lock[k].object == step->op.object &&
			    overlap(&h->by[i].lock[k], &l))
				drop(&h->by[i], k);
}

static bool
got_it(const struct seam_step *step)
{
	uint8_t class = seam_verbs[step->op.verb].class;

	return (!step->result || step->result == EOWNERDEAD) &&
	       step->op.how == SEAM_HOW_DONE &&
	       (class == SEAM_CLASS_ACQUIRE || class == SEAM_CLASS_TRY);
}

static void
keep_locks(struct held *h, uint32_t i)
{
	const struct seam_step *step = &h->trace->step[i];
	struct lockorder_lock l;

	switch (step->op.verb) {
	case SEAM_MUTEX_UNLOCK:
	case SEAM_RWLOCK_UNLOCK:
	case SEAM_SPIN_UNLOCK:
	case SEAM_SEM_POST:
		if (!step->result)
			let_go(&h->by[step->slot], step->op.object);
		return;
	case SEAM_COND_WAIT:
		if (!step->result)
			let_go(&h->by[step->slot], step->op.second);
		return;
	case SEAM_FILE_UNLOCK:
	case SEAM_FILE_CLOSE:
		let_range_go(h, step);
		return;
	default:
		if (got_it(step) && lockorder_wants(h->trace, &step->op, &l))
			take(h, i, &l);
	}
}

bool
held_step(struct held *h, uint32_t i)
{
	const struct seam_step *step = &h->trace->step[i];

	if (step->op.flags & SEAM_OP_LOCAL)
		return true;
	keep_locks(h, i);
	return keep_clocks(h, step);
}

bool
held_begin(struct held *h, const struct explore_trace *t)
{
	size_t cells = (size_t)t->nthreads * t->nthreads;

	memset(h, 0, sizeof(*h));
	h->trace = t;
	h->by = calloc(t->nthreads + 1, sizeof(*h->by));
	h->must = calloc(cells + 1, sizeof(*h->must));
	h->may = calloc(cells + 1, sizeof(*h->may));
	h->row = calloc(t->nobjects + 1, sizeof(*h->row));
	if (!h->by || !h->must || !h->may || !h->row)
		return false;
	for (uint32_t i = 0; i < t->nthreads; i++)
		row(h->must, h, i)[i] = row(h->may, h, i)[i] = 1;
	return true;
}

void
held_free(struct held *h)
{
	for (uint32_t i = 0; h->row && i <= h->trace->nobjects; i++)
		free(h->row[i]);
	free((void *)h->row);
	free(h->by);
	free(h->must);
	free(h->may);
	memset(h, 0, sizeof(*h));
}

bool
held_has(const struct held *h, uint32_t slot, uint32_t object)
{
	const struct held_by *by = &h->by[slot];

	for (unsigned k = 0; k < by->n; k++)
		if (by->lock[k].object == object)
			return true;
	return false;
}
