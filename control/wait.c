/* SPDX-License-Identifier: MIT */
/* Waits: what is awaited, whether it has come about, and why it has not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "accounting.h"
#include "order.h"
#include "rules_int.h"

#define SURE_NS UINT64_C(1000000)
#define SOON_NS UINT64_C(500000)
#define ORPHAN_NS UINT64_C(250000000)
#define LATE_NS UINT64_C(50000000)

/* Replies. */

static void
put_doing(struct seam_session *s, json_t *reply, const struct seam_thread *t,
	  const struct seam_stand *st)
{
	struct seam_process *p = seam_process_at(s, t->proc);
	char buf[SEAM_NAME_TEXT];
	const char *at;

	seam_arena_copy(t->path, SEAM_PATH, buf, SEAM_PATH);
	seam_json_put(reply, "thread", buf);
	if (!st->doing.verb)
		return;
	seam_json_put(reply, "op", seam_verb_name(st->doing.verb));
	seam_doing_object(s, t, &st->doing, buf, sizeof(buf));
	if (*buf)
		seam_json_put(reply, "obj", buf);
	at = p ? seam_site_text(s, p, st->doing.site) : "";
	if (*at)
		seam_json_put(reply, "at", at);
	if (st->doing.moment == SEAM_AFTER)
		seam_json_put(reply, "result",
			      seam_result_text(st->doing.result, buf,
					       sizeof(buf)));
}

static void
put_rule(struct seam_session *s, json_t *reply, uint32_t rule)
{
	struct seam_armed *r = seam_rule_at(s, rule);

	if (r)
		seam_json_put(reply, "id", r->id);
}

void
seam_put_stand(struct seam_session *s, json_t *reply,
	       const struct seam_thread *t, const struct seam_stand *st)
{
	put_rule(s, reply, st->doing.rule);
	put_doing(s, reply, t, st);
}

/* Who is meant. */

static struct seam_armed *
rule_of(struct seam_session *s, const struct sess_wait *w,
	struct seam_error *err)
{
	struct seam_armed *r = seam_rule_find(s, w->what);
	struct seam_near near = { .word = w->what };

	if (r)
		return r;
	for (unsigned i = 0; i < s->rules; i++)
		if (s->rule[i].used)
			seam_near_try(&near, s->rule[i].id);
	sess_fail(err, SEAM_E_NO_SUCH_OBJECT, 0, "no rule is called '%s'%s%s%s",
		  seam_show(w->what).s, near.best ? "; did you mean '" : "",
		  near.best ? near.best : "", near.best ? "'?" : "");
	return NULL;
}

/* A thread may still be created: its process must exist. */
static bool
thread_may_come(struct seam_session *s, const char *name)
{
	size_t n = strcspn(name, ".");
	char path[SEAM_PATH], proc[SEAM_PATH];
	const char *t = strstr(name, ".T");

	if (!t)
		return true; /* a name that a thread may be given */
	for (unsigned i = 0; i < s->processes; i++) {
		const struct seam_process *p = &s->process[i];

		if (!seam_process_live(p))
			continue;
		if (p->alias && strlen(p->alias) == n &&
		    !memcmp(p->alias, name, n))
			return true;
		seam_process_path(s, p, path);
		snprintf(proc, sizeof(proc), "%.*s", (int)(t - name), name);
		if (seam_glob(proc, path))
			return true;
	}
	return false;
}

static bool
any_live(struct seam_session *s)
{
	for (unsigned i = 0; i < s->processes; i++)
		if (seam_process_live(&s->process[i]))
			return true;
	return false;
}

/* How many threads that have not ended are called so. */
static unsigned
count_called(struct seam_session *s, const char *name)
{
	char path[SEAM_PATH], own[SEAM_NAME];
	struct seam_thread *t;
	unsigned n = 0;
	uint32_t i = 0;

	while ((t = seam_thread_next(s, &i))) {
		if (atomic_load(&t->state) == SEAM_THREAD_EXITED)
			continue;
		seam_arena_copy(t->path, SEAM_PATH, path, sizeof(path));
		seam_arena_copy(t->name, SEAM_NAME, own, sizeof(own));
		n += seam_glob(name, path) || seam_glob(name, own);
	}
	return n;
}

