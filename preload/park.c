/* SPDX-License-Identifier: MIT */
/* Standing at the gate; the protocol is described in arena.h. */
#include <string.h>

#include "core.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

uint64_t
seam_nanoseconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
ring(_Atomic uint32_t *bell, _Atomic uint32_t *waiters)
{
	atomic_fetch_add(bell, 1);
	if (atomic_load(waiters))
		seam_futex_wake(bell);
}

void
seam_bell(void)
{
	ring(&seam_arena->head.bell, &seam_arena->head.bell_waiters);
}

void
seam_door(void)
{
	ring(&seam_arena->head.door, &seam_arena->head.door_waiters);
}

bool
seam_alive(void)
{
	struct seam_head *h;

	if (!seam_arena || !seam_alive_hint())
		return false;
	h = &seam_arena->head;
	if (atomic_load(&h->porter) & FUTEX_OWNER_DIED) {
		atomic_store(&h->life, SEAM_LIFE_FREE);
		seam_futex_wake(&h->life);
		return false;
	}
	return true;
}

void
seam_doing(struct seam_thread *t, const struct seam_call *c, unsigned moment,
	   int error)
{
	struct seam_doing *d = &t->doing;

	d->verb = c->verb;
	d->fn = c->fn;
	d->moment = (uint8_t)moment;
	d->kind = seam_verbs[c->verb].kind;
	d->mode = c->mode;
	d->result = error;
	d->rule = 0;
	d->timed = c->deadline != NULL;
	d->object = c->object;
	d->peer = c->peer;
	d->addr = (uint64_t)(uintptr_t)c->ptr;
	d->site = c->site;
	d->off = c->off;
	d->len = c->len;
	d->nframes = 0;
}

/*
 * Undoes the standing, also when the thread is cancelled there.  The preload
 * is compiled without -fexceptions, so that pthread_cleanup_push registers
 * with libc instead of needing a personality routine: that would have to come
 * from the very libgcc that unwinds, which is not ours to choose.
 */
struct standing {
	struct seam_thread *thread;
	struct seam_rule *rule;
	bool released;
};

/* Nobody else writes them: no atomic addition. */
static void
change_state(struct seam_thread *t, uint32_t state)
{
	uint32_t serial =
	    atomic_load_explicit(&t->serial, memory_order_relaxed);

	atomic_store_explicit(&t->serial, serial + 1, memory_order_release);
	atomic_store_explicit(&t->state, state, memory_order_release);
}

static void
leave(void *data)
{
	struct standing *s = data;

	if (atomic_load(&s->thread->park))
		atomic_store(&s->thread->park, 0);
	if (s->rule)
		atomic_fetch_sub(&s->rule->parked, 1);
	change_state(s->thread, SEAM_THREAD_RUNNING);
	atomic_store_explicit(&seam_proc->latest,
			      seam_thread_index(s->thread) + 1,
			      memory_order_relaxed);
	seam_self.busy--;
	/* Who let it go knows; of anything else somebody may want to know. */
	if (!s->released)
		seam_bell();
}

static int
earlier(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec :
					a->tv_nsec < b->tv_nsec;
}

static struct timespec
soon(clockid_t clock, unsigned ms)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += (long)(ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	return ts;
}

/*
 * futex_waitv restarts after a signal's handler or fails with EINTR, as
 * SA_RESTART has it, like the calls that it stands for.
 */
static long
wait_restarting(struct seam_thread *t, const struct timespec *until)
{
	struct futex_waitv w = { .val = 1,
				 .uaddr = (uintptr_t)&t->park,
				 .flags = FUTEX_32 };
	long r = seam_raw5(SYS_futex_waitv, &w, 1, 0, until, CLOCK_MONOTONIC);

	if (r == -ENOSYS)
		r = seam_raw4(SYS_futex, &t->park, FUTEX_WAIT, 1, NULL);
	return r;
}

/* EINTR even under SA_RESTART, which is what sem_timedwait and sem_clockwait
 * do.  Whom no signal interrupts waits again. */
