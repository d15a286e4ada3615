/* SPDX-License-Identifier: MIT */
/*
 * Does a plan of pauses bring the failure about, whatever else happens?  The
 * scheduler does not know of pauses, so a run in which somebody went through
 * one is made again, with its steps in the order that the plan has; or, where
 * that leads to other steps, with another thread going on at the first such
 * step; until nobody does.
 */
#include <stdlib.h>
#include <string.h>

#include "explore/as.h"
#include "rules_int.h"

#define REORDERED 6 /* runs, for one try */
#define RUNS_FOR_ONE 200

/* Where a point is in a run. */
struct place {
	uint32_t event;	 /* n + slot: what stands there; or ORDER_NONE */
	uint32_t before; /* its thread's event before, or ORDER_NONE */
};

struct trying {
	struct as_work *w;
	const struct as_plan *plan;
	const struct explore_trace *t; /* the latest run's */
	struct place *place;	       /* by point */
	uint32_t *count;	       /* by point */
	bool *next_one;		       /* by point: it is its thread's next */
	bool *done;		       /* by event: it has come about, by now */
	uint32_t *point; /* by event: point + 1 that holds it up */
	size_t room;	 /* of these */
	uint32_t *next;	 /* by slot: its next event, by now */
	uint64_t random;
};

/* Finding the points again. */

static bool
is_about(const struct trying *x, const struct as_point *p,
	 const struct seam_op *op)
{
	const struct explore_trace *t = x->t;

	if (op->verb != p->verb || as_half_of(op) != AS_WHOLE)
		return false;
	return !p->object || (op->object && op->object <= t->nobjects &&
			      t->object[op->object - 1].key == p->object);
}

static void
place(struct trying *x, const struct seam_op *op, uint16_t slot, uint32_t event,
      uint32_t before)
{
	for (size_t i = 0; i < x->plan->npoints; i++) {
		const struct as_point *p = &x->plan->point[i];
		bool here = x->next_one[i];

		if (x->t->thread[slot].key != p->thread)
			continue;
		x->next_one[i] = false;
		if (is_about(x, p, op) && ++x->count[i] == p->hit) {
			x->next_one[i] = p->half != AS_WHOLE;
			here = p->half == AS_WHOLE;
		}
		if (here)
			x->place[i] = (struct place){ event, before };
		if (here && p->stop == AS_BEFORE)
			x->point[event] = (uint32_t)i + 1;
	}
}

static void
place_all(struct trying *x)
{
	const struct explore_trace *t = x->t;
	uint32_t last[SEAM_MASKED];

	memset(last, 0xff, sizeof(last));
	memset(x->point, 0, x->room * sizeof(*x->point));
	memset(x->count, 0, x->plan->npoints * sizeof(*x->count));
	memset(x->next_one, 0, x->plan->npoints * sizeof(*x->next_one));
	memset(x->place, 0xff, x->plan->npoints * sizeof(*x->place));
	for (uint32_t i = 0; i < t->nsteps; i++) {
		uint16_t slot = t->step[i].slot;

		place(x, &t->step[i].op, slot, i, last[slot]);
		last[slot] = i;
	}
	for (uint16_t s = 0; s < t->nthreads; s++)
		if (t->thread[s].state == SEAM_SLOT_PENDING)
			place(x, &t->thread[s].pending, s, t->nsteps + s,
			      last[s]);
}

/* Has the thread come there? */
static bool
has_come(const struct trying *x, uint32_t point)
{
	const struct as_point *p = &x->plan->point[point];
	const struct place *at = &x->place[point];

	if (at->event == ORDER_NONE)
		return false;
	if (p->stop == AS_AFTER ||
	    (p->half == AS_LEAVING && p->stop == AS_BEFORE))
		return x->done[at->event];
	return at->before == ORDER_NONE || x->done[at->before];
}

enum leave { LET, NOT_YET, LAST };

/* May the thread go on from that point? */
static enum leave
may_leave(const struct trying *x, uint32_t point)
{
	for (size_t i = 0; i < x->plan->nacts; i++) {
		const struct as_act *a = &x->plan->act[i];

		if (a->kind == AS_WAIT && a->point != point &&
		    !has_come(x, a->point))
			return NOT_YET;
		if (a->kind == AS_QUIET)
			return LAST;
		if (a->kind == AS_RELEASE && a->point == point)
			return LET;
	}
	return LET;
}

