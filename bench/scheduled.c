/* SPDX-License-Identifier: MIT */
/*
 * What bench/schedule runs again and again:
 *
 *	scheduled pairs TURNS	two threads, one mutex, five pairs of lock and
 *				unlock each; before them a start-up which takes
 *				that many turns of a loop
 *	scheduled alone N	two threads, each with a mutex of its own, N
 *				pairs each; prints the TSC's ticks from the
 *				first thread's first call to its last
 *
 * The TSC, since a scheduled run's clocks show virtual time.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAIRS 5

static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t own[2] = { PTHREAD_MUTEX_INITIALIZER,
				  PTHREAD_MUTEX_INITIALIZER };
static unsigned long pairs, done;
static uint64_t ticks;

static void *
share(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < PAIRS; i++) {
		pthread_mutex_lock(&shared);
		done++;
		pthread_mutex_unlock(&shared);
	}
	return NULL;
}

static void *
alone(void *data)
{
	pthread_mutex_t *m = data;
	uint64_t begin;

	pthread_mutex_lock(m);
	begin = __builtin_ia32_rdtsc();
	pthread_mutex_unlock(m);
	for (unsigned long i = 1; i < pairs; i++) {
		pthread_mutex_lock(m);
		pthread_mutex_unlock(m);
	}
	if (m == &own[0])
		ticks = __builtin_ia32_rdtsc() - begin;
	return NULL;
}

static int
run_two(void *(*routine)(void *), void *first, void *second)
{
	pthread_t a, b;

	if (pthread_create(&a, NULL, routine, first) != 0 ||
	    pthread_create(&b, NULL, routine, second) != 0)
		return 1;
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	return 0;
}

static int
print_ticks(void)
{
	char line[32];
	int n =
	    snprintf(line, sizeof(line), "%llu\n", (unsigned long long)ticks);

	return write(1, line, (size_t)n) != n;
}

int
main(int argc, char *argv[])
{
	unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	if (argc > 1 && !strcmp(argv[1], "alone")) {
		pairs = n;
		return run_two(alone, &own[0], &own[1]) || print_ticks();
	}
	for (volatile unsigned long turn = 0; turn < n; turn++)
		;
	return run_two(share, NULL, NULL) || done != 2 * PAIRS;
}
