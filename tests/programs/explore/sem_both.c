/* SPDX-License-Identifier: MIT */
/*
 * sem_both: a semaphore that is posted once is tried, then waited for with a
 * timeout; prints "at once", "waited" or "timed out".
 */
#include "explore.h"

#include <semaphore.h>

static sem_t items;
static const char *outcome;

static void *
poster(void *unused)
{
	(void)unused;
	sem_post(&items);
	return NULL;
}

static void *
taker(void *unused)
{
	struct timespec ts = deadline(CLOCK_REALTIME, 500);

	(void)unused;
	if (sem_trywait(&items) == 0) {
		outcome = "at once";
	} else if (sem_timedwait(&items, &ts) == 0) {
		outcome = "waited";
	} else {
		must(errno != ETIMEDOUT);
		outcome = "timed out";
	}
	return NULL;
}

int
main(void)
{
	must(sem_init(&items, 0, 0));
	together(taker, poster);
	say("%s", outcome);
	return 0;
}
