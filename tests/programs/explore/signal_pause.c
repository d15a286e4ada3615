/* SPDX-License-Identifier: MIT */
/*
 * bug: A signal that comes between the look at the flag and pause() does not
 *      end it; it is to be blocked until sigsuspend.
 * oracle: deadlock
 * preemptions: 1
 * critical: teller signal.send P1.T0 before main signal.wait -
 */
#include "explore.h"

#include <signal.h>

static volatile sig_atomic_t told;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
on_signal(int sig)
{
	(void)sig;
	told = 1;
}

static void *
teller(void *main_thread)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	must(pthread_kill(*(pthread_t *)main_thread, SIGUSR1));
	return NULL;
}

int
main(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t self = pthread_self(), thread;
	sigset_t set, before;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(sigaction(SIGUSR1, &action, NULL));
#ifdef FIXED
	must(pthread_sigmask(SIG_BLOCK, &set, &before));
#else
	must(pthread_sigmask(SIG_BLOCK, NULL, &before));
#endif
	must(pthread_create(&thread, NULL, teller, &self));
	while (!told) {
#ifdef FIXED
		sigsuspend(&before);
#else
		pause();
#endif
	}
	pthread_join(thread, NULL);
	return verdict(1);
}
