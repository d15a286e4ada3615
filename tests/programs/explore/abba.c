/* SPDX-License-Identifier: MIT */
/*
 * bug: Two threads take the same two mutexes in opposite orders.
 * oracle: deadlock
 * preemptions: 1
 * critical: debit mutex.lock savings before credit mutex.lock savings
 * or: credit mutex.lock current before debit mutex.lock current
 *
 * -DHALF, mended by half: nobody waits for a lock with the other one in hand,
 * but what was read under the first is old when both are held.
 */
#include "explore.h"

static pthread_mutex_t savings = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t current = PTHREAD_MUTEX_INITIALIZER;
static int in_savings = 100, in_current = 100;

static void *
debit(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&savings);
	pthread_mutex_lock(&current);
	in_savings -= 10;
	in_current += 10;
	pthread_mutex_unlock(&current);
	pthread_mutex_unlock(&savings);
	return NULL;
}

static void *
credit(void *unused)
{
	(void)unused;
#if defined(FIXED)
	pthread_mutex_lock(&savings);
	pthread_mutex_lock(&current);
	in_current -= 30;
#elif defined(HALF)
	pthread_mutex_lock(&current);
	int left = in_current - 30;
	pthread_mutex_unlock(&current);
	pthread_mutex_lock(&savings);
	pthread_mutex_lock(&current);
	in_current = left;
#else
	pthread_mutex_lock(&current);
	pthread_mutex_lock(&savings);
	in_current -= 30;
#endif
	in_savings += 30;
	pthread_mutex_unlock(&savings);
	pthread_mutex_unlock(&current);
	return NULL;
}

int
main(void)
{
	together(debit, credit);
	return verdict(in_savings == 120 && in_current == 80);
}
