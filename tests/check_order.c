/* SPDX-License-Identifier: MIT */
/* Orders and gates, with machines of two phases (programs/phases.c). */
#include <limits.h>
#include <seam_check.h>
#include <stdbool.h>
#include <time.h>

#include "driver.h"
#include "suite.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LATER 20000 /* of waits that must not take that long */

static void
start(const char *alias, const char *what, const char *how)
{
	char path[PATH_MAX];
	const char *dir = getenv("SEAM_TEST_PROGRAMS");

	ck_assert_ptr_nonnull(dir);
	snprintf(path, sizeof(path), "%s/phases", dir);
	ck_seam(seam_startl(SESSION, alias, path, what, "log", how, NULL));
}

/* What the machines have done so far. */
static void
expect_steps(const char *want)
{
	char path[100], line[32], steps[200] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", place);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (*steps)
			strcat(steps, " ");
		strcat(steps, line);
	}
	if (f)
		fclose(f);
	ck_assert_str_eq(steps, want);
}

/* "a1": before the lock of A's first phase. */
static void
pause_phase(const char *id)
{
	char selector[80];

	if (!strchr("ab", id[0]) || !strchr("12", id[1]))
		return;
	snprintf(selector, sizeof(selector), "mutex.lock obj=%s_lock proc=%c",
		 id[1] == '1' ? "first" : "second", id[0] - 'a' + 'A');
	ck_seam(seam_pause(SESSION, id, selector));
}

static seam_order *
give(const char *const *ids, size_t n)
{
	seam_order *order = NULL;

	for (size_t i = 0; i < n; i++)
		pause_phase(ids[i]);
	ck_seam(seam_order_new(SESSION, &order, ids, n));
	ck_assert_ptr_nonnull(order);
	return order;
}
#define ORDER(...)                                                             \
	give((const char *const[]){ __VA_ARGS__ },                             \
	     COUNT(((const char *const[]){ __VA_ARGS__ })))

static void
start_both(void)
{
	start("A", "a", NULL);
	start("B", "b", NULL);
}

static void
expect_next(seam_order *order, const char *id)
{
	struct seam_stop stop;

	ck_seam(seam_next(order, &stop, SEAM_DEFAULT));
	ck_assert_str_eq(stop.id, id);
}

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* It cannot come about, and that is said long before the time is over. */
static void
expect_never(seam_order *order)
{
	struct seam_stop stop;
	double since = seconds();

	ck_assert_int_eq(seam_next(order, &stop, LATER), SEAM_E_FAILED);
	ck_assert_str_eq(stop.id, "");
	ck_assert(seconds() - since < LATER / 2000.0);
}

/* Three orders of two machines, as pyvaldi's own tests have them. */

START_TEST(first_finishes_then_second_starts)
{
	seam_order *order;

	ck_seam(seam_pause(SESSION, "end",
			   "mutex.unlock obj=second_lock proc=A when=after"));
	ck_seam(seam_pause(SESSION, "begin", "mutex.lock proc=B once"));
	order = ORDER("end", "begin");
	start_both();
	expect_steps("");
	expect_next(order, "end");
	expect_steps("a1 a2");
	expect_next(order, "begin");
	expect_steps("a1 a2 a.");
	ck_seam(seam_finish(order, SEAM_DEFAULT));
	expect_steps("a1 a2 a. b1 b2 b.");
	seam_order_free(order);
}
END_TEST

START_TEST(phase_by_phase)
{
	seam_order *order;

	order = ORDER("a1", "b1", "a2", "b2");
	start_both();
	expect_next(order, "a1");
	expect_steps("");
	expect_next(order, "b1");
	expect_steps("a1");
	expect_next(order, "a2");
	expect_steps("a1 b1");
	expect_next(order, "b2");
	expect_steps("a1 b1 a2 a.");
	ck_seam(seam_finish(order, SEAM_DEFAULT));
	expect_steps("a1 b1 a2 a. b2 b.");
	seam_order_free(order);
}
END_TEST

