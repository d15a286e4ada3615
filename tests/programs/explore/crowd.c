/* SPDX-License-Identifier: MIT */
/*
 * bug: One of 22 threads looks whether the log is open and writes in the next
 *      critical section; another closes the log in between.
 * oracle: crash
 * preemptions: 1
 * critical: close_log mutex.lock lock before write_log mutex.lock lock
 */
#include "explore.h"

#define THREADS 22
#define WRITER 6
#define CLOSER 15

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t statistics = PTHREAD_MUTEX_INITIALIZER;
static int log_open = 1, lines, counted;

CALL_SITE static int
is_open(void)
{
	int value;

	pthread_mutex_lock(&lock);
	value = log_open;
	pthread_mutex_unlock(&lock);
	return value;
}

CALL_SITE static void
write_log(void)
{
	pthread_mutex_lock(&lock);
#ifdef FIXED
	if (log_open)
		lines++;
#else
	must(!log_open);
	lines++;
#endif
	pthread_mutex_unlock(&lock);
	HERE();
}

CALL_SITE static void
close_log(void)
{
	pthread_mutex_lock(&lock);
	log_open = 0;
	pthread_mutex_unlock(&lock);
	HERE();
}

static void *
worker(void *number)
{
	if ((long)number == WRITER) {
		if (is_open())
			write_log();
	} else if ((long)number == CLOSER) {
		close_log();
	}
	pthread_mutex_lock(&statistics);
	counted++;
	pthread_mutex_unlock(&statistics);
	return NULL;
}

int
main(void)
{
	run_many(worker, THREADS);
	return verdict(counted == THREADS && lines <= 1);
}
