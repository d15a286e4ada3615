/* SPDX-License-Identifier: MIT */
/* What a hold is to own: one object in each process that has the name. */
#include <stdio.h>
#include <string.h>

#include "rules_int.h"

/* What of each kind is held, and what tells us that it was let go. */
static const struct holdable {
	uint8_t kind;
	uint8_t verbs[5], readers[5], notify[2];
	size_t size; /* of the C type */
} holdables[] = {
	{ SEAM_KIND_MUTEX,
	  { SEAM_MUTEX_LOCK, SEAM_MUTEX_TRYLOCK, SEAM_COND_REACQUIRE },
	  { 0 },
	  { SEAM_MUTEX_UNLOCK },
	  40 },
	{ SEAM_KIND_RWLOCK,
	  { SEAM_RWLOCK_WRLOCK, SEAM_RWLOCK_TRYWRLOCK },
	  { SEAM_RWLOCK_RDLOCK, SEAM_RWLOCK_TRYRDLOCK },
	  { SEAM_RWLOCK_UNLOCK },
	  56 },
	{ SEAM_KIND_SPIN,
	  { SEAM_SPIN_LOCK, SEAM_SPIN_TRYLOCK },
	  { 0 },
	  { SEAM_SPIN_UNLOCK },
	  4 },
	{ SEAM_KIND_SEM,
	  { SEAM_SEM_WAIT, SEAM_SEM_TRYWAIT },
	  { 0 },
	  { SEAM_SEM_POST },
	  32 },
};
#define HOLDABLES (sizeof(holdables) / sizeof(holdables[0]))

static const struct holdable *
holdable(int kind)
{
	for (size_t i = 0; i < HOLDABLES; i++)
		if (holdables[i].kind == kind)
			return &holdables[i];
	return NULL;
}

static uint8_t
kind_by_size(uint64_t size)
{
	for (size_t i = 0; i < HOLDABLES; i++)
		if (holdables[i].size == size)
			return holdables[i].kind;
	return 0;
}

static void
add_verbs(uint64_t *mask, const uint8_t *verbs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (verbs[i])
			seam_verbs_add(mask, verbs[i]);
}

/* Kind 0: of all kinds. */
static void
hold_verbs(int kind, int mode, uint64_t *take, uint64_t *notify)
{
	for (size_t i = 0; i < HOLDABLES; i++) {
		const struct holdable *h = &holdables[i];

		if (kind && h->kind != kind)
			continue;
		add_verbs(take, h->verbs, sizeof(h->verbs));
		if (mode != 'r')
			add_verbs(take, h->readers, sizeof(h->readers));
		add_verbs(notify, h->notify, sizeof(h->notify));
	}
}

/* Resolving. */

/* Known objects of a kind that can be held, within a symbol's extent. */
static size_t
known_within(struct seam_session *s, const struct seam_process *p,
	     const struct seam_found_object *o, int kind, uint32_t *first)
{
	uint32_t n = seam_objects(s);
	size_t count = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct seam_object *k = seam_object_at(s, i);

		if (!k || k->proc != p->index || atomic_load(&k->dead) ||
		    k->addr < o->lo || k->addr >= o->hi || !holdable(k->kind) ||
		    (kind && k->kind != kind))
			continue;
		if (!count++)
			*first = i + 1;
	}
	return count;
}

/* The one object of an extent; all of it while none is known of something
 * larger than a lock. */
static void
narrow(struct seam_session *s, struct seam_armed *r, struct seam_process *p,
       struct seam_found_object *o)
{
	int kind = r->sel.obj.kind ? r->sel.obj.kind : r->held_kind;
	uint64_t lo = o->lo, hi = o->hi;
	uint8_t sized = kind_by_size(hi - lo);
	struct seam_object *known;
	uint32_t first = 0;

