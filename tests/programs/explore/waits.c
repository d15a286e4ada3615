/* SPDX-License-Identifier: MIT */
/*
 * waits CASE: a condition.  once: the wait is not in a loop, and who goes on
 * too early is wrong; careless: likewise, but nothing comes of it; loop: as it
 * should be.  outside: the flag is set and signalled without the mutex;
 * inside: set with it, signalled without.
 */
#include "explore.h"

#include <stdatomic.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static atomic_int ready;
static int early;

static void *
waits_once(void *unused)
{
	pthread_mutex_lock(&lock);
	if (!ready)
		pthread_cond_wait(&changed, &lock);
	early = !ready;
	pthread_mutex_unlock(&lock);
	return unused;
}

static void *
waits_in_a_loop(void *unused)
{
	pthread_mutex_lock(&lock);
	while (!ready)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return unused;
}

static void *
tells(void *unused)
{
	pthread_mutex_lock(&lock);
	ready = 1;
	pthread_mutex_unlock(&lock);
	pthread_cond_signal(&changed);
	return unused;
}

static void *
tells_without(void *unused)
{
	ready = 1;
	pthread_cond_signal(&changed);
	return unused;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int careless = !strcmp(what, "careless");

	if (careless || !strcmp(what, "once"))
		together(waits_once, tells);
	else if (!strcmp(what, "loop") || !strcmp(what, "inside"))
		together(waits_in_a_loop, tells);
	else if (!strcmp(what, "outside"))
		together(waits_in_a_loop, tells_without);
	else
		die("usage: waits CASE");
	return verdict(careless || !early);
}
