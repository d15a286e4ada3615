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
#define MANY_GRANULES 4096

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
add_bits(struct seam_bits *bits, unsigned i, uint64_t mask)
{
	bits->word[i] |= mask;
	bits->some[i / 64] |= UINT64_C(1) << (i % 64);
	bits->fresh[i / 64] |= UINT64_C(1) << (i % 64);
}

static void
set_bits_of(struct seam_table_draft *d, struct seam_bits *bits, uint64_t lo,
	    uint64_t hi)
{
	uint64_t first = lo / GRANULE, last = (hi - 1) / GRANULE;

	d->filters = true;
	if (last - first >= MANY_GRANULES) {
		for (unsigned i = 0; i < SEAM_BLOOM_WORDS; i++)
			add_bits(bits, i, UINT64_MAX);
		return;
	}
	for (uint64_t g = first; g <= last; g++) {
		uint64_t h = seam_granule_hash(g * GRANULE);

		add_bits(bits, seam_bloom_word(h), seam_bloom_mask(h));
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
		d->binds = d->filters = true;
	} else if (m->flags & SEAM_MATCH_OBJECT) {
		set_bits_of(d, &d->object_bits, atomic_load(&m->obj_lo),
			    atomic_load(&m->obj_hi));
	} else if (m->flags & SEAM_MATCH_SITE) {
		for (uint32_t i = 0; i < m->sites; i++)
			set_bits_of(d, &d->site_bits, d->range[m->site + i].lo,
				    d->range[m->site + i].hi);
	} else {
		d->wild = true;
		for (unsigned i = 0; i < SEAM_VERB_WORDS; i++)
			d->wild_verbs[i] |= m->verbs[i];
	}
}

void
seam_draft_free(struct seam_table_draft *d)
{
	if (!d)
		return;
	free(d->match);
	free(d->node);
	free(d->range);
	free(d->string);
	free(d->objects.head);
	free(d->link);
	free(d);
}

/* Lists. */

static bool
make_lists(struct seam_table_draft *d)
{
	uint32_t *v, n = SEAM_TABLE_BUCKETS;

	while (n < d->nmatch)
		n *= 2;
	v = calloc((size_t)4 * n, sizeof(*v));
	if (!v)
		return false;
	d->buckets = n;
	d->objects = (struct seam_lists){ v, v + n };
	d->sites = (struct seam_lists){ v + 2 * (size_t)n, v + 3 * (size_t)n };
	return true;
}

/* A link in what is there already is made later; `at` is the head's place. */
static void
add_link(struct seam_table_draft *d, uint32_t tail, uint32_t at)
{
	struct seam_link *v;

	if (!d->out || tail > d->laid.node)
		return;
	v = more(d, d->link, d->nlink, &d->caplink, sizeof(*v));
	if (!v)
		return;
	d->link = v;
	if (tail)
		at = (uint32_t)(d->at.node_at + (tail - 1) * sizeof(*d->node) +
				offsetof(struct seam_node, next));
	v[d->nlink++] = (struct seam_link){ at, (uint32_t)d->nnode };
}

static void
append(struct seam_table_draft *d, uint32_t match, uint32_t *head,
       uint32_t *tail, size_t at)
{
	struct seam_node *v;

	if (*tail && d->node[*tail - 1].match == match)
		return;
	v = more(d, d->node, d->nnode, &d->capnode, sizeof(*v));
	if (!v)
		return;
	d->node = v;
	v[d->nnode].match = match;
	atomic_init(&v[d->nnode++].next, 0);
	if (*tail)
		atomic_store(&v[*tail - 1].next, (uint32_t)d->nnode);
	else
		*head = (uint32_t)d->nnode;
	add_link(d, *tail, (uint32_t)at);
	*tail = (uint32_t)d->nnode;
}

static void
append_range(struct seam_table_draft *d, uint32_t match, uint64_t lo,
	     uint64_t hi, struct seam_lists *l, size_t at)
{
	uint64_t first = lo / GRANULE, last = (hi - 1) / GRANULE;

	if (last - first >= MANY_GRANULES) {
		for (unsigned b = 0; b < d->buckets; b++)
			append(d, match, &l->head[b], &l->tail[b],
			       at + b * sizeof(uint32_t));
		return;
	}
	for (uint64_t g = first; g <= last && !d->failed; g++) {
		unsigned b = seam_granule_bucket(seam_granule_hash(g * GRANULE),
						 d->buckets);

		append(d, match, &l->head[b], &l->tail[b],
		       at + b * sizeof(uint32_t));
	}
}

