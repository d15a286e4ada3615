/* SPDX-License-Identifier: MIT */
/* The controller's half of the samplers: the plans they hand out, and what
 * they learn, over models. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/profile.h"
#include "explore/sampler.h"
#include "explore/strategies.h"
#include "model.h"
#include "suite.h"

static const char *const samplers[] = { "random", "pct", "pos", "surw" };
#define SAMPLERS ((int)(sizeof(samplers) / sizeof(samplers[0])))

static struct model *model;
static struct model_program program;
static struct explore_search *search;

static void
setup(void)
{
	model = model_new();
	memset(&program, 0, sizeof(program));
	search = NULL;
}

static void
teardown(void)
{
	if (search)
		search->strategy->close(search);
	model_free(model);
}

static void
open_search(const char *name, const struct explore_params *p)
{
	const struct explore_strategy *row = explore_strategy_find(name, NULL);

	ck_assert_ptr_nonnull(row);
	if (search)
		search->strategy->close(search);
	search = row->open(p);
	ck_assert_ptr_nonnull(search);
}

static enum explore_next
next(struct seam_plan *plan, uint64_t *ticket)
{
	return search->strategy->next(search, plan, NULL, ticket);
}

static void
run(const struct seam_plan *plan, struct explore_trace *t)
{
	model->sched->plan = *plan;
	model_run(model, &program);
	ck_assert_ptr_null(model->wrong);
	model_trace(model, t);
}

/* One after the other; how many there were. */
static uint64_t
explore(uint64_t most)
{
	struct explore_trace t;
	struct seam_plan plan = { 0 };
	uint64_t ticket, n;

	for (n = 0; n < most && next(&plan, &ticket) == EXPLORE_PLAN; n++) {
		run(&plan, &t);
		search->strategy->learn(search, ticket, &t);
	}
	return n;
}

static void
add_points(unsigned thread, unsigned object, unsigned n)
{
	while (n--)
		model_add(&program, thread, SEAM_POINT, object, 0);
}

START_TEST(rows)
{
	const struct explore_strategy *const *row;

	for (row = explore_strategies; *row; row++) {
		ck_assert_ptr_eq(explore_strategy_find((*row)->name, NULL),
				 *row);
		ck_assert_ptr_nonnull((*row)->summary);
	}
	ck_assert_ptr_null(explore_strategy_find("rand", NULL));
}
END_TEST

START_TEST(as_many_as_the_budget)
{
	struct explore_params p = { .seed = 1, .budget = 37 };
	struct seam_plan plan = { 0 };
	uint64_t ticket;

	add_points(0, 1, 3);
	add_points(1, 1, 3);
	open_search(samplers[_i], &p);
	ck_assert_uint_eq(explore(UINT64_MAX), 37);
	ck_assert_int_eq(next(&plan, &ticket), EXPLORE_DONE);
}
END_TEST

/* Without waiting for answers, as several replicas do. */
START_TEST(random_waits_for_nothing)
{
	struct explore_params p = { .seed = 1, .budget = 1000 };
	struct seam_plan plan = { 0 };
	uint64_t ticket, n = 0;

	open_search("random", &p);
	while (next(&plan, &ticket) == EXPLORE_PLAN)
		n++;
	ck_assert_uint_eq(n, 1000);
}
END_TEST

START_TEST(seeds)
{
	struct explore_params p = { .seed = 5 };
	struct seam_plan plan = { 0 };
	struct explore_set *set = explore_set_new();
	uint64_t ticket, i, state = 5;

	open_search("random", &p);
	for (i = 0; i < 1000; i++) {
		ck_assert_int_eq(next(&plan, &ticket), EXPLORE_PLAN);
		ck_assert_uint_eq(ticket, i);
		ck_assert_uint_eq(plan.seed, sampler_seed(5, ticket));
		ck_assert_uint_eq(plan.seed, seam_random(&state));
		ck_assert_uint_eq(explore_set_add(set, plan.seed), 0);
		ck_assert_uint_eq(plan.timeout_one_in, i % 3 == 2 ? 2 : 8);
	}
	explore_set_free(set);
}
END_TEST

