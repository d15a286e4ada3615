/* SPDX-License-Identifier: MIT */
/*
 * What the round trips and gdb stop: a thread that takes and gives back a
 * mutex in take(), over and over, or as often as the argument says, while
 * the main thread waits for it.
 */
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static unsigned long turns;

__attribute__((noinline)) static void
take(void)
{
	pthread_mutex_lock(&turn);
	turns++;
	pthread_mutex_unlock(&turn);
}

static void *
worker(void *data)
{
	unsigned long most = *(unsigned long *)data;

	while (most == 0 || turns < most)
		take();
	return NULL;
}

int
main(int argc, char *argv[])
{
	unsigned long most = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	pthread_t thread;

	if (pthread_create(&thread, NULL, worker, &most) != 0)
		return 1;
	pthread_join(thread, NULL);
	return 0;
}
