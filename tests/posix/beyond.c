/* SPDX-License-Identifier: MIT */
/* What is kept in every mode but the scheduled one: see posix.test. */
#include "promise.h"

#include <sys/mman.h>
#include <threads.h>

static int
child_meets(void *b)
{
	int r = pthread_barrier_wait(b);

	return r == PTHREAD_BARRIER_SERIAL_THREAD ? 1 : r;
}

static void
shared_barrier(void)
{
	pthread_barrierattr_t a;
	pthread_barrier_t *b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	must(b == MAP_FAILED);
	pthread_barrierattr_init(&a);
	pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	answers("barrier_init, shared", pthread_barrier_init(b, &a, 2), 0);
	pid_t pid = fork();
	must(pid < 0);
	if (pid == 0)
		_exit(child_meets(b));
	int mine = child_meets(b);
	waitpid(pid, &status, 0);
	is("barrier_wait of two processes: one serial",
	   mine + WEXITSTATUS(status), 1);
	answers("barrier_destroy, shared", pthread_barrier_destroy(b), 0);
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

static void *
waits_for(void *m)
{
	return RESULT(pthread_mutex_lock(m) + pthread_mutex_unlock(m));
}

static void
tryjoin(void)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_t t;

	pthread_mutex_lock(&m);
	must(pthread_create(&t, NULL, waits_for, &m) != 0);
	answers("tryjoin, alive", pthread_tryjoin_np(t, NULL), EBUSY);
	pthread_mutex_unlock(&m);
	join(t);
}

static void
reads_from_popen(void)
{
	char line[32] = "";

	FILE *f = popen("echo $((1 + 2)); exit 5", "r");
	must(f == NULL);
	is("popen, reading", fgets(line, sizeof(line), f) && line[0] == '3', 1);
	is("pclose", WEXITSTATUS(pclose(f)), 5);
}

int
main(void)
{
	reads_from_popen();
	answers("join oneself", pthread_join(pthread_self(), NULL), EDEADLK);
	tryjoin();
	invalid_times();
	shared_barrier();
	is("system: killed", WTERMSIG(system("kill -9 $$")), SIGKILL);
	return broken;
}
