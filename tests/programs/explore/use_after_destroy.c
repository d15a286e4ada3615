/* SPDX-License-Identifier: MIT */
/*
 * bug: The owner destroys the mutex as soon as the work is done, while the
 *      worker is still going to take it once more.
 * oracle: misuse
 * preemptions: 1
 * critical: owner mutex.destroy lock before count mutex.lock lock
 */
#include "explore.h"

static pthread_mutex_t lock;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static int done, counted;

CALL_SITE static void
count(void)
{
	must(pthread_mutex_lock(&lock));
	counted++;
	must(pthread_mutex_unlock(&lock));
}

static void *
worker(void *unused)
{
	(void)unused;
	must(pthread_mutex_lock(&lock));
	done = 1;
	pthread_cond_signal(&finished);
	must(pthread_mutex_unlock(&lock));
	count();
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
#ifndef FIXED
	must(pthread_mutex_destroy(&lock));
#endif
	return NULL;
}

int
main(void)
{
	must(pthread_mutex_init(&lock, NULL));
	together(worker, owner);
#ifdef FIXED
	must(pthread_mutex_destroy(&lock));
#endif
	return verdict(counted == 1);
}
