/* SPDX-License-Identifier: MIT */
/*
 * queue [ITEMS [CAPACITY]]: two bounded queues on the heap, initialised at
 * the same lines, in a pipeline: "producer" -> first -> "relay" -> second ->
 * "consumer".  Prints the checksum of what came out.
 */
#include "victim.h"

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_empty, not_full;
	int capacity, n, first;
	long items[];
};

static struct queue *first_queue, *second_queue;
static int items = 100;

CALL_SITE static struct queue *
queue_new(int capacity)
{
	struct queue *q =
	    calloc(1, sizeof(*q) + (size_t)capacity * sizeof(long));

	if (!q)
		die("queue: out of memory");
	q->capacity = capacity;
	/* at: queue init */
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->not_empty, NULL);
	pthread_cond_init(&q->not_full, NULL);
	return q;
}

static void
queue_free(struct queue *q)
{
	pthread_cond_destroy(&q->not_full);
	pthread_cond_destroy(&q->not_empty);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

CALL_SITE static void
queue_put(struct queue *q, long item)
{
	/* at: queue put */
	pthread_mutex_lock(&q->lock);
	while (q->n == q->capacity)
		pthread_cond_wait(&q->not_full, &q->lock);
	q->items[(q->first + q->n++) % q->capacity] = item;
	pthread_cond_signal(&q->not_empty);
	pthread_mutex_unlock(&q->lock);
	HERE();
}

CALL_SITE static long
queue_get(struct queue *q)
{
	long item;

	/* at: queue get */
	pthread_mutex_lock(&q->lock);
	while (q->n == 0)
		pthread_cond_wait(&q->not_empty, &q->lock);
	item = q->items[q->first];
	q->first = (q->first + 1) % q->capacity;
	q->n--;
	pthread_cond_signal(&q->not_full);
	pthread_mutex_unlock(&q->lock);
	return item;
}

static void *
producer_main(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "producer");
	for (long i = 1; i <= items; i++)
		queue_put(first_queue, i);
	return NULL;
}

static void *
relay_main(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "relay");
	for (int i = 0; i < items; i++)
		queue_put(second_queue, queue_get(first_queue));
	return NULL;
}

static void *
consumer_main(void *sum)
{
	unsigned long *checksum = sum;

	pthread_setname_np(pthread_self(), "consumer");
	for (int i = 0; i < items; i++)
		*checksum =
		    *checksum * 31 + (unsigned long)queue_get(second_queue);
	return NULL;
}

int
main(int argc, char **argv)
{
	int capacity = argc > 2 ? atoi(argv[2]) : 4;
	unsigned long checksum = 0, expected = 0;
	pthread_t threads[3];

	if (argc > 1)
		items = atoi(argv[1]);
	if (items < 1 || capacity < 1)
		die("usage: queue [ITEMS [CAPACITY]]");
	first_queue = queue_new(capacity);
	second_queue = queue_new(capacity);
	pthread_create(&threads[0], NULL, producer_main, NULL);
	pthread_create(&threads[1], NULL, relay_main, NULL);
	pthread_create(&threads[2], NULL, consumer_main, &checksum);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	queue_free(first_queue);
	queue_free(second_queue);
	for (int i = 1; i <= items; i++)
		expected = expected * 31 + (unsigned long)i;
	say("checksum %lu", checksum);
	return checksum == expected ? 0 : 1;
}
