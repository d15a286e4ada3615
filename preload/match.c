/* SPDX-License-Identifier: MIT */
/* Does an event meet a rule?  Reads the compiled tables of arena.h. */
#include <string.h>
#include <unwind.h>

#include "core.h"

static const struct seam_table *
table_enter(void)
{
	uint64_t at = atomic_load(&seam_gate.table);

	while (at) {
		struct seam_table *t =
		    (struct seam_table *)((char *)seam_arena + at);

		atomic_fetch_add(&t->readers, 1);
		if (atomic_load(&seam_gate.table) == at)
			return t;
		atomic_fetch_sub(&t->readers, 1);
		at = atomic_load(&seam_gate.table);
	}
	return NULL;
}

static void
table_leave(const struct seam_table *t)
{
	atomic_fetch_sub(&((struct seam_table *)(uintptr_t)t)->readers, 1);
}

static const void *
at(const struct seam_table *t, uint32_t offset)
{
	return (const char *)t + offset;
}

/* '*' and '?' only; after a mismatch the last star takes one more. */
static bool
glob(const char *p, const char *s)
{
	const char *star = NULL, *mark = NULL;

	while (*s) {
		if (*p == '*') {
			star = ++p;
			mark = s;
		} else if (*p == *s || *p == '?') {
			p++;
			s++;
		} else if (star) {
			p = star;
			s = ++mark;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return !*p;
}

/* A pattern that is not absolute matches whole components at the end. */
static bool
glob_path(const char *p, const char *path)
{
	const char *s;

	if (glob(p, path))
		return true;
	if (*p == '/')
		return false;
	for (s = strchr(path, '/'); s; s = strchr(s + 1, '/'))
		if (glob(p, s + 1))
			return true;
	return false;
}

static bool
glob_thread(const char *p, const struct seam_thread *t)
{
	size_t n = strnlen(t->name, sizeof(t->name));

	if (glob(p, t->path))
		return true;
	if (!n)
		return false;
	if (glob(p, t->name))
		return true;
	/* name.2: the second of that name */
	if (!strncmp(p, t->name, n) && p[n] == '.') {
		uint32_t ordinal = 0;
		const char *d = p + n + 1;

		for (; *d >= '0' && *d <= '9'; d++)
			ordinal = ordinal * 10 + (uint32_t)(*d - '0');
		return !*d && d > p + n + 1 && ordinal == t->name_ordinal;
	}
	return false;
}

static bool
in_ranges(const struct seam_table *t, uint32_t first, uint32_t n, uint64_t a)
{
	const struct seam_arena_range *r = at(t, t->range_at);

	for (r += first; n-- > 0; r++)
		if (r->lo <= a && a < r->hi)
			return true;
	return false;
}

static bool
is_noise(const struct seam_table *t, const struct seam_call *c)
{
	const struct seam_arena_range *r = at(t, t->noise_at);
	uint64_t addr = (uint64_t)(uintptr_t)c->ptr;
	uint32_t n;

	for (n = t->noise; n-- > 0; r++)
		if ((r->lo <= addr && addr < r->hi) ||
		    (r->lo <= c->site && c->site < r->hi))
			return true;
	return false;
}

bool
seam_is_noise(const struct seam_call *c)
{
	const struct seam_table *t;
	bool noise = false;

	if (!atomic_load_explicit(&seam_gate.noise, memory_order_relaxed))
		return false;
	t = table_enter();
	if (t) {
		noise = t->noise && is_noise(t, c);
		table_leave(t);
	}
	return noise;
}

/* Outer frames, the call site first. */
struct unwinding {
	uint64_t site;
	struct seam_matched *out;
};

static _Unwind_Reason_Code
frame(struct _Unwind_Context *context, void *data)
{
	struct unwinding *u = data;
	uint64_t ip = (uint64_t)_Unwind_GetIP(context);

	if (!u->out->nframes && ip != u->site)
		return _URC_NO_REASON;
	u->out->frames[u->out->nframes++] = ip;
	return u->out->nframes == SEAM_FRAMES ? _URC_NORMAL_STOP :
						_URC_NO_REASON;
}

static bool
in_frames(const struct seam_table *t, const struct seam_match *m,
	  const struct seam_call *c, struct seam_matched *out)
{
	uint32_t i;

	if (!out->nframes) {
		struct unwinding u = { c->site, out };

		_Unwind_Backtrace(frame, &u);
	}
	for (i = 0; i < out->nframes; i++)
		if (in_ranges(t, m->in, m->ins, out->frames[i]))
			return true;
	return false;
}

static unsigned
result_of(const struct seam_call *c, int error)
{
	if (!error || error == EOWNERDEAD)
		return SEAM_RESULT_OK;
	if (error == c->busy || error == EBUSY || error == EAGAIN ||
	    error == EACCES)
		return SEAM_RESULT_BUSY;
	if (error == ETIMEDOUT)
		return SEAM_RESULT_TIMEDOUT;
	return error == EINTR ? SEAM_RESULT_EINTR : SEAM_RESULT_ERROR;
}

static bool
overlaps(const struct seam_match *m, const struct seam_call *c)
{
	uint64_t mend = m->len ? m->off + m->len : UINT64_MAX;
	uint64_t cend = c->len ? c->off + c->len : UINT64_MAX;

	return m->off < cend && c->off < mend;
}

static const char *
name_of(const struct seam_call *c)
{
	const struct seam_object *o = seam_object_of(c);

	if (c->name)
		return c->name;
	return o ? seam_string(atomic_load(&o->name)) : "";
}

static bool
meets(const struct seam_table *t, const struct seam_match *m,
      const struct seam_call *c, const struct seam_thread *self, bool after,
      int error, struct seam_matched *out)
{
	uint32_t f = m->flags;
	uint64_t addr = (uint64_t)(uintptr_t)c->ptr;

	if (!seam_verbs_has(m->verbs, c->verb) || (m->fn && m->fn != c->fn) ||
	    !!(f & SEAM_MATCH_AFTER) != after)
		return false;
	if ((f & (SEAM_MATCH_OBJECT | SEAM_MATCH_BIND)) &&
	    (addr < atomic_load(&m->obj_lo) || addr >= atomic_load(&m->obj_hi)))
		return false;
	if ((f & SEAM_MATCH_SITE) && !in_ranges(t, m->site, m->sites, c->site))
		return false;
	if ((f & SEAM_MATCH_KIND) && m->kind != seam_verbs[c->verb].kind)
		return false;
	if ((f & SEAM_MATCH_MODE) && m->mode != c->mode)
		return false;
	if ((f & SEAM_MATCH_RANGE) && !overlaps(m, c))
		return false;
	if ((f & SEAM_MATCH_RESULT) && m->result != result_of(c, error))
		return false;
	if ((f & SEAM_MATCH_THREAD) && !glob_thread(at(t, m->thread), self))
		return false;
	if ((f & SEAM_MATCH_PATH) && !glob_path(at(t, m->path), name_of(c)))
		return false;
	if ((f & SEAM_MATCH_NAME) && !glob(at(t, m->name), name_of(c)))
		return false;
	if ((f & SEAM_MATCH_WILD) && t->noise && is_noise(t, c))
		return false;
	if (m->hold_readers && c->mode == 'r')
		return false;
	if ((f & SEAM_MATCH_WAITED) && !c->waited)
		return false;
	return !(f & SEAM_MATCH_IN) || in_frames(t, m, c, out);
}

/* The n-th match fires; a FAIL fires as often as it may. */
static bool
fires(const struct seam_match *m)
{
	struct seam_rule *r = &seam_arena->rule[m->rule];
	uint32_t hit = atomic_fetch_add(&r->hits, 1) + 1, times;

	if (r->nth && hit != r->nth)
		return false;
	if (m->action != SEAM_ACTION_FAIL)
		return true;
	times = atomic_load(&r->times);
	while (times != UINT32_MAX && times) {
		if (atomic_compare_exchange_weak(&r->times, &times, times - 1))
			return true;
	}
	return times != 0;
}

static bool
has_rule(const struct seam_matched *out, uint32_t rule)
{
	unsigned i;

	for (i = 0; i < out->n; i++)
		if (out->rule[i] == rule)
			return true;
	return false;
}

static void
consider(const struct seam_table *t, const struct seam_match *m,
	 const struct seam_call *c, const struct seam_thread *self, bool after,
	 int error, bool holds_only, struct seam_matched *out)
{
	bool hold = m->action == SEAM_ACTION_HOLD;

	if (!atomic_load_explicit(&seam_arena->rule[m->rule].armed,
				  memory_order_acquire) ||
	    (holds_only && !hold))
		return;
	/* One event is one match, however many addresses a rule has. */
	if (has_rule(out, m->rule + 1) || out->log == m->rule + 1)
		return;
	if (!meets(t, m, c, self, after, error, out))
		return;
	if (out->n == SEAM_MATCHED && m->action != SEAM_ACTION_LOG) {
		atomic_fetch_add(&seam_arena->head.matches_lost, 1);
		return;
	}
	if (!hold && !fires(m))
		return;
	if (m->action == SEAM_ACTION_LOG) {
		out->log = m->rule + 1;
	} else {
		out->rule[out->n] = m->rule + 1;
		out->action[out->n++] = (uint8_t)m->action;
	}
}

static uint32_t
next_of(const struct seam_node *nodes, uint32_t i)
{
	return atomic_load_explicit(&nodes[i - 1].next, memory_order_acquire);
}

static void
walk(const struct seam_table *t, uint32_t list, const struct seam_call *c,
     const struct seam_thread *self, bool after, int error, bool holds_only,
     struct seam_matched *out)
{
	const struct seam_node *nodes = at(t, t->node_at);
	const struct seam_match *matches = at(t, t->match_at);

	for (; list; list = next_of(nodes, list))
		consider(t, &matches[nodes[list - 1].match], c, self, after,
			 error, holds_only, out);
}

static uint32_t
first(const _Atomic uint32_t *list)
{
	return atomic_load_explicit(list, memory_order_acquire);
}

static uint32_t
bucket(const struct seam_table *t, uint32_t offset, uint64_t addr)
{
	const _Atomic uint32_t *lists = at(t, offset);

	return first(
	    &lists[seam_granule_bucket(seam_granule_hash(addr), t->buckets)]);
}

static bool
has_verb(_Atomic uint64_t *words, unsigned verb)
{
	uint64_t word =
	    atomic_load_explicit(&words[verb / 64], memory_order_relaxed);

	return (word >> (verb % 64)) & 1;
}

bool
seam_may_match(const struct seam_call *c)
{
	return has_verb(seam_gate.wild, c->verb) ||
	       seam_bloom(seam_gate.objects, (uint64_t)(uintptr_t)c->ptr) ||
	       seam_bloom(seam_gate.sites, c->site);
}

void
seam_match(const struct seam_call *c, const struct seam_thread *self,
	   bool after, int error, bool holds_only, struct seam_matched *out)
{
	uint64_t addr = (uint64_t)(uintptr_t)c->ptr;
	const struct seam_table *t;

	/* Most calls have no rule for the moment after them. */
	if (!has_verb(holds_only ? seam_gate.holds :
		      after	 ? seam_gate.after :
				   seam_gate.before,
		      c->verb))
		return;
	t = table_enter();
	if (!t)
		return;
	if (addr && seam_bloom(seam_gate.objects, addr)) {
		walk(t, bucket(t, t->object_at, addr), c, self, after, error,
		     holds_only, out);
		walk(t, first(&t->bind), c, self, after, error, holds_only,
		     out);
	}
	if (seam_bloom(seam_gate.sites, c->site))
		walk(t, bucket(t, t->site_at, c->site), c, self, after, error,
		     holds_only, out);
	walk(t, first(&t->wild), c, self, after, error, holds_only, out);
	table_leave(t);
}

static bool
binds(const struct seam_table *t, const struct seam_match *m,
      const struct seam_object *o)
{
	const struct seam_thread *first;

	if ((m->flags & SEAM_MATCH_KIND) && m->kind != o->kind)
		return false;
	if (m->flags & SEAM_MATCH_BIND_SITE)
		return o->init_site &&
		       in_ranges(t, m->bind, m->binds, o->init_site) &&
		       (!m->bind_ordinal || m->bind_ordinal == o->init_ordinal);
	if (m->flags & SEAM_MATCH_BIND_NAME)
		return atomic_load(&o->name) &&
		       glob(at(t, m->name), seam_string(atomic_load(&o->name)));
	if (!o->first_thread)
		return false;
	first = &seam_arena->thread[o->first_thread - 1];
	return !o->init_site && m->bind_ordinal == o->first_ordinal &&
	       glob(at(t, m->thread), first->path);
}

/* The last node after `i` that belongs to the same rule, in one run. */
static uint32_t
last_of_rule(const struct seam_table *t, uint32_t i)
{
	const struct seam_node *nodes = at(t, t->node_at);
	const struct seam_match *matches = at(t, t->match_at);
	uint32_t rule = matches[nodes[i - 1].match].rule;

	uint32_t next;

	while ((next = next_of(nodes, i)) &&
	       matches[nodes[next - 1].match].rule == rule)
		i = next;
	return i;
}

void
seam_bind(const struct seam_object *o)
{
	const struct seam_table *t = table_enter();
	const struct seam_node *nodes;
	uint32_t i;

	if (!t)
		return;
	nodes = at(t, t->node_at);
	for (i = first(&t->bind); i; i = next_of(nodes, i)) {
		struct seam_match *m =
		    (struct seam_match *)(uintptr_t)at(t, t->match_at) +
		    nodes[i - 1].match;
		uint64_t bound = atomic_load(&m->obj_lo);
		uint64_t h = seam_granule_hash(o->addr);

		if (bound == o->addr && !binds(t, m, o)) {
			/* The address is another object's now. */
			atomic_store(&m->obj_hi, 0);
			atomic_store(&m->obj_lo, 0);
		} else if (!bound && binds(t, m, o)) {
			atomic_store(&m->obj_hi, o->addr + 1);
			atomic_store(&m->obj_lo, o->addr);
			atomic_fetch_or(&seam_gate.objects[seam_bloom_word(h)],
					seam_bloom_mask(h));
			/* One of a rule's equal matches is enough. */
			i = last_of_rule(t, i);
		} else if (bound == o->addr) {
			i = last_of_rule(t, i);
		} else if (bound && !m->bind_ordinal &&
			   last_of_rule(t, i) == i && binds(t, m, o)) {
			/* All of them are other objects'. */
			atomic_fetch_add(&seam_arena->head.binds_lost, 1);
		}
	}
	table_leave(t);
}
