/* SPDX-License-Identifier: MIT */
/* trylock: prints "free" or "busy", as the second thread found the mutex. */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *outcome;

static void *
owner(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *
trier(void *unused)
{
	(void)unused;
	if (pthread_mutex_trylock(&lock)) {
		outcome = "busy";
		return NULL;
	}
	outcome = "free";
	pthread_mutex_unlock(&lock);
	return NULL;
}

int
main(void)
{
	together(owner, trier);
	say("%s", outcome);
	return 0;
}
