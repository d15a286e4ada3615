/* SPDX-License-Identifier: MIT */
/*
 * mtx_*, cnd_*, thrd_*: in glibc they do not pass through pthread_*, but
 * their objects are the same.  call_once is in once.c.
 */
#include "hooks.h"

static int
c11_error(int result)
{
	switch (result) {
	case thrd_success:
		return 0;
	case thrd_busy:
		return EBUSY;
	case thrd_timedout:
		return ETIMEDOUT;
	case thrd_nomem:
		return ENOMEM;
	default:
		return EINVAL;
	}
}

static int
c11_result(int error)
{
	switch (error) {
	case 0:
		return thrd_success;
	case EBUSY:
		return thrd_busy;
	case ETIMEDOUT:
		return thrd_timedout;
	case ENOMEM:
		return thrd_nomem;
	default:
		return thrd_error;
	}
}

#define C11_HOOK(function, op, type)                                           \
	SEAM_HOOK(function, op, type, c11_error, c11_result)

/* mtx_destroy, cnd_destroy */
#define C11_VOID_HOOK(function, op, type)                                      \
	static int real_##function(struct seam_call *c)                        \
	{                                                                      \
		seam_real.function(c->ptr);                                    \
		return 0;                                                      \
	}                                                                      \
	SEAM_EXPORT void function(type *object)                                \
	{                                                                      \
		if (SEAM_PASS(op, object)) {                                   \
			seam_real.function(object);                            \
			return;                                                \
		}                                                              \
		struct seam_call c = SEAM_CALL(function, op, object);          \
		c.real = real_##function;                                      \
		seam_gate_call(&c);                                            \
	}

C11_HOOK(mtx_trylock, MUTEX_TRYLOCK, mtx_t)
C11_HOOK(mtx_unlock, MUTEX_UNLOCK, mtx_t)
C11_VOID_HOOK(mtx_destroy, MUTEX_DESTROY, mtx_t)
C11_HOOK(cnd_init, COND_INIT, cnd_t)
C11_HOOK(cnd_signal, COND_SIGNAL, cnd_t)
C11_HOOK(cnd_broadcast, COND_BROADCAST, cnd_t)
C11_VOID_HOOK(cnd_destroy, COND_DESTROY, cnd_t)

static int
real_mtx_init(struct seam_call *c)
{
	return c11_error(seam_real.mtx_init(c->ptr, (int)c->arg[0]));
}

SEAM_EXPORT int
mtx_init(mtx_t *m, int type)
{
	if (SEAM_PASS(MUTEX_INIT, m))
		return seam_real.mtx_init(m, type);
	struct seam_call c = SEAM_CALL(mtx_init, MUTEX_INIT, m);
	c.arg[0] = (uint64_t)type;
	c.real = real_mtx_init;
	return c11_result(seam_gate_call(&c));
}

SEAM_REAL(mtx_lock, c11_error)

SEAM_EXPORT int
mtx_lock(mtx_t *m)
{
	if (SEAM_PASS(MUTEX_LOCK, m))
		return seam_real.mtx_lock(m);
	struct seam_call c = SEAM_CALL(mtx_lock, MUTEX_LOCK, m);
	c.try = real_mtx_trylock;
	c.real = real_mtx_lock;
	return c11_result(seam_gate_call(&c));
}

static int
real_mtx_timedlock(struct seam_call *c)
{
	return c11_error(seam_real.mtx_timedlock(c->ptr, c->deadline));
}

SEAM_EXPORT int
mtx_timedlock(mtx_t *restrict m, const struct timespec *restrict abstime)
{
	if (SEAM_PASS(MUTEX_LOCK, m))
		return seam_real.mtx_timedlock(m, abstime);
	struct seam_call c = SEAM_CALL(mtx_timedlock, MUTEX_LOCK, m);
	c.clock = CLOCK_REALTIME;
	c.deadline = abstime;
	c.try = real_mtx_trylock;
	c.real = real_mtx_timedlock;
	return c11_result(seam_gate_call(&c));
}

static const struct seam_mutex_functions functions = {
	real_mtx_trylock,
	real_mtx_lock,
	real_mtx_unlock,
};

