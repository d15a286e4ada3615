/* SPDX-License-Identifier: MIT */
/*
 * spin_forever: a thread "spinner" in a loop without a call, which no shim
 * can stop; main joins it.  It ends by a signal only (SIGTERM: status 0).
 */
#include "victim.h"

#include <signal.h>

pthread_mutex_t spin_mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int go_on = 1;
volatile unsigned long turns;

static void
stop(int sig)
{
	(void)sig;
	go_on = 0;
}

CALL_SITE static void
spin_here(void)
{
	while (go_on)
		turns++;
}

static void *
spinner_main(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "spinner");
	pthread_mutex_lock(&spin_mutex);
	say("spinning");
	pthread_mutex_unlock(&spin_mutex);
	spin_here();
	say("stopped");
	return NULL;
}

int
main(void)
{
	pthread_t spinner;

	signal(SIGTERM, stop);
	pthread_create(&spinner, NULL, spinner_main, NULL);
	pthread_join(spinner, NULL);
	return 0;
}
