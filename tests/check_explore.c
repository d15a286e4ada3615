/* SPDX-License-Identifier: MIT */
/* The systematic searches, over programs in memory. */
#include <check.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "depend.h"
#include "explore/systematic.h"
#include "model_program.h"

#define MOST_RUNS 200000
#define BRUTE 5000 /* runs of brute force that are enough */

/* What a search made of a program. */
struct found {
	unsigned runs, complete, classes, twice, deadlocks, asleep, waits;
	uint64_t deadlocked; /* sum of the classes that end so */
	uint64_t all;	     /* sum of the classes */
	struct explore_said said;
};

static struct seam_forced *forced;

struct out {
	struct seam_plan plan;
	uint64_t ticket;
	struct explore_trace trace;
};

static void
count(struct found *f, struct explore_set *seen, const struct explore_trace *t)
{
	uint64_t class = explore_class(t);

	f->runs++;
	if (t->verdict == SEAM_VERDICT_ASLEEP) {
		f->asleep++;
		return;
	}
	f->complete++;
	ck_assert_int_ne(t->verdict, SEAM_VERDICT_DIVERGED);
	if (explore_set_add(seen, class)) {
		f->twice++;
		return;
	}
	f->all += class;
	f->classes++;
	if (t->verdict == SEAM_VERDICT_DEADLOCK) {
		f->deadlocks++;
		f->deadlocked += class;
	}
}

/* With up to `many` plans out; they come back in a mixed order. */
static struct found
explore_with(const struct explore_strategy *strategy, const struct program *p,
	     unsigned many, unsigned most, unsigned bound)
{
	struct explore_params params = { .seed = 1, .bound = bound };
	struct explore_search *s = strategy->open(&params);
	struct explore_set *seen = explore_set_new();
	struct found f = { 0 };
	static struct out out[9];
	unsigned n = 0;
	uint64_t random = 42;

	for (;;) {
		enum explore_next what = EXPLORE_WAIT;
		unsigned i;

		memset(&out[n].plan, 0, sizeof(out[n].plan));
		if (n < many && f.runs + n < most)
			what = strategy->next(s, &out[n].plan, forced,
					      &out[n].ticket);
		if (what == EXPLORE_PLAN) {
			program_run(p, &out[n].plan, forced, &out[n].trace);
			n++;
			continue;
		}
		f.waits += what == EXPLORE_WAIT;
		if (!n) {
			ck_assert(what == EXPLORE_DONE || f.runs >= most);
			break;
		}
		i = seam_random_below(&random, n);
		count(&f, seen, &out[i].trace);
		strategy->learn(s, out[i].ticket, &out[i].trace);
		if (i != --n) {
			struct out last = out[n];

			out[n] = out[i];
			out[i] = last;
		}
	}
	strategy->say(s, &f.said);
	strategy->close(s);
	explore_set_free(seen);
	for (n = 0; n < 8; n++)
		program_clear(&out[n].trace);
	return f;
}

static struct found
explore(const struct explore_strategy *strategy, const struct program *p)
{
	return explore_with(strategy, p, 1, MOST_RUNS, 0);
}

static void
lock(struct program *p, unsigned thread, unsigned mutex)
{
	program_do(p, thread, SEAM_MUTEX_LOCK, mutex);
}

static void
unlock(struct program *p, unsigned thread, unsigned mutex)
{
	program_do(p, thread, SEAM_MUTEX_UNLOCK, mutex);
}

static struct program *
pairs(unsigned threads, unsigned k)
{
	struct program *p = program_new(threads, true);
	unsigned t, i;

	for (t = 1; t <= threads; t++)
		for (i = 0; i < k; i++) {
			lock(p, t, 1);
			unlock(p, t, 1);
		}
	return p;
}

START_TEST(dpor_counts)
{
	static const struct {
		unsigned threads, k, classes;
	} want[] = { { 2, 1, 2 },   { 2, 2, 6 }, { 2, 4, 70 },
		     { 2, 5, 252 }, { 3, 1, 6 }, { 3, 2, 90 } };
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct program *p = pairs(want[i].threads, want[i].k);
		struct found f = explore(&explore_dpor, p);

		ck_assert_uint_eq(f.classes, want[i].classes);
		ck_assert_uint_eq(f.runs, want[i].classes);
		ck_assert(f.said.exhaustive);
		f = explore(&explore_dpor_source, p);
		ck_assert_uint_eq(f.classes, want[i].classes);
		ck_assert_uint_eq(f.complete, want[i].classes);
		ck_assert(f.said.exhaustive);
		free(p);
	}
}
END_TEST

