/* SPDX-License-Identifier: MIT */
/*
 * bug: A consumer waits for a condition of the inner mutex and keeps the outer
 *      one, which the producer needs to get there.
 * oracle: deadlock
 * preemptions: 0
 * critical: consumer mutex.lock outer before producer mutex.lock outer
 */
#include "explore.h"

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static int items;

static void *
producer(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&outer);
	pthread_mutex_lock(&inner);
	items++;
	pthread_cond_signal(&not_empty);
	pthread_mutex_unlock(&inner);
	pthread_mutex_unlock(&outer);
	return NULL;
}

static void *
consumer(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&outer);
#ifdef FIXED
	pthread_mutex_unlock(&outer);
#endif
	pthread_mutex_lock(&inner);
	while (items == 0)
		pthread_cond_wait(&not_empty, &inner);
	items--;
	pthread_mutex_unlock(&inner);
#ifndef FIXED
	pthread_mutex_unlock(&outer);
#endif
	return NULL;
}

int
main(void)
{
	together(producer, consumer);
	return verdict(items == 0);
}
