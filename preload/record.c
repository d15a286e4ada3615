/* SPDX-License-Identifier: MIT */
/*
 * The event rings.  One producer, one consumer: no atomic read-modify-write
 * and no time stamp on the plain path.
 */
#include <string.h>

#include "core.h"

_Static_assert(offsetof(struct seam_record, verb) ==
		       offsetof(struct seam_record, fn) + 2 &&
		   offsetof(struct seam_record, moment) ==
		       offsetof(struct seam_record, fn) + 3,
	       "SEAM_WHAT");

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
		/* Those of threads that have ended are to be read. */
		if (i >= SEAM_MAX_RINGS / 2)
			seam_door();
		return r;
	}
	if (!seam_self.ringless)
		atomic_fetch_add(&seam_arena->head.rings_lost, 1);
	seam_self.ringless = true;
	return NULL;
}

static struct seam_ring *
own_ring(void)
{
	struct seam_ring *r;
	int saved = errno;

	if (!seam_arena || !seam_thread_self())
		return NULL;
	r = seam_self.ring = claim_ring(seam_self.thread);
	if (r)
		seam_self.stop = atomic_load(&r->head);
	else
		atomic_fetch_add(&seam_arena->head.events_lost, 1);
	errno = saved;
	return r;
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

/*
 * At every quarter of the ring, and where it was full when last looked at:
 * rings the door when half of it is used, and looks how far to go next.
 * The reader's `tail` is not touched in between.  Where only the latest are
 * wanted nobody needs to come, since there is always room.
 */
static __attribute__((noinline)) bool
look_around(struct seam_ring *r, uint32_t head)
{
	uint32_t quarter = (head | (SEAM_RING_RECORDS / 4 - 1)) + 1;
	uint32_t used = head - atomic_load(&r->tail), room;

	if (!seam_alive_hint())
		atomic_store(&seam_gate.armed, 0);
	if (atomic_load(&seam_gate.mode) & SEAM_MODE_LATEST) {
		atomic_store(&r->latest, 1);
		seam_self.stop = quarter;
		return true;
	}
	atomic_store(&r->latest, 0);
	if (used >= SEAM_RING_RECORDS / 2 &&
	    head % (SEAM_RING_RECORDS / 4) == 0)
		seam_door();
	if (used >= SEAM_RING_RECORDS && !make_room(r, head)) {
		/* One writer: no atomic addition. */
		atomic_store_explicit(
		    &r->lost,
		    atomic_load_explicit(&r->lost, memory_order_relaxed) + 1,
		    memory_order_relaxed);
		return false;
	}
	room = SEAM_RING_RECORDS - (head - atomic_load(&r->tail));
	seam_self.stop = quarter;
	if (seam_self.stop - head > room)
		seam_self.stop = head + room;
	return true;
}

/* There is a ring, and room in it; if not, the event is lost. */
static bool
have_room(struct seam_self *self)
{
	if (!self->ring && !own_ring())
		return false;
	return look_around(self->ring, atomic_load(&self->ring->head));
}

static inline bool
at_stop(const struct seam_self *self)
{
	return !self->ring ||
	       atomic_load_explicit(&self->ring->head, memory_order_relaxed) ==
		   self->stop;
}

void
seam_record(const struct seam_call *c, unsigned moment, int error,
	    uint32_t rule)
{
	struct seam_self *self = &seam_self;
	struct seam_record *e;
	uint32_t head;

	if (at_stop(self) && !have_room(self))
		return;
	head = atomic_load_explicit(&self->ring->head, memory_order_relaxed);
	e = &self->ring->record[head % SEAM_RING_RECORDS];
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
	atomic_store_explicit(&self->ring->head, head + 1,
			      memory_order_release);
	/* Somebody looks on. */
	if (rule)
		seam_door();
}

/* Aside, so that the plain path needs no stack.  busy is set. */
static __attribute__((noinline)) int
recorded_at_stop(uint32_t what, uint64_t addr, uint64_t site, int error)
{
	bool room = have_room(&seam_self);

	seam_self.busy = 0;
	return room ? seam_recorded(what, addr, site, error) : error;
}

int
seam_recorded(uint32_t what, uint64_t addr, uint64_t site, int error)
{
	struct seam_self *self = &seam_self;
	struct seam_record *e;
	struct seam_ring *r;
	uint32_t head;

	if (self->busy)
		return error;
	/* A signal's handler must not take the same place. */
	self->busy = 1;
	atomic_signal_fence(memory_order_seq_cst);
	if (at_stop(self))
		return recorded_at_stop(what, addr, site, error);
	r = self->ring;
	head = atomic_load_explicit(&r->head, memory_order_relaxed);
	e = &r->record[head % SEAM_RING_RECORDS];
	e->time = 0;
	e->addr = addr;
	e->site = site;
	e->waited = 0;
	e->off = 0;
	e->len = 0;
	e->object = 0;
	e->result = error;
	memcpy(&e->fn, &what, sizeof(what)); /* fn, verb, moment */
	e->rule = 0;
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
	self->busy = 0;
	return error;
}
