/* SPDX-License-Identifier: MIT */
/* How sure a verdict is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exploring.h"
#include "rules_int.h"

#define DAY (24 * 3600.0)
#define DEPTHS 3 /* of bugs, that PCT's promise is told for */

static void
take(const struct exploring *x, const struct explore_known *k,
     const struct campaign_state *s, struct explore_sure *sure)
{
	explore_sure(k, explore_strategy_find(x->strategy, NULL), &s->said,
		     campaign_is_exhaustive(s), sure);
}

/* "0.38 (0.35 to 0.41)"; "less than 0.004" */
static void
put_chance(const char *before, const struct explore_chance *c)
{
	if (c->value > 0)
		printf("%s%.2g (%.2g to %.2g)", before, c->value, c->low,
		       c->high);
	else
		printf("less than %.2g", c->high);
}

static void
put_next(const struct explore_sure *sure)
{
	const char *between = "  by itself: ";
	size_t drawn = 0;

	if (!sure->known) {
		puts("no runs were drawn: there is no telling whether the "
		     "next is of a new class");
		return;
	}
	if (sure->next.low >= 1) {
		puts("the next would be of a new class");
		return;
	}
	fputs("the next would be of a new class with a chance of ", stdout);
	put_chance("about ", &sure->next);
	putchar('\n');
	for (size_t i = 0; i < sure->n; i++)
		drawn += sure->by[i].strategy->drawn;
	for (size_t i = 0; drawn > 1 && i < sure->n; i++) {
		const struct explore_by *by = &sure->by[i];

		if (!by->strategy->drawn)
			continue;
		printf("%s%s ", between, by->strategy->name);
		put_chance("", &by->unseen);
		between = ", ";
	}
	if (drawn > 1)
		putchar('\n');
}

static const char *
duration(double seconds, char *buf, size_t size)
{
	if (seconds < 120)
		snprintf(buf, size, "%.2g s", seconds);
	else if (seconds < 7200)
		snprintf(buf, size, "%.0f minutes", seconds / 60);
	else if (seconds < 2 * DAY)
		snprintf(buf, size, "%.0f hours", seconds / 3600);
	else if (seconds < 730 * DAY)
		snprintf(buf, size, "%.0f days", seconds / DAY);
	else
		snprintf(buf, size, "%.2g years", seconds / (365 * DAY));
	return buf;
}

static const char *
number(double n, char *buf, size_t size)
{
	snprintf(buf, size, n < 1e6 ? "%.0f" : "%.2g", n);
	return buf;
}

static void
put_classes(const struct explore_sure *sure)
{
	char n[32], time[32];

	printf("an estimated %s classes or more",
	       number(sure->at_least, n, sizeof(n)));
	if (sure->about > sure->at_least)
		printf(", and %s by the tree of dpor",
		       number(sure->about, n, sizeof(n)));
	if (sure->seconds >= 0)
		printf("; dpor would need %s for the rest",
		       duration(sure->seconds, time, sizeof(time)));
	putchar('\n');
}

static void
put_pct(const struct explore_pct *p)
{
	if (!explore_pct_runs(p, 1))
		return;
	fputs("a bug of depth 1, 2, 3 would have been met with a chance of at "
	      "least",
	      stdout);
	for (uint32_t d = 1; d <= DEPTHS; d++)
		printf("%s %.2g", d > 1 ? "," : "", explore_pct_bound(p, d));
	printf(" (pct: n=%u, k=%u)\n", p->threads, p->choices);
}

static void
put_covered(const struct explore_covered *c)
{
	if (!c->orders)
		return;
	printf("orders of two operations: %zu of %zu seen, on %zu object%s%s "
	       "(--coverage)\n",
	       c->seen, c->orders, c->objects, c->objects == 1 ? "" : "s",
	       c->full ? ", and more" : "");
}

void
exploring_put_sure(const struct exploring *x, const struct explore_known *k,
		   const struct campaign_state *s)
{
	struct explore_sure sure;

	take(x, k, s, &sure);
	if (!campaign_is_exhaustive(s)) {
		put_next(&sure);
		put_classes(&sure);
		put_pct(&k->pct);
	}
	put_covered(&sure.covered);
}

/* JSON. */

