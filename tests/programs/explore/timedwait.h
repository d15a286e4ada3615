/* SPDX-License-Identifier: MIT */
/* One timed wait on the condition `set`, with `lock`, by WAIT_CLOCK, and how
 * it came out. */
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
	struct timespec ts = deadline(WAIT_CLOCK, 500);
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
