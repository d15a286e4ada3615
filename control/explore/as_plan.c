/* SPDX-License-Identifier: MIT */
/* From edges to points and acts. */
#include <stdlib.h>
#include <string.h>

#include "depend.h"
#include "explore/as.h"

/* By event: why it is a point. */
enum {
	HELD = 1,     /* it is the second of an edge */
	SEEN = 2,     /* that its thread comes there says that the event before
			 is over */
	FINISHED = 4, /* the same, at the end of the event itself */
	STANDS = 8,   /* its thread is blocked there */
	LOOSE = 16,   /* and waits until all else is at rest */
};

struct making {
	const struct as_work *w;
	const struct order *o;
	const struct as_edge *edge;
	size_t nedges;
	uint8_t *mark;
	uint8_t *waited; /* of the marks, those that have been waited for */
	struct as_plan *plan;
	uint32_t *index; /* by event and stop: point + 1 */
	bool again;	 /* there is a new mark: from the beginning */
	bool good;
};

void
as_plan_clear(struct as_plan *p)
{
	free(p->point);
	free(p->act);
	*p = (struct as_plan){ 0 };
}

static bool
hangs(const struct making *m)
{
	return m->o->trace->verdict == SEAM_VERDICT_DEADLOCK;
}

static bool
stands(const struct making *m, uint32_t event)
{
	const struct explore_thread *t = &m->o->trace->thread[event - m->o->n];

	return t->state == SEAM_SLOT_PENDING && t->pending.verb &&
	       !as_is_silent(m->w, event);
}

static uint32_t
next_of(const struct making *m, uint32_t event)
{
	uint32_t next = event < m->o->n ? m->o->after[event] : ORDER_NONE;

	/* A handler is no call. */
	while (next < m->o->n &&
	       order_op(m->o, next)->verb == SEAM_SIGNAL_HANDLE)
		next = m->o->after[next];
	if (next == ORDER_NONE ||
	    (next < m->o->n ? as_is_silent(m->w, next) : !stands(m, next)))
		return ORDER_NONE;
	return next;
}

/* That its thread comes there shows that it is through with what was before.
 * Unwinders begin with a `once` of their own, and take mutexes again then. */
static bool
shows(const struct making *m, uint32_t event)
{
	const struct seam_op *op = order_op(m->o, event);

	return as_half_of(op) != AS_GOES_ON &&
	       (op->verb != SEAM_ONCE || *as_object_name(m->w, op->object));
}

/* The thread's next event that does, or ORDER_NONE. */
static uint32_t
next_call(const struct making *m, uint32_t event)
{
	do
		event = next_of(m, event);
	while (event != ORDER_NONE && !shows(m, event));
	return event;
}

/* What is pending when a run ends in a crash, say, is held up until then. */
static bool
is_loose(const struct making *m, uint32_t event)
{
	return (m->mark[event] & LOOSE) || (event >= m->o->n && !hangs(m));
}

/* A wait that somebody has to end before its thread comes there. */
static bool
comes_late(const struct making *m, uint32_t event)
{
	const struct seam_op *op = order_op(m->o, event);

	return op->verb == SEAM_COND_REACQUIRE || as_half_of(op) == AS_LEAVING;
}

/* Points and acts. */

static uint32_t
point_of(struct making *m, uint32_t event, enum as_stop stop)
{
	uint32_t *index = &m->index[3 * (size_t)event + stop];

	if (!*index) {
		struct as_point *p = &m->plan->point[m->plan->npoints++];

		*p = (struct as_point){ .event = event, .stop = stop };
		as_point_describe(m->w, p);
		*index = (uint32_t)m->plan->npoints;
	}
	return *index - 1;
}

static void
act(struct making *m, enum as_kind kind, uint32_t point)
{
	m->plan->act[m->plan->nacts++] = (struct as_act){ kind, point };
}

static void
wait_for(struct making *m, uint32_t event, uint8_t mark, enum as_stop stop)
{
	if (m->waited[event] & mark)
		return;
	m->waited[event] |= mark;
	act(m, AS_WAIT, point_of(m, event, stop));
}

/* Seeing that an event is over. */

/* Would the thread come from `from` to `to` while all that is held up from
 * `held` on still is? */
static bool
is_free_way(const struct making *m, uint32_t from, uint32_t to, uint32_t held)
{
	for (uint32_t e = m->o->after[from]; e < m->o->n && e != to;
	     e = m->o->after[e])
		for (uint32_t r = held; r < m->o->n; r++)
			if (m->mark[r] && r != e && order_precedes(m->o, r, e))
				return false;
	return true;
}

static uint32_t
next_mark(const struct making *m, uint32_t event)
{
	do
		event = next_of(m, event);
	while (event != ORDER_NONE && !(m->mark[event] & (HELD | SEEN)));
	return event;
}

/* It is told by the name of what it waits for: which has to be for the first
 * time. */
static bool
is_first(const struct making *m, uint32_t event)
{
	uint32_t object = as_awaited(m->w, event);
	uint16_t slot = order_slot(m->o, event);

	if (!*as_object_name(m->w, object))
		return false;
	for (uint32_t i = 0; i < m->o->n && i < event; i++)
		if (order_slot(m->o, i) == slot &&
		    seam_op_blocks(order_op(m->o, i)) &&
		    as_awaited(m->w, i) == object)
			return false;
	return true;
}

static bool
is_blocked(const struct making *m, uint32_t event, uint32_t at)
{
	uint16_t slot = order_slot(m->o, event);

	if (at >= m->o->n)
		return hangs(m) && event >= m->o->n;
	return event > at && slot < SEAM_MASKED &&
	       !(m->o->trace->step[at].enabled >> slot & 1);
}

