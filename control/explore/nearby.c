/* SPDX-License-Identifier: MIT */
#include "explore/nearby.h"

#include <stdlib.h>
#include <string.h>

#include "explore/critical.h"
#include "rules_int.h"

#define FOLLOWED 4 /* runs that follow the schedule, each by the one before */
#define MENDED 8   /* times that a run is kept from turning the pair round */
#define NEVER UINT32_MAX

const char *const nearby_verdict_names[NEARBY_VERDICTS] = { "fixed", "same",
							    "moved",
							    "unreachable" };

struct search {
	struct rerun *r;
	const struct replay_file *f;
	struct nearby *out;
	uint64_t runs, random;
	uint32_t event[2], nth[2]; /* the pair, the how-manieth of their like */
	/* The latest run. */
	struct explore_labels *labels;
	struct replay_match *match;
	uint32_t at[2]; /* where it has the pair; NEVER */
	/* The one that followed best, as choices. */
	struct seam_forced *base;
	uint32_t nbase;
};

/* The pair. */

static bool
is_same_event(const struct replay_file *f, uint32_t a, uint32_t b)
{
	const struct replay_event *x = replay_event_at(f, a),
				  *y = replay_event_at(f, b);

	return !strcmp(x->thread, y->thread) && !strcmp(x->verb, y->verb) &&
	       !strcmp(x->object, y->object) &&
	       replay_same_function(x->site, y->site);
}

static void
take_pair(struct search *s)
{
	const struct replay_file *f = s->f;

	for (unsigned i = 0; i < 2; i++) {
		if (!f->critical[i] ||
		    f->critical[i] > f->nevents + f->nstanding)
			return;
		s->event[i] = f->critical[i] - 1;
		for (uint32_t e = 0; e < s->event[i]; e++)
			s->nth[i] += is_same_event(f, e, s->event[i]);
	}
	s->out->pair = true;
}

/* The nth of its like; what a thread stands at is behind all steps. */
static uint32_t
find(const struct search *s, unsigned which)
{
	const struct explore_trace *t = &s->r->result.trace;
	uint32_t nth = s->nth[which];

	for (uint32_t at = 0; at < t->nsteps + t->nthreads; at++)
		if (replay_is_like(s->match, s->event[which], at, false) &&
		    nth-- == 0)
			return at;
	return NEVER;
}

/* The first came about, and behind it the second, or its thread stands at
 * it. */
static bool
is_kept(const struct search *s)
{
	return s->at[0] < s->r->result.trace.nsteps && s->at[0] < s->at[1] &&
	       s->at[1] != NEVER;
}

/* The second came about, and the first had not before: at its step. */
static bool
is_turned(const struct search *s)
{
	return s->at[1] < s->r->result.trace.nsteps && s->at[1] < s->at[0];
}

/* The failure. */

/* What threads wait for there, whoever they are; not that they join. */
static bool
is_waiting(const char *verb)
{
	return strcmp(verb, "-") != 0 && strncmp(verb, "thread.", 7) != 0;
}

static bool
anybody_stands(const struct search *s, size_t event)
{
	const struct explore_trace *t = &s->r->result.trace;

	for (uint32_t i = 0; i < t->nthreads; i++)
		if (replay_is_like(s->match, event, t->nsteps + i, true))
			return true;
	return false;
}

static bool
anybody_stood(const struct search *s, uint32_t slot)
{
	const struct replay_file *f = s->f;
	const uint32_t n = s->r->result.trace.nsteps;

	for (size_t i = 0; i < f->nstanding; i++)
		if (replay_is_like(s->match, f->nevents + i, n + slot, true))
			return true;
	return false;
}

