/* SPDX-License-Identifier: MIT */
/*
 * Every acquiring function while its object is held, and while it is paused,
 * made to fail, interrupted or cancelled: acquire_table.def, a test a row,
 * by the socket of one `seam serve` for each group.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller.h"
#include "suite.h"

#define PARKS ((const char *)0)
#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const struct hold_row {
	const char *args, *object, *mode, *held, *after;
} holds[] = {
#define HOLD(args, object, mode, held, after)                                  \
	{ args, object, mode, held, after },
#include "acquire_table.def"
};

static const struct no_hold_row {
	const char *args, *object;
} no_holds[] = {
#define NO_HOLD(args, object) { args, object },
#include "acquire_table.def"
};

static const struct pause_row {
	const char *args, *verb, *function, *object, *site, *prints;
} pauses[] = {
#define PAUSE(args, verb, function, object, site, prints)                      \
	{ args, verb, function, object, site, prints },
#include "acquire_table.def"
};

static const struct fail_row {
	const char *args, *verb, *number, *prints;
} fails[] = {
#define FAIL(args, verb, number, prints) { args, verb, number, prints },
#include "acquire_table.def"
};

static const struct signal_row {
	const char *args, *object, *handled, *restarted;
} signals[] = {
#define SIGNAL(args, object, handled, restarted)                               \
	{ args, object, handled, restarted },
#include "acquire_table.def"
};

static const struct cancel_row {
	const char *args, *object, *prints;
} cancels[] = {
#define CANCEL(args, object, prints) { args, object, prints },
#include "acquire_table.def"
};

static struct controller controller;
static struct client client;

/* Outside of the tests' processes: one controller for a group. */
static void
serve(void)
{
	controller_start(&controller);
	client_open(&client, controller.path);
	ask_ok(&client, "watch on");
	client_close(&client);
}

static void
end(void)
{
	controller_finish(&controller);
}

/* What a failed test has left must not fail the next one. */
static void
kill_leftovers(void)
{
	char *line, *rest, *table;

	ask_ok(&client, "delete all");
	ask_ok(&client, "procs");
	table = strdup(client.body);
	for (line = strtok_r(table, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strstr(line, " ended ") || !strncmp(line, "proc ", 5))
			continue;
		line[strcspn(line, " ")] = '\0';
		ask(&client, "kill %s", line);
		ask(&client, "wait exit %s", line);
	}
	free(table);
}

static void
connect_client(void)
{
	client_open(&client, controller.path);
	kill_leftovers();
}

static void
disconnect_client(void)
{
	client_close(&client);
}

/* The semaphore's name is this run's own, other suites may be running. */
static const char *
own_name(const char *object)
{
	static char own[64];

	if (strcmp(object, "sem:/seam-acquire") != 0)
		return object;
	snprintf(own, sizeof(own), "%s-%d", object, (int)controller.pid);
	return own;
}

/* Files and named semaphores are everybody's; other objects are looked for
 * in a process.  " proc=ALIAS", or nothing. */
static const char *
proc_of(const char *object, const char *alias)
{
	static char text[40];

	if (!strncmp(object, "file:", 5) || !strncmp(object, "sem:/", 5))
		return "";
	snprintf(text, sizeof(text), " proc=%s", alias);
	return text;
}

static void
start(const char *alias, const char *args, const char *more)
{
	ask_ok(&client, "start %s -- %s/acquire %s --name /seam-acquire-%d %s",
	       alias, needed_env("SEAM_TEST_PROGRAMS"), args,
	       (int)controller.pid, more);
}

static void
start_ready(const char *alias, const char *args, const char *more)
{
	start(alias, args, more);
	ask_ok(&client, "wait output %s /^ready$/", alias);
}

static void
hold(const char *alias, const char *object, const char *mode)
{
	ask_ok(&client, "hold %s%s%s%s as=h", own_name(object),
	       proc_of(object, alias), *mode ? " mode=" : "", mode);
}

/* It stands at what the session holds, and has said nothing. */
static void
wait_blocked(const char *object)
{
	ask_ok(&client, "wait blocked worker obj=%s", own_name(object));
}

/* It ends well, and has written just that. */
static void
must_end(const char *args, const char *alias, const char *format,
	 const char *prints)
{
	char wanted[256];
	const char *got;

	ask_ok(&client, "expect exit %s 0", alias);
	got = ask_output(&client, alias);
	snprintf(wanted, sizeof(wanted), format, prints);
	ck_assert_msg(!strcmp(got, wanted), "%s: printed '%s', not '%s'", args,
		      got, wanted);
}