	if (!o->symbol || hi - lo <= 1)
		return;
	if (r->granted || r->inner) {
		o->lo += r->inner;
	} else if (known_within(s, p, o, kind, &first) == 1) {
		known = seam_object_at(s, first - 1);
		o->object = first;
		o->lo = known->addr;
		o->kind = (uint8_t)seam_object_kind(known);
		r->inner = o->lo - lo;
	} else if (!sized) {
		o->kind = 0;
		return;
	}
	if (!o->kind)
		o->kind = sized;
	o->hi = o->lo + 1;
}

void
seam_hold_find(struct seam_session *s, struct seam_armed *r,
	       struct seam_process *p, struct seam_found *found)
{
	seam_find(s, p, &r->sel.obj, found);
	for (size_t i = 0; i < found->n; i++)
		narrow(s, r, p, &found->v[i]);
}

static void
list_within(struct seam_session *s, struct seam_process *p,
	    const struct seam_found_object *o, struct seam_text *t)
{
	uint32_t n = seam_objects(s);

	for (uint32_t i = 0; i < n; i++) {
		struct seam_object *k = seam_object_at(s, i);

		if (k && k->proc == p->index && !atomic_load(&k->dead) &&
		    k->addr >= o->lo && k->addr < o->hi && holdable(k->kind))
			seam_text_add(t, "%s%s:%s", t->n ? ", " : "",
				      seam_object_kind_name(k),
				      seam_object_text(s, i));
	}
}

static void
list_found(struct seam_session *s, const struct seam_found *f,
	   struct seam_text *t)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct seam_found_object *o = &f->v[i];

		seam_text_add(t, "%s", t->n ? ", " : "");
		if (o->symbol)
			seam_text_add(t, "%s!%s @0x%llx", o->module, o->symbol,
				      (unsigned long long)o->lo);
		else if (o->object)
			seam_text_add(t, "%s @0x%llx",
				      seam_object_text(s, o->object - 1),
				      (unsigned long long)o->lo);
	}
}

/*
 * "rwlock:the_mutex" means nothing: what is known at that address is of
 * another kind only, or the symbol is too small for the kind.  A larger one
 * may begin with it.
 */
static enum seam_code
check_kind(struct seam_session *s, const struct seam_armed *r,
	   const struct seam_process *p, const struct seam_found_object *o,
	   struct seam_error *err)
{
	const struct holdable *said = holdable(r->sel.obj.kind);
	const uint64_t extent = o->symbol ? o->hi - o->lo : 1;
	struct seam_object *known;
	char path[SEAM_PATH];
	uint32_t i;

	if (!said)
		return SEAM_OK;
	if (extent > 1 && extent < said->size)
		return sess_fail(err, SEAM_E_NO_SUCH_OBJECT, r->sel.obj.column,
				 "%s of %s cannot be a %s: it is %llu bytes "
				 "long, not %zu",
				 o->symbol, seam_process_path(s, p, path),
				 seam_kinds[said->kind],
				 (unsigned long long)extent, said->size);
	if (extent > 1 && !kind_by_size(extent))
		return SEAM_OK;
	i = seam_object_index(s, p, o->lo, 0);
	known = i ? seam_object_at(s, i - 1) : NULL;
	if (!known || seam_object_index(s, p, o->lo, said->kind) ||
	    known_within(s, p, o, said->kind, &i))
		return SEAM_OK;
	return sess_fail(err, SEAM_E_NO_SUCH_OBJECT, r->sel.obj.column,
			 "%s of %s is a %s, not a %s",
			 seam_object_text(s, i - 1),
			 seam_process_path(s, p, path),
			 seam_object_kind_name(known), seam_kinds[said->kind]);
}

/* One object at most in each process; *err says what is too many, and what
 * *mistaken has another kind. */
static enum seam_code
resolve_in(struct seam_session *s, struct seam_armed *r, struct seam_process *p,
	   struct seam_hold_targets *out, struct seam_error *mistaken,
	   struct seam_error *err)
{
	struct seam_found f;
	char buf[600] = "";
	struct seam_text t = { .buf = buf, .size = sizeof(buf) };
	enum seam_code code = SEAM_OK;
	uint32_t first;

