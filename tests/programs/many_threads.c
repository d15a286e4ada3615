/* SPDX-License-Identifier: MIT */
/*
 * many_threads [N [WAVES]]: N threads "worker.I", each locks once and ends;
 * so many times over, so that thread and object slots are used again.
 */
#include "victim.h"

pthread_mutex_t crowd_lock = PTHREAD_MUTEX_INITIALIZER;
static long met;

CALL_SITE static void
meet_once(void)
{
	pthread_mutex_lock(&crowd_lock);
	met++;
	pthread_mutex_unlock(&crowd_lock);
	HERE();
}

static void *
worker_main(void *arg)
{
	char name[16];

	snprintf(name, sizeof(name), "worker.%ld", (long)arg);
	pthread_setname_np(pthread_self(), name);
	meet_once();
	return NULL;
}

int
main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 100;
	int waves = argc > 2 ? atoi(argv[2]) : 1;
	pthread_t *threads;

	if (n < 1 || waves < 1)
		die("usage: many_threads [N [WAVES]]");
	threads = calloc((size_t)n, sizeof(*threads));
	if (!threads)
		die("many_threads: out of memory");
	for (int w = 0; w < waves; w++) {
		for (long i = 0; i < n; i++)
			if (pthread_create(&threads[i], NULL, worker_main,
					   (void *)(i + 1)))
				die("many_threads: pthread_create");
		for (long i = 0; i < n; i++)
			pthread_join(threads[i], NULL);
	}
	free(threads);
	say("met %ld", met);
	return met == n * waves ? 0 : 1;
}
