/* SPDX-License-Identifier: MIT */
/*
 * rdtsc_decides: the time stamp counter, which no preload sees, decides which
 * mutexes its threads take.
 */
#include "explore.h"

#include <x86intrin.h>

static pthread_mutex_t even = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t odd = PTHREAD_MUTEX_INITIALIZER;
static int taken[2];

CALL_SITE static int
draw(void)
{
	return (int)(__rdtsc() >> 6 & 1);
}

static void *
worker(void *unused)
{
	(void)unused;
	for (int i = 0; i < 8; i++) {
		int bit = draw();
		pthread_mutex_t *mutex = bit ? &odd : &even;

		pthread_mutex_lock(mutex);
		taken[bit]++;
		pthread_mutex_unlock(mutex);
	}
	return NULL;
}

int
main(void)
{
	together(worker, worker);
	return verdict(taken[0] + taken[1] == 16);
}
