/* SPDX-License-Identifier: MIT */
/*
 * outside_block: one thread works, the other waits for a line on standard
 * input; prints "ok" when both have ended.
 */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int steps;

static void *
reader(void *unused)
{
	(void)unused;
	wait_line(NULL, 0);
	pthread_mutex_lock(&lock);
	steps++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *
worker(void *unused)
{
	(void)unused;
	for (int i = 0; i < 3; i++) {
		pthread_mutex_lock(&lock);
		steps++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int
main(void)
{
	together(reader, worker);
	return verdict(steps == 4);
}
