/* SPDX-License-Identifier: MIT */
/* What the hooks of several families share. */
#ifndef SEAM_HOOKS_H
#define SEAM_HOOKS_H

#include "../gate.h"

/*
 * For hooks that must be gone through whatever the rules say, as long as
 * there is a session: threads, processes and libraries are kept track of.
 */
#define SEAM_PASSIVE(op) seam_passive(seam_family_of_##op)

/* Pointers in seam_call.arg. */
static inline uint64_t
seam_word(const volatile void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static inline void *
seam_ptr(uint64_t word)
{
	return (void *)(uintptr_t)word;
}

/* The error number of a function that answers by one. */
static inline int
seam_same(int error)
{
	return error;
}

/* The error number of a function that answers by -1 and errno, ... */
static inline int
seam_error(int result)
{
	return result < 0 ? errno : 0;
}

/* ... of one that was only a try, so that errno must not show it, ... */
static inline int
seam_try_error(int saved, int result)
{
	int error = seam_error(result);

	errno = saved;
	return error;
}

/* ... and its answer again. */
static inline int
seam_errno(int error)
{
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

/*
 * glibc looks at the clock of a timed call before it looks at the object, and
 * for semaphores and rwlocks at the time too; a try must not be quicker.
 */
static inline bool
seam_clock_valid(clockid_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

static inline bool
seam_time_valid(clockid_t clock, const struct timespec *t)
{
	return seam_clock_valid(clock) && t->tv_nsec >= 0 &&
	       t->tv_nsec < 1000000000;
}

/* real_f: calls f(object), and makes an error number of its answer. */
#define SEAM_REAL(function, error)                                             \
	static int real_##function(struct seam_call *c)                        \
	{                                                                      \
		return error(seam_real.function(c->ptr));                      \
	}

/*
 * The plainest hook, int f(type *object) that does not wait, with its real_f.
 * `error` makes an error number of its answer, `result` is the way back.
 */
#define SEAM_HOOK(function, op, type, error, result)                           \
	SEAM_REAL(function, error)                                             \
	SEAM_EXPORT int function(type *object)                                 \
	{                                                                      \
		if (SEAM_PASS(op, object))                                     \
			return seam_real.function(object);                     \
		if (SEAM_RECORDS())                                            \
			return result(                                         \
			    SEAM_RECORDED(function, op, object,                \
					  error(seam_real.function(object)))); \
		struct seam_call c = SEAM_CALL(function, op, object);          \
		c.real = real_##function;                                      \
		return result(seam_gate_call(&c));                             \
	}

/* Those that answer by an error number, and those of -1 and errno. */
#define SEAM_HOOK_PLAIN(function, op, type)                                    \
	SEAM_HOOK(function, op, type, seam_same, seam_same)
#define SEAM_HOOK_ERRNO(function, op, type)                                    \
	SEAM_HOOK(function, op, type, seam_error, seam_errno)

/*
 * cond.c: waits on the condition c->ptr by c->real, then lets the gate have a
 * say in the re-acquisition of `mutex`, which the wait brought with it.
 */
struct seam_mutex_functions {
	int (*try)(struct seam_call *c);
	int (*lock)(struct seam_call *c);
	int (*unlock)(struct seam_call *c);
};
int seam_wait(struct seam_call *c, void *mutex,
	      const struct seam_mutex_functions *f);

/* Neither the wait nor the re-acquisition can match. */
#define SEAM_PASS_WAIT(cond, mutex)                                            \
	(SEAM_PASSIVE(COND_WAIT) ||                                            \
	 (seam_unmatched(SEAM_COND_WAIT, seam_word(cond), SEAM_SITE) &&        \
	  seam_unmatched(SEAM_COND_REACQUIRE, seam_word(mutex), SEAM_SITE)))

/*
 * thread.c: the two halves of a thread's creation.  The first returns 0 and,
 * when the thread shall pass our trampoline, its entry in *t, else NULL.
 */
int seam_create_begins(struct seam_call *c, uint64_t start, void *arg,
		       struct seam_thread **t);
void seam_create_ends(struct seam_call *c, struct seam_thread *t,
		      const pthread_t *handle, int error);

/* The core's: gives an object of this process a name. */
void seam_object_name(void *ptr, const char *name);

#endif
