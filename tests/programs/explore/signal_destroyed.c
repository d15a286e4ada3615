/* SPDX-License-Identifier: MIT */
/*
 * bug: The worker signals after it has unlocked; by then the owner can have
 *      seen that it is done and destroyed the condition.
 * oracle: misuse
 * preemptions: 1
 * critical: owner cond.destroy finished before worker cond.signal finished
 */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static int done;

static void *
worker(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	done = 1;
#ifdef FIXED
	pthread_cond_signal(&finished);
	pthread_mutex_unlock(&lock);
#else
	pthread_mutex_unlock(&lock);
	pthread_cond_signal(&finished);
#endif
	return NULL;
}

static void *
owner(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	while (!done)
		pthread_cond_wait(&finished, &lock);
	pthread_mutex_unlock(&lock);
	must(pthread_cond_destroy(&finished));
	return NULL;
}

int
main(void)
{
	together(worker, owner);
	return verdict(done);
}
