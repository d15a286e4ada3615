/* SPDX-License-Identifier: MIT */
/* Going on from what another exploration has left. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explore/labels.h"
#include "explore/resume.h"
#include "explore/systematic.h"
#include "model.h"
#include "model_program.h"
#include "suite.h"

static const char *const samplers[] = { "random", "pct", "pos", "surw",
					"delay" };
#define SAMPLERS ((int)(sizeof(samplers) / sizeof(samplers[0])))

static const struct explore_params params = { .seed = 7 };
static struct seam_forced *forced;

static struct model *model;
static struct model_program program;

static void
setup(void)
{
	model = model_new();
	memset(&program, 0, sizeof(program));
	forced = calloc(SEAM_STEPS, sizeof(*forced));
}

static void
teardown(void)
{
	model_free(model);
	free(forced);
}

/* As through a file: closes the search, and gives another in its place. */
static struct explore_search *
handed_on(struct explore_search *s)
{
	const struct explore_strategy *row = s->strategy;
	json_t *state = row->save(s), *read;
	char *text = json_dumps(state, JSON_COMPACT);

	ck_assert_ptr_nonnull(text);
	row->close(s);
	json_decref(state);
	read = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(read);
	s = row->open(&params);
	ck_assert(row->load(s, read));
	json_decref(read);
	free(text);
	return s;
}

static void
same_plan(const struct seam_plan *a, const struct seam_plan *b)
{
	ck_assert_uint_eq(a->strategy, b->strategy);
	ck_assert_uint_eq(a->seed, b->seed);
	ck_assert_uint_eq(a->timeout_one_in, b->timeout_one_in);
	ck_assert_uint_eq(a->depth, b->depth);
	ck_assert_uint_eq(a->length, b->length);
	ck_assert_uint_eq(a->base, b->base);
	ck_assert_uint_eq(a->points, b->points);
	ck_assert_mem_eq(a->point, b->point, a->points * sizeof(a->point[0]));
	ck_assert_uint_eq(a->interest, b->interest);
	ck_assert_uint_eq(a->counts, b->counts);
	ck_assert_mem_eq(a->count, b->count, a->counts * sizeof(a->count[0]));
}

static void
make_family(void)
{
	for (unsigned i = 1; i < 4; i++)
		model_peer(&program, 0, SEAM_THREAD_CREATE, i);
	for (unsigned i = 1; i < 4; i++)
		for (unsigned k = 0; k < i; k++) {
			model_add(&program, i, SEAM_MUTEX_LOCK, 1 + k, 0);
			model_add(&program, i, SEAM_MUTEX_UNLOCK, 1 + k, 0);
		}
	for (unsigned i = 1; i < 4; i++)
		model_peer(&program, 0, SEAM_THREAD_JOIN, i);
}

/* One search, and one that is handed on every few runs, have the same. */
START_TEST(samplers_go_on)
{
	const struct explore_strategy *row =
	    explore_strategy_find(samplers[_i], NULL);
	struct explore_search *s[2] = { row->open(&params),
					row->open(&params) };

	make_family();
	for (unsigned i = 0; i < 200; i++) {
		struct seam_plan plan[2] = { 0 };
		struct explore_trace t;
		uint64_t ticket[2];

		if (i % 7 == 3)
			s[1] = handed_on(s[1]);
		for (unsigned k = 0; k < 2; k++) {
			ck_assert_int_eq(row->next(s[k], &plan[k], forced,
						   &ticket[k]),
					 EXPLORE_PLAN);
			model->sched->plan = plan[k];
			model_run(model, &program);
			model_trace(model, &t);
			row->learn(s[k], ticket[k], &t);
		}
		same_plan(&plan[0], &plan[1]);
	}
	row->close(s[0]);
	row->close(s[1]);
}
END_TEST