static void
link_match(struct seam_table_draft *d, uint32_t i)
{
	const struct seam_match *m = &d->match[i];

	if (m->flags & SEAM_MATCH_BIND)
		append(d, i, &d->bind_head, &d->bind_tail,
		       offsetof(struct seam_table, bind));
	else if (m->flags & SEAM_MATCH_OBJECT)
		append_range(d, i, m->obj_lo, m->obj_hi, &d->objects,
			     d->at.object_at);
	else if (m->flags & SEAM_MATCH_SITE)
		for (uint32_t k = 0; k < m->sites; k++)
			append_range(d, i, d->range[m->site + k].lo,
				     d->range[m->site + k].hi, &d->sites,
				     d->at.site_at);
	else
		append(d, i, &d->wild_head, &d->wild_tail,
		       offsetof(struct seam_table, wild));
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

static struct seam_draft_size
size_of(const struct seam_table_draft *d)
{
	return (struct seam_draft_size){ .match = d->nmatch,
					 .node = d->nnode,
					 .range = d->nrange,
					 .string = d->nstring };
}

static size_t
spare(size_t n)
{
	return n + n / 4 + 8;
}

/* Where everything is to be; the block's size. */
static size_t
plan_layout(struct seam_table_draft *d)
{
	size_t noise = d->noise ? d->noise->n : 0, at = sizeof(d->at);
	struct seam_draft_size *room = &d->room;

	room->match = spare(d->nmatch);
	room->node = spare(d->nnode);
	room->range = spare(d->nrange);
	room->string = spare(d->nstring);
	d->at.noise = (uint32_t)noise;
	d->at.buckets = d->buckets;
	d->at.object_at = (uint32_t)(at = aligned(at));
	d->at.site_at = (uint32_t)(at += d->buckets * sizeof(uint32_t));
	at += d->buckets * sizeof(uint32_t);
	d->at.match_at = (uint32_t)(at = aligned(at));
	at += room->match * sizeof(struct seam_match);
	d->at.node_at = (uint32_t)(at = aligned(at));
	at += room->node * sizeof(struct seam_node);
	d->at.range_at = (uint32_t)(at = aligned(at));
	at += room->range * sizeof(struct seam_arena_range);
	d->at.noise_at = (uint32_t)(at = aligned(at));
	at += noise * sizeof(struct seam_arena_range);
	d->at.string_at = (uint32_t)at;
	at = aligned(at + room->string);
	d->at.size = (uint32_t)at;
	return at;
}

/* What `from` elements of a part do not have yet. */
static void
place(void *table, uint32_t at, const void *v, size_t from, size_t to,
      size_t size)
{
	if (to > from)
		memcpy((char *)table + at + from * size,
		       (const char *)v + from * size, (to - from) * size);
}

/* Strings count from the table's beginning. */
static void
move_strings(struct seam_table_draft *d)
{
	for (size_t i = d->laid.match; i < d->nmatch; i++) {
		struct seam_match *m = &d->match[i];

		if (m->flags & (SEAM_MATCH_THREAD | SEAM_MATCH_BIND_MET))
			m->thread += d->at.string_at;
		if (m->flags & SEAM_MATCH_PATH)
			m->path += d->at.string_at;
		if (m->flags & (SEAM_MATCH_NAME | SEAM_MATCH_BIND_NAME))
			m->name += d->at.string_at;
	}
}

/* What there is beyond `laid`, but for links from what was there before. */
static void
place_new(struct seam_table_draft *d, struct seam_table *t)
{
	move_strings(d);
	place(t, d->at.match_at, d->match, d->laid.match, d->nmatch,
	      sizeof(*d->match));
	place(t, d->at.node_at, d->node, d->laid.node, d->nnode,
	      sizeof(*d->node));
	place(t, d->at.range_at, d->range, d->laid.range, d->nrange,
	      sizeof(*d->range));
	place(t, d->at.string_at, d->string, d->laid.string, d->nstring, 1);
}

/* All but `readers`, which is not ours. */
static void
lay_out(struct seam_table_draft *d, struct seam_table *t)
{
	const size_t skip = sizeof(t->readers);

	d->at.matches = (uint32_t)d->nmatch;
	d->at.nodes = (uint32_t)d->nnode;
	d->at.ranges = (uint32_t)d->nrange;
	atomic_init(&d->at.wild, d->wild_head);
	atomic_init(&d->at.bind, d->bind_head);
	memcpy((char *)t + skip, (char *)&d->at + skip, sizeof(*t) - skip);
	place(t, d->at.object_at, d->objects.head, 0, d->buckets,
	      sizeof(uint32_t));
	place(t, d->at.site_at, d->sites.head, 0, d->buckets, sizeof(uint32_t));
	place_new(d, t);
	lay_noise(d, (void *)((char *)t + d->at.noise_at));
	d->laid = size_of(d);
	d->out = true;
}

static struct seam_table *
table_at(struct seam_session *s, uint64_t offset)
{
	return (void *)((char *)s->arena + offset);
}

static uint64_t
write_table(struct seam_session *s, struct seam_table_draft *d)
{
	uint64_t offset;
	size_t size;

	if (!make_lists(d))
		return 0;
	for (size_t i = 0; i < d->nmatch && !d->failed; i++)
		link_match(d, (uint32_t)i);
	size = plan_layout(d);
	if (d->failed || size > SEAM_HEAP_BYTES / 4)
		return 0;
	offset = seam_heap_alloc(s->heap, size);
	if (offset)
		lay_out(d, table_at(s, offset));
	return offset;
}

/* Publishing. */

static struct seam_gate *
gate_of(struct seam_session *s, const struct seam_process *p)
{
	return &s->arena->proc[p->index].gate;
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
		uint64_t h = seam_granule_hash(lo);

		if ((m[i].flags & SEAM_MATCH_BIND) && lo)
			atomic_fetch_or(&g->objects[seam_bloom_word(h)],
					seam_bloom_mask(h));
	}
}

