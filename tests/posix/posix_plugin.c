/* SPDX-License-Identifier: MIT */
/* What module.c opens. */
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int runs;

int plugin_ran(void);

static void *
run(void *arg)
{
	pthread_mutex_lock(&lock);
	runs++;
	pthread_mutex_unlock(&lock);
	return arg;
}

__attribute__((constructor)) static void
constructed(void)
{
	pthread_t t;

	run(NULL);
	if (pthread_create(&t, NULL, run, NULL) == 0)
		pthread_join(t, NULL);
}

__attribute__((destructor)) static void
destroyed(void)
{
	run(NULL);
}

int
plugin_ran(void)
{
	return runs;
}
