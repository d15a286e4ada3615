/* SPDX-License-Identifier: MIT */
/*
 * bug: main stops the worker when the queue is empty, though an item in work
 *      may still queue another; the worker leaves with that one undone.
 * oracle: exit
 * preemptions: 1
 * critical: drain mutex.lock lock before put mutex.lock lock
 * or: drain cond.reacquire lock before put mutex.lock lock
 */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static pthread_cond_t emptied = PTHREAD_COND_INITIALIZER;
static int items, stop, done;

CALL_SITE static void
put(void)
{
	pthread_mutex_lock(&lock);
	items++;
	pthread_cond_signal(&not_empty);
	pthread_mutex_unlock(&lock);
	HERE();
}

/* Returns 0 when there is nothing more to do. */
CALL_SITE static int
take(void)
{
	int taken = 0;

	pthread_mutex_lock(&lock);
	while (items == 0 && !stop)
		pthread_cond_wait(&not_empty, &lock);
#ifdef FIXED
	if (items > 0) {
#else
	if (!stop) {
#endif
		taken = 1;
		if (--items == 0)
			pthread_cond_signal(&emptied);
	}
	pthread_mutex_unlock(&lock);
	return taken;
}

CALL_SITE static void
drain(void)
{
	pthread_mutex_lock(&lock);
	while (items > 0)
		pthread_cond_wait(&emptied, &lock);
	stop = 1;
	pthread_cond_signal(&not_empty);
	pthread_mutex_unlock(&lock);
	HERE();
}

static void *
worker(void *unused)
{
	(void)unused;
	while (take()) {
		if (done++ == 0)
			put();
	}
	return NULL;
}

static void *
reader(void *unused)
{
	(void)unused;
	return NULL;
}

int
main(void)
{
	pthread_t work_thread, read_thread;

	put();
	must(pthread_create(&work_thread, NULL, worker, NULL));
	must(pthread_create(&read_thread, NULL, reader, NULL));
	must(pthread_join(read_thread, NULL));
	drain();
	must(pthread_join(work_thread, NULL));
	return verdict(done == 2);
}
