/* SPDX-License-Identifier: MIT */
/* Scripts: reading, the check before the run, messages, running. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"
#include "suite.h"

static struct seam_script *script;
static char *message;
static size_t message_size;

static void
forget(void)
{
	seam_script_free(script);
	script = NULL;
	free(message);
	message = NULL;
}

static struct seam_script *
made(const char *text)
{
	struct seam_error err;

	ck_assert_msg(!seam_script_new("t.seam", text, strlen(text), &script,
				       &err),
		      "%s", err.text);
	return script;
}

/* Checks; what was said is in message. */
static enum seam_code
checked(const char *text, const struct seam_vars *vars)
{
	FILE *f = open_memstream(&message, &message_size);
	enum seam_code code = seam_script_check(made(text), vars, f);

	fclose(f);
	return code;
}

static const struct {
	const char *text;
	enum seam_code code;
	const char *message;
} bad[] = {
	{ "procs\n\tfrob x\n", SEAM_E_SYNTAX,
	  "t.seam:2:2: syntax: unknown command 'frob'; "
	  "`help` lists them\n    \tfrob x\n    \t^\n" },
	{ "pause mutex.lock as=x \\\n  oops=1\n", SEAM_E_SYNTAX,
	  "t.seam:2:3: syntax: " },
	{ "\n\npause \\\n", SEAM_E_SYNTAX, "t.seam:3:" },
	{ "wait p\nsend $later\nwait output A /x/ as=later\n", SEAM_E_SYNTAX,
	  "t.seam:2:6: syntax: unknown variable 'later'" },
	{ "pause mutex.lokc\n", SEAM_E_UNKNOWN_OP, "t.seam:1:7: unknown-op: " },
	{ "expect exit A 256\r\nprocs\r\n", SEAM_E_SYNTAX, "t.seam:1:15: " },
};

START_TEST(refuses_before_anything_starts)
{
	ck_assert_int_eq(checked(bad[_i].text, NULL), bad[_i].code);
	ck_assert_msg(!strncmp(message, bad[_i].message,
			       strlen(bad[_i].message)),
		      "%s", message);
	ck_assert_ptr_nonnull(strchr(message, '^'));
}
END_TEST

static const char *const good[] = {
	"",
	"\n",
	"procs",
	"# comment\n   \n\nprocs\r\n",
	"wait output A /x([0-9]+)/ as=n\nhold @0x$n\nset m $n\nsend A $m\n",
	"set x 1\nsleep $x\n",
	"start A -- \\\n\ttrue \\\n\tx\nexpect exit A 0\n",
	"# a comment goes on \\\nfrob\nprocs\n",
	"send A $dir\n",
};

START_TEST(accepts)
{
	struct seam_vars vars = { 0 };

	ck_assert(seam_var_set(&vars, "dir", "/tmp"));
	ck_assert_int_eq(checked(good[_i], &vars), SEAM_OK);
	ck_assert_str_eq(message, "");
	seam_vars_free(&vars);
}
END_TEST

START_TEST(refuses_what_is_no_text)
{
	struct seam_error err;

	ck_assert_int_eq(seam_script_new("t.seam", "a\nb\0c", 5, &script, &err),
			 SEAM_E_SYNTAX);
	ck_assert_ptr_nonnull(strstr(err.text, "t.seam:2: "));
	ck_assert_int_eq(seam_script_read("/no/such/file", &script, &err),
			 SEAM_E_SYNTAX);
	ck_assert_ptr_nonnull(strstr(err.text, "No such file"));
}
END_TEST

START_TEST(finds_start_main)
{
	ck_assert(seam_script_starts_main(
	    made("pause any\nset x 1\nstart \\\n main # here\n")));
	forget();
	ck_assert(!seam_script_starts_main(
	    made("start main -- true\n# start main\n")));
}
END_TEST

START_TEST(exit_codes)
{
	ck_assert_int_eq(seam_exit_of(SEAM_OK), 0);
	ck_assert_int_eq(seam_exit_of(SEAM_E_FAILED), 1);
	ck_assert_int_eq(seam_exit_of(SEAM_E_TIMEOUT), 1);
	ck_assert_int_eq(seam_exit_of(SEAM_E_SYNTAX), 2);
	ck_assert_int_eq(seam_exit_of(SEAM_E_UNKNOWN_OP), 2);
	ck_assert_int_eq(seam_exit_of(SEAM_E_UNSUPPORTED), 3);
}
END_TEST