START_TEST(plan_keeps_the_runners_part)
{
	struct explore_params p = { .seed = 5 };
	struct seam_plan plan = { .flags = SEAM_PLAN_MISUSE | SEAM_PLAN_STRICT |
					   SEAM_PLAN_SLEEP,
				  .server = SEAM_SERVER_LATE,
				  .max_steps = 77,
				  .forced = 3,
				  .sleep = 1,
				  .points = 2 };
	uint64_t ticket;

	open_search(samplers[_i], &p);
	ck_assert_int_eq(next(&plan, &ticket), EXPLORE_PLAN);
	ck_assert_uint_eq(plan.flags, SEAM_PLAN_MISUSE);
	ck_assert_uint_eq(plan.server, SEAM_SERVER_LATE);
	ck_assert_uint_eq(plan.max_steps, 77);
	ck_assert_uint_eq(plan.forced, 0);
	ck_assert_uint_eq(plan.sleep, 0);
	ck_assert_uint_eq(plan.points, 0);
}
END_TEST

static void
learn_run(uint64_t ticket, uint32_t decisions, uint32_t verdict)
{
	struct explore_trace t = { .decisions = decisions, .verdict = verdict };

	search->strategy->learn(search, ticket, &t);
}

START_TEST(pct_depths_and_lengths)
{
	struct explore_params p = { .seed = 1 };
	struct seam_plan plan = { 0 };
	uint64_t ticket;
	unsigned i;

	open_search("pct", &p);
	for (i = 0; i < 10; i++) {
		ck_assert_int_eq(next(&plan, &ticket), EXPLORE_PLAN);
		ck_assert_uint_eq(plan.depth, 1 + i % 5);
		ck_assert_uint_gt(plan.length, 0);
	}
	learn_run(0, 40, SEAM_VERDICT_NONE);
	learn_run(1, 30, SEAM_VERDICT_DEADLOCK);
	learn_run(2, 1000000, SEAM_VERDICT_LONG);
	learn_run(3, 1000000, SEAM_VERDICT_LIVELOCK);
	ck_assert_int_eq(next(&plan, &ticket), EXPLORE_PLAN);
	ck_assert_uint_eq(plan.length, 40);
	p.depth = 3;
	open_search("pct", &p);
	for (i = 0; i < 10; i++) {
		ck_assert_int_eq(next(&plan, &ticket), EXPLORE_PLAN);
		ck_assert_uint_eq(plan.depth, 3);
	}
}
END_TEST

/* What a plan says a thread's count is; its absence fails. */
static uint64_t
count_in(const struct seam_plan *plan, unsigned thread)
{
	uint32_t i;

	for (i = 0; i < plan->counts; i++)
		if (plan->count[i].thread == model_key(thread))
			return plan->count[i].events;
	ck_abort_msg("no count of thread %u", thread);
}

/* Objects 1 and 2 are shared, 3 and 4 are not. */
static void
make_family(void)
{
	model_peer(&program, 0, SEAM_THREAD_CREATE, 1);
	model_peer(&program, 1, SEAM_THREAD_CREATE, 2);
	add_points(0, 1, 2);
	add_points(0, 3, 5);
	add_points(1, 1, 3);
	add_points(1, 2, 1);
	add_points(2, 2, 4);
	add_points(2, 4, 1);
}

static void
check_counts(const struct seam_plan *plan, unsigned zeroth, unsigned first,
	     unsigned second)
{
	ck_assert_uint_eq(count_in(plan, 0), zeroth);
	ck_assert_uint_eq(count_in(plan, 1), first);
	ck_assert_uint_eq(count_in(plan, 2), second);
}

START_TEST(surw_profile)
{
	struct explore_params p = { .seed = 1 };
	struct explore_trace t;
	struct seam_plan plan = { 0 };
	uint64_t ticket;
	unsigned i, first = 0, all = 0;

	make_family();
	open_search("surw", &p);
	ck_assert_int_eq(next(&plan, &ticket), EXPLORE_PLAN);
	ck_assert_uint_eq(plan.strategy, SEAM_STRATEGY_RANDOM);
	run(&plan, &t);
	ck_assert_int_eq(next(&plan, &ticket), EXPLORE_WAIT);
	search->strategy->learn(search, 0, &t);
	for (i = 0; i < 300; i++) {
		ck_assert_int_eq(next(&plan, &ticket), EXPLORE_PLAN);
		ck_assert_uint_eq(plan.strategy, SEAM_STRATEGY_SURW);
		ck_assert_uint_eq(plan.counts, 3);
		if (!plan.interest) {
			all++;
			check_counts(&plan, 8 + 5 + 5, 5 + 5, 5);
		} else if (plan.interest == model_object_key(1)) {
			first++;
			check_counts(&plan, 2 + 3, 3, 0);
		} else {
			ck_assert_uint_eq(plan.interest, model_object_key(2));
			check_counts(&plan, 1 + 4, 1 + 4, 4);
		}
	}
	ck_assert_uint_gt(all, 60);
	ck_assert_uint_gt(first, 60);
	ck_assert_uint_lt(first + all, 240);
}
END_TEST