/* May the event come about? */
static enum leave
may_come(const struct trying *x, uint32_t event)
{
	return x->point[event] ? may_leave(x, x->point[event] - 1) : LET;
}

/* Going another way. */

static void
look_ahead(struct trying *x, uint32_t step)
{
	const struct explore_trace *t = x->t;

	for (uint32_t s = 0; s < t->nthreads; s++)
		x->next[s] = t->nsteps + s;
	for (uint32_t i = t->nsteps; i-- > step;)
		x->next[t->step[i].slot] = i;
}

/* One of those that could have gone on instead; SEAM_NOBODY: there is none. */
static uint16_t
another(struct trying *x, uint32_t step, uint64_t mask)
{
	uint16_t found = SEAM_NOBODY;
	uint32_t n = 0;

	mask &= ~(UINT64_C(1) << x->t->step[step].slot);
	for (uint16_t s = 0; s < x->t->nthreads; s++)
		if ((mask >> s & 1) && may_come(x, x->next[s]) == LET &&
		    !seam_random_below(&x->random, ++n))
			found = s;
	return found;
}

/* True: the first `step` choices as they were, and then another. */
static bool
turn_aside(struct trying *x, uint32_t step)
{
	const struct explore_trace *t = x->t;
	struct rerun *r = x->w->again;
	uint16_t other;

	look_ahead(x, step);
	other = another(x, step, t->step[step].enabled);
	if (other == SEAM_NOBODY)
		other = another(x, step, t->step[step].timeouts);
	if (other == SEAM_NOBODY)
		return false;
	for (uint32_t i = 0; i < step; i++)
		r->forced[i] = (struct seam_forced){
			.thread = t->thread[t->step[i].slot].key,
			.how = t->step[i].op.how,
		};
	r->forced[step] = (struct seam_forced){
		.thread = t->thread[other].key,
		.how = SEAM_HOWS,
	};
	r->plan.forced = step + 1;
	return true;
}

/* The slot whose next step comes first among those that may come. */
static uint16_t
first_of(const struct trying *x, enum leave leave)
{
	uint16_t first = SEAM_NOBODY;

	for (uint16_t s = 0; s < x->t->nthreads; s++)
		if (x->next[s] < x->t->nsteps &&
		    (first == SEAM_NOBODY || x->next[s] < x->next[first]) &&
		    may_come(x, x->next[s]) == leave)
			first = s;
	return first;
}

static uint32_t
after(const struct trying *x, uint32_t step)
{
	uint16_t slot = x->t->step[step].slot;

	do
		step++;
	while (step < x->t->nsteps && x->t->step[step].slot != slot);
	return step;
}

/* All steps that can, each as soon as the plan lets it come. */
static void
reorder(struct trying *x)
{
	const struct explore_trace *t = x->t;
	struct rerun *r = x->w->again;
	uint32_t n = 0;

	memset(x->done, 0, x->room);
	look_ahead(x, 0);
	while (n < t->nsteps) {
		uint16_t slot = first_of(x, LET);
		uint32_t step;

		if (slot == SEAM_NOBODY)
			slot = first_of(x, LAST);
		if (slot == SEAM_NOBODY)
			break;
		step = x->next[slot];
		r->forced[n++] = (struct seam_forced){
			.thread = t->thread[slot].key,
			.how = t->step[step].op.how,
		};
		x->done[step] = true;
		x->next[slot] = after(x, step);
	}
	r->plan.forced = n;
}

enum seen { KEPT, ASIDE, IMPOSSIBLE };

/* Was the plan kept to?  If not, what to do next is set up. */
static enum seen
look(struct trying *x, bool in_order)
{
	place_all(x);
	memset(x->done, 0, x->room);
	for (uint32_t step = 0; step < x->t->nsteps; step++) {
		enum leave leave = may_come(x, step);
		bool aside = leave != LET && turn_aside(x, step);

		if (aside && in_order)
			reorder(x);
		if (aside)
			return ASIDE;
		if (leave == NOT_YET)
			return IMPOSSIBLE;
		x->done[step] = true;
	}
	return KEPT;
}

