/* SPDX-License-Identifier: MIT */
/*
 * What a hook needs: the passive test, the real functions, and the gate.
 *
 * A hook is an exported function of the real one's name and type.  Its first
 * statement is the way out for a process in which nothing asks for this
 * call; the rest describes the call in a seam_call and hands it to the gate:
 *
 *	SEAM_EXPORT int
 *	pthread_mutex_lock(pthread_mutex_t *m)
 *	{
 *		if (SEAM_PASS(MUTEX_LOCK, m))
 *			return seam_real.pthread_mutex_lock(m);
 *		struct seam_call c =
 *		    SEAM_CALL(pthread_mutex_lock, MUTEX_LOCK, m);
 *		c.try = mutex_try;
 *		c.real = mutex_lock;
 *		return seam_gate_call(&c);
 *	}
 *
 * `try` and `real` are small static functions that make the real call and
 * return 0 or an error number (errno's values, whatever the style of the
 * real function: the hook translates back at the end).  They find their
 * arguments in the call: c->ptr, c->arg[].
 */
#ifndef SEAM_GATE_H
#define SEAM_GATE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "arena.h"
#include "real.h"

#define SEAM_EXPORT __attribute__((visibility("default")))
#define SEAM_LIKELY(x) __builtin_expect(!!(x), 1)
#define SEAM_SITE ((uint64_t)(uintptr_t)__builtin_return_address(0))

/*
 * This process's gate.  Until attached: a page of our own with every family
 * armed, so that the first call of each comes by seam_gate_call, which
 * resolves the real functions.  Then: the arena's page for this process, or
 * a page with nothing armed when there is no session.
 */
extern struct seam_gate seam_gate __attribute__((visibility("hidden")));

static inline bool
seam_passive(unsigned family)
{
	return SEAM_LIKELY(
	    !(atomic_load_explicit(&seam_gate.armed, memory_order_relaxed) &
	      SEAM_FAMILY_BIT(family)));
}

static inline bool
seam_bloom(const _Atomic uint64_t *words, uint64_t addr)
{
	uint64_t h = seam_granule_hash(addr);
	uint64_t w = atomic_load_explicit(&words[seam_bloom_word(h)],
					  memory_order_relaxed);

	/* Nearly all that are let off are by the first, so the second is not
	 * to be reckoned along with it. */
	if (SEAM_LIKELY(!((w >> seam_bloom_bit1(h)) & 1)))
		return false;
	__asm__("" : "+r"(w));
	return (w >> seam_bloom_bit2(h)) & 1;
}

/* Rules are armed, nothing else is, and none of them can match this. */
static inline bool
seam_unmatched(unsigned verb, uint64_t addr, uint64_t site)
{
	uint32_t mode =
	    atomic_load_explicit(&seam_gate.mode, memory_order_relaxed);
	uint64_t wild = atomic_load_explicit(&seam_gate.wild[verb / 64],
					     memory_order_relaxed);

	return mode == SEAM_MODE_RULES && !((wild >> (verb % 64)) & 1) &&
	       !seam_bloom(seam_gate.objects, addr) &&
	       !seam_bloom(seam_gate.sites, site);
}

#define SEAM_VERB_FAMILY(verb) seam_family_of_##verb
enum {
#define VERB(id, name, family, kind, class, meaning)                           \
	seam_family_of_##id = SEAM_FAMILY_##family,
#include "ops.def"
};

