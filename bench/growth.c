/* SPDX-License-Identifier: MIT */
/*
 * growth OBJECTS: what growth.py has pairs of lock and unlock measured in.
 *
 * It says where its mutexes are, which lie 64 bytes apart, and has each of
 * them met once.  Then, for each line of stdin, it goes through all of them
 * in blocks of pairs, through the gate and straight to libc in turn, and says
 * both medians, in ns a pair.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 31
#define PAIRS 20000

struct lane {
	alignas(64) pthread_mutex_t m;
};

typedef int call(pthread_mutex_t *m);

static double
pairs(call *lock, call *unlock, struct lane *v, size_t n)
{
	struct timespec from, to;
	size_t at = 0;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (unsigned i = 0; i < PAIRS; i++) {
		lock(&v[at].m);
		unlock(&v[at].m);
		at = at + 1 == n ? 0 : at + 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 +
		(double)(to.tv_nsec - from.tv_nsec)) /
	       PAIRS;
}

static int
by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
measure(call *lock, call *unlock, struct lane *v, size_t n)
{
	double hooked[ROUNDS], native[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		hooked[i] =
		    pairs(pthread_mutex_lock, pthread_mutex_unlock, v, n);
		native[i] = pairs(lock, unlock, v, n);
	}
	qsort(hooked, ROUNDS, sizeof(*hooked), by_size);
	qsort(native, ROUNDS, sizeof(*native), by_size);
	printf("%.2f %.2f\n", hooked[ROUNDS / 2], native[ROUNDS / 2]);
	fflush(stdout);
}

/* With a second thread, libc takes no short cut. */
static void *
sleeper(void *arg)
{
	pause();
	return arg;
}

int
main(int argc, char *argv[])
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	call *lock, *unlock;
	pthread_t other;
	struct lane *v = n ? aligned_alloc(64, n * sizeof(*v)) : NULL;

	if (!libc || !v || pthread_create(&other, NULL, sleeper, NULL))
		return 1;
	*(void **)&lock = dlsym(libc, "pthread_mutex_lock");
	*(void **)&unlock = dlsym(libc, "pthread_mutex_unlock");
	for (size_t i = 0; i < n; i++) {
		pthread_mutex_init(&v[i].m, NULL);
		pthread_mutex_lock(&v[i].m);
		pthread_mutex_unlock(&v[i].m);
	}
	printf("%p\n", (void *)v);
	fflush(stdout);
	while (getchar() == '\n')
		measure(lock, unlock, v, n);
	return 0;
}