/* Nobody of that name lives, but somebody may yet be created. */
static bool
is_to_come(struct seam_session *s, const struct sess_wait *w,
	   const struct seam_thread *t, enum seam_code code)
{
	if (w->kind != SEAM_WAIT_BLOCKED || !any_live(s) ||
	    !thread_may_come(s, w->what))
		return false;
	if (t)
		return atomic_load(&t->state) == SEAM_THREAD_EXITED &&
		       !strstr(w->what, ".T");
	return code == SEAM_E_NO_SUCH_THREAD ||
	       (code == SEAM_E_AMBIGUOUS && count_called(s, w->what) < 2);
}

static enum seam_code
check_thread(struct seam_session *s, const struct sess_wait *w,
	     struct seam_error *err)
{
	struct seam_thread *t = seam_thread_find_name(s, w->what, 0, err);

	if (t || is_to_come(s, w, t, err->code))
		return SEAM_OK;
	return err->code;
}

static enum seam_code
check_regex(struct seam_session *s, const struct sess_wait *w,
	    struct seam_error *err)
{
	struct seam_process *p = seam_process_find(s, w->arg, 0, err);

	if (!p)
		return err->code;
	if (p->out < 0)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "the output of '%s' is not kept: it went to "
				 "seam's own",
				 seam_show(w->arg).s);
	return seam_output_check(w->what, err);
}

enum seam_code
seam_wait_prepare(struct seam_session *s, struct sess_wait *w,
		  struct seam_error *err)
{
	struct seam_error none;

	err = err ? err : &none;
	w->deadline = seam_now() + w->timeout_ms * 1000000;
	w->next_look = 0;
	switch (w->kind) {
	case SEAM_WAIT_RULE:
	case SEAM_WAIT_PARKED:
		return rule_of(s, w, err) ? SEAM_OK : err->code;
	case SEAM_WAIT_EXIT:
		return seam_process_find(s, w->what, 0, err) ? SEAM_OK :
							       err->code;
	case SEAM_WAIT_BLOCKED:
	case SEAM_WAIT_THREAD:
		return check_thread(s, w, err);
	case SEAM_WAIT_ORDER:
		return seam_order_prepare(s, w, err);
	case SEAM_WAIT_OUTPUT:
		return check_regex(s, w, err);
	default:
		return SEAM_OK;
	}
}

/* Rules. */

/* The one that has stood there longest, of those not told of yet. */
static struct seam_thread *
first_at(struct seam_session *s, const struct seam_armed *r, bool any,
	 struct seam_stand *st)
{
	uint32_t *told = seam_room(s)->told, i = 0;
	struct seam_thread *t, *first = NULL;
	struct seam_stand one;

	while ((t = seam_thread_next(s, &i))) {
		seam_stand(t, &one);
		if (!seam_stands_at(&one, r->index + 1))
			continue;
		if (!any && told[seam_thread_index(s, t)] == one.serial)
			continue;
		if (first && one.doing.since >= st->doing.since)
			continue;
		first = t;
		*st = one;
	}
	return first;
}

static bool
is_pinned(const struct seam_armed *r)
{
	return r->sel.proc && !strpbrk(r->sel.proc, "*?.");
}

/* Whoever lives may fork what a pattern means, but not what a name does. */
static bool
may_be_made(struct seam_session *s, const struct seam_armed *r)
{
	unsigned n = atomic_load(&s->arena->head.procs);
	uint32_t state;

	if (is_pinned(r))
		return false;
	for (unsigned i = 0; i < n && i < SEAM_MAX_PROCS; i++) {
		state = atomic_load(&s->arena->proc[i].state);
		if (state == SEAM_PROC_CLAIMED || state == SEAM_PROC_JOINING)
			return true;
	}
	return any_live(s);
}

static enum seam_code
no_process_left(struct seam_session *s, struct seam_armed *r,
		struct sess_wait *w, struct seam_error *err)
{
	char buf[800] = "", path[SEAM_PATH];
	struct seam_text t = { .buf = buf, .size = sizeof(buf) };

