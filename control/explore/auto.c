/* SPDX-License-Identifier: MIT */
/*
 * What is taken unless something else is asked for.
 *
 * The first run goes straight on; it is dpor's first, too.  Then dpor and the
 * samplers take turns, so that what is easy to hit in a large program is hit
 * soon.  From then on dpor goes on alone as long as its estimate fits the
 * budget; when it has been through, the samplers have some more runs, for
 * what is not seen between operations (data races).  If dpor does not fit,
 * the samplers have the rest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/nodes.h"
#include "explore/strategies.h"
#include "explore/systematic.h"

#define BUDGET 1000 /* if none is given */
#define EARLY 50    /* runs in which all take turns */
#define BESIDE 200  /* of the samplers, where dpor goes through */

enum { DPOR, SAMPLERS };

static const struct explore_strategy *const samplers[] = {
	&explore_pct,  &explore_pos,   &explore_random,
	&explore_surw, &explore_delay,
};
#define COUNT (sizeof(samplers) / sizeof(samplers[0]))

struct out {
	uint64_t number; /* 0: free */
	uint64_t ticket; /* the inner search's */
	struct explore_search *of;
};

struct automatic {
	struct explore_search search;
	uint64_t budget;
	struct explore_search *dpor; /* NULL: over, or given up */
	struct explore_said dpor_said;
	unsigned dpor_out;
	bool dpor_over, gave_up;
	struct explore_search *sampler[COUNT];
	bool spent[COUNT];
	unsigned turn;
	uint64_t out[2], runs[2]; /* handed out, learnt; dpor's, samplers' */
	uint64_t numbers;
	struct out ticket[NODES_OUT];
};

static bool
is_left_out(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (; list && *list; list += strcspn(list, ",")) {
		list += *list == ',';
		if (strcspn(list, ",") == n && !strncmp(list, name, n))
			return true;
	}
	return false;
}

/* Only the first shard makes runs that are not drawn. */
static bool
is_in(const struct explore_params *p, const struct explore_strategy *strategy)
{
	return (strategy->drawn || !p->shard) &&
	       !is_left_out(p->inner, strategy->name);
}

static void
close_search(struct explore_search *search)
{
	struct automatic *a = (struct automatic *)search;
	size_t i;

	if (a->dpor)
		a->dpor->strategy->close(a->dpor);
	for (i = 0; i < COUNT; i++)
		if (a->sampler[i])
			samplers[i]->close(a->sampler[i]);
	free(a);
}

static struct explore_search *
open_search(const struct explore_params *p)
{
	struct automatic *a = calloc(1, sizeof(*a));
	struct explore_params inner = *p;
	bool good = true;
	size_t i;

	if (!a)
		return NULL;
	a->search.strategy = &explore_auto;
	a->budget = p->budget ? p->budget : BUDGET;
	inner.budget = 0;
	if (!is_in(p, &explore_dpor))
		a->dpor_over = a->gave_up = true;
	else
		good = (a->dpor = explore_dpor.open(&inner)) != NULL;
	for (i = 0; i < COUNT; i++) {
		if (!is_in(p, samplers[i]))
			a->spent[i] = true;
		else
			good =
			    good && (a->sampler[i] = samplers[i]->open(&inner));
	}
	if (good)
		return &a->search;
	close_search(&a->search);
	return NULL;
}

/* Nothing of it is needed any more, once its last run is back. */
static void
drop_dpor(struct automatic *a)
{
	if (!a->dpor || !a->dpor_over || a->dpor_out || a->gave_up)
		return;
	a->dpor->strategy->say(a->dpor, &a->dpor_said);
	a->dpor->strategy->close(a->dpor);
	a->dpor = NULL;
}

static bool
dpor_fits(const struct automatic *a)
{
	struct explore_said said;

	a->dpor->strategy->say(a->dpor, &said);
	return (double)a->runs[SAMPLERS] + said.estimate <= (double)a->budget;
}

static bool
dpor_was_through(const struct automatic *a)
{
	return a->dpor_over && !a->dpor && a->dpor_said.exhaustive;
}

