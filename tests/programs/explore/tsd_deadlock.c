/* SPDX-License-Identifier: MIT */
/*
 * bug: The destructor of an ending thread's specific data takes two mutexes,
 *      another thread takes them in the opposite order.
 * oracle: deadlock
 * preemptions: 1
 * critical: forget mutex.lock registry before sweeper mutex.lock registry
 * or: sweeper mutex.lock pool before forget mutex.lock pool
 */
#include "explore.h"

static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t pool = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;
static int buffer, registered, pooled;

static void
forget(void *value)
{
	(void)value;
	pthread_mutex_lock(&registry);
	registered--;
	pthread_mutex_lock(&pool);
	pooled++;
	pthread_mutex_unlock(&pool);
	pthread_mutex_unlock(&registry);
	HERE();
}

static void *
user(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&registry);
	registered++;
	pthread_mutex_unlock(&registry);
	must(pthread_setspecific(key, &buffer));
	return NULL;
}

static void *
sweeper(void *unused)
{
	(void)unused;
#ifdef FIXED
	pthread_mutex_lock(&registry);
	pthread_mutex_lock(&pool);
#else
	pthread_mutex_lock(&pool);
	pthread_mutex_lock(&registry);
#endif
	if (registered == 0)
		pooled = 0;
	pthread_mutex_unlock(&registry);
	pthread_mutex_unlock(&pool);
	return NULL;
}

int
main(void)
{
	must(pthread_key_create(&key, forget));
	together(user, sweeper);
	return verdict(registered == 0);
}
