/* SPDX-License-Identifier: MIT */
/*
 * half_lost_update: lost_update, mended by half: the first payer adds in one
 * critical section, the second still reads in one and writes in another.
 */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int balance;

CALL_SITE static void
add_balance(int amount)
{
	pthread_mutex_lock(&lock);
	balance += amount;
	pthread_mutex_unlock(&lock);
	HERE();
}

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

static void *
payer(void *unused)
{
	(void)unused;
	add_balance(10);
	return NULL;
}

static void *
old_payer(void *unused)
{
	(void)unused;
	set_balance(get_balance() + 10);
	return NULL;
}

int
main(void)
{
	together(payer, old_payer);
	return verdict(balance == 20);
}