static bool
stand_there(const struct search *s)
{
	const struct explore_trace *t = &s->r->result.trace;
	const struct replay_file *f = s->f;

	for (size_t i = 0; i < f->nstanding; i++)
		if (is_waiting(f->standing[i].verb) &&
		    !anybody_stands(s, f->nevents + i))
			return false;
	for (uint32_t i = 0; i < t->nthreads; i++)
		if (t->thread[i].state == SEAM_SLOT_PENDING &&
		    is_waiting(seam_verb_name(t->thread[i].pending.verb)) &&
		    !anybody_stood(s, i))
			return false;
	return true;
}

static bool
is_same_place(const struct search *s)
{
	const uint32_t n = s->r->result.trace.nsteps;

	switch (s->r->fault) {
	case EXPLORE_DEADLOCK:
	case EXPLORE_LOST_WAKEUP:
		return !s->f->nstanding || stand_there(s);
	case EXPLORE_CRASH:
	case EXPLORE_MISUSE:
		return n && s->f->nevents &&
		       replay_is_like(s->match, s->f->nevents - 1, n - 1, true);
	default:
		return true;
	}
}

static bool
is_same_failure(const struct search *s)
{
	return !strcmp(s->f->fault, explore_fault_names[s->r->fault]) &&
	       (!s->out->pair || is_kept(s)) && is_same_place(s);
}

static enum seam_code
keep_failure(struct search *s, struct seam_error *err)
{
	struct nearby *out = s->out;
	struct replay_file *f;

	if (!s->r->fault)
		return SEAM_OK;
	out->failed++;
	if (is_same_failure(s))
		out->verdict = NEARBY_SAME;
	else if (out->failure)
		return SEAM_OK;
	else
		out->verdict = NEARBY_MOVED;
	f = replay_copy(s->f);
	if (!f || !replay_take(f, &s->r->result.trace, s->labels)) {
		replay_free(f);
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	}
	replay_free(out->failure);
	out->failure = f;
	f->after = true;
	free(f->fault);
	f->fault = strdup(explore_fault_names[s->r->fault]);
	return f->fault ? SEAM_OK :
			  sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
}

/* Runs. */

static void
forget(struct search *s)
{
	replay_match_free(s->match);
	explore_labels_free(s->labels);
	s->match = NULL;
	s->labels = NULL;
}

static bool
is_over(const struct search *s)
{
	return s->out->runs >= s->runs || s->out->verdict == NEARBY_SAME;
}

static enum seam_code
look(struct search *s, struct seam_error *err)
{
	struct nearby *out = s->out;

	forget(s);
	s->labels = rerun_labels(s->r);
	if (s->labels)
		s->match = replay_match_new(s->f, &s->r->result.trace,
					    s->labels, false);
	if (!s->match)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	for (unsigned i = 0; i < 2; i++) {
		s->at[i] = out->pair ? find(s, i) : NEVER;
		out->seen[i] |= s->at[i] != NEVER;
	}
	out->kept += is_kept(s);
	return keep_failure(s, err);
}

static enum seam_code
run(struct search *s, struct seam_error *err)
{
	enum seam_code code = rerun_run(s->r, err);

	s->out->runs++;
	return code ? code : look(s, err);
}

/* A plan without choices, in the conditions of the file. */
static struct seam_plan *
begin(struct search *s)
{
	struct seam_plan *plan = &s->r->plan;

	replay_plan(s->f, false, plan, s->r->forced);
	plan->flags &= ~(uint32_t)SEAM_PLAN_STRICT;
	plan->flags |= SEAM_PLAN_AFTER;
	plan->forced = 0;
	return plan;
}

static void
choices_of(const struct search *s, struct seam_forced *to, uint32_t n)
{
	const struct explore_trace *t = &s->r->result.trace;

	for (uint32_t i = 0; i < n; i++)
		to[i] =
		    (struct seam_forced){ .thread =
					      t->thread[t->step[i].slot].key,
					  .how = t->step[i].op.how };
}

/* The schedule itself, by its switches; where they are in this program, the
 * run before tells. */
