/* SPDX-License-Identifier: MIT */
/*
 * rwlock_both: a writer, a reader that tries and a second reader, over a
 * statically and an explicitly initialised rwlock; prints how the trier found
 * each, as in "static free, init busy".
 */
#include "explore.h"

static pthread_rwlock_t fixed = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t dynamic;
static int value;
static const char *found[2];

static void *
writer(void *unused)
{
	(void)unused;
	pthread_rwlock_wrlock(&fixed);
	value++;
	pthread_rwlock_unlock(&fixed);
	pthread_rwlock_wrlock(&dynamic);
	pthread_rwlock_unlock(&dynamic);
	return NULL;
}

CALL_SITE static const char *
try_read(pthread_rwlock_t *rwlock)
{
	if (pthread_rwlock_tryrdlock(rwlock))
		return "busy";
	pthread_rwlock_unlock(rwlock);
	return "free";
}

static void *
trier(void *unused)
{
	(void)unused;
	found[0] = try_read(&fixed);
	found[1] = try_read(&dynamic);
	return NULL;
}

static void *
reader(void *unused)
{
	(void)unused;
	pthread_rwlock_rdlock(&fixed);
	must(value > 1);
	pthread_rwlock_unlock(&fixed);
	return NULL;
}

int
main(void)
{
	must(pthread_rwlock_init(&dynamic, NULL));
	together(writer, trier, reader);
	say("static %s, init %s", found[0], found[1]);
	return 0;
}
