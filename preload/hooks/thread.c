/* SPDX-License-Identifier: MIT */
/*
 * pthread_create and what becomes of its threads.  A thread of a session
 * starts in our trampoline, which gives it its entry.  One that is cancelled
 * leaves without passing us: its end is seen by the core's thread-specific
 * destructor.
 */
#include "hooks.h"

int
seam_create_begins(struct seam_call *c, uint64_t start, void *arg,
		   struct seam_thread **t)
{
	c->arg[0] = start;
	int error = seam_gate_before(c);
	if (error != 0)
		return error;
	*t = seam_thread_prepare(c->site);
	if (*t != NULL) {
		(*t)->start = start;
		(*t)->arg = seam_word(arg);
	}
	return 0;
}

/*
 * The new thread may have run already, and have freed what `handle` points
 * to: that is read only as long as it has not said its handle itself.
 */
void
seam_create_ends(struct seam_call *c, struct seam_thread *t,
		 const pthread_t *handle, int error)
{
	uint64_t unknown = 0;
	int saved = errno;

	if (t != NULL && error != 0)
		seam_thread_never(t);
	if (t != NULL && error == 0) {
		if (__atomic_load_n(&t->handle, __ATOMIC_ACQUIRE) == 0)
			__atomic_compare_exchange_n(&t->handle, &unknown,
						    *handle, false,
						    __ATOMIC_ACQ_REL,
						    __ATOMIC_ACQUIRE);
		c->ptr = seam_ptr(t->handle);
		c->peer = seam_thread_find(t->handle);
	}
	seam_gate_after(c, error);
	errno = saved;
}

static void *
start(void *entry)
{
	struct seam_thread *t = entry;
	void *(*routine)(void *) = (void *(*)(void *))(uintptr_t)t->start;
	void *arg = seam_ptr(t->arg);

	seam_thread_begin(t);
	void *result = routine(arg);
	seam_thread_ending();
	return result;
}

static bool
is_detached(const pthread_attr_t *attr)
{
	int state = PTHREAD_CREATE_JOINABLE;

	return attr != NULL && pthread_attr_getdetachstate(attr, &state) == 0 &&
	       state == PTHREAD_CREATE_DETACHED;
}

SEAM_EXPORT int
pthread_create(pthread_t *thread, const pthread_attr_t *attr,
	       void *(*routine)(void *), void *arg)
{
	if (SEAM_PASSIVE(THREAD_CREATE))
		return seam_real.pthread_create(thread, attr, routine, arg);
	struct seam_call c = SEAM_CALL(pthread_create, THREAD_CREATE, NULL);
	struct seam_thread *t;
	c.arg[1] = is_detached(attr);
	int error =
	    seam_create_begins(&c, (uint64_t)(uintptr_t)routine, arg, &t);
	if (error != 0)
		return error;
	if (t != NULL)
		error = seam_real.pthread_create(thread, attr, start, t);
	else
		error = seam_real.pthread_create(thread, attr, routine, arg);
	seam_create_ends(&c, t, thread, error);
	return error;
}

static int
real_tryjoin(struct seam_call *c)
{
	return seam_real.pthread_tryjoin_np((pthread_t)c->ptr,
					    seam_ptr(c->arg[0]));
}

static int
real_join(struct seam_call *c)
{
	return seam_real.pthread_join((pthread_t)c->ptr, seam_ptr(c->arg[0]));
}

SEAM_EXPORT int
pthread_join(pthread_t thread, void **value)
{
	if (SEAM_PASSIVE(THREAD_JOIN))
		return seam_real.pthread_join(thread, value);
	struct seam_call c = SEAM_CALL(pthread_join, THREAD_JOIN, thread);
	c.peer = seam_thread_find(thread);
	c.cancel = true;
	c.arg[0] = seam_word(value);
	c.try = real_tryjoin;
	c.real = real_join;
	return seam_gate_call(&c);
}

/* No `try`: it never waits, so it must not look as if it did. */
SEAM_EXPORT int
pthread_tryjoin_np(pthread_t thread, void **value)
{
	if (SEAM_PASSIVE(THREAD_JOIN))
		return seam_real.pthread_tryjoin_np(thread, value);
	struct seam_call c = SEAM_CALL(pthread_tryjoin_np, THREAD_JOIN, thread);
	c.peer = seam_thread_find(thread);
	c.arg[0] = seam_word(value);
	c.real = real_tryjoin;
	return seam_gate_call(&c);
}