static enum seam_code
follow(struct search *s, struct seam_error *err)
{
	struct explore_switches switches;
	enum seam_code code = SEAM_OK;

	for (unsigned i = 0; i < FOLLOWED && !code && !is_over(s); i++) {
		if (!nearby_switches(s->f, s->match, &s->r->result.trace,
				     &switches))
			return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
					 "no memory");
		explore_switches_plan(&switches, NULL, begin(s), s->r->forced);
		explore_switches_clear(&switches);
		code = run(s, err);
	}
	s->nbase = s->r->result.trace.nsteps;
	choices_of(s, s->base, s->nbase);
	return code;
}

/* What comes behind the plan's choices. */
static void
choose_on(struct search *s, struct seam_plan *plan)
{
	static const uint32_t strategies[] = { SEAM_STRATEGY_RANDOM,
					       SEAM_STRATEGY_PCT,
					       SEAM_STRATEGY_POS };
	const size_t n = sizeof(strategies) / sizeof(strategies[0]);

	plan->strategy = strategies[s->out->runs % n];
	plan->seed = seam_random(&s->random);
	plan->depth = 1 + seam_random_below(&s->random, 4);
	plan->length = s->nbase ? s->nbase : 1;
	plan->timeout_one_in = 4;
}

static void
begin_like_base(struct search *s, uint32_t n)
{
	struct seam_plan *plan = begin(s);

	memcpy(s->r->forced, s->base, n * sizeof(*s->base));
	plan->forced = n;
	choose_on(s, plan);
}

/* Somebody else goes on where the second would have come too early: the
 * first's thread if it can.  False: there is nobody. */
static bool
mend(struct search *s)
{
	const struct explore_trace *t = &s->r->result.trace;
	const uint32_t at = s->at[1];
	const char *first = replay_event_at(s->f, s->event[0])->thread;
	const uint16_t second = t->step[at].slot;
	uint64_t others = t->step[at].enabled;
	struct seam_plan *plan = begin(s);
	uint32_t pick = NEVER, n = 0;

	if (second < SEAM_MASKED)
		others &= ~(UINT64_C(1) << second);
	for (uint32_t i = 0; i < t->nthreads && i < SEAM_MASKED; i++) {
		if (!((others >> i) & 1))
			continue;
		if (!strcmp(t->thread[i].path, first)) {
			pick = i;
			break;
		}
		if (!seam_random_below(&s->random, ++n))
			pick = i;
	}
	if (pick == NEVER || at + 1 >= SEAM_STEPS)
		return false;
	choices_of(s, s->r->forced, at);
	s->r->forced[at] = (struct seam_forced){ .thread = t->thread[pick].key,
						 .how = SEAM_HOW_DONE };
	plan->forced = at + 1;
	choose_on(s, plan);
	return true;
}

/* Begins like the schedule, for a while, and keeps the pair's order. */
static enum seam_code
attempt(struct search *s, struct seam_error *err)
{
	enum seam_code code;

	begin_like_base(s, seam_random_below(&s->random, s->nbase + 1));
	code = run(s, err);
	for (unsigned i = 0; i < MENDED && !code && !is_over(s); i++) {
		if (!s->out->pair || !is_turned(s) || !mend(s))
			break;
		code = run(s, err);
	}
	return code;
}

static void
conclude(struct nearby *out)
{
	if (!out->failed && out->pair && (!out->seen[0] || !out->seen[1]))
		out->verdict = NEARBY_UNREACHABLE;
}

enum seam_code
nearby_explore(struct rerun *again, const struct replay_file *f, uint64_t runs,
	       struct nearby *out, struct seam_error *err)
{
	struct search s = { .r = again, .f = f, .out = out, .runs = runs };
	enum seam_code code;

	*out = (struct nearby){ .verdict = NEARBY_FIXED };
	s.random = f->seed;
	s.base = calloc(SEAM_STEPS, sizeof(*s.base));
	if (!s.base)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	take_pair(&s);
	code = follow(&s, err);
	while (!code && !is_over(&s))
		code = attempt(&s, err);
	conclude(out);
	forget(&s);
	free(s.base);
	return code;
}
