/* SPDX-License-Identifier: MIT */
/* Concurrent calls: a start gate, outcomes in order, whatever they do. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller.h"
#include "seam.h"
#include "suite.h"

#define N 5

static struct seam_outcome got[N];

static void
teardown(void)
{
	seam_outcomes_free(got, N);
}

#define CALL(...)                                                              \
	{                                                                      \
		.argv = (char *[])                                             \
		{                                                              \
			__VA_ARGS__, NULL                                      \
		}                                                              \
	}
#define SH(text) CALL("sh", "-c", text)

static void
run(const struct seam_call_spec *calls, size_t n,
    const struct seam_call_options *o)
{
	ck_assert_msg(seam_calls(calls, n, o, got) == SEAM_OK, "%s",
		      seam_message());
}

static int
status_of(size_t i)
{
	ck_assert_msg(WIFEXITED(got[i].status), "call %zu: %x", i,
		      (unsigned)got[i].status);
	return WEXITSTATUS(got[i].status);
}

START_TEST(in_order_of_submission)
{
	const struct seam_call_spec calls[] = {
		SH("echo zero; exit 3"),
		SH("echo one >&2"),
		{ .argv = (char *[]){ "cat", NULL }, .input = "two" },
		{ .argv = (char *[]){ "sh", "-c", "echo $THREE", NULL },
		  .env = (char *[]){ "THREE=three", NULL } },
		{ .argv = (char *[]){ "pwd", NULL }, .dir = "/usr" },
	};

	run(calls, 5, NULL);
	ck_assert_int_eq(status_of(0), 3);
	ck_assert_str_eq(got[0].out, "zero\n");
	ck_assert_str_eq(got[0].err, "");
	ck_assert_str_eq(got[1].out, "");
	ck_assert_str_eq(got[1].err, "one\n");
	ck_assert_uint_eq(got[1].err_size, 4);
	ck_assert_str_eq(got[2].out, "two");
	ck_assert_str_eq(got[3].out, "three\n");
	ck_assert_str_eq(got[4].out, "/usr\n");
	for (int i = 0; i < 5; i++) {
		ck_assert_msg(got[i].started, "call %d", i);
		ck_assert(!got[i].timed_out);
		ck_assert(!got[i].truncated);
	}
}
END_TEST

START_TEST(the_same_n_times)
{
	const struct seam_call_spec call = SH("echo $PPID");

	ck_assert_int_eq(seam_call(&call, N, NULL, got), SEAM_OK);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(status_of((size_t)i), 0);
		ck_assert_int_eq(atoi(got[i].out), getpid());
	}
}
END_TEST

/* All have been seen at the gate; and they run at once: each says that it is
 * there and then waits for the others. */
START_TEST(lined_up_before_main)
{
	char dir[64], text[200];
	struct seam_call_spec calls[N];
	char *argv[] = { "sh", "-c", text, NULL };

	scratch_make(dir, sizeof(dir));
	snprintf(text, sizeof(text),
		 "mkdir %s/$$; while set -- %s/*; [ $# -lt %d ]; do :; done; "
		 "echo all",
		 dir, dir, N);
	for (int i = 0; i < N; i++)
		calls[i] = (struct seam_call_spec){ .argv = argv };
	run(calls, N, NULL);
	for (int i = 0; i < N; i++) {
		ck_assert(got[i].started);
		ck_assert_str_eq(got[i].out, "all\n");
	}
	scratch_remove(dir);
}
END_TEST