	seam_find(s, p, &r->sel.obj, &f);
	if (f.n > 1) {
		list_found(s, &f, &t);
		code = sess_fail(err, SEAM_E_AMBIGUOUS, r->sel.obj.column,
				 "several objects have that name: %s", buf);
	} else if (f.n == 1 && f.v[0].symbol &&
		   known_within(s, p, &f.v[0], r->sel.obj.kind, &first) > 1) {
		list_within(s, p, &f.v[0], &t);
		code = sess_fail(err, SEAM_E_AMBIGUOUS, r->sel.obj.column,
				 "several objects lie in '%s': %s",
				 f.v[0].symbol, buf);
	} else if (f.n == 1 && !check_kind(s, r, p, &f.v[0], mistaken)) {
		narrow(s, r, p, &f.v[0]);
		out->v[out->n].p = p;
		out->v[out->n++].o = f.v[0];
	}
	seam_found_free(&f);
	return code;
}

static bool
in_play(struct seam_session *s, const struct seam_armed *r,
	const struct seam_process *p)
{
	return seam_process_live(p) && seam_process_is(s, p, r->how.proc) &&
	       (!r->at_proc || r->at_proc == p->index + 1);
}

static enum seam_code
resolve(struct seam_session *s, struct seam_armed *r,
	struct seam_hold_targets *out, struct seam_error *err)
{
	struct seam_error mistaken = { .code = SEAM_OK };
	enum seam_code code = SEAM_OK;

	out->n = 0;
	for (unsigned i = 0; i < s->processes && !code; i++)
		if (in_play(s, r, &s->process[i]))
			code = resolve_in(s, r, &s->process[i], out, &mistaken,
					  err);
	if (code || out->n || !mistaken.code)
		return code;
	*err = mistaken;
	return err->code;
}

static void
suggest(struct seam_session *s, struct seam_near *near)
{
	uint32_t n = seam_objects(s);

	for (uint32_t i = 0; i < n && i < 4096; i++) {
		struct seam_object *o = seam_object_at(s, i);

		if (o && !atomic_load(&o->dead) && holdable(o->kind))
			seam_near_try(near, seam_object_text(s, i));
	}
}

static enum seam_code
none_such(struct seam_session *s, struct seam_armed *r, struct seam_error *err)
{
	const char *name = r->sel.obj.name;
	struct seam_near near = { .word = name ? name : "" };
	char best[SEAM_NAME_TEXT] = "";

	if (name)
		suggest(s, &near);
	if (near.best)
		snprintf(best, sizeof(best), "%s", near.best);
	return sess_fail(err, SEAM_E_NO_SUCH_OBJECT, r->sel.obj.column,
			 "no process has an object '%s'%s%s%s; `locks` lists "
			 "what is known",
			 seam_show(name ? name : "").s,
			 *best ? "; did you mean '" : "", best,
			 *best ? "'?" : "");
}

static bool
any_in_play(struct seam_session *s, const struct seam_armed *r)
{
	for (unsigned i = 0; i < s->processes; i++)
		if (in_play(s, r, &s->process[i]))
			return true;
	return false;
}

/* With proc= there must be such a process: nobody else has the object. */
static enum seam_code
check_proc(struct seam_session *s, const struct seam_armed *r,
	   struct seam_error *err)
{
	const char *proc = r->how.proc;
	const struct seam_process *ended = NULL;

	for (unsigned i = 0; proc && i < s->processes; i++) {
		const struct seam_process *p = &s->process[i];

		if (!p->used || !seam_process_is(s, p, proc))
			continue;
		if (!p->ended)
			return SEAM_OK;
		ended = p;
	}
	if (!proc)
		return SEAM_OK;
	if (ended)
		return sess_fail(err, SEAM_E_GONE, 0,
				 "process %s has ended: there is nothing to "
				 "hold",
				 seam_show(proc).s);
	if (seam_process_find(s, proc, 0, err))
		sess_fail(err, SEAM_E_NO_SUCH_THREAD, 0,
			  "proc=%s is no process's path or alias",
			  seam_show(proc).s);
	return err->code;
}

