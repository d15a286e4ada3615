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

/* Somebody stands in the object's queue and will get it before us. */
static bool
queued(struct seam_session *s, const struct seam_hold_target *t)
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
	struct seam_hold_targets at;
	struct seam_hold_target *taken; /* the one that is not free */
	int owner, error;
};

/* Free by what we were told, where we may not look ourselves. */
static bool
free_as_watched(struct seam_session *s, struct granting *g,
		const struct seam_hold_target *t)
{
	struct seam_object *o =
	    t->o.object ? seam_object_at(s, t->o.object - 1) : NULL;

	g->error = errno;
	return o && errno == EPERM && !atomic_load(&o->owner);
}

static bool
is_free(struct seam_session *s, struct seam_armed *r, struct granting *g,
	struct seam_hold_target *t)
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
all_gone(const struct seam_hold_targets *at)
{
	for (size_t i = 0; i < at->n; i++)
		if (seam_process_live(at->v[i].p))
			return false;
	return at->n > 0;
}

static void
add_owner(struct seam_session *s, struct seam_text *t, const struct granting *g)
{
	const struct seam_hold_target *k = g->taken;
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
		return sess_fail(err, SEAM_E_TIMEOUT, r->sel.obj.column,
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
		return sess_fail(err,
				 g->error == EFAULT ? SEAM_E_NO_SUCH_OBJECT :
						      SEAM_E_UNSUPPORTED,
				 r->sel.obj.column,
				 "whether %s is free cannot be seen: %s", buf,
				 g->error == EFAULT ?
				     "nothing is mapped there" :
				     strerror(g->error));
	add_owner(s, &t, g);
	return sess_fail(err, SEAM_E_TIMEOUT, r->sel.obj.column,
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
			return sess_fail(err, SEAM_E_GONE, 0,
					 "the hold was deleted meanwhile");
		bell = atomic_load(&s->arena->head.bell);
		if (all_gone(&g->at))
			return sess_fail(err, SEAM_E_GONE, 0,
					 "the process that had the object has "
					 "ended");
		if (all_free(s, r, g))
			return SEAM_OK;
		now = seam_now();
		if (g->error == EFAULT || now >= until || seam_ending(s))
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
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	}
	seam_refresh_maps(s);
	code = seam_hold_set_up(s, r, &g->at, err);
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
		return sess_fail(err, SEAM_E_UNSUPPORTED, r->sel.obj.column,
				 "the session holds it already (%s)", h->id);
	}
	return SEAM_OK;
}

enum seam_code
sess_hold(struct seam_session *s, const struct seam_object_name *obj,
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
			code = sess_fail(err, SEAM_E_UNSUPPORTED, 0,
					 "out of memory");
		else
			code = held_already(s, r, err);
		if (code)
			seam_rule_drop(s, r);
		else
			code = hold_object(s, r, err);
	}
	if (r && !code && id)
		*id = r->id;
	seam_unlock(s);
	return code;
}
