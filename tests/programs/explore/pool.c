/* SPDX-License-Identifier: MIT */
/*
 * bug: 24 threads share a pool of two; one that gives back signals only if
 *      the pool was empty, so that of two given back in a row one wakes
 *      nobody.
 * oracle: deadlock
 * preemptions: 2
 * critical: put mutex.lock lock before get cond.reacquire lock
 */
#include "explore.h"

#define THREADS 24

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given_back = PTHREAD_COND_INITIALIZER;
static int unused_ones = 2;

CALL_SITE static void
get(void)
{
	pthread_mutex_lock(&lock);
	while (unused_ones == 0)
		pthread_cond_wait(&given_back, &lock);
	unused_ones--;
	pthread_mutex_unlock(&lock);
	HERE();
}

CALL_SITE static void
put(void)
{
	pthread_mutex_lock(&lock);
#ifdef FIXED
	unused_ones++;
	pthread_cond_signal(&given_back);
#else
	if (unused_ones++ == 0)
		pthread_cond_signal(&given_back);
#endif
	pthread_mutex_unlock(&lock);
	HERE();
}

static void *
worker(void *unused)
{
	(void)unused;
	get();
	put();
	return NULL;
}

int
main(void)
{
	run_many(worker, THREADS);
	return verdict(unused_ones == 2);
}
