/* SPDX-License-Identifier: MIT */
/* Rules into what one process has to match against. */
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "rules_int.h"

/*
 * A match is bound to one object only; where a name stands for any number
 * of objects to be made, as many of them can be bound until the next
 * compilation, which finds all that exist by then.
 */
#define ANY_COPIES SEAM_BINDS

/* Few rules are compiled anew with each that comes or goes.  With many, one
 * is added to what there is, and taken out when half of them have gone: or
 * 10,000 would be compiled 10,000 times. */
#define FEW_RULES 64

/* Locks of interpreters, allocators and cryptography: what nobody aims at.
 * Functions' ranges are of call sites, objects' of the objects. */
static const struct noise {
	enum { NOISE_OBJECT, NOISE_SITE, NOISE_MODULE } what;
	const char *name;
} noises[] = {
	{ NOISE_OBJECT, "*python*!_PyRuntime" }, /* the GIL */
	{ NOISE_SITE, "*python*!take_gil" },
	{ NOISE_SITE, "*python*!drop_gil" },
	{ NOISE_MODULE, "libjemalloc*" },
	{ NOISE_MODULE, "libtcmalloc*" },
	{ NOISE_MODULE, "libcrypto*" },
	{ NOISE_MODULE, "libasan*" },
	{ NOISE_MODULE, "libtsan*" },
};

static int
add_noise_object(const struct seam_symbol *sym, void *data)
{
	return seam_ranges_add(data, sym->addr,
			       sym->addr + (sym->size ? sym->size : 1));
}

static void
find_noise(struct seam_map *map, struct seam_ranges *out)
{
	for (size_t i = 0; i < sizeof(noises) / sizeof(noises[0]); i++) {
		const struct noise *n = &noises[i];

		if (n->what == NOISE_OBJECT)
			seam_map_find_object(map, n->name, add_noise_object,
					     out);
		else if (n->what == NOISE_SITE)
			seam_map_find_site(map, n->name, out);
		else
			seam_map_find_module(map, n->name, out);
	}
}

static const struct seam_ranges *
noise_of(struct seam_session *s, struct seam_process *p)
{
	struct seam_ruled *ruled = seam_ruled(s, p);
	struct seam_map *map = seam_map_of(p);

	if (map && ruled->noise_maps != p->maps_seen + 1) {
		seam_ranges_free(&ruled->noise);
		find_noise(map, &ruled->noise);
		ruled->noise_maps = p->maps_seen + 1;
	}
	return &ruled->noise;
}

/* One rule in one process. */
struct compiling {
	struct seam_session *s;
	struct seam_process *p;
	struct seam_table_draft *d;
	struct seam_armed *r;
	struct seam_match base;
	bool shared_grew;
};

/* False: nothing of that pattern is mapped there now. */
static bool
put_sites(struct compiling *c, const char *pattern, uint32_t flag,
	  uint32_t *first, uint32_t *count)
{
	struct seam_map *map = seam_map_of(c->p);
	struct seam_ranges ranges = { 0 };
	bool some = false;

	if (!pattern)
		return true;
	if (map && !seam_map_find_site(map, pattern, &ranges))
		some = ranges.n > 0;
	if (some) {
		seam_draft_ranges(c->d, &ranges, first, count);
		c->base.flags |= flag;
	}
	seam_ranges_free(&ranges);
	return some;
}

static uint32_t
put_text(struct compiling *c, uint32_t flag, const char *text)
{
	c->base.flags |= flag;
	return seam_draft_string(c->d, text);
}

static bool
only_of_kind(const struct seam_selector *sel, int kind)
{
	for (unsigned v = 1; v < SEAM_VERBS; v++)
		if (seam_verbs_has(sel->verbs, v) && seam_verbs[v].kind != kind)
			return false;
	return true;
}

/* Objects that are names and nothing else: points, paths. */
static bool
object_is_text(const struct seam_selector *sel)
{
	return sel->obj.is_file || sel->obj.kind == SEAM_KIND_FILE ||
	       sel->obj.kind == SEAM_KIND_POINT ||
	       (sel->obj.name && (only_of_kind(sel, SEAM_KIND_POINT) ||
				  only_of_kind(sel, SEAM_KIND_FILE)));
}

