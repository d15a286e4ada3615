/* SPDX-License-Identifier: MIT */
/*
 * bug: A semaphore serves as a mutex, and the path of a refused payment posts
 *      it twice; from then on two threads are let in at once.
 * oracle: exit
 * preemptions: 1
 * critical: pay sem.wait account before pay sem.post account
 */
#include "explore.h"

#include <semaphore.h>

static sem_t account;
static pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;
static int balance = 100, entries;

CALL_SITE static void
note(void)
{
	pthread_mutex_lock(&journal);
	entries++;
	pthread_mutex_unlock(&journal);
	HERE();
}

CALL_SITE static void
pay(int amount)
{
	int before;

	sem_wait(&account);
	before = balance;
	if (before < amount) {
		sem_post(&account);
#ifdef FIXED
		return;
#else
		amount = 0;
#endif
	}
	note();
	balance = before - amount;
	sem_post(&account);
	HERE();
}

static void *
payer(void *unused)
{
	(void)unused;
	pay(10);
	return NULL;
}

int
main(void)
{
	sem_init(&account, 0, 1);
	pay(1000);
	together(payer, payer);
	return verdict(balance == 80);
}
