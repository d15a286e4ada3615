/* SPDX-License-Identifier: MIT */
/* seam.h, function by function, on real programs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <seam_check.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "driver.h"
#include "suite.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* A victim's path; valid until the next call but three. */
static const char *
victim(const char *name)
{
	static char path[4][PATH_MAX];
	static unsigned next;
	const char *dir = getenv("SEAM_TEST_PROGRAMS");

	ck_assert_ptr_nonnull(dir);
	next = (next + 1) % 4;
	snprintf(path[next], PATH_MAX, "%s/%s", dir, name);
	return path[next];
}

#define START(alias, program, ...)                                             \
	ck_seam(seam_startl(SESSION, alias, victim(program), __VA_ARGS__, NULL))

static void
expect_output(const char *alias, const char *regex)
{
	ck_seam(seam_wait_output(SESSION, alias, regex, NULL, SEAM_DEFAULT));
}

/* A running producer stands at `in`; relay and consumer wait. */
static void
start_queue(struct seam_stop *stop)
{
	ck_seam(seam_pause(SESSION, "in", "mutex.lock at=queue_put"));
	START("Q", "queue", "5");
	ck_seam(seam_wait(SESSION, "in", stop, SEAM_DEFAULT));
}

/* Sessions. */

static enum seam_code
opened(const struct seam_config *config)
{
	seam_session *s = NULL;
	enum seam_code code = seam_open(&s, config);

	ck_assert(!code == !!s);
	seam_close(s);
	return code;
}

START_TEST(open_refuses)
{
	ck_assert_int_eq(opened(&(struct seam_config){ .preload = "/no.so" }),
			 SEAM_E_UNSUPPORTED);
	expect_message("/no.so: No such file");
	ck_assert_int_eq(opened(&(struct seam_config){ .dir = "/none/here" }),
			 SEAM_E_UNSUPPORTED);
	expect_message("/none/here: No such file");
	ck_assert_int_eq(opened(&(struct seam_config){ .socket = "/none/s" }),
			 SEAM_E_UNSUPPORTED);
	expect_message("/none");
	ck_assert_int_eq(opened(NULL), SEAM_OK);
	seam_close(NULL);
	ck_assert_int_eq(seam_release(NULL, "all"), SEAM_E_GONE);
}
END_TEST

START_TEST(socket_is_where_it_was_wanted)
{
	struct seam_config config = { 0 };
	char path[100];
	seam_session *s;
	struct stat st;

	snprintf(path, sizeof(path), "%s/s", place);
	config.socket = path;
	ck_assert_int_eq(seam_open(&s, &config), SEAM_OK);
	ck_assert_str_eq(seam_socket(s), path);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	seam_close(s);
	ck_assert_int_ne(stat(path, &st), 0);
	ck_assert_int_eq(stat(seam_socket(SESSION), &st), 0);
}
END_TEST

START_TEST(own_timeout)
{
	struct seam_config config = { .timeout = 30 };
	seam_session *s;

	ck_assert_int_eq(seam_open(&s, &config), SEAM_OK);
	ck_assert_int_eq(seam_pause(s, "p", "mutex.lock"), SEAM_OK);
	ck_assert_int_eq(seam_wait(s, "p", NULL, SEAM_DEFAULT), SEAM_E_TIMEOUT);
	expect_message("after 30 ms nobody came to p");
	ck_assert_int_eq(seam_command(s, "wait p", NULL), SEAM_E_TIMEOUT);
	expect_message("after 30 ms");
	seam_close(s);
}
END_TEST

START_TEST(close_ends_what_is_parked)
{
	struct seam_config config = { 0 };
	char *text, *end, *socket;
	seam_session *s;
	pid_t pid;

	ck_assert_int_eq(seam_open(&s, &config), SEAM_OK);
	socket = strdup(seam_socket(s));
	ck_seam(seam_pause(s, "in", "mutex.lock at=queue_put"));
	ck_seam(seam_startl(s, "Q", victim("queue"), NULL));
	ck_seam(seam_wait(s, "in", NULL, SEAM_DEFAULT));
	ck_seam(seam_command(s, "procs", &text));
	end = strstr(text, " Q ");
	ck_assert_ptr_nonnull(end);
	pid = (pid_t)strtol(end + 3, NULL, 10);
	free(text);
	ck_assert_int_eq(kill(pid, 0), 0);
	seam_close(s);
	ck_assert_int_eq(kill(pid, 0), -1);
	ck_assert_int_ne(access(socket, F_OK), 0);
	*strrchr(socket, '/') = '\0';
	ck_assert_int_ne(access(socket, F_OK), 0);
	free(socket);
}
END_TEST