/* The other way round: the one started last begins. */
START_TEST(past_its_last_one_runs_to_its_end)
{
	seam_order *order;

	order = ORDER("b2", "a2");
	start_both();
	expect_next(order, "b2");
	expect_steps("b1");
	expect_next(order, "a2");
	expect_steps("b1 b2 b. a1");
	ck_seam(seam_expect_exit(SESSION, "B", 0, 0));
	ck_seam(seam_finish(order, SEAM_DEFAULT));
	expect_steps("b1 b2 b. a1 a2 a.");
	seam_order_free(order);
}
END_TEST

/* While it is followed. */

static void
expect_thread(const char *name, const char *state, const char *op)
{
	struct seam_thread_info *list;
	size_t n, i;

	ck_seam(seam_threads(SESSION, &list, &n));
	for (i = 0; i < n && strcmp(list[i].thread, name) != 0; i++)
		;
	ck_assert_msg(i < n, "no %s", name);
	ck_assert_str_eq(list[i].state, state);
	ck_assert_str_eq(list[i].op, op);
	free(list);
}

static bool
is_parked(const char *id)
{
	return seam_expect_parked(SESSION, id) == SEAM_OK;
}

START_TEST(not_started_before_the_first_next)
{
	seam_order *order;

	order = ORDER("a1", "b1");
	start_both();
	ck_seam(seam_wait(SESSION, "order:A", NULL, SEAM_DEFAULT));
	ck_seam(seam_wait(SESSION, "order:B", NULL, SEAM_DEFAULT));
	expect_thread("P1.T0", "parked", "thread.start");
	expect_thread("P2.T0", "parked", "thread.start");
	expect_next(order, "a1");
	expect_thread("P1.T0", "parked", "mutex.lock");
	expect_thread("P2.T0", "parked", "thread.start");
	seam_order_free(order);
}
END_TEST

START_TEST(what_was_reached)
{
	struct seam_stop stop;
	seam_order *order;

	order = ORDER("b2");
	start_both();
	ck_seam(seam_next(order, &stop, SEAM_DEFAULT));
	ck_assert_str_eq(stop.id, "b2");
	ck_assert_str_eq(stop.thread, "P2.T0");
	ck_assert_str_eq(stop.op, "mutex.lock");
	ck_assert_str_eq(stop.object, "second_lock");
	ck_assert(!strncmp(stop.at, "second_phase phases.c:", 22));
	ck_assert(is_parked("b2"));
	seam_order_free(order);
}
END_TEST

START_TEST(skipping)
{
	struct seam_stop stop;
	seam_order *order;

	order = ORDER("a1", "b1", "a2", "b2");
	start_both();
	ck_seam(seam_next_to(order, "a2", &stop, SEAM_DEFAULT));
	ck_assert_str_eq(stop.id, "a2");
	expect_steps("a1 b1");
	ck_assert_int_eq(seam_next_to(order, "b1", &stop, SEAM_DEFAULT),
			 SEAM_E_NO_SUCH_OBJECT);
	expect_message("'b1'");
	expect_next(order, "b2");
	seam_order_free(order);
}
END_TEST

START_TEST(the_end_is_no_error)
{
	struct seam_stop stop = { .id = "?" };
	seam_order *order;

	order = ORDER("a1", "b1");
	start_both();
	ck_seam(seam_finish(order, SEAM_DEFAULT));
	expect_steps("a1 a2 a. b1 b2 b.");
	ck_seam(seam_finish(order, SEAM_DEFAULT));
	ck_assert_int_eq(seam_next(order, &stop, SEAM_DEFAULT), SEAM_E_GONE);
	ck_assert_str_eq(stop.id, "");
	ck_seam(seam_finish(order, SEAM_DEFAULT));
	seam_order_free(order);
}
END_TEST

START_TEST(next_at_the_end_runs_to_the_end)
{
	struct seam_stop stop;
	seam_order *order;

	order = ORDER("a2");
	start("A", "a", NULL);
	expect_next(order, "a2");
	ck_assert_int_eq(seam_next(order, &stop, SEAM_DEFAULT), SEAM_E_GONE);
	expect_steps("a1 a2 a.");
	seam_order_free(order);
}
END_TEST

