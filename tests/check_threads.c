/* SPDX-License-Identifier: MIT */
/* Threads of a test, and crashes, with programs/leavers.c. */
#include <limits.h>
#include <seam_check.h>
#include <sys/utsname.h>
#include <time.h>

#include "driver.h"
#include "suite.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *
leavers(void)
{
	static char path[PATH_MAX];
	const char *dir = getenv("SEAM_TEST_PROGRAMS");

	ck_assert_ptr_nonnull(dir);
	snprintf(path, sizeof(path), "%s/leavers", dir);
	return path;
}

static void
start_it(const char *alias)
{
	ck_seam(seam_startl(SESSION, alias, leavers(), NULL));
}

static void
tell(const char *line)
{
	char text[64];

	snprintf(text, sizeof(text), "%s\n", line);
	ck_seam(seam_send(SESSION, "L", text));
}

/* Tells, and waits until it is done. */
static void
have(const char *done, const char *line)
{
	tell(line);
	ck_seam(seam_wait_output(SESSION, "L", done, NULL, SEAM_DEFAULT));
}

static void
expect_reply(const char *line, const char *part)
{
	char *reply = NULL;

	ck_seam(seam_command(SESSION, line, &reply));
	ck_assert_msg(strstr(reply, part), "no '%s' in: %s", part, reply);
	free(reply);
}

static size_t
left(uint64_t mark, struct seam_thread_info *first)
{
	struct seam_thread_info *list;
	size_t n;

	ck_seam(seam_left_behind(SESSION, mark, &list, &n));
	if (n && first)
		*first = list[0];
	free(list);
	return n;
}

/* Accounts. */

START_TEST(since_a_mark)
{
	struct seam_thread_info info;
	uint64_t before = seam_mark(SESSION), mark;

	start_it("L");
	ck_assert_uint_eq(left(before, NULL), 0);
	have("started early", "start early");
	mark = seam_mark(SESSION);
	ck_assert_uint_gt(mark, before);
	ck_assert_uint_eq(left(mark, NULL), 0);
	ck_assert_uint_eq(left(before, NULL), 1);
	have("started late", "start late");
	ck_assert_uint_eq(left(mark, &info), 1);
	ck_assert_str_eq(info.thread, "P1.T0.2");
	ck_assert_str_eq(info.name, "late");
	ck_assert(!strncmp(info.created, "start_one leavers.c:", 20));
	/* What ends does not count against those since the mark. */
	have("ended early", "end early");
	ck_assert_uint_eq(left(mark, NULL), 1);
	have("ended late", "end late");
	ck_assert_uint_eq(left(before, NULL), 0);
}
END_TEST

/* However many have come and gone. */
START_TEST(ended_ones_do_not_count)
{
	static const char *const start[] = { "start a", "start b", "start c" };
	static const char *const started[] = { "started a", "started b",
					       "started c" };
	static const char *const end[] = { "end a", "end b", "end c" };
	uint64_t mark = 0;

	start_it("L");
	for (size_t i = 0; i < COUNT(start); i++) {
		have(started[i], start[i]);
		mark = seam_mark(SESSION);
		tell(end[i]);
		ck_seam(seam_join(SESSION, mark, 0));
		ck_seam(seam_join(SESSION, 0, SEAM_DEFAULT));
	}
	ck_assert_uint_gt(mark, COUNT(start));
}
END_TEST

