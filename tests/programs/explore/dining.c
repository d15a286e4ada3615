/* SPDX-License-Identifier: MIT */
/*
 * bug: Five philosophers all take the left fork first.
 * oracle: deadlock
 * preemptions: 1
 * critical: dine mutex.lock forks before dine mutex.lock forks
 * or: dine mutex.lock forks+0x28 before dine mutex.lock forks+0x28
 * or: dine mutex.lock forks+0x50 before dine mutex.lock forks+0x50
 * or: dine mutex.lock forks+0x78 before dine mutex.lock forks+0x78
 * or: dine mutex.lock forks+0xa0 before dine mutex.lock forks+0xa0
 */
#include "explore.h"

#define SEATS 5

static pthread_mutex_t forks[SEATS];
static int meals[SEATS];

static void *
dine(void *number)
{
	long seat = (long)number;
	long left = seat, right = (seat + 1) % SEATS;

#ifdef FIXED
	if (seat == SEATS - 1) {
		left = right;
		right = seat;
	}
#endif
	pthread_mutex_lock(&forks[left]);
	pthread_mutex_lock(&forks[right]);
	meals[seat]++;
	pthread_mutex_unlock(&forks[right]);
	pthread_mutex_unlock(&forks[left]);
	return NULL;
}

int
main(void)
{
	int eaten = 0;

	for (int i = 0; i < SEATS; i++)
		must(pthread_mutex_init(&forks[i], NULL));
	run_many(dine, SEATS);
	for (int i = 0; i < SEATS; i++)
		eaten += meals[i];
	return verdict(eaten == SEATS);
}
