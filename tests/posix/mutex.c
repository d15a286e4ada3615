/* SPDX-License-Identifier: MIT */
/* Mutexes: types, protocols, robustness, times, and what is left behind. */
#include "promise.h"

#include <threads.h>

#include <sys/mman.h>

static void
make(pthread_mutex_t *m, int type, int protocol, int robust, int shared)
{
	pthread_mutexattr_t a;

	must(pthread_mutexattr_init(&a) != 0);
	must(pthread_mutexattr_settype(&a, type) != 0);
	must(pthread_mutexattr_setprotocol(&a, protocol) != 0);
	must(pthread_mutexattr_setrobust(&a, robust) != 0);
	must(pthread_mutexattr_setpshared(&a, shared) != 0);
	must(pthread_mutex_init(m, &a) != 0);
	must(pthread_mutexattr_destroy(&a) != 0);
}

static void
make_type(pthread_mutex_t *m, int type)
{
	make(m, type, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED,
	     PTHREAD_PROCESS_PRIVATE);
}

static void *
try_other(void *m)
{
	return RESULT(pthread_mutex_trylock(m));
}

static void *
unlock_other(void *m)
{
	return RESULT(pthread_mutex_unlock(m));
}

static void *
timed_other(void *m)
{
	struct timespec t = soon(CLOCK_REALTIME);
	int error = pthread_mutex_timedlock(m, &t);

	return RESULT(error == 0 ? 0 :
				   error + 1000 * !is_past(CLOCK_REALTIME, &t));
}

static void *
clock_other(void *m)
{
	struct timespec t = soon(CLOCK_MONOTONIC);
	int error = pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &t);

	return RESULT(
	    error == 0 ? 0 : error + 1000 * !is_past(CLOCK_MONOTONIC, &t));
}

static void *
clock_real_other(void *m)
{
	struct timespec t = soon(CLOCK_REALTIME);

	return RESULT(pthread_mutex_clocklock(m, CLOCK_REALTIME, &t));
}

static void *
past_other(void *m)
{
	return RESULT(pthread_mutex_timedlock(m, &past));
}

static void *
before_epoch_other(void *m)
{
	return RESULT(pthread_mutex_timedlock(m, &before_epoch));
}

static void
life(void)
{
	pthread_mutex_t m;

	answers("mutex_init default", pthread_mutex_init(&m, NULL), 0);
	answers("mutex_lock", pthread_mutex_lock(&m), 0);
	answers("mutex_trylock own normal", pthread_mutex_trylock(&m), EBUSY);
	is_error("mutex_trylock of another's", (int)in_thread(try_other, &m),
		 EBUSY);
	answers("mutex_destroy locked", pthread_mutex_destroy(&m), EBUSY);
	answers("mutex_unlock", pthread_mutex_unlock(&m), 0);
	answers("mutex_trylock free", pthread_mutex_trylock(&m), 0);
	answers("mutex_unlock after trylock", pthread_mutex_unlock(&m), 0);
	answers("mutex_destroy", pthread_mutex_destroy(&m), 0);
	answers("mutex_init again", pthread_mutex_init(&m, NULL), 0);
	answers("mutex_destroy again", pthread_mutex_destroy(&m), 0);
}

static void
times(void)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	struct timespec t = later(CLOCK_REALTIME);

	answers("mutex_timedlock free", pthread_mutex_timedlock(&m, &t), 0);
	is_error("mutex_timedlock busy", (int)in_thread(timed_other, &m),
		 ETIMEDOUT);
	is_error("mutex_clocklock busy, monotonic",
		 (int)in_thread(clock_other, &m), ETIMEDOUT);
	is_error("mutex_clocklock busy, real",
		 (int)in_thread(clock_real_other, &m), ETIMEDOUT);
	is_error("mutex_timedlock busy, past", (int)in_thread(past_other, &m),
		 ETIMEDOUT);
	is_error("mutex_timedlock busy, before the epoch",
		 (int)in_thread(before_epoch_other, &m), ETIMEDOUT);
	pthread_mutex_unlock(&m);
	answers("mutex_timedlock free, past",
		pthread_mutex_timedlock(&m, &past), 0);
	pthread_mutex_unlock(&m);
	answers("mutex_timedlock free, invalid time",
		pthread_mutex_timedlock(&m, &too_many), 0);
	pthread_mutex_unlock(&m);
	answers("mutex_clocklock free, past",
		pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &past), 0);
	pthread_mutex_unlock(&m);
	answers("mutex_clocklock, no such clock",
		pthread_mutex_clocklock(&m, CLOCK_PROCESS_CPUTIME_ID, &t),
		EINVAL);
}

