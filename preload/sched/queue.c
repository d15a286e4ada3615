/* SPDX-License-Identifier: MIT */
/* Waiters of conditions, barriers and futexes, first come first served. */
#include "sched.h"

void
seam_queue_join(struct seam_sobject *o, struct seam_slot *slot)
{
	struct seam_sched *s = seam_sched();
	uint16_t me = (uint16_t)(seam_slot_index(slot) + 1);
	uint16_t *at = &o->first;

	while (*at)
		at = &s->slot[*at - 1].next;
	*at = me;
	slot->next = 0;
	slot->queued = 1;
	slot->woken = 0;
	o->waiters++;
}

void
seam_queue_leave(struct seam_sobject *o, struct seam_slot *slot)
{
	struct seam_sched *s = seam_sched();
	uint16_t me = (uint16_t)(seam_slot_index(slot) + 1);
	uint16_t *at = &o->first;

	while (*at && *at != me)
		at = &s->slot[*at - 1].next;
	if (*at == me) {
		*at = slot->next;
		o->waiters--;
	}
	slot->next = 0;
	slot->queued = 0;
}

unsigned
seam_queue_wake(struct seam_sobject *o, unsigned n)
{
	unsigned woken = 0;

	for (; woken < n && o->first; woken++) {
		struct seam_slot *slot = &seam_sched()->slot[o->first - 1];

		seam_queue_leave(o, slot);
		slot->woken = 1;
	}
	return woken;
}
