/* SPDX-License-Identifier: MIT */
#include "explore/predict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explore/predict_int.h"

static const unsigned tries_of[] = {
	[PREDICTION_LOCK_ORDER] = 8,
	[PREDICTION_SIGNAL] = 3,
	[PREDICTION_WAIT] = 2,
};

struct predict *
predict_new(uint64_t seed)
{
	struct predict *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->seed = seed;
	p->order = lockorder_new();
	p->seen = explore_set_new();
	p->q = calloc(PREDICT_MOST, sizeof(*p->q));
	if (p->order && p->seen && p->q)
		return p;
	predict_free(p);
	return NULL;
}

void
predict_free(struct predict *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		free(p->q[i].who);
		free(p->q[i].name);
		free(p->q[i].at);
		free(p->q[i].other);
		free(p->q[i].other_at);
		free(p->q[i].prefix);
	}
	lockorder_free(p->order);
	explore_set_free(p->seen);
	free(p->q);
	free(p);
}

struct prediction *
predict_add(struct predict *p, enum prediction_kind kind, uint64_t hash)
{
	struct prediction *q;

	if (p->n == PREDICT_MOST)
		return NULL;
	q = &p->q[p->n++];
	q->kind = kind;
	q->hash = hash;
	return q;
}

bool
predict_follow(struct prediction *q, const struct predict_run *run, uint32_t n,
	       uint32_t more)
{
	const struct explore_trace *t = run->trace;

	q->prefix = calloc(n + more, sizeof(*q->prefix));
	for (uint32_t i = 0; q->prefix && i < n; i++)
		q->prefix[q->nprefix++] = (struct seam_forced){
			.thread = t->thread[t->step[i].slot].key,
			.how = t->step[i].op.how,
		};
	q->after = run->plan->strategy != SEAM_STRATEGY_FOLLOW ||
		   run->plan->flags & SEAM_PLAN_AFTER;
	return q->prefix;
}

/* Cycles. */

/* By places and locks, whichever threads and wherever it begins. */
static uint64_t
hash_of(const struct lockorder_cycle *c)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < c->n; i++) {
		const struct lockorder_dep *d = c->dep[i];
		const struct lockorder_lock *held = &d->held[c->held[i]];
		uint64_t h = seam_stir(d->want.object, d->want.site);

		h = seam_stir(h, d->want.off);
		h = seam_stir(seam_stir(h, held->object), held->site);
		sum += seam_stir(h, held->off);
	}
	return sum;
}

/* The first thread first. */
static struct lockorder_cycle
turned(const struct lockorder_cycle *c)
{
	struct lockorder_cycle out = *c;
	unsigned first = 0;

	for (unsigned i = 1; i < c->n; i++)
		if (strcmp(c->dep[i]->who, c->dep[first]->who) < 0)
			first = i;
	for (unsigned i = 0; i < c->n; i++) {
		out.dep[i] = c->dep[(first + i) % c->n];
		out.held[i] = c->held[(first + i) % c->n];
	}
	return out;
}

/* Its last dependency may be a rare one. */
static void
follow(struct prediction *q, const struct predict_run *run,
       const struct lockorder_cycle *c)
{
	uint32_t step = c->dep[0]->held[c->held[0]].step;

	if (step < PREDICT_FOLLOWED)
		predict_follow(q, run, step + 1, 0);
}

static void
on_cycle(void *arg, const struct lockorder_cycle *c)
{
	struct predict *p = arg;
	struct prediction *q = NULL;
	uint64_t hash = hash_of(c);

	for (size_t i = 0; i < p->n && !q; i++)
		if (p->q[i].kind == PREDICTION_LOCK_ORDER &&
		    p->q[i].hash == hash)
			q = &p->q[i];
	if (!q && (q = predict_add(p, PREDICTION_LOCK_ORDER, hash)))
		follow(q, p->run, c);
	if (q && q->instances < PREDICTION_INSTANCES)
		q->instance[q->instances++] = turned(c);
}

static bool
stands_at(const struct explore_trace *t, uint32_t slot,
	  const struct lockorder_lock *l)
{
	const struct explore_thread *th = &t->thread[slot];
	struct lockorder_lock m;

	return th->state == SEAM_SLOT_PENDING && !th->queued &&
	       th->site == l->site && lockorder_wants(t, &th->pending, &m) &&
	       m.object == l->object && m.off == l->off && m.len == l->len;
}