/* Running, in a session without targets. */

static struct seam_context ctx;
static unsigned mains, rules_then;

static void
open_session(void)
{
	struct seam_options options = { 0 };
	struct seam_error err;

	ctx = (struct seam_context){ 0 };
	ck_assert_msg(!seam_session_open(&options, &ctx.session, &err), "%s",
		      err.text);
	mains = rules_then = 0;
}

static void
close_session(void)
{
	seam_context_end(&ctx);
	seam_session_close(ctx.session, false);
	forget();
}

static unsigned
count_rules(void)
{
	json_t *rows = seam_table_rules(ctx.session);
	unsigned n = (unsigned)json_array_size(rows);

	json_decref(rows);
	return n;
}

static enum seam_code
pretend_main(void *data, struct seam_error *err)
{
	(void)data;
	(void)err;
	mains++;
	rules_then = count_rules();
	return SEAM_OK;
}

static enum seam_code
ran(const char *text)
{
	FILE *f = open_memstream(&message, &message_size);
	enum seam_code code = seam_script_run(made(text), &ctx, f, f);

	fclose(f);
	return code;
}

START_TEST(stops_at_the_first_error)
{
	ck_assert_int_eq(ran("pause mutex.lock as=a\n"
			     "wait a timeout=10\n"
			     "pause mutex.lock as=b\n"),
			 SEAM_E_TIMEOUT);
	ck_assert_uint_eq(count_rules(), 1);
	ck_assert_msg(!strncmp(message, "t.seam:2: timeout: ", 19), "%s",
		      message);
	ck_assert_ptr_nonnull(strstr(message, "\n    wait a timeout=10\n"));
}
END_TEST

START_TEST(expectations_fail)
{
	ck_assert_int_eq(ran("pause any as=a\n"
			     "expect not wait a timeout=10\n"
			     "expect parked a timeout=10\n"),
			 SEAM_E_FAILED);
	ck_assert_ptr_nonnull(strstr(message, "t.seam:3: failed: "));
}
END_TEST

START_TEST(quits)
{
	ck_assert_int_eq(ran("set x 1\nquit\nexpect not procs\n"), SEAM_OK);
	ck_assert_str_eq(message, "");
}
END_TEST

START_TEST(shows_what_was_asked_for)
{
	ck_assert_int_eq(ran("pause any as=a\nrules\n"), SEAM_OK);
	ck_assert_ptr_nonnull(strstr(message, " a"));
	ck_assert_ptr_null(strstr(message, "ok"));
}
END_TEST

/* Where main starts: after the rules, or where the script says. */
static const struct {
	const char *text;
	unsigned rules;
} starts[] = {
	{ "", 0 },
	{ "pause any as=a\n\n# rules\npause any as=b\nprocs\npause any\n", 2 },
	{ "pause any as=a\nprocs\npause any\nstart main\npause any\n", 2 },
	{ "pause any as=a\n", 1 },
};

START_TEST(main_starts_after_the_rules)
{
	ctx.start_main = pretend_main;
	ck_assert_int_eq(ran(starts[_i].text), SEAM_OK);
	ck_assert_uint_eq(mains, 1);
	ck_assert_uint_eq(rules_then, starts[_i].rules);
}
END_TEST

START_TEST(start_main_is_for_run_only)
{
	ck_assert_int_eq(ran("start main\n"), SEAM_E_UNSUPPORTED);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *suite = suite_create("script");
	TCase *read = tcase_create("read"), *run = tcase_create("run");

	tcase_add_checked_fixture(read, NULL, forget);
	tcase_add_loop_test(read, refuses_before_anything_starts, 0,
			    COUNT(bad));
	tcase_add_loop_test(read, accepts, 0, COUNT(good));
	tcase_add_test(read, refuses_what_is_no_text);
	tcase_add_test(read, finds_start_main);
	tcase_add_test(read, exit_codes);
	tcase_add_checked_fixture(run, open_session, close_session);
	tcase_add_test(run, stops_at_the_first_error);
	tcase_add_test(run, expectations_fail);
	tcase_add_test(run, quits);
	tcase_add_test(run, shows_what_was_asked_for);
	tcase_add_loop_test(run, main_starts_after_the_rules, 0, COUNT(starts));
	tcase_add_test(run, start_main_is_for_run_only);
	suite_add_tcase(suite, read);
	suite_add_tcase(suite, run);
	return suite_run(suite);
}
