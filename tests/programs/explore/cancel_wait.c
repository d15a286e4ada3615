/* SPDX-License-Identifier: MIT */
/*
 * bug: A thread cancelled while it waits for a condition dies with the mutex,
 *      for want of a clean-up handler.
 * oracle: deadlock
 * preemptions: 0
 * critical: canceller thread.cancel P1.T0.2 before putter mutex.lock lock
 * or: taker cond.wait not_empty before canceller thread.cancel P1.T0.2
 * or: taker cond.reacquire lock before putter mutex.lock lock
 */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static pthread_t taker_thread;
static int items;

#ifdef FIXED
static void
unlock(void *mutex)
{
	pthread_mutex_unlock(mutex);
}
#endif

static void *
putter(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	items++;
	pthread_cond_signal(&not_empty);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *
taker(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
#ifdef FIXED
	pthread_cleanup_push(unlock, &lock);
#endif
	while (items == 0)
		pthread_cond_wait(&not_empty, &lock);
	items--;
#ifdef FIXED
	pthread_cleanup_pop(1);
#else
	pthread_mutex_unlock(&lock);
#endif
	return NULL;
}

static void *
canceller(void *unused)
{
	(void)unused;
	must(pthread_cancel(taker_thread));
	return NULL;
}

int
main(void)
{
	pthread_t put_thread, cancel_thread;

	must(pthread_create(&put_thread, NULL, putter, NULL));
	must(pthread_create(&taker_thread, NULL, taker, NULL));
	must(pthread_create(&cancel_thread, NULL, canceller, NULL));
	must(pthread_join(put_thread, NULL));
	must(pthread_join(cancel_thread, NULL));
	must(pthread_join(taker_thread, NULL));
	return verdict(items <= 1);
}