START_TEST(held)
{
	const struct hold_row *row = &holds[_i];
	char alias[16];

	snprintf(alias, sizeof(alias), "H%d", _i);
	start_ready(alias, row->args, "--stdin");
	hold(alias, row->object, row->mode);
	ask_ok(&client, "send %s go", alias);
	if (row->held != PARKS) {
		must_end(row->args, alias, "ready\n%s\n", row->held);
		return;
	}
	wait_blocked(row->object);
	ck_assert_msg(!strcmp(ask_output(&client, alias), "ready\n"), "%s: %s",
		      row->args, client.body);
	ask_ok(&client, "release h");
	must_end(row->args, alias, "ready\n%s\n", row->after);
}
END_TEST

/* What was held and is let go is as free as before. */
START_TEST(held_no_more)
{
	const struct hold_row *row = &holds[_i];
	char alias[16];

	snprintf(alias, sizeof(alias), "L%d", _i);
	start_ready(alias, row->args, "--stdin");
	hold(alias, row->object, row->mode);
	ask_ok(&client, "release h");
	ask_ok(&client, "send %s go", alias);
	must_end(row->args, alias, "ready\n%s\n", row->after);
}
END_TEST

START_TEST(cannot_be_held)
{
	const struct no_hold_row *row = &no_holds[_i];
	char alias[16];

	snprintf(alias, sizeof(alias), "N%d", _i);
	start_ready(alias, row->args, "--stdin");
	ask_err(&client, "unsupported", "hold %s proc=%s", row->object, alias);
	ask_ok(&client, "send %s go", alias);
	ask_ok(&client, "expect exit %s 0", alias);
}
END_TEST

/* What comes before the result in its output. */
static const char *
said_before(const struct pause_row *row)
{
	return strstr(row->args, "once") ? "init\n" : "";
}

enum { BY_VERB, BY_FUNCTION, BY_SITE, WAYS };

/* pause VERB|FUNCTION obj=|path= at= thread=worker proc= when=, as p.  Of a
 * function only the first call: fcntl and lockf unlock, too. */
static void
arm(const struct pause_row *row, const char *alias, int way, bool after)
{
	const char *key = " obj=";

	if (!strcmp(row->object, "f.lock"))
		key = " path=";
	else if (!row->object[0])
		key = "";
	ask_ok(&client, "pause %s%s%s%s%s thread=worker proc=%s%s%s as=p",
	       way == BY_FUNCTION ? row->function : row->verb, key,
	       own_name(row->object), way == BY_SITE ? " at=" : "",
	       way == BY_SITE ? row->site : "", alias,
	       way == BY_FUNCTION ? " once" : "", after ? " when=after" : "");
}

/* The reply to `wait p` says who, what and where. */
static void
check_report(const struct pause_row *row, const char *what)
{
	const char *object = own_name(row->object);

	ck_assert_msg(!strcmp(reply_field(&client, "op"), row->verb),
		      "%s, %s: '%s'", row->args, what, client.last);
	ck_assert_msg(strstr(reply_field(&client, "obj"), object) != NULL,
		      "%s, %s: '%s', no %s", row->args, what, client.last,
		      object);
	ck_assert_msg(strstr(reply_field(&client, "at"), row->site) != NULL &&
			  strstr(client.last, " acquire.c:") != NULL,
		      "%s, %s: '%s', not at %s", row->args, what, client.last,
		      row->site);
}

static void
start_paused(const struct pause_row *row, const char *alias, int way,
	     bool after)
{
	static const char *const ways[] = { "verb", "function", "site" };
	char what[40];

	snprintf(what, sizeof(what), "%s by its %s", after ? "after" : "before",
		 ways[way]);
	arm(row, alias, way, after);
	start(alias, row->args, "");
	ask_ok(&client, "wait p");
	check_report(row, what);
	ck_assert_msg(!strcmp(ask_output(&client, alias),
			      after ? said_before(row) : ""),
		      "%s, %s: printed '%s'", row->args, what, client.body);
}

static void
let_go(const struct pause_row *row, const char *alias)
{
	char format[16];

	ask_ok(&client, "release p");
	ck_assert_str_eq(reply_field(&client, "released"), "1");
	snprintf(format, sizeof(format), "%s%%s\n", said_before(row));
	must_end(row->args, alias, format, row->prints);
	ask_ok(&client, "delete p");
}

START_TEST(paused)
{
	const struct pause_row *row = &pauses[_i];
	char alias[24];

	for (int way = 0; way < WAYS; way++)
		for (int after = 0; after < 2; after++) {
			snprintf(alias, sizeof(alias), "W%d_%d_%d", _i, way,
				 after);
			start_paused(row, alias, way, after);
			let_go(row, alias);
		}
}
END_TEST

/* Before the call nothing has happened yet: the object can be had.  After
 * it, it cannot, unless nobody owns what this call gives. */
