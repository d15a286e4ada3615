/* SPDX-License-Identifier: MIT */
/*
 * bug: A one-time initialisation takes a mutex, and a thread that has this
 *      mutex waits for the initialisation.
 * oracle: deadlock
 * preemptions: 1
 * critical: reporter mutex.lock registry before load mutex.lock registry
 * or: client once once before reporter once once
 */
#include "explore.h"

#include <threads.h>

/* Recursive: whoever initialises may have it already. */
static pthread_mutex_t registry = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static once_flag once = ONCE_FLAG_INIT;
static int entries, reported;

static void
load(void)
{
	pthread_mutex_lock(&registry);
	entries = 3;
	pthread_mutex_unlock(&registry);
	HERE();
}

static void *
client(void *unused)
{
	(void)unused;
	call_once(&once, load);
	return NULL;
}

static void *
reporter(void *unused)
{
	(void)unused;
#ifdef FIXED
	call_once(&once, load);
#endif
	pthread_mutex_lock(&registry);
	call_once(&once, load);
	reported = entries;
	pthread_mutex_unlock(&registry);
	return NULL;
}

int
main(void)
{
	together(client, reporter);
	return verdict(reported == 3);
}
