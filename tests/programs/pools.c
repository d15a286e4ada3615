/* SPDX-License-Identifier: MIT */
/*
 * pools: an array of structs with a mutex in each, 64 bytes apart: pool[1]'s
 * is pool+0x40.  A thread "slot.N" locks each; main then locks each again.
 */
#include "victim.h"

enum { SLOTS = 4 };

struct slot {
	pthread_mutex_t lock;
	long used;
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct slot) == 64, "pool+0x40 is the second lock");

struct slot pool[SLOTS];
/* One that is not at its struct's beginning: spare+0x8. */
struct {
	long used;
	pthread_mutex_t lock;
} spare;

CALL_SITE static void
slot_use(struct slot *s)
{
	/* at: slot use */
	pthread_mutex_lock(&s->lock);
	s->used++;
	pthread_mutex_unlock(&s->lock);
	HERE();
}

CALL_SITE static void
spare_use(void)
{
	pthread_mutex_lock(&spare.lock);
	spare.used++;
	pthread_mutex_unlock(&spare.lock);
	HERE();
}

static void *
slot_main(void *arg)
{
	struct slot *s = arg;
	char name[16];

	snprintf(name, sizeof(name), "slot.%d", (int)(s - pool));
	pthread_setname_np(pthread_self(), name);
	slot_use(s);
	return NULL;
}

int
main(void)
{
	pthread_t threads[SLOTS];
	long used = 0;

	for (int i = 0; i < SLOTS; i++)
		pthread_create(&threads[i], NULL, slot_main, &pool[i]);
	for (int i = 0; i < SLOTS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SLOTS; i++) {
		slot_use(&pool[i]);
		used += pool[i].used;
	}
	spare_use();
	say("used %ld", used + spare.used);
	return 0;
}
