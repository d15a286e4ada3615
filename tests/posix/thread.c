/* SPDX-License-Identifier: MIT */
/* Threads: creation, joining, ends, names, specific data, and a thousand. */
#include "promise.h"

#include <limits.h>
#include <stdbool.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *
returns(void *arg)
{
	return arg;
}

static void *
exits(void *arg)
{
	pthread_exit(arg);
}

/* Ends when main lets the gate go. */
static void *
stays(void *arg)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return arg;
}

static void *
joins(void *thread)
{
	return RESULT(pthread_join(*(pthread_t *)thread, NULL));
}

/* Where virtual time comes to its end before the thread does, again. */
static int
timed_join(pthread_t t, void **result, bool by_clock)
{
	struct timespec until;
	int error;

	do {
		until = later(CLOCK_REALTIME);
		error = by_clock ?
			    pthread_clockjoin_np(t, result, CLOCK_REALTIME,
						 &until) :
			    pthread_timedjoin_np(t, result, &until);
	} while (error == ETIMEDOUT);
	return error;
}

static void
joining(void)
{
	pthread_t t;
	void *result = NULL;
	struct timespec near = soon(CLOCK_REALTIME);
	struct timespec mono = soon(CLOCK_MONOTONIC);

	answers("create", pthread_create(&t, NULL, returns, RESULT(5)), 0);
	answers("join", pthread_join(t, &result), 0);
	is("join: what it returned", (long)result, 5);
	must(pthread_create(&t, NULL, exits, RESULT(6)) != 0);
	answers("timedjoin", timed_join(t, &result, false), 0);
	is("timedjoin: what it gave to exit", (long)result, 6);

	pthread_mutex_lock(&gate);
	must(pthread_create(&t, NULL, stays, RESULT(7)) != 0);
	answers("timedjoin, alive", pthread_timedjoin_np(t, &result, &near),
		ETIMEDOUT);
	is("timedjoin is not early", is_past(CLOCK_REALTIME, &near), 1);
	answers("clockjoin, alive",
		pthread_clockjoin_np(t, &result, CLOCK_MONOTONIC, &mono),
		ETIMEDOUT);
	is("clockjoin is not early", is_past(CLOCK_MONOTONIC, &mono), 1);
	answers("timedjoin, alive, past",
		pthread_timedjoin_np(t, &result, &past), ETIMEDOUT);
	pthread_mutex_unlock(&gate);
	answers("clockjoin, ended", timed_join(t, &result, true), 0);
	is("clockjoin: what it returned", (long)result, 7);
}

static void
detaching(void)
{
	pthread_attr_t a;
	pthread_t t;

	pthread_mutex_lock(&gate);
	must(pthread_create(&t, NULL, stays, NULL) != 0);
	answers("detach", pthread_detach(t), 0);
	answers("detach, detached", pthread_detach(t), EINVAL);
	answers("join, detached", pthread_join(t, NULL), EINVAL);
	pthread_mutex_unlock(&gate);

	pthread_attr_init(&a);
	pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	pthread_mutex_lock(&gate);
	answers("create, detached", pthread_create(&t, &a, stays, NULL), 0);
	answers("join, created detached", pthread_join(t, NULL), EINVAL);
	pthread_mutex_unlock(&gate);
	pthread_attr_destroy(&a);
}

static void
attributes(void)
{
	pthread_attr_t a;
	pthread_t t;
	size_t size = 0;
	void *stack = NULL;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, PTHREAD_STACK_MIN);
	answers("create, smallest stack", pthread_create(&t, &a, returns, NULL),
		0);
	join(t);
	stack = aligned_alloc(4096, 65536);
	must(stack == NULL);
	pthread_attr_setstack(&a, stack, 65536);
	answers("create, own stack", pthread_create(&t, &a, returns, &size), 0);
	join(t);
	free(stack);
	pthread_attr_destroy(&a);
	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, (size_t)1 << 46);
	is_error("create, no memory", pthread_create(&t, &a, returns, NULL),
		 EAGAIN);
	pthread_attr_destroy(&a);
}

