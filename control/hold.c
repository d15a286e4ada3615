/* SPDX-License-Identifier: MIT */
/*
 * Holds: the session owns an object.
 *
 * A hold is first armed, so that whoever arrives from now on waits for us,
 * and granted when the real object has been seen free after the grace
 * period, with nobody standing in its queue.  Then nobody can take it any
 * more: every way to it leads through the gate.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arena_ctl.h"
#include "rules_int.h"

#define LOOK_NS UINT64_C(20000000)
#define SURE_NS UINT64_C(300000)

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

struct target {
	struct seam_process *p;
	struct seam_found_object o;
};

struct targets {
	struct target v[SEAM_MAX_PROCS];
	size_t n;
};

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
known_within(struct seam_session *s, struct seam_process *p,
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
		o->kind = known->kind;
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
				      seam_kinds[k->kind],
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

/* One object at most in each process; *err says what is too many. */
static enum seam_code
resolve_in(struct seam_session *s, struct seam_armed *r, struct seam_process *p,
	   struct targets *out, struct seam_error *err)
{
	struct seam_found f;
	char buf[600] = "";
	struct seam_text t = { .buf = buf, .size = sizeof(buf) };
	enum seam_code code = SEAM_OK;
	uint32_t first;

	seam_find(s, p, &r->sel.obj, &f);
	if (f.n > 1) {
		list_found(s, &f, &t);
		code = seam_fail(err, SEAM_E_AMBIGUOUS, r->sel.obj.column,
				 "several objects have that name: %s", buf);
	} else if (f.n == 1 && f.v[0].symbol &&
		   known_within(s, p, &f.v[0], r->sel.obj.kind, &first) > 1) {
		list_within(s, p, &f.v[0], &t);
		code = seam_fail(err, SEAM_E_AMBIGUOUS, r->sel.obj.column,
				 "several objects lie in '%s': %s",
				 f.v[0].symbol, buf);
	} else if (f.n == 1) {
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
resolve(struct seam_session *s, struct seam_armed *r, struct targets *out,
	struct seam_error *err)
{
	enum seam_code code = SEAM_OK;

	out->n = 0;
	for (unsigned i = 0; i < s->processes && !code; i++)
		if (in_play(s, r, &s->process[i]))
			code = resolve_in(s, r, &s->process[i], out, err);
	return code;
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
		strncat(best, near.best, sizeof(best) - 1);
	return seam_fail(err, SEAM_E_NO_SUCH_OBJECT, r->sel.obj.column,
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
	return seam_fail(err, SEAM_E_AMBIGUOUS, r->sel.obj.column,
			 "an address means one process: say proc= of %s", buf);
}

/* What its name says, or what is known to lie there. */
static int
kind_said(struct seam_session *s, const struct seam_armed *r,
	  const struct targets *at)
{
	const struct target *t = at->v;
	struct seam_object *o;
	uint32_t i;

	if (r->sel.obj.is_sem)
		return SEAM_KIND_SEM;
	if (r->sel.obj.kind || !at->n)
		return r->sel.obj.kind;
	i = seam_object_index(s, t->p, t->o.lo, 0);
	o = i ? seam_object_at(s, i - 1) : NULL;
	return o ? o->kind : 0;
}

/* What is held, once that is known: the kind of the first target. */
static enum seam_code
settle_kind(struct seam_session *s, struct seam_armed *r,
	    const struct targets *at, struct seam_error *err)
{
	int kind = kind_said(s, r, at);

	if (kind && !holdable(kind))
		return seam_fail(err, SEAM_E_UNSUPPORTED, r->sel.obj.column,
				 "a %s cannot be held: nobody owns it; pause "
				 "its callers instead",
				 seam_kinds[kind]);

	for (size_t i = 0; i < at->n; i++) {
		const struct seam_found_object *o = &at->v[i].o;

		if (o->hi - o->lo > 1)
			return seam_fail(err, SEAM_E_AMBIGUOUS,
					 r->sel.obj.column,
					 "no lock within '%s' has been seen "
					 "yet: say which, as in %s+0x10, or "
					 "watch from the beginning",
					 o->symbol, o->symbol);
		kind = kind ? kind : o->kind;
	}
	if (!kind && at->n)
		return seam_fail(err, SEAM_E_AMBIGUOUS, r->sel.obj.column,
				 "what that is has not been seen yet: say "
				 "mutex:, rwlock:, spin: or sem: before it");
	if (r->how.mode == 'r' && kind && kind != SEAM_KIND_RWLOCK)
		return seam_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "mode= is for read-write locks and files, "
				 "not for a %s",
				 seam_kinds[kind]);
	r->held_kind = (uint8_t)kind;
	return SEAM_OK;
}

static enum seam_code
set_up(struct seam_session *s, struct seam_armed *r, struct targets *at,
       struct seam_error *err)
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
	if (!at->n && !r->sem && any_in_play(s, r))
		return none_such(s, r, err);
	hold_verbs(r->held_kind, r->how.mode, take, notify);
	memcpy(r->sel.verbs, take, sizeof(take));
	seam_rule_of(s, r)->action = SEAM_ACTION_HOLD;
	if (!seam_rule_notify(s, r, notify))
		return seam_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "no room for another rule");
	return seam_rule_arm(s, r, err);
}