static void
put_object_text(struct compiling *c)
{
	const struct seam_selector *sel = &c->r->sel;
	bool point = sel->obj.kind == SEAM_KIND_POINT ||
		     only_of_kind(sel, SEAM_KIND_POINT);

	if (point)
		c->base.name = put_text(c, SEAM_MATCH_NAME, sel->obj.name);
	else
		c->base.path = put_text(c, SEAM_MATCH_PATH, sel->obj.name);
}

static void
put_filters(struct compiling *c)
{
	const struct seam_selector *sel = &c->r->sel;
	char thread[SEAM_NAME_TEXT];

	c->base.fn = (uint16_t)sel->fn;
	if (sel->thread && seam_thread_pattern(c->s, c->p, sel->thread, thread,
					       sizeof(thread)))
		c->base.thread = put_text(c, SEAM_MATCH_THREAD, thread);
	if (sel->path)
		c->base.path = put_text(c, SEAM_MATCH_PATH, sel->path);
	if (sel->name)
		c->base.name = put_text(c, SEAM_MATCH_NAME, sel->name);
	if (sel->range.given) {
		c->base.flags |= SEAM_MATCH_RANGE;
		c->base.off = sel->range.off;
		c->base.len = sel->range.len;
	}
	if (sel->mode) {
		c->base.flags |= SEAM_MATCH_MODE;
		c->base.mode = (uint8_t)sel->mode;
	}
	if (sel->result) {
		c->base.flags |= SEAM_MATCH_RESULT | SEAM_MATCH_AFTER;
		c->base.result = (uint8_t)sel->result;
	}
	if (sel->after)
		c->base.flags |= SEAM_MATCH_AFTER;
	if (sel->has_obj && sel->obj.kind) {
		c->base.flags |= SEAM_MATCH_KIND;
		c->base.kind = (uint8_t)sel->obj.kind;
	}
}

static void
emit(struct compiling *c, const struct seam_match *m)
{
	struct seam_match notify;

	seam_draft_match(c->d, m);
	if (!c->r->notify)
		return;
	notify = *m;
	notify.rule = c->r->notify - 1;
	notify.action = SEAM_ACTION_NOTIFY;
	notify.hold_readers = 0;
	notify.flags |= SEAM_MATCH_AFTER;
	memcpy(notify.verbs, c->s->rule[c->r->notify - 1].sel.verbs,
	       sizeof(notify.verbs));
	seam_draft_match(c->d, &notify);
}

static void
emit_object(struct compiling *c, uint64_t lo, uint64_t hi)
{
	struct seam_match m = c->base;

	m.flags |= SEAM_MATCH_OBJECT;
	atomic_store(&m.obj_lo, lo);
	atomic_store(&m.obj_hi, hi);
	emit(c, &m);
}

static void
emit_bind(struct compiling *c, const struct seam_found *f)
{
	struct seam_match m = c->base;
	unsigned copies = f->ordinal ? 1 : ANY_COPIES;

	/* obj_lo 0 until it is bound; NAME and THREAD filters keep their
	 * own strings, so binding by those cannot be had together. */
	m.flags |= f->bind | SEAM_MATCH_OBJECT;
	m.bind_ordinal = f->ordinal;
	if (f->kind) {
		m.flags |= SEAM_MATCH_KIND;
		m.kind = f->kind;
	}
	if (f->bind == SEAM_MATCH_BIND_SITE)
		seam_draft_ranges(c->d, &f->init, &m.bind, &m.binds);
	else if (f->bind == SEAM_MATCH_BIND_NAME)
		m.name = seam_draft_string(c->d, f->glob);
	else
		m.thread = seam_draft_string(c->d, f->glob);
	if ((f->bind == SEAM_MATCH_BIND_NAME && (m.flags & SEAM_MATCH_NAME)) ||
	    (f->bind == SEAM_MATCH_BIND_MET && (m.flags & SEAM_MATCH_THREAD)))
		return;
	for (unsigned i = 0; i < copies; i++)
		emit(c, &m);
}

/* Memory that other processes map too. */

static bool
same_backing(const struct seam_backing *a, const struct seam_backing *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->offset == b->offset;
}

static void
note_shared(struct compiling *c, const struct seam_found_object *o)
{
	struct seam_map *map = seam_map_of(c->p);
	struct seam_shared one = { .len = o->hi - o->lo }, *v;
	struct seam_armed *r = c->r;

	if (!map || seam_map_backing(map, o->lo, &one.backing))
		return;
	for (size_t i = 0; i < r->nshared; i++)
		if (same_backing(&r->shared[i].backing, &one.backing))
			return;
	v = realloc(r->shared, (r->nshared + 1) * sizeof(*v));
	if (!v)
		return;
	r->shared = v;
	v[r->nshared++] = one;
	c->shared_grew = true;
}