/* The gate is a lock of the victim's: each stands there once. */
START_TEST(lined_up_at_a_selector)
{
	char program[300];
	const struct seam_call_options o = {
		.at = "mutex.lock obj=counter_lock at=add_directly",
	};
	struct seam_call_spec calls[] = { CALL(program, "2", "10"),
					  CALL(program, "2", "10"),
					  CALL("true"),
					  CALL("/no/such/program") };

	snprintf(program, sizeof(program), "%s/counter",
		 needed_env("SEAM_TEST_PROGRAMS"));
	run(calls, 4, &o);
	ck_assert(got[0].started);
	ck_assert(got[1].started);
	ck_assert_str_eq(got[0].out, "total 80\n");
	ck_assert_str_eq(got[1].out, "total 80\n");
	/* It ended without having been there, and held up nobody. */
	ck_assert(!got[2].started);
	ck_assert_int_eq(status_of(2), 0);
	ck_assert(!got[3].started);
	ck_assert_int_eq(status_of(3), 127);
	ck_assert_ptr_nonnull(strstr(got[3].err, "/no/such/program"));
}
END_TEST

/* One that waits for what comes after the gate holds up nobody either: the
 * gate is opened as soon as nothing happens any more, long before a call's
 * time is over. */
START_TEST(who_never_comes)
{
	char dir[64], path[80], text[400];
	const struct seam_call_options o = { .at = "mutex.lock" };
	struct seam_call_spec calls[] = {
		{ .argv = (char *[]){ "sh", "-c", text, NULL }, .dir = dir },
		{ .argv =
		      (char *[]){ "sh", "-c", "read x <fifo; echo $x", NULL },
		  .dir = dir },
	};

	scratch_make(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	snprintf(text, sizeof(text), "%s/counter 1 1; echo go >fifo",
		 needed_env("SEAM_TEST_PROGRAMS"));
	run(calls, 2, &o);
	scratch_remove(dir);
	ck_assert_str_eq(got[0].out, "total 4\n");
	ck_assert(got[0].started);
	ck_assert(!got[0].timed_out);
	ck_assert_str_eq(got[1].out, "go\n");
	ck_assert(!got[1].started);
	ck_assert(!got[1].timed_out);
}
END_TEST

START_TEST(timed_out)
{
	const struct seam_call_options o = { .timeout = 1500 };
	const struct seam_call_spec calls[] = {
		CALL("tail", "-f", "/dev/null"),
		SH("trap '' TERM; echo here; while :; do :; done"),
		SH("trap 'echo ending; exit 4' TERM; while :; do :; done"),
		CALL("true"),
	};

	run(calls, 4, &o);
	ck_assert(got[0].timed_out);
	ck_assert_int_eq(WTERMSIG(got[0].status), SIGTERM);
	ck_assert_uint_ge(got[0].elapsed, 1500000);
	ck_assert(got[1].timed_out);
	ck_assert_int_eq(WTERMSIG(got[1].status), SIGKILL);
	ck_assert_str_eq(got[1].out, "here\n");
	ck_assert_uint_ge(got[1].elapsed, 2500000);
	ck_assert(got[2].timed_out);
	ck_assert_int_eq(status_of(2), 4);
	ck_assert_str_eq(got[2].out, "ending\n");
	ck_assert(!got[3].timed_out);
	ck_assert_uint_lt(got[3].elapsed, 1500000);
}
END_TEST

START_TEST(dying)
{
	const struct seam_call_spec calls[] = { SH("echo last; kill -SEGV $$"),
						SH("kill -KILL $$") };

	run(calls, 2, NULL);
	ck_assert(WIFSIGNALED(got[0].status));
	ck_assert_int_eq(WTERMSIG(got[0].status), SIGSEGV);
	ck_assert_str_eq(got[0].out, "last\n");
	ck_assert_int_eq(WTERMSIG(got[1].status), SIGKILL);
}
END_TEST

START_TEST(flooding)
{
	const struct seam_call_options o = { .output_max = 1000,
					     .timeout = 20000 };
	const struct seam_call_spec calls[] = {
		SH("head -c 50000000 /dev/zero | tr '\\0' x"),
		SH("head -c 1000 /dev/zero | tr '\\0' y"),
		SH("head -c 50000000 /dev/zero | tr '\\0' z >&2; echo end"),
	};

	run(calls, 3, &o);
	ck_assert(got[0].truncated);
	ck_assert_int_eq(status_of(0), 0);
	ck_assert_uint_eq(got[0].out_size, 1000);
	ck_assert_uint_eq(strspn(got[0].out, "x"), 1000);
	ck_assert(!got[1].truncated);
	ck_assert_uint_eq(got[1].out_size, 1000);
	ck_assert(got[2].truncated);
	ck_assert_str_eq(got[2].out, "end\n");
}
END_TEST

/* A pipe's reader that goes away is a signal, as in any shell. */
START_TEST(signals_are_as_usual)
{
	const struct seam_call_spec call = SH("yes | head -n 1");

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(seam_call(&call, 1, NULL, got), SEAM_OK);
	ck_assert_str_eq(got[0].out, "y\n");
	ck_assert_str_eq(got[0].err, "");
}
END_TEST

/* Neither what they started, nor their streams, nor files. */
START_TEST(nothing_is_left)
{
	const struct seam_call_spec call =
	    SH("tail -f /dev/null >/dev/null 2>&1 & echo $!");
	unsigned before, after = 0;
	DIR *dir;
	pid_t pid;

	ck_assert_int_eq(seam_call(&call, 1, NULL, got), SEAM_OK);
	seam_outcomes_free(got, N);
	dir = opendir("/proc/self/fd");
	for (before = 0; readdir(dir); before++)
		;
	ck_assert_int_eq(seam_call(&call, 1, NULL, got), SEAM_OK);
	rewinddir(dir);
	while (readdir(dir))
		after++;
	closedir(dir);
	ck_assert_uint_eq(before, after);
	pid = (pid_t)atoi(got[0].out);
	ck_assert_int_gt(pid, 1);
	ck_assert(came_true(process_is_gone, &pid));
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

/* Their sessions serve no commands, and wait for none: not for the second
 * that a session with commands gives early clients. */
START_TEST(targets_that_leave_hold_up_nobody)
{
	const struct seam_call_spec call = CALL("true");
	uint64_t since = now_ms();

	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(seam_call(&call, 2, NULL, got), SEAM_OK);
		seam_outcomes_free(got, N);
	}
	ck_assert_uint_lt(now_ms() - since, 3000);
}
END_TEST

START_TEST(refused)
{
	const struct seam_call_spec call = CALL("true");
	struct seam_call_options o = { .at = "mutex.luck" };

	ck_assert_int_eq(seam_call(&call, 1, &o, got), SEAM_E_UNKNOWN_OP);
	ck_assert_ptr_nonnull(strstr(seam_message(), "mutex.lock"));
	o.at = "mutex.lock hit=";
	ck_assert_int_eq(seam_call(&call, 1, &o, got), SEAM_E_SYNTAX);
	ck_assert_int_eq(seam_call(&call, 0, NULL, got), SEAM_E_UNSUPPORTED);
	ck_assert_int_eq(seam_call(&call, 100000, NULL, got),
			 SEAM_E_UNSUPPORTED);
	o.at = NULL;
	o.preload = "/no/such/libseam.so";
	ck_assert_int_eq(seam_call(&call, 1, &o, got), SEAM_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(seam_message(), "/no/such/libseam.so"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("call");
	TCase *tc = tcase_create("calls");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, in_order_of_submission);
	tcase_add_test(tc, the_same_n_times);
	tcase_add_test(tc, lined_up_before_main);
	tcase_add_test(tc, lined_up_at_a_selector);
	tcase_add_test(tc, who_never_comes);
	tcase_add_test(tc, timed_out);
	tcase_add_test(tc, dying);
	tcase_add_test(tc, flooding);
	tcase_add_test(tc, signals_are_as_usual);
	tcase_add_test(tc, nothing_is_left);
	tcase_add_test(tc, targets_that_leave_hold_up_nobody);
	tcase_add_test(tc, refused);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