static bool
hangs(enum explore_fault f)
{
	return f == EXPLORE_DEADLOCK || f == EXPLORE_LOST_WAKEUP;
}

static bool
failed_so(const struct trying *x)
{
	enum explore_fault fault = x->w->again->fault;

	for (size_t i = 0; i < x->plan->nacts; i++)
		if (x->plan->act[i].kind == AS_WAIT &&
		    !has_come(x, x->plan->act[i].point))
			return false;
	return fault == x->w->fault || (hangs(fault) && hangs(x->w->fault));
}

/* What the plan leaves open goes by these in turn. */
static void
choose(struct trying *x, uint32_t number)
{
	static const uint32_t strategies[] = {
		SEAM_STRATEGY_FOLLOW, SEAM_STRATEGY_RANDOM,
		SEAM_STRATEGY_POS,    SEAM_STRATEGY_PCT,
		SEAM_STRATEGY_DELAY,  SEAM_STRATEGY_RANDOM,
	};
	const unsigned kinds = sizeof(strategies) / sizeof(*strategies);
	struct rerun *r = x->w->again;

	replay_plan(x->w->file, false, &r->plan, r->forced);
	r->plan.flags &= ~(uint32_t)(SEAM_PLAN_STRICT | SEAM_PLAN_MARKED);
	r->plan.flags |= SEAM_PLAN_AFTER;
	r->plan.forced = 0;
	r->plan.strategy = strategies[number % kinds];
	r->plan.seed = number;
	r->plan.depth = 3;
	r->plan.length = x->w->trace.nsteps;
	r->plan.base = number / kinds;
}

static enum seam_code
make_room(struct trying *x, struct seam_error *err)
{
	size_t events = (size_t)x->t->nsteps + x->t->nthreads + 1;

	if (x->done && x->point && events <= x->room)
		return SEAM_OK;
	free(x->done);
	free(x->point);
	x->done = calloc(events, sizeof(*x->done));
	x->point = calloc(events, sizeof(*x->point));
	x->room = events;
	return x->done && x->point ?
		   SEAM_OK :
		   sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
}

static enum seam_code
try_one(struct trying *x, uint32_t number, bool *failed, struct seam_error *err)
{
	enum seen seen = ASIDE;

	*failed = false;
	choose(x, number);
	for (unsigned i = 0; i < RUNS_FOR_ONE && seen == ASIDE; i++) {
		enum seam_code code = rerun_run(x->w->again, err);

		x->t = &x->w->again->result.trace;
		if (!code)
			code = make_room(x, err);
		if (code || x->t->nthreads > SEAM_MASKED)
			return code;
		seen = look(x, i < REORDERED);
	}
	*failed = seen == KEPT && failed_so(x);
	return SEAM_OK;
}

static enum seam_code
try_all(struct trying *x, uint32_t tries, uint32_t most, uint32_t *strayed,
	struct seam_error *err)
{
	struct as_work *w = x->w;

	for (uint32_t i = 0; i < tries && *strayed < most; i++) {
		/* What told last that an edge matters comes first. */
		uint32_t number = i ^ w->telling;
		bool failed;
		enum seam_code code = try_one(x, number, &failed, err);

		if (code)
			return code;
		*strayed += !failed;
		if (!failed && most == 1)
			w->telling = number;
	}
	return SEAM_OK;
}

enum seam_code
as_try(struct as_work *w, const struct as_plan *p, uint32_t tries,
       uint32_t most, uint32_t *strayed, struct seam_error *err)
{
	uint32_t next[SEAM_MASKED];
	struct trying x = { .w = w, .plan = p, .next = next, .random = 1 };
	enum seam_code code;

	*strayed = 0;
	x.place = calloc(p->npoints + 1, sizeof(*x.place));
	x.count = calloc(p->npoints + 1, sizeof(*x.count));
	x.next_one = calloc(p->npoints + 1, sizeof(*x.next_one));
	if (x.place && x.count && x.next_one)
		code = try_all(&x, tries, most, strayed, err);
	else
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	free(x.place);
	free(x.count);
	free(x.next_one);
	free(x.done);
	free(x.point);
	return code;
}
