/* SPDX-License-Identifier: MIT */
/*
 * Replay files: what is written is read back; what is malformed, cut short or
 * of another version is refused with its line and column; a full disk leaves
 * nothing behind.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explore/replay_file.h"
#include "suite.h"

static const char good[] = "seam-replay 1\n"			       /* 1 */
			   "# a comment\n"			       /* 2 */
			   "command \"./a b\" --fast\n"		       /* 3 */
			   "env \"A=b c\"\n"			       /* 4 */
			   "dir \"/tmp\"\n"			       /* 5 */
			   "check \"test -e x\"\n"		       /* 6 */
			   "program \"/tmp/a b\" 0011aaff\n"	       /* 7 */
			   "libseam 22\n"			       /* 8 */
			   "options misuse after\n"		       /* 9 */
			   "server late\n"			       /* 10 */
			   "timeout 700\n"			       /* 11 */
			   "steps 1000\n"			       /* 12 */
			   "expect 3\n"				       /* 13 */
			   "strategy pct\n"			       /* 14 */
			   "seed 18446744073709551615\n"	       /* 15 */
			   "fault deadlock\n"			       /* 16 */
			   "decisions\n"			       /* 17 */
			   "\tP1.T0 x 1\n"			       /* 18 */
			   "\tP1.T0.2 x 1 timeout\n"		       /* 19 */
			   "events\n"				       /* 20 */
			   "\tP1.T0 thread.start - - ok 0000002a\n"    /* 21 */
			   "\tP1.T0.2 sem.wait s \"f a.c:1\" timeout " /* 22 */
			   "89abcdef\n"
			   "hash 00000000deadbeef\n"		  /* 23 */
			   "critical 1 2\n"			  /* 24 */
			   "because \"a \\\"b\\\" came first\"\n" /* 25 */
			   "standing\n"				  /* 26 */
			   "\tP1.T0 - - -\n"			  /* 27 */
			   "\tP1.T0.2 mutex.lock m \"f a.c:2\"\n" /* 28 */
			   "end\n";				  /* 29 */

static struct replay_file *
parsed(const char *text)
{
	struct replay_file *f;
	struct seam_error err = { .code = SEAM_OK };
	enum seam_code code = replay_parse("f", text, strlen(text), &f, &err);

	ck_assert_msg(code == SEAM_OK, "%s", err.text);
	return f;
}

static void
check_good(const struct replay_file *f)
{
	ck_assert_str_eq(f->argv[0], "./a b");
	ck_assert_str_eq(f->argv[1], "--fast");
	ck_assert_ptr_null(f->argv[2]);
	ck_assert_str_eq(f->env[0], "A=b c");
	ck_assert_ptr_null(f->env[1]);
	ck_assert_str_eq(f->dir, "/tmp");
	ck_assert_str_eq(f->check, "test -e x");
	ck_assert_ptr_null(f->reset);
	ck_assert_str_eq(f->program_id, "0011aaff");
	ck_assert(f->misuse && f->after && !f->marked && !f->in_scratch);
	ck_assert_int_eq(f->server, SEAM_SERVER_LATE);
	ck_assert_uint_eq(f->timeout_ms, 700);
	ck_assert_uint_eq(f->steps, 1000);
	ck_assert_int_eq(f->expected, 3);
	ck_assert(f->seed == UINT64_MAX);
	ck_assert_uint_eq(f->nblocks, 2);
	ck_assert_str_eq(f->block[1].thread, "P1.T0.2");
	ck_assert_uint_eq(f->block[1].how, SEAM_HOW_TIMEOUT);
	ck_assert_uint_eq(f->nevents, 2);
	ck_assert_str_eq(f->event[1].site, "f a.c:1");
	ck_assert_uint_eq(f->event[1].event, 0x89abcdef);
	ck_assert(f->hash == 0xdeadbeef);
	ck_assert_uint_eq(f->nstanding, 2);
	ck_assert_str_eq(f->standing[0].verb, "-");
	ck_assert_str_eq(f->standing[1].object, "m");
	ck_assert_str_eq(f->standing[1].site, "f a.c:2");
	ck_assert_uint_eq(f->critical[0], 1);
	ck_assert_uint_eq(f->critical[1], 2);
	ck_assert_str_eq(f->because, "a \"b\" came first");
}

START_TEST(reads)
{
	struct replay_file *f = parsed(good);

	check_good(f);
	replay_free(f);
}
END_TEST

