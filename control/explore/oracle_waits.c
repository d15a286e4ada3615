/* SPDX-License-Identifier: MIT */
/* Who waits for whom when nothing can go on. */
#include "explore/oracle.h"

static bool
stands(const struct explore_trace *t, uint32_t slot)
{
	return t->thread[slot].state == SEAM_SLOT_PENDING;
}

/* Not acquired, whatever the try's class says. */
static bool
is_acquisition(const struct seam_step *step)
{
	const uint8_t class = seam_verbs[step->op.verb].class;

	return !step->result && step->op.how == SEAM_HOW_DONE &&
	       !(step->op.flags & SEAM_OP_LOCAL) &&
	       (class == SEAM_CLASS_ACQUIRE || class == SEAM_CLASS_TRY);
}

int64_t
oracle_acquired_at(const struct explore_trace *t, uint32_t slot,
		   uint32_t object)
{
	for (int64_t i = (int64_t)t->nsteps - 1; object && i >= 0; i--) {
		const struct seam_step *step = &t->step[i];

		if (step->slot == slot && step->op.object == object &&
		    is_acquisition(step))
			return i;
	}
	return -1;
}

/* Files have no owner of their own: whoever last locked an overlapping range
 * and has not unlocked it. */
static bool
overlap(const struct seam_op *a, const struct seam_op *b)
{
	return (!a->len || a->off + a->len > b->off) &&
	       (!b->len || b->off + b->len > a->off);
}

static bool
holds_range(const struct explore_trace *t, uint32_t slot,
	    const struct seam_op *op)
{
	for (int64_t i = (int64_t)t->nsteps - 1; i >= 0; i--) {
		const struct seam_step *step = &t->step[i];

		if (t->thread[step->slot].process != t->thread[slot].process ||
		    step->op.object != op->object || step->result ||
		    !overlap(&step->op, op))
			continue;
		if (step->op.verb == SEAM_FILE_UNLOCK ||
		    step->op.verb == SEAM_FILE_CLOSE)
			return false;
		if (step->slot == slot && is_acquisition(step))
			return true;
	}
	return false;
}

static int
holder_of_range(const struct explore_trace *t, uint32_t slot,
		const struct seam_op *op)
{
	for (uint32_t i = 0; i < t->nthreads; i++)
		if (i != slot &&
		    t->thread[i].process != t->thread[slot].process &&
		    holds_range(t, i, op))
			return (int)i;
	return ORACLE_NOBODY;
}

/* How often a read-write lock is held by that thread. */
static int
holds_rwlock(const struct explore_trace *t, uint32_t slot, uint32_t object)
{
	int held = 0;

	for (uint32_t i = 0; i < t->nsteps; i++) {
		const struct seam_step *step = &t->step[i];

		if (step->slot != slot || step->op.object != object)
			continue;
		if (is_acquisition(step))
			held++;
		else if (step->op.verb == SEAM_RWLOCK_UNLOCK && held &&
			 !(step->op.flags & SEAM_OP_LOCAL) && !step->result)
			held--;
	}
	return held;
}

/* Readers are not its owners; itself only if it is nobody else. */
static int
holder_of_rwlock(const struct explore_trace *t, uint32_t slot, uint32_t object)
{
	for (uint32_t i = 0; i < t->nthreads; i++)
		if (i != slot && holds_rwlock(t, i, object))
			return (int)i;
	return holds_rwlock(t, slot, object) ? (int)slot : ORACLE_NOBODY;
}

/* Who runs the initialisation. */
static int
runner_of_once(const struct explore_trace *t, uint32_t object)
{
	for (uint32_t i = 0; i < t->nsteps; i++)
		if (t->step[i].op.verb == SEAM_ONCE &&
		    t->step[i].op.object == object &&
		    !(t->step[i].op.flags & SEAM_OP_LOCAL))
			return t->step[i].slot;
	return ORACLE_NOBODY;
}

int
oracle_waits_for(const struct explore_trace *t, uint32_t slot)
{
	const struct explore_thread *th = &t->thread[slot];
	const struct seam_op *op = &th->pending;
	const struct explore_object *o;

	if (!stands(t, slot) || th->queued)
		return ORACLE_NOBODY;
	if (op->verb == SEAM_THREAD_JOIN || op->verb == SEAM_PROCESS_WAIT)
		return op->peer ? (int)op->peer - 1 : ORACLE_NOBODY;
	if (!op->object)
		return ORACLE_NOBODY;
	o = &t->object[op->object - 1];
	if (o->kind == SEAM_KIND_FILE)
		return holder_of_range(t, slot, op);
	if (o->kind == SEAM_KIND_ONCE)
		return runner_of_once(t, op->object);
	if (o->kind == SEAM_KIND_RWLOCK && !o->owner)
		return holder_of_rwlock(t, slot, op->object);
	/* A semaphore belongs to nobody, whoever took it last. */
	if (o->kind == SEAM_KIND_SEM || !o->owner)
		return ORACLE_NOBODY;
	return o->owner - 1;
}

unsigned
oracle_cycle(const struct explore_trace *t, uint32_t *slot, unsigned max)
{
	for (uint32_t from = 0; from < t->nthreads; from++) {
		int at = (int)from;
		unsigned n = 0;

		while (at >= 0 && n < max) {
			slot[n++] = (uint32_t)at;
			at = oracle_waits_for(t, (uint32_t)at);
			if (at == (int)from)
				return n;
		}
	}
	return 0;
}

bool
oracle_is_forsaken(const struct explore_trace *t, uint32_t slot)
{
	const struct explore_thread *th = &t->thread[slot];

	if (!stands(t, slot) || oracle_waits_for(t, slot) >= 0)
		return false;
	switch (th->pending.verb) {
	case SEAM_COND_REACQUIRE:
	case SEAM_SEM_WAIT:
	case SEAM_BARRIER_WAIT:
	case SEAM_FUTEX_WAIT:
	case SEAM_SIGNAL_WAIT:
		return true;
	default:
		return false;
	}
}