static void
recursive(void)
{
	pthread_mutex_t m;

	make_type(&m, PTHREAD_MUTEX_RECURSIVE);
	answers("recursive lock", pthread_mutex_lock(&m), 0);
	answers("recursive lock twice", pthread_mutex_lock(&m), 0);
	answers("recursive trylock", pthread_mutex_trylock(&m), 0);
	answers("recursive timedlock, past", pthread_mutex_timedlock(&m, &past),
		0);
	for (int i = 0; i < 3; i++)
		answers("recursive unlock", pthread_mutex_unlock(&m), 0);
	is_error("recursive is still locked", (int)in_thread(try_other, &m),
		 EBUSY);
	is_error("recursive unlock by another",
		 (int)in_thread(unlock_other, &m), EPERM);
	answers("recursive last unlock", pthread_mutex_unlock(&m), 0);
	answers("recursive unlock too often", pthread_mutex_unlock(&m), EPERM);
	answers("recursive destroy", pthread_mutex_destroy(&m), 0);
}

static void
errorcheck(void)
{
	pthread_mutex_t m;

	make_type(&m, PTHREAD_MUTEX_ERRORCHECK);
	answers("errorcheck unlock unlocked", pthread_mutex_unlock(&m), EPERM);
	answers("errorcheck lock", pthread_mutex_lock(&m), 0);
	answers("errorcheck lock twice", pthread_mutex_lock(&m), EDEADLK);
	answers("errorcheck trylock own", pthread_mutex_trylock(&m), EBUSY);
	answers("errorcheck timedlock own", pthread_mutex_timedlock(&m, &past),
		EDEADLK);
	is_error("errorcheck unlock by another",
		 (int)in_thread(unlock_other, &m), EPERM);
	answers("errorcheck unlock", pthread_mutex_unlock(&m), 0);
	answers("errorcheck destroy", pthread_mutex_destroy(&m), 0);
}

static void
adaptive(void)
{
	pthread_mutex_t m;

	make_type(&m, PTHREAD_MUTEX_ADAPTIVE_NP);
	answers("adaptive lock", pthread_mutex_lock(&m), 0);
	is_error("adaptive trylock by another", (int)in_thread(try_other, &m),
		 EBUSY);
	answers("adaptive unlock", pthread_mutex_unlock(&m), 0);
	answers("adaptive destroy", pthread_mutex_destroy(&m), 0);
}

static void
inherits(void)
{
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_INHERIT,
	     PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
	answers("PI lock", pthread_mutex_lock(&m), 0);
	answers("PI lock twice", pthread_mutex_lock(&m), EDEADLK);
	is_error("PI trylock by another", (int)in_thread(try_other, &m), EBUSY);
	is_error("PI timedlock by another", (int)in_thread(timed_other, &m),
		 ETIMEDOUT);
	is_error("PI clocklock by another, real",
		 (int)in_thread(clock_real_other, &m), ETIMEDOUT);
	is_error("PI unlock by another", (int)in_thread(unlock_other, &m),
		 EPERM);
	answers("PI unlock", pthread_mutex_unlock(&m), 0);
	answers("PI destroy", pthread_mutex_destroy(&m), 0);
}

static void *
die_holding(void *m)
{
	return RESULT(pthread_mutex_lock(m));
}

static void
robust(void)
{
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE,
	     PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_PRIVATE);
	answers("robust consistent, not inconsistent",
		pthread_mutex_consistent(&m), EINVAL);
	is_error("robust lock", (int)in_thread(die_holding, &m), 0);
	answers("robust lock, owner dead", pthread_mutex_lock(&m), EOWNERDEAD);
	answers("robust consistent", pthread_mutex_consistent(&m), 0);
	answers("robust unlock", pthread_mutex_unlock(&m), 0);
	answers("robust lock again", pthread_mutex_lock(&m), 0);
	answers("robust unlock again", pthread_mutex_unlock(&m), 0);

	in_thread(die_holding, &m);
	answers("robust trylock, owner dead", pthread_mutex_trylock(&m),
		EOWNERDEAD);
	answers("robust unlock, inconsistent", pthread_mutex_unlock(&m), 0);
	answers("robust lock, lost", pthread_mutex_lock(&m), ENOTRECOVERABLE);
	answers("robust timedlock, lost", pthread_mutex_timedlock(&m, &past),
		ENOTRECOVERABLE);
	answers("robust trylock, lost", pthread_mutex_trylock(&m),
		ENOTRECOVERABLE);
	answers("robust destroy, lost", pthread_mutex_destroy(&m), 0);

	pthread_mutex_init(&m, NULL);
	answers("consistent, not robust", pthread_mutex_consistent(&m), EINVAL);
}

