/* SPDX-License-Identifier: MIT */
/*
 * The event rings.  One producer, one consumer: no atomic read-modify-write
 * and no time stamp on the plain path.
 */
#include "core.h"

static struct seam_ring *
claim_ring(struct seam_thread *t)
{
	uint32_t me = seam_thread_index(t) + 1, i, n;

	for (i = 0; i < SEAM_MAX_RINGS; i++) {
		struct seam_ring *r = &seam_arena->ring[i];
		uint32_t none = 0;

		if (atomic_load_explicit(&r->thread, memory_order_relaxed) ||
		    !atomic_compare_exchange_strong(&r->thread, &none, me))
			continue;
		n = atomic_load(&seam_arena->head.rings);
		while (n < i + 1 &&
		       !atomic_compare_exchange_weak(&seam_arena->head.rings,
						     &n, i + 1))
			;
		atomic_store(&t->ring, i + 1);
		return r;
	}
	atomic_fetch_add(&seam_arena->head.rings_lost, 1);
	return NULL;
}

/* Full: waits for the controller if nothing may be lost. */
static bool
make_room(struct seam_ring *r, uint32_t head)
{
	uint32_t tail = atomic_load(&r->tail);

	while (head - tail >= SEAM_RING_RECORDS) {
		if (!(atomic_load(&seam_gate.mode) & SEAM_MODE_LOSSLESS) ||
		    !seam_alive())
			return false;
		seam_door();
		seam_futex_wait_ms(&r->tail, tail, 1000);
		tail = atomic_load(&r->tail);
	}
	return true;
}

static void
lost(struct seam_ring *r)
{
	if (r)
		atomic_fetch_add(&r->lost, 1);
	atomic_fetch_add(&seam_arena->head.events_lost, 1);
}

void
seam_record(const struct seam_call *c, unsigned moment, int error,
	    uint32_t rule)
{
	struct seam_ring *r = seam_self.ring;
	struct seam_record *e;
	uint32_t head;

	if (!r && !(r = seam_self.ring = claim_ring(seam_self.thread))) {
		lost(NULL);
		return;
	}
	head = atomic_load_explicit(&r->head, memory_order_relaxed);
	if (head - atomic_load_explicit(&r->tail, memory_order_relaxed) >=
		SEAM_RING_RECORDS &&
	    !make_room(r, head)) {
		lost(r);
		return;
	}
	e = &r->record[head % SEAM_RING_RECORDS];
	e->time = c->began;
	e->addr = (uint64_t)(uintptr_t)c->ptr;
	e->site = c->site;
	e->object =
	    seam_verbs[c->verb].kind == SEAM_KIND_THREAD ? c->peer : c->object;
	e->result = error;
	e->fn = c->fn;
	e->verb = (uint8_t)c->verb;
	e->moment = (uint8_t)moment;
	e->rule = rule;
	e->off = c->off;
	e->len = c->len;
	e->waited = c->waited ? seam_nanoseconds() - c->began : 0;
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	if (head % (SEAM_RING_RECORDS / 4) == 0)
		seam_door();
}
