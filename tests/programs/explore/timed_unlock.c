/* SPDX-License-Identifier: MIT */
/*
 * bug: After a timed lock that timed out the common way out unlocks the mutex
 *      of somebody else.
 * oracle: misuse
 * preemptions: 1
 * critical: impatient mutex.lock lock before keeper mutex.unlock lock
 * or: keeper mutex.lock lock before impatient mutex.lock lock
 */
#include "explore.h"

static pthread_mutex_t lock;
static int value, missed;

static void *
keeper(void *unused)
{
	(void)unused;
	must(pthread_mutex_lock(&lock));
	value++;
	must(pthread_mutex_unlock(&lock));
	return NULL;
}

static void *
impatient(void *unused)
{
	struct timespec ts = deadline(CLOCK_REALTIME, 500);

	(void)unused;
	if (pthread_mutex_timedlock(&lock, &ts)) {
		missed = 1;
#ifdef FIXED
		return NULL;
#endif
	} else {
		value++;
	}
	must(pthread_mutex_unlock(&lock));
	return NULL;
}

int
main(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	must(pthread_mutex_init(&lock, &attr));
	together(keeper, impatient);
	return verdict(value + missed == 2);
}