START_TEST(joining)
{
	struct timespec since, now;
	uint64_t mark;

	start_it("L");
	mark = seam_mark(SESSION);
	have("started one", "start one");
	have("started two", "start two");
	clock_gettime(CLOCK_MONOTONIC, &since);
	ck_assert_int_eq(seam_join(SESSION, mark, 20), SEAM_E_TIMEOUT);
	clock_gettime(CLOCK_MONOTONIC, &now);
	/* For each of them. */
	ck_assert_int_ge((now.tv_sec - since.tv_sec) * 1000000000 +
			     now.tv_nsec - since.tv_nsec,
			 40000000);
	expect_message("2 threads are still alive after 20 ms each");
	expect_message("P1.T0.1 (one)");
	expect_message("P1.T0.2 (two)");
	expect_message("created at start_one leavers.c:");
	expect_reply("join since=0 check=no timeout=10", "rows=2");
	have("ended one", "end one");
	ck_assert_int_eq(seam_join(SESSION, mark, 20), SEAM_E_TIMEOUT);
	expect_message("1 thread is still alive");
	tell("end two");
	ck_seam(seam_join(SESSION, mark, SEAM_DEFAULT));
}
END_TEST

/* Crashes. */

/* The thread "bad" crashes while main waits for it. */
static void
let_crash(const char *how)
{
	char line[32];

	ck_seam(seam_pause(SESSION, "woken",
			   "sem.wait thread=bad when=after hit=2"));
	start_it("L");
	have("started bad", "start bad");
	have("taken bad", "take bad");
	snprintf(line, sizeof(line), "%s bad", how);
	tell(line);
	ck_seam(seam_wait(SESSION, "woken", NULL, SEAM_DEFAULT));
	tell("join bad");
	ck_seam(seam_wait_blocked(SESSION, "L", NULL, SEAM_DEFAULT));
	ck_seam(seam_crashes(SESSION));
	ck_seam(seam_release(SESSION, "woken"));
	ck_seam(seam_wait_exit(SESSION, "L", NULL, SEAM_DEFAULT));
}

static void
expect_told(const char *how)
{
	char *state;

	ck_assert_int_eq(seam_crashes(SESSION), SEAM_E_FAILED);
	expect_message(how);
	expect_message(": P1.T0.1 (bad), last in sem.wait of ones+0x20 at "
		       "one_main leavers.c:");
	expect_message("holding precious_lock since take_it leavers.c:");
	state = seam_describe(SESSION);
	ck_assert_ptr_nonnull(strstr(state, how));
	free(state);
}

START_TEST(by_a_signal)
{
	let_crash("crash");
	expect_told("P1 (L) died by SIGSEGV");
	expect_reply("crashes", "rows=1");
	ck_seam(seam_expect_crash(SESSION, "L"));
	ck_seam(seam_crashes(SESSION));
	expect_reply("crashes", "rows=0");
}
END_TEST

START_TEST(by_abort)
{
	let_crash("abort");
	expect_told("P1 (L) died by SIGABRT");
}
END_TEST

START_TEST(by_exit_with_threads_alive)
{
	let_crash("_exit");
	expect_told("P1 (L) called _exit 7 with 1 other thread alive");
}
END_TEST

START_TEST(expected_beforehand)
{
	ck_seam(seam_expect_crash(SESSION, "L"));
	let_crash("abort");
	ck_seam(seam_crashes(SESSION));
}
END_TEST

/* Several ran: the one with the latest event comes first. */
START_TEST(one_of_several)
{
	start_it("L");
	have("started bad", "start bad");
	have("taken bad", "take bad");
	tell("crash bad");
	ck_seam(seam_wait_exit(SESSION, "L", NULL, SEAM_DEFAULT));
	ck_assert_int_eq(seam_crashes(SESSION), SEAM_E_FAILED);
	expect_message("most likely P1.T0.1 (bad)");
	expect_message("; or P1.T0");
}
END_TEST

/* One thread, and not the session's own child. */

static void
let_child_crash(const char *line, const char *child)
{
	start_it("L");
	have("forked", line);
	ck_seam(seam_wait_exit(SESSION, child, NULL, SEAM_DEFAULT));
}

START_TEST(of_a_child)
{
	let_child_crash("fork crash", "P1.1");
	ck_assert_int_eq(seam_crashes(SESSION), SEAM_E_FAILED);
	expect_message("P1.1 died by SIGSEGV: P1.1.T0");
	ck_seam(seam_expect_crash(SESSION, "P1.1"));
	ck_seam(seam_crashes(SESSION));
}
END_TEST