static enum seam_code
pin_address(struct seam_session *s, struct seam_armed *r,
	    struct seam_error *err)
{
	char buf[512] = "", path[SEAM_PATH];
	struct seam_text t = { .buf = buf, .size = sizeof(buf) };
	unsigned n = 0;

	for (unsigned i = 0; i < s->processes; i++) {
		if (!in_play(s, r, &s->process[i]))
			continue;
		seam_text_add(&t, "%s%s", n++ ? ", " : "",
			      seam_process_path(s, &s->process[i], path));
		r->at_proc = i + 1;
	}
	if (n <= 1)
		return SEAM_OK;
	return sess_fail(err, SEAM_E_AMBIGUOUS, r->sel.obj.column,
			 "an address means one process: say proc= of %s", buf);
}

/* What its name says, or what is known to lie there. */
static int
kind_said(struct seam_session *s, const struct seam_armed *r,
	  const struct seam_hold_targets *at)
{
	const struct seam_hold_target *t = at->v;
	struct seam_object *o;
	uint32_t i;

	if (r->sel.obj.is_sem)
		return SEAM_KIND_SEM;
	if (r->sel.obj.kind || !at->n)
		return r->sel.obj.kind;
	i = seam_object_index(s, t->p, t->o.lo, 0);
	o = i ? seam_object_at(s, i - 1) : NULL;
	return o ? (int)seam_object_kind(o) : 0;
}

/* What is held, once that is known: the kind of the first target. */
static enum seam_code
settle_kind(struct seam_session *s, struct seam_armed *r,
	    const struct seam_hold_targets *at, struct seam_error *err)
{
	int kind = kind_said(s, r, at);

	if (kind && !holdable(kind))
		return sess_fail(err, SEAM_E_UNSUPPORTED, r->sel.obj.column,
				 "a %s cannot be held: nobody owns it; pause "
				 "its callers instead",
				 seam_kinds[kind]);

	for (size_t i = 0; i < at->n; i++) {
		const struct seam_found_object *o = &at->v[i].o;

		if (o->hi - o->lo > 1)
			return sess_fail(err, SEAM_E_AMBIGUOUS,
					 r->sel.obj.column,
					 "no lock within '%s' has been seen "
					 "yet: say which, as in %s+0x10, or "
					 "watch from the beginning",
					 o->symbol, o->symbol);
		kind = kind ? kind : o->kind;
	}
	if (!kind && at->n)
		return sess_fail(err, SEAM_E_AMBIGUOUS, r->sel.obj.column,
				 "what that is has not been seen yet: say "
				 "mutex:, rwlock:, spin: or sem: before it");
	if (r->how.mode == 'r' && kind && kind != SEAM_KIND_RWLOCK)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "mode= is for read-write locks and files, "
				 "not for a %s",
				 seam_kinds[kind]);
	r->held_kind = (uint8_t)kind;
	return SEAM_OK;
}

enum seam_code
seam_hold_set_up(struct seam_session *s, struct seam_armed *r,
		 struct seam_hold_targets *at, struct seam_error *err)
{
	uint64_t take[SEAM_VERB_WORDS] = { 0 };
	uint64_t notify[SEAM_VERB_WORDS] = { 0 };
	enum seam_code code = SEAM_OK;

	if (r->sel.obj.is_addr)
		code = pin_address(s, r, err);
	if (!code)
		code = resolve(s, r, at, err);
	if (!code)
		code = settle_kind(s, r, at, err);
	if (code)
		return code;
	if (r->sel.obj.is_sem)
		seam_hold_sem_open(s, r);
	if (!at->n && !r->sem) {
		if (any_in_play(s, r))
			return none_such(s, r, err);
		code = check_proc(s, r, err);
		if (code)
			return code;
	}
	hold_verbs(r->held_kind, r->how.mode, take, notify);
	memcpy(r->sel.verbs, take, sizeof(take));
	seam_rule_of(s, r)->action = SEAM_ACTION_HOLD;
	if (!seam_rule_notify(s, r, notify))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "no room for another rule");
	return seam_rule_arm(s, r, err);
}