START_TEST(writes_what_it_reads)
{
	struct replay_file *f = parsed(good), *again;
	char path[] = "/tmp/check_replay_file.XXXXXX";
	struct seam_error err = { .code = SEAM_OK };
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_msg(!replay_write(f, path, "one\ntwo", &err), "%s", err.text);
	ck_assert_msg(!replay_read(path, &again, &err), "%s", err.text);
	check_good(again);
	unlink(path);
	replay_free(f);
	replay_free(again);
}
END_TEST

START_TEST(plans)
{
	struct replay_file *f = parsed(good);
	struct seam_forced *forced = calloc(SEAM_STEPS, sizeof(*forced));
	struct seam_plan plan;

	ck_assert_ptr_nonnull(forced);
	replay_plan(f, true, &plan, forced);
	ck_assert_uint_eq(plan.forced, 2);
	ck_assert(plan.flags ==
		  (SEAM_PLAN_STRICT | SEAM_PLAN_MISUSE | SEAM_PLAN_AFTER));
	ck_assert(forced[0].thread == seam_key_of("P1.T0"));
	ck_assert_uint_eq(forced[0].event, 0x2a);
	ck_assert(forced[1].thread == seam_key_of("P1.T0.2"));
	ck_assert_uint_eq(forced[1].how, SEAM_HOW_TIMEOUT);
	replay_plan(f, false, &plan, forced);
	ck_assert_uint_eq(forced[1].event, 0);
	free(forced);
	replay_free(f);
}
END_TEST

/* The line with that number is replaced; NULL: it and all after it go. */
static const struct bad_row {
	int line;
	const char *text;
	int at_line, column;
	const char *says;
} bad[] = {
	{ 1, "seam-replay 2", 1, 13, "version 2" },
	{ 1, "seam-replay", 1, 12, "a version is expected" },
	{ 1, "seam-replay 1 x", 1, 15, "should end here" },
	{ 1, "seam-script 1", 1, 1, "no replay file" },
	{ 1, "\177ELF", 1, 1, "" },
	{ 3, "command", 3, 8, "the program is expected" },
	{ 3, "command \"a", 3, 9, "" },
	{ 4, "env A", 4, 5, "NAME=VALUE" },
	{ 4, "env", 4, 4, "NAME=VALUE" },
	{ 5, "dir", 5, 4, "a directory is expected" },
	{ 5, "dir a b", 5, 7, "should end here" },
	{ 5, "", 30, 1, "'dir' is missing" },
	{ 7, "program x", 7, 10, "build id is expected" },
	{ 9, "options misuse atfer", 9, 16, "unknown option 'atfer'" },
	{ 10, "server laet", 10, 8, "none, late or early" },
	{ 10, "sever late", 10, 1, "did you mean 'server'" },
	{ 11, "timeout 1s", 11, 9, "a number of milliseconds" },
	{ 11, "timeout -1", 11, 9, "a number of milliseconds" },
	{ 12, "steps 99999999999", 12, 7, "a number of steps" },
	{ 13, "expect 256", 13, 8, "an exit status" },
	{ 15, "seed 18446744073709551616", 15, 6, "a seed" },
	{ 15, "seed  0x1", 15, 7, "a seed" },
	{ 16, "fault a\nfault b", 17, 1, "a second 'fault'" },
	{ 18, "\tT0 x 1", 18, 2, "a thread such as P1.T0" },
	{ 18, "\tP1.T0", 18, 7, "x is expected" },
	{ 18, "\tP1.T0 y 1", 18, 8, "x is expected, not 'y'" },
	{ 18, "\tP1.T0 x", 18, 9, "a number of steps" },
	{ 18, "\tP1.T0 x many", 18, 10, "a number of steps" },
	{ 18, "\tP1.T0 x 1048577", 18, 10, "a number of steps" },
	{ 18, "\tP1.T0 x 1 late", 18, 12, "timeout, signal or" },
	{ 18, "\tP1.T0 x 1048576", 19, 12, "more than" },
	{ 18, "\tP1.T0 x 7", 30, 1, "8 decisions and 2 events" },
	{ 18, "P1.T0 x 1", 18, 1, "unknown word 'P1.T0'" },
	{ 21, "\tP1.T0 thread.start - -", 21, 24, "a result is expected" },
	{ 21, "\tP1.T0 thread.start - - ok", 21, 27, "a hash" },
	{ 21, "\tP1.T0 thread.start - - ok 2A", 21, 28, "a hash" },
	{ 21, "\tP1.T0 thread.start - - ok 0000002a x", 21, 37, "end here" },
	{ 23, "hash deadbeef", 23, 6, "16 hexadecimal digits" },
	{ 24, "critical 1", 24, 11, "the number of an event" },
	{ 24, "critical 0 2", 24, 10, "numbered from 1" },
	{ 24, "critical 2 2", 24, 12, "an event after the first" },
	{ 24, "critical 1 99999999", 24, 12, "the number of an event" },
	{ 24, "critical 1 2 3", 24, 14, "should end here" },
	{ 25, "because", 25, 8, "a sentence is expected" },
	{ 26, "standing up", 26, 10, "should end here" },
	{ 27, "\tP1.T0 - -", 27, 11, "a place is expected" },
	{ 28, "\tP1.T0.2 - - - ok", 28, 16, "should end here" },
	{ 28, "standing", 28, 1, "second 'standing'" },
	{ 29, "end\nmore", 30, 1, "ended after 'end'" },
	{ 29, NULL, 29, 1, "'end' is expected" },
	{ 19, NULL, 19, 1, "'end' is expected" },
	{ 1, NULL, 1, 1, "empty" },
};