static struct program *
points(unsigned n, const unsigned *each)
{
	struct program *p = program_new(n, true);
	unsigned t, i;

	for (t = 1; t <= n; t++)
		for (i = 0; i < each[t - 1]; i++)
			program_do(p, t, SEAM_POINT, t);
	return p;
}

START_TEST(exhaustive_counts)
{
	static const struct {
		unsigned n, each[4], runs;
	} want[] = {
		{ 1, { 1 }, 1 },	   { 2, { 1, 1 }, 2 },
		{ 2, { 1, 2 }, 3 },	   { 2, { 2, 2 }, 6 },
		{ 2, { 3, 2 }, 10 },	   { 2, { 3, 3 }, 20 },
		{ 3, { 2, 2, 2 }, 90 },	   { 3, { 1, 2, 3 }, 60 },
		{ 4, { 1, 1, 1, 1 }, 24 }, { 3, { 3, 3, 3 }, 1680 },
	};
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct program *p = points(want[i].n, want[i].each);
		struct found f = explore(&explore_exhaustive, p);

		ck_assert_uint_eq(f.runs, want[i].runs);
		ck_assert_uint_eq(f.classes, want[i].runs);
		ck_assert(f.said.exhaustive);
		f = explore(&explore_dpor, p);
		ck_assert_uint_eq(f.classes, want[i].runs);
		f = explore_with(&explore_exhaustive, p, 4, MOST_RUNS, 0);
		ck_assert_uint_eq(f.runs, want[i].runs);
		free(p);
	}
}
END_TEST

static struct program *
philosophers(unsigned n)
{
	struct program *p = program_new(n, true);
	unsigned t;

	for (t = 1; t <= n; t++) {
		lock(p, t, t);
		lock(p, t, t % n + 1);
		unlock(p, t, t % n + 1);
		unlock(p, t, t);
	}
	return p;
}

/* With one condition for both roles, as the bug has it, or with two. */
static struct program *
buffer(unsigned producers, unsigned consumers, unsigned conds, bool timed)
{
	struct program *p = program_new(producers + consumers, true);
	unsigned t;

	for (t = 1; t <= producers + consumers; t++) {
		bool takes = t > producers;
		struct program_op *wait;

		lock(p, t, 1);
		if (takes) /* while (!full) wait */
			program_unless_less(p, t, 0, 1, 3);
		else
			program_if_less(p, t, 0, 1, 3);
		/* The wait is one operation, whatever it is done by. */
		wait = program_do(p, t, SEAM_COND_WAIT,
				  2 + (takes ? conds - 1 : 0));
		wait->second = 1;
		wait->flags = timed ? SEAM_OP_TIMED : 0;
		program_if_less(p, t, 7, 1, -3);
		program_add(p, t, 6, 0);
		program_add(p, t, 0, takes ? -1 : 1);
		program_do(p, t, SEAM_COND_SIGNAL, 2 + (takes ? 0 : conds - 1));
		unlock(p, t, 1);
	}
	return p;
}

/* All classes of brute force, each once by dpor, at least once by
 * dpor-source, and the same deadlocks.  False: too large for brute force. */
static bool
agree(const struct program *p)
{
	struct found brute = explore_with(&explore_exhaustive, p, 1, BRUTE, 0);
	struct found f;

	if (brute.runs >= BRUTE)
		return false;
	ck_assert(brute.said.exhaustive);
	ck_assert_uint_eq(brute.asleep, 0);
	f = explore(&explore_dpor_source, p);
	ck_assert_uint_eq(f.classes, brute.classes);
	ck_assert(f.all == brute.all);
	ck_assert(f.deadlocked == brute.deadlocked);
	ck_assert(f.said.exhaustive);
	f = explore(&explore_dpor, p);
	ck_assert_uint_eq(f.classes, brute.classes);
	ck_assert(f.all == brute.all);
	ck_assert(f.deadlocked == brute.deadlocked);
	ck_assert(f.said.exhaustive);
	ck_assert_uint_eq(f.twice, 0);
	ck_assert_uint_eq(f.asleep, 0);
	return true;
}

