/* SPDX-License-Identifier: MIT */
/* timedlock: prints "locked" or "timed out". */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *outcome;

static void *
owner(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *
taker(void *unused)
{
	struct timespec ts = deadline(CLOCK_REALTIME, 500);
	int error = pthread_mutex_timedlock(&lock, &ts);

	(void)unused;
	must(error != 0 && error != ETIMEDOUT);
	outcome = error ? "timed out" : "locked";
	if (!error)
		pthread_mutex_unlock(&lock);
	return NULL;
}

int
main(void)
{
	together(owner, taker);
	say("%s", outcome);
	return 0;
}