static void
robust_inherits(void)
{
	pthread_mutex_t m;
	struct timespec t = later(CLOCK_REALTIME);

	make(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT,
	     PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_PRIVATE);
	in_thread(die_holding, &m);
	answers("robust PI timedlock, owner dead",
		pthread_mutex_timedlock(&m, &t), EOWNERDEAD);
	answers("robust PI consistent", pthread_mutex_consistent(&m), 0);
	answers("robust PI unlock", pthread_mutex_unlock(&m), 0);
	answers("robust PI destroy", pthread_mutex_destroy(&m), 0);
}

static int
child_tries(void *m)
{
	return pthread_mutex_trylock(m);
}

static int
child_dies_holding(void *m)
{
	return pthread_mutex_lock(m);
}

static void
process_shared(void)
{
	pthread_mutex_t *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(m == MAP_FAILED);
	make(m, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST,
	     PTHREAD_PROCESS_SHARED);
	pthread_mutex_lock(m);
	is_error("shared trylock by a child", in_child(child_tries, m), EBUSY);
	pthread_mutex_unlock(m);
	is_error("shared lock by a child", in_child(child_dies_holding, m), 0);
	answers("shared robust lock, owner's process dead",
		pthread_mutex_lock(m), EOWNERDEAD);
	answers("shared robust consistent", pthread_mutex_consistent(m), 0);
	answers("shared robust unlock", pthread_mutex_unlock(m), 0);
	answers("shared destroy", pthread_mutex_destroy(m), 0);
	munmap(m, sizeof(*m));
}

/* The last who lets a reference go destroys and frees what the mutex is in:
 * nobody may touch it after the unlock. */
struct counted {
	pthread_mutex_t m;
	int references;
};

static void *
drop(void *arg)
{
	struct counted *c = arg;

	pthread_mutex_lock(&c->m);
	int left = --c->references;
	pthread_mutex_unlock(&c->m);
	if (left == 0) {
		int error = pthread_mutex_destroy(&c->m);

		munmap(c, sizeof(*c));
		return RESULT(error);
	}
	return RESULT(0);
}

static void
destroyed_at_once(void)
{
	long bad = 0;

	for (int i = 0; i < 50; i++) {
		struct counted *c =
		    mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		pthread_t a, b;
		void *x, *y;

		must(c == MAP_FAILED);
		pthread_mutex_init(&c->m, NULL);
		c->references = 2;
		must(pthread_create(&a, NULL, drop, c) != 0);
		must(pthread_create(&b, NULL, drop, c) != 0);
		pthread_join(a, &x);
		pthread_join(b, &y);
		bad += x != NULL || y != NULL;
	}
	is("mutex_destroy right after unlock, 50 times", bad, 0);
}

static void *
too_many_other(void *m)
{
	return RESULT(pthread_mutex_timedlock(m, &too_many));
}

static void *
too_few_other(void *m)
{
	return RESULT(pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &too_few));
}

static void *
c11_other(void *m)
{
	return RESULT(mtx_timedlock(m, &too_many));
}

static void
invalid_times(void)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	mtx_t c11;

	pthread_mutex_lock(&m);
	is_error("mutex_timedlock busy, 1e9 ns",
		 (int)in_thread(too_many_other, &m), EINVAL);
	is_error("mutex_clocklock busy, -1 ns",
		 (int)in_thread(too_few_other, &m), EINVAL);
	mtx_init(&c11, mtx_timed);
	mtx_lock(&c11);
	is("mtx_timedlock busy, 1e9 ns", in_thread(c11_other, &c11),
	   thrd_error);
}

int
main(void)
{
	life();
	times();
	recursive();
	errorcheck();
	adaptive();
	inherits();
	robust();
	robust_inherits();
	process_shared();
	destroyed_at_once();
	invalid_times();
	return broken;
}
