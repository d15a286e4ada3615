/* SPDX-License-Identifier: MIT */
/* Commands: parsing, variables, replies, and a conversation by socket. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "command.h"
#include "session_int.h"
#include "suite.h"

/* Parsing. */

static const struct {
	const char *line, *code;
	int column;
} refused[] = {
#define LINE(line, code, column) { line, code, column },
#include "malformed.def"
};

START_TEST(refuses)
{
	struct seam_error err = { 0 };
	struct seam_job job;
	enum seam_code code;

	code = seam_job_parse(refused[_i].line, NULL, &job, &err);
	ck_assert_msg(!strcmp(seam_code_name(code), refused[_i].code),
		      "%s: %s (%s), not %s", refused[_i].line,
		      seam_code_name(code), err.text, refused[_i].code);
	ck_assert_msg(err.column == refused[_i].column,
		      "%s: column %d (%s), not %d", refused[_i].line,
		      err.column, err.text, refused[_i].column);
	ck_assert_str_ne(err.text, "");
	seam_job_free(&job);
}
END_TEST

/* Every form in the manual, and the name in the table it leads to. */
static const struct {
	const char *line, *name;
} accepted[] = {
	{ "", NULL },
	{ "   # nothing but a comment", NULL },
	{ "start A -- true", "start" },
	{ "start A env K=V env L=\"a b\" dir=/tmp -- sh -c \"exit 1\"",
	  "start" },
	{ "start main", "start" },
	{ "pause mutex.lock", "pause" },
	{ "pause mutex.* as=p obj=cache_lock when=after", "pause" },
	{ "pause fcntl.setlk path=t.db range=0x40000001+1 mode=wr proc=A "
	  "when=after as=reserved",
	  "pause" },
	{ "hold cache_lock", "hold" },
	{ "hold file:t.db mode=rd range=0+1 as=h timeout=10", "hold" },
	{ "hold sem:@0x55d0 proc=A", "hold" },
	{ "fail sem.wait errno=EINTR times=3", "fail" },
	{ "watch on", "watch" },
	{ "watch off", "watch" },
	{ "wait reserved", "wait" },
	{ "wait reserved timeout=0", "wait" },
	{ "wait quiescent", "wait quiescent" },
	{ "wait exit A timeout=1", "wait exit" },
	{ "wait blocked P1.T0 obj=mutex:x", "wait blocked" },
	{ "wait output A /ready ([0-9]+)/ as=port", "wait output" },
	{ "wait output A /^[0-9]{1,3}(\\.[0-9]{1,3}){3} []{x]{99}$/",
	  "wait output" },
	{ "wait output A /[[:xdigit:]]{16} ([^]{]{16}|\\{{2,})+ a{,9}/",
	  "wait output" },
	{ "wait step P1.T0", "wait step" },
	{ "release all", "release" },
	{ "step P1.T0", "step" },
	{ "delete p1", "delete" },
	{ "procs", "procs" },
	{ "threads", "threads" },
	{ "locks", "locks" },
	{ "rules", "rules" },
	{ "stats", "stats" },
	{ "state", "state" },
	{ "signal A TERM", "signal" },
	{ "kill A", "kill" },
	{ "output A", "output" },
	{ "send A \"a line\"", "send" },
	{ "send A \"a line\" eof", "send" },
	{ "send A eof", "send" },
	{ "send A k=v", "send" },
	{ "log any", "log" },
	{ "log off", "log" },
	{ "sleep 0x10", "sleep" },
	{ "set x \"\"", "set" },
	{ "json on", "json" },
	{ "help", "help" },
	{ "help wait", "help" },
	{ "quit", "quit" },
	{ "expect exit A 5", "expect exit" },
	{ "expect exit A SIGKILL timeout=10", "expect exit" },
	{ "expect output B /database is locked/", "expect output" },
	{ "expect blocked A obj=x", "expect blocked" },
	{ "expect parked p", "expect parked" },
	{ "expect not wait p", "expect not" },
	{ "expect not expect exit A 0", "expect not" },
};