static int
real_cnd_wait(struct seam_call *c)
{
	return c11_error(seam_real.cnd_wait(c->ptr, seam_ptr(c->arg[0])));
}

SEAM_EXPORT int
cnd_wait(cnd_t *cond, mtx_t *m)
{
	if (SEAM_PASS_WAIT(cond, m))
		return seam_real.cnd_wait(cond, m);
	struct seam_call c = SEAM_CALL(cnd_wait, COND_WAIT, cond);
	c.real = real_cnd_wait;
	return c11_result(seam_wait(&c, m, &functions));
}

static int
real_cnd_timedwait(struct seam_call *c)
{
	return c11_error(
	    seam_real.cnd_timedwait(c->ptr, seam_ptr(c->arg[0]), c->deadline));
}

SEAM_EXPORT int
cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict m,
	      const struct timespec *restrict abstime)
{
	if (SEAM_PASS_WAIT(cond, m) ||
	    !seam_time_valid(CLOCK_REALTIME, abstime))
		return seam_real.cnd_timedwait(cond, m, abstime);
	struct seam_call c = SEAM_CALL(cnd_timedwait, COND_WAIT, cond);
	c.clock = CLOCK_REALTIME;
	c.deadline = abstime;
	c.real = real_cnd_timedwait;
	return c11_result(seam_wait(&c, m, &functions));
}

static int
start(void *entry)
{
	struct seam_thread *t = entry;
	thrd_start_t routine = (thrd_start_t)(uintptr_t)t->start;
	void *arg = seam_ptr(t->arg);

	seam_thread_begin(t);
	int result = routine(arg);
	seam_thread_ending();
	return result;
}

SEAM_EXPORT int
thrd_create(thrd_t *thread, thrd_start_t routine, void *arg)
{
	if (SEAM_PASSIVE(THREAD_CREATE))
		return seam_real.thrd_create(thread, routine, arg);
	struct seam_call c = SEAM_CALL(thrd_create, THREAD_CREATE, NULL);
	struct seam_thread *t;
	int error =
	    seam_create_begins(&c, (uint64_t)(uintptr_t)routine, arg, &t);
	if (error != 0)
		return c11_result(error);
	int result = t != NULL ? seam_real.thrd_create(thread, start, t) :
				 seam_real.thrd_create(thread, routine, arg);
	seam_create_ends(&c, t, thread, c11_error(result));
	return result;
}

static int
try_thrd_join(struct seam_call *c)
{
	void *value;
	int *result = seam_ptr(c->arg[0]);
	int error = seam_real.pthread_tryjoin_np((pthread_t)c->ptr, &value);

	if (error == 0 && result != NULL)
		*result = (int)(intptr_t)value;
	return error;
}

static int
real_thrd_join(struct seam_call *c)
{
	return c11_error(
	    seam_real.thrd_join((thrd_t)c->ptr, seam_ptr(c->arg[0])));
}

SEAM_EXPORT int
thrd_join(thrd_t thread, int *result)
{
	if (SEAM_PASSIVE(THREAD_JOIN))
		return seam_real.thrd_join(thread, result);
	struct seam_call c = SEAM_CALL(thrd_join, THREAD_JOIN, thread);
	c.peer = seam_thread_find(thread);
	c.cancel = true;
	c.arg[0] = seam_word(result);
	c.try = try_thrd_join;
	c.real = real_thrd_join;
	return c11_result(seam_gate_call(&c));
}

static int
real_thrd_detach(struct seam_call *c)
{
	return c11_error(seam_real.thrd_detach((thrd_t)c->ptr));
}

SEAM_EXPORT int
thrd_detach(thrd_t thread)
{
	if (SEAM_PASSIVE(THREAD_DETACH))
		return seam_real.thrd_detach(thread);
	struct seam_call c = SEAM_CALL(thrd_detach, THREAD_DETACH, thread);
	c.peer = seam_thread_find(thread);
	c.real = real_thrd_detach;
	return c11_result(seam_gate_call(&c));
}

SEAM_EXPORT void
thrd_exit(int result)
{
	if (!SEAM_PASSIVE(THREAD_EXIT)) {
		seam_ready();
		seam_thread_ending();
	}
	seam_real.thrd_exit(result);
	__builtin_unreachable();
}