static long
wait_until(struct seam_thread *t, const struct timespec *until, clockid_t clock)
{
	int flags = clock == CLOCK_REALTIME ? FUTEX_CLOCK_REALTIME : 0;

	return seam_raw6(SYS_futex, &t->park, FUTEX_WAIT_BITSET | flags, 1,
			 until, NULL, FUTEX_BITSET_MATCH_ANY);
}

/* Until the next look, or the deadline if that is earlier (*last). */
static long
wait_once(struct seam_thread *t, const struct seam_call *c,
	  const struct timespec *deadline, bool *last)
{
	struct timespec until;

	*last = false;
	if (c->eintr && !c->deadline) {
		until = soon(CLOCK_MONOTONIC, SEAM_LOOK_MS);
		return wait_restarting(t, &until);
	}
	if (!deadline) /* the quickest way */
		return seam_futex_wait_ms(&t->park, 1, SEAM_LOOK_MS);
	until = soon(c->clock, SEAM_LOOK_MS);
	*last = earlier(deadline, &until);
	return wait_until(t, *last ? deadline : &until, c->clock);
}

static long
wait_as(struct seam_thread *t, const struct seam_call *c,
	const struct timespec *deadline, bool *last)
{
	int old;
	long r;

	if (c->cancel)
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	r = wait_once(t, c, deadline, last);
	if (c->cancel)
		pthread_setcanceltype(old, NULL);
	return r;
}

static int
stand(struct seam_thread *t, struct seam_call *c,
      const struct timespec *deadline)
{
	/* After `park`: see "Parking" in arena.h. */
	bool alive = atomic_load(&seam_arena->head.life) == SEAM_LIFE_LIVE;

	while (atomic_load(&t->park) == 1 && alive) {
		bool last;
		long r = wait_as(t, c, deadline, &last);

		if (r == -EINTR && c->eintr)
			return EINTR;
		if (last && (r == -ETIMEDOUT || r == -EINVAL))
			return ETIMEDOUT;
		/* The controller is looked for when it has been quiet, and
		 * when signals cut every wait short. */
		alive = r && r != -EAGAIN ? seam_alive() : seam_alive_hint();
	}
	return 0;
}

static void
announce(struct seam_thread *t, uint32_t rule, uint32_t state)
{
	t->doing.rule = rule;
	t->doing.since = seam_nanoseconds();
	t->parks++;
	atomic_store(&t->park, 1);
	change_state(t, state);
}

int
seam_park(struct seam_thread *t, struct seam_call *c, uint32_t rule,
	  unsigned moment, int error, const struct seam_matched *m)
{
	struct seam_rule *r = rule ? &seam_arena->rule[rule - 1] : NULL;
	struct standing s = { t, r, false };
	volatile int stopped = 0; /* libc jumps back to clean up */

	seam_self.busy++;
	if (r)
		atomic_fetch_add(&r->parked, 1);
	seam_doing(t, c, moment, error);
	if (m && m->nframes) {
		t->doing.nframes = m->nframes;
		memcpy(t->doing.frames, m->frames, sizeof(m->frames));
	}
	pthread_cleanup_push(leave, &s);
	announce(t, rule, SEAM_THREAD_PARKED);
	if (r)
		atomic_fetch_add(&r->arrived, 1);
	seam_bell();
	/* Disarmed meanwhile: nobody would let this thread go any more. */
	if (!r || atomic_load(&r->armed))
		stopped = stand(t, c, NULL);
	s.released = !stopped;
	pthread_cleanup_pop(1);
	return stopped;
}

int
seam_held(struct seam_thread *t, struct seam_call *c, uint32_t rule)
{
	struct seam_rule *r = &seam_arena->rule[rule - 1];
	struct standing s = { t, r, false };
	volatile int error = 0;

	seam_self.busy++;
	atomic_fetch_add(&r->parked, 1);
	atomic_fetch_add(&r->arrived, 1);
	seam_doing(t, c, SEAM_BLOCKED, 0);
	pthread_cleanup_push(leave, &s);
	announce(t, rule, SEAM_THREAD_HELD);
	seam_bell();
	while (!error && atomic_load(&r->armed) && seam_alive()) {
		error = stand(t, c, c->deadline);
		if (!error)
			atomic_store(&t->park, 1);
	}
	pthread_cleanup_pop(1);
	return error;
}
