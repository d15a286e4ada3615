/* SPDX-License-Identifier: MIT */
/*
 * bug: Two threads take the same two mutexes in opposite orders.
 * oracle: deadlock
 * preemptions: 1
 * critical: debit mutex.lock savings before credit mutex.lock savings
 * or: credit mutex.lock current before debit mutex.lock current
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
#ifdef FIXED
	pthread_mutex_lock(&savings);
	pthread_mutex_lock(&current);
#else
	pthread_mutex_lock(&current);
	pthread_mutex_lock(&savings);
#endif
	in_current -= 30;
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