static int
real_timedjoin(struct seam_call *c)
{
	return seam_real.pthread_timedjoin_np((pthread_t)c->ptr,
					      seam_ptr(c->arg[0]), c->deadline);
}

SEAM_EXPORT int
pthread_timedjoin_np(pthread_t thread, void **value,
		     const struct timespec *abstime)
{
	if (SEAM_PASSIVE(THREAD_JOIN))
		return seam_real.pthread_timedjoin_np(thread, value, abstime);
	struct seam_call c =
	    SEAM_CALL(pthread_timedjoin_np, THREAD_JOIN, thread);
	c.peer = seam_thread_find(thread);
	c.cancel = true;
	c.clock = CLOCK_REALTIME;
	c.deadline = abstime;
	c.arg[0] = seam_word(value);
	c.try = real_tryjoin;
	c.real = real_timedjoin;
	return seam_gate_call(&c);
}

static int
real_clockjoin(struct seam_call *c)
{
	return seam_real.pthread_clockjoin_np((pthread_t)c->ptr,
					      seam_ptr(c->arg[0]), c->clock,
					      c->deadline);
}

SEAM_EXPORT int
pthread_clockjoin_np(pthread_t thread, void **value, clockid_t clock,
		     const struct timespec *abstime)
{
	if (SEAM_PASSIVE(THREAD_JOIN))
		return seam_real.pthread_clockjoin_np(thread, value, clock,
						      abstime);
	struct seam_call c =
	    SEAM_CALL(pthread_clockjoin_np, THREAD_JOIN, thread);
	c.peer = seam_thread_find(thread);
	c.cancel = true;
	c.clock = clock;
	c.deadline = abstime;
	c.arg[0] = seam_word(value);
	if (seam_clock_valid(clock))
		c.try = real_tryjoin;
	c.real = real_clockjoin;
	return seam_gate_call(&c);
}

static int
real_detach(struct seam_call *c)
{
	return seam_real.pthread_detach((pthread_t)c->ptr);
}

SEAM_EXPORT int
pthread_detach(pthread_t thread)
{
	if (SEAM_PASSIVE(THREAD_DETACH))
		return seam_real.pthread_detach(thread);
	struct seam_call c = SEAM_CALL(pthread_detach, THREAD_DETACH, thread);
	c.peer = seam_thread_find(thread);
	c.real = real_detach;
	return seam_gate_call(&c);
}

SEAM_EXPORT void
pthread_exit(void *value)
{
	if (!SEAM_PASSIVE(THREAD_EXIT)) {
		seam_ready();
		seam_thread_ending();
	}
	seam_real.pthread_exit(value);
	__builtin_unreachable();
}

static int
real_cancel(struct seam_call *c)
{
	return seam_real.pthread_cancel((pthread_t)c->ptr);
}

SEAM_EXPORT int
pthread_cancel(pthread_t thread)
{
	if (SEAM_PASSIVE(THREAD_CANCEL))
		return seam_real.pthread_cancel(thread);
	struct seam_call c = SEAM_CALL(pthread_cancel, THREAD_CANCEL, thread);
	c.peer = seam_thread_find(thread);
	c.real = real_cancel;
	return seam_gate_call(&c);
}

static int
real_setname(struct seam_call *c)
{
	return seam_real.pthread_setname_np((pthread_t)c->ptr, c->name);
}

SEAM_EXPORT int
pthread_setname_np(pthread_t thread, const char *name)
{
	if (SEAM_PASSIVE(THREAD_SETNAME))
		return seam_real.pthread_setname_np(thread, name);
	struct seam_call c =
	    SEAM_CALL(pthread_setname_np, THREAD_SETNAME, thread);
	c.peer = seam_thread_find(thread);
	c.name = name;
	c.real = real_setname;
	int error = seam_gate_call(&c);
	if (error == 0 && c.peer != 0)
		seam_thread_named(c.peer, name);
	return error;
}
