/* SPDX-License-Identifier: MIT */
/* Events: out of the rings, in order of time, with their names. */
#include <stdlib.h>
#include <string.h>

#include "arena_ctl.h"
#include "rules_int.h"

static uint32_t
rings(struct seam_session *s)
{
	uint32_t n = atomic_load(&s->arena->head.rings);

	return n > SEAM_MAX_RINGS ? SEAM_MAX_RINGS : n;
}

static bool
keep(struct seam_room *room, const struct seam_record *record, uint32_t thread)
{
	if (room->ndrawn == room->capdrawn) {
		size_t cap = room->capdrawn ? 2 * room->capdrawn : 1024;
		struct seam_drawn *v = realloc(room->drawn, cap * sizeof(*v));

		if (!v)
			return false;
		room->drawn = v;
		room->capdrawn = cap;
	}
	room->drawn[room->ndrawn] = (struct seam_drawn){
		.record = *record,
		.thread = thread,
		.order = (uint32_t)room->ndrawn,
	};
	room->ndrawn++;
	return true;
}

/*
 * Who asks for the last events only has a flight recorder: threads write over
 * the oldest in their rings, and nobody reads them until they are asked for.
 * So a thread never waits, wakes nobody, and keeps its ring in its own cache.
 * How many are asked for; 0: all, as when one process logs besides.
 */
static size_t
enough(struct seam_session *s)
{
	if (!s->recording)
		return 0;
	for (unsigned i = 0; i < s->processes; i++)
		if (seam_room(s)->proc[i].logs)
			return 0;
	return s->each_last;
}

/* The ring of a thread that has ended is another's once it has been read. */
static void
free_ring(struct seam_session *s, uint32_t i, uint32_t owner)
{
	struct seam_thread *t = owner ? seam_thread_at(s, owner - 1) : NULL;
	struct seam_ring *ring = &s->arena->ring[i];

	if (t && atomic_load(&t->state) == SEAM_THREAD_EXITED &&
	    atomic_load(&ring->head) == atomic_load(&ring->tail))
		atomic_compare_exchange_strong(&ring->thread, &owner, 0);
}

/* How many a ring holds; those that were written over are counted. */
static uint32_t
held(struct seam_session *s, uint32_t i)
{
	struct seam_ring *ring = &s->arena->ring[i];
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	uint32_t n = head - atomic_load(&ring->tail);

	if (n <= SEAM_RING_RECORDS)
		return n;
	if (!s->overwrites) {
		seam_broken(s, "ring %u has %u records, room for %u", i, n,
			    SEAM_RING_RECORDS);
		return 0;
	}
	s->passed_over += n - SEAM_RING_RECORDS;
	atomic_store(&ring->tail, head - SEAM_RING_RECORDS);
	return SEAM_RING_RECORDS;
}

/* Of the last n that were drawn, from place `first` on, those which their
 * thread has written over meanwhile are dropped, and the one that it may just
 * be writing over. */
static void
drop_torn(struct seam_session *s, const struct seam_ring *ring, uint32_t first,
	  size_t n, uint32_t latest)
{
	struct seam_room *room = seam_room(s);
	struct seam_drawn *v = room->drawn + room->ndrawn - n;
	uint32_t head, whole = SEAM_RING_RECORDS;
	size_t torn = 0;

	atomic_thread_fence(memory_order_acquire);
	head = atomic_load(&ring->head);
	if (latest || atomic_load(&ring->latest))
		whole--;
	while (torn < n && head - first - torn > whole)
		torn++;
	if (!torn)
		return;
	memmove(v, v + torn, (n - torn) * sizeof(*v));
	room->ndrawn -= torn;
	s->passed_over += torn;
}