	for (unsigned i = 0; i < s->processes; i++) {
		const struct seam_process *p = &s->process[i];

		if (!p->used || !seam_rule_concerns(s, r, p))
			continue;
		if (!p->ended)
			return SEAM_PENDING;
		seam_text_add(&t, "%s%s%s%s has ended", t.n ? ", " : "",
			      seam_process_path(s, p, path),
			      p->alias ? " " : "", p->alias ? p->alias : "");
		seam_process_status(p, &t);
	}
	if (!r->seen || !t.n || may_be_made(s, r)) {
		r->left = 0;
		return SEAM_PENDING;
	}
	/* A child just forked has not said so yet. */
	if (!r->left)
		r->left = seam_now();
	w->next_look = r->left + ORPHAN_NS;
	if (!is_pinned(r) && seam_now() < w->next_look)
		return SEAM_PENDING;
	return sess_fail(err, SEAM_E_GONE, 0,
			 "nobody is left who could come to %s: %s", r->id, buf);
}

/* Of a gate, the number that it is for; others wait for anybody. */
static bool
is_gathered(struct seam_session *s, const struct seam_armed *r,
	    const struct sess_wait *w)
{
	return !r->gate || w->kind != SEAM_WAIT_RULE ||
	       seam_standing(s, r) >= r->gate;
}

static enum seam_code
check_rule(struct seam_session *s, struct sess_wait *w, json_t *reply,
	   struct seam_error *err)
{
	struct seam_armed *r = rule_of(s, w, err);
	struct seam_rule *rule;
	struct seam_thread *t;
	struct seam_stand st;

	if (!r)
		return sess_fail(err, SEAM_E_GONE, 0,
				 "the rule '%s' was deleted meanwhile",
				 seam_show(w->what).s);
	rule = seam_rule_of(s, r);
	t = first_at(s, r, r->gate || w->kind == SEAM_WAIT_PARKED, &st);
	if (t && is_gathered(s, r, w)) {
		if (w->kind == SEAM_WAIT_RULE)
			seam_room(s)->told[seam_thread_index(s, t)] = st.serial;
		seam_put_stand(s, reply, t, &st);
		if (r->gate)
			json_object_set_new(reply, "n",
					    json_integer(seam_standing(s, r)));
		return SEAM_OK;
	}
	if (r->kind == SEAM_RULE_FAULT && w->kind == SEAM_WAIT_RULE &&
	    atomic_load(&rule->hits) > r->reported &&
	    atomic_load(&rule->hits) >= rule->nth) {
		r->reported++;
		seam_json_put(reply, "id", r->id);
		return SEAM_OK;
	}
	return no_process_left(s, r, w, err);
}

/* Threads. */

static enum seam_code
thread_gone(struct seam_session *s, const struct seam_thread *t,
	    struct seam_error *err)
{
	struct seam_process *p = seam_process_at(s, t->proc);
	char who[SEAM_NAME_TEXT], how[64] = "";
	struct seam_text text = { .buf = how, .size = sizeof(how) };

	if (p && p->ended)
		seam_process_status(p, &text);
	return sess_fail(err, SEAM_E_GONE, 0, "%s has ended%s%s",
			 seam_thread_describe(s, t, who, sizeof(who)),
			 p && p->ended ? " with its process" : "", how);
}

/* BLOCKED is said before the real call is made, which may yet return at
 * once: it is so when the kernel has it asleep, or after a while. */
static bool
surely_blocked(struct seam_session *s, struct sess_wait *w,
	       const struct seam_thread *t, const struct seam_stand *st)
{
	struct seam_process *p = seam_process_at(s, t->proc);
	struct seam_room *room = seam_room(s);
	uint32_t i = seam_thread_index(s, t);
	uint64_t now = seam_now();

	if (p && seam_task_state(p->pid, t->tid) == 'S' &&
	    atomic_load(&t->serial) == st->serial)
		return true;
	if (room->blocked[i].serial != st->serial) {
		room->blocked[i].serial = st->serial;
		room->blocked[i].since = now;
	}
	w->next_look = now + SOON_NS;
	return now - room->blocked[i].since >= SURE_NS;
}

static enum seam_code
check_blocked(struct seam_session *s, struct sess_wait *w, json_t *reply,
	      struct seam_error *err)
{
	struct seam_thread *t = seam_thread_find_name(s, w->what, 0, err);
	struct seam_stand st;