static void
emit_shared(struct compiling *c, const struct seam_found *own)
{
	struct seam_map *map = seam_map_of(c->p);

	for (size_t i = 0; map && i < c->r->nshared; i++) {
		const struct seam_shared *sh = &c->r->shared[i];
		uint64_t lo = seam_map_unbacking(map, &sh->backing);
		bool known = !lo;

		for (size_t j = 0; j < own->n; j++)
			known |= own->v[j].lo == lo;
		if (!known)
			emit_object(c, lo, lo + sh->len);
	}
}

/* Does the rule's own name mean something in this process, or only what it
 * shares with others? */
static bool
resolves_here(const struct compiling *c)
{
	const struct seam_armed *r = c->r;

	if (r->kind == SEAM_RULE_HOLD &&
	    !seam_process_is(c->s, c->p, r->how.proc))
		return false;
	return !r->at_proc || r->at_proc == c->p->index + 1;
}

static void
emit_objects(struct compiling *c)
{
	struct seam_found f = { 0 };
	bool known;

	if (resolves_here(c)) {
		if (c->r->kind == SEAM_RULE_HOLD)
			seam_hold_find(c->s, c->r, c->p, &f);
		else
			seam_find(c->s, c->p, &c->r->sel.obj, &f);
	}
	for (size_t i = 0; i < f.n; i++) {
		emit_object(c, f.v[i].lo, f.v[i].hi);
		note_shared(c, &f.v[i]);
	}
	/* The n-th of something is made once. */
	known = f.n && f.ordinal && f.bind != SEAM_MATCH_BIND_NAME;
	if (f.bind && !known)
		emit_bind(c, &f);
	emit_shared(c, &f);
	seam_found_free(&f);
}

static void
compile_rule(struct compiling *c)
{
	const struct seam_selector *sel = &c->r->sel;
	bool has_address = sel->has_obj && !object_is_text(sel);
	struct seam_match *m = &c->base;

	memset(m, 0, sizeof(*m));
	m->rule = c->r->index;
	m->action = seam_rule_of(c->s, c->r)->action;
	m->hold_readers = c->r->kind == SEAM_RULE_HOLD && c->r->how.mode == 'r';
	memcpy(m->verbs, sel->verbs, sizeof(m->verbs));
	if (!put_sites(c, sel->at, SEAM_MATCH_SITE, &m->site, &m->sites) ||
	    !put_sites(c, sel->in, SEAM_MATCH_IN, &m->in, &m->ins))
		return;
	put_filters(c);
	if (sel->has_obj && !has_address)
		put_object_text(c);
	if (!has_address && !sel->at)
		m->flags |= SEAM_MATCH_WILD;
	if (c->r->kind == SEAM_RULE_LOG)
		m->flags |= SEAM_MATCH_AFTER; /* with its result */
	if (has_address)
		emit_objects(c);
	else
		emit(c, m);
	if (c->r->kind == SEAM_RULE_ORDER) {
		/* Who was blocked when it was armed must not run on either. */
		m->flags |= SEAM_MATCH_AFTER | SEAM_MATCH_WAITED;
		emit(c, m);
	}
}

static bool
in_tables(struct seam_session *s, const struct seam_armed *r)
{
	return r->used && r->fd < 0 &&
	       (r->kind == SEAM_RULE_ORDER || /* let go for a while */
		atomic_load(&seam_rule_of(s, r)->armed));
}

static void
draft_rule(struct compiling *c, struct seam_armed *r)
{
	c->r = r;
	c->d->rules++;
	r->seen = true;
	seam_ruled(c->s, c->p)->logs |= r->kind == SEAM_RULE_LOG;
	compile_rule(c);
}

static bool
wants_noise(const struct seam_session *s, const struct seam_table_draft *d)
{
	return d->wild || s->watching || s->recording;
}

/* True: another process shares memory with this one that was not known. */
static bool
draft(struct seam_session *s, struct seam_process *p,
      struct seam_table_draft *d)
{
	struct compiling c = { .s = s, .p = p, .d = d };

