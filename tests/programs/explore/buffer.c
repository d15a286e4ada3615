/* SPDX-License-Identifier: MIT */
/*
 * buffer SIZE PRODUCERS CONSUMERS ITEMS: a right bounded buffer; each producer
 * puts ITEMS, the consumers share them evenly.
 */
#include "explore.h"

#define MOST_ITEMS 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static long size, producers, consumers, items;
static long buffer[MOST_ITEMS], first, n, sum;

CALL_SITE static void
put(long item)
{
	pthread_mutex_lock(&lock);
	while (n == size)
		pthread_cond_wait(&not_full, &lock);
	buffer[(first + n++) % size] = item;
	pthread_cond_signal(&not_empty);
	pthread_mutex_unlock(&lock);
	HERE();
}

CALL_SITE static void
take(void)
{
	pthread_mutex_lock(&lock);
	while (n == 0)
		pthread_cond_wait(&not_empty, &lock);
	sum += buffer[first];
	first = (first + 1) % size;
	n--;
	pthread_cond_signal(&not_full);
	pthread_mutex_unlock(&lock);
	HERE();
}

static void *
user(void *number)
{
	long i = (long)number, all = producers * items;

	if (i < producers) {
		for (long k = 1; k <= items; k++)
			put(k);
		return NULL;
	}
	i -= producers;
	for (long k = i; k < all; k += consumers)
		take();
	return NULL;
}

int
main(int argc, char **argv)
{
	if (argc != 5)
		die("usage: buffer SIZE PRODUCERS CONSUMERS ITEMS");
	size = atol(argv[1]);
	producers = atol(argv[2]);
	consumers = atol(argv[3]);
	items = atol(argv[4]);
	if (size < 1 || size > MOST_ITEMS || producers < 1 || consumers < 1 ||
	    producers + consumers > MOST_THREADS || items < 0)
		die("buffer: numbers out of range");
	run_many(user, producers + consumers);
	return verdict(sum == producers * items * (items + 1) / 2);
}
