/* SPDX-License-Identifier: MIT */
/* Runs as their switches: what relaxed replay and shrinking are made of. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "explore/switches.h"
#include "suite.h"

#define A 100 /* the threads' keys */
#define B 200

static struct seam_step step[16];
static struct explore_thread thread[2] = { { .key = A }, { .key = B } };
static struct explore_trace trace = { .nthreads = 2,
				      .step = step,
				      .thread = thread };

/* "aabBa": who does a step; a capital letter: by a timeout; "y": thread a
 * gives way.  All can always go on, but for whoever is in `blocked` then. */
static void
make(const char *who, const char *blocked)
{
	memset(step, 0, sizeof(step));
	trace.nsteps = (uint32_t)strlen(who);
	for (uint32_t i = 0; i < trace.nsteps; i++) {
		struct seam_step *s = &step[i];

		s->slot = who[i] == 'b' || who[i] == 'B';
		s->op.verb = SEAM_MUTEX_LOCK;
		s->op.how = who[i] == 'A' || who[i] == 'B' ? SEAM_HOW_TIMEOUT :
							     SEAM_HOW_DONE;
		s->op.flags = who[i] == 'y' ? SEAM_OP_YIELD : 0;
		s->enabled = blocked[i] == 'a' ? 2 : blocked[i] == 'b' ? 1 : 3;
	}
}

static void
expect(const struct explore_switches *s, uint32_t i, uint64_t from, uint32_t at,
       uint64_t to, uint8_t how, bool preempts)
{
	ck_assert_uint_lt(i, s->n);
	ck_assert_uint_eq(s->v[i].from, from);
	ck_assert_uint_eq(s->v[i].at, at);
	ck_assert_uint_eq(s->v[i].to, to);
	ck_assert_uint_eq(s->v[i].how, how);
	ck_assert_int_eq(s->v[i].preempts, preempts);
}

START_TEST(are_of_a_run)
{
	struct explore_switches s;

	make("aabbBa", "-----b");
	ck_assert(explore_switches_of(&s, &trace));
	ck_assert_uint_eq(s.n, 3);
	expect(&s, 0, A, 2, B, SEAM_HOW_DONE, true);
	expect(&s, 1, B, 2, B, SEAM_HOW_TIMEOUT, false);
	expect(&s, 2, B, 3, A, SEAM_HOW_DONE, false);
	explore_switches_clear(&s);
}
END_TEST

/* Fairness may pass it over, so that going on is a choice. */
START_TEST(stays_after_yields)
{
	struct explore_switches s;

	make("yyaab", "-----");
	ck_assert(explore_switches_of(&s, &trace));
	ck_assert_uint_eq(s.n, 3);
	expect(&s, 0, A, 2, A, SEAM_HOW_DONE, false);
	expect(&s, 1, A, 3, A, SEAM_HOW_DONE, false);
	expect(&s, 2, A, 4, B, SEAM_HOW_DONE, true);
	explore_switches_clear(&s);
	/* One that gives way is not preempted. */
	make("yb", "--");
	ck_assert(explore_switches_of(&s, &trace));
	ck_assert_uint_eq(s.n, 1);
	expect(&s, 0, A, 1, B, SEAM_HOW_DONE, false);
	explore_switches_clear(&s);
}
END_TEST

START_TEST(make_a_plan)
{
	static const bool keep[] = { true, false, true };
	struct seam_plan plan = { .flags =
				      SEAM_PLAN_STRICT | SEAM_PLAN_MISUSE };
	struct seam_forced forced[8];
	struct explore_switches s;

	make("abbaaab", "-------");
	ck_assert(explore_switches_of(&s, &trace));
	ck_assert_uint_eq(s.n, 3);
	explore_switches_plan(&s, NULL, &plan, forced);
	ck_assert_uint_eq(plan.forced, 6);
	ck_assert_uint_eq(plan.flags, SEAM_PLAN_RELAXED | SEAM_PLAN_MISUSE);
	/* Sorted by thread, then by its steps. */
	ck_assert(forced[0].thread == A && forced[0].how == 1);
	ck_assert(forced[1].thread == B);
	ck_assert(forced[2].thread == A && forced[2].how == 4);
	ck_assert(forced[4].thread == B && forced[4].how == 2);
	ck_assert(forced[5].thread == A);
	explore_switches_plan(&s, keep, &plan, forced);
	ck_assert_uint_eq(plan.forced, 4);
	ck_assert(forced[2].thread == A && forced[2].how == 4);
	explore_switches_clear(&s);
}
END_TEST

/* What was left of them in another run, in its order. */
START_TEST(are_used)
{
	struct explore_switches s;

	make("aabbab", "------");
	ck_assert(explore_switches_of(&s, &trace));
	ck_assert_uint_eq(s.n, 3);
	make("aabbba", "------");
	ck_assert(explore_switches_used(&s, &trace));
	ck_assert_uint_eq(s.n, 1);
	expect(&s, 0, A, 2, B, SEAM_HOW_DONE, true);
	explore_switches_clear(&s);
}
END_TEST

START_TEST(are_of_moves)
{
	static const struct explore_move move[] = {
		{ 0, SEAM_HOW_DONE, false },
		{ 1, SEAM_HOW_DONE, false },
		{ 1, SEAM_HOWS, false },
		{ 0, SEAM_HOW_DONE, false },
	};
	struct explore_switches s;

	make("abba", "----");
	ck_assert(explore_switches_of_moves(&s, &trace, move, 4));
	ck_assert_uint_eq(s.n, 3);
	expect(&s, 0, A, 1, B, SEAM_HOW_DONE, false);
	expect(&s, 1, B, 1, B, SEAM_HOWS, false);
	expect(&s, 2, B, 2, A, SEAM_HOW_DONE, false);
	explore_switches_clear(&s);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { are_of_a_run, stays_after_yields,
				       make_a_plan, are_used, are_of_moves };
	Suite *s = suite_create("switches");

	suite_add_tests(s, "switches", tests, sizeof(tests) / sizeof(tests[0]));
	return suite_run(s);
}
