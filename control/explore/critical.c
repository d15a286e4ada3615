/* SPDX-License-Identifier: MIT */
/* Which pair it is; because.c says it in words. */
#include "explore/critical.h"

#include <stdlib.h>
#include <string.h>

#include "depend.h"
#include "explore/order.h"

#define APART_MAX 8    /* see struct pair */
#define SCAN_MAX 20000 /* steps between the two */
#define TRIES_MAX 400

struct pair {
	uint32_t first, second;
	/* Where the run is left: the first, or the event of its thread before
	 * it, so that what the thread does between the two is moved, too. */
	uint32_t from;
	/* Acquisitions of the same object between them, by the same two. */
	uint32_t apart;
	bool odd;   /* not what a person would look for first */
	bool alike; /* two threads at the same line: that says less */
};

struct search {
	const struct explore_trace *t;
	struct order o;
	struct pair *pair;
	size_t n, room;
	struct explore_move *move;
	uint32_t *seen; /* by slot */
	bool no_memory;
};

struct critical
critical_told(const struct explore_trace *t, const uint32_t told[2])
{
	return (struct critical){
		.found = told[0] && told[0] <= t->nsteps && told[1] > told[0] &&
			 told[1] <= t->nsteps + t->nthreads,
		.first = told[0] - 1,
		.second = told[1] - 1,
	};
}

const struct seam_op *
critical_op(const struct explore_trace *t, uint32_t event)
{
	return event < t->nsteps ? &t->step[event].op :
				   &t->thread[event - t->nsteps].pending;
}

uint16_t
critical_slot(const struct explore_trace *t, uint32_t event)
{
	return event < t->nsteps ? t->step[event].slot :
				   (uint16_t)(event - t->nsteps);
}

const char *
critical_site(const struct explore_trace *t, const struct explore_labels *l,
	      uint32_t event)
{
	const char *at;

	if (event < t->nsteps)
		return explore_site_label(l, event);
	at = event - t->nsteps < l->nthreads ? l->at[event - t->nsteps] : NULL;
	return at ? at : "";
}

/* Candidates. */

static bool
is_acquiring(const struct seam_op *op)
{
	const uint8_t class = seam_verbs[op->verb].class;

	return (class == SEAM_CLASS_ACQUIRE || class == SEAM_CLASS_TRY) &&
	       op->object;
}

/* Being born, ending, waiting for that; and what a signal leads to. */
static bool
is_of_life(const struct seam_op *op)
{
	switch (op->verb) {
	case SEAM_THREAD_CREATE:
	case SEAM_THREAD_START:
	case SEAM_THREAD_EXIT:
	case SEAM_THREAD_JOIN:
	case SEAM_PROCESS_EXIT:
	case SEAM_PROCESS_WAIT:
	case SEAM_SIGNAL_HANDLE:
		return true;
	default:
		return false;
	}
}

/* Only the first lets the second come about. */
static bool
lets_come(const struct seam_op *a, const struct seam_op *b)
{
	return b->verb == SEAM_COND_REACQUIRE &&
	       (a->verb == SEAM_COND_SIGNAL || a->verb == SEAM_COND_BROADCAST);
}

/* Something that did not happen any more, unless everything waits. */
static bool
is_late(const struct explore_trace *t, uint32_t event)
{
	return event >= t->nsteps && t->verdict != SEAM_VERDICT_DEADLOCK;
}

static uint64_t
site_of(const struct explore_trace *t, uint32_t event)
{
	return event < t->nsteps ? t->step[event].site :
				   t->thread[event - t->nsteps].site;
}

static void
add_pair(struct search *s, uint32_t first, uint32_t second, uint32_t apart)
{
	const struct seam_op *a = critical_op(s->t, first);
	const struct seam_op *b = critical_op(s->t, second);
	struct pair *more;

	for (size_t i = s->n; i-- > 0 && s->pair[i].second == second;)
		if (s->pair[i].first == first)
			return;
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		more = reallocarray(s->pair, s->room, sizeof(*more));
		if (!more) {
			s->no_memory = true;
			s->room = s->n;
			return;
		}
		s->pair = more;
	}
	s->pair[s->n++] = (struct pair){
		.first = first,
		.second = second,
		.apart = apart,
		.alike = site_of(s->t, first) == site_of(s->t, second),
		.odd = is_of_life(a) || is_of_life(b) || lets_come(a, b) ||
		       (is_late(s->t, second) && a->verb != SEAM_SIGNAL_SEND),
	};
}

static void
add_race(void *arg, const struct order_race *race)
{
	add_pair(arg, race->first, race->second, 0);
}

