/* SPDX-License-Identifier: MIT */
#include "explore/resume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct explore_known *
explore_known_new(uint64_t seed, unsigned shard, unsigned shards)
{
	struct explore_known *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->tally = explore_tally_new();
	k->coverage = explore_coverage_new();
	k->states = json_object();
	k->origin = calloc(1, sizeof(*k->origin));
	if (!k->tally || !k->coverage || !k->states || !k->origin) {
		explore_known_free(k);
		return NULL;
	}
	k->origins = 1;
	k->origin[0] = (struct explore_origin){ .seed = seed,
						.shard = shard,
						.shards = shards };
	return k;
}

void
explore_known_free(struct explore_known *k)
{
	if (!k)
		return;
	explore_tally_free(k->tally);
	explore_coverage_free(k->coverage);
	json_decref(k->about);
	json_decref(k->states);
	free(k->origin);
	free(k->exhausted);
	free(k);
}

/* Runs in common: those of one seed, unless they are different shards of the
 * same cut. */
static bool
overlap(const struct explore_origin *a, const struct explore_origin *b,
	unsigned i)
{
	return a->runs[i] && b->runs[i] && a->seed == b->seed &&
	       (a->shards != b->shards || a->shard == b->shard);
}

static bool
have_common(const struct explore_known *to, const struct explore_known *from,
	    char *why, size_t size)
{
	for (size_t i = 0; i < to->origins; i++)
		for (size_t j = 0; j < from->origins; j++)
			for (unsigned s = 0; s < TALLY_STRATEGIES; s++)
				if (overlap(&to->origin[i], &from->origin[j],
					    s)) {
					snprintf(why, size,
						 "runs of %s with seed %llu "
						 "are in both",
						 explore_strategies[s]->name,
						 (unsigned long long)to
						     ->origin[i]
						     .seed);
					return true;
				}
	return false;
}

static bool
add_origins(struct explore_known *to, const struct explore_known *from)
{
	struct explore_origin *longer =
	    reallocarray(to->origin, to->origins + from->origins,
			 sizeof(*longer));

	if (!longer)
		return false;
	to->origin = longer;
	memcpy(longer + to->origins, from->origin,
	       from->origins * sizeof(*longer));
	to->origins += from->origins;
	return true;
}

static void
most(uint32_t *a, uint32_t b)
{
	if (b > *a)
		*a = b;
}

static void
add_totals(struct explore_totals *to, const struct explore_totals *from)
{
	to->schedules += from->schedules;
	to->redundant += from->redundant;
	to->too_long += from->too_long;
	to->failing += from->failing;
	to->confirmed += from->confirmed;
	to->left += from->left;
	to->strays += from->strays;
	to->outside += from->outside;
	to->seconds += from->seconds;
	most(&to->steps, from->steps);
	most(&to->threads, from->threads);
	most(&to->decisions, from->decisions);
}

struct adding {
	struct explore_tally *tally;
	bool good;
};

static void
add_class(void *arg, unsigned by, uint64_t class, uint32_t times)
{
	struct adding *a = arg;

	a->good = a->good && explore_tally_add(a->tally, by, class, times);
}

static bool
add_pairs(struct explore_coverage *to, const struct explore_coverage *from)
{
	size_t n;
	struct explore_pair *pair = explore_coverage_pairs(from, &n);
	bool good = pair != NULL;

	for (size_t i = 0; good && i < n; i++)
		good = explore_coverage_put(to, &pair[i]);
	free(pair);
	return good;
}

static void
add_pct(struct explore_pct *to, const struct explore_pct *from)
{
	explore_pct_measure(to, from->threads, from->choices);
	for (size_t i = 0; i < from->n; i++)
		for (uint32_t d = 1; d <= PCT_DEPTHS; d++)
			explore_pct_add(to, d, from->by[i].length,
					from->by[i].runs[d - 1]);
}

bool
explore_known_merge(struct explore_known *to, const struct explore_known *from,
		    char *why, size_t size)
{
	struct adding a = { to->tally, true };

	if (have_common(to, from, why, size))
		return false;
	snprintf(why, size, "no memory");
	explore_tally_each(from->tally, add_class, &a);
	if (!a.good || !add_pairs(to->coverage, from->coverage) ||
	    !add_origins(to, from))
		return false;
	add_totals(&to->all, &from->all);
	add_pct(&to->pct, &from->pct);
	if (!to->exhausted && from->exhausted)
		to->exhausted = strdup(from->exhausted);
	return true;
}
