/* SPDX-License-Identifier: MIT */
/*
 * bug: A barrier of one's own without a generation: who arrives at its next
 *      round too early keeps a slow one in the round before.
 * oracle: deadlock
 * preemptions: 0
 * critical: meet mutex.lock lock before meet cond.reacquire lock
 */
#include "explore.h"

#include <semaphore.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gone_on = PTHREAD_COND_INITIALIZER;
static sem_t result;
static int arrived;
static unsigned int rounds;

static int
still_in(unsigned int mine)
{
#ifdef FIXED
	return mine == rounds;
#else
	(void)mine;
	return arrived != 0;
#endif
}

CALL_SITE static void
meet(void)
{
	unsigned int mine;

	pthread_mutex_lock(&lock);
	mine = rounds;
	if (++arrived == 2) {
		arrived = 0;
		rounds++;
		pthread_cond_broadcast(&gone_on);
	} else {
		while (still_in(mine))
			pthread_cond_wait(&gone_on, &lock);
	}
	pthread_mutex_unlock(&lock);
	HERE();
}

static void *
maker(void *unused)
{
	(void)unused;
	meet();
	sem_post(&result);
	meet();
	return NULL;
}

static void *
user(void *unused)
{
	(void)unused;
	meet();
	sem_wait(&result);
	meet();
	return NULL;
}

int
main(void)
{
	sem_init(&result, 0, 0);
	together(maker, user);
	return verdict(rounds == 2);
}
