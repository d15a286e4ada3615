/* SPDX-License-Identifier: MIT */
/*
 * half_abba: abba, mended by half: nobody waits for a lock with the other one
 * in hand, but what was read under the first is old when both are held.
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
	int left;

	(void)unused;
	pthread_mutex_lock(&current);
	left = in_current - 30;
	pthread_mutex_unlock(&current);
	pthread_mutex_lock(&savings);
	pthread_mutex_lock(&current);
	in_current = left;
	in_savings += 30;
	pthread_mutex_unlock(&current);
	pthread_mutex_unlock(&savings);
	return NULL;
}

int
main(void)
{
	together(debit, credit);
	return verdict(in_savings == 120 && in_current == 80);
}
