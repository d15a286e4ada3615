/* SPDX-License-Identifier: MIT */
/*
 * bug: A signal handler posts only if the thread says that it waits; a signal
 *      after it looked and before it says so wakes nobody.
 * oracle: deadlock
 * preemptions: 1
 * critical: alarmer signal.send P1.T0.1 before await mutex.lock statistics
 * or: alarmer signal.send P1.T0.1 before await mutex.unlock statistics
 */
#include "explore.h"

#include <semaphore.h>
#include <signal.h>

static pthread_mutex_t statistics = PTHREAD_MUTEX_INITIALIZER;
static sem_t wake;
static pthread_t waiter_thread;
static volatile sig_atomic_t alarmed, waiting;
static int waits;

static void
on_signal(int number)
{
	(void)number;
	alarmed = 1;
#ifndef FIXED
	if (!waiting)
		return;
#endif
	sem_post(&wake);
}

CALL_SITE static void
await(void)
{
	pthread_mutex_lock(&statistics);
	waits++;
	pthread_mutex_unlock(&statistics);
	waiting = 1;
	while (sem_wait(&wake))
		must(errno != EINTR);
	waiting = 0;
}

static void *
waiter(void *unused)
{
	(void)unused;
	while (!alarmed)
		await();
	return NULL;
}

static void *
alarmer(void *unused)
{
	(void)unused;
	must(pthread_kill(waiter_thread, SIGUSR1));
	return NULL;
}

int
main(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t second;

	must(sigaction(SIGUSR1, &action, NULL));
	must(sem_init(&wake, 0, 0));
	must(pthread_create(&waiter_thread, NULL, waiter, NULL));
	must(pthread_create(&second, NULL, alarmer, NULL));
	must(pthread_join(waiter_thread, NULL));
	must(pthread_join(second, NULL));
	return verdict(alarmed);
}