	if (is_to_come(s, w, t, err->code)) {
		w->next_look = seam_now() + LATE_NS;
		return SEAM_PENDING;
	}
	if (!t)
		return err->code;
	seam_stand(t, &st);
	if (st.state == SEAM_THREAD_EXITED)
		return thread_gone(s, t, err);
	if (st.state != SEAM_THREAD_BLOCKED &&
	    !(st.parked && st.state == SEAM_THREAD_HELD))
		return SEAM_PENDING;
	if (w->obj && !seam_doing_on(s, t, &st.doing, w->obj))
		return SEAM_PENDING;
	if (st.state == SEAM_THREAD_BLOCKED && !surely_blocked(s, w, t, &st))
		return SEAM_PENDING;
	put_doing(s, reply, t, &st);
	return SEAM_OK;
}

static enum seam_code
check_step(struct seam_session *s, struct sess_wait *w, json_t *reply,
	   struct seam_error *err)
{
	struct seam_thread *t = seam_thread_find_name(s, w->what, 0, err);
	struct seam_process *p;
	struct seam_stand st;

	if (!t)
		return err->code == SEAM_E_NO_SUCH_THREAD ?
			   sess_fail(err, SEAM_E_GONE, 0,
				     "thread '%s' has ended",
				     seam_show(w->what).s) :
			   err->code;
	seam_stand(t, &st);
	if (st.state == SEAM_THREAD_EXITED) {
		put_doing(s, reply, t, &(struct seam_stand){ 0 });
		seam_json_put(reply, "state", "exited");
		return SEAM_OK;
	}
	if (!st.parked ||
	    st.serial == seam_room(s)->stepped[seam_thread_index(s, t)])
		return SEAM_PENDING;
	p = seam_process_at(s, t->proc);
	if (atomic_exchange(&t->step, 0) && p)
		seam_gate_refresh(s, p);
	seam_put_stand(s, reply, t, &st);
	return SEAM_OK;
}

/* Processes. */

static enum seam_code
check_exit(struct seam_session *s, struct sess_wait *w, json_t *reply,
	   struct seam_error *err)
{
	struct seam_process *p = seam_process_find(s, w->what, 0, err);
	char path[SEAM_PATH];

	if (!p)
		return err->code;
	if (!p->ended)
		return SEAM_PENDING;
	seam_json_put(reply, "proc", seam_process_path(s, p, path));
	json_object_set_new(reply, "pid", json_integer(p->pid));
	if (!p->status_known)
		return SEAM_OK;
	if (!WIFSIGNALED(p->status)) {
		json_object_set_new(reply, "status",
				    json_integer(WEXITSTATUS(p->status)));
		return SEAM_OK;
	}
	seam_json_put(reply, "signal", seam_signal_name(WTERMSIG(p->status)).s);
	return SEAM_OK;
}

static enum seam_code
check_quiescent(struct seam_session *s, struct sess_wait *w)
{
	return seam_quiescent(s, &w->next_look) ? SEAM_OK : SEAM_PENDING;
}

static enum seam_code
check(struct seam_session *s, struct sess_wait *w, json_t *reply,
      struct seam_error *err)
{
	switch (w->kind) {
	case SEAM_WAIT_RULE:
	case SEAM_WAIT_PARKED:
		return check_rule(s, w, reply, err);
	case SEAM_WAIT_QUIESCENT:
		return check_quiescent(s, w);
	case SEAM_WAIT_EXIT:
		return check_exit(s, w, reply, err);
	case SEAM_WAIT_BLOCKED:
		return check_blocked(s, w, reply, err);
	case SEAM_WAIT_OUTPUT:
		return seam_output_look(s, w, reply, err);
	case SEAM_WAIT_THREAD:
		return check_step(s, w, reply, err);
	case SEAM_WAIT_ORDER:
		return seam_order_check(s, w, reply, err);
	case SEAM_WAIT_JOIN:
		return seam_join_check(s, w, reply, err);
	}
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "an unknown wait");
}

/* Timeouts. */

static void
say_awaited(struct seam_session *s, const struct sess_wait *w,
	    struct seam_text *t)
{
	struct seam_armed *r;
	char sel[300];