START_TEST(of_a_reaped_child)
{
	struct utsname name;
	int version[2] = { 0, 0 };

	let_child_crash("reap abort", "P1.1");
	uname(&name);
	sscanf(name.release, "%d.%d", &version[0], &version[1]);
	/* Before, nobody tells when the parent was faster than we. */
	if (version[0] * 100 + version[1] >= 615) {
		ck_assert_int_eq(seam_crashes(SESSION), SEAM_E_FAILED);
		expect_message("P1.1 died by SIGABRT");
	}
}
END_TEST

/* A parent may kill its children, and they may leave as they like. */
START_TEST(of_no_child)
{
	static const char *const how[] = { "fork term", "fork _exit",
					   "fork exit" };
	static const char *const child[] = { "P1.1", "P2.1", "P3.1" };

	for (size_t i = 0; i < COUNT(how); i++) {
		let_child_crash(how[i], child[i]);
		tell("exit");
		ck_seam(seam_expect_exit(SESSION, "L", 8, SEAM_DEFAULT));
	}
	ck_seam(seam_crashes(SESSION));
}
END_TEST

START_TEST(no_crashes)
{
	start_it("L");
	have("started one", "start one");
	tell("exit one");
	ck_seam(seam_expect_exit(SESSION, "L", 8, SEAM_DEFAULT));
	start_it("L");
	tell("_exit");
	ck_seam(seam_expect_exit(SESSION, "L", 7, SEAM_DEFAULT));
	start_it("L");
	ck_seam(seam_kill(SESSION, "L", 15));
	ck_seam(seam_wait_exit(SESSION, "L", NULL, SEAM_DEFAULT));
	ck_seam(seam_crashes(SESSION));
}
END_TEST

/* seam run */

static void
expect_run(const char *options, const char *input, const char *want,
	   const char *not_wanted)
{
	const char *seam = getenv("SEAM_COMMAND");
	char line[3 * PATH_MAX], said[4000];
	size_t n;
	FILE *f;

	ck_assert_ptr_nonnull(seam);
	snprintf(line, sizeof(line), "printf '%s' | '%s' run %s -- '%s' 2>&1",
		 input, seam, options, leavers());
	f = popen(line, "r"); /* NOLINT(cert-env33-c) */
	ck_assert_ptr_nonnull(f);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = '\0';
	pclose(f);
	ck_assert_msg(!want || strstr(said, want), "no '%s' in: %s", want,
		      said);
	ck_assert_msg(!not_wanted || !strstr(said, not_wanted), "'%s' in: %s",
		      not_wanted, said);
}

START_TEST(run_tells_who_was_left)
{
	expect_run("--left-behind", "start one\\nexit\\n",
		   "seam: P1 main left behind: P1.T0.1", NULL);
	expect_run("--left-behind", "start one\\nexit\\n",
		   "created at start_one leavers.c:", NULL);
	expect_run("--left-behind", "start one\\nend one\\n", NULL,
		   "left behind");
	expect_run("", "start one\\nexit\\n", NULL, "left behind");
}
END_TEST

START_TEST(run_tells_of_crashes)
{
	expect_run("", "start one\\ncrash\\n",
		   "seam: P1 (main) died by SIGSEGV", NULL);
	expect_run("", "start one\\nexit\\n", NULL, "died");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		since_a_mark,
		ended_ones_do_not_count,
		joining,
		by_a_signal,
		by_abort,
		by_exit_with_threads_alive,
		expected_beforehand,
		one_of_several,
		of_a_child,
		of_a_reaped_child,
		of_no_child,
		no_crashes,
		run_tells_who_was_left,
		run_tells_of_crashes,
	};
	Suite *suite = suite_create("threads");
	TCase *tc = suite_add_tests(suite, "threads", tests, COUNT(tests));

	tcase_add_checked_fixture(tc, seam_check_setup, seam_check_teardown);
	return suite_run(suite);
}
