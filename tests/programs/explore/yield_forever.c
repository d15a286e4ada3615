/* SPDX-License-Identifier: MIT */
/*
 * bug: A worker that is cancelled before it began leaves without saying that
 *      it is done, and main yields for ever.
 * oracle: livelock
 * preemptions: 0
 * critical: canceller mutex.lock lock before worker mutex.lock lock
 */
#include "explore.h"

#include <sched.h>
#include <stdatomic.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int cancelled, worked;
static atomic_int done;

static void *
worker(void *unused)
{
	int go_on;

	(void)unused;
	pthread_mutex_lock(&lock);
	go_on = !cancelled;
	if (go_on)
		worked = 1;
	pthread_mutex_unlock(&lock);
#ifndef FIXED
	if (!go_on)
		return NULL;
#endif
	atomic_store(&done, 1);
	return NULL;
}

static void *
canceller(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	cancelled = 1;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int
main(void)
{
	pthread_t threads[2];

	must(pthread_create(&threads[0], NULL, worker, NULL));
	must(pthread_create(&threads[1], NULL, canceller, NULL));
	while (!atomic_load(&done))
		sched_yield();
	for (int i = 0; i < 2; i++)
		must(pthread_join(threads[i], NULL));
	return verdict(cancelled);
}
