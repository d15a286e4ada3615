/* SPDX-License-Identifier: MIT */
/*
 * Does a plan of pauses bring the failure about, whatever else happens?  The
 * scheduler does not know of pauses, so a run in which somebody went through
 * one is made again, with another thread going on at that step, until nobody
 * does.
 */
#include <stdlib.h>
#include <string.h>

#include "explore/as.h"
#include "rules_int.h"

#define RUNS_FOR_ONE 400

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
	uint32_t *next;		       /* by slot: its event at some step */
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
	}
}

static void
place_all(struct trying *x)
{
	const struct explore_trace *t = x->t;
	uint32_t last[SEAM_MASKED];

	memset(last, 0xff, sizeof(last));
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

/* Had the thread come there before that step? */
static bool
has_come(const struct trying *x, uint32_t point, uint32_t step)
{
	const struct as_point *p = &x->plan->point[point];
	const struct place *at = &x->place[point];

	if (at->event == ORDER_NONE)
		return false;
	if (p->stop == AS_AFTER ||
	    (p->half == AS_LEAVING && p->stop == AS_BEFORE))
		return at->event < step;
	return at->before == ORDER_NONE || at->before < step;
}

enum leave { LET, NOT_YET, LAST };

/* May the thread go on from that point at that step? */
static enum leave
may_leave(const struct trying *x, uint32_t point, uint32_t step)
{
	for (size_t i = 0; i < x->plan->nacts; i++) {
		const struct as_act *a = &x->plan->act[i];

		if (a->kind == AS_WAIT && a->point != point &&
		    !has_come(x, a->point, step))
			return NOT_YET;
		if (a->kind == AS_QUIET)
			return LAST;
		if (a->kind == AS_RELEASE && a->point == point)
			return LET;
	}
	return LET;
}

static bool
holds_up(const struct as_point *p)
{
	return p->stop == AS_BEFORE;
}

/* May the event come about at that step? */
static enum leave
may_come(const struct trying *x, uint32_t event, uint32_t step)
{
	for (uint32_t i = 0; i < x->plan->npoints; i++)
		if (x->place[i].event == event && holds_up(&x->plan->point[i]))
			return may_leave(x, i, step);
	return LET;
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
		if ((mask >> s & 1) && may_come(x, x->next[s], step) == LET &&
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

enum seen { KEPT, ASIDE, IMPOSSIBLE };

/* Was the plan kept to?  If not, what to do next is set up. */
static enum seen
look(struct trying *x)
{
	place_all(x);
	for (uint32_t step = 0; step < x->t->nsteps; step++) {
		enum leave leave = may_come(x, step, step);

		if (leave == LET)
			continue;
		if (turn_aside(x, step))
			return ASIDE;
		if (leave == NOT_YET)
			return IMPOSSIBLE;
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
		    !has_come(x, x->plan->act[i].point, x->t->nsteps))
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
try_one(struct trying *x, uint32_t number, bool *failed, struct seam_error *err)
{
	enum seen seen = ASIDE;

	*failed = false;
	choose(x, number);
	for (unsigned i = 0; i < RUNS_FOR_ONE && seen == ASIDE; i++) {
		enum seam_code code = rerun_run(x->w->again, err);

		if (code)
			return code;
		x->t = &x->w->again->result.trace;
		if (x->t->nthreads > SEAM_MASKED)
			return SEAM_OK;
		seen = look(x);
	}
	*failed = seen == KEPT && failed_so(x);
	return SEAM_OK;
}

enum seam_code
as_try(struct as_work *w, const struct as_plan *p, uint32_t tries,
       uint32_t most, uint32_t *strayed, struct seam_error *err)
{
	uint32_t next[SEAM_MASKED];
	struct trying x = { .w = w, .plan = p, .next = next, .random = 1 };
	enum seam_code code = SEAM_OK;
	bool failed;

	x.place = calloc(p->npoints + 1, sizeof(*x.place));
	x.count = calloc(p->npoints + 1, sizeof(*x.count));
	x.next_one = calloc(p->npoints + 1, sizeof(*x.next_one));
	if (!x.place || !x.count || !x.next_one)
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	*strayed = 0;
	for (uint32_t i = 0; i < tries && *strayed < most && !code; i++) {
		code = try_one(&x, i, &failed, err);
		*strayed += !failed;
	}
	free(x.place);
	free(x.count);
	free(x.next_one);
	return code;
}
