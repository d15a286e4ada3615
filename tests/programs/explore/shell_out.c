/* SPDX-License-Identifier: MIT */
/* shell_out: main and a thread run shell commands, with a lock held that the
 * other one waits for. */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *
run(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	must(system("exit 0"));
	pthread_mutex_unlock(&lock);
	return NULL;
}

int
main(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, run, NULL));
	run(NULL);
	pthread_join(thread, NULL);
	return verdict(1);
}
