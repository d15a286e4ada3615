/* SPDX-License-Identifier: MIT */
/*
 * ignores_term: ignores every signal that asks it to end, and waits for a
 * semaphore that nobody posts.  SIGKILL ends it.
 */
#include "explore.h"

#include <semaphore.h>
#include <signal.h>

static sem_t never;

static void *
waiter(void *unused)
{
	(void)unused;
	while (sem_wait(&never))
		must(errno != EINTR);
	return NULL;
}

int
main(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	must(sem_init(&never, 0, 0));
	together(waiter, waiter);
	return verdict(0);
}
