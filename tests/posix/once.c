/* SPDX-License-Identifier: MIT */
/* pthread_once, call_once. */
#include "promise.h"

#include <threads.h>

static int runs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
count(void)
{
	pthread_mutex_lock(&lock);
	runs++;
	pthread_mutex_unlock(&lock);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static once_flag flag = ONCE_FLAG_INIT;

static void *
by_thread(void *arg)
{
	(void)arg;
	errno = KEPT;
	int error = pthread_once(&once, count);
	if (error == 0 && errno != KEPT)
		error = errno;
	/* Whoever returns finds it done. */
	pthread_mutex_lock(&lock);
	if (runs != 1)
		error = 1000;
	pthread_mutex_unlock(&lock);
	return RESULT(error);
}

static void *
by_c11(void *arg)
{
	(void)arg;
	call_once(&flag, count);
	pthread_mutex_lock(&lock);
	int error = runs != 1;
	pthread_mutex_unlock(&lock);
	return RESULT(error);
}

static void
many(const char *name, void *(*f)(void *))
{
	pthread_t threads[8];
	void *result;
	long bad = 0;

	runs = 0;
	for (int i = 0; i < 8; i++)
		must(pthread_create(&threads[i], NULL, f, NULL) != 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &result);
		bad += (long)result;
	}
	is(name, runs * 1000 + bad, 1000);
}

static pthread_once_t cancelled_once = PTHREAD_ONCE_INIT;

static void
cancelled_in(void)
{
	runs++;
	if (runs == 1) {
		pthread_cancel(pthread_self());
		pthread_testcancel();
	}
}

static void *
is_cancelled(void *arg)
{
	(void)arg;
	pthread_once(&cancelled_once, cancelled_in);
	return RESULT(1);
}

static pthread_once_t exited_once = PTHREAD_ONCE_INIT;

static void
exits_in(void)
{
	if (++runs == 1)
		pthread_exit(RESULT(9));
}

static void *
exits(void *arg)
{
	(void)arg;
	pthread_once(&exited_once, exits_in);
	return RESULT(1);
}

static pthread_once_t outer = PTHREAD_ONCE_INIT, inner = PTHREAD_ONCE_INIT;

static void
nests(void)
{
	pthread_once(&inner, count);
	count();
}

int
main(void)
{
	many("pthread_once by eight", by_thread);
	many("call_once by eight", by_c11);
	answers("pthread_once, done", pthread_once(&once, count), 0);
	is("pthread_once, done, runs nothing", runs, 1);

	runs = 0;
	is("pthread_once, cancelled in it",
	   in_thread(is_cancelled, NULL) == (long)PTHREAD_CANCELED, 1);
	is("pthread_once after the cancellation", in_thread(is_cancelled, NULL),
	   1);
	is("pthread_once has run anew", runs, 2);
	runs = 0;
	is("pthread_once, pthread_exit in it", in_thread(exits, NULL), 9);
	answers("pthread_once after the exit",
		pthread_once(&exited_once, exits_in), 0);
	is("pthread_once has run anew after the exit", runs, 2);
	runs = 0;
	answers("pthread_once within another", pthread_once(&outer, nests), 0);
	is("both have run", runs, 2);
	return broken;
}