START_TEST(surw_nothing_shared)
{
	struct explore_params p = { .seed = 1, .budget = 5 };
	struct seam_plan plan = { 0 };
	uint64_t ticket;

	add_points(0, 1, 3);
	add_points(1, 2, 2);
	open_search("surw", &p);
	ck_assert_uint_eq(explore(4), 4);
	ck_assert_int_eq(next(&plan, &ticket), EXPLORE_PLAN);
	ck_assert_uint_eq(plan.interest, 0);
	ck_assert_uint_eq(count_in(&plan, 0), 3);
	ck_assert_uint_eq(count_in(&plan, 1), 2);
}
END_TEST

/* A profile run that led nowhere must not stop the others. */
START_TEST(surw_useless_profile)
{
	struct explore_params p = { .seed = 1 };
	struct seam_plan plan = { 0 };
	uint64_t ticket;

	open_search("surw", &p);
	ck_assert_int_eq(next(&plan, &ticket), EXPLORE_PLAN);
	learn_run(0, 0, SEAM_VERDICT_LONG);
	ck_assert_int_eq(next(&plan, &ticket), EXPLORE_PLAN);
	ck_assert_uint_eq(plan.counts, 0);
}
END_TEST

/* More threads and objects than there is room for. */
START_TEST(profile_is_bounded)
{
	static struct explore_thread thread[SEAM_SLOTS];
	static struct explore_object object[SEAM_SOBJECTS];
	static struct seam_step step[SEAM_SOBJECTS];
	struct explore_trace t = { .nsteps = SEAM_SOBJECTS,
				   .nthreads = SEAM_SLOTS,
				   .nobjects = SEAM_SOBJECTS,
				   .step = step,
				   .thread = thread,
				   .object = object };
	struct explore_profile *p = explore_profile_new();
	struct seam_plan plan = { 0 };
	uint32_t i;

	for (i = 0; i < SEAM_SLOTS; i++) {
		thread[i].key = model_key(i);
		thread[i].parent = (uint16_t)i;
	}
	for (i = 0; i < SEAM_SOBJECTS; i++) {
		object[i].key = model_object_key(i);
		step[i].slot = (uint16_t)(i % SEAM_SLOTS);
		step[i].op.object = i / 2 + 1;
	}
	for (i = 0; i < 3; i++)
		explore_profile_learn(p, &t);
	ck_assert_uint_gt(explore_profile_shared(p), 1000);
	explore_profile_fill(p, explore_profile_object(p, 0), &plan);
	ck_assert_uint_eq(plan.counts, SEAM_COUNTS);
	/* Both events on the first object are by the first two threads. */
	ck_assert_uint_eq(count_in(&plan, 0), 2);
	ck_assert_uint_eq(count_in(&plan, 1), 1);
	ck_assert_uint_eq(count_in(&plan, 2), 0);
	explore_profile_free(p);
}
END_TEST

/* The runs of a systematic search, and how many were different ones. */
static uint64_t
explore_delay_bounded(const struct explore_params *p, size_t *different)
{
	struct explore_set *set = explore_set_new();
	struct explore_trace t;
	struct seam_plan plan = { 0 };
	uint64_t ticket, n = 0;

	open_search("delay", p);
	while (next(&plan, &ticket) == EXPLORE_PLAN) {
		run(&plan, &t);
		search->strategy->learn(search, ticket, &t);
		explore_set_add(set, t.hash);
		ck_assert_uint_lt(++n, 100000);
	}
	*different = explore_set_size(set);
	explore_set_free(set);
	return n;
}

/* Every interleaving is one of some number of delays; there are (sum n)! /
 * prod n! of them. */
