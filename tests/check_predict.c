/* SPDX-License-Identifier: MIT */
/* The order of locks, over programs in memory, against all their runs. */
#include <stdlib.h>
#include <string.h>

#include "explore/lockorder.h"
#include "explore/systematic.h"
#include "model_program.h"
#include "suite.h"

#define LOCKS 4
#define PROGRAMS 4000

static struct seam_forced *forced;

static void
setup(void)
{
	forced = calloc(SEAM_STEPS, sizeof(*forced));
}

static void
teardown(void)
{
	free(forced);
}

/* All that there is: does any run end in a deadlock? */
static bool
deadlocks(const struct program *p)
{
	struct explore_params params = { .seed = 1 };
	struct explore_search *s = explore_dpor.open(&params);
	struct explore_trace t = { 0 };
	enum explore_next next;
	bool any = false;
	uint64_t ticket;

	for (;;) {
		struct seam_plan plan = { 0 };

		next = explore_dpor.next(s, &plan, forced, &ticket);
		if (next != EXPLORE_PLAN)
			break;
		program_run(p, &plan, forced, &t);
		any |= t.verdict == SEAM_VERDICT_DEADLOCK;
		explore_dpor.learn(s, ticket, &t);
	}
	ck_assert_int_eq(next, EXPLORE_DONE);
	explore_dpor.close(s);
	program_clear(&t);
	return any;
}

struct cycles {
	unsigned n, longest, ordered;
};

static void
count(void *arg, const struct lockorder_cycle *c)
{
	struct cycles *cycles = arg;

	cycles->n++;
	cycles->ordered += c->ordered;
	if (c->n > cycles->longest)
		cycles->longest = c->n;
}

/* Of one run in which each thread goes on as long as it can. */
static struct cycles
predict(const struct program *p)
{
	struct lockorder *o = lockorder_new();
	struct explore_trace t = { 0 };
	struct seam_plan plan = { .strategy = SEAM_STRATEGY_FOLLOW };
	struct cycles cycles = { 0 };

	program_run(p, &plan, forced, &t);
	ck_assert_int_eq(t.verdict, SEAM_VERDICT_NONE);
	ck_assert(lockorder_learn(o, &t, NULL, 1, count, &cycles));
	program_clear(&t);
	lockorder_free(o);
	return cycles;
}

/* Locks of ascending depth, let go in the opposite order; two or three times
 * in a row. */
static void
random_locks(struct program *p, unsigned thread, uint64_t *random)
{
	unsigned times = 1 + seam_random_below(random, 2);

	while (times--) {
		unsigned held[LOCKS], n = 0;
		unsigned depth = 1 + seam_random_below(random, 3);

		while (n < depth) {
			unsigned lock = 1 + seam_random_below(random, LOCKS);
			unsigned i = 0;

			while (i < n && held[i] != lock)
				i++;
			if (i < n)
				break;
			program_do(p, thread, SEAM_MUTEX_LOCK, lock);
			held[n++] = lock;
		}
		while (n--)
			program_do(p, thread, SEAM_MUTEX_UNLOCK, held[n]);
	}
}

/* A deadlock is predicted from a run without one, and what is predicted is
 * there: programs that do nothing but lock have no other order. */
static void
agrees(unsigned threads, uint64_t seed, unsigned *found)
{
	struct program *p = program_new(threads, true);
	uint64_t random = seed;
	struct cycles cycles;

	for (unsigned t = 1; t <= threads; t++)
		random_locks(p, t, &random);
	cycles = predict(p);
	ck_assert_msg((cycles.n > 0) == deadlocks(p),
		      "%u threads, seed %llu: %u cycles", threads,
		      (unsigned long long)seed, cycles.n);
	*found += cycles.n > 0;
	free(p);
}

START_TEST(two_threads)
{
	unsigned found = 0;

	for (uint64_t seed = 1; seed <= PROGRAMS; seed++)
		agrees(2, seed, &found);
	ck_assert_uint_gt(found, PROGRAMS / 20);
	ck_assert_uint_lt(found, PROGRAMS);
}
END_TEST

START_TEST(three_threads)
{
	unsigned found = 0;

	for (uint64_t seed = 1; seed <= PROGRAMS / 4; seed++)
		agrees(3, seed, &found);
	ck_assert_uint_gt(found, PROGRAMS / 40);
}
END_TEST

static void
lock_in_order(struct program *p, unsigned thread, unsigned n,
	      const unsigned *lock)
{
	for (unsigned i = 0; i < n; i++)
		program_do(p, thread, SEAM_MUTEX_LOCK, lock[i]);
	while (n--)
		program_do(p, thread, SEAM_MUTEX_UNLOCK, lock[n]);
}

/* n threads, each with its lock and its neighbour's; a gate around, or not. */
static struct cycles
ring(unsigned n, bool gated)
{
	struct program *p = program_new(n, true);
	struct cycles cycles;

	for (unsigned t = 1; t <= n; t++) {
		unsigned with[] = { n + 1, t, t % n + 1 };

		if (gated)
			lock_in_order(p, t, 3, with);
		else
			lock_in_order(p, t, 2, with + 1);
	}
	cycles = predict(p);
	free(p);
	return cycles;
}

START_TEST(rings)
{
	for (unsigned n = 2; n <= LOCKORDER_CYCLE; n++) {
		struct cycles cycles = ring(n, false);

		ck_assert_uint_eq(cycles.n, 1);
		ck_assert_uint_eq(cycles.longest, n);
		ck_assert_uint_eq(cycles.ordered, 0);
		ck_assert_uint_eq(ring(n, true).n, 0);
	}
	ck_assert_uint_eq(ring(LOCKORDER_CYCLE + 1, false).n, 0);
}
END_TEST

/* One after the other, by a semaphore: known to be ordered in that run only. */
START_TEST(posts_order)
{
	const unsigned forth[] = { 1, 2 }, back[] = { 2, 1 };
	struct program *p = program_new(2, true);
	struct cycles cycles;

	lock_in_order(p, 1, 2, forth);
	program_do(p, 1, SEAM_SEM_POST, 3);
	program_do(p, 2, SEAM_SEM_WAIT, 3);
	lock_in_order(p, 2, 2, back);
	cycles = predict(p);
	ck_assert_uint_eq(cycles.n, 1);
	ck_assert_uint_eq(cycles.ordered, 1);
	ck_assert(!deadlocks(p));
	free(p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("predict");
	TCase *c = tcase_create("lock order");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 600);
	tcase_add_test(c, two_threads);
	tcase_add_test(c, three_threads);
	tcase_add_test(c, rings);
	tcase_add_test(c, posts_order);
	suite_add_tcase(s, c);
	return suite_run(s);
}
