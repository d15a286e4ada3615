/* SPDX-License-Identifier: MIT */
/*
 * bug: On the path for a connection closed meanwhile the sender unlocks, does
 *      not return, and unlocks again what is no longer its own.
 * oracle: misuse
 * preemptions: 1
 * critical: closer mutex.lock lock before transmit mutex.lock lock
 */
#include "explore.h"

static pthread_mutex_t lock;
static int is_open = 1, sent, failed;

CALL_SITE static int
connected(void)
{
	int value;

	pthread_mutex_lock(&lock);
	value = is_open;
	pthread_mutex_unlock(&lock);
	return value;
}

CALL_SITE static void
transmit(void)
{
	pthread_mutex_lock(&lock);
	if (!is_open) {
		failed++;
		must(pthread_mutex_unlock(&lock));
#ifdef FIXED
		return;
#endif
	} else {
		sent++;
	}
	must(pthread_mutex_unlock(&lock));
}

static void *
sender(void *unused)
{
	(void)unused;
	if (connected())
		transmit();
	return NULL;
}

static void *
closer(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	is_open = 0;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int
main(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	must(pthread_mutex_init(&lock, &attr));
	together(sender, closer);
	return verdict(sent + failed <= 1);
}