static bool
is_among(const uint32_t *slot, unsigned n, uint32_t at)
{
	for (unsigned i = 0; i < n; i++)
		if (slot[i] == at)
			return true;
	return false;
}

/* The run ended with a thread at each of the cycle's places, whichever it was.
 * It need not be called a deadlock: semaphores have no owners. */
static bool
ended_in(const struct explore_trace *t, const struct lockorder_cycle *c)
{
	uint32_t slot[LOCKORDER_CYCLE];

	for (unsigned i = 0; i < c->n; i++) {
		slot[i] = 0;
		while (slot[i] < t->nthreads &&
		       (is_among(slot, i, slot[i]) ||
			!stands_at(t, slot[i], &c->dep[i]->want)))
			slot[i]++;
		if (slot[i] == t->nthreads)
			return false;
	}
	return true;
}

static void
note_deadlock(struct predict *p, const struct predict_run *run)
{
	if (run->trace->verdict != SEAM_VERDICT_DEADLOCK)
		return;
	for (size_t i = 0; i < p->n; i++) {
		struct prediction *q = &p->q[i];

		if (q->kind == PREDICTION_LOCK_ORDER &&
		    q->state == PREDICTION_OPEN &&
		    ended_in(run->trace, q->instance))
			q->state = run->directed ? PREDICTION_CONFIRMED :
						   PREDICTION_MET;
	}
}

/* The kernel has refused what would have closed the cycle. */
static bool
was_refused(const struct prediction *q, const struct explore_trace *t)
{
	const struct lockorder_cycle *c = q->instance;

	for (uint32_t i = 0; i < t->nsteps; i++)
		for (unsigned k = 0; k < c->n; k++)
			if (t->step[i].result == EDEADLK &&
			    t->step[i].site == c->dep[k]->want.site)
				return true;
	return false;
}

/* A run that was not directed there. */
static void
note_refusals(struct predict *p, const struct predict_run *run)
{
	for (size_t i = 0; i < p->n; i++) {
		struct prediction *q = &p->q[i];

		if (q->kind == PREDICTION_LOCK_ORDER &&
		    q->state == PREDICTION_OPEN && was_refused(q, run->trace))
			q->state =
			    run->fault ? PREDICTION_MET : PREDICTION_REFUTED;
	}
}

static void
judge(struct prediction *q, const struct predict_run *run)
{
	if (q->state != PREDICTION_OPEN)
		return;
	switch (q->kind) {
	case PREDICTION_LOCK_ORDER:
		if (was_refused(q, run->trace))
			q->state = run->fault ? PREDICTION_CONFIRMED :
						PREDICTION_REFUTED;
		break;
	case PREDICTION_SIGNAL:
		if (run->fault == EXPLORE_LOST_WAKEUP &&
		    predict_lost_wakeup(q, run->trace))
			q->state = PREDICTION_CONFIRMED;
		break;
	case PREDICTION_WAIT:
		predict_judge_wait(q, run->trace, run->fault);
		break;
	}
}

void
predict_learn(struct predict *p, const struct predict_run *run)
{
	p->run = run;
	lockorder_learn(p->order, run->trace, run->session, run->schedule,
			on_cycle, p);
	predict_learn_waits(p, run);
	p->learnt += !run->directed;
	note_deadlock(p, run);
	if (run->directed && run->directed <= p->n)
		judge(&p->q[run->directed - 1], run);
	note_refusals(p, run);
}

/* Directed runs. */

static void
follow_plan(const struct prediction *q, struct seam_plan *plan,
	    struct seam_forced *forced)
{
	plan->forced = q->nprefix;
	memcpy(forced, q->prefix, q->nprefix * sizeof(*forced));
}

/* With gates before the outer locks, and without, by turns.  With gates it is
 * known which lock is the outer one, and the inner one may be tried somewhere
 * else first, as Python does.  The second two follow the run that was the last
 * to be needed, if it had all choices that this one has. */