static void
names(void)
{
	char name[16] = "";

	answers("setname",
		pthread_setname_np(pthread_self(), "fifteen-letters"), 0);
	pthread_getname_np(pthread_self(), name, sizeof(name));
	verdict("getname", name, "fifteen-letters");
	answers("setname, too long",
		pthread_setname_np(pthread_self(), "sixteen-letters."), ERANGE);
}

/* Destructors of specific data: they lock, and set it again. */
static pthread_key_t key;
static int destroyed, again;

static void
destroys(void *value)
{
	pthread_mutex_lock(&gate);
	destroyed++;
	pthread_mutex_unlock(&gate);
	if (value == RESULT(2)) {
		again++;
		pthread_setspecific(key, RESULT(1));
	}
}

static void *
has_specific(void *value)
{
	pthread_setspecific(key, value);
	return NULL;
}

static void *
has_and_is_cancelled(void *value)
{
	pthread_setspecific(key, value);
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return NULL;
}

static void
specific(void)
{
	must(pthread_key_create(&key, destroys) != 0);
	in_thread(has_specific, RESULT(1));
	is("a destructor that locks", destroyed, 1);
	in_thread(has_specific, RESULT(2));
	is("a destructor that sets its value again", destroyed * 10 + again,
	   31);
	in_thread(has_and_is_cancelled, RESULT(1));
	is("a destructor after cancellation", destroyed, 4);
	pthread_key_delete(key);
}

static int cleaned;

static void
cleans(void *arg)
{
	cleaned = cleaned * 10 + (int)(long)arg;
	pthread_mutex_unlock(&gate);
}

static void *
cancelled_holding(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&gate);
	pthread_cleanup_push(cleans, RESULT(1));
	pthread_cancel(pthread_self());
	pthread_testcancel();
	pthread_cleanup_pop(0);
	return NULL;
}

static void
cancelling(void)
{
	pthread_t t;
	void *result;

	is("cancelled: what it comes to",
	   in_thread(cancelled_holding, NULL) == (long)PTHREAD_CANCELED, 1);
	is("cancelled: its handlers ran", cleaned, 1);
	answers("what they unlocked", pthread_mutex_trylock(&gate), 0);
	must(pthread_create(&t, NULL, stays, RESULT(3)) != 0);
	answers("cancel", pthread_cancel(t), 0);
	pthread_mutex_unlock(&gate);
	pthread_join(t, &result);
	is("a lock is no cancellation point", (long)result, 3);
	must(pthread_create(&t, NULL, returns, RESULT(3)) != 0);
	pthread_t u;
	must(pthread_create(&u, NULL, joins, &t) != 0);
	pthread_join(u, &result);
	is("join by a third", (long)result, 0);
}

#define MANY 1000

static long total;

static void *
adds(void *arg)
{
	pthread_mutex_lock(&gate);
	total += (long)arg;
	pthread_mutex_unlock(&gate);
	return arg;
}

static void
thousand(int n)
{
	static pthread_t threads[MANY];
	pthread_attr_t a;
	void *result;
	long sum = 0;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 65536);
	pthread_mutex_lock(&gate);
	for (int i = 0; i < n; i++)
		must(pthread_create(&threads[i], &a, adds, RESULT(i)) != 0);
	pthread_mutex_unlock(&gate);
	for (int i = 0; i < n; i++) {
		must(pthread_join(threads[i], &result) != 0);
		sum += (long)result;
	}
	is("many threads at once: what they returned", sum,
	   (long)n * (n - 1) / 2);
	is("many threads at once: what they did", total, (long)n * (n - 1) / 2);
}

int
main(void)
{
	joining();
	detaching();
	attributes();
	names();
	specific();
	cancelling();
	thousand(MANY);
	return broken;
}