static struct out *
free_ticket(struct automatic *a)
{
	size_t i;

	for (i = 0; i < NODES_OUT; i++)
		if (!a->ticket[i].number)
			return &a->ticket[i];
	return NULL;
}

static enum explore_next
ask(struct automatic *a, struct explore_search *of, unsigned kind,
    struct seam_plan *plan, struct seam_forced *forced, uint64_t *ticket)
{
	struct out *out = free_ticket(a);
	enum explore_next next;

	if (!out)
		return EXPLORE_WAIT;
	next = of->strategy->next(of, plan, forced, &out->ticket);
	if (next != EXPLORE_PLAN)
		return next;
	out->number = *ticket = ++a->numbers;
	out->of = of;
	a->out[kind]++;
	return next;
}

static enum explore_next
ask_dpor(struct automatic *a, struct seam_plan *plan,
	 struct seam_forced *forced, uint64_t *ticket)
{
	enum explore_next next;

	if (a->dpor_over)
		return EXPLORE_DONE;
	next = ask(a, a->dpor, DPOR, plan, forced, ticket);
	a->dpor_out += next == EXPLORE_PLAN;
	if (next == EXPLORE_DONE) {
		a->dpor_over = true;
		drop_dpor(a);
	}
	return next;
}

static enum explore_next
ask_samplers(struct automatic *a, struct seam_plan *plan,
	     struct seam_forced *forced, uint64_t *ticket)
{
	enum explore_next answer = EXPLORE_DONE, next;
	size_t i;

	for (i = 0; i < COUNT; i++) {
		unsigned at = a->turn++ % COUNT;

		if (a->spent[at])
			continue;
		next = ask(a, a->sampler[at], SAMPLERS, plan, forced, ticket);
		if (next == EXPLORE_PLAN)
			return next;
		if (next == EXPLORE_DONE)
			a->spent[at] = true;
		else
			answer = EXPLORE_WAIT;
	}
	return answer;
}

static bool
is_dpors_turn(struct automatic *a)
{
	uint64_t all = a->out[DPOR] + a->out[SAMPLERS];

	if (a->dpor_over)
		return false;
	if (all < EARLY)
		return a->out[DPOR] <= a->out[SAMPLERS];
	if (dpor_fits(a))
		return true;
	a->dpor_over = a->gave_up = true;
	return false;
}

static enum explore_next
next(struct explore_search *search, struct seam_plan *plan,
     struct seam_forced *forced, uint64_t *ticket)
{
	struct automatic *a = (struct automatic *)search;
	enum explore_next first;
	bool dpors;

	if (a->out[DPOR] + a->out[SAMPLERS] >= a->budget)
		return EXPLORE_DONE;
	/* The first run tells the samplers how long runs are. */
	if (a->out[DPOR] && !a->runs[DPOR])
		return EXPLORE_WAIT;
	dpors = is_dpors_turn(a);
	first = dpors ? ask_dpor(a, plan, forced, ticket) : EXPLORE_WAIT;
	if (first == EXPLORE_PLAN)
		return first;
	if (dpor_was_through(a) && a->out[SAMPLERS] >= BESIDE)
		return EXPLORE_DONE;
	first = ask_samplers(a, plan, forced, ticket);
	if (first == EXPLORE_DONE && !a->dpor_over)
		first = ask_dpor(a, plan, forced, ticket);
	return first;
}

static struct out *
find_ticket(struct automatic *a, uint64_t number)
{
	size_t i;

	for (i = 0; i < NODES_OUT; i++)
		if (number && a->ticket[i].number == number)
			return &a->ticket[i];
	return NULL;
}

static const struct explore_strategy *
whose(const struct explore_search *search, uint64_t ticket)
{
	struct out *out = find_ticket((struct automatic *)search, ticket);

	return out ? out->of->strategy : search->strategy;
}

