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

const char *
as_object_place(const struct as_work *w, uint32_t object)
{
	const char *name = as_object_name(w, object);
	size_t n = strlen(name);

	for (uint32_t i = 1; n && i <= w->trace.nobjects; i++) {
		const char *other = explore_object_label(w->labels, i);

		if (!strncmp(other, name, n) && other[n] == '+')
			return "+0x0";
	}
	return "";
}

bool
as_is_silent(const struct as_work *w, uint32_t event)
{
	uint64_t site = event < w->order.n ?
			    w->trace.step[event].site :
			    w->trace.thread[event - w->order.n].site;

	return order_op(&w->order, event)->verb == SEAM_PROCESS_EXIT && !site;
}

static bool
is_like(const struct as_work *w, const struct seam_op *op,
	const struct as_point *p)
{
	return op->verb == p->verb && as_half_of(op) == AS_WHOLE &&
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
	p->half = (uint8_t)as_half_of(op);
	p->object = *as_object_name(w, op->object) ?
			w->trace.object[op->object - 1].key :
			0;
	p->hit = p->half == AS_WHOLE;
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
	const char *place = as_object_place(w, p->object ? op->object : 0);
	char *text = NULL;

	if (thread && asprintf(&text, "%s%s%s%s%s%s thread=%s hit=%u%s",
			       seam_verb_name(p->verb), *object ? " obj=" : "",
			       quote, object, place, quote, thread, p->hit,
			       as_parks_after(p) ? " when=after" : "") < 0)
		text = NULL;
	free(thread);
	return text;
}

const char *
as_site(const struct as_work *w, uint32_t event)
{
	const char *at = event < w->order.n ?
			     explore_site_label(w->labels, event) :
			     w->labels->at[event - w->order.n];

	return at && strncmp(at, "0x", 2) != 0 ? at : "";
}

char *
as_event_text(const struct as_work *w, uint32_t event)
{
	const char *site = as_site(w, event);
	struct seam_op op = *order_op(&w->order, event);
	char call[256], *text;

	if (as_half_of(&op) == AS_GOES_ON)
		op.flags &= (uint8_t)~SEAM_OP_LOCAL;
	explore_op_label(w->labels, &op, call, sizeof(call));
	for (char *c = call; *c; c++)
		if ((unsigned char)*c < 0x20)
			*c = ' ';
	if (asprintf(&text, "%s%s%s", call, *site ? ", " : "", site) < 0)
		return NULL;
	return text;
}
