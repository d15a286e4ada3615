/* SPDX-License-Identifier: MIT */
/* From checkpoint to checkpoint: the steps of order.h. */
#include <string.h>

#include "order.h"

#define PATIENCE_NS UINT64_C(1000000000) /* with who calls nothing */

/* What is ahead. */

static bool
is_ahead(const struct sess_order *o, unsigned rule)
{
	for (size_t i = o->pos; i < o->n; i++)
		if (o->point[i].rule == rule)
			return true;
	return false;
}

static bool
has_more(const struct sess_order *o, size_t target)
{
	for (size_t i = o->pos; i < o->n; i++)
		if (o->point[i].target == target)
			return true;
	return false;
}

/* Who is to move; false: nobody is left. */
static bool
mover(struct seam_session *s, const struct sess_order *o, size_t *who)
{
	*who = o->last;
	if (o->moved && !has_more(o, o->last) &&
	    !seam_target_over(s, o, &o->target[o->last]))
		return true;
	if (o->pos < o->n) {
		*who = o->point[o->pos].target;
		return true;
	}
	for (*who = 0; *who < o->targets; ++*who)
		if (!seam_target_over(s, o, &o->target[*who]))
			return true;
	return false;
}

/* Moving. */

/* A keeper, or a checkpoint that is not ahead any more. */
static bool
may_pass(struct seam_session *s, const struct sess_order *o,
	 const struct seam_stand *st)
{
	const struct seam_armed *r = seam_rule_at(s, st->doing.rule);

	if (!r || st->state != SEAM_THREAD_PARKED)
		return false;
	if (r->kind == SEAM_RULE_ORDER)
		return true;
	for (size_t i = 0; i < o->n; i++)
		if (o->point[i].rule == r->index)
			return !is_ahead(o, r->index);
	return false;
}

static void
move(struct seam_session *s, const struct sess_order *o, size_t who)
{
	const struct order_target *g = &o->target[who];
	struct seam_thread *t;
	struct seam_stand st;
	uint32_t i = 0;

	seam_order_keep(s, g, false);
	while ((t = seam_thread_next(s, &i))) {
		seam_stand(t, &st);
		if (st.parked && may_pass(s, o, &st) &&
		    seam_target_has(s, g, t))
			seam_let_go(s, t);
	}
}

static struct seam_thread *
at_point(struct seam_session *s, const struct order_point *point)
{
	struct seam_thread *t;
	struct seam_stand st;
	uint32_t i = 0;

	while ((t = seam_thread_next(s, &i))) {
		seam_stand(t, &st);
		if (seam_stands_at(&st, point->rule + 1))
			return t;
	}
	return NULL;
}

static void
reach(struct seam_session *s, struct sess_order *o, const struct seam_thread *t)
{
	seam_order_keep(s, &o->target[o->point[o->pos].target], true);
	o->stands = seam_thread_index(s, t) + 1;
	o->pos++;
	o->phase = ORDER_STOPPING;
	o->since = seam_now();
	o->still = 0;
}

/* The thread that stands at the last checkpoint goes on. */
static void
leave(struct seam_session *s, struct sess_order *o)
{
	struct seam_thread *t =
	    o->stands ? seam_thread_at(s, o->stands - 1) : NULL;
	struct seam_stand st;

	if (t)
		seam_stand(t, &st);
	if (t && seam_stands_at(&st, o->point[o->pos - 1].rule + 1))
		seam_let_go(s, t);
	o->stands = 0;
	o->phase = t ? ORDER_LEAVING : ORDER_MOVING;
	o->since = seam_now();
	o->still = 0;
}

/* What goes wrong. */

static void
say_awaited(struct seam_session *s, const struct sess_order *o, size_t who,
	    struct seam_text *t)
{
	const struct order_point *point = &o->point[o->pos];
	const struct seam_armed *r;
	char sel[300];

	if (o->pos == o->n || point->target != who) {
		seam_text_add(t, "%s to end, which has no more checkpoints",
			      o->target[who].name);
		if (o->pos < o->n)
			seam_text_add(t, ", before checkpoint %s", point->id);
		return;
	}
	seam_text_add(t, "checkpoint %s", point->id);
	r = seam_order_rule(s, point->rule, point->birth);
	if (r)
		seam_text_add(t, " (%s)",
			      seam_selector_format(&r->sel, sel, sizeof(sel)));
	seam_text_add(t, ", %zu of %zu", o->pos + 1, o->n);
}

static enum seam_code
fail(struct seam_session *s, const struct sess_order *o, size_t who,
     const char *why, struct seam_error *err)
{
	char awaited[500] = "", all[700] = "";
	struct seam_text a = { .buf = awaited, .size = sizeof(awaited) };
	struct seam_text e = { .buf = all, .size = sizeof(all) };

	say_awaited(s, o, who, &a);
	seam_everybody(s, &e, true);
	return sess_fail(err, SEAM_E_FAILED, 0, "%s; the order awaits %s: %s",
			 why, awaited, all);
}

enum seam_code
seam_order_late(struct seam_session *s, const struct sess_wait *w,
		struct seam_error *err)
{
	const struct sess_order *o = s->order;
	char why[64];
	size_t who = 0;

	if (!o)
		return sess_fail(err, SEAM_E_GONE, 0, "the order was ended");
	mover(s, o, &who);
	snprintf(why, sizeof(why), "not come about after %llu ms",
		 (unsigned long long)w->timeout_ms);
	return fail(s, o, who < o->targets ? who : 0, why, err);
}