START_TEST(accepts)
{
	struct seam_error err = { 0 };
	struct seam_job job;
	enum seam_code code;

	code = seam_job_parse(accepted[_i].line, NULL, &job, &err);
	ck_assert_msg(!code, "%s: %s", accepted[_i].line, err.text);
	if (accepted[_i].name)
		ck_assert_str_eq(job.command->name, accepted[_i].name);
	else
		ck_assert_ptr_null(job.command);
	seam_job_free(&job);
}
END_TEST

START_TEST(orders_and_accounts_parse)
{
	static const char *const lines[] = { "order a b", "next",
					     "finish",	  "gate 2 mutex.lock",
					     "mark",	  "left-behind",
					     "join" };
	struct seam_error err = { 0 };
	struct seam_job job;

	ck_assert_msg(!seam_job_parse(lines[_i], NULL, &job, &err), "%s: %s",
		      lines[_i], err.text);
	seam_job_free(&job);
}
END_TEST

static struct seam_job
parsed(const char *line, const struct seam_vars *vars)
{
	struct seam_error err = { 0 };
	struct seam_job job;

	ck_assert_msg(!seam_job_parse(line, vars, &job, &err), "%s: %s", line,
		      err.text);
	return job;
}

START_TEST(takes_arguments)
{
	struct seam_job job =
	    parsed("start A env K=V dir=/d -- cmd a=b \"c d\" --", NULL);

	ck_assert_str_eq(job.args.what, "A");
	ck_assert_str_eq(job.args.env[0], "K=V");
	ck_assert_ptr_null(job.args.env[1]);
	ck_assert_str_eq(job.args.dir, "/d");
	ck_assert_str_eq(job.args.argv[0], "cmd");
	ck_assert_str_eq(job.args.argv[1], "a=b");
	ck_assert_str_eq(job.args.argv[2], "c d");
	ck_assert_str_eq(job.args.argv[3], "--");
	ck_assert_ptr_null(job.args.argv[4]);
	seam_job_free(&job);

	job = parsed("expect exit A SIGKILL", NULL);
	ck_assert(job.args.by_signal && job.args.number == 9);
	seam_job_free(&job);

	job = parsed("wait output A /a\\/b c/ as=x timeout=7", NULL);
	ck_assert_str_eq(job.args.text, "a/b c");
	ck_assert_str_eq(job.args.sets, "x");
	ck_assert_uint_eq(job.args.timeout_ms, 7);
	seam_job_free(&job);

	job = parsed("expect not wait p", NULL);
	ck_assert_uint_eq(job.inner->args.timeout_ms, SEAM_NOT_MS);
	seam_job_free(&job);

	job = parsed("expect not wait p timeout=3", NULL);
	ck_assert_uint_eq(job.inner->args.timeout_ms, 3);
	seam_job_free(&job);
}
END_TEST

START_TEST(regexes_are_bounded)
{
	static const char *const lines[] = {
		"wait output A /((a{200}){200}){200}/",
		"wait output A /(a{99999})/",
		"wait output A /(((a*b*c*d*){16}){8}){9}/",
		"wait output A /([[:alpha:][]{200}){200}/",
		"wait output A /((a{100})*{100})/",
		"wait output A /(a)\\1/",
		"wait output A /(((/",
		"wait output A /a+++++++++++++++++++++++++++++++++/",
		"wait output A /((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+/",
		"wait output A /((((((((((((^a)*)*)*)*)*)*)*)*)*)*)*)*/",
		"wait output A /(\\b(a|^))*/",
		"wait output A /a+?????????????????????????+/",
	};
	struct seam_error err = { 0 };
	struct seam_job job;

	ck_assert_int_eq(seam_job_parse(lines[_i], NULL, &job, &err),
			 SEAM_E_SYNTAX);
	seam_job_free(&job);
}
END_TEST

/* Variables. */

