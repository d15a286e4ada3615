/* SPDX-License-Identifier: MIT */
/*
 * bug: A consumer tests for an item with `if` before it waits, not `while`:
 *      when it wakes up, a third thread has taken the item.
 * oracle: crash
 * preemptions: 1
 * critical: take mutex.lock lock before take cond.reacquire lock
 *
 * -DHALF, mended by half: who is woken looks again, but is only told when the
 * first item comes.
 */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static int items;

CALL_SITE static void
put(void)
{
	pthread_mutex_lock(&lock);
#ifdef HALF
	if (items++ == 0)
		pthread_cond_signal(&not_empty);
#else
	items++;
	pthread_cond_signal(&not_empty);
#endif
	pthread_mutex_unlock(&lock);
	HERE();
}

CALL_SITE static void
take(void)
{
	pthread_mutex_lock(&lock);
#if defined(FIXED) || defined(HALF)
	while (items == 0)
#else
	if (items == 0)
#endif
		pthread_cond_wait(&not_empty, &lock);
	must(items < 1);
	items--;
	pthread_mutex_unlock(&lock);
	HERE();
}

static void *
producer(void *unused)
{
	(void)unused;
	put();
	put();
	return NULL;
}

static void *
consumer(void *unused)
{
	(void)unused;
	take();
	return NULL;
}

int
main(void)
{
	together(producer, consumer, consumer);
	return verdict(items == 0);
}
