/* SPDX-License-Identifier: MIT */
/*
 * What an operation must not be done to.  Told from the real object where it
 * knows (a mutex's kind and owner), else from what the run has seen of it.
 */
#include <limits.h>
#include <string.h>

#include "sched.h"

#define KIND_ERRORCHECK 2
#define KIND_ROBUST 16

/* pthread_mutex_destroy leaves this kind behind (glibc). */
static bool
mutex_destroyed(const pthread_mutex_t *m)
{
	return m->__data.__kind == -1;
}

/* A child of fork has locks that its parent's threads took. */
static bool
has_thread(int32_t tid)
{
	const struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();

	for (i = 0; i < n; i++)
		if (s->slot[i].proc == seam_proc_index() &&
		    seam_arena->thread[s->slot[i].thread].tid == tid)
			return true;
	return false;
}

static unsigned
mutex_unlock(const struct seam_slot *slot, const pthread_mutex_t *m)
{
	int32_t tid = seam_arena->thread[slot->thread].tid;

	if (!m->__data.__lock)
		return SEAM_MISUSE_NOT_LOCKED;
	if (m->__data.__owner && m->__data.__owner != tid &&
	    has_thread(m->__data.__owner))
		return SEAM_MISUSE_NOT_OWNER;
	return SEAM_MISUSE_NONE;
}

static unsigned
mutex_lock(const struct seam_slot *slot, const pthread_mutex_t *m)
{
	int32_t tid = seam_arena->thread[slot->thread].tid;

	if ((m->__data.__kind & 3) == KIND_ERRORCHECK &&
	    m->__data.__owner == tid && m->__data.__lock)
		return SEAM_MISUSE_RELOCK;
	return SEAM_MISUSE_NONE;
}

static unsigned
of_mutex(const struct seam_slot *slot, const struct seam_call *c)
{
	const pthread_mutex_t *m = c->ptr;

	if (c->verb == SEAM_MUTEX_INIT)
		return SEAM_MISUSE_NONE;
	if (mutex_destroyed(m))
		return SEAM_MISUSE_DESTROYED;
	switch (c->verb) {
	case SEAM_MUTEX_UNLOCK:
		return mutex_unlock(slot, m);
	case SEAM_MUTEX_LOCK:
		return mutex_lock(slot, m);
	case SEAM_MUTEX_DESTROY:
		return m->__data.__lock ? SEAM_MISUSE_DESTROY_HELD :
					  SEAM_MISUSE_NONE;
	default:
		return SEAM_MISUSE_NONE;
	}
}

/*
 * What is destroyed may come to life again without a call, by a static
 * initialiser or a C++ constructor: so its destruction is not told by what was
 * seen, but by a mark that is left in it, as libc does in a mutex.  Only runs
 * that end at misuse leave it.
 */
#define MARK UINT64_C(0xdead5ea3dead5ea3)

static bool
is_marked(const void *object)
{
	uint64_t word;

	memcpy(&word, object, sizeof(word));
	return word == MARK;
}

void
seam_misuse_mark(const struct seam_call *c)
{
	const uint64_t mark = MARK;

	if ((seam_sched()->plan.flags & SEAM_PLAN_MISUSE) &&
	    (c->verb == SEAM_COND_DESTROY || c->verb == SEAM_RWLOCK_DESTROY))
		memcpy(c->ptr, &mark, sizeof(mark));
}

static unsigned
of_rwlock(const struct seam_call *c)
{
	const pthread_rwlock_t *l = c->ptr;
	unsigned readers = l->__data.__readers;
	bool locked = readers >> 3 || (readers & 2);

	if (c->verb == SEAM_RWLOCK_INIT)
		return SEAM_MISUSE_NONE;
	if (is_marked(l))
		return SEAM_MISUSE_DESTROYED;
	if (c->verb == SEAM_RWLOCK_DESTROY && locked)
		return SEAM_MISUSE_DESTROY_HELD;
	if (c->verb == SEAM_RWLOCK_UNLOCK && !locked)
		return SEAM_MISUSE_NOT_LOCKED;
	return SEAM_MISUSE_NONE;
}

static bool
awaited(const struct seam_slot *slot, uint32_t object)
{
	struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();

	for (i = 0; i < n; i++)
		if (&s->slot[i] != slot &&
		    s->slot[i].state == SEAM_SLOT_PENDING && object &&
		    s->slot[i].op.object == object &&
		    !seam_is_ready(&s->slot[i]))
			return true;
	return false;
}

static unsigned
of_sem(const struct seam_slot *slot, const struct seam_call *c,
       const struct seam_sobject *o)
{
	if (c->verb == SEAM_SEM_INIT || c->verb == SEAM_SEM_OPEN ||
	    c->verb == SEAM_SEM_UNLINK)
		return SEAM_MISUSE_NONE;
	if (o->dead)
		return SEAM_MISUSE_DESTROYED;
	if (c->verb == SEAM_SEM_DESTROY && awaited(slot, slot->op.object))
		return SEAM_MISUSE_DESTROY_AWAITED;
	if (c->verb == SEAM_SEM_POST &&
	    *(const volatile uint32_t *)c->ptr >= SEM_VALUE_MAX)
		return SEAM_MISUSE_OVERFLOW;
	return SEAM_MISUSE_NONE;
}

static unsigned
of_cond(const struct seam_slot *slot, const struct seam_call *c,
	const struct seam_sobject *o)
{
	const struct seam_sobject *mutex;

	if (c->verb == SEAM_COND_INIT)
		return SEAM_MISUSE_NONE;
	if (is_marked(c->ptr))
		return SEAM_MISUSE_DESTROYED;
	if (c->verb == SEAM_COND_DESTROY && o->waiters)
		return SEAM_MISUSE_DESTROY_AWAITED;
	if (c->verb != SEAM_COND_WAIT ||
	    !(mutex = seam_sobject_at(slot->op.second)))
		return SEAM_MISUSE_NONE;
	return mutex->owner != seam_slot_index(slot) + 1 && mutex->acquired ?
		   SEAM_MISUSE_WAIT_NOT_OWNER :
		   SEAM_MISUSE_NONE;
}

unsigned
seam_misuse_of(const struct seam_slot *slot, const struct seam_call *c)
{
	const struct seam_sobject *o = seam_sobject_at(slot->op.object);

	if (!o || !c->ptr)
		return SEAM_MISUSE_NONE;
	switch (o->kind) {
	case SEAM_KIND_MUTEX:
		return of_mutex(slot, c);
	case SEAM_KIND_RWLOCK:
		return of_rwlock(c);
	case SEAM_KIND_SEM:
		return of_sem(slot, c, o);
	case SEAM_KIND_COND:
		return of_cond(slot, c, o);
	case SEAM_KIND_BARRIER:
		if (c->verb == SEAM_BARRIER_DESTROY && o->waiters)
			return SEAM_MISUSE_DESTROY_AWAITED;
		return o->dead && c->verb != SEAM_BARRIER_INIT ?
			   SEAM_MISUSE_DESTROYED :
			   SEAM_MISUSE_NONE;
	default:
		return SEAM_MISUSE_NONE;
	}
}
