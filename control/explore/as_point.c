/* SPDX-License-Identifier: MIT */
/* What points are called: for threads that run freely, and for a person. */
#include <stdlib.h>
#include <string.h>

#include "explore/as.h"
#include "rules_int.h"

/* "" for what is another one in each run, or goes by path: not by name. */
const char *
as_object_name(const struct as_work *w, uint32_t object)
{
	const char *name = explore_object_label(w->labels, object);
	const char *kind;
	size_t n;

	if (!object || object > w->trace.nobjects)
		return "";
	kind = seam_kinds[w->trace.object[object - 1].kind];
	n = strlen(kind);
	if (w->trace.object[object - 1].kind == SEAM_KIND_FILE ||
	    *name == '@' || strchr(name, '/') || strpbrk(name, "*?\"\\\n$") ||
	    (!strncmp(name, kind, n) && name[n] == '#'))
		return "";
	return name;
}

static bool
is_like(const struct as_work *w, const struct seam_op *op,
	const struct as_point *p)
{
	return op->verb == p->verb && !as_is_unseen(op) &&
	       as_is_second_half(op) == p->leaves &&
	       (!p->object ||
		(op->object &&
		 w->trace.object[op->object - 1].key == p->object));
}

void
as_point_describe(const struct as_work *w, struct as_point *p)
{
	const struct seam_op *op = order_op(&w->order, p->event);
	uint16_t slot = order_slot(&w->order, p->event);

	p->thread = w->trace.thread[slot].key;
	p->verb = op->verb;
	p->leaves = as_is_second_half(op);
	p->object = *as_object_name(w, op->object) ?
			w->trace.object[op->object - 1].key :
			0;
	p->hit = 1;
	for (uint32_t i = 0; i < w->trace.nsteps && i < p->event; i++)
		if (w->trace.step[i].slot == slot &&
		    is_like(w, &w->trace.step[i].op, p))
			p->hit++;
}

char *
as_point_selector(const struct as_work *w, const struct as_point *p)
{
	const struct seam_op *op = order_op(&w->order, p->event);
	const char *object = p->object ? as_object_name(w, op->object) : "";
	const char *quote = strpbrk(object, " \t") ? "\"" : "";
	char *thread = as_thread_path(w, order_slot(&w->order, p->event));
	bool after = p->stop == AS_AFTER || p->leaves;
	char *text = NULL;

	if (thread && asprintf(&text, "%s%s%s%s%s thread=%s hit=%u%s",
			       seam_verb_name(p->verb), *object ? " obj=" : "",
			       quote, object, quote, thread, p->hit,
			       after ? " when=after" : "") < 0)
		text = NULL;
	free(thread);
	return text;
}

const char *
as_site(const struct as_work *w, uint32_t event)
{
	const char *at;

	if (event < w->order.n)
		return explore_site_label(w->labels, event);
	at = w->labels->at[event - w->order.n];
	return at ? at : "";
}

char *
as_event_text(const struct as_work *w, uint32_t event)
{
	const char *site = as_site(w, event);
	char call[256], *text;

	explore_op_label(w->labels, order_op(&w->order, event), call,
			 sizeof(call));
	for (char *c = call; *c; c++)
		if ((unsigned char)*c < 0x20)
			*c = ' ';
	if (asprintf(&text, "%s%s%s", call, *site ? ", " : "", site) < 0)
		return NULL;
	return text;
}
