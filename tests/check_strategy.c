/* SPDX-License-Identifier: MIT */
/* The strategies of the preload, over models: what they pick, and how well
 * they sample. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "suite.h"

#define SEEDS 2000

static struct model *model;
static struct model_program program;

static void
setup(void)
{
	model = model_new();
	memset(&program, 0, sizeof(program));
}

static void
teardown(void)
{
	model_free(model);
}

static struct seam_plan *
plan(uint32_t strategy)
{
	struct seam_plan *p = &model->sched->plan;

	*p = (struct seam_plan){ .strategy = strategy, .seed = 1 };
	return p;
}

static void
run(uint64_t seed)
{
	model->sched->plan.seed = seed;
	model_run(model, &program);
	ck_assert_ptr_null(model->wrong);
}

static void
add_points(unsigned thread, unsigned object, unsigned n)
{
	while (n--)
		model_add(&program, thread, SEAM_POINT, object, 0);
}

/* Which step the n-th of a thread on an object is, both numbered from 0. */
static uint32_t
step_of(unsigned thread, unsigned object, unsigned n)
{
	uint32_t i;

	for (i = 0; i < model->sched->steps; i++)
		if (model_who(model, i) == thread &&
		    model->sched->step[i].op.object == object && n-- == 0)
			return i;
	ck_abort_msg("thread %u has no such step on %u", thread, object);
}

/* Locks, semaphores, conditions, creation: four threads. */
static void
make_mixed(void)
{
	unsigned i;

	for (i = 1; i < 4; i++)
		model_peer(&program, 0, SEAM_THREAD_CREATE, i);
	for (i = 1; i < 4; i++) {
		model_add(&program, i, SEAM_MUTEX_LOCK, 1, 0);
		if (i == 2)
			model_add(&program, i, SEAM_COND_WAIT, 2, 1);
		model_add(&program, i, SEAM_MUTEX_UNLOCK, 1, 0);
		model_add(&program, i, SEAM_SEM_POST, 3, 0);
		model_add(&program, i, SEAM_POINT, 3 + i, 0);
	}
	for (i = 1; i < 4; i++)
		model_add(&program, 0, SEAM_SEM_WAIT, 3, 0);
	model_add(&program, 0, SEAM_COND_BROADCAST, 2, 0);
	for (i = 1; i < 4; i++)
		model_peer(&program, 0, SEAM_THREAD_JOIN, i);
}

/* A plan with which each strategy has something to do. */
static void
busy_plan(uint32_t strategy, const struct model_program *p)
{
	struct seam_plan *to = plan(strategy);
	unsigned i;

	to->depth = 4;
	to->length = 20;
	to->base = 2;
	to->points = 3;
	to->point[0] = to->point[1] = 2;
	to->point[2] = 5;
	to->counts = p->threads < SEAM_COUNTS ? p->threads : SEAM_COUNTS;
	for (i = 0; i < to->counts; i++) {
		to->count[i].thread = model_key(i);
		to->count[i].events = p->thread[i].n;
	}
}

START_TEST(same_seed_same_picks)
{
	uint64_t seed, first;
	unsigned i;

	make_mixed();
	busy_plan((uint32_t)_i, &program);
	for (seed = 1; seed <= 5; seed++) {
		run(seed);
		first = model->sched->hash;
		for (i = 0; i < 200; i++) {
			run(seed);
			ck_assert_uint_eq(model->sched->hash, first);
		}
	}
}
END_TEST

START_TEST(seeds_differ)
{
	uint64_t seed, last = 0;
	unsigned changes = 0;

	make_mixed();
	busy_plan((uint32_t)_i, &program);
	for (seed = 1; seed <= 100; seed++) {
		run(seed);
		changes += model->sched->hash != last;
		last = model->sched->hash;
	}
	if (_i == SEAM_STRATEGY_FOLLOW || _i == SEAM_STRATEGY_DELAY)
		ck_assert_uint_eq(changes, 1);
	else
		ck_assert_uint_gt(changes, 50);
}
END_TEST

static void
make_arbitrary(uint64_t *random)
{
	unsigned threads = 2 + seam_random_below(random, 6);
	unsigned i, j, n;

	memset(&program, 0, sizeof(program));
	for (i = 0; i < threads; i++) {
		n = 1 + seam_random_below(random, 6);
		for (j = 0; j < n; j++) {
			unsigned lock = 1 + seam_random_below(random, 3);

			model_add(&program, i, SEAM_MUTEX_LOCK, lock, 0);
			add_points(i, 4 + seam_random_below(random, 3), 1);
			if (seam_random_below(random, 4) == 0)
				model_add(&program, i, SEAM_COND_WAIT, 7, lock);
			if (seam_random_below(random, 3) == 0)
				model_add(&program, i, SEAM_COND_SIGNAL, 7, 0);
			model_add(&program, i, SEAM_MUTEX_UNLOCK, lock, 0);
		}
	}
}

