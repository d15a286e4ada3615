/* SPDX-License-Identifier: MIT */
/*
 * Doing operations, one at a time.  A call that would wait in the kernel is
 * made in its form that does not; when that finds the object busy, nothing
 * has happened and the thread stands again.
 */
#include <string.h>

#include "sched.h"

static uint8_t
class_of(const struct seam_call *c)
{
	if (c->fn == SEAM_FN_pthread_tryjoin_np)
		return SEAM_CLASS_NOTE;
	return seam_verbs[c->verb].class;
}

static bool
may_time_out(const struct seam_call *c)
{
	uint8_t class = class_of(c);

	return c->deadline && c->verb != SEAM_COND_WAIT &&
	       (class == SEAM_CLASS_ACQUIRE || class == SEAM_CLASS_WAIT);
}

static uint16_t
slot_of_thread(uint32_t thread)
{
	return thread ? (uint16_t)seam_arena->thread[thread - 1].slot : 0;
}

void
seam_describe(struct seam_slot *slot, struct seam_call *c)
{
	struct seam_op *op = &slot->op;

	memset(op, 0, sizeof(*op));
	op->verb = (uint8_t)c->verb;
	op->fn = c->fn;
	op->mode = c->mode;
	slot->site = c->site;
	slot->cancellable = c->cancel;
	slot->interruptible = c->eintr;
	slot->signals &= ~SEAM_SIGNAL_INTERRUPTED;
	slot->blocker = 0;
	if (class_of(c) != SEAM_CLASS_INIT)
		op->object = seam_sobject_find(slot, c);
	if (seam_verbs[c->verb].kind == SEAM_KIND_FILE) {
		op->off = c->off;
		op->len = c->len;
	}
	if (c->verb == SEAM_RWLOCK_UNLOCK && op->object)
		op->mode = seam_sobject_at(op->object)->owner ? 'w' : 'r';
	op->peer = slot_of_thread(c->peer);
	if (c->ready)
		op->flags |= SEAM_OP_OUTSIDE;
	if (c->verb == SEAM_TIME_YIELD || c->verb == SEAM_TIME_SLEEP)
		op->flags |= SEAM_OP_YIELD;
	if (may_time_out(c)) {
		op->flags |= SEAM_OP_TIMED;
		slot->deadline = seam_virtual_deadline(c->clock, c->deadline);
	}
}

static bool
is_mutex(const struct seam_call *c)
{
	return seam_verbs[c->verb].kind == SEAM_KIND_MUTEX;
}

static void
owned(struct seam_sobject *o, const struct seam_slot *slot,
      const struct seam_call *c)
{
	o->acquired++;
	if (o->kind == SEAM_KIND_RWLOCK && c->mode == 'r') {
		o->depth++;
		return;
	}
	if (o->kind != SEAM_KIND_SEM && o->kind != SEAM_KIND_FILE)
		o->owner = (uint16_t)(seam_slot_index(slot) + 1);
}

static void
let_go(struct seam_sobject *o, const struct seam_slot *slot,
       const struct seam_call *c)
{
	const pthread_mutex_t *m = c->ptr;

	o->version++;
	if (o->kind == SEAM_KIND_RWLOCK && !o->owner) {
		if (o->depth)
			o->depth--;
		return;
	}
	/* A recursive one may still be held. */
	if (is_mutex(c) &&
	    m->__data.__owner == seam_arena->thread[slot->thread].tid)
		return;
	o->owner = 0;
}

void
seam_effect(struct seam_slot *slot, struct seam_call *c, int error)
{
	struct seam_sobject *o = seam_sobject_at(slot->op.object);

	if (slot->op.peer && !error && c->verb == SEAM_THREAD_CANCEL)
		seam_sched()->slot[slot->op.peer - 1].signals |=
		    SEAM_SIGNAL_CANCEL;
	if (slot->op.peer && !error && c->verb == SEAM_THREAD_DETACH)
		seam_sched()->slot[slot->op.peer - 1].detached = 1;
	if (c->verb == SEAM_SIGNAL_SEND && !error) {
		seam_signals_sent(slot, c);
		seam_wait_for_killed(c);
	}
	if (!o || (error && error != EOWNERDEAD))
		return;
	switch (class_of(c)) {
	case SEAM_CLASS_ACQUIRE:
	case SEAM_CLASS_TRY:
		owned(o, slot, c);
		break;
	case SEAM_CLASS_RELEASE:
		let_go(o, slot, c);
		break;
	case SEAM_CLASS_SIGNAL:
		o->version++;
		if (o->kind == SEAM_KIND_COND)
			seam_queue_wake(o, c->verb == SEAM_COND_SIGNAL ?
					       1 :
					       UINT32_MAX);
		break;
	case SEAM_CLASS_INIT:
		o->owner = o->depth = 0;
		o->dead = 0;
		o->version++;
		break;
	case SEAM_CLASS_DESTROY:
		o->dead = c->verb != SEAM_SEM_CLOSE;
		seam_misuse_mark(c);
		o->version++;
		break;
	default:
		break;
	}
}

