/* SPDX-License-Identifier: MIT */
/*
 * bug: Two threads need both of two units and take them one by one.
 * oracle: deadlock
 * preemptions: 1
 * critical: copier sem.wait units before copier sem.wait units
 */
#include "explore.h"

#include <semaphore.h>

static sem_t units;
#ifdef FIXED
static pthread_mutex_t taking = PTHREAD_MUTEX_INITIALIZER;
#endif

static void *
copier(void *unused)
{
	(void)unused;
#ifdef FIXED
	pthread_mutex_lock(&taking);
#endif
	sem_wait(&units);
	sem_wait(&units);
#ifdef FIXED
	pthread_mutex_unlock(&taking);
#endif
	sem_post(&units);
	sem_post(&units);
	return NULL;
}

int
main(void)
{
	int left;

	must(sem_init(&units, 0, 2));
	together(copier, copier);
	must(sem_getvalue(&units, &left));
	return verdict(left == 2);
}
