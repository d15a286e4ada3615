/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "explore/estimate.h"

struct explore_tally {
	struct explore_set *all, *of[TALLY_STRATEGIES];
	uint64_t runs[TALLY_STRATEGIES];
	/* Classes met once or twice in all, by whom (both times). */
	size_t once[TALLY_STRATEGIES], twice[TALLY_STRATEGIES];
};

struct explore_tally *
explore_tally_new(void)
{
	struct explore_tally *t = calloc(1, sizeof(*t));

	if (t && !(t->all = explore_set_new())) {
		free(t);
		return NULL;
	}
	return t;
}

void
explore_tally_free(struct explore_tally *t)
{
	if (!t)
		return;
	explore_set_free(t->all);
	for (unsigned i = 0; i < TALLY_STRATEGIES; i++)
		explore_set_free(t->of[i]);
	free(t);
}

/* Who has met it so many times; it has been met so often in all. */
static unsigned
who_met(const struct explore_tally *t, uint64_t class, uint32_t times)
{
	unsigned i;

	for (i = 0; i < TALLY_STRATEGIES; i++)
		if (t->of[i] && explore_set_count(t->of[i], class) == times)
			break;
	return i;
}

/* Before and after a class was met again: it is counted, or is no more. */
static void
count_rare(struct explore_tally *t, uint64_t class, int more)
{
	const uint32_t times = explore_set_count(t->all, class);
	unsigned who;

	if (times != 1 && times != 2)
		return;
	who = who_met(t, class, times);
	if (who == TALLY_STRATEGIES)
		return;
	if (times == 1)
		t->once[who] += (size_t)more;
	else
		t->twice[who] += (size_t)more;
}

bool
explore_tally_add(struct explore_tally *t, unsigned by, uint64_t class,
		  uint32_t times)
{
	if (!t->of[by] && !(t->of[by] = explore_set_new()))
		return false;
	if (!explore_set_reserve(t->all) || !explore_set_reserve(t->of[by]))
		return false;
	count_rare(t, class, -1);
	explore_set_add_times(t->all, class, times);
	explore_set_add_times(t->of[by], class, times);
	count_rare(t, class, 1);
	t->runs[by] += times;
	return true;
}

size_t
explore_tally_classes(const struct explore_tally *t)
{
	return explore_set_size(t->all);
}

struct explore_counts
explore_tally_of(const struct explore_tally *t, unsigned by)
{
	const struct explore_set *own = t->of[by];

	if (!own)
		return (struct explore_counts){ 0 };
	return (struct explore_counts){
		.runs = t->runs[by],
		.classes = explore_set_size(own),
		.once = explore_set_times(own, 1),
		.twice = explore_set_times(own, 2),
		.only_once = t->once[by],
		.only_twice = t->twice[by],
	};
}

struct each {
	explore_tally_each_fn *each;
	void *arg;
	unsigned by;
};

static void
one(void *arg, uint64_t class, uint32_t times)
{
	const struct each *e = arg;

	e->each(e->arg, e->by, class, times);
}

void
explore_tally_each(const struct explore_tally *t, explore_tally_each_fn *each,
		   void *arg)
{
	struct each e = { .each = each, .arg = arg };

	for (e.by = 0; e.by < TALLY_STRATEGIES; e.by++)
		if (t->of[e.by])
			explore_set_each(t->of[e.by], one, &e);
}
