/* SPDX-License-Identifier: MIT */
/* Tables: drafted, laid out in the heap, published; and the gates' words. */
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "rules_int.h"

#define ALL_FAMILIES ((UINT32_C(1) << SEAM_FAMILIES) - 2)
/* Seen when the program is scheduled, or when a rule names them. */
#define UNWATCHED                                                              \
	(SEAM_FAMILY_BIT(SEAM_FAMILY_TIME) | SEAM_FAMILY_BIT(SEAM_FAMILY_IO) | \
	 SEAM_FAMILY_BIT(SEAM_FAMILY_SIGNAL))
#define GRANULE 64
/* More granules than that are every bucket and every bit. */
#define MANY_GRANULES (SEAM_BLOOM_WORDS * 64)

static void *
more(struct seam_table_draft *d, void *v, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap ? 2 * *cap : 64;

	if (n < *cap)
		return v;
	v = realloc(v, want * size);
	if (v)
		*cap = want;
	else
		d->failed = true;
	return v;
}

uint32_t
seam_draft_string(struct seam_table_draft *d, const char *text)
{
	size_t len = strlen(text) + 1;
	uint32_t at = (uint32_t)d->nstring;

	while (!d->failed && d->nstring + len > d->capstring) {
		char *v = more(d, d->string, d->capstring, &d->capstring, 1);

		if (v)
			d->string = v;
	}
	if (d->failed)
		return 0;
	memcpy(d->string + at, text, len);
	d->nstring += len;
	return at;
}

void
seam_draft_ranges(struct seam_table_draft *d, const struct seam_ranges *r,
		  uint32_t *first, uint32_t *count)
{
	*first = (uint32_t)d->nrange;
	*count = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct seam_arena_range *v =
		    more(d, d->range, d->nrange, &d->caprange, sizeof(*v));

		if (!v)
			return;
		d->range = v;
		v[d->nrange++] = (struct seam_arena_range){ .lo = r->v[i].lo,
							    .hi = r->v[i].hi };
		++*count;
	}
}

static void
append(struct seam_table_draft *d, uint32_t *head, uint32_t *tail)
{
	uint32_t match = (uint32_t)d->nmatch - 1;
	struct seam_node *v;

	if (*tail && d->node[*tail - 1].match == match)
		return;
	v = more(d, d->node, d->nnode, &d->capnode, sizeof(*v));
	if (!v)
		return;
	d->node = v;
	v[d->nnode++] = (struct seam_node){ .match = match };
	if (*tail)
		v[*tail - 1].next = (uint32_t)d->nnode;
	else
		*head = (uint32_t)d->nnode;
	*tail = (uint32_t)d->nnode;
}

static void
append_range(struct seam_table_draft *d, uint64_t lo, uint64_t hi,
	     uint32_t *head, uint32_t *tail, uint64_t *bits)
{
	uint64_t first = lo / GRANULE, last = (hi - 1) / GRANULE;

	if (last - first >= MANY_GRANULES) {
		memset(bits, 0xff, SEAM_BLOOM_WORDS * sizeof(*bits));
		for (unsigned b = 0; b < SEAM_TABLE_BUCKETS; b++)
			append(d, &head[b], &tail[b]);
		return;
	}
	for (uint64_t g = first; g <= last && !d->failed; g++) {
		unsigned h = seam_granule_hash(g * GRANULE);
		unsigned b = h % SEAM_TABLE_BUCKETS;

		bits[h / 64] |= UINT64_C(1) << (h % 64);
		append(d, &head[b], &tail[b]);
	}
}

static void
add_verbs(struct seam_table_draft *d, const struct seam_match *m)
{
	uint64_t *when = m->flags & SEAM_MATCH_AFTER ? d->after : d->before;

	for (unsigned i = 0; i < SEAM_VERB_WORDS; i++) {
		when[i] |= m->verbs[i];
		if (m->action == SEAM_ACTION_HOLD)
			d->holds[i] |= m->verbs[i];
	}
	for (unsigned v = 1; v < SEAM_VERBS; v++)
		if (seam_verbs_has(m->verbs, v))
			d->families |= SEAM_FAMILY_BIT(seam_verbs[v].family);
}

void
seam_draft_match(struct seam_table_draft *d, const struct seam_match *m)
{
	struct seam_match *v =
	    more(d, d->match, d->nmatch, &d->capmatch, sizeof(*v));

	if (!v)
		return;
	d->match = v;
	v[d->nmatch++] = *m;
	add_verbs(d, m);
	if (m->flags & SEAM_MATCH_BIND) {
		append(d, &d->bind, &d->bind_tail);
	} else if (m->flags & SEAM_MATCH_OBJECT) {
		append_range(d, atomic_load(&m->obj_lo),
			     atomic_load(&m->obj_hi), d->objects,
			     d->object_tail, d->object_bits);
	} else if (m->flags & SEAM_MATCH_SITE) {
		for (uint32_t i = 0; i < m->sites; i++)
			append_range(d, d->range[m->site + i].lo,
				     d->range[m->site + i].hi, d->sites,
				     d->site_tail, d->site_bits);
	} else {
		append(d, &d->wild, &d->wild_tail);
		for (unsigned i = 0; i < SEAM_VERB_WORDS; i++)
			d->wild_verbs[i] |= m->verbs[i];
	}
}