/* Granting. */

/* Somebody stands in the object's queue and will get it before us. */
static bool
queued(struct seam_session *s, const struct target *t)
{
	struct seam_thread *th;
	struct seam_stand st;
	uint32_t i = 0;

	while ((th = seam_thread_next(s, &i))) {
		if (th->proc != t->p->index)
			continue;
		seam_stand(th, &st);
		if (st.state == SEAM_THREAD_BLOCKED &&
		    st.doing.addr == t->o.lo && st.doing.kind != SEAM_KIND_COND)
			return true;
	}
	return false;
}

struct granting {
	struct targets at;
	struct target *taken; /* the one that is not free */
	int owner, error;
};

/* Free by what we were told, where we may not look ourselves. */
static bool
free_as_watched(struct seam_session *s, struct granting *g,
		const struct target *t)
{
	struct seam_object *o =
	    t->o.object ? seam_object_at(s, t->o.object - 1) : NULL;

	g->error = errno;
	return o && errno == EPERM && !atomic_load(&o->owner);
}

static bool
is_free(struct seam_session *s, struct seam_armed *r, struct granting *g,
	struct target *t)
{
	enum seam_peek peek;

	g->error = 0;
	peek =
	    seam_peek(s, t->p, r->held_kind, t->o.lo, r->how.mode, &g->owner);
	if (peek == SEAM_PEEK_UNKNOWN && free_as_watched(s, g, t))
		peek = SEAM_PEEK_FREE;
	if (peek == SEAM_PEEK_FREE && !queued(s, t))
		return true;
	g->taken = t;
	return false;
}

/* Somebody who was woken takes it within microseconds: so it is looked at
 * twice. */
static bool
all_free(struct seam_session *s, struct seam_armed *r, struct granting *g)
{
	uint64_t start = 0;

	do {
		for (size_t i = 0; i < g->at.n; i++) {
			if (!seam_process_live(g->at.v[i].p))
				continue;
			if (!is_free(s, r, g, &g->at.v[i]))
				return false;
		}
		if (!start)
			start = seam_now();
	} while (g->at.n && seam_now() - start < SURE_NS);
	g->taken = NULL;
	return !r->sem || seam_hold_sem_take(r);
}

static bool
all_gone(const struct targets *at)
{
	for (size_t i = 0; i < at->n; i++)
		if (seam_process_live(at->v[i].p))
			return false;
	return at->n > 0;
}

static void
add_owner(struct seam_session *s, struct seam_text *t, const struct granting *g)
{
	const struct target *k = g->taken;
	struct seam_object *o =
	    k->o.object ? seam_object_at(s, k->o.object - 1) : NULL;
	uint32_t owner = o ? atomic_load(&o->owner) : 0;
	struct seam_thread *by = owner ? seam_thread_at(s, owner - 1) : NULL;
	char text[700];

	if (!by && g->owner)
		by = seam_thread_of_owner(s, k->p, g->owner);
	if (!by) {
		if (g->owner)
			seam_text_add(t,
				      ", owned by thread id %d, which the "
				      "session does not know",
				      g->owner);
		return;
	}
	seam_thread_describe(s, by, text, sizeof(text));
	seam_text_add(t, ", owned by %s", text);
	if (owner) {
		seam_site_describe(s, k->p, o->owner_site, text, sizeof(text));
		seam_text_add(t, "%s%s", *text ? ", taken at " : "", text);
	}
	seam_doing_describe(s, by, text, sizeof(text));
	seam_text_add(t, "; %s", text);
}

