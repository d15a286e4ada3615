/* SPDX-License-Identifier: MIT */
/* What the programs to be explored share. */
#ifndef EXPLORE_H
#define EXPLORE_H

#include "../victim.h"

/* A call that must not fail; its error shows as a crash. */
__attribute__((unused)) static void
must(int error)
{
	if (error)
		abort();
}

/* main's last word: what it prints and its exit status. */
__attribute__((unused)) static int
verdict(int right)
{
	say(right ? "ok" : "wrong");
	return right ? 0 : 1;
}

#ifndef __cplusplus
typedef void *start_routine(void *);

#define MOST_THREADS 64

/* Starts a thread for each, in their order, and joins them all. */
__attribute__((unused)) static void
run_threads(start_routine *const *routines, size_t n)
{
	pthread_t threads[MOST_THREADS];

	for (size_t i = 0; i < n; i++)
		must(pthread_create(&threads[i], NULL, routines[i], NULL));
	for (size_t i = 0; i < n; i++)
		must(pthread_join(threads[i], NULL));
}

#define together(...)                                                          \
	run_threads((start_routine *const[]){ __VA_ARGS__ },                   \
		    sizeof((start_routine *const[]){ __VA_ARGS__ }) /          \
			sizeof(start_routine *))

/* The same for n threads of one routine, which is told its number from 0. */
__attribute__((unused)) static void
run_many(start_routine *routine, long n)
{
	pthread_t threads[MOST_THREADS];

	for (long i = 0; i < n; i++)
		must(pthread_create(&threads[i], NULL, routine, (void *)i));
	for (long i = 0; i < n; i++)
		must(pthread_join(threads[i], NULL));
}
#endif

#endif
