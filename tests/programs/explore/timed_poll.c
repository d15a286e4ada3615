/* SPDX-License-Identifier: MIT */
/*
 * bug: A waiter polls with two timed waits and then takes a slow worker for
 *      a dead one.
 * oracle: exit
 * preemptions: 0
 * critical: waiter cond.reacquire lock before worker mutex.lock lock
 * or: waiter cond.wait finished before worker mutex.lock lock
 * or: waiter cond.wait finished before worker cond.signal finished
 */
#include "explore.h"

#define PATIENCE_MS 200

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static int done, polls, given_up;

static void *
worker(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	done = 1;
	pthread_cond_signal(&finished);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *
waiter(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	while (!done && !given_up) {
		struct timespec ts = deadline(CLOCK_REALTIME, PATIENCE_MS);

		pthread_cond_timedwait(&finished, &lock, &ts);
		polls++;
#ifndef FIXED
		if (!done && polls == 2)
			given_up = 1;
#endif
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

int
main(void)
{
	together(worker, waiter);
	return verdict(!given_up);
}