/* Locks and a condition: not all runs are alike. */
static struct program *
make_program(void)
{
	struct program *p = program_new(3, true);

	for (unsigned t = 1; t <= 3; t++)
		for (unsigned k = 0; k < 2; k++) {
			program_do(p, t, SEAM_MUTEX_LOCK, 1);
			if (t == 1 && k)
				program_do(p, t, SEAM_COND_SIGNAL, 2);
			program_do(p, t, SEAM_MUTEX_UNLOCK, 1);
			program_do(p, t, SEAM_MUTEX_LOCK, 2 + t);
			program_do(p, t, SEAM_MUTEX_UNLOCK, 2 + t);
		}
	return p;
}

/* How many runs it has; each `every` of them it is handed on; 0: never. */
static unsigned
whole(const struct explore_strategy *row, const struct program *p,
      unsigned every, uint64_t *sum)
{
	struct explore_search *s = row->open(&params);
	struct explore_trace t = { 0 };
	struct seam_plan plan = { 0 };
	struct explore_said said;
	uint64_t ticket;
	unsigned n = 0;

	*sum = 0;
	while (row->next(s, &plan, forced, &ticket) == EXPLORE_PLAN) {
		program_run(p, &plan, forced, &t);
		row->learn(s, ticket, &t);
		*sum = seam_stir(*sum, t.hash);
		if (every && ++n % every == 0)
			s = handed_on(s);
		else
			n += !every;
		ck_assert_uint_lt(n, 100000);
		memset(&plan, 0, sizeof(plan));
	}
	row->say(s, &said);
	ck_assert(said.exhaustive);
	row->close(s);
	program_clear(&t);
	return n;
}

START_TEST(dpor_goes_on)
{
	static const struct explore_strategy *const rows[] = {
		&explore_dpor,
		&explore_dpor_source,
	};
	struct program *p = make_program();
	uint64_t sum, again;
	unsigned n = whole(rows[_i], p, 0, &sum);

	ck_assert_uint_gt(n, 80);
	ck_assert_uint_eq(whole(rows[_i], p, 1, &again), n);
	ck_assert_uint_eq(sum, again);
	ck_assert_uint_eq(whole(rows[_i], p, 13, &again), n);
	ck_assert_uint_eq(sum, again);
	free(p);
}
END_TEST

/* The n-th number in it becomes another one; false: there are less. */
static bool
spoil(json_t *in, unsigned *n, json_int_t value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_integer(in) && !(*n)--) {
		json_integer_set(in, value);
		return true;
	}
	json_array_foreach(in, i, item)
	{
		if (spoil(item, n, value))
			return true;
	}
	json_object_foreach(in, key, item)
	{
		if (spoil(item, n, value))
			return true;
	}
	return false;
}

/* Whatever the numbers are, it is refused or does no harm. */
START_TEST(damaged_states)
{
	static const json_int_t values[] = { -1,	0,	   3,
					     63,	64,	   5000,
					     INT32_MAX, INT64_MAX, INT64_MIN };
	struct program *p = make_program();
	struct explore_search *s = explore_dpor.open(&params);
	struct explore_trace t = { 0 };
	struct seam_plan plan = { 0 };
	unsigned refused = 0, n, i = 0;
	uint64_t ticket;
	json_t *state;
	bool more = true;

	for (n = 0; n < 20; n++) {
		ck_assert_int_eq(explore_dpor.next(s, &plan, forced, &ticket),
				 EXPLORE_PLAN);
		program_run(p, &plan, forced, &t);
		explore_dpor.learn(s, ticket, &t);
	}
	state = explore_dpor.save(s);
	explore_dpor.close(s);
	for (n = 0; more; n++) {
		json_t *copy = json_deep_copy(state);
		unsigned at = n;

		more = spoil(copy, &at, values[i++ % 9]);
		s = explore_dpor.open(&params);
		if (explore_dpor.load(s, copy))
			explore_dpor.next(s, &plan, forced, &ticket);
		else
			refused++;
		explore_dpor.close(s);
		json_decref(copy);
	}
	ck_assert_uint_gt(n, 100);
	ck_assert_uint_gt(refused, 50);
	json_decref(state);
	program_clear(&t);
	free(p);
}
END_TEST

/* Coverage. */

static char *objects[MODEL_OBJECTS];
static const char *sites[256];
static char texts[256][16];

