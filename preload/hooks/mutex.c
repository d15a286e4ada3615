/* SPDX-License-Identifier: MIT */
/* pthread_mutex_*.  A busy robust, errorcheck or recursive mutex tells its
 * special answers (EOWNERDEAD, EDEADLK, ...) itself: they are final. */
#include <limits.h>

#include "hooks.h"

SEAM_HOOK_PLAIN(pthread_mutex_trylock, MUTEX_TRYLOCK, pthread_mutex_t)
SEAM_HOOK_PLAIN(pthread_mutex_unlock, MUTEX_UNLOCK, pthread_mutex_t)
SEAM_HOOK_PLAIN(pthread_mutex_consistent, MUTEX_CONSISTENT, pthread_mutex_t)
SEAM_HOOK_PLAIN(pthread_mutex_destroy, MUTEX_DESTROY, pthread_mutex_t)

static int
real_init(struct seam_call *c)
{
	return seam_real.pthread_mutex_init(c->ptr, seam_ptr(c->arg[0]));
}

SEAM_EXPORT int
pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
	if (SEAM_PASS(MUTEX_INIT, m))
		return seam_real.pthread_mutex_init(m, attr);
	struct seam_call c = SEAM_CALL(pthread_mutex_init, MUTEX_INIT, m);
	c.arg[0] = seam_word(attr);
	c.real = real_init;
	return seam_gate_call(&c);
}

SEAM_REAL(pthread_mutex_lock, seam_same)

/* glibc's, see PTHREAD_MUTEX_NOTRECOVERABLE there. */
#define LOST (INT_MAX - 1)

/* Its trylock does not let go again of a mutex that it finds lost; lock does,
 * and does not wait for it either. */
static int
try_lock(struct seam_call *c)
{
	const pthread_mutex_t *m = c->ptr;

	if (m->__data.__owner == LOST)
		return c->real(c);
	return real_pthread_mutex_trylock(c);
}

SEAM_EXPORT int
pthread_mutex_lock(pthread_mutex_t *m)
{
	if (SEAM_PASS(MUTEX_LOCK, m))
		return seam_real.pthread_mutex_lock(m);
	if (SEAM_RECORDS())
		return SEAM_RECORDED(pthread_mutex_lock, MUTEX_LOCK, m,
				     seam_real.pthread_mutex_lock(m));
	struct seam_call c = SEAM_CALL(pthread_mutex_lock, MUTEX_LOCK, m);
	c.try = try_lock;
	c.real = real_pthread_mutex_lock;
	return seam_gate_call(&c);
}

static int
real_timedlock(struct seam_call *c)
{
	return seam_real.pthread_mutex_timedlock(c->ptr, c->deadline);
}

SEAM_EXPORT int
pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *abstime)
{
	if (SEAM_PASS(MUTEX_LOCK, m))
		return seam_real.pthread_mutex_timedlock(m, abstime);
	struct seam_call c = SEAM_CALL(pthread_mutex_timedlock, MUTEX_LOCK, m);
	c.clock = CLOCK_REALTIME;
	c.deadline = abstime;
	c.try = try_lock;
	c.real = real_timedlock;
	return seam_gate_call(&c);
}

static int
real_clocklock(struct seam_call *c)
{
	return seam_real.pthread_mutex_clocklock(c->ptr, c->clock, c->deadline);
}

SEAM_EXPORT int
pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock,
			const struct timespec *abstime)
{
	if (SEAM_PASS(MUTEX_LOCK, m))
		return seam_real.pthread_mutex_clocklock(m, clock, abstime);
	struct seam_call c = SEAM_CALL(pthread_mutex_clocklock, MUTEX_LOCK, m);
	c.clock = clock;
	c.deadline = abstime;
	if (seam_clock_valid(clock))
		c.try = try_lock;
	c.real = real_clocklock;
	return seam_gate_call(&c);
}