START_TEST(variables_expand)
{
	struct seam_vars vars = { 0 };
	struct seam_job job;

	ck_assert(seam_var_set(&vars, "x", "one"));
	ck_assert(seam_var_set(&vars, "x", "two words"));
	job = parsed("send A $x eof", &vars);
	ck_assert_str_eq(job.args.text, "two words");
	ck_assert(job.args.eof);
	seam_job_free(&job);
	job = parsed("send A \"<${x}>$$x $ $1\"", &vars);
	ck_assert_str_eq(job.args.text, "<two words>$x $ $1");
	seam_job_free(&job);
	job = parsed("expect output A /end$x $/", &vars);
	ck_assert_str_eq(job.args.text, "end$x $");
	seam_job_free(&job);
	job = parsed("start A env K=$x -- c", &vars);
	ck_assert_str_eq(job.args.env[0], "K=two words");
	seam_job_free(&job);
	seam_vars_free(&vars);
}
END_TEST

START_TEST(unknown_values_are_not_judged)
{
	struct seam_vars vars = { 0 };
	struct seam_error err = { 0 };
	struct seam_job job;

	ck_assert(seam_var_set(&vars, "addr", NULL));
	job = parsed("hold sem:@$addr", &vars);
	ck_assert(job.open);
	seam_job_free(&job);
	ck_assert_int_eq(seam_job_parse("hodl @$addr", &vars, &job, &err),
			 SEAM_E_SYNTAX);
	seam_job_free(&job);
	seam_vars_free(&vars);
}
END_TEST

/* Replies. */

static void
expect_text(struct seam_reply *reply, enum seam_code code,
	    const struct seam_error *err, bool json, const char *wanted)
{
	char *text = seam_reply_format(reply, code, err, json);

	ck_assert_str_eq(text, wanted);
	free(text);
}

START_TEST(replies_are_formatted)
{
	struct seam_error err = { SEAM_E_TIMEOUT, 0, "two\nlines\001" };
	struct seam_reply reply;

	seam_reply_init(&reply);
	expect_text(&reply, SEAM_OK, NULL, false, "ok\n");
	seam_reply_add(&reply, "id", "p1");
	seam_reply_add(&reply, "at", "f \"x\" a.c:1\n");
	seam_reply_add_number(&reply, "n", 3);
	expect_text(&reply, SEAM_OK, NULL, false,
		    "ok id=p1 at=\"f \\\"x\\\" a.c:1\\n\" n=3\n");
	expect_text(&reply, SEAM_OK, NULL, true,
		    "{\"ok\":true,\"id\":\"p1\","
		    "\"at\":\"f \\\"x\\\" a.c:1\\n\",\"n\":3}\n");
	expect_text(&reply, SEAM_E_TIMEOUT, &err, false,
		    "err timeout two; lines \n");
	err = (struct seam_error){ SEAM_E_SYNTAX, 14, "bad" };
	expect_text(&reply, SEAM_E_SYNTAX, &err, false,
		    "err syntax col=14 bad\n");
	expect_text(&reply, SEAM_E_SYNTAX, &err, true,
		    "{\"ok\":false,\"code\":\"syntax\",\"col\":14,"
		    "\"text\":\"bad\"}\n");
	seam_reply_free(&reply);
}
END_TEST

START_TEST(tables_are_aligned)
{
	struct seam_reply reply;

	seam_reply_init(&reply);
	reply.rows = json_pack("[{s:s,s:s},{s:s,s:n},{s:s,s:[s,s]}]", "proc",
			       "P1", "exe", "/bin/true", "proc", "P10", "exe",
			       "proc", "P2", "exe", "a", "b");
	expect_text(&reply, SEAM_OK, NULL, false,
		    " proc  exe\n"
		    " P1    /bin/true\n"
		    " P10   -\n"
		    " P2    a, b\n"
		    "ok rows=3\n");
	seam_reply_free(&reply);
	seam_reply_init(&reply);
	reply.text = strdup("ok one\n\nlast");
	expect_text(&reply, SEAM_OK, NULL, false, " ok one\n \n last\nok\n");
	seam_reply_free(&reply);
}
END_TEST

START_TEST(any_bytes_become_json)
{
	struct seam_reply reply;

	seam_reply_init(&reply);
	seam_reply_add(&reply, "t", "a\xff\xc3");
	expect_text(&reply, SEAM_OK, NULL, true,
		    "{\"ok\":true,\"t\":\"a\xef\xbf\xbd\xef\xbf\xbd\"}\n");
	seam_reply_free(&reply);
}
END_TEST

