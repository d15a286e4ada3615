/* SPDX-License-Identifier: MIT */
/*
 * bug: Who finds the one buffer taken does without, but gives it back all the
 *      same; then two have it.
 * oracle: crash
 * preemptions: 1
 * critical: client sem.trywait buffers before client sem.post buffers
 * or: client sem.post buffers before client sem.trywait buffers
 */
#include "explore.h"

#include <semaphore.h>

static sem_t buffers;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int in_use;

CALL_SITE static void
use(int change)
{
	pthread_mutex_lock(&lock);
	in_use += change;
	must(in_use > 1);
	pthread_mutex_unlock(&lock);
	HERE();
}

static void *
client(void *unused)
{
	int mine = sem_trywait(&buffers) == 0;

	(void)unused;
	if (mine) {
		use(1);
		use(-1);
	}
#ifdef FIXED
	if (mine)
		sem_post(&buffers);
#else
	sem_post(&buffers);
#endif
	return NULL;
}

int
main(void)
{
	sem_init(&buffers, 0, 1);
	together(client, client, client);
	return verdict(in_use == 0);
}
