/* SPDX-License-Identifier: MIT */
/*
 * bug: A stack pops in two critical sections, looking and exchanging, and
 *      takes a head that went and came back for one that stayed (ABA).
 * oracle: exit
 * preemptions: 1
 * critical: exchange mutex.lock lock before exchange mutex.lock lock
 * or: look mutex.lock lock before exchange mutex.lock lock
 */
#include "explore.h"

struct node {
	struct node *next;
	int taken;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct node nodes[3] = { { &nodes[1], 0 },
				{ &nodes[2], 0 },
				{ NULL, 0 } };
static struct node *head = &nodes[0];
static unsigned int version;

struct seen {
	struct node *head, *next;
	unsigned int version;
};

CALL_SITE static struct seen
look(void)
{
	struct seen seen;

	pthread_mutex_lock(&lock);
	seen.head = head;
	seen.next = head ? head->next : NULL;
	seen.version = version;
	pthread_mutex_unlock(&lock);
	return seen;
}

CALL_SITE static int
exchange(const struct seen *seen, struct node *new_head)
{
	int same;

	pthread_mutex_lock(&lock);
	same = head == seen->head;
#ifdef FIXED
	same = same && version == seen->version;
#endif
	if (same) {
		head = new_head;
		version++;
	}
	pthread_mutex_unlock(&lock);
	return same;
}

static struct node *
pop(void)
{
	struct seen seen;

	do
		seen = look();
	while (seen.head && !exchange(&seen, seen.next));
	if (seen.head)
		seen.head->taken++;
	return seen.head;
}

static void
push(struct node *node)
{
	struct seen seen;

	node->taken--;
	do {
		seen = look();
		node->next = seen.head;
	} while (!exchange(&seen, node));
}

static void *
taker(void *unused)
{
	(void)unused;
	pop();
	return NULL;
}

static void *
borrower(void *unused)
{
	struct node *first = pop();

	(void)unused;
	pop();
	if (first)
		push(first);
	return NULL;
}

int
main(void)
{
	int right = 1;

	together(taker, borrower);
	while (pop())
		;
	for (int i = 0; i < 3; i++)
		right = right && nodes[i].taken == 1;
	return verdict(right);
}