static void
json_chance(json_t *o, const char *key, const struct explore_chance *c)
{
	char interval[64];

	snprintf(interval, sizeof(interval), "%s_interval", key);
	json_object_set_new(o, key, json_real(c->value));
	json_object_set_new(o, interval, json_pack("[ff]", c->low, c->high));
}

static json_t *
json_samplers(const struct explore_sure *sure)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sure->n; i++) {
		const struct explore_by *by = &sure->by[i];
		json_t *o =
		    json_pack("{ss sI sI}", "strategy", by->strategy->name,
			      "schedules", (json_int_t)by->counts.runs,
			      "classes", (json_int_t)by->counts.classes);

		if (by->strategy->drawn)
			json_chance(o, "chance_of_new", &by->unseen);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
json_pct(const struct explore_pct *p)
{
	json_t *depths = json_array();

	for (uint32_t d = 1; d <= DEPTHS; d++)
		json_array_append_new(
		    depths,
		    json_pack("{si sI sf}", "depth", (int)d, "schedules",
			      (json_int_t)explore_pct_runs(p, d), "chance",
			      explore_pct_bound(p, d)));
	return json_pack("{si si so}", "threads", (int)p->threads, "choices",
			 (int)p->choices, "depths", depths);
}

void
exploring_json_sure(const struct exploring *x, json_t *o,
		    const struct explore_known *k,
		    const struct campaign_state *s)
{
	struct explore_sure sure;

	take(x, k, s, &sure);
	if (sure.known)
		json_chance(o, "chance_of_new", &sure.next);
	json_object_set_new(o, "by_strategy", json_samplers(&sure));
	json_object_set_new(o, "classes_at_least", json_real(sure.at_least));
	if (sure.about > 0)
		json_object_set_new(o, "classes_about", json_real(sure.about));
	if (sure.seconds >= 0)
		json_object_set_new(o, "seconds_left", json_real(sure.seconds));
	if (explore_pct_runs(&k->pct, 1))
		json_object_set_new(o, "pct", json_pct(&k->pct));
	json_object_set_new(o, "orders",
			    json_pack("{sI sI sI}", "objects",
				      (json_int_t)sure.covered.objects, "all",
				      (json_int_t)sure.covered.orders, "seen",
				      (json_int_t)sure.covered.seen));
}

/* --coverage. */

static void
put_times(const char *before, uint64_t times)
{
	if (times)
		printf("%s%llu", before, (unsigned long long)times);
	else
		printf("%snever", before);
}

static void
put_pair(const struct explore_pair *p)
{
	if (p->same) {
		printf("    %s, by two threads: ", p->first);
		put_times("", p->forth);
	} else {
		printf("    %s before %s: ", p->first, p->second);
		put_times("", p->forth);
		put_times("; after it: ", p->back);
	}
	putchar('\n');
}

void
exploring_put_coverage(const struct explore_known *k)
{
	size_t n;
	struct explore_pair *p = explore_coverage_pairs(k->coverage, &n);
	const char *object = NULL;

	puts("orders of two operations, and how often they have been seen:");
	for (size_t i = 0; p && i < n; i++) {
		if (!i || strcmp(object, p[i].object) != 0 ||
		    p[i].key != p[i - 1].key)
			printf("  %s\n", p[i].object);
		object = p[i].object;
		put_pair(&p[i]);
	}
	free(p);
}

json_t *
exploring_json_coverage(const struct explore_known *k)
{
	size_t n = 0;
	struct explore_pair *p = explore_coverage_pairs(k->coverage, &n);
	json_t *list = json_array(), *o = json_object();

	for (size_t i = 0; p && i < n; i++) {
		json_t *pair = json_object();

		seam_json_put(pair, "object", p[i].object);
		seam_json_put(pair, "first", p[i].first);
		seam_json_put(pair, "second", p[i].second);
		json_object_set_new(pair, "seen",
				    json_integer((json_int_t)p[i].forth));
		if (!p[i].same)
			json_object_set_new(pair, "seen_reversed",
					    json_integer(
						(json_int_t)p[i].back));
		json_array_append_new(list, pair);
	}
	free(p);
	seam_json_put(o, "event", "coverage");
	json_object_set_new(o, "pairs", list);
	return o;
}