void
seam_draft_free(struct seam_table_draft *d)
{
	free(d->match);
	free(d->node);
	free(d->range);
	free(d->string);
	memset(d, 0, sizeof(*d));
}

/* Layout. */

static size_t
aligned(size_t n)
{
	return (n + 15) & ~(size_t)15;
}

static void
lay_noise(struct seam_table_draft *d, struct seam_arena_range *at)
{
	for (size_t i = 0; d->noise && i < d->noise->n; i++)
		at[i] = (struct seam_arena_range){ .lo = d->noise->v[i].lo,
						   .hi = d->noise->v[i].hi };
}

static void
place(void *base, uint32_t at, const void *from, size_t size)
{
	if (size)
		memcpy((char *)base + at, from, size);
}

/* All but `readers`, which is not ours. */
static void
lay_out(struct seam_table_draft *d, struct seam_table *head,
	struct seam_table *t)
{
	const size_t skip = sizeof(t->readers);

	memcpy((char *)t + skip, (char *)head + skip, sizeof(*t) - skip);
	place(t, head->match_at, d->match, d->nmatch * sizeof(*d->match));
	place(t, head->node_at, d->node, d->nnode * sizeof(*d->node));
	place(t, head->range_at, d->range, d->nrange * sizeof(*d->range));
	place(t, head->string_at, d->string, d->nstring);
	lay_noise(d, (void *)((char *)t + head->noise_at));
}

/* Strings count from the table's beginning. */
static void
move_strings(struct seam_table_draft *d, uint32_t string_at)
{
	for (size_t i = 0; i < d->nmatch; i++) {
		struct seam_match *m = &d->match[i];

		if (m->flags & (SEAM_MATCH_THREAD | SEAM_MATCH_BIND_MET))
			m->thread += string_at;
		if (m->flags & SEAM_MATCH_PATH)
			m->path += string_at;
		if (m->flags & (SEAM_MATCH_NAME | SEAM_MATCH_BIND_NAME))
			m->name += string_at;
	}
}

static uint64_t
write_table(struct seam_session *s, struct seam_table_draft *d)
{
	size_t noise = d->noise ? d->noise->n : 0;
	struct seam_table head = { .matches = (uint32_t)d->nmatch,
				   .nodes = (uint32_t)d->nnode,
				   .ranges = (uint32_t)d->nrange,
				   .noise = (uint32_t)noise,
				   .wild = d->wild,
				   .bind = d->bind };
	size_t at = aligned(sizeof(head));
	uint64_t offset;

	head.match_at = (uint32_t)at;
	at = aligned(at + d->nmatch * sizeof(struct seam_match));
	head.node_at = (uint32_t)at;
	at = aligned(at + d->nnode * sizeof(struct seam_node));
	head.range_at = (uint32_t)at;
	at = aligned(at + d->nrange * sizeof(struct seam_arena_range));
	head.noise_at = (uint32_t)at;
	at = aligned(at + noise * sizeof(struct seam_arena_range));
	head.string_at = (uint32_t)at;
	at = aligned(at + d->nstring);
	head.size = (uint32_t)at;
	memcpy(head.objects, d->objects, sizeof(head.objects));
	memcpy(head.sites, d->sites, sizeof(head.sites));
	if (at > SEAM_HEAP_BYTES / 4)
		return 0;
	offset = seam_heap_alloc(s->heap, at);
	if (!offset)
		return 0;
	move_strings(d, head.string_at);
	lay_out(d, &head, (void *)((char *)s->arena + offset));
	return offset;
}

/* Publishing. */

static struct seam_gate *
gate_of(struct seam_session *s, const struct seam_process *p)
{
	return &s->arena->proc[p->index].gate;
}

static void
set_bits(_Atomic uint64_t *words, const uint64_t *bits, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (bits[i])
			atomic_fetch_or(&words[i], bits[i]);
}

/* Of the bits that were set before the new table, those not in it. */
static void
clear_bits(_Atomic uint64_t *words, const uint64_t *before,
	   const uint64_t *bits, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (before[i] & ~bits[i])
			atomic_fetch_and(&words[i], ~(before[i] & ~bits[i]));
}

static void
get_bits(_Atomic uint64_t *words, uint64_t *bits, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		bits[i] = atomic_load(&words[i]);
}

/*
 * A target binds by storing obj_lo, then setting the bit.  If it found the
 * new table before the old bits were cleared, its own may have gone with
 * them; then its obj_lo is there to be seen now.
 */
