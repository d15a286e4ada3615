/* SPDX-License-Identifier: MIT */
/*
 * bug: Three threads each hold one of three mutexes and want the next one's.
 * oracle: deadlock
 * preemptions: 1
 * critical: parser mutex.lock input before writer mutex.lock input
 * or: checker mutex.lock tree before parser mutex.lock tree
 * or: writer mutex.lock output before checker mutex.lock output
 *
 * -DHALF, mended by half: the cycle of three is broken, and one of two is
 * there now.
 */
#include "explore.h"

static pthread_mutex_t input = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t tree = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

static void *
parser(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&input);
	pthread_mutex_lock(&tree);
	pthread_mutex_unlock(&tree);
	pthread_mutex_unlock(&input);
	return NULL;
}

static void *
checker(void *unused)
{
	(void)unused;
#ifdef HALF
	pthread_mutex_lock(&output);
	pthread_mutex_lock(&tree);
#else
	pthread_mutex_lock(&tree);
	pthread_mutex_lock(&output);
#endif
	pthread_mutex_unlock(&output);
	pthread_mutex_unlock(&tree);
	return NULL;
}

static void *
writer(void *unused)
{
	pthread_mutex_t *first = &input;

	(void)unused;
#if defined(FIXED)
	pthread_mutex_lock(&input);
	pthread_mutex_lock(&output);
#elif defined(HALF)
	first = &tree;
	pthread_mutex_lock(&tree);
	pthread_mutex_lock(&output);
#else
	pthread_mutex_lock(&output);
	pthread_mutex_lock(&input);
#endif
	pthread_mutex_unlock(first);
	pthread_mutex_unlock(&output);
	return NULL;
}

int
main(void)
{
	together(parser, checker, writer);
	return verdict(1);
}