/* The run's, with each operation at a site of its own. */
static void
name_all(const struct explore_trace *t, struct explore_labels *l)
{
	unsigned count[8] = { 0 };

	*l = (struct explore_labels){ .nobjects = t->nobjects,
				      .nsteps = t->nsteps,
				      .object = objects,
				      .site = sites };
	for (uint32_t i = 0; i < t->nobjects; i++)
		objects[i] = i ? "other" : "lock";
	for (uint32_t i = 0; i < t->nsteps; i++) {
		unsigned who = model_who(model, i), n = count[who]++;

		snprintf(texts[i], sizeof(texts[i]), "%u.%u", who, n);
		t->step[i].site = 100 * who + n + 1;
		sites[i] = texts[i];
	}
}

static void
cover(struct explore_coverage *c, uint64_t seed)
{
	struct explore_labels l;
	struct explore_trace t;

	model->sched->plan =
	    (struct seam_plan){ .strategy = SEAM_STRATEGY_RANDOM,
				.seed = seed };
	model_run(model, &program);
	model_trace(model, &t);
	name_all(&t, &l);
	if (explore_coverage_add(c, &t))
		return;
	explore_coverage_name(c, &t, &l);
	ck_assert(explore_coverage_add(c, &t));
}

static const struct explore_pair *
pair_of(const struct explore_pair *p, size_t n, const char *first,
	const char *second)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(p[i].first, first) && !strcmp(p[i].second, second))
			return &p[i];
	ck_abort_msg("no pair of %s and %s", first, second);
}

static void
locks(unsigned thread)
{
	model_add(&program, thread, SEAM_MUTEX_LOCK, 1, 0);
	model_add(&program, thread, SEAM_MUTEX_UNLOCK, 1, 0);
}

/* Main locks before it creates the thread, beside it, and after it has joined
 * it: one pair is open. */