	switch (w->kind) {
	case SEAM_WAIT_RULE:
	case SEAM_WAIT_PARKED:
		seam_text_add(t, "nobody %s %s",
			      w->kind == SEAM_WAIT_RULE ? "came to" :
							  "stood at",
			      w->what);
		r = seam_rule_find(s, w->what);
		if (r && r->gate && w->kind == SEAM_WAIT_RULE) {
			t->n = 0;
			seam_text_add(t, "%u of %u stood at %s",
				      seam_standing(s, r), r->gate, w->what);
		}
		if (r && r->sel.op)
			seam_text_add(t, " (%s)",
				      seam_selector_format(&r->sel, sel,
							   sizeof(sel)));
		break;
	case SEAM_WAIT_QUIESCENT:
		seam_text_add(t, "something still went on");
		break;
	case SEAM_WAIT_EXIT:
		seam_text_add(t, "%s had not ended", w->what);
		break;
	case SEAM_WAIT_BLOCKED:
		seam_text_add(t, "%s was not blocked%s%s", w->what,
			      w->obj && w->obj->name ? " on " : "",
			      w->obj && w->obj->name ? w->obj->name : "");
		break;
	case SEAM_WAIT_OUTPUT:
		seam_text_add(t, "the output of %s did not match /%s/", w->arg,
			      w->what);
		break;
	case SEAM_WAIT_THREAD:
		seam_text_add(t, "%s had not come to another event", w->what);
		break;
	case SEAM_WAIT_ORDER:
	case SEAM_WAIT_JOIN: /* speak for themselves */
		break;
	}
}

static enum seam_code
timed_out(struct seam_session *s, const struct sess_wait *w,
	  struct seam_error *err)
{
	struct seam_error who;
	struct seam_thread *t;
	char awaited[500] = "", all[700] = "";
	struct seam_text a = { .buf = awaited, .size = sizeof(awaited) };
	struct seam_text e = { .buf = all, .size = sizeof(all) };

	if (w->kind == SEAM_WAIT_BLOCKED) {
		t = seam_thread_find_name(s, w->what, 0, &who);
		if (!t)
			*err = who;
		if (!t)
			return who.code;
		if (atomic_load(&t->state) == SEAM_THREAD_EXITED)
			return thread_gone(s, t, err);
	}
	if (w->kind == SEAM_WAIT_ORDER)
		return seam_order_late(s, w, err);
	say_awaited(s, w, &a);
	seam_everybody(s, &e, true);
	return sess_fail(err, SEAM_E_TIMEOUT, 0, "after %llu ms %s: %s",
			 (unsigned long long)w->timeout_ms, awaited, all);
}

enum seam_code
seam_wait_check(struct seam_session *s, struct sess_wait *w, json_t *reply,
		struct seam_error *err)
{
	struct seam_error none;
	enum seam_code code;

	err = err ? err : &none;
	w->next_look = 0;
	code = check(s, w, reply, err);
	if (code == SEAM_PENDING && *s->broken)
		return sess_fail(err, SEAM_E_GONE, 0,
				 "the session is broken: %s", s->broken);
	if (code != SEAM_PENDING || seam_now() < w->deadline ||
	    w->kind == SEAM_WAIT_JOIN) /* keeps its own time */
		return code;
	return timed_out(s, w, err);
}

enum seam_code
sess_wait(struct seam_session *s, struct sess_wait *w, json_t *reply,
	  struct seam_error *err)
{
	enum seam_code code;
	unsigned tries = 0;
	uint64_t until;
	uint32_t bell;

	seam_lock(s);
	code = seam_wait_prepare(s, w, err);
	while (code == SEAM_OK || code == SEAM_PENDING) {
		bell = atomic_load(&s->arena->head.bell);
		code = seam_wait_check(s, w, reply, err);
		if (code != SEAM_PENDING)
			break;
		if (seam_ending(s)) {
			code = sess_fail(err, SEAM_E_GONE, 0,
					 "the session is ending");
			break;
		}
		if (w->kind == SEAM_WAIT_RULE && seam_stand_aside(s, &tries))
			continue;
		until = w->deadline;
		if (w->next_look && w->next_look < until)
			until = w->next_look;
		seam_bell_wait(s, bell, until);
	}
	seam_unlock(s);
	return code;
}