static void
set_bound_bits(struct seam_gate *g, struct seam_match *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t lo = atomic_load(&m[i].obj_lo);
		unsigned h = seam_granule_hash(lo);

		if ((m[i].flags & SEAM_MATCH_BIND) && lo)
			atomic_fetch_or(&g->objects[h / 64], UINT64_C(1)
								 << (h % 64));
	}
}

/* The gate's filters, the bits of a draft, and what was set before. */
struct filter {
	_Atomic uint64_t *words;
	const uint64_t *bits;
	unsigned n;
	uint64_t before[SEAM_BLOOM_WORDS];
};
#define FILTERS 6

static void
set_filters(struct filter *f)
{
	for (unsigned i = 0; i < FILTERS; i++) {
		get_bits(f[i].words, f[i].before, f[i].n);
		set_bits(f[i].words, f[i].bits, f[i].n);
	}
}

static void
clear_filters(struct filter *f)
{
	for (unsigned i = 0; i < FILTERS; i++)
		clear_bits(f[i].words, f[i].before, f[i].bits, f[i].n);
}

/* Whatever the table has, the filters let through as long as it is there. */
static void
switch_table(struct seam_session *s, struct seam_process *p,
	     struct seam_table_draft *d, uint64_t offset)
{
	struct seam_gate *g = gate_of(s, p);
	struct filter f[FILTERS] = {
		{ g->objects, d->object_bits, SEAM_BLOOM_WORDS, { 0 } },
		{ g->sites, d->site_bits, SEAM_BLOOM_WORDS, { 0 } },
		{ g->wild, d->wild_verbs, SEAM_VERB_WORDS, { 0 } },
		{ g->before, d->before, SEAM_VERB_WORDS, { 0 } },
		{ g->after, d->after, SEAM_VERB_WORDS, { 0 } },
		{ g->holds, d->holds, SEAM_VERB_WORDS, { 0 } },
	};
	char *base = (char *)s->arena + offset;
	bool noise = d->noise && d->noise->n;

	set_filters(f);
	if (noise)
		atomic_store(&g->noise, 1);
	atomic_store(&g->table, offset);
	clear_filters(f);
	if (!noise)
		atomic_store(&g->noise, 0);
	if (offset)
		set_bound_bits(
		    g,
		    (void *)(base +
			     ((struct seam_table *)(void *)base)->match_at),
		    d->nmatch);
	seam_heap_retire(s->heap, p->table);
	p->table = offset;
}

enum seam_code
seam_publish(struct seam_session *s, struct seam_process *p,
	     struct seam_table_draft *d, struct seam_error *err)
{
	struct seam_ruled *ruled = seam_ruled(s, p);
	uint64_t offset = 0;

	if (d->failed)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	if (d->nmatch || (d->noise && d->noise->n)) {
		offset = write_table(s, d);
		if (!offset)
			return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
					 "the rules of one process need more "
					 "memory than the arena has");
	}
	ruled->families = d->families;
	ruled->ruled = d->nmatch > 0;
	ruled->binds = d->bind != 0;
	switch_table(s, p, d, offset);
	seam_gate_refresh(s, p);
	return SEAM_OK;
}

/* Gates. */

static bool
any_stepped(struct seam_session *s, const struct seam_process *p)
{
	struct seam_thread *t;
	uint32_t i = 0;

	while ((t = seam_thread_next(s, &i)))
		if (t->proc == p->index && atomic_load(&t->step) &&
		    atomic_load(&t->state) != SEAM_THREAD_EXITED)
			return true;
	return false;
}

void
seam_gate_refresh(struct seam_session *s, struct seam_process *p)
{
	struct seam_ruled *ruled = seam_ruled(s, p);
	struct seam_gate *g = gate_of(s, p);
	/* Threads have names, and libraries are known, whatever is asked. */
	uint32_t mode = 0, armed = ruled->families |
				   SEAM_FAMILY_BIT(SEAM_FAMILY_THREAD) |
				   SEAM_FAMILY_BIT(SEAM_FAMILY_MODULE);

	if (s->watching)
		mode |= SEAM_MODE_WATCH;
	/* Without times it is a flight recorder: it never makes wait. */
	if (s->recording)
		mode |= SEAM_MODE_RECORD;
	if (s->recording && s->times)
		mode |= SEAM_MODE_TIMES | SEAM_MODE_LOSSLESS;
	if (any_stepped(s, p))
		mode |= SEAM_MODE_STEP;
	if (mode)
		armed |= ALL_FAMILIES & ~UNWATCHED;
	if (atomic_load(&s->arena->sched.on)) {
		mode |= SEAM_MODE_SCHED;
		armed = ALL_FAMILIES;
	}
	if (ruled->binds)
		mode |= SEAM_MODE_WATCH;
	if (ruled->logs)
		mode |= SEAM_MODE_TIMES | SEAM_MODE_LOSSLESS;
	if (ruled->ruled)
		mode |= SEAM_MODE_RULES;
	atomic_store(&g->mode, mode);
	atomic_store(&g->armed, armed);
}
