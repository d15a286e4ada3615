/* SPDX-License-Identifier: MIT */
/*
 * bug: The balance is read in one critical section and written in the next;
 *      what another thread writes in between is lost.
 * oracle: exit
 * preemptions: 1
 * critical: get_balance mutex.lock lock before set_balance mutex.lock lock
 */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int balance;

#ifdef FIXED
CALL_SITE static void
add_balance(int amount)
{
	pthread_mutex_lock(&lock);
	balance += amount;
	pthread_mutex_unlock(&lock);
	HERE();
}
#else
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

static void
add_balance(int amount)
{
	set_balance(get_balance() + amount);
}
#endif

static void *
payer(void *unused)
{
	(void)unused;
	add_balance(10);
	return NULL;
}

int
main(void)
{
	together(payer, payer);
	return verdict(balance == 20);
}
