/* SPDX-License-Identifier: MIT */
/*
 * timedwait_init: one timed wait, by the monotonic clock, on a condition from
 * pthread_cond_init; prints "early" (nothing to wait for), "signalled" or
 * "timed out".
 */
#include "explore.h"

static pthread_mutex_t lock;
static pthread_cond_t set;
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
	struct timespec ts = deadline(CLOCK_MONOTONIC, 500);
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
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	must(pthread_mutex_init(&lock, NULL));
	must(pthread_cond_init(&set, &attr));
	together(waiter, setter);
	say("%s", outcome);
	return 0;
}
