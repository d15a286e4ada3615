/* SPDX-License-Identifier: MIT */
/*
 * bug: The flag that a reader spins on is set before the data is there.
 * oracle: crash
 * preemptions: 1
 * critical: read_data mutex.lock lock before write_data mutex.lock lock
 */
#include "explore.h"

#include <sched.h>
#include <stdatomic.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int ready;
static int data;

CALL_SITE static void
write_data(void)
{
	pthread_mutex_lock(&lock);
	data = 42;
	pthread_mutex_unlock(&lock);
	HERE();
}

CALL_SITE static void
read_data(void)
{
	pthread_mutex_lock(&lock);
	must(data != 42);
	pthread_mutex_unlock(&lock);
	HERE();
}

static void *
writer(void *unused)
{
	(void)unused;
#ifdef FIXED
	write_data();
	atomic_store(&ready, 1);
#else
	atomic_store(&ready, 1);
	write_data();
#endif
	return NULL;
}

static void *
reader(void *unused)
{
	(void)unused;
	while (!atomic_load(&ready))
		sched_yield();
	read_data();
	return NULL;
}

int
main(void)
{
	together(writer, reader);
	return verdict(data == 42);
}