static enum seam_code
not_granted(struct seam_session *s, struct seam_armed *r,
	    const struct granting *g, struct seam_error *err)
{
	char buf[900] = "", name[SEAM_NAME_TEXT], path[SEAM_PATH];
	struct seam_text t = { .buf = buf, .size = sizeof(buf) };
	unsigned long long ms = r->how.timeout_ms;

	if (!g->taken)
		return seam_fail(err, SEAM_E_TIMEOUT, r->sel.obj.column,
				 "after %llu ms '%s' was still not free: "
				 "somebody outside the session has it",
				 ms, r->sel.obj.name);
	seam_addr_describe(s, g->taken->p, g->taken->o.lo, name, sizeof(name));
	if (g->taken->o.object)
		seam_text_add(&t, "%s",
			      seam_object_text(s, g->taken->o.object - 1));
	else
		seam_text_add(&t, "%s", name);
	seam_text_add(&t, " of %s", seam_process_path(s, g->taken->p, path));
	if (g->error)
		return seam_fail(err,
				 g->error == EFAULT ? SEAM_E_NO_SUCH_OBJECT :
						      SEAM_E_UNSUPPORTED,
				 r->sel.obj.column,
				 "whether %s is free cannot be seen: %s", buf,
				 g->error == EFAULT ?
				     "nothing is mapped there" :
				     strerror(g->error));
	add_owner(s, &t, g);
	return seam_fail(err, SEAM_E_TIMEOUT, r->sel.obj.column,
			 "after %llu ms still taken: %s", ms, buf);
}

static enum seam_code
await(struct seam_session *s, struct seam_armed *r, struct granting *g,
      struct seam_error *err)
{
	uint64_t now = seam_now(), until = now + r->how.timeout_ms * 1000000;
	uint32_t birth = r->birth, bell;

	seam_grace(s, r);
	for (;;) {
		if (!r->used || r->birth != birth)
			return seam_fail(err, SEAM_E_GONE, 0,
					 "the hold was deleted meanwhile");
		bell = atomic_load(&s->arena->head.bell);
		if (all_gone(&g->at))
			return seam_fail(err, SEAM_E_GONE, 0,
					 "the process that had the object has "
					 "ended");
		if (all_free(s, r, g))
			return SEAM_OK;
		now = seam_now();
		if (g->error == EFAULT || now >= until)
			return not_granted(s, r, g, err);
		seam_bell_wait(s, bell,
			       now + LOOK_NS < until ? now + LOOK_NS : until);
	}
}

static enum seam_code
hold_object(struct seam_session *s, struct seam_armed *r,
	    struct seam_error *err)
{
	uint32_t birth = r->birth;
	struct granting *g = calloc(1, sizeof(*g));
	enum seam_code code;

	if (!g) {
		seam_rule_drop(s, r);
		return seam_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	}
	seam_refresh_maps(s);
	code = set_up(s, r, &g->at, err);
	if (!code)
		code = await(s, r, g, err);
	free(g);
	/* seam_rule_arm drops what it cannot arm; others may delete it. */
	if (code && r->used && r->birth == birth)
		seam_rule_drop(s, r);
	if (!code)
		r->granted = true;
	return code;
}

static bool
same_name(const struct seam_object_name *a, const struct seam_object_name *b)
{
	if (a->is_addr || b->is_addr)
		return a->is_addr && b->is_addr && a->addr == b->addr;
	return a->is_sem == b->is_sem && !strcmp(a->name, b->name);
}

static enum seam_code
held_already(struct seam_session *s, const struct seam_armed *r,
	     struct seam_error *err)
{
	const char *proc = r->how.proc ? r->how.proc : "";

	for (unsigned i = 0; i < s->rules; i++) {
		const struct seam_armed *h = &s->rule[i];

		if (!h->used || h == r || !h->granted || h->fd >= 0 ||
		    (h->how.mode == 'r' && r->how.mode == 'r') ||
		    strcmp(h->how.proc ? h->how.proc : "", proc) != 0 ||
		    !same_name(&h->sel.obj, &r->sel.obj))
			continue;
		return seam_fail(err, SEAM_E_UNSUPPORTED, r->sel.obj.column,
				 "the session holds it already (%s)", h->id);
	}
	return SEAM_OK;
}

enum seam_code
seam_hold(struct seam_session *s, const struct seam_object_name *obj,
	  const struct seam_hold_how *how, const char *as, const char **id,
	  struct seam_error *err)
{
	struct seam_error none;
	struct seam_armed *r;
	enum seam_code code;

	err = err ? err : &none;
	seam_lock(s);
	if (obj->is_file) {
		code = seam_hold_file(s, obj, how, as, id, err);
		seam_unlock(s);
		return code;
	}
	r = seam_rule_new(s, SEAM_RULE_HOLD, as, err);
	code = r ? SEAM_OK : err->code;
	if (r) {
		r->how = *how;
		r->sel.has_obj = true;
		r->how.proc = how->proc ? strdup(how->proc) : NULL;
		if (!seam_copy_object_name(&r->sel.obj, obj) ||
		    (how->proc && !r->how.proc))
			code = seam_fail(err, SEAM_E_UNSUPPORTED, 0,
					 "out of memory");
		else
			code = held_already(s, r, err);
		if (code)
			seam_rule_drop(s, r);
		else
			code = hold_object(s, r, err);
	}
	if (!code && id)
		*id = r->id;
	seam_unlock(s);
	return code;
}