#define FOLLOWS 1
#define TIMEOUT_ONE_IN 16
static void
plan_cycle(const struct prediction *q, struct seam_plan *plan,
	   struct seam_forced *forced)
{
	unsigned round = q->tries / 2;
	bool gated = q->tries % 2 == 0;
	bool follows = round == FOLLOWS && q->prefix && q->after;
	const struct lockorder_cycle *c =
	    &q->instance[follows ? 0 : round % q->instances];

	for (unsigned i = 0; i < c->n; i++) {
		const struct lockorder_dep *d = c->dep[i];
		const struct lockorder_lock *held = &d->held[c->held[i]];

		plan->pause[i] = (struct seam_pause){
			.thread = d->thread,
			.outer = { held->object, held->site },
			.inner = { d->want.object, gated ? 0 : d->want.site },
			.nth = gated ? held->nth : SEAM_PAUSE_ANY,
		};
	}
	plan->strategy = SEAM_STRATEGY_DIRECT;
	plan->timeout_one_in = TIMEOUT_ONE_IN;
	plan->pauses = c->n;
	if (follows)
		follow_plan(q, plan, forced);
}

static void
plan_signal(const struct prediction *q, struct seam_plan *plan)
{
	plan->pause[0] = (struct seam_pause){
		.thread = q->thread,
		.inner = { q->condition, q->site },
		.nth = SEAM_PAUSE_ANY,
	};
	plan->strategy = SEAM_STRATEGY_DIRECT;
	plan->timeout_one_in = TIMEOUT_ONE_IN;
	plan->pauses = 1;
}

static void
plan_wait(const struct prediction *q, struct seam_plan *plan,
	  struct seam_forced *forced)
{
	plan->strategy = SEAM_STRATEGY_FOLLOW;
	plan->flags |= q->after ? SEAM_PLAN_AFTER : 0u;
	follow_plan(q, plan, forced);
	if (q->after && q->tries % 2)
		plan->strategy = SEAM_STRATEGY_RANDOM;
}

static bool
wants_run(const struct predict *p, const struct prediction *q)
{
	unsigned most = tries_of[q->kind];

	/* Without choices after releases there is one way to go on. */
	if (q->kind == PREDICTION_WAIT && !q->after)
		most = 1;
	if (q->state != PREDICTION_OPEN || q->tries >= most)
		return false;
	return q->kind != PREDICTION_LOCK_ORDER ||
	       lockorder_stands(p->order, q->instance);
}

static struct prediction *
next_of(struct predict *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct prediction *q = &p->q[p->next++ % p->n];

		if (wants_run(p, q))
			return q;
	}
	return NULL;
}

/* Not much more than the others. */
static bool
may_run(const struct predict *p)
{
	return p->runs < PREDICT_RUNS && p->runs < p->learnt + PREDICT_AHEAD;
}

bool
predict_next(struct predict *p, struct seam_plan *plan,
	     struct seam_forced *forced, uint32_t *directed)
{
	struct prediction *q = may_run(p) ? next_of(p) : NULL;

	if (!q)
		return false;
	switch (q->kind) {
	case PREDICTION_LOCK_ORDER:
		plan_cycle(q, plan, forced);
		break;
	case PREDICTION_SIGNAL:
		plan_signal(q, plan);
		break;
	case PREDICTION_WAIT:
		plan_wait(q, plan, forced);
		break;
	}
	plan->seed = seam_stir(p->seed, ++p->runs);
	q->tries++;
	*directed = (uint32_t)(q - p->q) + 1;
	return true;
}

uint64_t
predict_runs(const struct predict *p)
{
	return p->runs;
}

size_t
predict_count(const struct predict *p)
{
	return p->n;
}

const struct prediction *
predict_at(const struct predict *p, size_t i)
{
	return &p->q[i];
}

bool
predict_is_told(const struct predict *p, const struct prediction *q,
		bool exhaustive)
{
	if (q->state == PREDICTION_CONFIRMED)
		return true;
	if (q->state != PREDICTION_OPEN || !q->tries)
		return false;
	if (q->kind == PREDICTION_WAIT)
		return q->went_on;
	if (q->kind == PREDICTION_SIGNAL || exhaustive)
		return false;
	for (unsigned i = 0; i < q->instances; i++)
		if (!q->instance[i].ordered)
			return lockorder_stands(p->order, q->instance);
	return false;
}