/* The last n at most. */
static void
draw(struct seam_session *s, uint32_t i, uint32_t n)
{
	struct seam_ring *ring = &s->arena->ring[i];
	struct seam_room *room = seam_room(s);
	uint32_t owner = atomic_load(&ring->thread), there = held(s, i);
	uint32_t tail = atomic_load(&ring->tail), first, at;
	uint32_t latest = atomic_load(&ring->latest);

	if (owner)
		room->ring_owner[i] = owner;
	if (there > n) {
		s->passed_over += there - n;
		tail += there - n;
		there = n;
	}
	first = tail;
	for (at = first; at != first + there; at++)
		if (!keep(room, &ring->record[at % SEAM_RING_RECORDS],
			  room->ring_owner[i]))
			break;
	if (at != first)
		drop_torn(s, ring, first, at - first, latest);
	if (at != atomic_load(&ring->tail)) {
		atomic_store_explicit(&ring->tail, at, memory_order_release);
		seam_futex_wake(&ring->tail);
	}
	free_ring(s, i, owner);
}

/* A record is made when its call has waited. */
static uint64_t
made(const struct seam_record *r)
{
	return r->moment == SEAM_AFTER ? r->time + r->waited : r->time;
}

static int
by_time(const void *a, const void *b)
{
	const struct seam_drawn *x = a, *y = b;

	if (made(&x->record) != made(&y->record))
		return made(&x->record) < made(&y->record) ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void
name_object(struct seam_session *s, const struct seam_record *r,
	    struct seam_process *p, struct seam_event *e, char *buf,
	    size_t size)
{
	bool thread = r->verb < SEAM_VERBS &&
		      seam_verbs[r->verb].kind == SEAM_KIND_THREAD;
	struct seam_thread *t =
	    thread && r->object ? seam_thread_at(s, r->object - 1) : NULL;
	struct seam_object *o =
	    r->object && !thread ? seam_object_at(s, r->object - 1) : NULL;

	e->object = "";
	if (t) {
		seam_arena_copy(t->path, SEAM_PATH, buf, size);
		e->object = buf;
	} else if (o) {
		if (o->kind == SEAM_KIND_FILE) {
			e->device = o->addr;
			e->inode = o->addr2;
		}
		e->object = seam_object_text(s, r->object - 1);
	} else if (r->addr && p) {
		e->object = seam_addr_text(s, p, r->addr);
	}
}

struct naming {
	uint32_t thread; /* index + 1 */
	struct seam_process *p;
	char proc[SEAM_PATH], path[SEAM_PATH], name[SEAM_NAME];
	char object[SEAM_NAME_TEXT];
};

static void
name_thread(struct seam_session *s, uint32_t thread, struct naming *n)
{
	struct seam_thread *t = thread ? seam_thread_at(s, thread - 1) : NULL;

	if (thread && n->thread == thread)
		return;
	memset(n, 0, sizeof(*n));
	n->thread = thread;
	if (!t)
		return;
	n->p = seam_process_at(s, t->proc);
	seam_arena_copy(t->path, SEAM_PATH, n->path, sizeof(n->path));
	seam_arena_copy(t->name, SEAM_NAME, n->name, sizeof(n->name));
	if (n->p)
		seam_process_path(s, n->p, n->proc);
}

static void
give(struct seam_session *s, const struct seam_drawn *d, struct naming *n)
{
	const struct seam_record *r = &d->record;
	struct seam_event e = { .time = r->time,
				.addr = r->addr,
				.site_addr = r->site,
				.moment = r->moment,
				.result = r->result,
				.waited = r->waited,
				.off = r->off,
				.len = r->len,
				.rule = r->rule };
	struct seam_armed *log;

	name_thread(s, d->thread, n);
	e.proc = n->proc;
	e.thread = n->path;
	e.thread_name = n->name;
	e.verb = seam_verb_name(r->verb);
	e.fn = seam_fns[r->fn < SEAM_FNS ? r->fn : 0].name;
	e.site = n->p ? seam_site_text(s, n->p, r->site) : "";
	name_object(s, r, n->p, &e, n->object, sizeof(n->object));
	if (s->recording && s->each)
		s->each(&e, s->each_data);
	log = r->rule ? seam_rule_at(s, r->rule) : NULL;
	if (log && log->each)
		log->each(&e, log->data);
}

/* How many each ring may give at most, and one, so that they are no more than
 * `last` together. */
static uint32_t
fair_share(struct seam_session *s, size_t last)
{
	uint32_t low = 1, high = (uint32_t)last, count = rings(s);

	while (low < high) {
		uint32_t share = low + (high - low + 1) / 2;
		size_t all = 0;

		for (uint32_t i = 0; i < count; i++) {
			uint32_t n = held(s, i);

			all += n < share ? n : share;
		}
		if (all <= last)
			low = share;
		else
			high = share - 1;
	}
	return low;
}

static void
draw_all(struct seam_session *s, size_t last)
{
	uint32_t share = last ? fair_share(s, last) : SEAM_RING_RECORDS;
	uint32_t count = rings(s);

	for (uint32_t i = 0; i < count && !*s->broken; i++)
		draw(s, i, share);
}

/* Without times they are in order. */
static void
sort(struct seam_room *room)
{
	size_t i;

	for (i = 1; i < room->ndrawn; i++)
		if (by_time(&room->drawn[i - 1], &room->drawn[i]) > 0)
			break;
	if (i < room->ndrawn)
		qsort(room->drawn, room->ndrawn, sizeof(*room->drawn), by_time);
}

/*
 * A thread names itself, its objects and sites; those of one thread are
 * looked up together while they are the same, since most of a drain's events
 * come in runs.
 */
static void
give_all(struct seam_session *s)
{
	struct seam_room *room = seam_room(s);
	struct naming *n = room->ndrawn ? calloc(1, sizeof(*n)) : NULL;

	if (n) {
		sort(room);
		for (size_t i = 0; i < room->ndrawn; i++)
			give(s, &room->drawn[i], n);
		free(n);
	}
	room->ndrawn = 0;
}

void
seam_drain_locked(struct seam_session *s)
{
	draw_all(s, enough(s));
	give_all(s);
}

void
seam_drain(struct seam_session *s)
{
	seam_lock(s);
	seam_drain_locked(s);
	seam_unlock(s);
}

uint64_t
seam_events_lost_locked(struct seam_session *s)
{
	uint64_t lost = atomic_load(&s->arena->head.events_lost);
	uint32_t n = rings(s);

	for (uint32_t i = 0; i < n; i++)
		lost += atomic_load(&s->arena->ring[i].lost);
	return lost;
}

uint64_t
seam_events_lost(struct seam_session *s)
{
	uint64_t lost;

	seam_lock(s);
	lost = seam_events_lost_locked(s);
	seam_unlock(s);
	return lost;
}

static enum seam_code
record(struct seam_session *s, bool times, size_t last, seam_event_fn *each,
       void *data, struct seam_error *err)
{
	enum seam_code code = SEAM_OK;

	seam_lock(s);
	if (each && s->recording)
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "events are being recorded already");
	if (!each)
		seam_drain_locked(s);
	if (!code) {
		s->recording = each;
		s->times = times;
		s->each = each;
		s->each_data = data;
		s->each_last = last;
		s->overwrites |= last > 0;
		seam_compile_all(s, NULL);
	}
	seam_unlock(s);
	return code;
}

enum seam_code
seam_record(struct seam_session *s, bool times, seam_event_fn *each, void *data,
	    struct seam_error *err)
{
	return record(s, times, 0, each, data, err);
}

enum seam_code
seam_record_last(struct seam_session *s, size_t last, seam_event_fn *each,
		 void *data, struct seam_error *err)
{
	return record(s, false, last, each, data, err);
}

enum seam_code
sess_log(struct seam_session *s, const struct seam_selector *sel,
	 seam_event_fn *each, void *data, const char **id,
	 struct seam_error *err)
{
	struct seam_error none;
	enum seam_code code;

	seam_lock(s);
	code = seam_log_arm(s, sel, NULL, each, data, id, err ? err : &none);
	seam_unlock(s);
	return code;
}