/* model_run says whether a pick was none of the candidates. */
START_TEST(picks_candidates)
{
	uint64_t random = 7;
	unsigned i;

	for (i = 0; i < 500; i++) {
		make_arbitrary(&random);
		busy_plan((uint32_t)_i, &program);
		run(i);
		ck_assert_uint_gt(model->sched->steps, 0);
	}
}
END_TEST

START_TEST(all_slots)
{
	unsigned i, steps = 0;

	for (i = 0; i < SEAM_SLOTS; i++) {
		add_points(i, 1 + i % 8, 3);
		steps += 3;
	}
	busy_plan((uint32_t)_i, &program);
	run(11);
	ck_assert_uint_eq(model->sched->steps, steps);
	ck_assert_uint_eq(model->live, 0);
}
END_TEST

START_TEST(follow_makes_no_preemption)
{
	add_points(0, 1, 4);
	add_points(1, 1, 4);
	plan(SEAM_STRATEGY_FOLLOW);
	run(1);
	ck_assert_uint_eq(step_of(1, 1, 0), 4);
}
END_TEST

/* All of thread 1 between two points of thread 0, with a third thread that
 * matters to nobody: one ordered pair on either side, depth 2. */
static bool
hits_depth_2(void)
{
	return step_of(0, 1, 4) < step_of(1, 1, 0) &&
	       step_of(1, 1, 3) < step_of(0, 1, 5);
}

/* Back and forth once more: depth 3. */
static bool
hits_depth_3(void)
{
	return step_of(0, 1, 2) < step_of(1, 1, 0) &&
	       step_of(1, 1, 1) < step_of(0, 1, 3) &&
	       step_of(0, 1, 5) < step_of(1, 1, 2);
}

static unsigned
pct_hits(unsigned depth, bool (*hits)(void), double *bound)
{
	struct seam_plan *p = plan(SEAM_STRATEGY_PCT);
	uint32_t length = 0;
	unsigned found = 0, d;
	uint64_t seed;

	p->depth = depth;
	for (seed = 0; seed < 100; seed++) {
		run(seed);
		if (model->sched->decisions > length)
			length = model->sched->decisions;
	}
	p->length = length;
	for (seed = 0; seed < SEEDS; seed++) {
		run(seed);
		found += hits();
	}
	*bound = 1.0 / program.threads;
	for (d = 1; d < depth; d++)
		*bound /= length;
	return found;
}

static void
check_bound(unsigned depth, bool (*hits)(void))
{
	double bound;
	unsigned found = pct_hits(depth, hits, &bound);

	ck_assert_msg(found >= bound * SEEDS,
		      "depth %u: %u of %u, the bound is %.1f", depth, found,
		      SEEDS, bound * SEEDS);
	/* Without the change points it is out of reach. */
	ck_assert_uint_eq(pct_hits(depth - 1, hits, &bound), 0);
}

/* Of relaxed replay: sorted pairs, by thread and by its steps. */
START_TEST(switches_are_found)
{
	static const struct seam_forced pairs[] = {
		{ 10, 1, 0 }, { 20, 0, 0 }, { 10, 7, 0 },
		{ 30, 0, 0 }, { 20, 2, 0 }, { 10, 1, 0 },
	};
	struct seam_sched *s = model->sched;

	memcpy(s->forced, pairs, sizeof(pairs));
	s->plan.forced = 6;
	s->plan.flags = SEAM_PLAN_RELAXED;
	s->slot[3].key = 10;
	s->slot[4].key = 20;
	s->slot[3].steps = 7;
	ck_assert_ptr_eq(seam_switch_at(s, 3), &s->forced[3]);
	s->slot[3].steps = 1;
	ck_assert_ptr_eq(seam_switch_at(s, 3), &s->forced[1]);
	s->slot[3].steps = 2;
	ck_assert_ptr_null(seam_switch_at(s, 3));
	s->slot[4].steps = 2;
	ck_assert_ptr_eq(seam_switch_at(s, 4), &s->forced[5]);
	ck_assert_ptr_null(seam_switch_at(s, SEAM_NOBODY));
	s->plan.forced = 4;
	ck_assert_ptr_null(seam_switch_at(s, 4));
	s->plan.forced = 6;
	s->plan.flags = 0;
	ck_assert_ptr_null(seam_switch_at(s, 4));
}
END_TEST