START_TEST(dpor_philosophers)
{
	unsigned n;

	for (n = 2; n <= 4; n++) {
		struct program *p = philosophers(n);
		struct found source = explore(&explore_dpor_source, p);
		struct found f = explore(&explore_dpor, p);

		ck_assert_uint_eq(f.deadlocks, 1);
		/* An acyclic orientation of the ring for each meal, or the
		 * deadlock. */
		ck_assert_uint_eq(f.runs, f.classes);
		ck_assert_uint_eq(source.classes, f.classes);
		ck_assert(source.all == f.all);
		if (n == 2)
			ck_assert(agree(p));
		free(p);
	}
}
END_TEST

START_TEST(dpor_buffer)
{
	struct program *p = buffer(1, 1, 1, false);
	struct found f;

	ck_assert(agree(p));
	free(p);
	p = buffer(1, 1, 2, false);
	ck_assert(agree(p));
	f = explore(&explore_dpor, p);
	ck_assert_uint_eq(f.deadlocks, 0);
	free(p);
	p = buffer(2, 2, 1, false);
	f = explore(&explore_dpor, p);
	ck_assert_uint_eq(f.twice + f.asleep, 0);
	free(p);
}
END_TEST

/* Random programs: every kind of operation, two or three threads. */
enum { MUTEX = 1, OTHER, RW, SEM, COND, BARRIER };

static void
random_op(struct program *p, unsigned t, uint64_t *random)
{
	unsigned m = MUTEX + seam_random_below(random, 2);
	bool timed = !seam_random_below(random, 3);
	struct program_op *op;

	switch (seam_random_below(random, 12)) {
	case 0:
	case 1:
		op = program_do(p, t, SEAM_MUTEX_LOCK, m);
		op->flags = timed ? SEAM_OP_TIMED : 0;
		op->skip = 1;
		unlock(p, t, m);
		break;
	case 2:
		lock(p, t, MUTEX);
		lock(p, t, OTHER);
		unlock(p, t, OTHER);
		unlock(p, t, MUTEX);
		break;
	case 3:
		lock(p, t, OTHER);
		lock(p, t, MUTEX);
		unlock(p, t, MUTEX);
		unlock(p, t, OTHER);
		break;
	case 4:
		program_do(p, t, SEAM_MUTEX_TRYLOCK, m)->skip = 1;
		unlock(p, t, m);
		break;
	case 5:
		program_do(p, t,
			   timed ? SEAM_RWLOCK_TRYRDLOCK : SEAM_RWLOCK_RDLOCK,
			   RW)
		    ->skip = 1;
		program_do(p, t, SEAM_RWLOCK_UNLOCK, RW);
		break;
	case 6:
		program_do(p, t,
			   timed ? SEAM_RWLOCK_TRYWRLOCK : SEAM_RWLOCK_WRLOCK,
			   RW)
		    ->skip = 1;
		program_do(p, t, SEAM_RWLOCK_UNLOCK, RW);
		break;
	case 7:
		program_do(p, t, SEAM_SEM_POST, SEM);
		break;
	case 8:
		program_do(p, t, SEAM_SEM_WAIT, SEM)->flags =
		    timed ? SEAM_OP_TIMED : 0;
		break;
	case 9:
		program_do(p, t, SEAM_SEM_TRYWAIT, SEM);
		break;
	case 10:
		lock(p, t, MUTEX);
		op = program_do(p, t, SEAM_COND_WAIT, COND);
		op->second = MUTEX;
		op->flags = seam_random_below(random, 2) ? SEAM_OP_TIMED : 0;
		unlock(p, t, MUTEX);
		break;
	default:
		if (seam_random_below(random, 2))
			lock(p, t, MUTEX);
		else
			program_do(p, t, SEAM_MUTEX_CONSISTENT, OTHER);
		program_do(p, t, timed ? SEAM_COND_BROADCAST : SEAM_COND_SIGNAL,
			   COND);
		break;
	}
}

