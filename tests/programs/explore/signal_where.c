/* SPDX-License-Identifier: MIT */
/* signal_where: how far the worker had come when its handler ran, which
 * takes part in all that is scheduled. */
#include "explore.h"

#include <semaphore.h>
#include <signal.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t handled;
static volatile sig_atomic_t come, where = -1;

static void
on_signal(int sig)
{
	(void)sig;
	where = come;
	sem_post(&handled);
}

static void *
worker(void *unused)
{
	(void)unused;
	while (come < 2) {
		pthread_mutex_lock(&lock);
		come++;
		pthread_mutex_unlock(&lock);
	}
	while (sem_wait(&handled) && errno == EINTR)
		;
	return NULL;
}

int
main(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t thread;

	must(sem_init(&handled, 0, 0) || sigaction(SIGUSR1, &action, NULL));
	must(pthread_create(&thread, NULL, worker, NULL));
	must(pthread_kill(thread, SIGUSR1));
	pthread_join(thread, NULL);
	printf("%d\n", (int)where);
	return 0;
}