static void
mark(struct making *m, uint32_t event, uint8_t what)
{
	m->again = !(m->mark[event] & what);
	m->mark[event] |= what;
}

/* Before event `held` goes on, event `done` has to be over. */
static void
observe(struct making *m, uint32_t done, uint32_t held)
{
	uint32_t point = next_mark(m, done), next = next_call(m, done);
	bool queues = next != ORDER_NONE && comes_late(m, next);

	for (uint32_t e = point; e != ORDER_NONE; e = next_mark(m, e))
		if (m->waited[e] & (HELD | SEEN))
			return;
	if (m->waited[done] & FINISHED)
		return;
	if (next != ORDER_NONE && (m->waited[next] & STANDS))
		return;
	if (point != ORDER_NONE && !comes_late(m, point) && !queues &&
	    is_free_way(m, done, point, held)) {
		wait_for(m, point, HELD | SEEN, AS_BEFORE);
	} else if (queues && !is_first(m, next) &&
		   !(m->mark[done] & (HELD | SEEN))) {
		/* Not an earlier wait of the same name. */
		mark(m, done, SEEN);
	} else if (next != ORDER_NONE &&
		   (queues || (is_blocked(m, next, held) &&
			       !(m->mark[next] & HELD) && is_first(m, next)))) {
		m->mark[next] |= STANDS;
		wait_for(m, next, STANDS, AS_STANDS);
	} else if (next != ORDER_NONE && !comes_late(m, next)) {
		mark(m, next, SEEN);
	} else {
		mark(m, done, FINISHED);
	}
}

static void
go_through(struct making *m, uint32_t event)
{
	if (m->mark[event] & HELD && !is_loose(m, event))
		for (size_t i = 0; i < m->nedges && !m->again; i++)
			if (m->edge[i].to == event)
				observe(m, m->edge[i].from, event);
	if (m->again)
		return;
	if (m->mark[event] & (HELD | SEEN) && !is_loose(m, event)) {
		wait_for(m, event, HELD | SEEN, AS_BEFORE);
		act(m, AS_RELEASE, point_of(m, event, AS_BEFORE));
	}
	if (m->mark[event] & FINISHED) {
		wait_for(m, event, FINISHED, AS_AFTER);
		act(m, AS_RELEASE, point_of(m, event, AS_AFTER));
	}
}

static void
let_loose(struct making *m)
{
	bool quiet = false;

	for (uint32_t e = 0; e < m->o->n + m->o->threads; e++) {
		if (!(m->mark[e] & (HELD | SEEN)) || !is_loose(m, e))
			continue;
		if (!quiet)
			act(m, AS_QUIET, 0);
		quiet = true;
		act(m, AS_DELETE, point_of(m, e, AS_BEFORE));
	}
}

static void
make_once(struct making *m)
{
	const uint32_t events = m->o->n + m->o->threads;

	m->again = false;
	m->plan->npoints = m->plan->nacts = 0;
	memset(m->waited, 0, events);
	memset(m->index, 0, 3 * (size_t)events * sizeof(*m->index));
	for (uint32_t e = 0; e < events && !m->again; e++)
		if (m->mark[e])
			go_through(m, e);
	if (!m->again)
		let_loose(m);
}

/* Identifiers: after the function, and which of several. */

static bool
is_taken(const struct as_plan *p, size_t n, const char *id)
{
	/* Words of the language, and the target's own name. */
	static const char *const reserved[] = { "all",	   "quiescent", "exit",
						"blocked", "output",	"step",
						"main",	   "off" };

	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (!strcmp(id, reserved[i]))
			return true;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(p->point[i].id, id))
			return true;
	return false;
}

static void
name_point(const struct making *m, size_t n)
{
	struct as_point *p = &m->plan->point[n];
	const char *site = as_site(m->w, p->event);
	size_t len = 0;
	unsigned k = 1;

	for (; strchr(site, ' ') && *site != ' '; site++) {
		bool plain = (*site >= 'a' && *site <= 'z') ||
			     (*site >= 'A' && *site <= 'Z') ||
			     (*site >= '0' && *site <= '9') || *site == '_';

		if (*site == '(' || len > 20)
			break;
		if (plain)
			p->id[len++] = *site;
		else if (len && p->id[len - 1] != '_')
			p->id[len++] = '_';
	}
	if (!len)
		len = (size_t)sprintf(p->id, "there");
	p->id[len] = '\0';
	while (is_taken(m->plan, n, p->id))
		sprintf(p->id + len, "_%u", ++k);
}

bool
as_plan_make(struct as_plan *p, const struct as_work *w,
	     const struct as_edge *edge, size_t n)
{
	const size_t events = (size_t)w->order.n + w->order.threads;
	struct making m = {
		.w = w,
		.o = &w->order,
		.edge = edge,
		.nedges = n,
		.plan = p,
	};
	bool good;

	*p = (struct as_plan){ 0 };
	m.mark = calloc(events + 1, 1);
	m.waited = calloc(events + 1, 1);
	m.index = calloc(3 * events + 1, sizeof(*m.index));
	p->point = calloc(3 * events + 1, sizeof(*p->point));
	p->act = calloc(6 * events + 2, sizeof(*p->act));
	good = m.mark && m.waited && m.index && p->point && p->act;
	for (size_t i = 0; good && i < n; i++)
		m.mark[edge[i].to] |= edge[i].loose ? HELD | LOOSE : HELD;
	do
		if (good)
			make_once(&m);
	while (good && m.again);
	for (size_t i = 0; good && i < p->npoints; i++)
		name_point(&m, i);
	free(m.mark);
	free(m.waited);
	free(m.index);
	if (!good)
		as_plan_clear(p);
	return good;
}