static struct program *
random_program(uint64_t seed)
{
	uint64_t random = seed;
	unsigned threads = 2 + seam_random_below(&random, 2), t, i, n;
	struct program *p =
	    program_new(threads, seam_random_below(&random, 4) != 0);

	p->count[SEM] = (int)seam_random_below(&random, 3);
	p->counts = true;
	for (t = 1; t <= threads; t++) {
		n = 1 + seam_random_below(&random, threads == 2 ? 3 : 2);
		for (i = 0; i < n; i++)
			random_op(p, t, &random);
	}
	return p;
}

START_TEST(random_programs)
{
	uint64_t seed;
	unsigned judged = 0;

	for (seed = 1; seed <= 200; seed++) {
		struct program *p = random_program(seed);

		judged += agree(p);
		free(p);
	}
	ck_assert_uint_gt(judged, 80);
}
END_TEST

/* Several plans out at a time: the same classes, hardly any of them twice. */
START_TEST(several_out)
{
	uint64_t seed;
	unsigned many;

	for (seed = 1; seed <= 60; seed++) {
		struct program *p = random_program(seed);
		struct found one = explore(&explore_dpor, p);

		for (many = 2; many <= 4; many += 2) {
			struct found f =
			    explore_with(&explore_dpor, p, many, MOST_RUNS, 0);

			ck_assert(f.all == one.all);
			ck_assert_uint_le(f.runs, one.runs + one.runs / 20);
			f = explore_with(&explore_dpor_source, p, many,
					 MOST_RUNS, 0);
			ck_assert(f.all == one.all);
			ck_assert(f.deadlocked == one.deadlocked);
		}
		free(p);
	}
}
END_TEST

static uint32_t
preemptions(const struct explore_trace *t)
{
	uint32_t i, n = 0;

	for (i = 1; i < t->nsteps; i++)
		n += t->step[i].slot != t->step[i - 1].slot &&
		     ((t->step[i].enabled >> t->step[i - 1].slot) & 1);
	return n;
}

/* How many schedules have so many preemptions; each is seen once. */
static void
count_preemptions(const struct explore_strategy *strategy,
		  const struct program *p, unsigned bound, unsigned count[8])
{
	struct explore_params params = { .bound = bound };
	struct explore_search *s = strategy->open(&params);
	struct explore_set *seen = explore_set_new();
	struct explore_trace t = { 0 };
	struct seam_plan plan;
	uint64_t ticket;
	uint32_t last = 0;

	memset(count, 0, 8 * sizeof(count[0]));
	memset(&plan, 0, sizeof(plan));
	while (strategy->next(s, &plan, forced, &ticket) == EXPLORE_PLAN) {
		uint32_t n;

		program_run(p, &plan, forced, &t);
		n = preemptions(&t);
		ck_assert_uint_eq(explore_set_add(seen, t.hash), 0);
		ck_assert(strategy == &explore_exhaustive || n >= last);
		last = n;
		if (n < 8)
			count[n]++;
		strategy->learn(s, ticket, &t);
	}
	strategy->close(s);
	explore_set_free(seen);
	program_clear(&t);
}

START_TEST(preempt_bounds)
{
	struct program *p = pairs(2, 2);
	unsigned all[8], some[8], c;

	count_preemptions(&explore_exhaustive, p, 0, all);
	ck_assert_uint_gt(all[0], 0);
	count_preemptions(&explore_preempt, p, 0, some);
	for (c = 0; c < 8; c++)
		ck_assert_uint_eq(some[c], all[c]);
	count_preemptions(&explore_preempt, p, 2, some);
	for (c = 0; c < 8; c++)
		ck_assert_uint_eq(some[c], c <= 2 ? all[c] : 0);
	free(p);
}
END_TEST

/* A random schedule, as forced choices; returns how many. */
static uint32_t
wander(const struct program *p, uint64_t *random, struct explore_trace *t)
{
	struct seam_plan plan = { 0 };

	for (;;) {
		uint64_t can;
		uint16_t slot;
		unsigned n;

		program_run(p, &plan, forced, t);
		if (plan.forced >= t->nsteps)
			return t->nsteps;
		can = t->step[plan.forced].enabled |
		      t->step[plan.forced].timeouts;
		n = seam_random_below(random,
				      (uint32_t)__builtin_popcountll(can));
		while (n--)
			can &= can - 1;
		slot = (uint16_t)__builtin_ctzll(can);
		forced[plan.forced++] =
		    (struct seam_forced){ t->thread[slot].key, SEAM_HOWS, 0 };
	}
}