/* Small filters, of verbs. */
static void
switch_verbs(struct seam_gate *g, const struct seam_table_draft *d, bool clear)
{
	const struct {
		_Atomic uint64_t *words;
		const uint64_t *bits;
	} f[] = { { g->wild, d->wild_verbs },
		  { g->before, d->before },
		  { g->after, d->after },
		  { g->holds, d->holds } };

	for (size_t i = 0; i < sizeof(f) / sizeof(f[0]); i++)
		for (unsigned v = 0; v < SEAM_VERB_WORDS; v++)
			if (clear)
				atomic_store(&f[i].words[v], f[i].bits[v]);
			else
				atomic_fetch_or(&f[i].words[v], f[i].bits[v]);
}

/* Adds the bits of those words. */
static void
add_words(_Atomic uint64_t *words, const struct seam_bits *bits,
	  const uint64_t *which)
{
	for (unsigned i = 0; i < SEAM_BLOOM_WORDS / 64; i++)
		for (uint64_t left = which[i]; left; left &= left - 1) {
			unsigned w = i * 64 + (unsigned)__builtin_ctzll(left);

			atomic_fetch_or(&words[w], bits->word[w]);
		}
}

/* Takes away what the words had before and the new bits have not.  What a
 * target has set by binding may be in any of them. */
static void
clear_words(_Atomic uint64_t *words, const struct seam_bits *old,
	    const struct seam_bits *bits, bool bound)
{
	for (unsigned i = 0; i < SEAM_BLOOM_WORDS / 64; i++)
		for (uint64_t left = bound ? UINT64_MAX : old->some[i]; left;
		     left &= left - 1) {
			unsigned w = i * 64 + (unsigned)__builtin_ctzll(left);
			uint64_t over =
			    bound ? atomic_load(&words[w]) : old->word[w];

			if (over & ~bits->word[w])
				atomic_fetch_and(&words[w], bits->word[w]);
		}
}

/*
 * Whatever the table has, the filters let through as long as it is there.
 * Where a target binds meanwhile, see set_bound_bits.
 */
static void
switch_table(struct seam_session *s, struct seam_process *p,
	     struct seam_table_draft *d, uint64_t offset)
{
	const struct seam_table_draft *old = seam_ruled(s, p)->draft;
	struct seam_gate *g = gate_of(s, p);
	bool noise = d->noise && d->noise->n;

