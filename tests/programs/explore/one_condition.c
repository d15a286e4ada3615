/* SPDX-License-Identifier: MIT */
/*
 * bug: One condition serves those who wait for an item and those who wait
 *      for room; a signal meant for the producer wakes a consumer, and all
 *      sleep.
 * oracle: deadlock
 * preemptions: 0
 * critical: take cond.wait changed before put cond.wait changed
 * or: take mutex.lock lock before put mutex.lock lock
 * or: put mutex.lock lock before take cond.reacquire lock
 */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int full;

#ifdef FIXED
static pthread_cond_t emptied = PTHREAD_COND_INITIALIZER;
#define ROOM (&emptied)
#else
#define ROOM (&changed)
#endif

CALL_SITE static void
put(void)
{
	pthread_mutex_lock(&lock);
	while (full)
		pthread_cond_wait(ROOM, &lock);
	full = 1;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	HERE();
}

CALL_SITE static void
take(void)
{
	pthread_mutex_lock(&lock);
	while (!full)
		pthread_cond_wait(&changed, &lock);
	full = 0;
	pthread_cond_signal(ROOM);
	pthread_mutex_unlock(&lock);
	HERE();
}

static void *
producer(void *unused)
{
	(void)unused;
	put();
	put();
	return NULL;
}

static void *
consumer(void *unused)
{
	(void)unused;
	take();
	return NULL;
}

int
main(void)
{
	together(producer, consumer, consumer);
	return verdict(!full);
}
