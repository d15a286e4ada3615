/* SPDX-License-Identifier: MIT */
/*
 * philosophers N [left]: N philosophers eat once; the last takes the right
 * fork first.  With "left" all take the left one first, and can deadlock.
 */
#include "explore.h"

static pthread_mutex_t forks[MOST_THREADS];
static long seats;
static int all_left, meals[MOST_THREADS];

static void *
philosopher(void *number)
{
	long seat = (long)number;
	long first = seat, second = (seat + 1) % seats;

	if (seat == seats - 1 && !all_left) {
		first = second;
		second = seat;
	}
	pthread_mutex_lock(&forks[first]);
	pthread_mutex_lock(&forks[second]);
	meals[seat]++;
	pthread_mutex_unlock(&forks[second]);
	pthread_mutex_unlock(&forks[first]);
	return NULL;
}

int
main(int argc, char **argv)
{
	long eaten = 0;

	seats = argc > 1 ? atol(argv[1]) : 0;
	all_left = argc > 2 && strcmp(argv[2], "left") == 0;
	if (seats < 2 || seats > MOST_THREADS)
		die("usage: philosophers N [left]");
	for (long i = 0; i < seats; i++)
		must(pthread_mutex_init(&forks[i], NULL));
	run_many(philosopher, seats);
	for (long i = 0; i < seats; i++)
		eaten += meals[i];
	return verdict(eaten == seats);
}