START_TEST(events_are_lines)
{
	struct seam_event e = { .thread = "P1.T0",
				.thread_name = "main thread",
				.verb = "mutex.lock",
				.object = "m",
				.site = "f a.c:1",
				.moment = SEAM_AFTER,
				.result = EBUSY };
	char *text = seam_event_format(&e, false);

	ck_assert_str_eq(text, "! thread=P1.T0 name=\"main thread\" "
			       "op=mutex.lock obj=m at=\"f a.c:1\" "
			       "result=EBUSY\n");
	free(text);
	text = seam_event_format(&e, true);
	ck_assert_ptr_nonnull(strstr(text, "{\"event\":{\"thread\":"));
	free(text);
}
END_TEST

START_TEST(every_command_has_help)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert(seam_help_commands(f, NULL));
	ck_assert(seam_help_commands(f, "wait"));
	ck_assert(!seam_help_commands(f, "wai"));
	ck_assert(!seam_help_commands(f, "explore"));
	seam_help_operations(f);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "wait quiescent"));
	ck_assert_ptr_nonnull(strstr(text, "pthread_mutex_timedlock"));
	free(text);
}
END_TEST

/* A conversation with a session that has no targets. */

static struct seam_session *session;
static struct seam_commands *commands;

static void
open_session(void)
{
	struct seam_options options = { 0 };
	struct seam_error err;

	ck_assert_msg(!seam_session_open(&options, &session, &err), "%s",
		      err.text);
	commands = seam_commands_serve(session);
	ck_assert_ptr_nonnull(commands);
}

static void
close_session(void)
{
	seam_commands_close(commands, false);
}

static int
connected(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(addr.sun_path, seam_session_socket(session),
		sizeof(addr.sun_path) - 1);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)),
			 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
}

/* Until that many lines beginning with ok or err have come. */
static char *
hear(int fd, int replies)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	static char buf[65536];
	size_t n = 0;

	while (replies > 0 && n < sizeof(buf) - 1) {
		ck_assert_int_eq(poll(&p, 1, 10000), 1);
		ck_assert_int_eq(read(fd, buf + n, 1), 1);
		if (buf[n++] != '\n')
			continue;
		buf[n] = '\0';
		for (size_t i = n - 1; i && buf[i - 1] != '\n';)
			if (!--i || buf[i - 1] == '\n')
				replies -= !strncmp(buf + i, "ok", 2) ||
					   !strncmp(buf + i, "err", 3) ||
					   buf[i] == '{';
	}
	return buf;
}

START_TEST(socket_answers)
{
	int fd = connected();

	say(fd, "wat\n\n# comment\nset x 1\nset y $x\nsend $y\n");
	ck_assert_str_eq(hear(fd, 1),
			 "err syntax col=1 unknown command 'wat', did you mean "
			 "'wait'?; `help` lists them\n");
	ck_assert_str_eq(hear(fd, 1), "ok\n");
	ck_assert_str_eq(hear(fd, 1), "ok\n");
	ck_assert_ptr_nonnull(strstr(hear(fd, 1), "err syntax col=8 "));
	say(fd, "pause mutex.lock as=p\nrules\nwait p timeout=10\n");
	ck_assert_str_eq(hear(fd, 1), "ok id=p\n");
	ck_assert_ptr_nonnull(strstr(hear(fd, 1), "\nok rows=1\n"));
	ck_assert_ptr_nonnull(strstr(hear(fd, 1), "err timeout "));
	say(fd, "json on\nprocs\nquit\n");
	ck_assert_str_eq(hear(fd, 1), "{\"ok\":true}\n");
	ck_assert_str_eq(hear(fd, 1), "{\"ok\":true,\"rows\":[]}\n");
	ck_assert_str_eq(hear(fd, 1), "{\"ok\":true}\n");
	ck_assert_int_eq(read(fd, &(char){ 0 }, 1), 0);
	close(fd);
}
END_TEST