/* Independent neighbours can be swapped: it goes on as before, and the class
 * is the same.  If they depend on each other, it is not. */
START_TEST(class_of_swaps)
{
	uint64_t seed, random = 3;
	unsigned same = 0, other = 0;
	struct explore_trace t = { 0 }, swapped = { 0 };

	for (seed = 1; seed <= 300; seed++) {
		struct program *p = random_program(seed);
		uint32_t n = wander(p, &random, &t), i;
		uint64_t class = explore_class(&t);

		for (i = 0; i + 1 < n; i++) {
			struct seam_plan plan = { .flags = SEAM_PLAN_STRICT,
						  .forced = n };
			const struct seam_step *a = &t.step[i], *b = a + 1;
			struct seam_forced f = forced[i];
			bool depend =
			    seam_dependent(&a->op, a->slot, &b->op, b->slot);

			if (a->slot == b->slot)
				continue;
			forced[i] = forced[i + 1];
			forced[i + 1] = f;
			program_run(p, &plan, forced, &swapped);
			if (!depend) {
				ck_assert_int_ne(swapped.verdict,
						 SEAM_VERDICT_DIVERGED);
				ck_assert(explore_class(&swapped) == class);
				same++;
			} else if (swapped.verdict != SEAM_VERDICT_DIVERGED &&
				   swapped.nsteps == n) {
				ck_assert(explore_class(&swapped) != class);
				other++;
			}
			forced[i + 1] = forced[i];
			forced[i] = f;
		}
		free(p);
	}
	ck_assert_uint_gt(same, 300);
	ck_assert_uint_gt(other, 10);
	program_clear(&t);
	program_clear(&swapped);
}
END_TEST

START_TEST(sets)
{
	struct explore_set *s = explore_set_new();
	uint64_t i;

	for (i = 0; i < 10000; i++)
		ck_assert_uint_eq(explore_set_add(s, i << 32), 0);
	for (i = 0; i < 10000; i += 2)
		ck_assert_uint_eq(explore_set_add(s, i << 32), 1);
	for (i = 0; i < 10000; i += 4)
		ck_assert_uint_eq(explore_set_add(s, i << 32), 2);
	ck_assert_uint_eq(explore_set_size(s), 10000);
	ck_assert_uint_eq(explore_set_times(s, 1), 5000);
	ck_assert_uint_eq(explore_set_times(s, 2), 2500);
	explore_set_free(s);
}
END_TEST

/* Every thread arrives twice; the last to arrive lets the others go. */
START_TEST(dpor_barrier)
{
	struct program *p = program_new(3, true);
	struct found f;
	unsigned t;

	p->among[BARRIER] = 3;
	for (t = 1; t <= 3; t++) {
		program_do(p, t, SEAM_BARRIER_WAIT, BARRIER);
		if (t < 3)
			program_do(p, t, SEAM_MUTEX_CONSISTENT, OTHER);
	}
	/* The orders of arrival, and of what comes after. */
	f = explore(&explore_dpor, p);
	ck_assert_uint_eq(f.classes, 6 * 2);
	ck_assert_uint_eq(f.runs, 6 * 2);
	free(p);
	p = program_new(2, true);
	p->among[BARRIER] = 2;
	for (t = 1; t <= 2; t++) {
		program_do(p, t, SEAM_BARRIER_WAIT, BARRIER);
		program_do(p, t, SEAM_MUTEX_CONSISTENT, OTHER);
		program_do(p, t, SEAM_BARRIER_WAIT, BARRIER);
	}
	ck_assert(agree(p));
	ck_assert_uint_eq(explore(&explore_dpor, p).classes, 2 * 2 * 2);
	free(p);
}
END_TEST