/* Where the line with that number begins. */
static const char *
line_at(const char *text, int line)
{
	while (--line > 0)
		text = strchr(text, '\n') + 1;
	return text;
}

START_TEST(refuses)
{
	const struct bad_row *row = &bad[_i];
	const char *from = line_at(good, row->line);
	struct seam_error err = { .code = SEAM_OK };
	struct replay_file *f;
	char text[2048], where[64];

	snprintf(text, sizeof(text), "%.*s%s%s", (int)(from - good), good,
		 row->text ? row->text : "",
		 row->text ? strchr(from, '\n') : "");
	ck_assert_int_eq(replay_parse("f", text, strlen(text), &f, &err),
			 SEAM_E_SYNTAX);
	ck_assert_ptr_null(f);
	snprintf(where, sizeof(where), "f:%d:%d: ", row->at_line, row->column);
	ck_assert_msg(!strncmp(err.text, where, strlen(where)) &&
			  strstr(err.text, row->says),
		      "'%s' is not at %s'%s'", err.text, where, row->says);
}
END_TEST

/* Every prefix of a good file is refused, or is good without its newline. */
START_TEST(refuses_prefixes)
{
	for (size_t n = 0; n < sizeof(good) - 2; n++) {
		struct seam_error err = { .code = SEAM_OK };
		struct replay_file *f;

		ck_assert_msg(replay_parse("f", good, n, &f, &err) ==
				  SEAM_E_SYNTAX,
			      "%zu bytes were taken", n);
		ck_assert(!strncmp(err.text, "f:", 2));
	}
}
END_TEST

START_TEST(refuses_zero_bytes)
{
	struct seam_error err = { .code = SEAM_OK };
	struct replay_file *f;
	char text[sizeof(good)];

	memcpy(text, good, sizeof(good));
	text[strlen("seam-replay 1\n# a")] = '\0';
	ck_assert_int_eq(replay_parse("f", text, sizeof(good) - 1, &f, &err),
			 SEAM_E_SYNTAX);
	ck_assert_msg(!strncmp(err.text, "f:2:4: ", 7), "%s", err.text);
}
END_TEST

START_TEST(full_disk)
{
	struct replay_file *f = parsed(good);
	struct seam_error err = { .code = SEAM_OK };
	char dir[] = "/tmp/check_replay_file.XXXXXX", path[64];
	const struct rlimit small = { 100, 100 };
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.replay", dir);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	ck_assert_int_eq(replay_write(f, path, NULL, &err), SEAM_E_UNSUPPORTED);
	ck_assert_msg(strstr(err.text, path), "%s", err.text);
	ck_assert_int_ne(stat(path, &st), 0);
	/* No temporary file either. */
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(replay_write(f, "/dev/full", NULL, &err),
			 SEAM_E_UNSUPPORTED);
	ck_assert_msg(strstr(err.text, "No space left"), "%s", err.text);
	replay_free(f);
}
END_TEST

static TCase *
good_case(void)
{
	TCase *c = tcase_create("good");

	tcase_add_test(c, reads);
	tcase_add_test(c, writes_what_it_reads);
	tcase_add_test(c, plans);
	return c;
}

static TCase *
bad_case(void)
{
	TCase *c = tcase_create("bad");

	tcase_add_loop_test(c, refuses, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(c, refuses_prefixes);
	tcase_add_test(c, refuses_zero_bytes);
	tcase_add_test(c, full_disk);
	return c;
}

int
main(void)
{
	Suite *s = suite_create("replay_file");

	suite_add_tcase(s, good_case());
	suite_add_tcase(s, bad_case());
	return suite_run(s);
}
