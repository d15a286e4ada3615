/* SPDX-License-Identifier: MIT */
/*
 * bug: The balance is read in one critical section and written in the next;
 *      what another thread writes in between is lost.
 * oracle: exit
 * preemptions: 1
 * critical: get_balance mutex.lock lock before set_balance mutex.lock lock
 *
 * -DHALF, mended by half: one payer adds in one critical section, the other
 * still reads in one and writes in another.
 */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int balance;

#if defined(FIXED) || defined(HALF)
CALL_SITE static void
add_balance(int amount)
{
	pthread_mutex_lock(&lock);
	balance += amount;
	pthread_mutex_unlock(&lock);
	HERE();
}
#endif

#ifndef FIXED
CALL_SITE static int
get_balance(void)
{
	int value;

	pthread_mutex_lock(&lock);
	value = balance;
	pthread_mutex_unlock(&lock);
	return value;
}

CALL_SITE static void
set_balance(int value)
{
	pthread_mutex_lock(&lock);
	balance = value;
	pthread_mutex_unlock(&lock);
	HERE();
}

#ifndef HALF
static void
add_balance(int amount)
{
	set_balance(get_balance() + amount);
}
#endif
#endif

static void *
payer(void *unused)
{
	(void)unused;
	add_balance(10);
	return NULL;
}

#ifdef HALF
static void *
old_payer(void *unused)
{
	(void)unused;
	set_balance(get_balance() + 10);
	return NULL;
}
#else
#define old_payer payer
#endif

int
main(void)
{
	together(payer, old_payer);
	return verdict(balance == 20);
}
