/* SPDX-License-Identifier: MIT */
/* Orders: given, and given up.  See order.h. */
#include "order.h"

#include <stdlib.h>
#include <string.h>

#include "inner.h"

struct seam_armed *
seam_order_rule(struct seam_session *s, unsigned index, uint32_t birth)
{
	struct seam_armed *r = &s->rule[index];

	return index < s->rules && r->used && r->birth == birth ? r : NULL;
}

/* Not compiled anew: a keeper is in the tables whether it is armed or not. */
void
seam_order_keep(struct seam_session *s, const struct order_target *g,
		bool armed)
{
	struct seam_armed *r = seam_order_rule(s, g->keeper, g->birth);

	if (r)
		atomic_store(&seam_rule_of(s, r)->armed, armed);
}

/* The end. */

void
seam_order_forget(struct seam_session *s)
{
	struct sess_order *o = s->order;

	s->order = NULL;
	if (!o)
		return;
	for (size_t i = 0; o->point && i < o->n; i++)
		free(o->point[i].id);
	for (size_t i = 0; i < o->targets; i++) {
		free(o->target[i].proc);
		free(o->target[i].thread);
		free(o->target[i].name);
	}
	free(o->point);
	free(o->target);
	free(o);
}

static bool
is_at_point(struct seam_session *s, const struct sess_order *o,
	    const struct seam_stand *st)
{
	for (size_t i = 0; o->point && i < o->n; i++) {
		const struct order_point *point = &o->point[i];

		if (seam_order_rule(s, point->rule, point->birth) &&
		    seam_stands_at(st, point->rule + 1))
			return true;
	}
	return false;
}

/* Once each: those who come to another of its pauses then stay there. */
static void
let_go(struct seam_session *s, const struct sess_order *o)
{
	struct seam_thread *t;
	struct seam_stand st;
	uint32_t i = 0;

	while ((t = seam_thread_next(s, &i))) {
		seam_stand(t, &st);
		if (is_at_point(s, o, &st))
			seam_let_go(s, t);
	}
}

void
seam_order_drop(struct seam_session *s)
{
	struct sess_order *o = s->order;
	struct seam_armed *r;

	if (!o)
		return;
	let_go(s, o);
	for (size_t i = 0; i < o->targets; i++) {
		r = seam_order_rule(s, o->target[i].keeper, o->target[i].birth);
		if (r && r->kind == SEAM_RULE_ORDER)
			seam_rule_drop(s, r);
	}
	seam_order_forget(s);
}

bool
sess_order_end(struct seam_session *s, uint32_t order)
{
	bool there;

	seam_lock(s);
	there = s->order && (!order || s->order->number == order);
	if (there)
		seam_order_drop(s);
	seam_unlock(s);
	return there;
}

/* Targets. */

static enum seam_code
no_memory(struct seam_error *err)
{
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
}

static bool
same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* The process that a pause is about: proc=, or what thread= begins with. */
static char *
proc_of(const struct seam_armed *r)
{
	const char *thread = r->sel.thread, *end;

	if (r->sel.proc)
		return strdup(r->sel.proc);
	end = thread ? strstr(thread, ".T") : NULL;
	return end && end > thread ? strndup(thread, (size_t)(end - thread)) :
				     NULL;
}

static bool
is_nobody(const struct seam_armed *r)
{
	return !r->sel.proc && !r->sel.thread;
}

/* How wide the targets are: 2, one of all processes; 1, processes; 0, as the
 * pause has it. */
static int
width(struct seam_session *s, const struct sess_order *o, const char *proc)
{
	int wide = 0;

	for (size_t i = 0; i < o->n; i++) {
		const struct seam_armed *r = &s->rule[o->point[i].rule];

		if (is_nobody(r))
			return 2;
		if (r->sel.proc && !r->sel.thread && same(r->sel.proc, proc))
			wide = 1;
	}
	return wide;
}

static size_t
find_target(struct sess_order *o, char *proc, char *thread)
{
	size_t i;

	for (i = 0; i < o->targets; i++)
		if (same(o->target[i].proc, proc) &&
		    same(o->target[i].thread, thread))
			break;
	if (i < o->targets) {
		free(proc);
		free(thread);
		return i;
	}
	o->target[i].proc = proc;
	o->target[i].thread = thread;
	o->targets++;
	return i;
}

static enum seam_code
choose_target(struct seam_session *s, struct sess_order *o,
	      struct order_point *point, struct seam_error *err)
{
	const struct seam_armed *r = &s->rule[point->rule];
	char *proc = proc_of(r), *thread = NULL;
	struct order_target *g;
	int wide = width(s, o, proc);

	if (wide == 2) {
		free(proc);
		proc = NULL;
	}
	if (!wide && r->sel.thread)
		thread = strdup(r->sel.thread);
	point->target = find_target(o, proc, thread);
	g = &o->target[point->target];
	if (!g->name)
		g->name = strdup(g->thread ? g->thread :
				 g->proc   ? g->proc :
					     "every process");
	return g->name ? SEAM_OK : no_memory(err);
}