START_TEST(created_and_joined)
{
	struct explore_coverage *c = explore_coverage_new();
	struct explore_covered sum;
	struct explore_pair *p;
	size_t n;

	locks(0);
	model_peer(&program, 0, SEAM_THREAD_CREATE, 1);
	locks(0);
	locks(1);
	model_peer(&program, 0, SEAM_THREAD_JOIN, 1);
	locks(0);
	cover(c, 1);
	sum = explore_coverage_sum(c);
	ck_assert_uint_eq(sum.objects, 1);
	ck_assert_uint_eq(sum.orders, 2);
	ck_assert_uint_eq(sum.seen, 1);
	for (uint64_t seed = 2; seed < 20; seed++)
		cover(c, seed);
	sum = explore_coverage_sum(c);
	ck_assert_uint_eq(sum.orders, 2);
	ck_assert_uint_eq(sum.seen, 2);
	p = explore_coverage_pairs(c, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(p->object, "lock");
	ck_assert_str_eq(p->first, "mutex.lock 0.3");
	ck_assert_str_eq(p->second, "mutex.lock 1.0");
	ck_assert_uint_gt(p->forth, 0);
	ck_assert_uint_gt(p->back, 0);
	ck_assert_uint_eq(p->forth + p->back, 19);
	free(p);
	explore_coverage_free(c);
}
END_TEST

/* Of three that lock, the last and the first are not next to each other. */
START_TEST(who_had_it_before)
{
	struct explore_coverage *c = explore_coverage_new();
	uint64_t before = 0;
	struct explore_pair *p;
	size_t n;

	for (unsigned i = 0; i < 3; i++)
		locks(i);
	cover(c, 1);
	p = explore_coverage_pairs(c, &n);
	ck_assert_uint_eq(n, 3);
	for (size_t i = 0; i < n; i++)
		before += p[i].forth + p[i].back;
	ck_assert_uint_eq(before, 2);
	ck_assert_uint_eq(explore_coverage_sum(c).orders, 6);
	ck_assert_uint_eq(explore_coverage_sum(c).seen, 2);
	free(p);
	for (uint64_t seed = 2; seed < 100; seed++)
		cover(c, seed);
	p = explore_coverage_pairs(c, &n);
	ck_assert_uint_eq(explore_coverage_sum(c).seen, 6);
	ck_assert(!pair_of(p, n, "mutex.lock 0.0", "mutex.lock 1.0")->same);
	free(p);
	explore_coverage_free(c);
}
END_TEST

/* Files. */

static char *
bytes_of(const char *path)
{
	char *text = NULL;
	size_t room = 0;
	FILE *f = fopen(path, "r");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_gt(getdelim(&text, &room, '\0', f), 0);
	fclose(f);
	return text;
}

static void
write_to(const struct explore_known *k, const char *path)
{
	struct seam_error err;

	ck_assert_msg(explore_known_write(k, path, &err) == SEAM_OK, "%s",
		      err.text);
}

static struct explore_known *
read_from(const char *path)
{
	struct explore_known *k;
	struct seam_error err;

	ck_assert_msg(explore_known_read(path, &k, &err) == SEAM_OK, "%s",
		      err.text);
	return k;
}

static struct explore_known *
make_known(uint64_t seed)
{
	const struct explore_pair pair = { "a \"lock\"", "x a.c:1", "y b.c:2",
					   ~seed,	 3,	    0,
					   false };
	struct explore_known *k = explore_known_new(seed, 1, 3);

	k->about = json_pack("{ss}", "command", "x");
	k->all.schedules = 12;
	k->all.failing = 2;
	k->all.seconds = 0.25;
	k->origin[0].runs[5] = 12;
	for (uint64_t i = 0; i < 12; i++)
		explore_tally_add(k->tally, 5, i * i % 7 * ~UINT64_C(0), 1);
	ck_assert(explore_coverage_put(k->coverage, &pair));
	explore_pct_measure(&k->pct, 3, 17);
	explore_pct_add(&k->pct, 2, 17, 5);
	k->exhausted = strdup("dpor, all");
	json_object_set_new(k->states, "random", json_pack("{si}", "runs", 12));
	return k;
}

START_TEST(files_are_read_as_written)
{
	struct explore_known *k = make_known(UINT64_MAX), *again;
	char *a, *b;

	write_to(k, "known");
	again = read_from("known");
	ck_assert_uint_eq(again->origin[0].seed, UINT64_MAX);
	ck_assert_uint_eq(again->origins, 1);
	ck_assert_uint_eq(explore_tally_classes(again->tally), 4);
	write_to(again, "again");
	a = bytes_of("known");
	b = bytes_of("again");
	ck_assert_str_eq(a, b);
	free(a);
	free(b);
	explore_known_free(k);
	explore_known_free(again);
	unlink("known");
	unlink("again");
}
END_TEST

START_TEST(sums)
{
	struct explore_known *a = make_known(1), *b = make_known(2),
			     *c = make_known(2);
	char why[256];

	ck_assert(explore_known_merge(a, b, why, sizeof(why)));
	ck_assert_uint_eq(a->all.schedules, 24);
	ck_assert_uint_eq(a->all.failing, 4);
	ck_assert_uint_eq(explore_tally_of(a->tally, 5).runs, 24);
	ck_assert_uint_eq(explore_tally_classes(a->tally), 4);
	ck_assert_uint_eq(explore_tally_of(a->tally, 5).once, 0);
	ck_assert_uint_eq(explore_pct_runs(&a->pct, 2), 10);
	ck_assert_uint_eq(explore_coverage_sum(a->coverage).objects, 2);
	ck_assert(!explore_known_merge(a, c, why, sizeof(why)));
	ck_assert_ptr_nonnull(strstr(why, "with seed 2 are in both"));
	c->origin[0].shard = 2;
	ck_assert(explore_known_merge(a, c, why, sizeof(why)));
	explore_known_free(a);
	explore_known_free(b);
	explore_known_free(c);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("resume");
	TCase *t = tcase_create("resume");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, samplers_go_on, 0, SAMPLERS);
	tcase_add_loop_test(t, dpor_goes_on, 0, 2);
	tcase_add_test(t, damaged_states);
	tcase_add_test(t, created_and_joined);
	tcase_add_test(t, who_had_it_before);
	tcase_add_test(t, files_are_read_as_written);
	tcase_add_test(t, sums);
	suite_add_tcase(s, t);
	return suite_run(s);
}
