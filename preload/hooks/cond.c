/* SPDX-License-Identifier: MIT */
/*
 * pthread_cond_*.  libc takes the mutex again inside the wait, where nobody
 * sees it: so a wait is followed by a second event, cond.reacquire, at which
 * the gate may let the mutex go and take it again.
 */
#include "hooks.h"

SEAM_HOOK_PLAIN(pthread_cond_signal, COND_SIGNAL, pthread_cond_t)
SEAM_HOOK_PLAIN(pthread_cond_broadcast, COND_BROADCAST, pthread_cond_t)
SEAM_HOOK_PLAIN(pthread_cond_destroy, COND_DESTROY, pthread_cond_t)

static int
real_init(struct seam_call *c)
{
	return seam_real.pthread_cond_init(c->ptr, seam_ptr(c->arg[0]));
}

SEAM_EXPORT int
pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr)
{
	if (SEAM_PASS(COND_INIT, cond))
		return seam_real.pthread_cond_init(cond, attr);
	struct seam_call c = SEAM_CALL(pthread_cond_init, COND_INIT, cond);
	c.arg[0] = seam_word(attr);
	c.real = real_init;
	return seam_gate_call(&c);
}

/* A cancellation unwinds from within c->real, with the mutex held as POSIX
 * wants it: no frame of ours has anything to clean up. */
int
seam_wait(struct seam_call *c, void *mutex,
	  const struct seam_mutex_functions *f)
{
	c->cancel = true;
	c->arg[0] = seam_word(mutex);
	if (seam_is_scheduled())
		return seam_sched_wait(c, mutex, f->try, f->unlock);
	int result = seam_gate_call(c);
	if (result != 0 && result != ETIMEDOUT)
		return result;

	struct seam_call again = {
		.fn = c->fn,
		.verb = SEAM_COND_REACQUIRE,
		.ptr = mutex,
		.site = c->site,
		.busy = EBUSY,
		.try = f->try,
		.real = f->lock,
	};
	int error = seam_gate_reacquire(&again, f->unlock);
	return error != 0 ? error : result;
}

SEAM_REAL(pthread_mutex_trylock, seam_same)
SEAM_REAL(pthread_mutex_lock, seam_same)
SEAM_REAL(pthread_mutex_unlock, seam_same)

static const struct seam_mutex_functions functions = {
	real_pthread_mutex_trylock,
	real_pthread_mutex_lock,
	real_pthread_mutex_unlock,
};

static int
real_wait(struct seam_call *c)
{
	return seam_real.pthread_cond_wait(c->ptr, seam_ptr(c->arg[0]));
}

SEAM_EXPORT int
pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *m)
{
	if (SEAM_PASS_WAIT(cond, m))
		return seam_real.pthread_cond_wait(cond, m);
	struct seam_call c = SEAM_CALL(pthread_cond_wait, COND_WAIT, cond);
	c.real = real_wait;
	return seam_wait(&c, m, &functions);
}

static int
real_timedwait(struct seam_call *c)
{
	return seam_real.pthread_cond_timedwait(c->ptr, seam_ptr(c->arg[0]),
						c->deadline);
}

/* The clock is the condition's own attribute; ours is for display.  What is
 * refused for its time never waits, so the gate is not asked. */
SEAM_EXPORT int
pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *m,
		       const struct timespec *abstime)
{
	if (SEAM_PASS_WAIT(cond, m) ||
	    !seam_time_valid(CLOCK_REALTIME, abstime))
		return seam_real.pthread_cond_timedwait(cond, m, abstime);
	struct seam_call c = SEAM_CALL(pthread_cond_timedwait, COND_WAIT, cond);
	c.clock = CLOCK_REALTIME;
	c.deadline = abstime;
	c.real = real_timedwait;
	return seam_wait(&c, m, &functions);
}

static int
real_clockwait(struct seam_call *c)
{
	return seam_real.pthread_cond_clockwait(c->ptr, seam_ptr(c->arg[0]),
						c->clock, c->deadline);
}

SEAM_EXPORT int
pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *m,
		       clockid_t clock, const struct timespec *abstime)
{
	if (SEAM_PASS_WAIT(cond, m) || !seam_time_valid(clock, abstime))
		return seam_real.pthread_cond_clockwait(cond, m, clock,
							abstime);
	struct seam_call c = SEAM_CALL(pthread_cond_clockwait, COND_WAIT, cond);
	c.clock = clock;
	c.deadline = abstime;
	c.real = real_clockwait;
	return seam_wait(&c, m, &functions);
}