START_TEST(delay_reaches_all)
{
	static const struct {
		unsigned threads, n[4], all;
	} shapes[] = {
		{ 1, { 3 }, 1 },	{ 2, { 1, 2 }, 3 },
		{ 2, { 3, 3 }, 20 },	{ 3, { 1, 2, 3 }, 60 },
		{ 3, { 2, 2, 2 }, 90 },
	};
	struct explore_params p = { .seed = 1 };
	size_t different;
	unsigned i;

	for (i = 0; i < shapes[_i].threads; i++)
		add_points(i, 1, shapes[_i].n[i]);
	for (p.base = 1; p.base <= 4; p.base++) {
		explore_delay_bounded(&p, &different);
		ck_assert_uint_eq(different, shapes[_i].all);
	}
}
END_TEST

/* With one delay every run but the last, which says that there are no more
 * decisions, is another. */
START_TEST(delay_runs_differ)
{
	struct explore_params p = { .seed = 1, .bound = 1, .base = 1 };
	size_t different;
	uint64_t runs;

	add_points(0, 1, 10);
	add_points(1, 1, 10);
	runs = explore_delay_bounded(&p, &different);
	ck_assert_uint_eq(different, 1 + 10);
	ck_assert_uint_eq(runs, different + 1);
	/* Two: each first position wastes one. */
	p.bound = 2;
	runs = explore_delay_bounded(&p, &different);
	ck_assert_uint_le(runs, different + 1 + 11);
	ck_assert_uint_gt(different, 11 + 40);
	/* All base orders, in each round. */
	p.bound = 1;
	p.base = 0;
	ck_assert_uint_gt(explore_delay_bounded(&p, &different), 4 * 11);
}
END_TEST

/* Answers that come late, in whatever order, lose nothing. */
START_TEST(delay_with_replicas)
{
	struct explore_params p = { .seed = 1, .base = 1 };
	struct explore_set *set = explore_set_new();
	struct explore_trace t;
	struct seam_plan plan[5] = { 0 };
	uint64_t ticket[5], random = 1;
	unsigned out = 0, i;
	enum explore_next said;

	add_points(0, 1, 3);
	add_points(1, 1, 3);
	open_search("delay", &p);
	do {
		said = EXPLORE_WAIT;
		if (out < 5)
			said = next(&plan[out], &ticket[out]);
		if (said == EXPLORE_PLAN) {
			out++;
			continue;
		}
		if (!out)
			break;
		i = seam_random_below(&random, out--);
		run(&plan[i], &t);
		search->strategy->learn(search, ticket[i], &t);
		explore_set_add(set, t.hash);
		plan[i] = plan[out];
		ticket[i] = ticket[out];
	} while (said != EXPLORE_DONE || out);
	ck_assert_int_eq(said, EXPLORE_DONE);
	ck_assert_uint_eq(explore_set_size(set), 20);
	explore_set_free(set);
}
END_TEST

START_TEST(what_is_said)
{
	struct explore_params p = { .seed = 1, .depth = 3 };
	struct explore_said said;

	add_points(0, 1, 3);
	add_points(1, 1, 3);
	open_search("pct", &p);
	explore(200);
	search->strategy->say(search, &said);
	ck_assert_str_eq(said.state, "pct d=3, k=5");
	ck_assert(!said.exhaustive);
	p.bound = 1;
	open_search("delay", &p);
	explore(1000);
	search->strategy->say(search, &said);
	ck_assert_str_eq(said.state, "delay D=1");
	ck_assert(!said.exhaustive);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sampler");
	TCase *t = tcase_create("sampler");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, rows);
	tcase_add_loop_test(t, as_many_as_the_budget, 0, SAMPLERS);
	tcase_add_test(t, random_waits_for_nothing);
	tcase_add_test(t, seeds);
	tcase_add_loop_test(t, plan_keeps_the_runners_part, 0, SAMPLERS);
	tcase_add_test(t, pct_depths_and_lengths);
	tcase_add_test(t, surw_profile);
	tcase_add_test(t, surw_nothing_shared);
	tcase_add_test(t, surw_useless_profile);
	tcase_add_test(t, profile_is_bounded);
	tcase_add_loop_test(t, delay_reaches_all, 0, 5);
	tcase_add_test(t, delay_runs_differ);
	tcase_add_test(t, delay_with_replicas);
	tcase_add_test(t, what_is_said);
	suite_add_tcase(s, t);
	return suite_run(s);
}
