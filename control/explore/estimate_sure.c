/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "explore/resume.h"
#include "explore/strategies.h"
#include "explore/systematic.h"

static void
take(struct explore_sure *sure, const struct explore_known *k, unsigned number)
{
	struct explore_by *by = &sure->by[sure->n];
	double least;

	by->strategy = explore_strategies[number];
	by->counts = explore_tally_of(k->tally, number);
	if (!by->counts.runs)
		return;
	sure->n++;
	if (!by->strategy->drawn)
		return;
	by->unseen = explore_unseen(by->counts.runs, by->counts.only_once,
				    by->counts.only_twice);
	least = explore_at_least(by->counts.runs, by->counts.classes,
				 by->counts.once, by->counts.twice);
	if (least > sure->at_least)
		sure->at_least = least;
}

/* Of those that would run next. */
static void
look_ahead(struct explore_sure *sure, const struct explore_strategy *strategy)
{
	struct explore_chance of[TALLY_STRATEGIES];
	size_t n = 0;

	for (size_t i = 0; i < sure->n; i++)
		if (sure->by[i].strategy->drawn &&
		    (strategy == &explore_auto ||
		     sure->by[i].strategy == strategy))
			of[n++] = sure->by[i].unseen;
	sure->known = n > 0;
	sure->next = explore_unseen_by_turns(of, n);
}

static bool
is_dpor(const struct explore_strategy *s)
{
	return s == &explore_dpor || s == &explore_dpor_source;
}

/* Of the systematic searches dpor alone has a run for each class. */
static void
look_at_tree(struct explore_sure *sure, const struct explore_known *k,
	     const struct explore_strategy *strategy,
	     const struct explore_said *said)
{
	double left, all;

	sure->seconds = -1;
	if (!is_dpor(strategy) && strategy != &explore_auto)
		return;
	sure->about = said->estimate;
	left = all =
	    sure->about > sure->at_least ? sure->about : sure->at_least;
	for (size_t i = 0; i < sure->n; i++)
		if (is_dpor(sure->by[i].strategy))
			left -= (double)sure->by[i].counts.runs;
	if (all > 0 && k->all.schedules)
		sure->seconds =
		    left * k->all.seconds / (double)k->all.schedules;
	if (sure->seconds < 0)
		sure->seconds = 0;
}

void
explore_sure(const struct explore_known *k,
	     const struct explore_strategy *strategy,
	     const struct explore_said *said, bool exhaustive,
	     struct explore_sure *sure)
{
	memset(sure, 0, sizeof(*sure));
	for (unsigned i = 0; explore_strategies[i]; i++)
		take(sure, k, i);
	sure->covered = explore_coverage_sum(k->coverage);
	if (sure->at_least < (double)explore_tally_classes(k->tally))
		sure->at_least = (double)explore_tally_classes(k->tally);
	if (exhaustive) {
		sure->known = true;
		sure->about = sure->at_least =
		    (double)explore_tally_classes(k->tally);
		return;
	}
	look_at_tree(sure, k, strategy, said);
	/* Each of its runs is. */
	if (strategy == &explore_dpor) {
		sure->known = true;
		sure->next = (struct explore_chance){ 1, 1, 1 };
		return;
	}
	look_ahead(sure, strategy);
}