START_TEST(paused_truly)
{
	const struct pause_row *row = &pauses[_i];
	const bool is_file = !strcmp(row->object, "f.lock");
	const bool gives =
	    !strcmp(row->prints, "ret=0") &&
	    (is_file || strstr(row->object, "mutex") ||
	     strstr(row->object, "rwlock") || strstr(row->object, "spin") ||
	     strstr(row->object, "sem") || strstr(row->object, "mtx")) &&
	    strcmp(row->site, "do_lockf_test") != 0;
	char object[80], alias[24];

	if (!gives)
		return;
	snprintf(object, sizeof(object), "%s%s", is_file ? "file:" : "",
		 own_name(row->object));
	snprintf(alias, sizeof(alias), "X%d_0", _i);
	start_paused(row, alias, BY_VERB, false);
	hold(alias, object, "");
	ask_ok(&client, "release h");
	let_go(row, alias);
	snprintf(alias, sizeof(alias), "X%d_1", _i);
	start_paused(row, alias, BY_VERB, true);
	ask_err(&client, "timeout", "hold %s%s timeout=20", object,
		proc_of(object, alias));
	let_go(row, alias);
}
END_TEST

START_TEST(made_to_fail)
{
	const struct fail_row *row = &fails[_i];
	char alias[16];

	snprintf(alias, sizeof(alias), "F%d", _i);
	ask_ok(&client, "fail %s errno=%s times=1 thread=worker proc=%s as=f",
	       row->verb, row->number, alias);
	start(alias, row->args, "");
	must_end(row->args, alias, "%s\n", row->prints);
	ask_ok(&client, "delete f");
}
END_TEST

/* The handler runs in the thread that is held; then the call ends, or goes on
 * waiting until it is let go. */
static void
interrupt(const struct signal_row *row, const char *alias, const char *option,
	  const char *prints)
{
	char more[40];

	snprintf(more, sizeof(more), "--stdin %s", option);
	start_ready(alias, row->args, more);
	hold(alias, row->object, "");
	ask_ok(&client, "send %s go", alias);
	wait_blocked(row->object);
	ask_ok(&client, "signal %s USR1", alias);
	ask_ok(&client, "wait output %s /^handler$/", alias);
	if (prints != PARKS) {
		must_end(row->args, alias, "ready\nhandler\n%s\n", prints);
		return;
	}
	wait_blocked(row->object);
	/* A second one finds it where it was, and comes before the release. */
	ask_ok(&client, "signal %s USR1", alias);
	ask_ok(&client, "release h");
	must_end(row->args, alias, "ready\nhandler\nhandler\n%s\n", "ret=0");
}

START_TEST(interrupted)
{
	const struct signal_row *row = &signals[_i];
	char alias[16];

	snprintf(alias, sizeof(alias), "S%d", _i);
	interrupt(row, alias, "--signal", row->handled);
}
END_TEST

START_TEST(restarted)
{
	const struct signal_row *row = &signals[_i];
	char alias[16];

	snprintf(alias, sizeof(alias), "R%d", _i);
	interrupt(row, alias, "--restart", row->restarted);
}
END_TEST

START_TEST(cancelled)
{
	const struct cancel_row *row = &cancels[_i];
	char alias[16];

	snprintf(alias, sizeof(alias), "C%d", _i);
	start_ready(alias, row->args, "--stdin --cancel");
	hold(alias, row->object, "");
	ask_ok(&client, "send %s go", alias);
	wait_blocked(row->object);
	ask_ok(&client, "send %s cancel", alias);
	if (row->prints != PARKS) {
		must_end(row->args, alias, "ready\n%s\n", row->prints);
		return;
	}
	/* Main has cancelled the worker when it goes to join it. */
	ask_ok(&client, "wait blocked %s", alias);
	wait_blocked(row->object);
	ask_ok(&client, "release h");
	must_end(row->args, alias, "ready\n%s\n", "ret=0");
}
END_TEST

/* Each group has a controller of its own. */
static void
add(Suite *suite, const char *name, const TTest *test, int rows)
{
	TCase *tc = suite_add_rows(suite, name, test, rows);

	tcase_add_unchecked_fixture(tc, serve, end);
	tcase_add_checked_fixture(tc, connect_client, disconnect_client);
}

int
main(void)
{
	Suite *suite = suite_create("acquire");
	int status;

	add(suite, "held", held, COUNT(holds));
	add(suite, "held_no_more", held_no_more, COUNT(holds));
	add(suite, "cannot_be_held", cannot_be_held, COUNT(no_holds));
	add(suite, "paused", paused, COUNT(pauses));
	add(suite, "paused_truly", paused_truly, COUNT(pauses));
	add(suite, "made_to_fail", made_to_fail, COUNT(fails));
	add(suite, "interrupted", interrupted, COUNT(signals));
	add(suite, "restarted", restarted, COUNT(signals));
	add(suite, "cancelled", cancelled, COUNT(cancels));
	status = suite_run(suite);
	return controllers_failed ? EXIT_FAILURE : status;
}
