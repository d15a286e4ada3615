/* SPDX-License-Identifier: MIT */
/* clock_decides: the clock decides which mutexes its threads take. */
#include "explore.h"

static pthread_mutex_t even = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t odd = PTHREAD_MUTEX_INITIALIZER;
static int taken[2];

CALL_SITE static int
draw(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)(now.tv_nsec / 64 & 1);
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