	seam_ruled(s, p)->logs = false;
	seam_draft_string(d, "");
	for (unsigned i = 0; i < s->rules; i++) {
		struct seam_armed *r = &s->rule[i];

		if (in_tables(s, r) && seam_rule_concerns(s, r, p))
			draft_rule(&c, r);
	}
	if (wants_noise(s, d))
		d->noise = noise_of(s, p);
	return c.shared_grew;
}

/*
 * An object made while we compiled was bound in the old table, if at all;
 * its entry was counted before it looked for a table.
 */
static enum seam_code
compile_one(struct seam_session *s, struct seam_process *p, bool *shared,
	    struct seam_error *err)
{
	enum seam_code code = SEAM_OK;

	for (int tries = 0; tries < 4; tries++) {
		struct seam_table_draft *d = calloc(1, sizeof(*d));
		uint32_t objects = seam_objects(s);
		bool binds;

		if (!d)
			return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
					 "out of memory");
		*shared |= draft(s, p, d);
		binds = d->binds;
		code = seam_publish(s, p, d, err);
		if (code || !binds || objects == seam_objects(s))
			break;
	}
	return code;
}

/* Adds to what the process has; false: all has to be compiled. */
static bool
compile_more(struct seam_session *s, struct seam_process *p,
	     struct seam_armed *r)
{
	struct seam_table_draft *d = seam_ruled(s, p)->draft;
	struct compiling c = { .s = s, .p = p, .d = d };
	uint32_t objects = seam_objects(s);

	if (!in_tables(s, r) || !seam_rule_concerns(s, r, p))
		return true;
	if (!d || !d->out || d->rules < FEW_RULES)
		return false;
	draft_rule(&c, r);
	return !c.shared_grew && (d->noise || !wants_noise(s, d)) &&
	       seam_publish_more(s, p) &&
	       (!d->binds || objects == seam_objects(s));
}

static enum seam_code
compile_others(struct seam_session *s, const struct seam_process *but,
	       bool *shared, struct seam_error *err)
{
	enum seam_code code = SEAM_OK, one;

	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];

		if (p == but || !seam_process_live(p))
			continue;
		one = compile_one(s, p, shared, code ? NULL : err);
		if (!code)
			code = one;
	}
	return code;
}

enum seam_code
seam_rules_compile(struct seam_session *s, struct seam_process *p,
		   struct seam_error *err)
{
	bool shared = false, again = false;
	enum seam_code code = compile_one(s, p, &shared, err);

	if (!code && shared)
		compile_others(s, p, &again, NULL);
	return code;
}

void
seam_compile_all(struct seam_session *s, struct seam_error *err)
{
	bool shared = false, again = false;
	enum seam_code code = compile_others(s, NULL, &shared, err);

	if (!code && shared)
		code = compile_others(s, NULL, &again, err);
	if (err)
		err->code = code;
}

void
seam_compile_new(struct seam_session *s, struct seam_armed *r,
		 struct seam_error *err)
{
	bool all = false;

	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];

		all |= seam_process_live(p) && !compile_more(s, p, r);
	}
	if (all)
		seam_compile_all(s, err);
	else
		err->code = SEAM_OK;
}

bool
seam_compile_without(struct seam_session *s, struct seam_armed *r)
{
	bool plain = r->kind == SEAM_RULE_PAUSE || r->kind == SEAM_RULE_FAULT ||
		     r->kind == SEAM_RULE_GATE;
	struct seam_error err = { .code = SEAM_OK };
	bool all = !plain, stays = false;

	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];
		struct seam_table_draft *d = seam_ruled(s, p)->draft;

		if (!seam_process_live(p) || !d || !seam_rule_concerns(s, r, p))
			continue;
		d->dead++;
		all |= d->rules <= FEW_RULES || 2 * d->dead >= d->rules;
		stays = true;
	}
	if (!all)
		return stays;
	seam_compile_all(s, &err);
	return err.code != SEAM_OK;
}

void
seam_rules_process_gone(struct seam_session *s, struct seam_process *p)
{
	struct seam_ruled *ruled = seam_ruled(s, p);

	atomic_store(&s->arena->proc[p->index].gate.table, 0);
	seam_heap_retire(s->heap, p->table);
	p->table = 0;
	seam_ranges_free(&ruled->noise);
	seam_draft_free(ruled->draft);
	memset(ruled, 0, sizeof(*ruled));
	seam_names_forget(seam_room(s), p->index);
}

void
seam_watch(struct seam_session *s, bool on)
{
	seam_lock(s);
	s->watching = on;
	seam_compile_all(s, NULL);
	seam_unlock(s);
}
