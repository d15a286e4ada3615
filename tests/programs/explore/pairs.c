/* SPDX-License-Identifier: MIT */
/* pairs THREADS K: each thread locks and unlocks one mutex K times. */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long pairs, passed;

static void *
worker(void *unused)
{
	(void)unused;
	for (long i = 0; i < pairs; i++) {
		pthread_mutex_lock(&lock);
		passed++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	long threads = argc == 3 ? atol(argv[1]) : 0;

	if (threads < 1 || threads > MOST_THREADS)
		die("usage: pairs THREADS K");
	pairs = atol(argv[2]);
	run_many(worker, threads);
	return verdict(passed == threads * pairs);
}
