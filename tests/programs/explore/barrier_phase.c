/* SPDX-License-Identifier: MIT */
/*
 * bug: The last to arrive at the barrier decides after it that this was the
 *      last phase; another may already have gone on to the next one, and
 *      waits there alone.
 * oracle: deadlock
 * preemptions: 1
 * critical: more mutex.lock lock before finish mutex.lock lock
 */
#include "explore.h"

static pthread_barrier_t barrier;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int stop;

CALL_SITE static int
more(void)
{
	int answer;

	pthread_mutex_lock(&lock);
	answer = !stop;
	pthread_mutex_unlock(&lock);
	return answer;
}

CALL_SITE static void
finish(void)
{
	pthread_mutex_lock(&lock);
	stop = 1;
	pthread_mutex_unlock(&lock);
	HERE();
}

static void *
reader(void *unused)
{
	(void)unused;
	return NULL;
}

/* The next block is read in a thread of its own. */
static void
read_block(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, reader, NULL));
	must(pthread_join(thread, NULL));
}

static void *
worker(void *unused)
{
	(void)unused;
	do {
		if (pthread_barrier_wait(&barrier) ==
		    PTHREAD_BARRIER_SERIAL_THREAD)
			finish();
		else
			read_block();
#ifdef FIXED
		pthread_barrier_wait(&barrier);
#endif
	} while (more());
	return NULL;
}

int
main(void)
{
	must(pthread_barrier_init(&barrier, NULL, 2));
	together(worker, worker);
	must(pthread_barrier_destroy(&barrier));
	return verdict(stop);
}