/*
 * A read and a later write by two critical sections, with another thread's in
 * between: nothing shows that the two reads commute, so the acquisitions that
 * decide need not be neighbours.
 */
static void
find_apart(struct search *s, uint32_t second)
{
	const struct explore_trace *t = s->t;
	const struct seam_op *op = critical_op(t, second);
	const uint16_t me = critical_slot(t, second);
	uint32_t end = second < t->nsteps ? second : t->nsteps;
	uint32_t last = end > SCAN_MAX ? end - SCAN_MAX : 0;

	if (!is_acquiring(op) && op->verb != SEAM_SEM_POST)
		return;
	memset(s->seen, 0, t->nthreads * sizeof(*s->seen));
	for (uint32_t i = end; i-- > last && s->seen[me] <= APART_MAX;) {
		const struct seam_step *step = &t->step[i];
		uint32_t apart = s->seen[step->slot] + s->seen[me];

		if (step->op.object != op->object || !is_acquiring(&step->op))
			continue;
		s->seen[step->slot]++;
		if (step->slot != me && apart <= APART_MAX &&
		    seam_reversible(&step->op, step->slot, op, me))
			add_pair(s, i, second, apart);
	}
}

/* Its process was killed there. */
static bool
was_killed_at(const struct explore_trace *t, uint32_t slot)
{
	const struct explore_thread *th = &t->thread[slot];

	if (th->state != SEAM_SLOT_GONE)
		return false;
	for (uint32_t i = t->nsteps; i-- > 0;)
		if (t->step[i].slot == slot)
			return t->step[i].site != th->site ||
			       t->step[i].op.verb != th->pending.verb;
	return true;
}

/* What the thread that a signal is sent to does next, but for handling it. */
static void
find_sent(struct search *s, uint32_t first)
{
	const struct seam_op *op = critical_op(s->t, first);

	if (op->verb != SEAM_SIGNAL_SEND || !op->peer)
		return;
	for (uint32_t i = first + 1; i < s->t->nsteps; i++)
		if (s->t->step[i].slot == op->peer - 1 &&
		    s->t->step[i].op.verb != SEAM_SIGNAL_HANDLE) {
			add_pair(s, first, i, 0);
			return;
		}
}

static bool
is_event(const struct explore_trace *t, uint32_t event)
{
	const struct explore_thread *th;

	if (event < t->nsteps)
		return true;
	th = &t->thread[event - t->nsteps];
	return th->pending.verb && (th->state == SEAM_SLOT_PENDING ||
				    was_killed_at(t, event - t->nsteps));
}

/* What killed it, and what it would have done. */
static void
find_killers(struct search *s, uint32_t slot)
{
	for (uint32_t i = s->t->nsteps; i-- > 0;) {
		const struct seam_step *step = &s->t->step[i];

		if (step->slot == slot)
			return;
		if (step->op.verb == SEAM_SIGNAL_SEND && !step->result)
			add_pair(s, i, s->t->nsteps + slot, 0);
	}
}

/* Neighbours are tried first, and of these the last ones. */
static int
compare(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->odd != y->odd)
		return x->odd - y->odd;
	if (x->alike != y->alike)
		return x->alike - y->alike;
	if (x->apart != y->apart)
		return x->apart < y->apart ? -1 : 1;
	if (x->first != y->first)
		return x->first > y->first ? -1 : 1;
	return x->second < y->second ? -1 : x->second > y->second;
}

static void
find_pairs(struct search *s)
{
	const uint32_t n = s->t->nsteps + s->t->nthreads;

	for (uint32_t j = 0; j < n && !s->no_memory; j++)
		if (is_event(s->t, j)) {
			order_races(&s->o, j, add_race, s);
			find_apart(s, j);
			find_sent(s, j);
		}
	for (uint32_t i = 0; i < s->t->nthreads; i++)
		if (was_killed_at(s->t, i))
			find_killers(s, i);
	if (s->n)
		qsort(s->pair, s->n, sizeof(*s->pair), compare);
}

/* The run with the two exchanged. */

static void
move(struct search *s, uint32_t *n, uint32_t event, bool as_it_can)
{
	const struct seam_op *op = critical_op(s->t, event);

	s->move[(*n)++] = (struct explore_move){
		.slot = critical_slot(s->t, event),
		.how = as_it_can ? (uint8_t)SEAM_HOWS : op->how,
		.yields = op->flags & SEAM_OP_YIELD,
	};
}

/* Where the thread lets go of what it takes by the event; the event itself if
 * it takes nothing; ORDER_NONE: not in this run. */