/* Cleanup handlers and destructors run as the program's own code. */
void
seam_cancel_here(struct seam_slot *slot)
{
	unsigned busy = seam_self.busy;

	if (!(slot->signals & SEAM_SIGNAL_CANCEL))
		return;
	slot->signals &= ~SEAM_SIGNAL_CANCEL;
	seam_self.busy = 0;
	pthread_testcancel();
	seam_self.busy = busy;
}

void
seam_misuse_stops(struct seam_slot *slot, const struct seam_call *c)
{
	struct seam_sched *s = seam_sched();
	unsigned misuse;

	if (!(s->plan.flags & SEAM_PLAN_MISUSE) ||
	    !(misuse = seam_misuse_of(slot, c)))
		return;
	s->misuse = misuse;
	seam_step_done(slot, 0);
	seam_run_end(SEAM_VERDICT_MISUSE, slot, "%s", "");
}

/* The routine is the program's, and makes steps of its own: so this is one
 * before it, and its end is news for those who wait. */
static int
once(struct seam_slot *slot, struct seam_call *c)
{
	struct seam_sobject *o;
	uint32_t object = slot->op.object;
	int error;

	seam_step_done(slot, 0);
	seam_self.busy--;
	error = c->real(c);
	seam_self.busy++;
	if ((o = seam_sobject_at(object)))
		o->version++;
	return error;
}

static unsigned
barrier_count(const struct seam_call *c)
{
	return ((const unsigned *)c->ptr)[2]; /* struct pthread_barrier */
}

/* The last to arrive lets the others go; each of these makes a second step
 * when it leaves. */
static int
barrier(struct seam_slot *slot, struct seam_call *c)
{
	struct seam_sobject *o = seam_sobject_at(slot->op.object);

	if (o->waiters + 1u >= barrier_count(c)) {
		o->version++;
		seam_queue_wake(o, UINT32_MAX);
		c->value = PTHREAD_BARRIER_SERIAL_THREAD;
		seam_step_done(slot, 0);
		return 0;
	}
	seam_queue_join(o, slot);
	seam_step_done(slot, 0);
	slot->op.mode = 'l';
	slot->op.flags = 0;
	seam_stand(slot, NULL);
	c->value = 0;
	seam_step_done(slot, 0);
	return 0;
}

/* Who would have to wait until then is told so; it is no time that comes. */
static bool
is_no_time(const struct timespec *t)
{
	return t && (t->tv_nsec < 0 || t->tv_nsec >= 1000000000);
}

static int
timed_out(struct seam_slot *slot, const struct seam_call *c)
{
	slot->op.flags |= SEAM_OP_YIELD;
	if (is_no_time(c->deadline))
		return EINVAL;
	seam_time_reaches(slot->deadline);
	return c->verb == SEAM_TIME_SLEEP ? 0 : c->timeout_error;
}

/* Itself, or one that is detached: an error, but a try may say busy. */
static bool
joins_wrongly(const struct seam_slot *slot, const struct seam_call *c)
{
	return c->verb == SEAM_THREAD_JOIN && slot->op.peer &&
	       (slot->op.peer == seam_slot_index(slot) + 1u ||
		seam_sched()->slot[slot->op.peer - 1].detached);
}

/* The call itself; SEAM_AGAIN: it would wait. */
#define SEAM_AGAIN (-1)
static int
attempt(struct seam_slot *slot, struct seam_call *c)
{
	int error;

	if (c->verb == SEAM_TIME_SLEEP)
		return seam_sched()->now < slot->deadline ? SEAM_AGAIN : 0;
	if (c->ready && !c->ready(c))
		return SEAM_AGAIN;
	if (seam_signals_in_call(slot, c))
		return seam_signals_call(slot, c);
	if (!c->try || joins_wrongly(slot, c))
		return c->real(c);
	error = c->try(c);
	if (error != c->busy)
		return error;
	if (seam_is_own(c, seam_arena->thread[slot->thread].tid))
		return c->real(c);
	if ((c->verb == SEAM_FCNTL_SETLKW || c->verb == SEAM_LOCKF_LOCK) &&
	    seam_range_deadlock(seam_range_blocker(c))) {
		errno = EDEADLK;
		return EDEADLK;
	}
	return SEAM_AGAIN;
}

/* To take a flock in another mode is to let the first one go, then to wait
 * (flock(2)): whoever waits for that may go on, so it is a step, that a
 * replay has to make, too.  It happens but once. */
static void
convert(struct seam_slot *slot, bool *converted)
{
	struct seam_sobject *o = seam_sobject_at(slot->op.object);

	if (slot->op.verb != SEAM_FLOCK_LOCK || *converted || !o)
		return;
	*converted = true;
	o->version++;
	seam_step_done(slot, EWOULDBLOCK);
}

