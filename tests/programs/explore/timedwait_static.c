/* SPDX-License-Identifier: MIT */
/*
 * timedwait_static: one timed wait on a statically initialised condition;
 * prints "early" (nothing to wait for), "signalled" or "timed out".
 */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t set = PTHREAD_COND_INITIALIZER;
static int value;
static const char *outcome = "early";

static void *
setter(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	value = 1;
	pthread_cond_signal(&set);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *
waiter(void *unused)
{
	struct timespec ts = deadline(CLOCK_REALTIME, 500);
	int error = 0;

	(void)unused;
	pthread_mutex_lock(&lock);
	while (!value && !error) {
		error = pthread_cond_timedwait(&set, &lock, &ts);
		must(error != 0 && error != ETIMEDOUT);
		outcome = error ? "timed out" : "signalled";
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

int
main(void)
{
	together(waiter, setter);
	say("%s", outcome);
	return 0;
}