static void
learn(struct explore_search *search, uint64_t ticket,
      const struct explore_trace *t)
{
	struct automatic *a = (struct automatic *)search;
	struct out *out;
	bool is_dpors;

	out = find_ticket(a, ticket);
	if (!out)
		return;
	is_dpors = out->of == a->dpor;
	out->number = 0;
	out->of->strategy->learn(out->of, out->ticket, t);
	if (is_dpors) {
		a->runs[DPOR]++;
		a->dpor_out--;
		drop_dpor(a);
		return;
	}
	a->runs[SAMPLERS]++;
}

static void
say(const struct explore_search *search, struct explore_said *said)
{
	const struct automatic *a = (const struct automatic *)search;
	struct explore_said inner = a->dpor_said;

	if (a->dpor)
		a->dpor->strategy->say(a->dpor, &inner);
	memset(said, 0, sizeof(*said));
	said->exhaustive = inner.exhaustive;
	said->redundant = inner.redundant;
	said->estimate = inner.estimate;
	snprintf(said->state, sizeof(said->state), "%.60s%s, %llu sampled",
		 inner.state, a->gave_up ? " (too many)" : "",
		 (unsigned long long)a->runs[SAMPLERS]);
}

static json_t *
save(const struct explore_search *search)
{
	const struct automatic *a = (const struct automatic *)search;
	json_t *inner = json_object();
	size_t i;

	if (a->dpor)
		json_object_set_new(inner, "dpor",
				    a->dpor->strategy->save(a->dpor));
	for (i = 0; i < COUNT; i++)
		if (a->sampler[i])
			json_object_set_new(inner, samplers[i]->name,
					    samplers[i]->save(a->sampler[i]));
	return json_pack("{sI sI sI sb sb ss sf so}", "dpor_runs",
			 (json_int_t)a->runs[DPOR], "sampled",
			 (json_int_t)a->runs[SAMPLERS], "turn",
			 (json_int_t)(a->turn % COUNT), "over",
			 a->dpor_over && !a->gave_up, "exhaustive",
			 a->dpor_said.exhaustive, "said", a->dpor_said.state,
			 "estimate", a->dpor_said.estimate, "of", inner);
}

static bool
load_inner(struct explore_search *s, const json_t *of)
{
	const json_t *state;

	if (!s)
		return true;
	state = json_object_get(of, s->strategy->name);
	return !state || s->strategy->load(s, state);
}

/* What dpor was given up for may fit now, as the budget grows by the runs that
 * there were. */
static bool
load(struct explore_search *search, const json_t *state)
{
	struct automatic *a = (struct automatic *)search;
	json_int_t dpor, sampled, turn;
	const char *said;
	int over, exhaustive;
	json_t *of;
	size_t i;

	if (json_unpack((json_t *)state, "{sI sI sI sb sb ss sf so}",
			"dpor_runs", &dpor, "sampled", &sampled, "turn", &turn,
			"over", &over, "exhaustive", &exhaustive, "said", &said,
			"estimate", &a->dpor_said.estimate, "of", &of) ||
	    dpor < 0 || sampled < 0 || turn < 0)
		return false;
	a->out[DPOR] = a->runs[DPOR] = (uint64_t)dpor;
	a->out[SAMPLERS] = a->runs[SAMPLERS] = (uint64_t)sampled;
	a->budget += a->out[DPOR] + a->out[SAMPLERS];
	a->turn = (unsigned)turn;
	for (i = 0; i < COUNT; i++)
		if (!load_inner(a->sampler[i], of))
			return false;
	if (!over)
		return load_inner(a->dpor, of);
	if (a->dpor)
		a->dpor->strategy->close(a->dpor);
	a->dpor = NULL;
	a->dpor_over = true;
	a->dpor_said.exhaustive = exhaustive;
	snprintf(a->dpor_said.state, sizeof(a->dpor_said.state), "%s", said);
	return true;
}

const struct explore_strategy explore_auto = {
	.name = "auto",
	.summary = "dpor if it fits the budget, and samplers",
	.open = open_search,
	.next = next,
	.learn = learn,
	.say = say,
	.close = close_search,
	.whose = whose,
	.save = save,
	.load = load,
};
