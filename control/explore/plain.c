/* SPDX-License-Identifier: MIT */
/* The samplers that need to know nothing of the program. */
#include "explore/sampler.h"
#include "explore/strategies.h"

static const struct sampler_kind random_kind = {
	.strategy = SEAM_STRATEGY_RANDOM,
	.size = sizeof(struct sampler),
};

static const struct sampler_kind pos_kind = {
	.strategy = SEAM_STRATEGY_POS,
	.size = sizeof(struct sampler),
};

static struct explore_search *
open_random(const struct explore_params *p)
{
	return sampler_open(&explore_random, &random_kind, p);
}

static struct explore_search *
open_pos(const struct explore_params *p)
{
	return sampler_open(&explore_pos, &pos_kind, p);
}

const struct explore_strategy explore_random = {
	.name = "random",
	.drawn = true,
	.summary = "each choice uniform over the threads that can go on",
	.open = open_random,
	SAMPLER_METHODS,
};

const struct explore_strategy explore_pos = {
	.name = "pos",
	.drawn = true,
	.summary =
	    "random numbers for pending events, drawn again by those that race",
	.open = open_pos,
	SAMPLER_METHODS,
};
