/* SPDX-License-Identifier: MIT */
/* Conditions: clocks, times, two mutexes, process-shared, destruction. */
#include "promise.h"

#include <sys/mman.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_cond_t there = PTHREAD_COND_INITIALIZER;
static int turn;

static void *
wait_turn(void *arg)
{
	int error = 0;

	(void)arg;
	pthread_mutex_lock(&m);
	turn++;
	pthread_cond_signal(&there);
	while (turn < 100 && error == 0) {
		errno = KEPT;
		error = pthread_cond_wait(&c, &m);
		if (errno != KEPT)
			error = errno;
	}
	pthread_mutex_unlock(&m);
	return RESULT(error);
}

static void
waiting(void)
{
	pthread_t threads[3];
	void *result;
	long bad = 0;

	answers("cond_signal, nobody waits", pthread_cond_signal(&c), 0);
	answers("cond_broadcast, nobody waits", pthread_cond_broadcast(&c), 0);
	for (int i = 0; i < 3; i++)
		must(pthread_create(&threads[i], NULL, wait_turn, NULL) != 0);
	pthread_mutex_lock(&m);
	while (turn < 3)
		pthread_cond_wait(&there, &m);
	turn = 100;
	answers("cond_broadcast", pthread_cond_broadcast(&c), 0);
	pthread_mutex_unlock(&m);
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], &result);
		bad += (long)result;
	}
	is("cond_wait of three", bad, 0);
}

static void *
trylock(void *mutex)
{
	return RESULT(pthread_mutex_trylock(mutex));
}

static int
timed(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *t)
{
	int error;

	do
		error = pthread_cond_timedwait(cond, mutex, t);
	while (error == 0);
	return error;
}

static int
clocked(pthread_cond_t *cond, clockid_t clock, const struct timespec *t)
{
	int error;

	do
		error = pthread_cond_clockwait(cond, &m, clock, t);
	while (error == 0);
	return error;
}

static void
times(void)
{
	struct timespec t = soon(CLOCK_REALTIME);

	pthread_mutex_lock(&m);
	answers("cond_timedwait", timed(&c, &m, &t), ETIMEDOUT);
	is("cond_timedwait is not early", is_past(CLOCK_REALTIME, &t), 1);
	is_error("cond_timedwait has the mutex again",
		 (int)in_thread(trylock, &m), EBUSY);
	answers("cond_timedwait, past", timed(&c, &m, &past), ETIMEDOUT);
	is_error("cond_timedwait, past, has the mutex",
		 (int)in_thread(trylock, &m), EBUSY);
	answers("cond_timedwait, before the epoch",
		timed(&c, &m, &before_epoch), ETIMEDOUT);
	answers("cond_timedwait, 1e9 ns",
		pthread_cond_timedwait(&c, &m, &too_many), EINVAL);
	answers("cond_timedwait, -1 ns",
		pthread_cond_timedwait(&c, &m, &too_few), EINVAL);
	is_error("cond_timedwait, invalid, has the mutex",
		 (int)in_thread(trylock, &m), EBUSY);
	t = soon(CLOCK_MONOTONIC);
	answers("cond_clockwait, monotonic", clocked(&c, CLOCK_MONOTONIC, &t),
		ETIMEDOUT);
	is("cond_clockwait is not early", is_past(CLOCK_MONOTONIC, &t), 1);
	t = soon(CLOCK_REALTIME);
	answers("cond_clockwait, real", clocked(&c, CLOCK_REALTIME, &t),
		ETIMEDOUT);
	answers("cond_clockwait, past", clocked(&c, CLOCK_MONOTONIC, &past),
		ETIMEDOUT);
	answers("cond_clockwait, 1e9 ns",
		pthread_cond_clockwait(&c, &m, CLOCK_MONOTONIC, &too_many),
		EINVAL);
	answers("cond_clockwait, no such clock",
		pthread_cond_clockwait(&c, &m, CLOCK_PROCESS_CPUTIME_ID, &t),
		EINVAL);
	pthread_mutex_unlock(&m);
}

static void
by_attribute(void)
{
	pthread_condattr_t a;
	pthread_cond_t mono;

	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	answers("cond_init, monotonic", pthread_cond_init(&mono, &a), 0);
	struct timespec t = soon(CLOCK_MONOTONIC);
	pthread_mutex_lock(&m);
	answers("cond_timedwait, monotonic", timed(&mono, &m, &t), ETIMEDOUT);
	is("cond_timedwait, monotonic, is not early",
	   is_past(CLOCK_MONOTONIC, &t), 1);
	pthread_mutex_unlock(&m);
	answers("cond_destroy", pthread_cond_destroy(&mono), 0);
	answers("cond_init again", pthread_cond_init(&mono, NULL), 0);
	answers("cond_destroy again", pthread_cond_destroy(&mono), 0);
}

