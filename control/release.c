/* SPDX-License-Identifier: MIT */
/* Letting go: of parked threads, of holds, of rules; and by one step. */
#include <string.h>

#include "arena_ctl.h"
#include "order.h"
#include "rules_int.h"

#define SETTLE_NS UINT64_C(1000000000)

/* The word first, then the wake: see "Parking" in arena.h. */
void
seam_let_go(struct seam_session *s, struct seam_thread *t)
{
	seam_room(s)->stepped[seam_thread_index(s, t)] = 0;
	atomic_store(&t->step, 0);
	atomic_store(&t->park, 0);
	seam_futex_wake(&t->park);
}

static unsigned
release_rule(struct seam_session *s, struct seam_armed *r)
{
	uint32_t i = 0;
	struct seam_thread *t;
	struct seam_stand st;
	unsigned count = 0;

	if (r->kind == SEAM_RULE_HOLD)
		return seam_rule_drop(s, r);
	if (r->kind == SEAM_RULE_GATE)
		return seam_gate_open(s, r);
	atomic_fetch_add(&seam_rule_of(s, r)->released, 1);
	while ((t = seam_thread_next(s, &i))) {
		seam_stand(t, &st);
		if (st.state != SEAM_THREAD_PARKED ||
		    !seam_stands_at(&st, r->index + 1))
			continue;
		seam_let_go(s, t);
		count++;
	}
	return count;
}

static unsigned
release_all(struct seam_session *s)
{
	uint32_t i = 0;
	struct seam_thread *t;
	struct seam_stand st;
	unsigned count = 0;

	for (unsigned k = 0; k < s->rules; k++)
		if (s->rule[k].used && s->rule[k].kind == SEAM_RULE_HOLD)
			count += seam_rule_drop(s, &s->rule[k]);
	while ((t = seam_thread_next(s, &i))) {
		seam_stand(t, &st);
		if (st.state != SEAM_THREAD_PARKED || !st.parked)
			continue;
		seam_let_go(s, t);
		count++;
	}
	return count;
}

static enum seam_code
held_there(struct seam_session *s, const struct seam_thread *t,
	   const struct seam_stand *st, struct seam_error *err)
{
	struct seam_armed *r = seam_rule_at(s, st->doing.rule);
	char who[SEAM_NAME_TEXT];

	seam_thread_describe(s, t, who, sizeof(who));
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
			 "%s waits for what the session holds: release %s", who,
			 r ? r->id : "the hold");
}

/* A step that is under way is let come to its end, so that steps given in
 * a row are that many; not if the thread waits for somebody meanwhile. */
static struct seam_thread *
settled(struct seam_session *s, const char *name, struct seam_error *err)
{
	uint64_t until = seam_now() + SETTLE_NS;
	struct seam_thread *t;
	struct seam_stand st;
	uint32_t bell, i;

	for (;;) {
		bell = atomic_load(&s->arena->head.bell);
		t = seam_thread_find_name(s, name, 0, err);
		if (!t)
			return NULL;
		i = seam_thread_index(s, t);
		seam_stand(t, &st);
		if (!seam_room(s)->stepped[i] || st.parked ||
		    st.state == SEAM_THREAD_EXITED ||
		    st.state == SEAM_THREAD_BLOCKED || seam_now() >= until ||
		    seam_ending(s))
			return t;
		seam_bell_wait(s, bell, until);
	}
}

static enum seam_code
release_thread(struct seam_session *s, const char *name, unsigned *count,
	       struct seam_error *err)
{
	struct seam_thread *t = settled(s, name, err);
	struct seam_stand st;

	if (!t) {
		if (err && err->code == SEAM_E_NO_SUCH_THREAD)
			return sess_fail(err, SEAM_E_NO_SUCH_OBJECT, 0,
					 "no rule and no thread is called "
					 "'%s'",
					 seam_show(name).s);
		return err ? err->code : SEAM_E_NO_SUCH_OBJECT;
	}
	seam_stand(t, &st);
	if (st.parked && st.state == SEAM_THREAD_HELD)
		return held_there(s, t, &st, err);
	*count = st.parked;
	seam_let_go(s, t);
	return SEAM_OK;
}

enum seam_code
sess_release(struct seam_session *s, const char *what, unsigned *count,
	     struct seam_error *err)
{
	enum seam_code code = SEAM_OK;
	struct seam_armed *r;
	unsigned n = 0;

	seam_lock(s);
	r = seam_rule_find(s, what);
	if (r)
		n = release_rule(s, r);
	else if (!strcmp(what, "all"))
		n = release_all(s);
	else
		code = release_thread(s, what, &n, err);
	seam_unlock(s);
	if (count)
		*count = n;
	return code;
}

static void
step_thread(struct seam_session *s, struct seam_thread *t)
{
	struct seam_process *p = seam_process_at(s, t->proc);
	struct seam_stand st;

	seam_stand(t, &st);
	seam_room(s)->stepped[seam_thread_index(s, t)] = st.serial;
	atomic_store(&t->step, 1);
	if (p)
		seam_gate_refresh(s, p);
	if (!st.parked)
		return;
	atomic_store(&t->park, 0);
	seam_futex_wake(&t->park);
}

enum seam_code
sess_step(struct seam_session *s, const char *thread, struct seam_error *err)
{
	enum seam_code code = SEAM_OK;
	struct seam_thread *t;
	struct seam_stand st;

	seam_lock(s);
	t = settled(s, thread, err);
	if (!t) {
		code = err ? err->code : SEAM_E_NO_SUCH_THREAD;
	} else {
		seam_stand(t, &st);
		if (st.state == SEAM_THREAD_EXITED)
			code = sess_fail(err, SEAM_E_GONE, 0,
					 "thread '%s' has ended",
					 seam_show(thread).s);
		else if (st.parked && st.state == SEAM_THREAD_HELD)
			code = held_there(s, t, &st, err);
		else
			step_thread(s, t);
	}
	seam_unlock(s);
	return code;
}

/* What happened while it was armed is told. */
static void
drop(struct seam_session *s, struct seam_armed *r)
{
	if (r->kind == SEAM_RULE_LOG)
		seam_drain_locked(s);
	seam_rule_drop(s, r);
}

enum seam_code
sess_delete(struct seam_session *s, const char *what, struct seam_error *err)
{
	enum seam_code code = SEAM_OK;
	struct seam_armed *r;
	struct seam_near near = { .word = what };

	seam_lock(s);
	r = seam_rule_find(s, what);
	if (r && r->kind == SEAM_RULE_ORDER) {
		seam_order_drop(s);
	} else if (r) {
		drop(s, r);
	} else if (!strcmp(what, "all")) {
		seam_order_drop(s);
		for (unsigned i = 0; i < s->rules; i++)
			if (s->rule[i].used)
				drop(s, &s->rule[i]);
	} else {
		for (unsigned i = 0; i < s->rules; i++)
			if (s->rule[i].used)
				seam_near_try(&near, s->rule[i].id);
		code =
		    sess_fail(err, SEAM_E_NO_SUCH_OBJECT, 0,
			      "no rule is called '%s'%s%s%s", seam_show(what).s,
			      near.best ? "; did you mean '" : "",
			      near.best ? near.best : "",
			      near.best ? "'?" : "");
	}
	seam_unlock(s);
	return code;
}
