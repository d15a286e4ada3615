/* SPDX-License-Identifier: MIT */
/*
 * bug: main returns without joining the worker, which uses the table that the
 *      exit handler has closed.
 * oracle: crash
 * preemptions: 2
 * critical: close_table mutex.lock lock before flush mutex.lock lock
 */
#include "explore.h"

#include <semaphore.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;
static sem_t answered;
static int rows[4], flushed, entries;
static int *table = rows;

static void
close_table(void)
{
	pthread_mutex_lock(&lock);
	table = NULL;
	pthread_mutex_unlock(&lock);
}

static void
close_journal(void)
{
	pthread_mutex_lock(&journal);
	entries = 0;
	pthread_mutex_unlock(&journal);
}

CALL_SITE static void
flush(void)
{
	pthread_mutex_lock(&lock);
	must(table == NULL);
	table[0] = 1;
	flushed = 1;
	pthread_mutex_unlock(&lock);
	HERE();
}

static void *
worker(void *unused)
{
	(void)unused;
	sem_post(&answered);
	flush();
	return NULL;
}

int
main(void)
{
	pthread_t thread;

	sem_init(&answered, 0, 0);
	atexit(close_journal);
	atexit(close_table);
	must(pthread_create(&thread, NULL, worker, NULL));
	sem_wait(&answered);
#ifdef FIXED
	must(pthread_join(thread, NULL));
#endif
	return verdict(1);
}
