/* SPDX-License-Identifier: MIT */
/*
 * bug: One that finds the second mutex taken backs off without releasing the
 *      first, for which the other then waits.
 * oracle: deadlock
 * preemptions: 1
 * critical: writer mutex.lock index_lock
 *      before attempt mutex.trylock index_lock
 */
#include "explore.h"

static pthread_mutex_t page = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t index_lock = PTHREAD_MUTEX_INITIALIZER;
static int written, skipped;

CALL_SITE static int
attempt(void)
{
	pthread_mutex_lock(&page);
	if (pthread_mutex_trylock(&index_lock)) {
#ifdef FIXED
		pthread_mutex_unlock(&page);
#endif
		return 0;
	}
	written++;
	pthread_mutex_unlock(&index_lock);
	pthread_mutex_unlock(&page);
	return 1;
}

static void *
cleaner(void *unused)
{
	(void)unused;
	if (!attempt())
		skipped++;
	return NULL;
}

static void *
writer(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&index_lock);
	pthread_mutex_lock(&page);
	written++;
	pthread_mutex_unlock(&page);
	pthread_mutex_unlock(&index_lock);
	return NULL;
}

int
main(void)
{
	together(cleaner, writer);
	return verdict(written + skipped == 2);
}
