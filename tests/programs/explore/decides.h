/* SPDX-License-Identifier: MIT */
/* Two threads, of which each takes eight mutexes; draw() decides which. */
#include "explore.h"

static int draw(void);

static pthread_mutex_t even = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t odd = PTHREAD_MUTEX_INITIALIZER;
static int taken[2];

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