START_TEST(the_same_twice)
{
	struct seam_stop stop;
	seam_order *order;

	ck_seam(seam_pause(SESSION, "lock", "mutex.lock proc=A"));
	order = ORDER("lock", "lock");
	start("A", "a", NULL);
	ck_seam(seam_next(order, &stop, SEAM_DEFAULT));
	ck_assert_str_eq(stop.object, "first_lock");
	ck_seam(seam_next(order, &stop, SEAM_DEFAULT));
	ck_assert_str_eq(stop.object, "second_lock");
	ck_seam(seam_finish(order, SEAM_DEFAULT));
	seam_order_free(order);
}
END_TEST

/* One that is not ahead any more holds nobody up. */
START_TEST(passed_checkpoints_let_pass)
{
	seam_order *order;

	ck_seam(seam_pause(SESSION, "lock", "mutex.lock proc=A"));
	ck_seam(seam_pause(SESSION, "later",
			   "mutex.lock obj=later_lock"
			   " proc=A"));
	order = ORDER("lock", "later");
	start("A", "a", "long");
	expect_next(order, "lock");
	expect_next(order, "later");
	expect_steps("a1 a2");
	ck_seam(seam_finish(order, SEAM_DEFAULT));
	expect_steps("a1 a2 a+ a.");
	seam_order_free(order);
}
END_TEST

/* A thread that comes too early stays there until it is due. */
START_TEST(too_early)
{
	seam_order *order;

	ck_seam(seam_pause(SESSION, "one", "mutex.lock obj=first_lock"));
	ck_seam(seam_pause(SESSION, "two", "mutex.lock obj=second_lock"));
	order = ORDER("two", "one");
	start("M", "meet", NULL);
	expect_next(order, "two");
	expect_steps("");
	expect_next(order, "one");
	expect_steps("two2");
	ck_seam(seam_finish(order, SEAM_DEFAULT));
	expect_steps("two2 one1");
	seam_order_free(order);
}
END_TEST

/* One waits for what two has, gets it, and stays there with it until it is its
 * turn. */
START_TEST(threads_as_targets)
{
	seam_order *order;
	seam_session *s = SESSION;

	ck_seam(seam_pause(s, "o1", "mutex.lock obj=first_lock thread=M.T0.1"));
	ck_seam(
	    seam_pause(s, "o2", "mutex.lock obj=second_lock thread=M.T0.1"));
	ck_seam(seam_pause(s, "t1", "mutex.lock obj=first_lock thread=M.T0.2"));
	ck_seam(
	    seam_pause(s, "t2", "mutex.lock obj=second_lock thread=M.T0.2"));
	order = ORDER("t1", "o1", "t2", "o2");
	start("M", "both", NULL);
	expect_next(order, "t1");
	expect_steps("");
	expect_next(order, "o1");
	expect_steps("two1");
	ck_seam(seam_finish(order, SEAM_DEFAULT));
	expect_steps("two1 two2 two. one1 one2 one.");
	seam_order_free(order);
}
END_TEST

START_TEST(freed_lets_all_go)
{
	seam_order *order;

	order = ORDER("a1", "b1", "a2", "b2");
	start_both();
	expect_next(order, "a1");
	seam_order_free(order);
	/* They are pauses still. */
	ck_seam(seam_wait(SESSION, "a2", NULL, SEAM_DEFAULT));
	ck_seam(seam_delete(SESSION, "all"));
	ck_seam(seam_expect_exit(SESSION, "A", 0, SEAM_DEFAULT));
	ck_seam(seam_expect_exit(SESSION, "B", 0, SEAM_DEFAULT));
	order = NULL;
	seam_order_free(order);
}
END_TEST

/* Orders that cannot come about. */

START_TEST(ended_before)
{
	seam_order *order;

	order = ORDER("a1", "a2");
	start("A", "a", "short");
	expect_next(order, "a1");
	expect_never(order);
	expect_message("checkpoint a2 (mutex.lock obj=second_lock proc=A)");
	expect_message("P1 (A) has ended with status 0");
	seam_order_free(order);
}
END_TEST

START_TEST(in_its_own_way)
{
	seam_order *order;

	order = ORDER("a2", "a1");
	start("A", "a", NULL);
	expect_never(order);
	expect_message("checkpoint a2");
	expect_message("P1.T0 is parked by a1 before mutex.lock for "
		       "first_lock");
	seam_order_free(order);
}
END_TEST

