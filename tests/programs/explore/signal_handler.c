/* SPDX-License-Identifier: MIT */
/* signal_handler: a thread that waits for a lock still handles signals, and
 * its handler is what lets the lock's owner go on. */
#include "explore.h"

#include <semaphore.h>
#include <signal.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t held, go;

static void
on_signal(int sig)
{
	(void)sig;
	sem_post(&go);
}

static void *
owner(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	sem_post(&held);
	sem_wait(&go);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *
contender(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int
main(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t one, other;

	must(sem_init(&held, 0, 0) || sem_init(&go, 0, 0));
	must(sigaction(SIGUSR1, &action, NULL));
	must(pthread_create(&one, NULL, owner, NULL));
	sem_wait(&held);
	must(pthread_create(&other, NULL, contender, NULL));
	must(pthread_kill(other, SIGUSR1));
	pthread_join(other, NULL);
	pthread_join(one, NULL);
	return verdict(1);
}
