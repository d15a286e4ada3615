/* SPDX-License-Identifier: MIT */
/* pthread_rwlock_*.  The reading and the writing half differ in a letter. */
#include "hooks.h"

SEAM_HOOK_PLAIN(pthread_rwlock_unlock, RWLOCK_UNLOCK, pthread_rwlock_t)
SEAM_HOOK_PLAIN(pthread_rwlock_destroy, RWLOCK_DESTROY, pthread_rwlock_t)

static int
real_init(struct seam_call *c)
{
	return seam_real.pthread_rwlock_init(c->ptr, seam_ptr(c->arg[0]));
}

SEAM_EXPORT int
pthread_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *attr)
{
	if (SEAM_PASS(RWLOCK_INIT, l))
		return seam_real.pthread_rwlock_init(l, attr);
	struct seam_call c = SEAM_CALL(pthread_rwlock_init, RWLOCK_INIT, l);
	c.arg[0] = seam_word(attr);
	c.real = real_init;
	return seam_gate_call(&c);
}

/* pthread_rwlock_tryrdlock, pthread_rwlock_trywrlock */
#define RWLOCK_TRY_HOOK(function, op, letter)                                  \
	SEAM_REAL(function, seam_same)                                         \
	SEAM_EXPORT int function(pthread_rwlock_t *l)                          \
	{                                                                      \
		if (SEAM_PASS(op, l))                                          \
			return seam_real.function(l);                          \
		struct seam_call c = SEAM_CALL(function, op, l);               \
		c.mode = letter;                                               \
		c.real = real_##function;                                      \
		return seam_gate_call(&c);                                     \
	}

/* pthread_rwlock_rdlock, pthread_rwlock_wrlock */
#define RWLOCK_HOOK(function, trial, op, letter)                               \
	SEAM_REAL(function, seam_same)                                         \
	SEAM_EXPORT int function(pthread_rwlock_t *l)                          \
	{                                                                      \
		if (SEAM_PASS(op, l))                                          \
			return seam_real.function(l);                          \
		struct seam_call c = SEAM_CALL(function, op, l);               \
		c.mode = letter;                                               \
		c.try = real_##trial;                                          \
		c.real = real_##function;                                      \
		return seam_gate_call(&c);                                     \
	}

/* pthread_rwlock_timedrdlock, pthread_rwlock_timedwrlock */
#define RWLOCK_TIMED_HOOK(function, trial, op, letter)                         \
	static int real_##function(struct seam_call *c)                        \
	{                                                                      \
		return seam_real.function(c->ptr, c->deadline);                \
	}                                                                      \
	SEAM_EXPORT int function(pthread_rwlock_t *l,                          \
				 const struct timespec *abstime)               \
	{                                                                      \
		if (SEAM_PASS(op, l) ||                                        \
		    !seam_time_valid(CLOCK_REALTIME, abstime))                 \
			return seam_real.function(l, abstime);                 \
		struct seam_call c = SEAM_CALL(function, op, l);               \
		c.mode = letter;                                               \
		c.clock = CLOCK_REALTIME;                                      \
		c.deadline = abstime;                                          \
		c.try = real_##trial;                                          \
		c.real = real_##function;                                      \
		return seam_gate_call(&c);                                     \
	}

/* pthread_rwlock_clockrdlock, pthread_rwlock_clockwrlock */
#define RWLOCK_CLOCK_HOOK(function, trial, op, letter)                         \
	static int real_##function(struct seam_call *c)                        \
	{                                                                      \
		return seam_real.function(c->ptr, c->clock, c->deadline);      \
	}                                                                      \
	SEAM_EXPORT int function(pthread_rwlock_t *l, clockid_t clock,         \
				 const struct timespec *abstime)               \
	{                                                                      \
		if (SEAM_PASS(op, l) || !seam_time_valid(clock, abstime))      \
			return seam_real.function(l, clock, abstime);          \
		struct seam_call c = SEAM_CALL(function, op, l);               \
		c.mode = letter;                                               \
		c.clock = clock;                                               \
		c.deadline = abstime;                                          \
		c.try = real_##trial;                                          \
		c.real = real_##function;                                      \
		return seam_gate_call(&c);                                     \
	}

RWLOCK_TRY_HOOK(pthread_rwlock_tryrdlock, RWLOCK_TRYRDLOCK, 'r')
RWLOCK_HOOK(pthread_rwlock_rdlock, pthread_rwlock_tryrdlock, RWLOCK_RDLOCK, 'r')
RWLOCK_TIMED_HOOK(pthread_rwlock_timedrdlock, pthread_rwlock_tryrdlock,
		  RWLOCK_RDLOCK, 'r')
RWLOCK_CLOCK_HOOK(pthread_rwlock_clockrdlock, pthread_rwlock_tryrdlock,
		  RWLOCK_RDLOCK, 'r')

RWLOCK_TRY_HOOK(pthread_rwlock_trywrlock, RWLOCK_TRYWRLOCK, 'w')
RWLOCK_HOOK(pthread_rwlock_wrlock, pthread_rwlock_trywrlock, RWLOCK_WRLOCK, 'w')
RWLOCK_TIMED_HOOK(pthread_rwlock_timedwrlock, pthread_rwlock_trywrlock,
		  RWLOCK_WRLOCK, 'w')
RWLOCK_CLOCK_HOOK(pthread_rwlock_clockwrlock, pthread_rwlock_trywrlock,
		  RWLOCK_WRLOCK, 'w')