/* A rule that matches whatever its threads do. */
static enum seam_code
arm_keeper(struct seam_session *s, struct sess_order *o, size_t i,
	   struct seam_error *err)
{
	struct order_target *g = &o->target[i];
	struct seam_selector sel = { .proc = g->proc, .thread = g->thread };
	char id[SEAM_NAME_TEXT], any[] = "any";
	struct seam_armed *r;
	enum seam_code code;

	sel.op = any;
	for (unsigned v = 1; v < SEAM_VERBS; v++)
		seam_verbs_add(sel.verbs, v);
	if (strpbrk(g->name, " \t"))
		snprintf(id, sizeof(id), "order:%zu", i + 1);
	else
		snprintf(id, sizeof(id), "order:%s", g->name);
	r = seam_rule_from(s, SEAM_RULE_ORDER, &sel, id, err);
	if (!r)
		return err->code;
	seam_rule_of(s, r)->action = SEAM_ACTION_PARK;
	g->keeper = r->index;
	g->birth = r->birth;
	code = seam_rule_arm(s, r, err);
	return code;
}

static void
look_who_is_there(struct seam_session *s, struct order_target *g)
{
	struct seam_thread *t;
	uint32_t i = 0;

	while ((t = seam_thread_next(s, &i)))
		if (atomic_load(&t->state) != SEAM_THREAD_EXITED &&
		    seam_target_has(s, g, t))
			g->was_there = true;
}

/* Giving. */

static enum seam_code
take_points(struct seam_session *s, struct sess_order *o,
	    const char *const *ids, struct seam_error *err)
{
	for (size_t i = 0; i < o->n; i++) {
		struct seam_armed *r = seam_rule_find(s, ids[i]);
		struct order_point *point = &o->point[i];

		if (!r)
			return sess_fail(err, SEAM_E_NO_SUCH_OBJECT, 0,
					 "no pause is called '%s'",
					 seam_show(ids[i]).s);
		if (r->kind != SEAM_RULE_PAUSE)
			return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
					 "'%s' is no pause: checkpoints are "
					 "ids of pauses",
					 seam_show(ids[i]).s);
		point->rule = r->index;
		point->birth = r->birth;
		point->id = strdup(ids[i]);
		if (!point->id)
			return no_memory(err);
	}
	return SEAM_OK;
}

static enum seam_code
set_up(struct seam_session *s, struct sess_order *o, const char *const *ids,
       struct seam_error *err)
{
	enum seam_code code = take_points(s, o, ids, err);

	for (size_t i = 0; i < o->n && !code; i++)
		code = choose_target(s, o, &o->point[i], err);
	for (size_t i = 0; i < o->targets && !code; i++) {
		look_who_is_there(s, &o->target[i]);
		code = arm_keeper(s, o, i, err);
	}
	return code;
}

static struct sess_order *
new_order(struct seam_session *s, size_t n)
{
	struct sess_order *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->number = ++seam_room(s)->births;
	o->n = n;
	o->point = calloc(n, sizeof(*o->point));
	o->target = calloc(n, sizeof(*o->target));
	o->ends = s->own->ends;
	o->births = atomic_load(&s->arena->head.births);
	return o;
}

static enum seam_code
give(struct seam_session *s, const char *const *ids, size_t n,
     struct seam_error *err)
{
	enum seam_code code;

	if (s->order && s->order->phase != ORDER_OVER)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "an order is being followed already: "
				 "`finish` it, or end it by `order off`");
	seam_order_drop(s);
	s->order = new_order(s, n);
	if (!s->order || !s->order->point || !s->order->target)
		code = no_memory(err);
	else
		code = set_up(s, s->order, ids, err);
	if (code) {
		seam_order_drop(s);
		return code;
	}
	if (!s->watching) { /* who is blocked must be known */
		s->watching = true;
		seam_compile_all(s, NULL);
	}
	return SEAM_OK;
}

enum seam_code
sess_order(struct seam_session *s, const char *const *checkpoints, size_t n,
	   uint32_t *order, struct seam_error *err)
{
	struct seam_error none = { .code = SEAM_OK };
	enum seam_code code;

	err = err ? err : &none;
	if (!n)
		return sess_fail(err, SEAM_E_SYNTAX, 0,
				 "an order is of at least one checkpoint");
	seam_lock(s);
	code = give(s, checkpoints, n, err);
	if (!code && order)
		*order = s->order->number;
	seam_unlock(s);
	return code;
}

char *
sess_order_targets(struct seam_session *s)
{
	char buf[SEAM_NAME_TEXT] = "";
	struct seam_text t = { .buf = buf, .size = sizeof(buf) };

	seam_lock(s);
	for (size_t i = 0; s->order && i < s->order->targets; i++)
		seam_text_add(&t, "%s%s", i ? "," : "",
			      s->order->target[i].name);
	seam_unlock(s);
	return strdup(buf);
}
