/* SPDX-License-Identifier: MIT */
/*
 * woken_held: a wait with a timeout is signalled by who then waits for the
 * waiter and keeps the mutex, if the waiter was there before: neither goes on,
 * since a wait that was woken has no timeout any more.  Else prints "ok".
 */
#include "explore.h"

#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static int waits, signalled;

static void *
waiter(void *unused)
{
	struct timespec end;

	(void)unused;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 1;
	pthread_mutex_lock(&lock);
	if (!signalled) {
		waits = 1;
		pthread_cond_timedwait(&ready, &lock, &end);
		waits = 0;
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

int
main(void)
{
	pthread_t thread;

	pthread_mutex_lock(&lock);
	must(pthread_create(&thread, NULL, waiter, NULL));
	pthread_mutex_unlock(&lock);
	pthread_mutex_lock(&lock);
	signalled = 1;
	pthread_cond_signal(&ready);
	if (waits)
		pthread_join(thread, NULL);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	return verdict(1);
}
