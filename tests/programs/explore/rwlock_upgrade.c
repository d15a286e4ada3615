/* SPDX-License-Identifier: MIT */
/*
 * bug: A reader that finds the entry gone asks for the write lock while it
 *      still has the read lock.
 * oracle: deadlock
 * preemptions: 1
 * critical: invalidator rwlock.wrlock table before get rwlock.rdlock table
 */
#include "explore.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static int entry;

CALL_SITE static void
fill(void)
{
	pthread_rwlock_wrlock(&table);
	entry = 7;
	pthread_rwlock_unlock(&table);
	HERE();
}

CALL_SITE static int
get(void)
{
	int value;

	pthread_rwlock_rdlock(&table);
	if (entry == 0) {
#ifdef FIXED
		pthread_rwlock_unlock(&table);
#endif
		pthread_rwlock_wrlock(&table);
		entry = 7;
	}
	value = entry;
	pthread_rwlock_unlock(&table);
	return value;
}

static void *
reader(void *unused)
{
	(void)unused;
	fill();
	must(get() != 7);
	return NULL;
}

static void *
invalidator(void *unused)
{
	(void)unused;
	pthread_rwlock_wrlock(&table);
	entry = 0;
	pthread_rwlock_unlock(&table);
	return NULL;
}

int
main(void)
{
	together(reader, invalidator);
	return verdict(1);
}
