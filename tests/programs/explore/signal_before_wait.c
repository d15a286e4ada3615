/* SPDX-License-Identifier: MIT */
/*
 * bug: The waiter looks in one critical section and waits in the next; a
 *      signal in between finds nobody and is lost.
 * oracle: deadlock
 * preemptions: 1
 * critical: worker cond.signal finished before waiter cond.wait finished
 * or: worker mutex.lock lock before waiter mutex.lock lock
 */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static int done;

#ifndef FIXED
CALL_SITE static int
is_done(void)
{
	int value;

	pthread_mutex_lock(&lock);
	value = done;
	pthread_mutex_unlock(&lock);
	return value;
}
#endif

static void *
waiter(void *unused)
{
	(void)unused;
#ifdef FIXED
	pthread_mutex_lock(&lock);
	while (!done)
		pthread_cond_wait(&finished, &lock);
	pthread_mutex_unlock(&lock);
#else
	while (!is_done()) {
		pthread_mutex_lock(&lock);
		pthread_cond_wait(&finished, &lock);
		pthread_mutex_unlock(&lock);
	}
#endif
	return NULL;
}

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

int
main(void)
{
	together(worker, waiter);
	return verdict(done);
}
