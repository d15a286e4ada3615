/* SPDX-License-Identifier: MIT */
/*
 * SURW's first run is an undirected one, whose profile the others need.  Each
 * of these makes the events on one of the shared objects interesting, or, as
 * often as any one of them, all events.
 */
#include <stdio.h>

#include "explore/profile.h"
#include "explore/sampler.h"
#include "explore/strategies.h"

struct surw {
	struct sampler sampler;
	struct explore_profile *profile;
	bool profiled;
};

static bool
begin(struct explore_search *search)
{
	struct surw *s = (struct surw *)search;

	s->profile = explore_profile_new();
	return s->profile != NULL;
}

static void
end(struct explore_search *search)
{
	explore_profile_free(((struct surw *)search)->profile);
}

static enum explore_next
fill(struct explore_search *search, struct seam_plan *plan, uint64_t number)
{
	struct surw *s = (struct surw *)search;
	size_t drawn, shared = explore_profile_shared(s->profile);
	uint64_t state = ~plan->seed, interest = 0;

	(void)number;
	if (!s->profiled && s->sampler.tickets == s->sampler.resumed) {
		plan->strategy = SEAM_STRATEGY_RANDOM;
		return EXPLORE_PLAN;
	}
	if (!s->profiled)
		return EXPLORE_WAIT;
	drawn = (size_t)(seam_random(&state) % (shared + 1));
	if (drawn < shared)
		interest = explore_profile_object(s->profile, drawn);
	explore_profile_fill(s->profile, interest, plan);
	return EXPLORE_PLAN;
}

static void
learn(struct explore_search *search, uint64_t ticket,
      const struct explore_trace *t)
{
	struct surw *s = (struct surw *)search;

	if (ticket == s->sampler.resumed)
		s->profiled = true;
	if (sampler_usual(t))
		explore_profile_learn(s->profile, t);
}

static void
say(const struct explore_search *search, char *state, size_t size)
{
	const struct surw *s = (const struct surw *)search;

	snprintf(state, size, " over %zu shared objects",
		 explore_profile_shared(s->profile));
}

static bool
save(const struct explore_search *search, json_t *state)
{
	const struct surw *s = (const struct surw *)search;
	json_t *profile;

	if (!s->profiled)
		return true;
	profile = explore_profile_save(s->profile);
	return json_object_set_new(state, "profile", profile) == 0;
}

static bool
load(struct explore_search *search, const json_t *state)
{
	struct surw *s = (struct surw *)search;
	const json_t *profile = json_object_get(state, "profile");

	s->profiled = profile != NULL;
	return !profile || explore_profile_load(s->profile, profile);
}

static const struct sampler_kind surw_kind = {
	.strategy = SEAM_STRATEGY_SURW,
	.size = sizeof(struct surw),
	.open = begin,
	.fill = fill,
	.learn = learn,
	.say = say,
	.close = end,
	.save = save,
	.load = load,
};

static struct explore_search *
open_surw(const struct explore_params *p)
{
	return sampler_open(&explore_surw, &surw_kind, p);
}

const struct explore_strategy explore_surw = {
	.name = "surw",
	.drawn = true,
	.summary = "uniform over the orders of one object's events at a time",
	.open = open_surw,
	SAMPLER_METHODS,
};