static uint32_t
end_of_section(const struct explore_trace *t, uint32_t event)
{
	const struct seam_op *op = critical_op(t, event);

	if (!is_acquiring(op))
		return event;
	for (uint32_t i = event + 1; i < t->nsteps; i++) {
		const struct seam_step *step = &t->step[i];

		if (step->slot == critical_slot(t, event) &&
		    seam_op_lets_go(&step->op) &&
		    (step->op.object == op->object ||
		     step->op.second == op->object))
			return i;
	}
	return ORDER_NONE;
}

/* Comes before the first of the pair in the run with the two exchanged: the
 * second one's thread goes on past it, and what does not depend on the first
 * has come before. */
static bool
goes_first(const struct search *s, const struct pair *p, uint32_t end,
	   uint32_t event)
{
	if (critical_slot(s->t, event) == critical_slot(s->t, p->second))
		return event <= end;
	return event < p->second && !order_precedes(&s->o, p->from, event);
}

/* All else stays in its order; the second one's thread lets go of what it
 * takes before it is left. */
static uint32_t
exchange(struct search *s, const struct pair *p)
{
	const uint32_t steps = s->t->nsteps;
	uint32_t last = end_of_section(s->t, p->second), n = 0;
	uint32_t end = last == ORDER_NONE ? p->second : last;

	for (uint32_t i = 0; i < p->from; i++)
		move(s, &n, i, false);
	for (uint32_t i = p->from + 1; i < steps && i <= end; i++)
		if (goes_first(s, p, end, i))
			move(s, &n, i, i == p->second);
	if (p->second >= steps)
		move(s, &n, p->second, true);
	/* It goes on, as far as it can, and lets go somewhere. */
	if (last == ORDER_NONE)
		return n;
	for (uint32_t i = p->from; i < steps; i++)
		if (i == p->from || !goes_first(s, p, end, i))
			move(s, &n, i, i == p->first);
	return n;
}

/* A handler comes in between wherever its signal is sent. */
static bool
counts(const struct seam_step *step)
{
	return step->op.verb != SEAM_SIGNAL_HANDLE;
}

static uint32_t
number_of(const struct explore_trace *t, uint32_t event)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < event && i < t->nsteps; i++)
		n += t->step[i].slot == critical_slot(t, event) &&
		     counts(&t->step[i]);
	return n;
}

/* Where in `other` the thread does the same. */
static uint32_t
place_in(const struct explore_trace *other, const struct explore_trace *t,
	 uint32_t event)
{
	const uint64_t key = t->thread[critical_slot(t, event)].key;
	uint32_t number = number_of(t, event);

	for (uint32_t i = 0; i < other->nsteps; i++)
		if (other->thread[other->step[i].slot].key == key &&
		    counts(&other->step[i]) && !number--)
			return i;
	return ORDER_NONE;
}

static bool
try(struct search *s, const struct pair *p, critical_passes *passes, void *arg,
    bool *go_on)
{
	const struct explore_trace *other;
	struct explore_switches switches;

	if (!explore_switches_of_moves(&switches, s->t, s->move,
				       exchange(s, p))) {
		s->no_memory = true;
		return false;
	}
	other = passes(arg, &switches, go_on);
	explore_switches_clear(&switches);
	return other && place_in(other, s->t, p->second) <
			    place_in(other, s->t, p->first);
}

/* As they are; or with what the first's thread did just before it.  False:
 * none passes. */
static bool
try_all(struct search *s, bool early, critical_passes *passes, void *arg,
	struct critical *out)
{
	bool go_on = true;

	for (size_t i = 0; i < s->n && i < TRIES_MAX && go_on; i++) {
		struct pair *p = &s->pair[i];

		p->from = early ? s->o.before[p->first] : p->first;
		if (p->from == ORDER_NONE || !try(s, p, passes, arg, &go_on))
			continue;
		*out = (struct critical){ true, p->first, p->second };
		return true;
	}
	return !go_on;
}

bool
critical_find(const struct explore_trace *t, critical_passes *passes, void *arg,
	      struct critical *out)
{
	struct search s = { .t = t };

	*out = (struct critical){ .found = false };
	if (t->nthreads > SEAM_MASKED)
		return true;
	if (!order_make(&s.o, t, t->nsteps))
		return false;
	s.move = calloc(t->nsteps + 4u, sizeof(*s.move));
	s.seen = calloc(t->nthreads + 1u, sizeof(*s.seen));
	s.no_memory = !s.move || !s.seen;
	if (!s.no_memory)
		find_pairs(&s);
	if (!s.no_memory && !try_all(&s, false, passes, arg, out))
		try_all(&s, true, passes, arg, out);
	free(s.pair);
	free(s.move);
	free(s.seen);
	order_free(&s.o);
	return !s.no_memory;
}