/* A semaphore whose count is not told: maybe runs too many, none too few. */
START_TEST(counts_unknown)
{
	uint64_t seed;

	for (seed = 1; seed <= 100; seed++) {
		struct program *p = random_program(seed);
		struct found known = explore(&explore_dpor, p), f;

		p->counts = false;
		f = explore(&explore_dpor, p);
		ck_assert(f.all == known.all);
		ck_assert(f.deadlocked == known.deadlocked);
		f = explore(&explore_dpor_source, p);
		ck_assert(f.all == known.all);
		free(p);
	}
}
END_TEST

START_TEST(too_many_threads)
{
	struct program *p = program_new(SEAM_MASKED, true);
	struct found f = explore(&explore_dpor, p);

	ck_assert_uint_eq(f.runs, 1);
	ck_assert(!f.said.exhaustive);
	ck_assert_ptr_nonnull(strstr(f.said.state, "more than 64 threads"));
	free(p);
}
END_TEST

START_TEST(estimates)
{
	static const unsigned after[] = { 20, 60, 120 };
	struct program *p = pairs(2, 5);
	size_t i;

	for (i = 0; i < 3; i++) {
		struct found f = explore_with(&explore_dpor, p, 1, after[i], 0);

		ck_assert_uint_eq(f.runs, after[i]);
		ck_assert(!f.said.exhaustive);
		ck_assert_double_ge(f.said.estimate, 252 / 4.0);
		ck_assert_double_le(f.said.estimate, 252 * 4.0);
	}
	free(p);
}
END_TEST

/* What is kept is as much as a run is long, not as many as there were. */
START_TEST(memory)
{
	struct program *p = pairs(2, 8);
	struct explore_params params = { 0 };
	struct explore_search *s = explore_dpor.open(&params);
	struct explore_trace t = { 0 };
	struct seam_plan plan = { 0 };
	size_t early = 0, most = 0;
	unsigned runs = 0;
	uint64_t ticket;

	while (explore_dpor.next(s, &plan, forced, &ticket) == EXPLORE_PLAN) {
		size_t used = mallinfo2().uordblks;

		program_run(p, &plan, forced, &t);
		explore_dpor.learn(s, ticket, &t);
		if (++runs < 100)
			early = used > early ? used : early;
		most = used > most ? used : most;
	}
	ck_assert_uint_eq(runs, 12870);
	ck_assert_uint_lt(most, early + 256 * 1024);
	explore_dpor.close(s);
	program_clear(&t);
	free(p);
}
END_TEST

/* Through with dpor, then some samples; or too much for it. */
START_TEST(automatic)
{
	struct program *p = pairs(2, 2);
	struct found f = explore(&explore_auto, p);

	ck_assert(f.said.exhaustive);
	ck_assert_uint_eq(f.classes, 6);
	ck_assert_uint_ge(f.runs, 200);
	ck_assert_uint_le(f.runs, 210);
	free(p);
	p = pairs(6, 4);
	f = explore_with(&explore_auto, p, 4, MOST_RUNS, 0);
	ck_assert(!f.said.exhaustive);
	ck_assert_uint_eq(f.runs, 1000);
	ck_assert_ptr_nonnull(strstr(f.said.state, "too many"));
	free(p);
	p = philosophers(4);
	f = explore_with(&explore_auto, p, 2, MOST_RUNS, 0);
	ck_assert_uint_eq(f.deadlocks, 1);
	ck_assert(f.said.exhaustive);
	free(p);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("explore");
	TCase *t = tcase_create("searches");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, dpor_counts);
	tcase_add_test(t, exhaustive_counts);
	tcase_add_test(t, dpor_philosophers);
	tcase_add_test(t, dpor_buffer);
	tcase_add_test(t, dpor_barrier);
	tcase_add_test(t, random_programs);
	tcase_add_test(t, several_out);
	tcase_add_test(t, counts_unknown);
	tcase_add_test(t, preempt_bounds);
	tcase_add_test(t, class_of_swaps);
	tcase_add_test(t, sets);
	tcase_add_test(t, too_many_threads);
	tcase_add_test(t, estimates);
	tcase_add_test(t, memory);
	tcase_add_test(t, automatic);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	forced = malloc(SEAM_STEPS * sizeof(*forced));
	if (!forced)
		return 2;
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	free(forced);
	return failed != 0;
}