	switch_verbs(g, d, false);
	add_words(g->objects, &d->object_bits, d->object_bits.some);
	add_words(g->sites, &d->site_bits, d->site_bits.some);
	if (noise)
		atomic_store(&g->noise, 1);
	atomic_store(&g->table, offset);
	switch_verbs(g, d, true);
	if (old && old->filters) {
		clear_words(g->objects, &old->object_bits, &d->object_bits,
			    old->binds);
		clear_words(g->sites, &old->site_bits, &d->site_bits, false);
	}
	if (!noise)
		atomic_store(&g->noise, 0);
	if (offset && d->binds)
		set_bound_bits(g,
			       (void *)((char *)table_at(s, offset) +
					d->at.match_at),
			       d->nmatch);
	seam_heap_retire(s->heap, p->table);
	p->table = offset;
}

static void
published_bits(struct seam_table_draft *d)
{
	memset(d->object_bits.fresh, 0, sizeof(d->object_bits.fresh));
	memset(d->site_bits.fresh, 0, sizeof(d->site_bits.fresh));
}

static void
tell_gate(struct seam_session *s, struct seam_process *p)
{
	struct seam_ruled *ruled = seam_ruled(s, p);

	ruled->families = ruled->draft->families;
	ruled->ruled = ruled->draft->nmatch > 0;
	ruled->binds = ruled->draft->binds;
	seam_gate_refresh(s, p);
}

enum seam_code
seam_publish(struct seam_session *s, struct seam_process *p,
	     struct seam_table_draft *d, struct seam_error *err)
{
	struct seam_ruled *ruled = seam_ruled(s, p);
	uint64_t offset = 0;

	if (d->nmatch || (d->noise && d->noise->n)) {
		offset = d->failed ? 0 : write_table(s, d);
		if (!offset)
			sess_fail(err, SEAM_E_UNSUPPORTED, 0, "%s",
				  d->failed ?
				      "out of memory" :
				      "the rules of one process need more "
				      "memory than the arena has");
		if (!offset) {
			seam_draft_free(d);
			return SEAM_E_UNSUPPORTED;
		}
	}
	switch_table(s, p, d, offset);
	published_bits(d);
	seam_draft_free(ruled->draft);
	ruled->draft = d;
	tell_gate(s, p);
	return SEAM_OK;
}

static bool
fits(const struct seam_table_draft *d)
{
	return d->out && !d->failed && d->nmatch <= d->room.match &&
	       d->nnode <= d->room.node && d->nrange <= d->room.range &&
	       d->nstring <= d->room.string && d->nmatch <= 2 * d->buckets;
}

bool
seam_publish_more(struct seam_session *s, struct seam_process *p)
{
	struct seam_table_draft *d = seam_ruled(s, p)->draft;
	char *table = (char *)s->arena + p->table;
	struct seam_gate *g = gate_of(s, p);

	for (size_t i = d->laid.match; d->out && i < d->nmatch; i++)
		link_match(d, (uint32_t)i);
	if (!fits(d))
		return false;
	switch_verbs(g, d, false);
	add_words(g->objects, &d->object_bits, d->object_bits.fresh);
	add_words(g->sites, &d->site_bits, d->site_bits.fresh);
	published_bits(d);
	place_new(d, (void *)table);
	for (size_t i = 0; i < d->nlink; i++)
		atomic_store((_Atomic uint32_t *)(void *)(table +
							  d->link[i].at),
			     d->link[i].to);
	((struct seam_table *)(void *)table)->matches = (uint32_t)d->nmatch;
	((struct seam_table *)(void *)table)->nodes = (uint32_t)d->nnode;
	((struct seam_table *)(void *)table)->ranges = (uint32_t)d->nrange;
	d->nlink = 0;
	d->laid = size_of(d);
	tell_gate(s, p);
	return true;
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
	if (s->recording)
		mode |= SEAM_MODE_RECORD;
	if (s->recording && s->times)
		mode |= SEAM_MODE_TIMES | SEAM_MODE_LOSSLESS;
	else if (s->recording && s->each_last && !ruled->logs)
		mode |= SEAM_MODE_LATEST;
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