/* The hook may call the real function and be done. */
#define SEAM_PASS(verb, ptr)                                                   \
	(seam_passive(SEAM_VERB_FAMILY(verb)) ||                               \
	 seam_unmatched(SEAM_##verb, (uint64_t)(uintptr_t)(ptr), SEAM_SITE))

struct seam_call {
	uint16_t fn;   /* enum seam_fn */
	uint16_t verb; /* enum seam_verb */
	uint8_t mode;  /* 'r' or 'w' where it says something, else 0 */
	bool cancel;   /* the real function is a cancellation point */
	bool eintr;    /* the real function returns EINTR */
	int busy;      /* what a try answers when busy: EBUSY or EAGAIN */
	clockid_t clock;
	const struct timespec *deadline; /* absolute, by `clock`; NULL: none */

	void *ptr; /* the object; NULL for files and processes */
	uint64_t site;
	uint64_t arg[4]; /* for try and real */
	int value;	 /* for real: what the function returned, where an
			    error number is not all (fcntl's result) */

	/* File locks: filled in by filelock.c before the gate is asked. */
	int fd;
	uint64_t off, len;

	const char *name; /* points, named semaphores; or NULL */
	uint32_t peer;	  /* join: thread index + 1 */

	/* Answers at once: 0, c->busy, or another error.  NULL where the
	 * function has no such form; then the gate publishes that the thread
	 * waits before it calls `real`. */
	int (*try)(struct seam_call *c);
	int (*real)(struct seam_call *c);
	/* For calls that wait for the outside world: would `real` not wait
	 * now?  Asked by any thread of the process. */
	bool (*ready)(const struct seam_call *c);
	int timeout_error;    /* what a timeout answers: ETIMEDOUT */
	const uint64_t *mask; /* signals blocked meanwhile instead; or NULL */

	/* The gate's own. */
	uint32_t object;
	uint64_t began;
	bool waited;
	bool stepped; /* its step has been made */
};

/* Field by field: an initialiser would be a `rep stos`, which costs as much as
 * all the rest of the way through the gate. */
static inline __attribute__((always_inline)) struct seam_call
seam_call_of(unsigned fn, unsigned verb, uint64_t ptr, uint64_t site)
{
	struct seam_call c;

	c.fn = (uint16_t)fn;
	c.verb = (uint16_t)verb;
	c.mode = 0;
	c.cancel = false;
	c.eintr = false;
	c.busy = EBUSY;
	c.clock = 0;
	c.deadline = NULL;
	c.ptr = (void *)(uintptr_t)ptr;
	c.site = site;
	c.arg[0] = c.arg[1] = c.arg[2] = c.arg[3] = 0;
	c.value = 0;
	c.fd = 0;
	c.off = c.len = 0;
	c.name = NULL;
	c.peer = 0;
	c.try = NULL;
	c.real = NULL;
	c.ready = NULL;
	c.timeout_error = ETIMEDOUT;
	c.mask = NULL;
	c.object = 0;
	c.began = 0;
	c.waited = false;
	c.stepped = false;
	return c;
}

#define SEAM_CALL(function, op, object)                                        \
	seam_call_of(SEAM_FN_##function, SEAM_##op,                            \
		     (uint64_t)(uintptr_t)(object), SEAM_SITE)

/*
 * Nothing but recording is asked for: the hook makes the real call, and
 * records what came of it, without describing the call to the gate:
 *
 *	if (SEAM_RECORDS())
 *		return SEAM_RECORDED(pthread_mutex_lock, MUTEX_LOCK, m,
 *				     seam_real.pthread_mutex_lock(m));
 */
#define SEAM_RECORDS()                                                         \
	((atomic_load_explicit(&seam_gate.mode, memory_order_relaxed) &        \
	  ~(uint32_t)SEAM_MODE_FULL) == SEAM_MODE_RECORD)
#define SEAM_RECORDED(function, op, object, error)                             \
	seam_recorded(SEAM_WHAT(SEAM_FN_##function, SEAM_##op),                \
		      (uint64_t)(uintptr_t)(object), SEAM_SITE, (error))
/* fn, verb, moment, as they lie in a seam_record. */
#define SEAM_WHAT(fn, verb)                                                    \
	((uint32_t)(fn) | (uint32_t)(verb) << 16 | (uint32_t)SEAM_AFTER << 24)

/* Returns `error`; errno stays as it is. */
int seam_recorded(uint32_t what, uint64_t addr, uint64_t site, int error);

/*
 * Passes a call through the gate and returns 0 or an error number.
 *
 * By the class of its verb: ACQUIRE and WAIT first `try` where there is one,
 * publish BLOCKED, then `real`; TRY, RELEASE, SIGNAL, NOTE call `real`; INIT
 * calls `real`, then makes or renews the object's entry; DESTROY marks it
 * dead.  Before: rules may park, hold, or fail it.  After: rules may park.
 * errno is as `real` left it.
 */
int seam_gate_call(struct seam_call *c);

/*
 * The same in two halves, for calls that cannot be made from inside a
 * callback (exec, thread creation, fork): seam_gate_before returns 0 to go
 * on, or the error number to return; seam_gate_after must follow when it
 * returned 0.
 */
int seam_gate_before(struct seam_call *c);
void seam_gate_after(struct seam_call *c, int error);

/*
 * cond.c's: a wait has returned holding the mutex `m`.  If something wants
 * cond.reacquire of it (a pause, a hold), the mutex is let go by `unlock`,
 * the thread parks, and takes it again by `c->real`.  Returns what the last
 * taking returned, or 0.
 */
int seam_gate_reacquire(struct seam_call *c, int (*unlock)(struct seam_call *));

/*
 * The scheduled gear's forms of what a callback cannot say: cond.c's wait
 * (let go the mutex, wait, have it again) and futex.c's calls.
 */
bool seam_is_scheduled(void);
/* The run's clocks; false: a clock that it leaves alone. */
bool seam_virtual_time(clockid_t clock, struct timespec *t);
void seam_virtual_random(void *buf, size_t n);
/* ITIMER_REAL: ns until it rings and between rings, set (NULL: only asked)
 * and what there was; false: not scheduled. */
bool seam_virtual_alarm(const uint64_t set[2], uint64_t left[2]);
/* Some of these are pending. */
bool seam_signals_pending(uint64_t set);
/* A signal has got a handler, or has none any more. */
void seam_signal_caught(int sig, bool yes);
/* A point of CLOCK_MONOTONIC, as scheduled: so much from now. */
void seam_time_after(struct timespec *until, const struct timespec *span);
/* _exit: what exit() would have told. */
void seam_process_ending(void);
int seam_sched_wait(struct seam_call *c, void *mutex,
		    int (*try)(struct seam_call *),
		    int (*unlock)(struct seam_call *));
int seam_sched_futex(struct seam_call *c, const long *a);

/* Resolves and attaches if that has not happened yet; cheap otherwise.  Hooks
 * that use seam_real before any gate call must call it. */
void seam_ready(void);

/* Threads (threads.c). */

/* Makes an entry for a thread about to be created; NULL: table full or no
 * session.  The trampoline calls seam_thread_begin first; a failed creation
 * calls seam_thread_never. */
struct seam_thread *seam_thread_prepare(uint64_t site);
void seam_thread_begin(struct seam_thread *t);
void seam_thread_never(struct seam_thread *t);
/* The entry of a pthread_t of this process, index + 1, or 0. */
uint32_t seam_thread_find(uint64_t handle);
void seam_thread_named(uint32_t thread, const char *name);
void seam_thread_ending(void); /* the calling one */

/* Processes (attach.c, env.c). */

/* Around fork in the parent; the child's process id, or -1. */
void seam_fork_begins(void);
void seam_fork_ends(int32_t pid);
/* After fork in the child: new entries, acknowledged before it returns. */
void seam_child_attach(void);
/* The calling process is a vfork child, sharing its parent's memory. */
bool seam_in_vfork(void);
/* By how many dlopen is being called; the loader has locks meanwhile. */
extern _Atomic unsigned seam_modules_opening;
/* Something was mapped: tell the controller, wait for its rules. */
void seam_modules_changed(void);
/* execs.c: says that this process, or a vfork child, becomes another program,
 * and that it failed to: `note` is what seam_exec_begins returned.  `dir` is
 * the descriptor that a relative path is meant from. */
uint32_t seam_exec_begins(int dir, const char *path);
void seam_exec_failed(uint32_t note);
/* A child runs that program. */
void seam_exec_spawned(pid_t pid, const char *path);

/*
 * The environment a child must have to join the session.  If env lacks
 * something, writes a completed copy (order kept) into space[], with its
 * strings into text[], both supplied by the caller from its stack;
 * otherwise returns env itself.  seam_env_need tells how much is needed.
 */
struct seam_env_need {
	size_t pointers, bytes;
};
struct seam_env_need seam_env_need(char *const env[]);
char **seam_env_complete(char *const env[], char **space, char *text);

/* Blind spots. */
void seam_count_raw_futex(void);

/* The tail of error messages on standard error, raw, no stdio. */
void seam_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