/* What the server refuses by itself comes in the form that was asked for. */
START_TEST(refusals_are_json_too)
{
	static char line[70001];
	int fd = connected(), plain = connected();

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 2] = '\n';
	say(fd, "json on\n");
	hear(fd, 1);
	say(fd, line);
	ck_assert_str_eq(hear(fd, 1),
			 "{\"ok\":false,\"code\":\"syntax\",\"text\":\"line "
			 "too long: 65536 bytes are the limit\"}\n");
	ck_assert_int_eq(write(fd, "ru\0les\n", 7), 7);
	ck_assert_str_eq(hear(fd, 1),
			 "{\"ok\":false,\"code\":\"syntax\",\"text\":\"NUL "
			 "byte in the line\"}\n");
	say(fd, "json off\n");
	hear(fd, 1);
	ck_assert_int_eq(write(fd, "\0\n", 2), 2);
	ck_assert_str_eq(hear(fd, 1), "err syntax NUL byte in the line\n");
	say(fd, "json on\n");
	hear(fd, 1);
	say(plain, "rules\n");
	hear(plain, 1);
	seam_lock(session);
	seam_broken(session, "by \"%s\"", "the test");
	seam_unlock(session);
	ck_assert_str_eq(hear(fd, 1),
			 "{\"ok\":false,\"code\":\"gone\",\"text\":\"arena "
			 "damaged: by \\\"the test\\\"\"}\n");
	ck_assert_str_eq(hear(plain, 1),
			 "err gone arena damaged: by \"the test\"\n");
	close(fd);
	close(plain);
}
END_TEST

START_TEST(expect_not_turns_round)
{
	int fd = connected();

	say(fd, "pause any as=p\nexpect not wait p timeout=10\n"
		"expect not rules\nexpect parked p timeout=10\n");
	hear(fd, 1);
	ck_assert_ptr_nonnull(strstr(hear(fd, 1), "ok code=timeout "));
	ck_assert_ptr_nonnull(strstr(hear(fd, 1), "err failed "));
	ck_assert_ptr_nonnull(strstr(hear(fd, 1), "err failed "));
	close(fd);
}
END_TEST

/* A client that sleeps, or waits, is nobody else's concern. */
START_TEST(slow_ones_block_nobody)
{
	int slow = connected(), waits = connected(), quick = connected();

	say(waits, "pause any as=p\nwait p timeout=60000\n");
	hear(waits, 1);
	say(slow, "sleep 60000\nrules\n");
	say(quick, "rules\n");
	hear(quick, 1);
	close(waits);
	close(slow);
	say(quick, "delete p\n");
	ck_assert_str_eq(hear(quick, 1), "ok\n");
	close(quick);
}
END_TEST

START_TEST(clients_may_vanish)
{
	int fd = connected();

	say(fd, "pause mutex.lo");
	close(fd);
	fd = connected();
	say(fd, "log any\nrules\n");
	ck_assert_ptr_nonnull(strstr(hear(fd, 1), "ok id="));
	close(fd);
	fd = connected();
	say(fd, "rules\n");
	hear(fd, 1);
	close(fd);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *suite = suite_create("command");
	TCase *parse = tcase_create("parse"), *reply = tcase_create("reply"),
	      *serve = tcase_create("socket");

	tcase_add_loop_test(parse, refuses, 0, COUNT(refused));
	tcase_add_loop_test(parse, accepts, 0, COUNT(accepted));
	tcase_add_loop_test(parse, orders_and_accounts_parse, 0, 7);
	tcase_add_test(parse, takes_arguments);
	tcase_add_loop_test(parse, regexes_are_bounded, 0, 12);
	tcase_add_test(parse, variables_expand);
	tcase_add_test(parse, unknown_values_are_not_judged);
	tcase_add_test(reply, replies_are_formatted);
	tcase_add_test(reply, tables_are_aligned);
	tcase_add_test(reply, any_bytes_become_json);
	tcase_add_test(reply, events_are_lines);
	tcase_add_test(reply, every_command_has_help);
	tcase_add_checked_fixture(serve, open_session, close_session);
	tcase_add_test(serve, socket_answers);
	tcase_add_test(serve, refusals_are_json_too);
	tcase_add_test(serve, expect_not_turns_round);
	tcase_add_test(serve, slow_ones_block_nobody);
	tcase_add_test(serve, clients_may_vanish);
	suite_add_tcase(suite, parse);
	suite_add_tcase(suite, reply);
	suite_add_tcase(suite, serve);
	return suite_run(suite);
}
