/* SPDX-License-Identifier: MIT */
/*
 * Waiting on a condition, and on a futex word.  Nobody waits in the kernel:
 * a waiter is in the object's queue, in the arena, and is let go by whoever
 * signals.  A condition's wait is two steps: the mutex is let go and the
 * queue is entered; later the mutex is taken again, once a signal has come.
 * A timeout is a step of its own in between, which leaves the queue.
 */
#include <linux/futex.h>
#include <string.h>

#include "sched.h"

static void
retake(struct seam_slot *slot, const struct seam_call *c, uint32_t mutex,
       uint32_t cond)
{
	memset(&slot->op, 0, sizeof(slot->op));
	slot->op.verb = SEAM_COND_REACQUIRE;
	slot->op.fn = c->fn;
	slot->op.object = mutex;
	slot->op.second = cond;
	slot->site = c->site;
	slot->cancellable = true;
	slot->interruptible = false;
}

/* The clock is the condition's own attribute (glibc: bit 1 of __wrefs). */
static clockid_t
clock_of(const struct seam_call *c)
{
	const pthread_cond_t *cond = c->ptr;

	if (c->fn != SEAM_FN_pthread_cond_timedwait)
		return c->clock;
	return cond->__data.__wrefs & 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

/* Out of the queue without a signal: its time is over, or it is cancelled.
 * The mutex is still to be had. */
static void
give_up(struct seam_slot *slot, struct seam_sobject *cond, unsigned how)
{
	seam_queue_leave(cond, slot);
	if (how == SEAM_HOW_TIMEOUT)
		seam_time_reaches(slot->deadline);
	slot->op.flags = SEAM_OP_YIELD;
	seam_step_done(slot, how == SEAM_HOW_TIMEOUT ? ETIMEDOUT : EINTR);
	slot->op.flags = SEAM_OP_RELOCKS;
}

static int
have_mutex_again(struct seam_slot *slot, struct seam_call *m,
		 struct seam_sobject *cond, int *result)
{
	unsigned how = seam_stand(slot, m);
	int error;

	for (;;) {
		if (slot->queued) {
			*result = how == SEAM_HOW_TIMEOUT ? ETIMEDOUT : 0;
			give_up(slot, cond, how);
			how = seam_stand(slot, m);
			continue;
		}
		if ((error = m->try(m)) != m->busy)
			return error;
		how = seam_stand_busy(slot, m);
	}
}

/* Says that the mutex is free: what misuse.c and the tables go by. */
static void
freed(uint32_t mutex)
{
	struct seam_sobject *o = seam_sobject_at(mutex);

	if (o) {
		o->version++;
		o->owner = 0;
	}
}

int
seam_sched_wait(struct seam_call *c, void *mutex,
		int (*try)(struct seam_call *),
		int (*unlock)(struct seam_call *))
{
	struct seam_slot *slot = seam_slot_self();
	struct seam_call m = seam_call_of(c->fn, SEAM_COND_REACQUIRE,
					  (uint64_t)(uintptr_t)mutex, c->site);
	struct seam_sobject *cond;
	uint32_t object, second;
	int error, result = 0;

	m.try = try;
	m.arg[0] = (uint64_t)(uintptr_t)mutex;
	if (slot == NULL)
		return c->real(c);
	seam_sched_enter(slot);
	seam_describe(slot, c);
	object = slot->op.object;
	second = slot->op.second = seam_sobject_find(slot, &m);
	seam_stand(slot, c);
	seam_misuse_stops(slot, c);
	cond = seam_sobject_at(object);
	error = cond ? unlock(&m) : EINVAL;
	if (!error) {
		freed(second);
		seam_queue_join(cond, slot);
	}
	seam_step_done(slot, error);
	if (!error) {
		retake(slot, c, second, object);
		if (c->deadline) {
			slot->op.flags = SEAM_OP_TIMED;
			slot->deadline =
			    seam_virtual_deadline(clock_of(c), c->deadline);
		}
		error = have_mutex_again(slot, &m, cond, &result);
		seam_effect(slot, &m, error);
		seam_step_done(slot, error);
		seam_cancel_here(slot);
	}
	seam_sched_exit(slot);
	return error ? error : result;
}

/* futex */

static uint64_t
futex_deadline(const long *a)
{
	const struct timespec *t = (const void *)a[3];
	long command = a[1] & FUTEX_CMD_MASK;

	if (command == FUTEX_WAIT)
		return seam_sched()->now + (uint64_t)t->tv_sec * 1000000000u +
		       (uint64_t)t->tv_nsec;
	return seam_virtual_deadline(
	    a[1] & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, t);
}

/* Waits while the word has the value; 0, EAGAIN, ETIMEDOUT or EINTR. */
static int
futex_wait(struct seam_slot *slot, struct seam_call *c, const long *a)
{
	struct seam_sobject *o = seam_sobject_at(slot->op.object);
	unsigned how;

	c->value = -1;
	if (!o || *(volatile uint32_t *)a[0] != (uint32_t)a[2]) {
		slot->op.flags |= SEAM_OP_YIELD;
		seam_step_done(slot, EAGAIN);
		return EAGAIN;
	}
	seam_queue_join(o, slot);
	seam_step_done(slot, 0);
	slot->op.mode = 'l';
	slot->op.flags = 0;
	if (a[3]) {
		slot->op.flags = SEAM_OP_TIMED;
		slot->deadline = futex_deadline(a);
	}
	how = seam_stand(slot, NULL);
	if (slot->queued) {
		seam_queue_leave(o, slot);
		seam_time_reaches(slot->deadline);
		slot->op.flags |= SEAM_OP_YIELD;
		how = SEAM_HOW_TIMEOUT;
	}
	c->value = how == SEAM_HOW_TIMEOUT ? -1 : 0;
	seam_step_done(slot, how == SEAM_HOW_TIMEOUT ? ETIMEDOUT : 0);
	return how == SEAM_HOW_TIMEOUT ? ETIMEDOUT : 0;
}

static int
futex_wake(struct seam_slot *slot, struct seam_call *c, const long *a)
{
	struct seam_sobject *o = seam_sobject_at(slot->op.object);
	unsigned n = 0;
	int error = c->real(c);

	if (!error && o) {
		o->version++;
		n = seam_queue_wake(o, (unsigned)a[2]);
		c->value += (int)n;
	}
	seam_step_done(slot, error);
	seam_stand_after(slot, c);
	return error;
}

int
seam_sched_futex(struct seam_call *c, const long *a)
{
	struct seam_slot *slot = seam_slot_self();
	long command = a[1] & FUTEX_CMD_MASK;
	int error, saved = errno;

	if (!slot)
		return c->real(c);
	seam_sched_enter(slot);
	seam_describe(slot, c);
	slot->op.flags = 0;
	if (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) {
		seam_stand(slot, c);
		error = futex_wait(slot, c, a);
	} else if (c->verb == SEAM_FUTEX_WAKE) {
		seam_stand(slot, c);
		error = futex_wake(slot, c, a);
	} else {
		/* Priority inheritance: the kernel's business. */
		seam_stand(slot, c);
		seam_step_done(slot, 0);
		seam_leave(slot);
		error = c->real(c);
		saved = errno;
		seam_return(slot);
		seam_step_done(slot, error);
	}
	seam_sched_exit(slot);
	errno = error ? error : saved;
	return error;
}
