/* SPDX-License-Identifier: MIT */
/* Two transfers between two accounts, at once; `bank naive` can deadlock. */
#include <pthread.h>
#include <stdio.h>

struct account {
	pthread_mutex_t lock;
	int money;
};

static struct account anna = { PTHREAD_MUTEX_INITIALIZER, 100 };
static struct account bert = { PTHREAD_MUTEX_INITIALIZER, 100 };
static int naive;

static void
transfer(struct account *from, struct account *to, int money)
{
	struct account *first = naive || from < to ? from : to;
	struct account *second = first == from ? to : from;

	pthread_mutex_lock(&first->lock);
	pthread_mutex_lock(&second->lock);
	from->money -= money;
	to->money += money;
	pthread_mutex_unlock(&second->lock);
	pthread_mutex_unlock(&first->lock);
}

static void *
to_bert(void *unused)
{
	transfer(&anna, &bert, 10);
	return unused;
}

static void *
to_anna(void *unused)
{
	transfer(&bert, &anna, 30);
	return unused;
}

int
main(int argc, char **argv)
{
	pthread_t thread[2];

	(void)argv;
	naive = argc > 1;
	pthread_create(&thread[0], NULL, to_bert, NULL);
	pthread_create(&thread[1], NULL, to_anna, NULL);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	printf("Anna has %d, Bert has %d\n", anna.money, bert.money);
	return anna.money == 120 && bert.money == 80 ? 0 : 1;
}