START_TEST(held_up)
{
	seam_order *order;

	order = ORDER("a1", "a2");
	start("A", "a", NULL);
	expect_next(order, "a1");
	ck_seam(seam_hold(SESSION, "mine", "first_lock", SEAM_DEFAULT));
	expect_never(order);
	expect_message("checkpoint a2");
	expect_message("held by the session (mine)");
	ck_seam(seam_release(SESSION, "mine"));
	expect_next(order, "a2");
	seam_order_free(order);
}
END_TEST

START_TEST(never_started)
{
	struct seam_stop stop;
	seam_order *order;

	order = ORDER("a1");
	ck_assert_int_eq(seam_next(order, &stop, 20), SEAM_E_FAILED);
	expect_message("after 20 ms");
	expect_message("checkpoint a1");
	start("A", "a", NULL);
	expect_next(order, "a1");
	seam_order_free(order);
}
END_TEST

START_TEST(refused)
{
	const char *const unknown[] = { "a1", "a9" }, *const held[] = { "h" };
	const char *const a1[] = { "a1" };
	seam_order *order, *second;

	pause_phase("a1");
	ck_assert_int_eq(seam_order_new(SESSION, &order, unknown, 2),
			 SEAM_E_NO_SUCH_OBJECT);
	expect_message("'a9'");
	ck_assert_ptr_null(order);
	ck_assert_int_eq(seam_order_new(SESSION, &order, a1, 0), SEAM_E_SYNTAX);
	ck_seam(seam_fail(SESSION, "h", "mutex.lock", 11, 1));
	ck_assert_int_eq(seam_order_new(SESSION, &order, held, 1),
			 SEAM_E_UNSUPPORTED);
	ck_seam(seam_order_new(SESSION, &order, a1, 1));
	ck_assert_int_eq(seam_order_new(SESSION, &second, a1, 1),
			 SEAM_E_UNSUPPORTED);
	seam_order_free(order);
	ck_seam(seam_order_new(SESSION, &second, a1, 1));
	seam_order_free(second);
}
END_TEST

/* Gates. */

static void
expect_reply(const char *line, const char *part)
{
	char *reply = NULL;

	ck_seam(seam_command(SESSION, line, &reply));
	ck_assert_msg(strstr(reply, part), "no '%s' in: %s", part, reply);
	free(reply);
}

START_TEST(gathered)
{
	struct seam_stop stop;

	ck_seam(seam_gate(SESSION, "g", 2, "mutex.lock thread=M.*"));
	start("M", "both", NULL);
	ck_seam(seam_wait(SESSION, "g", &stop, SEAM_DEFAULT));
	ck_assert_str_eq(stop.id, "g");
	expect_steps("");
	expect_reply("wait g", "n=2");
	expect_reply("release g", "released=2");
	/* And once more, before the second phase. */
	expect_reply("wait g", "n=2");
	ck_seam(seam_delete(SESSION, "g"));
	ck_seam(seam_expect_exit(SESSION, "M", 0, SEAM_DEFAULT));
}
END_TEST

START_TEST(too_few)
{
	ck_seam(seam_gate(SESSION, "g", 3, "mutex.lock thread=M.*"));
	start("M", "both", NULL);
	ck_seam(seam_wait_quiescent(SESSION, SEAM_DEFAULT));
	ck_assert_int_eq(seam_wait(SESSION, "g", NULL, 20), SEAM_E_TIMEOUT);
	expect_message("2 of 3 stood at g");
	ck_assert_int_eq(seam_gate(SESSION, "h", 0, "mutex.lock"),
			 SEAM_E_SYNTAX);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		first_finishes_then_second_starts,
		phase_by_phase,
		past_its_last_one_runs_to_its_end,
		not_started_before_the_first_next,
		what_was_reached,
		skipping,
		the_end_is_no_error,
		next_at_the_end_runs_to_the_end,
		the_same_twice,
		passed_checkpoints_let_pass,
		too_early,
		threads_as_targets,
		freed_lets_all_go,
		ended_before,
		in_its_own_way,
		held_up,
		never_started,
		refused,
		gathered,
		too_few,
	};
	Suite *suite = suite_create("order");
	TCase *tc = suite_add_tests(suite, "order", tests, COUNT(tests));

	tcase_add_checked_fixture(tc, place_setup, place_teardown);
	return suite_run(suite);
}
