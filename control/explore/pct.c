/* SPDX-License-Identifier: MIT */
/*
 * PCT needs k, the number of decisions, nearly right: it is the maximum over
 * the runs so far.  The depth goes round if none is wanted, and begins with
 * 1, for which k does not matter.
 */
#include <stdio.h>

#include "explore/sampler.h"
#include "explore/strategies.h"

#define DEPTHS 5
#define UNKNOWN_LENGTH 100 /* k before any run */

static uint32_t
length(const struct sampler *s)
{
	return s->length ? s->length : UNKNOWN_LENGTH;
}

static uint32_t
depth(const struct sampler *s, uint64_t ticket)
{
	if (!s->params.depth)
		return 1 + (uint32_t)(ticket % DEPTHS);
	return s->params.depth > SEAM_POINTS ? SEAM_POINTS : s->params.depth;
}

static enum explore_next
fill(struct explore_search *search, struct seam_plan *plan, uint64_t ticket)
{
	const struct sampler *s = (const struct sampler *)search;

	plan->depth = depth(s, ticket);
	plan->length = length(s);
	return EXPLORE_PLAN;
}

static void
say(const struct explore_search *search, char *state, size_t size)
{
	const struct sampler *s = (const struct sampler *)search;

	snprintf(state, size, " d=%u, k=%u",
		 depth(s, s->tickets ? s->tickets - 1 : 0), length(s));
}

static const struct sampler_kind pct_kind = {
	.strategy = SEAM_STRATEGY_PCT,
	.size = sizeof(struct sampler),
	.fill = fill,
	.say = say,
};

static struct explore_search *
open_pct(const struct explore_params *p)
{
	return sampler_open(&explore_pct, &pct_kind, p);
}

const struct explore_strategy explore_pct = {
	.name = "pct",
	.drawn = true,
	.summary = "random priorities with d - 1 changes",
	.open = open_pct,
	SAMPLER_METHODS,
};
