/* SPDX-License-Identifier: MIT */
/* machine NAME LOG: works in two phases, each under a lock of its own. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t phase_one = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t phase_two = PTHREAD_MUTEX_INITIALIZER;

static void
work(pthread_mutex_t *phase, int log, const char *name, int number)
{
	pthread_mutex_lock(phase);
	dprintf(log, "%s%d ", name, number);
	pthread_mutex_unlock(phase);
}

int
main(int argc, char **argv)
{
	int log =
	    argc == 3 ? open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;

	if (log < 0)
		return 2;
	work(&phase_one, log, argv[1], 1);
	work(&phase_two, log, argv[1], 2);
	return 0;
}
