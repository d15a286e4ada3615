/* SPDX-License-Identifier: MIT */
/*
 * What must be refused, said to a real session: each line and script of
 * malformed.def with its code and column; after each the session still
 * answers, and has lost nothing.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller.h"
#include "suite.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const struct line_row {
	const char *line, *code;
	int column;
} lines[] = {
#define LINE(line, code, column) { line, code, column },
#include "malformed.def"
};

static const struct run_row {
	const char *line, *code;
} runs[] = {
#define RUN(line, code) { line, code },
#include "malformed.def"
};

static const struct script_row {
	const char *text;
	int line;
	const char *code;
	int column;
} scripts[] = {
#define SCRIPT(text, line, code, column) { text, line, code, column },
#include "malformed.def"
};

static struct controller controller;
static struct client client;

/* The session that RUN lines are said to; see malformed.def. */
static void
serve(void)
{
	const char *programs = needed_env("SEAM_TEST_PROGRAMS");

	controller_start(&controller);
	client_open(&client, controller.path);
	ask_ok(&client, "start A -- %s/acquire mutex lock --stdin", programs);
	ask_ok(&client, "wait output A /^ready$/");
	ask_ok(&client, "start B -- %s/held_by_peer mutex", programs);
	ask_ok(&client, "wait output B /^taken$/");
	ask_ok(&client, "pause sem.wait proc=A as=never");
	ask_ok(&client, "start Z -- %s/acquire mutex lock", programs);
	ask_ok(&client, "expect exit Z 0");
	client_close(&client);
}

static void
end(void)
{
	controller_finish(&controller);
}

static void
connect_client(void)
{
	client_open(&client, controller.path);
}

/* A, B and the rule are still there, for this client and for another. */
static void
nothing_is_lost(const char *line)
{
	struct client other;

	ask_ok(&client, "procs");
	ck_assert_msg(strstr(client.body, " A ") && strstr(client.body, " B "),
		      "after '%s':\n%s", line, client.body);
	client_open(&other, controller.path);
	ask_ok(&other, "rules");
	ck_assert_msg(strstr(other.body, "never") != NULL, "after '%s':\n%s",
		      line, other.body);
	client_close(&other);
}

static void
disconnect_client(void)
{
	client_close(&client);
}

START_TEST(line)
{
	const struct line_row *row = &lines[_i];
	const char *reply = ask(&client, "%s", row->line);

	ck_assert_msg(reply_has_code(reply, row->code), "%s: '%s', not %s",
		      row->line, reply, row->code);
	ck_assert_msg(atoi(reply_field(&client, "col")) == row->column,
		      "%s: '%s', not col=%d", row->line, reply, row->column);
	nothing_is_lost(row->line);
}
END_TEST

/* The same in JSON. */
START_TEST(line_in_json)
{
	const struct line_row *row = &lines[_i];
	char code[64], column[32], *reply;

	ck_assert_ptr_null(strchr(row->code, '|'));
	client_send(&client, "json on\n", 8);
	client_send(&client, row->line, strlen(row->line));
	client_send(&client, "\njson off\n", 10);
	ck_assert_ptr_nonnull(client_hear(&client));
	/* Lines of JSON are taken for lines of a text. */
	reply = client.body;
	snprintf(code, sizeof(code), "\"code\":\"%s\"", row->code);
	snprintf(column, sizeof(column), "\"col\":%d,", row->column);
	ck_assert_msg(strstr(reply, "{\"ok\":false,") && strstr(reply, code) &&
			  strstr(reply, column),
		      "%s: %s", row->line, reply);
}
END_TEST

/* $programs, put in as a script's variable would be. */
static char *
expanded(const char *text)
{
	const char *programs = needed_env("SEAM_TEST_PROGRAMS"), *at;
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	while ((at = strstr(text, "$programs"))) {
		fprintf(f, "%.*s%s", (int)(at - text), text, programs);
		text = at + strlen("$programs");
	}
	fputs(text, f);
	fclose(f);
	return out;
}

START_TEST(run)
{
	const struct run_row *row = &runs[_i];
	char *text = expanded(row->line);
	const char *reply = ask(&client, "%s", text);

	ck_assert_msg(reply_has_code(reply, row->code), "%s: '%s', not %s",
		      text, reply, row->code);
	ck_assert_msg(strlen(reply) > strlen("err ") + strlen(row->code) ||
			  strchr(row->code, '|'),
		      "%s: '%s' says nothing to a person", text, reply);
	nothing_is_lost(text);
	free(text);
}
END_TEST

/* Scripts, through `seam test`: the line, the code and the column stand in
 * what it says, and the exit status is that of the code. */

struct ran {
	int status;
	char said[65536];
};

static void
write_script(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void
run_script(const char *path, struct ran *ran)
{
	const char *seam = needed_env("SEAM_COMMAND");
	size_t n = 0;
	ssize_t got;
	int out[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		dup2(out[1], 1);
		dup2(out[1], 2);
		execl(seam, seam, "test", path, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	while ((got = read(out[0], ran->said + n, sizeof(ran->said) - 1 - n)) >
	       0)
		n += (size_t)got;
	ran->said[n] = '\0';
	close(out[0]);
	ck_assert_int_eq(waitpid(pid, &ran->status, 0), pid);
}

static int
exit_status_of(const char *code)
{
	if (strstr("syntax unknown-op", code))
		return 2;
	return strcmp(code, "unsupported") ? 1 : 3;
}

START_TEST(script)
{
	const struct script_row *row = &scripts[_i];
	static struct ran ran;
	char path[96], where[160];
	bool found = false;
	size_t n;

	snprintf(path, sizeof(path), "%s/script%d", controller.dir, _i);
	write_script(path, row->text);
	run_script(path, &ran);
	for (const char *code = row->code; *code; code += n + (code[n] != 0)) {
		n = strcspn(code, "|");
		snprintf(where, sizeof(where),
			 row->column ? "%s:%d:%d: %.*s: " : "%s:%d:%.0d %.*s: ",
			 path, row->line, row->column, (int)n, code);
		found |= strstr(ran.said, where) != NULL;
	}
	ck_assert_msg(found, "%s\nsaid: %s\nnot: %s", row->text, ran.said,
		      where);
	if (!strchr(row->code, '|'))
		ck_assert_msg(WIFEXITED(ran.status) &&
				  WEXITSTATUS(ran.status) ==
				      exit_status_of(row->code),
			      "%s\nwait status %x", row->text,
			      (unsigned)ran.status);
}
END_TEST

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
	Suite *suite = suite_create("malformed");
	int status;

	add(suite, "line", line, COUNT(lines));
	add(suite, "line_in_json", line_in_json, COUNT(lines));
	add(suite, "run", run, COUNT(runs));
	add(suite, "script", script, COUNT(scripts));
	status = suite_run(suite);
	return controllers_failed ? EXIT_FAILURE : status;
}