/* Waits for the mutex that it is given back: the recursion comes back too. */
static void
recursive(void)
{
	pthread_mutexattr_t a;
	pthread_mutex_t r;
	struct timespec t = soon(CLOCK_REALTIME);

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&r, &a);
	pthread_mutex_lock(&r);
	answers("cond_timedwait, recursive mutex", timed(&c, &r, &t),
		ETIMEDOUT);
	answers("unlock after it", pthread_mutex_unlock(&r), 0);
	answers("unlock too often after it", pthread_mutex_unlock(&r), EPERM);

	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&r, &a);
	answers("cond_wait, mutex not one's own", pthread_cond_wait(&c, &r),
		EPERM);
	answers("cond_timedwait, mutex not one's own",
		pthread_cond_timedwait(&c, &r, &t), EPERM);
}

/* glibc keeps no note of the mutex, so that two are possible where nobody
 * waits: first with one, then with the other. */
static void
two_mutexes(void)
{
	pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&m);
	answers("cond_timedwait with one mutex", timed(&c, &m, &past),
		ETIMEDOUT);
	pthread_mutex_unlock(&m);
	pthread_mutex_lock(&other);
	answers("cond_timedwait with another", timed(&c, &other, &past),
		ETIMEDOUT);
	pthread_mutex_unlock(&other);
}

struct shared {
	pthread_mutex_t m;
	pthread_cond_t c;
	int there, go;
};

static int
child_waits(void *arg)
{
	struct shared *s = arg;

	pthread_mutex_lock(&s->m);
	s->there = 1;
	pthread_cond_signal(&s->c);
	while (!s->go)
		pthread_cond_wait(&s->c, &s->m);
	pthread_mutex_unlock(&s->m);
	return 7;
}

static void
process_shared(void)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	int status;

	must(s == MAP_FAILED);
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->m, &ma);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&s->c, &ca);
	pid_t pid = fork();
	must(pid < 0);
	if (pid == 0)
		_exit(child_waits(s));
	pthread_mutex_lock(&s->m);
	while (!s->there)
		pthread_cond_wait(&s->c, &s->m);
	s->go = 1;
	pthread_cond_broadcast(&s->c);
	pthread_mutex_unlock(&s->m);
	waitpid(pid, &status, 0);
	is("cond_wait of two processes", WEXITSTATUS(status), 7);
	answers("cond_destroy, shared", pthread_cond_destroy(&s->c), 0);
}

/* After a broadcast the condition may be destroyed at once, although those
 * who waited have not all returned. */
struct brief {
	pthread_mutex_t m;
	pthread_cond_t c, there;
	int waiting, over;
};

static void *
waits_briefly(void *arg)
{
	struct brief *b = arg;

	pthread_mutex_lock(&b->m);
	b->waiting++;
	pthread_cond_signal(&b->there);
	while (!b->over)
		pthread_cond_wait(&b->c, &b->m);
	pthread_mutex_unlock(&b->m);
	return NULL;
}

static void
destroyed_at_once(void)
{
	long bad = 0;

	for (int i = 0; i < 20; i++) {
		struct brief b = { PTHREAD_MUTEX_INITIALIZER,
				   PTHREAD_COND_INITIALIZER,
				   PTHREAD_COND_INITIALIZER, 0, 0 };
		pthread_t threads[2];

		for (int j = 0; j < 2; j++)
			must(pthread_create(&threads[j], NULL, waits_briefly,
					    &b) != 0);
		pthread_mutex_lock(&b.m);
		while (b.waiting < 2)
			pthread_cond_wait(&b.there, &b.m);
		b.over = 1;
		pthread_cond_broadcast(&b.c);
		pthread_mutex_unlock(&b.m);
		bad += pthread_cond_destroy(&b.c);
		join(threads[0]);
		join(threads[1]);
	}
	is("cond_destroy right after broadcast, 20 times", bad, 0);
}

int
main(void)
{
	waiting();
	times();
	by_attribute();
	recursive();
	two_mutexes();
	process_shared();
	destroyed_at_once();
	return broken;
}