/* Steps; SEAM_PENDING: nothing more to be done now. */

static enum seam_code
step_leaving(struct seam_session *s, struct sess_order *o, struct sess_wait *w)
{
	const struct order_target *g = &o->target[o->last];
	size_t who;

	/* It goes on anyway. */
	if ((mover(s, o, &who) && who == o->last) ||
	    seam_target_still(s, o, g, &w->next_look) ||
	    seam_now() - o->since >= PATIENCE_NS)
		o->phase = ORDER_MOVING;
	return o->phase == ORDER_MOVING ? SEAM_OK : SEAM_PENDING;
}

static enum seam_code
step_stopping(struct seam_session *s, struct sess_order *o, struct sess_wait *w)
{
	const struct order_target *g = &o->target[o->last];

	if (o->pos >= w->goal && !seam_target_still(s, o, g, &w->next_look) &&
	    seam_now() - o->since < PATIENCE_NS)
		return SEAM_PENDING;
	w->next_look = 0;
	o->phase = ORDER_REACHED;
	return SEAM_OK;
}

static enum seam_code
over(struct seam_session *s, struct sess_order *o)
{
	for (size_t i = 0; i < o->targets; i++) {
		struct order_target *g = &o->target[i];
		struct seam_armed *r = seam_order_rule(s, g->keeper, g->birth);

		if (r)
			seam_rule_drop(s, r);
	}
	o->phase = ORDER_OVER;
	return SEAM_OK;
}

static enum seam_code
step_moving(struct seam_session *s, struct sess_order *o, struct sess_wait *w,
	    struct seam_error *err)
{
	const struct order_point *point = &o->point[o->pos];
	struct seam_thread *t = NULL;
	bool awaited;
	size_t who;

	if (!mover(s, o, &who))
		return over(s, o);
	if (o->moved && o->last != who)
		seam_order_keep(s, &o->target[o->last], true);
	o->last = who;
	o->moved = true;
	move(s, o, who);
	awaited = o->pos < o->n && point->target == who;
	if (awaited) {
		if (!seam_order_rule(s, point->rule, point->birth))
			return sess_fail(err, SEAM_E_GONE, 0,
					 "the pause '%s' was deleted meanwhile",
					 point->id);
		t = at_point(s, point);
	}
	if (t) {
		reach(s, o, t);
		return SEAM_OK;
	}
	if (awaited && seam_target_hopeless(s, o, &o->target[who]))
		return fail(s, o, who, "it cannot come about", err);
	if (seam_target_waits(s, &o->target[who]) &&
	    seam_quiescent(s, &w->next_look))
		return fail(s, o, who, "it cannot come about: nobody goes on",
			    err);
	return SEAM_PENDING;
}

static enum seam_code
answer(struct seam_session *s, const struct sess_order *o, json_t *reply,
       struct seam_error *err)
{
	struct seam_thread *t =
	    o->stands ? seam_thread_at(s, o->stands - 1) : NULL;
	struct seam_stand st;

	if (!t)
		return sess_fail(err, SEAM_E_GONE, 0,
				 "nobody stands at a checkpoint");
	seam_stand(t, &st);
	seam_put_stand(s, reply, t, &st);
	return SEAM_OK;
}

enum seam_code
seam_order_check(struct seam_session *s, struct sess_wait *w, json_t *reply,
		 struct seam_error *err)
{
	struct sess_order *o = s->order;
	enum seam_code code = SEAM_OK;

	if (!o || o->number != w->order)
		return sess_fail(err, SEAM_E_GONE, 0, "the order was ended");
	while (code == SEAM_OK) {
		switch (o->phase) {
		case ORDER_REACHED:
			if (o->pos >= w->goal)
				return answer(s, o, reply, err);
			leave(s, o);
			break;
		case ORDER_LEAVING:
			code = step_leaving(s, o, w);
			break;
		case ORDER_MOVING:
			code = step_moving(s, o, w, err);
			break;
		case ORDER_STOPPING:
			code = step_stopping(s, o, w);
			break;
		case ORDER_OVER:
			seam_json_put(reply, "done", "yes");
			return SEAM_OK;
		}
	}
	return code;
}

/* Beginning. */

static enum seam_code
find_ahead(const struct sess_order *o, const char *id, size_t *goal,
	   struct seam_error *err)
{
	for (size_t i = o->pos; i < o->n; i++) {
		if (strcmp(o->point[i].id, id) != 0)
			continue;
		*goal = i + 1;
		return SEAM_OK;
	}
	return sess_fail(err, SEAM_E_NO_SUCH_OBJECT, 0,
			 "no checkpoint '%s' is ahead in the order",
			 seam_show(id).s);
}

enum seam_code
seam_order_prepare(struct seam_session *s, struct sess_wait *w,
		   struct seam_error *err)
{
	const struct sess_order *o = s->order;

	if (!o || (w->order && w->order != o->number))
		return sess_fail(err,
				 w->order ? SEAM_E_GONE : SEAM_E_NO_SUCH_OBJECT,
				 0, "no order is being followed");
	w->order = o->number;
	w->goal = o->pos + 1;
	if (w->to_end)
		w->goal = o->n + 1;
	return w->what ? find_ahead(o, w->what, &w->goal, err) : SEAM_OK;
}
