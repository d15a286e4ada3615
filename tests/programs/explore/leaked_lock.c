/* SPDX-License-Identifier: MIT */
/*
 * bug: The error path for an item that somebody else took returns without
 *      unlocking.
 * oracle: deadlock
 * preemptions: 1
 * critical: available mutex.lock lock before take mutex.lock lock
 */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int stock = 1, sold;

CALL_SITE static int
available(void)
{
	int n;

	pthread_mutex_lock(&lock);
	n = stock;
	pthread_mutex_unlock(&lock);
	return n;
}

CALL_SITE static int
take(void)
{
	pthread_mutex_lock(&lock);
	if (stock == 0) {
#ifdef FIXED
		pthread_mutex_unlock(&lock);
#endif
		return -1;
	}
	stock--;
	sold++;
	pthread_mutex_unlock(&lock);
	return 0;
}

static void *
buyer(void *unused)
{
	(void)unused;
	if (available())
		take();
	return NULL;
}

int
main(void)
{
	together(buyer, buyer);
	return verdict(available() == 0 && sold == 1);
}
