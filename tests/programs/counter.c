/* SPDX-License-Identifier: MIT */
/*
 * counter [THREADS [ROUNDS]]: threads add to a total under counter_lock,
 * each round by three ways: directly, through an inlined function, and
 * through the wrapper my_lock, which hides the caller (for in=).
 */
#include "victim.h"

pthread_mutex_t counter_lock = PTHREAD_MUTEX_INITIALIZER;
static long total;
static int rounds = 100;

CALL_SITE static void
my_lock(pthread_mutex_t *m)
{
	/* at: wrapper */
	pthread_mutex_lock(m);
	HERE();
}

CALL_SITE static void
my_unlock(pthread_mutex_t *m)
{
	pthread_mutex_unlock(m);
	HERE();
}

static inline __attribute__((always_inline)) void
add_inlined(void)
{
	/* at: inlined */
	pthread_mutex_lock(&counter_lock);
	total++;
	pthread_mutex_unlock(&counter_lock);
}

CALL_SITE static void
add_directly(void)
{
	/* at: direct */
	pthread_mutex_lock(&counter_lock);
	total++;
	pthread_mutex_unlock(&counter_lock);
	HERE();
}

CALL_SITE static void
add_by_wrapper(void)
{
	my_lock(&counter_lock);
	total++;
	my_unlock(&counter_lock);
	HERE();
}

CALL_SITE static void
add_otherwise(void)
{
	my_lock(&counter_lock);
	total++;
	my_unlock(&counter_lock);
	HERE();
}

static void *
adder_main(void *arg)
{
	char name[16];

	snprintf(name, sizeof(name), "adder.%d", (int)(long)arg);
	pthread_setname_np(pthread_self(), name);
	for (int i = 0; i < rounds; i++) {
		add_directly();
		add_inlined();
		add_by_wrapper();
		add_otherwise();
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 2;
	pthread_t threads[64];

	if (argc > 2)
		rounds = atoi(argv[2]);
	if (n < 1 || n > 64 || rounds < 1)
		die("usage: counter [THREADS (1-64) [ROUNDS]]");
	for (long i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, adder_main,
				   (void *)(i + 1)))
			die("counter: pthread_create");
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	say("total %ld", total);
	return total == 4L * n * rounds ? 0 : 1;
}
