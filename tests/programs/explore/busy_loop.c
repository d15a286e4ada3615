/* SPDX-License-Identifier: MIT */
/*
 * busy_loop: one thread works and ends, the other goes round without a call
 * for ever.  SIGTERM ends it.
 */
#include "explore.h"

#include <stdatomic.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_ulong rounds;
static int worked;

static void *
worker(void *unused)
{
	(void)unused;
	for (int i = 0; i < 3; i++) {
		pthread_mutex_lock(&lock);
		worked++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *
spinner(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	for (;;)
		atomic_fetch_add_explicit(&rounds, 1, memory_order_relaxed);
	return NULL;
}

int
main(void)
{
	together(worker, spinner);
	return verdict(0);
}