/* In a child nothing works, and closing harms nobody. */
START_TEST(a_fork_has_no_session)
{
	seam_session *s = SESSION;
	pid_t pid;
	int status;

	start_queue(NULL);
	pid = fork();
	if (pid == 0) {
		char *text = seam_describe(s);
		bool well = seam_wait(s, "in", NULL, 10) == SEAM_E_GONE &&
			    strstr(seam_message(), "forked this one") &&
			    seam_release(s, "in") == SEAM_E_GONE &&
			    seam_startl(s, "B", "true", NULL) == SEAM_E_GONE &&
			    seam_command(s, "procs", NULL) == SEAM_E_GONE &&
			    text && strstr(text, "forked this one");

		free(text);
		seam_close(s);
		_exit(well ? 7 : 8);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	ck_assert_int_eq(access(seam_socket(s), F_OK), 0);
	ck_seam(seam_expect_parked(s, "in"));
	ck_seam(seam_delete(s, "in"));
	ck_seam(seam_expect_exit(s, "Q", 0, SEAM_DEFAULT));
}
END_TEST

START_TEST(codes_have_names)
{
	ck_assert_str_eq(seam_code_name(SEAM_OK), "ok");
	ck_assert_str_eq(seam_code_name(SEAM_E_TIMEOUT), "timeout");
	ck_assert_str_eq(seam_code_name(SEAM_E_NO_SUCH_OBJECT),
			 "no-such-object");
	ck_assert_ptr_nonnull(seam_code_name((enum seam_code)99));
}
END_TEST

/* Commands. */

START_TEST(any_line)
{
	char *text;

	ck_seam(seam_command(SESSION, "pause mutex.lock as=mine", &text));
	ck_assert_str_eq(text, "ok id=mine");
	free(text);
	ck_seam(seam_command(SESSION, "", &text));
	ck_assert_str_eq(text, "");
	free(text);
	ck_seam(seam_command(SESSION, "set x mine", NULL));
	ck_seam(seam_command(SESSION, "delete $x", NULL));
	ck_seam_err(seam_command(SESSION, "delete $x", &text),
		    SEAM_E_NO_SUCH_OBJECT);
	ck_assert_int_eq(strncmp(text, "err no-such-object ", 19), 0);
	free(text);
	ck_seam_err(seam_command(SESSION, "procs frob", NULL), SEAM_E_SYNTAX);
	expect_message("\n    procs frob\n          ^");
	ck_seam_err(seam_command(SESSION, "expect not procs", NULL),
		    SEAM_E_FAILED);
	ck_seam_err(seam_command(SESSION, NULL, &text), SEAM_E_SYNTAX);
	ck_assert_ptr_null(text);
}
END_TEST

/* Targets. */

START_TEST(start_refuses)
{
	char *none[] = { NULL };
	struct seam_program empty = { .argv = none };

	ck_seam_err(seam_startl(SESSION, "A", "/no/such", NULL),
		    SEAM_E_UNSUPPORTED);
	expect_message("/no/such: not found");
	ck_seam_err(seam_startl(SESSION, "A", victim("static_prog"), NULL),
		    SEAM_E_UNSUPPORTED);
	expect_message("static");
	ck_seam_err(seam_startl(SESSION, "P1", "true", NULL), SEAM_E_SYNTAX);
	ck_seam_err(seam_start(SESSION, "A", &empty), SEAM_E_SYNTAX);
	ck_seam_err(seam_start(SESSION, "A", NULL), SEAM_E_SYNTAX);
	ck_seam(seam_startl(SESSION, "A", "cat", NULL));
	ck_seam_err(seam_startl(SESSION, "A", "cat", NULL), SEAM_E_AMBIGUOUS);
}
END_TEST

static char *
output_of(const char *alias)
{
	char *text;
	size_t size;

	ck_seam(seam_output(SESSION, alias, &text, &size));
	ck_assert_uint_eq(strlen(text), size);
	return text;
}

START_TEST(start_says_how)
{
	char *argv[] = { (char *)"sh",
			 (char *)"-c",
			 (char *)"pwd; echo $X; cat; echo >&2 $0 $1",
			 (char *)"a b",
			 (char *)"",
			 NULL };
	char *env[] = { (char *)"X=y z", NULL };
	struct seam_program program = {
		.argv = argv, .env = env, .dir = "/", .input = "in\nput"
	};
	char *text, expected[200];

	ck_seam(seam_start(SESSION, "A", &program));
	ck_seam(seam_expect_exit(SESSION, "A", 0, SEAM_DEFAULT));
	text = output_of("A");
	ck_assert_str_eq(text, "/\ny z\nin\nputa b\n");
	free(text);
	program.dir = NULL;
	ck_seam(seam_start(SESSION, "A", &program));
	ck_seam(seam_wait_exit(SESSION, "A", NULL, SEAM_DEFAULT));
	text = output_of("A");
	snprintf(expected, sizeof(expected), "%s\ny z\nin\nputa b\n", place);
	ck_assert_str_eq(text, expected);
	free(text);
}
END_TEST

/* More than a pipe's worth, to one that does not run yet. */
START_TEST(start_feeds_one_that_is_parked)
{
	char *argv[] = { (char *)"wc", (char *)"-c", NULL };
	struct seam_program program = { .argv = argv };
	char *input = malloc(200001);

	memset(input, 'x', 200000);
	input[200000] = '\0';
	program.input = input;
	ck_seam(seam_pause(SESSION, "main", "thread.start thread=W"));
	ck_seam(seam_start(SESSION, "W", &program));
	ck_seam(seam_wait(SESSION, "main", NULL, SEAM_DEFAULT));
	ck_seam(seam_delete(SESSION, "main"));
	ck_seam(seam_expect_exit(SESSION, "W", 0, SEAM_DEFAULT));
	expect_output("W", "^200000$");
	free(input);
	program.input = "unread";
	argv[0] = (char *)"true";
	ck_seam(seam_start(SESSION, "T", &program));
	ck_seam(seam_expect_exit(SESSION, "T", 0, SEAM_DEFAULT));
}
END_TEST

START_TEST(inherited_streams_are_not_kept)
{
	char *argv[] = { (char *)"true", NULL };
	struct seam_program program = { .argv = argv, .inherit = true };
	char *text;

	ck_seam(seam_start(SESSION, "A", &program));
	ck_seam_err(seam_output(SESSION, "A", &text, NULL), SEAM_E_UNSUPPORTED);
	ck_assert_ptr_null(text);
	ck_seam(seam_expect_exit(SESSION, "A", 0, SEAM_DEFAULT));
}
END_TEST

START_TEST(send_and_read)
{
	char *match;

	ck_seam(seam_startl(SESSION, "A", "cat", NULL));
	ck_seam(seam_send(SESSION, "A", "port="));
	ck_seam(seam_send(SESSION, "A", "4711\n"));
	ck_seam(seam_wait_output(SESSION, "A", "port=([0-9]+)$", &match,
				 SEAM_DEFAULT));
	ck_assert_str_eq(match, "4711");
	free(match);
	ck_seam(seam_wait_output(SESSION, "A", "p.rt", &match, 0));
	ck_assert_str_eq(match, "port");
	free(match);
	ck_seam_err(seam_wait_output(SESSION, "A", "never", &match, 20),
		    SEAM_E_TIMEOUT);
	ck_assert_ptr_null(match);
	expect_message("/never/");
	expect_message("it wrote: port=4711");
	ck_seam_err(seam_wait_output(SESSION, "A", "(", NULL, 20),
		    SEAM_E_SYNTAX);
	ck_seam(seam_send(SESSION, "A", NULL));
	ck_seam(seam_expect_exit(SESSION, "A", 0, SEAM_DEFAULT));
	ck_seam_err(seam_send(SESSION, "A", "x"), SEAM_E_GONE);
	ck_seam_err(seam_wait_output(SESSION, "A", "never", NULL, 20),
		    SEAM_E_GONE);
	ck_seam_err(seam_send(SESSION, "B", "x"), SEAM_E_NO_SUCH_OBJECT);
}
END_TEST

START_TEST(ends)
{
	int status;

	ck_seam(seam_startl(SESSION, "A", "cat", NULL));
	ck_seam_err(seam_wait_exit(SESSION, "A", &status, 20), SEAM_E_TIMEOUT);
	expect_message("A had not ended");
	ck_seam_err(seam_expect_exit(SESSION, "A", 0, 20), SEAM_E_FAILED);
	ck_seam_err(seam_kill(SESSION, "A", 999), SEAM_E_UNSUPPORTED);
	ck_seam(seam_kill(SESSION, "A", SIGTERM));
	ck_seam(seam_wait_exit(SESSION, "A", &status, SEAM_DEFAULT));
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	ck_seam_err(seam_expect_exit(SESSION, "A", 0, 20), SEAM_E_FAILED);
	expect_message("A was ended by SIGTERM; expected exit status 0");
	ck_seam_err(seam_kill(SESSION, "A", SIGTERM), SEAM_E_GONE);
	ck_seam(
	    seam_startl(SESSION, "B", "sh", "-c", "echo why; exit 3", NULL));
	ck_seam(seam_wait_exit(SESSION, "B", &status, SEAM_DEFAULT));
	ck_assert_int_eq(WEXITSTATUS(status), 3);
	ck_seam_err(seam_expect_exit(SESSION, "B", 0, 20), SEAM_E_FAILED);
	expect_message("exit status 3; expected 0; it wrote: why");
	ck_seam(seam_expect_exit(SESSION, "B", 3, 20));
	ck_seam_err(seam_wait_exit(SESSION, "C", NULL, 20),
		    SEAM_E_NO_SUCH_OBJECT);
}
END_TEST

/* Rules. */

static const struct {
	const char *id, *selector;
	enum seam_code code;
	const char *message;
} bad_rules[] = {
	{ "x", "mutex.lokc", SEAM_E_UNKNOWN_OP, "mutex.lock" },
	{ "x", "mutex.lock ob=a", SEAM_E_SYNTAX,
	  "\n    mutex.lock ob=a\n               ^" },
	{ "x", "", SEAM_E_SYNTAX, "empty" },
	{ "x", NULL, SEAM_E_SYNTAX, "no selector is given" },
	{ "x", "mutex.lock as=y", SEAM_E_SYNTAX, "as" },
	{ "all", "mutex.lock", SEAM_E_SYNTAX, "'all'" },
	{ "a b", "mutex.lock", SEAM_E_SYNTAX, "blank" },
	{ "taken", "mutex.lock", SEAM_E_AMBIGUOUS, "'taken' already" },
};

START_TEST(rules_are_refused)
{
	const char *id = bad_rules[_i].id, *selector = bad_rules[_i].selector;

	ck_seam(seam_pause(SESSION, "taken", "any"));
	ck_seam_err(seam_pause(SESSION, id, selector), bad_rules[_i].code);
	expect_message(bad_rules[_i].message);
	ck_seam_err(seam_fail(SESSION, id, selector, EBUSY, 1),
		    bad_rules[_i].code);
	expect_message(bad_rules[_i].message);
}
END_TEST

START_TEST(pause_and_release)
{
	struct seam_stop stop;

	start_queue(&stop);
	ck_assert_str_eq(stop.id, "in");
	ck_assert_str_eq(stop.thread, "P1.T0.1");
	ck_assert_str_eq(stop.op, "mutex.lock");
	ck_assert_int_eq(strncmp(stop.object, "queue.c:", 8), 0);
	ck_assert_int_eq(strncmp(stop.at, "queue_put queue.c:", 18), 0);
	ck_assert_int_eq(stop.result, 0);
	ck_seam(seam_expect_parked(SESSION, "in"));
	ck_seam(seam_wait_blocked(SESSION, "consumer", NULL, SEAM_DEFAULT));
	ck_seam(seam_wait_quiescent(SESSION, SEAM_DEFAULT));
	/* It was reported already. */
	ck_seam_err(seam_wait(SESSION, "in", &stop, 20), SEAM_E_TIMEOUT);
	expect_message("producer) is parked by in before mutex.lock");
	ck_seam(seam_release(SESSION, "in"));
	ck_seam(seam_wait(SESSION, "in", &stop, SEAM_DEFAULT));
	ck_seam(seam_release(SESSION, "all"));
	ck_seam(seam_wait(SESSION, "in", &stop, SEAM_DEFAULT));
	ck_seam(seam_release(SESSION, stop.thread));
	ck_seam(seam_delete(SESSION, "in"));
	ck_seam(seam_expect_exit(SESSION, "Q", 0, SEAM_DEFAULT));
}
END_TEST

START_TEST(stops_after_have_results)
{
	struct seam_stop stop;

	ck_seam(seam_pause(SESSION, NULL, "mutex.trylock thread=nobody"));
	ck_seam(
	    seam_pause(SESSION, "p", "mutex.trylock when=after result=busy"));
	START("A", "acquire", "mutex", "try", "--stdin");
	expect_output("A", "ready");
	ck_seam(seam_hold(SESSION, "h", "the_mutex", SEAM_DEFAULT));
	ck_seam(seam_send(SESSION, "A", "go\n"));
	ck_seam(seam_wait(SESSION, "p", &stop, SEAM_DEFAULT));
	ck_assert_int_eq(stop.result, EBUSY);
	ck_assert_str_eq(stop.object, "the_mutex");
	ck_seam(seam_release(SESSION, "p"));
	ck_seam(seam_expect_exit(SESSION, "A", 0, SEAM_DEFAULT));
	expect_output("A", "^ret=EBUSY$");
}
END_TEST

START_TEST(waits_are_refused)
{
	ck_seam_err(seam_wait(SESSION, "nix", NULL, 10), SEAM_E_NO_SUCH_OBJECT);
	ck_seam_err(seam_wait(SESSION, NULL, NULL, 10), SEAM_E_SYNTAX);
	ck_seam_err(seam_expect_parked(SESSION, "nix"), SEAM_E_NO_SUCH_OBJECT);
	ck_seam_err(seam_wait_blocked(SESSION, "P7.T0", NULL, 10),
		    SEAM_E_NO_SUCH_THREAD);
	ck_seam_err(seam_wait_blocked(SESSION, "A", "sem:", 10), SEAM_E_SYNTAX);
	ck_seam_err(seam_step(SESSION, "P7.T0"), SEAM_E_NO_SUCH_THREAD);
	ck_seam_err(seam_release(SESSION, "nix"), SEAM_E_NO_SUCH_OBJECT);
	ck_seam_err(seam_delete(SESSION, "nix"), SEAM_E_NO_SUCH_OBJECT);
	ck_seam(seam_pause(SESSION, "p", "any proc=A"));
	ck_seam_err(seam_expect_parked(SESSION, "p"), SEAM_E_FAILED);
	expect_message("nobody stood at p");
	ck_seam(seam_startl(SESSION, "A", "true", NULL));
	ck_seam(seam_delete(SESSION, "p"));
	ck_seam(seam_expect_exit(SESSION, "A", 0, SEAM_DEFAULT));
	ck_seam(seam_pause(SESSION, "p", "mutex.lock proc=A"));
	ck_seam(seam_wait_quiescent(SESSION, SEAM_DEFAULT));
}
END_TEST

START_TEST(busy_is_not_quiescent)
{
	START("S", "spin_forever", "x");
	ck_seam_err(seam_wait_quiescent(SESSION, 50), SEAM_E_TIMEOUT);
	expect_message("something still went on: ");
}
END_TEST

/* Its child waits as well, but has not joined. */
START_TEST(newcomers_are_not_quiescent)
{
	START("L", "latecomer", NULL);
	expect_output("L", "forked");
	ck_seam_err(seam_wait_quiescent(SESSION, 50), SEAM_E_TIMEOUT);
	ck_seam(seam_send(SESSION, "L", "join\n"));
	expect_output("L", "joined");
	ck_seam(seam_wait_quiescent(SESSION, SEAM_DEFAULT));
	ck_seam(seam_send(SESSION, "L", "end\n"));
	ck_seam(seam_expect_exit(SESSION, "L", 0, SEAM_DEFAULT));
}
END_TEST

/* Who waits, for what, held by whom, at which line. */
START_TEST(timeouts_explain)
{
	static const char *const said[] = {
		"worker) waits in mutex.lock for the_mutex at ",
		" held_by_peer.c:", ", held by P1.T0 since "
	};
	char *state;

	START("A", "held_by_peer", "mutex");
	ck_seam(
	    seam_wait_blocked(SESSION, "worker", "the_mutex", SEAM_DEFAULT));
	ck_seam_err(seam_wait_exit(SESSION, "A", NULL, 20), SEAM_E_TIMEOUT);
	for (int i = 0; i < COUNT(said); i++)
		expect_message(said[i]);
	state = seam_describe(SESSION);
	for (int i = 0; i < COUNT(said); i++)
		ck_assert_msg(strstr(state, said[i]), "%s", state);
	free(state);
	/* Taken before: says by whom and where. */
	ck_seam_err(seam_hold(SESSION, NULL, "the_mutex", 30), SEAM_E_TIMEOUT);
	expect_message("P1.T0");
	expect_message(" held_by_peer.c:");
	ck_seam_err(seam_wait_blocked(SESSION, "worker", "the_sem", 20),
		    SEAM_E_TIMEOUT);
	expect_message("worker was not blocked on the_sem: ");
	ck_seam(seam_send(SESSION, "A", "go\n"));
	ck_seam(seam_expect_exit(SESSION, "A", 0, SEAM_DEFAULT));
}
END_TEST

static const struct {
	const char *form, *output;
	bool waits;
} held[] = {
	{ "lock", "^ret=0$", true },
	{ "try", "^ret=EBUSY$", false },
	{ "timed", "^ret=ETIMEDOUT$", false },
};

START_TEST(holds)
{
	START("A", "acquire", "mutex", held[_i].form, "--timeout", "100",
	      "--stdin");
	expect_output("A", "ready");
	ck_seam(seam_hold(SESSION, "h", "the_mutex proc=A", SEAM_DEFAULT));
	ck_seam(seam_send(SESSION, "A", "go\n"));
	if (held[_i].waits) {
		ck_seam(seam_wait_blocked(SESSION, "worker", "the_mutex",
					  SEAM_DEFAULT));
		ck_seam_err(seam_wait_exit(SESSION, "A", NULL, 20),
			    SEAM_E_TIMEOUT);
		expect_message("held by the session (h)");
		ck_seam(seam_release(SESSION, "h"));
	}
	ck_seam(seam_expect_exit(SESSION, "A", 0, SEAM_DEFAULT));
	expect_output("A", held[_i].output);
}
END_TEST

START_TEST(holds_are_refused)
{
	ck_seam_err(seam_hold(SESSION, "h", NULL, 10), SEAM_E_SYNTAX);
	ck_seam_err(seam_hold(SESSION, "h", "", 10), SEAM_E_SYNTAX);
	ck_seam_err(seam_hold(SESSION, "h", "a mode=xx", 10), SEAM_E_SYNTAX);
	expect_message("\n    a mode=xx\n           ^");
	START("A", "acquire", "mutex", "lock", "--stdin");
	ck_seam_err(seam_hold(SESSION, "h", "the_mutx", 10),
		    SEAM_E_NO_SUCH_OBJECT);
	expect_message("\n    the_mutx\n    ^");
	ck_seam_err(seam_hold(SESSION, "h", "file:/none/here", 10),
		    SEAM_E_NO_SUCH_OBJECT);
}
END_TEST

/* A real lock, seen by programs outside, too. */
START_TEST(holds_files)
{
	struct flock lock = { .l_type = F_WRLCK, .l_len = 1 };
	char path[100];
	int fd;

	snprintf(path, sizeof(path), "%s/f", place);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_seam(seam_hold(SESSION, "h", "file:f range=0+1 mode=wr", 100));
	ck_assert_int_eq(fcntl(fd, F_OFD_GETLK, &lock), 0);
	ck_assert_int_eq(lock.l_type, F_WRLCK);
	ck_seam(seam_release(SESSION, "h"));
	lock = (struct flock){ .l_type = F_WRLCK, .l_len = 1 };
	ck_assert_int_eq(fcntl(fd, F_OFD_GETLK, &lock), 0);
	ck_assert_int_eq(lock.l_type, F_UNLCK);
	close(fd);
}
END_TEST

START_TEST(calls_fail)
{
	ck_seam(seam_fail(SESSION, "f", "sem.wait obj=the_sem", EINTR, 1));
	START("A", "acquire", "sem", "lock", "--repeat", "2");
	ck_seam(seam_expect_exit(SESSION, "A", 0, SEAM_DEFAULT));
	expect_output("A", "^ret=-1 errno=EINTR\nret=0$");
	ck_seam_err(seam_fail(SESSION, "g", "sem.wait", 0, 1), SEAM_E_SYNTAX);
	ck_seam_err(seam_fail(SESSION, "g", "sem.wait when=after", EINTR, 1),
		    SEAM_E_UNSUPPORTED);
}
END_TEST

START_TEST(steps)
{
	struct seam_thread_info *list;
	size_t n;

	start_queue(NULL);
	ck_seam(seam_step(SESSION, "producer"));
	ck_seam(seam_threads(SESSION, &list, &n));
	ck_assert_uint_ge(n, 2);
	ck_assert_str_eq(list[1].state, "parked");
	ck_assert_str_eq(list[1].op, "cond.signal");
	free(list);
	ck_seam_err(seam_release(SESSION, "nobody"), SEAM_E_NO_SUCH_OBJECT);
	ck_seam(seam_delete(SESSION, "all"));
	ck_seam(seam_release(SESSION, "all"));
	ck_seam(seam_expect_exit(SESSION, "Q", 0, SEAM_DEFAULT));
}
END_TEST

/* The story of README and seam-script(5), in C. */
START_TEST(sqlite3_reserved)
{
	seam_session *s = SESSION;
	struct seam_stop stop;

	ck_seam(
	    seam_startl(s, "S", "sqlite3", "t.db", "create table t(x)", NULL));
	ck_seam(seam_expect_exit(s, "S", 0, SEAM_DEFAULT));
	ck_seam(seam_pause(s, "reserved",
			   "fcntl.setlk path=t.db range=0x40000001+1 mode=wr "
			   "proc=A when=after"));
	ck_seam(seam_startl(s, "A", "sqlite3", "t.db",
			    "begin immediate; insert into t values(2); commit;",
			    NULL));
	ck_seam(seam_wait(s, "reserved", &stop, SEAM_DEFAULT));
	ck_assert_int_eq(stop.result, 0);
	ck_seam(seam_startl(s, "B", "sqlite3", "t.db",
			    "insert into t values(3);", NULL));
	ck_seam(seam_expect_exit(s, "B", 5, SEAM_DEFAULT));
	expect_output("B", "database is locked");
	ck_seam(seam_release(s, "reserved"));
	ck_seam(seam_expect_exit(s, "A", 0, SEAM_DEFAULT));
	ck_seam(seam_startl(s, "C", "sqlite3", "t.db",
			    "select group_concat(x) from t", NULL));
	ck_seam(seam_expect_exit(s, "C", 0, SEAM_DEFAULT));
	expect_output("C", "^2$");
}
END_TEST

/* Looking. */

static const struct seam_thread_info *
named(const struct seam_thread_info *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return &list[i];
	ck_abort_msg("no thread %s", name);
	return NULL;
}

START_TEST(threads_and_locks)
{
	const struct seam_thread_info *worker;
	struct seam_thread_info *threads;
	struct seam_lock_info *locks;
	size_t n, i;

	ck_seam(seam_threads(SESSION, &threads, &n));
	ck_assert_uint_eq(n, 0);
	free(threads);
	START("A", "held_by_peer", "mutex");
	ck_seam(seam_wait_blocked(SESSION, "worker", NULL, SEAM_DEFAULT));
	ck_seam(seam_threads(SESSION, &threads, &n));
	ck_assert_uint_eq(n, 2);
	worker = named(threads, n, "worker");
	ck_assert_str_eq(worker->thread, "P1.T0.1");
	ck_assert_str_eq(worker->state, "blocked");
	ck_assert_str_eq(worker->op, "mutex.lock");
	ck_assert_str_eq(worker->object, "the_mutex");
	ck_assert_ptr_nonnull(strstr(worker->at, " held_by_peer.c:"));
	ck_assert_ptr_nonnull(strstr(worker->created, " held_by_peer.c:"));
	free(threads);
	ck_seam(seam_locks(SESSION, &locks, &n));
	for (i = 0; i < n && strcmp(locks[i].object, "the_mutex") != 0; i++)
		;
	ck_assert_uint_lt(i, n);
	ck_assert_str_eq(locks[i].kind, "mutex");
	ck_assert_str_eq(locks[i].proc, "P1");
	ck_assert_str_eq(locks[i].owner, "P1.T0");
	ck_assert_ptr_nonnull(strstr(locks[i].at, " held_by_peer.c:"));
	ck_assert_uint_eq(locks[i].waiters, 1);
	ck_assert_uint_ge(locks[i].acquired, 1);
	free(locks);
	ck_seam(seam_send(SESSION, "A", "go\n"));
	ck_seam(seam_expect_exit(SESSION, "A", 0, SEAM_DEFAULT));
}
END_TEST

struct seen {
	pthread_mutex_t lock;
	pthread_cond_t more;
	unsigned events;
	char last[300];
	enum seam_code inside;
};

static void
see(const struct seam_seen *e, void *data)
{
	struct seen *seen = data;

	pthread_mutex_lock(&seen->lock);
	seen->events++;
	seen->inside = seam_release(SESSION, "all");
	snprintf(seen->last, sizeof(seen->last), "%s %s %s %s %d", e->thread,
		 e->op, e->object, e->at, e->result);
	pthread_cond_broadcast(&seen->more);
	pthread_mutex_unlock(&seen->lock);
}

START_TEST(logs)
{
	struct seen seen = { .lock = PTHREAD_MUTEX_INITIALIZER,
			     .more = PTHREAD_COND_INITIALIZER };

	ck_seam(
	    seam_log(SESSION, "l", "mutex.lock obj=counter_lock", see, &seen));
	START("A", "counter", "2", "3");
	ck_seam(seam_expect_exit(SESSION, "A", 0, SEAM_DEFAULT));
	/* All of them have been given. */
	ck_assert_uint_eq(seen.events, 2 * 3 * 4);
	ck_assert_int_eq(strncmp(seen.last, "P1.T0.", 6), 0);
	ck_assert_ptr_nonnull(strstr(seen.last, " mutex.lock counter_lock "));
	ck_assert_ptr_nonnull(strstr(seen.last, " counter.c:"));
	ck_assert_int_eq(seen.inside, SEAM_E_UNSUPPORTED);
	ck_seam(seam_delete(SESSION, "l"));
	START("B", "counter", "1", "1");
	ck_seam(seam_expect_exit(SESSION, "B", 0, SEAM_DEFAULT));
	ck_assert_uint_eq(seen.events, 2 * 3 * 4);
	ck_seam_err(seam_log(SESSION, "l", "mutex.lokc", see, NULL),
		    SEAM_E_UNKNOWN_OP);
	ck_seam_err(seam_log(SESSION, "all", "any", see, NULL), SEAM_E_SYNTAX);
	ck_seam_err(seam_log(SESSION, "l", "any", NULL, NULL), SEAM_E_SYNTAX);
	ck_seam(seam_log(SESSION, NULL, "any", see, &seen));
	ck_seam(seam_log(SESSION, "l", "any", see, &seen));
	ck_seam_err(seam_log(SESSION, "l", "any", see, &seen),
		    SEAM_E_AMBIGUOUS);
}
END_TEST

/* Without anybody in a call of seam's. */
START_TEST(logs_come_by_themselves)
{
	struct seen seen = { .lock = PTHREAD_MUTEX_INITIALIZER,
			     .more = PTHREAD_COND_INITIALIZER };

	ck_seam(seam_log(SESSION, "l", "mutex.lock", see, &seen));
	START("A", "acquire", "mutex", "lock", "--stdin");
	ck_seam(seam_send(SESSION, "A", "go\n"));
	pthread_mutex_lock(&seen.lock);
	while (!seen.events)
		pthread_cond_wait(&seen.more, &seen.lock);
	pthread_mutex_unlock(&seen.lock);
	ck_seam(seam_expect_exit(SESSION, "A", 0, SEAM_DEFAULT));
}
END_TEST

/* Several threads of the test; each has a message of its own. */

static void *
wait_in_vain(void *data)
{
	seam_session *s = data;
	enum seam_code code = seam_wait(s, "never", NULL, 100);

	if (code != SEAM_E_TIMEOUT || !strstr(seam_message(), "never"))
		return NULL;
	return data;
}

START_TEST(threads_of_the_test)
{
	seam_session *s = SESSION;
	pthread_t thread[3];
	void *ok;

	ck_seam(seam_pause(s, "never", "barrier.wait"));
	start_queue(NULL);
	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, wait_in_vain, s);
	ck_seam_err(seam_wait(s, "nix", NULL, 10), SEAM_E_NO_SUCH_OBJECT);
	ck_seam(seam_delete(s, "in"));
	ck_seam(seam_expect_exit(s, "Q", 0, SEAM_DEFAULT));
	for (int i = 0; i < 3; i++) {
		pthread_join(thread[i], &ok);
		ck_assert_ptr_eq(ok, s);
	}
	expect_message("'nix'");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		open_refuses,
		socket_is_where_it_was_wanted,
		own_timeout,
		close_ends_what_is_parked,
		a_fork_has_no_session,
		codes_have_names,
		any_line,
		start_refuses,
		start_says_how,
		start_feeds_one_that_is_parked,
		inherited_streams_are_not_kept,
		send_and_read,
		ends,
		pause_and_release,
		stops_after_have_results,
		waits_are_refused,
		busy_is_not_quiescent,
		newcomers_are_not_quiescent,
		timeouts_explain,
		holds_are_refused,
		holds_files,
		calls_fail,
		steps,
		sqlite3_reserved,
		threads_and_locks,
		logs,
		logs_come_by_themselves,
		threads_of_the_test,
	};
	Suite *suite = suite_create("api");
	TCase *all = tcase_create("seam.h");

	tcase_add_checked_fixture(all, place_setup, place_teardown);
	for (int i = 0; i < COUNT(tests); i++)
		tcase_add_test(all, tests[i]);
	tcase_add_loop_test(all, rules_are_refused, 0, COUNT(bad_rules));
	tcase_add_loop_test(all, holds, 0, COUNT(held));
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