/* What a semaphore has, for those who ask what else could have come first. */
static void
note_count(struct seam_slot *slot, const struct seam_call *c)
{
	switch (c->verb) {
	case SEAM_SEM_WAIT:
	case SEAM_SEM_TRYWAIT:
	case SEAM_SEM_POST:
		slot->op.off = *(const volatile uint32_t *)c->ptr + UINT64_C(1);
		break;
	default:
		break;
	}
}

static int
perform(struct seam_slot *slot, struct seam_call *c, unsigned how)
{
	int error, saved = errno;
	bool converted = false;

	for (;;) {
		note_count(slot, c);
		if (how == SEAM_HOW_TIMEOUT)
			return timed_out(slot, c);
		if (c->cancel)
			seam_cancel_here(slot);
		if (c->eintr && (slot->signals & SEAM_SIGNAL_INTERRUPTED)) {
			slot->signals &= ~SEAM_SIGNAL_INTERRUPTED;
			return EINTR;
		}
		/* What was sent to it alone, it alone can see. */
		slot->signals &= ~SEAM_SIGNAL_SENT;
		errno = saved;
		if ((error = attempt(slot, c)) != SEAM_AGAIN)
			return error;
		convert(slot, &converted);
		how = seam_stand_busy(slot, c);
	}
}

static void
finish(struct seam_slot *slot, struct seam_call *c, int error)
{
	uint8_t class = class_of(c);

	if (class == SEAM_CLASS_INIT && !error) {
		seam_object_renew(c);
		slot->op.object = seam_sobject_find(slot, c);
	}
	seam_effect(slot, c, error);
	if (class == SEAM_CLASS_TRY && error == c->busy)
		slot->op.flags |= SEAM_OP_YIELD;
	if (!c->stepped)
		seam_step_done(slot, error);
	if (class == SEAM_CLASS_RELEASE || class == SEAM_CLASS_SIGNAL)
		seam_stand_after(slot, c);
}

/* A signal that comes before it waits does not end the waiting. */
static void
enter(struct seam_slot *slot, struct seam_call *c)
{
	seam_describe(slot, c);
	slot->op.flags = SEAM_OP_LOCAL;
	seam_stand(slot, c);
	seam_step_done(slot, 0);
}

int
seam_sched_call(struct seam_call *c)
{
	struct seam_slot *slot = seam_slot_self();
	int error, saved;
	unsigned how;

	if (!slot)
		return c->real(c);
	/* Closing what was never locked is not news. */
	if (c->verb == SEAM_FILE_CLOSE && c->fd >= 0 && !seam_file_find(c))
		return c->real(c);
	seam_sched_enter(slot);
	if (c->fn == SEAM_FN_pause)
		enter(slot, c);
	seam_describe(slot, c);
	how = seam_stand(slot, c);
	seam_misuse_stops(slot, c);
	if (c->verb == SEAM_ONCE) {
		error = once(slot, c);
	} else if (c->verb == SEAM_BARRIER_WAIT && slot->op.object) {
		error = barrier(slot, c);
	} else {
		error = perform(slot, c, how);
		saved = errno;
		finish(slot, c, error);
		errno = saved;
	}
	seam_sched_exit(slot);
	return error;
}

/* Its process or another may come into being meanwhile, and must run. */
static bool
goes_outside(const struct seam_call *c)
{
	return c->verb == SEAM_PROCESS_SPAWN || c->fn == SEAM_FN_pclose;
}

int
seam_sched_before(struct seam_call *c)
{
	struct seam_slot *slot = seam_slot_self();

	if (!slot)
		return 0;
	if (c->verb == SEAM_THREAD_CREATE)
		seam_sched_serve(SEAM_SERVER_LATE);
	seam_sched_enter(slot);
	seam_describe(slot, c);
	seam_stand(slot, c);
	/* The new thread begins with all signals blocked. */
	if (c->verb == SEAM_THREAD_CREATE)
		seam_signals_keep(slot);
	if (goes_outside(c)) {
		seam_step_done(slot, 0);
		seam_leave(slot);
	}
	seam_sched_exit(slot);
	return 0;
}

void
seam_sched_after(struct seam_call *c, int error)
{
	struct seam_slot *slot = seam_self.slot; /* it may be outside */

	if (!slot)
		return;
	seam_sched_enter(slot);
	if (goes_outside(c)) {
		seam_return(slot);
		seam_step_done(slot, error);
	} else {
		slot->op.peer = slot_of_thread(c->peer);
		/* pthread_create: whether it is detached. */
		if (slot->op.peer && c->verb == SEAM_THREAD_CREATE)
			seam_sched()->slot[slot->op.peer - 1].detached =
			    c->arg[1] != 0;
		seam_step_done(slot, error);
		if (c->verb == SEAM_THREAD_CREATE ||
		    c->verb == SEAM_PROCESS_FORK)
			seam_stand_after(slot, c);
	}
	seam_signals_settle(slot);
	seam_sched_exit(slot);
}