START_TEST(pct_depth_2)
{
	add_points(0, 1, 8);
	add_points(1, 1, 4);
	add_points(2, 2, 4);
	check_bound(2, hits_depth_2);
}
END_TEST

START_TEST(pct_depth_3)
{
	add_points(0, 1, 6);
	add_points(1, 1, 4);
	add_points(2, 2, 3);
	check_bound(3, hits_depth_3);
}
END_TEST

/* The order of the steps on an object, as the digits of their threads. */
static unsigned
order_on(unsigned object)
{
	unsigned order = 0;
	uint32_t i;

	for (i = 0; i < model->sched->steps; i++)
		if (model->sched->step[i].op.object == object)
			order = order * program.threads + model_who(model, i);
	return order;
}

#define ORDERS 6561

/* Pearson's chi squared against uniformity over `of` orders. */
static double
chi_squared(unsigned runs, unsigned of, unsigned *seen)
{
	static unsigned times[ORDERS];
	double expected = (double)runs / of, sum = 0;
	uint64_t seed;
	unsigned i;

	memset(times, 0, sizeof(times));
	for (seed = 0; seed < runs; seed++) {
		run(seed);
		i = order_on(1);
		ck_assert_uint_lt(i, ORDERS);
		times[i]++;
	}
	*seen = 0;
	for (i = 0; i < ORDERS; i++)
		if (times[i]) {
			double off = times[i] - expected;

			++*seen;
			sum += off * off / expected;
		}
	return sum + (of - *seen) * expected;
}

/* Two threads with two events each that race, and others between, of which
 * one thread has more. */
static void
make_two_by_two(void)
{
	unsigned i, j;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < 4; j++)
			model_add(&program, 0, SEAM_SEM_POST, 2, 0);
		add_points(0, 1, 1);
		model_add(&program, 1, SEAM_SEM_POST, 3, 0);
		add_points(1, 1, 1);
	}
}

START_TEST(pos_more_uniform_than_random)
{
	double random, pos;
	unsigned seen;

	make_two_by_two();
	plan(SEAM_STRATEGY_RANDOM);
	random = chi_squared(SEEDS, 6, &seen);
	plan(SEAM_STRATEGY_POS);
	pos = chi_squared(SEEDS, 6, &seen);
	ck_assert_uint_eq(seen, 6);
	ck_assert_msg(pos < random * 0.7, "chi squared: pos %.0f, random %.0f",
		      pos, random);
}
END_TEST

static void
make_counts(uint64_t interest)
{
	struct seam_plan *p = plan(SEAM_STRATEGY_SURW);
	unsigned i, j;

	p->counts = program.threads;
	p->interest = interest ? model_object_key(1) : 0;
	for (i = 0; i < program.threads; i++) {
		const struct model_thread *t = &program.thread[i];

		p->count[i].thread = model_key(i);
		for (j = 0; j < t->n; j++)
			p->count[i].events += !interest || t->op[j].object == 1;
	}
}

/* 99.9 % points of chi squared with 5 and 59 degrees of freedom. */
START_TEST(surw_is_uniform)
{
	double chi;
	unsigned seen;

	make_two_by_two();
	make_counts(1);
	chi = chi_squared(SEEDS, 6, &seen);
	ck_assert_uint_eq(seen, 6);
	ck_assert_msg(chi < 20.5, "chi squared %.1f", chi);

	memset(&program, 0, sizeof(program));
	add_points(0, 1, 1);
	add_points(1, 1, 2);
	add_points(2, 1, 3);
	make_counts(0);
	chi = chi_squared(3 * SEEDS, 60, &seen);
	ck_assert_uint_eq(seen, 60);
	ck_assert_msg(chi < 98.3, "chi squared %.1f", chi);
}
END_TEST

#define SETTERS 20

/* The setters do a, then b; the last thread, which is created after them,
 * sees both: wrong if it comes between some a and all of the bs. */
static void
make_reorder(void)
{
	unsigned i;

	for (i = 1; i <= SETTERS + 1; i++) {
		model_peer(&program, 0, SEAM_THREAD_CREATE, i);
		add_points(i, 2, 1);
		add_points(i, 1, 1);
	}
}

static bool
hits_reorder(void)
{
	uint32_t a = step_of(SETTERS + 1, 2, 0), b = step_of(SETTERS + 1, 1, 0);
	bool some = false;
	unsigned i;

	for (i = 1; i <= SETTERS; i++) {
		some |= step_of(i, 2, 0) < a;
		if (step_of(i, 1, 0) < b)
			return false;
	}
	return some;
}

