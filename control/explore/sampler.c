/* SPDX-License-Identifier: MIT */
#include "explore/sampler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t
sampler_seed(uint64_t seed, uint64_t ticket)
{
	uint64_t state = seed + ticket * UINT64_C(0x9e3779b97f4a7c15);

	return seam_random(&state);
}

struct explore_search *
sampler_open(const struct explore_strategy *strategy,
	     const struct sampler_kind *kind, const struct explore_params *p)
{
	struct sampler *s = calloc(1, kind->size);

	if (!s)
		return NULL;
	s->search.strategy = strategy;
	s->kind = kind;
	s->params = *p;
	if (!kind->open || kind->open(&s->search))
		return &s->search;
	free(s);
	return NULL;
}

/* Everything that says how a run is to go; what the runner knows of (max_steps,
 * server, flags) stays as it is. */
static void
fill(const struct sampler *s, struct seam_plan *plan, uint64_t number)
{
	plan->strategy = s->kind->strategy;
	plan->flags &= ~(uint32_t)(SEAM_PLAN_STRICT | SEAM_PLAN_SLEEP);
	plan->forced = 0;
	plan->seed = sampler_seed(s->params.seed, number);
	plan->sleep = plan->sleep_how = 0;
	plan->depth = plan->length = plan->base = 0;
	plan->points = plan->counts = 0;
	plan->interest = 0;
	plan->timeout_one_in =
	    number % 3 == 2 ? SAMPLER_TIMEOUTS_OFTEN : SAMPLER_TIMEOUTS;
}

enum explore_next
sampler_next(struct explore_search *search, struct seam_plan *plan,
	     struct seam_forced *forced, uint64_t *ticket)
{
	struct sampler *s = (struct sampler *)search;
	enum explore_next next = EXPLORE_PLAN;
	uint64_t number = s->tickets;

	(void)forced;
	if (s->params.budget && s->tickets - s->resumed >= s->params.budget)
		return EXPLORE_DONE;
	if (s->params.shards)
		number = number * s->params.shards + s->params.shard;
	fill(s, plan, number);
	if (s->kind->fill)
		next = s->kind->fill(search, plan, number);
	if (next == EXPLORE_PLAN)
		*ticket = s->tickets++;
	return next;
}

bool
sampler_usual(const struct explore_trace *t)
{
	return !t->timed_out && t->verdict != SEAM_VERDICT_LIVELOCK &&
	       t->verdict != SEAM_VERDICT_LONG &&
	       t->verdict != SEAM_VERDICT_DIVERGED &&
	       t->verdict != SEAM_VERDICT_FULL;
}

void
sampler_learn(struct explore_search *search, uint64_t ticket,
	      const struct explore_trace *t)
{
	struct sampler *s = (struct sampler *)search;

	if (sampler_usual(t) && t->decisions > s->length)
		s->length = t->decisions;
	if (s->kind->learn)
		s->kind->learn(search, ticket, t);
}

void
sampler_say(const struct explore_search *search, struct explore_said *said)
{
	const struct sampler *s = (const struct sampler *)search;
	int n;

	memset(said, 0, sizeof(*said));
	n = snprintf(said->state, sizeof(said->state), "%s",
		     search->strategy->name);
	if (s->kind->say && n > 0 && (size_t)n < sizeof(said->state))
		s->kind->say(search, said->state + n,
			     sizeof(said->state) - (size_t)n);
}

void
sampler_close(struct explore_search *search)
{
	struct sampler *s = (struct sampler *)search;

	if (!s)
		return;
	if (s->kind->close)
		s->kind->close(search);
	free(s);
}

json_t *
sampler_save(const struct explore_search *search)
{
	const struct sampler *s = (const struct sampler *)search;
	json_t *state = json_pack("{sI sI}", "runs", (json_int_t)s->tickets,
				  "length", (json_int_t)s->length);

	if (!state || !s->kind->save || s->kind->save(search, state))
		return state;
	json_decref(state);
	return NULL;
}

bool
sampler_load(struct explore_search *search, const json_t *state)
{
	struct sampler *s = (struct sampler *)search;
	json_int_t runs, length;

	if (json_unpack((json_t *)state, "{sI sI}", "runs", &runs, "length",
			&length) ||
	    runs < 0 || length < 0 || length > SEAM_STEPS)
		return false;
	s->tickets = s->resumed = (uint64_t)runs;
	s->length = (uint32_t)length;
	return !s->kind->load || s->kind->load(search, state);
}