static unsigned
count_hits(unsigned runs, bool (*hits)(void))
{
	unsigned found = 0;
	uint64_t seed;

	for (seed = 0; seed < runs; seed++) {
		run(seed);
		found += hits();
	}
	return found;
}

START_TEST(surw_among_many)
{
	unsigned found;

	make_reorder();
	make_counts(1);
	/* Of its descendants too: see plan.count. */
	model->sched->plan.count[0].events = SETTERS + 1;
	found = count_hits(1000, hits_reorder);
	ck_assert_msg(found >= 20, "%u of 1000", found);
	plan(SEAM_STRATEGY_RANDOM);
	ck_assert_uint_eq(count_hits(1000, hits_reorder), 0);
}
END_TEST

/* Slot 0 is intended and waits, by an endless loop that is not interesting,
 * for what slot 1 would do. */
START_TEST(surw_does_not_hold_forever)
{
	const struct seam_strategy *surw = seam_strategy_of(SEAM_STRATEGY_SURW);
	struct seam_sched *s = model->sched;
	unsigned i, picks = 0;

	plan(SEAM_STRATEGY_SURW)->interest = model_object_key(1);
	s->sobject[0].key = model_object_key(1);
	s->plan.counts = 1;
	s->plan.count[0].events = 1000000;
	s->slot[1].key = 1;
	s->slot[1].op.object = 1;
	for (i = 0; i < 2; i++) {
		surw->arrived(s, (uint16_t)i);
		model->among.slot[i] = (uint16_t)i;
	}
	model->among.n = 2;
	while (surw->pick(s, &model->among, 0) == 0) {
		surw->arrived(s, 0);
		ck_assert_uint_lt(++picks, 10000);
	}
	ck_assert_uint_gt(picks, 100);
}
END_TEST

static void
check_delay(uint32_t base, uint32_t points, uint32_t first, uint32_t second,
	    const char *expected)
{
	struct seam_plan *p = plan(SEAM_STRATEGY_DELAY);
	char got[64];
	uint32_t i;

	p->base = base;
	p->points = points;
	p->point[0] = first;
	p->point[1] = second;
	run(1);
	ck_assert_uint_lt(model->sched->steps, sizeof(got));
	for (i = 0; i < model->sched->steps; i++)
		got[i] = (char)('a' + model_who(model, i));
	got[i] = 0;
	ck_assert_str_eq(got, expected);
}

START_TEST(delay_skips)
{
	add_points(0, 1, 2);
	add_points(1, 1, 2);
	add_points(2, 1, 2);
	check_delay(0, 0, 0, 0, "aabbcc");
	check_delay(1, 0, 0, 0, "aaccbb");
	check_delay(0, 1, 0, 0, "bbccaa");
	check_delay(0, 1, 1, 0, "abbcca");
	check_delay(0, 2, 0, 0, "ccaabb");
	check_delay(0, 2, 0, 1, "bccaab");
	check_delay(0, 2, 1, 99, "abbcca");
}
END_TEST

START_TEST(delay_children_first)
{
	model_peer(&program, 0, SEAM_THREAD_CREATE, 1);
	model_peer(&program, 0, SEAM_THREAD_CREATE, 2);
	add_points(1, 1, 1);
	add_points(2, 1, 1);
	check_delay(0, 0, 0, 0, "aabc");
	check_delay(2, 0, 0, 0, "abac");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("strategy");
	TCase *t = tcase_create("strategy");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, same_seed_same_picks, 0, SEAM_STRATEGIES);
	tcase_add_loop_test(t, seeds_differ, 0, SEAM_STRATEGIES);
	tcase_add_loop_test(t, picks_candidates, 0, SEAM_STRATEGIES);
	tcase_add_loop_test(t, all_slots, 0, SEAM_STRATEGIES);
	tcase_add_test(t, follow_makes_no_preemption);
	tcase_add_test(t, pct_depth_2);
	tcase_add_test(t, pct_depth_3);
	tcase_add_test(t, pos_more_uniform_than_random);
	tcase_add_test(t, surw_is_uniform);
	tcase_add_test(t, surw_among_many);
	tcase_add_test(t, surw_does_not_hold_forever);
	tcase_add_test(t, switches_are_found);
	tcase_add_test(t, delay_skips);
	tcase_add_test(t, delay_children_first);
	suite_add_tcase(s, t);
	return suite_run(s);
}
