/* SPDX-License-Identifier: MIT */
/*
 * seam_explore, and ck_seam_explore in a suite that fails on purpose: this
 * program runs itself,
 *
 *	check_explore_api suite DIR
 */
#include <dirent.h>
#include <pthread.h>
#include <seam_check.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "controller.h"
#include "suite.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const char *
victim(const char *name)
{
	static char path[2][4096];
	static int i;

	i = !i;
	snprintf(path[i], sizeof(path[i]), "%s/explore/%s",
		 needed_env("SEAM_TEST_PROGRAMS"), name);
	return path[i];
}

/* --- what fails ----------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int balance;

static void *
add_one(void *in_parts)
{
	int seen;

	pthread_mutex_lock(&lock);
	seen = balance;
	if (in_parts) {
		pthread_mutex_unlock(&lock);
		pthread_mutex_lock(&lock);
	}
	balance = seen + 1;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void
add_two(void *in_parts)
{
	pthread_t thread[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, add_one, in_parts);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	ck_assert_int_eq(balance, 2);
}

SEAM_CHECK_BODY(at_once)
{
	add_two(NULL);
}

SEAM_CHECK_BODY(in_parts)
{
	add_two(&lock);
}

START_TEST(body_is_right)
{
	const struct seam_explore_options options = { .strategy = "dpor" };

	ck_seam_explore_body_with(&options, at_once);
}
END_TEST

START_TEST(body_fails)
{
	ck_seam_explore_body(in_parts);
}
END_TEST

START_TEST(deadlocks)
{
	ck_seam_explore(victim("abba"));
}
END_TEST

START_TEST(is_right)
{
	ck_seam_explore(victim("abba_fixed"));
}
END_TEST

START_TEST(loses)
{
	struct seam_explore_options options = { .strategy = "dpor",
						.message_max = 900 };

	ck_seam_explore_with(&options, victim("lost_update"));
}
END_TEST

START_TEST(ends_otherwise)
{
	struct seam_explore_options options = { .status = 3, .runs = 20 };

	ck_seam_explore_with(&options, "sh", "-c", "exit 3");
}
END_TEST

START_TEST(cannot_be_started)
{
	ck_seam_explore("./no-such-program");
}
END_TEST

static int
run_nested(const char *dir)
{
	static const TTest *const *const tests[] = {
		&deadlocks,	    &is_right,	    &loses,	&ends_otherwise,
		&cannot_be_started, &body_is_right, &body_fails
	};
	Suite *suite = suite_create("nested");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	if (chdir(dir))
		return 99;
	tcase_set_timeout(all, 60);
	for (int i = 0; i < COUNT(tests); i++)
		tcase_add_test(all, *tests[i]);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}

/* --- the tests ------------------------------------------------------------ */

static char place[64];
static struct seam_explored got;

static void
setup(void)
{
	unsetenv("SEAM_REPLAY");
	scratch_make(place, sizeof(place));
	ck_assert_int_eq(chdir(place), 0);
}

static void
teardown(void)
{
	seam_explored_free(&got);
	ck_assert_int_eq(chdir("/"), 0);
	scratch_remove(place);
}

/* A command of one word. */
static enum seam_code
explore(const char *program, const struct seam_explore_options *options)
{
	char *word = strdup(program), *argv[] = { word, NULL };
	enum seam_code code;

	seam_explored_free(&got);
	code = seam_explore(argv, options, &got);
	free(word);
	return code;
}

static enum seam_code
shell(const char *command, const struct seam_explore_options *options)
{
	char sh[] = "sh", c[] = "-c", *text = strdup(command);
	char *argv[] = { sh, c, text, NULL };
	enum seam_code code;

	seam_explored_free(&got);
	code = seam_explore(argv, options, &got);
	free(text);
	return code;
}

static char *
contents(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	ck_assert_msg(f != NULL, "%s is not there", path);
	ck_assert_int_gt(getdelim(&text, &size, '\0', f), 0);
	fclose(f);
	return text;
}

static void
copy_program(const char *from, const char *to)
{
	char command[9000];

	snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
	ck_assert_int_eq(system(command), 0);
}

static void
expect_in(const char *text, const char *what)
{
	ck_assert_msg(strstr(text, what) != NULL, "'%s' is not in\n%.3000s",
		      what, text);
}

START_TEST(a_deadlock_is_found)
{
	const struct seam_explore_options options = { .test = "my test" };
	char *file;

	ck_assert_int_eq(explore(victim("abba"), &options), SEAM_E_FAILED);
	ck_assert(got.found && !got.skipped && !got.replayed);
	ck_assert_str_eq(got.fault, "deadlock");
	ck_assert_str_eq(got.message, seam_message());
	expect_in(got.message, "P1.T0.1 waits in mutex.lock current at debit "
			       "abba.c:");
	expect_in(got.message, got.table);
	expect_in(got.table, "waits: mutex.lock savings");
	expect_in(got.message, "the order that decides (>):\n  ");
	expect_in(got.message, ", 1 preemptions; this one again: ");
	ck_assert_uint_ge(got.schedules, 1);
	expect_in(got.replay, "/seam-my test.replay");
	ck_assert_int_eq(got.replay[0], '/');
	file = contents(got.replay);
	expect_in(file, "\ntest \"my test\"\ncommand ");
	expect_in(file, "\nfault deadlock\n");
	free(file);
}
END_TEST

static unsigned
files_here(void)
{
	DIR *dir = opendir(".");
	struct dirent *entry;
	unsigned n = 0;

	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

START_TEST(a_right_program_passes)
{
	const struct seam_explore_options options = { .strategy = "dpor" };

	ck_seam(explore(victim("abba_fixed"), &options));
	ck_assert(!got.found && got.exhaustive);
	ck_assert_uint_eq(got.schedules, got.classes);
	ck_assert_uint_gt(got.schedules, 1);
	ck_assert_str_eq(got.fault, "");
	ck_assert_str_eq(got.message, "");
	ck_assert_str_eq(got.replay, "");
	ck_assert_str_eq(got.blind_spots, "");
	ck_assert_uint_eq(files_here(), 0);
}
END_TEST

/* Without options and without a result. */
START_TEST(only_the_code_is_wanted)
{
	char *word = strdup(victim("abba")), *argv[] = { word, NULL };

	ck_assert_int_eq(seam_explore(argv, NULL, NULL), SEAM_E_FAILED);
	free(word);
	expect_in(seam_message(), "deadlock: ");
	expect_in(seam_message(), "SEAM_REPLAY=");
	ck_assert_uint_eq(files_here(), 1);
}
END_TEST

START_TEST(as_it_was_found)
{
	const struct seam_explore_options options = { .no_minimise = true };

	ck_assert_int_eq(explore(victim("lost_update"), &options),
			 SEAM_E_FAILED);
	ck_assert_ptr_null(strstr(got.message, "the order that decides"));
	ck_assert_ptr_null(strstr(got.message, " switches"));
	expect_in(got.message, "found in schedule ");
}
END_TEST

START_TEST(statuses)
{
	struct seam_explore_options options = { .runs = 3 };

	ck_assert_int_eq(shell("echo was here; exit 3", &options),
			 SEAM_E_FAILED);
	ck_assert_str_eq(got.fault, "status");
	ck_assert_str_eq(got.output, "was here\n");
	expect_in(got.message, "\n  was here\n");
	options.status = 3;
	ck_seam(shell("exit 3", &options));
	options.status = SEAM_STATUS_PLAIN;
	ck_seam(shell("exit 4", &options));
	options.status = 0;
	ck_assert_int_eq(shell("exit 4", &options), SEAM_E_FAILED);
}
END_TEST

START_TEST(commands_around_it)
{
	struct seam_explore_options options = {
		.runs = 2,
		.scratch = true,
		.setup = "echo 1 >given",
		.check = "test \"$(cat taken)\" = 1",
	};

	ck_seam(shell("cp given taken", &options));
	options.reset = "echo 2 >given";
	ck_assert_int_eq(shell("cp given taken", &options), SEAM_E_FAILED);
	ck_assert_str_eq(got.fault, "check");
}
END_TEST

START_TEST(environment_and_directory)
{
	char variable[] = "GIVEN=one", *env[] = { variable, NULL };
	struct seam_explore_options options = { .runs = 1,
						.env = env,
						.dir = "/" };

	ck_seam(shell("test \"$GIVEN\" = one && test \"$PWD\" = / && "
		      "test \"$(pwd)\" = /",
		      &options));
	options.dir = NULL;
	ck_assert_int_eq(shell("test \"$(pwd)\" = /", &options), SEAM_E_FAILED);
}
END_TEST

START_TEST(budgets)
{
	struct seam_explore_options options = { .strategy = "random",
						.runs = 37,
						.jobs = 2 };

	ck_seam(explore(victim("abba_fixed"), &options));
	ck_assert_uint_eq(got.schedules, 37);
	ck_assert(!got.exhaustive);
	ck_assert(got.chance_of_new >= 0 && got.chance_of_new < 1);
	options.runs = SEAM_NO_LIMIT;
	options.budget = 500;
	ck_seam(explore(victim("abba_fixed"), &options));
	ck_assert_uint_gt(got.schedules, 0);
	ck_assert(got.seconds >= 0.5);
}
END_TEST

START_TEST(messages_are_as_long_as_wanted)
{
	struct seam_explore_options options = { 0 };

	for (size_t max = 100; max <= 4000; max += 300) {
		options.message_max = max;
		ck_assert_int_eq(explore(victim("dining"), &options),
				 SEAM_E_FAILED);
		ck_assert_uint_le(strlen(got.message), max);
		if (max > 400) {
			expect_in(got.message, "deadlock: ");
			expect_in(got.message, "SEAM_REPLAY=");
		}
	}
}
END_TEST

static const struct {
	const char *program;
	struct seam_explore_options options;
	enum seam_code code;
	const char *message;
} refused[] = {
	{ "true", { .strategy = "dpr" }, SEAM_E_SYNTAX, "did you mean 'dpor'" },
	{ "true", { .jobs = 65 }, SEAM_E_SYNTAX, "1 to 64" },
	{ "true", { .steps = 1u << 30 }, SEAM_E_SYNTAX, "steps: at most" },
	{ "./nobody", { .runs = 1 }, SEAM_E_UNSUPPORTED, "./nobody" },
	{ "true",
	  { .dir = "/no/such/directory" },
	  SEAM_E_UNSUPPORTED,
	  "No such file or directory" },
	{ "true", { .setup = "exit 5" }, SEAM_E_UNSUPPORTED, "--setup" },
	{ "true",
	  { .preload = "/no/libseam.so" },
	  SEAM_E_UNSUPPORTED,
	  "/no/libseam.so" },
	{ "./nobody",
	  { .status = SEAM_STATUS_PLAIN },
	  SEAM_E_UNSUPPORTED,
	  "cannot start ./nobody" },
};

START_TEST(refusals)
{
	ck_assert_int_eq(explore(refused[_i].program, &refused[_i].options),
			 refused[_i].code);
	expect_in(seam_message(), refused[_i].message);
	ck_assert(!got.found);
	ck_assert_uint_eq(files_here(), 0);
}
END_TEST

START_TEST(a_command_is_needed)
{
	char *argv[] = { NULL };

	ck_assert_int_eq(seam_explore(NULL, NULL, &got), SEAM_E_SYNTAX);
	expect_in(seam_message(), "no command is given");
	ck_assert_int_eq(seam_explore(argv, NULL, &got), SEAM_E_SYNTAX);
}
END_TEST

/* The failure is told of, and so is what became of the file. */
START_TEST(a_file_that_cannot_be_written)
{
	const struct seam_explore_options options = { .replay =
							  "no/such/place" };

	ck_assert_int_eq(explore(victim("abba"), &options), SEAM_E_FAILED);
	ck_assert_str_eq(got.fault, "deadlock");
	expect_in(got.message, "cannot write ");
	ck_assert_str_eq(got.replay, "");
}
END_TEST

static volatile sig_atomic_t interrupts;

static void
on_interrupt(int signal)
{
	(void)signal;
	interrupts++;
}

/* The signal is the caller's, once it is over. */
START_TEST(interrupted)
{
	const struct sigaction minded = { .sa_handler = on_interrupt };
	struct seam_explore_options options = { .strategy = "random",
						.runs = SEAM_NO_LIMIT };
	char check[100];

	snprintf(check, sizeof(check), "kill -INT %d", (int)getpid());
	options.check = check;
	interrupts = 0;
	sigaction(SIGINT, &minded, NULL);
	ck_assert_int_eq(explore(victim("abba_fixed"), &options), SEAM_E_GONE);
	ck_assert_int_gt(interrupts, 0);
	expect_in(seam_message(), "stopped by SIGINT");
}
END_TEST

/* Replaying. */

static char *
find_one(const char *program, const struct seam_explore_options *options)
{
	ck_assert_int_eq(explore(program, options), SEAM_E_FAILED);
	return strdup(got.replay);
}

START_TEST(one_is_replayed)
{
	char *path = find_one(victim("abba"), NULL), *table = strdup(got.table);

	setenv("SEAM_REPLAY", path, 1);
	ck_assert_int_eq(explore(victim("abba"), NULL), SEAM_E_FAILED);
	ck_assert(got.replayed && got.found && !got.skipped);
	ck_assert_uint_eq(got.schedules, 1);
	ck_assert_str_eq(got.fault, "deadlock");
	ck_assert_str_eq(got.table, table);
	expect_in(got.message, "this was the schedule of ");
	expect_in(got.message, path);
	free(table);
	free(path);
}
END_TEST

START_TEST(others_are_skipped)
{
	char *path = find_one(victim("abba"), NULL);
	char variable[] = "A=1", *env[] = { variable, NULL };
	const struct seam_explore_options other = { .test = "another" },
					  more = { .env = env };

	setenv("SEAM_REPLAY", path, 1);
	ck_seam(explore(victim("lost_update"), NULL));
	ck_assert(got.skipped && !got.replayed && !got.schedules);
	ck_seam(explore(victim("abba"), &other));
	ck_assert(got.skipped);
	ck_seam(explore(victim("abba"), &more));
	ck_assert(got.skipped);
	free(path);
}
END_TEST

/* A file of the command's, which knows of no test. */
START_TEST(files_of_the_command_are_replayed)
{
	char *path = find_one(victim("abba"), NULL), *text = contents(path);
	char *line = strstr(text, "test ");
	FILE *f = fopen("another", "we");

	fwrite(text, 1, (size_t)(line - text), f);
	fputs(strchr(line, '\n') + 1, f);
	fclose(f);
	setenv("SEAM_REPLAY", "another", 1);
	ck_assert_int_eq(explore(victim("abba"), NULL), SEAM_E_FAILED);
	ck_assert(got.replayed);
	free(text);
	free(path);
}
END_TEST

START_TEST(bad_files_are_refused)
{
	FILE *f = fopen("bad", "we");

	fputs("seam-replay 1\ncommand true\nstrategie pct\n", f);
	fclose(f);
	setenv("SEAM_REPLAY", "bad", 1);
	ck_assert_int_eq(explore(victim("abba"), NULL), SEAM_E_SYNTAX);
	expect_in(seam_message(), "bad:3:1: ");
	setenv("SEAM_REPLAY", "none", 1);
	ck_assert_int_ne(explore(victim("abba"), NULL), SEAM_OK);
	expect_in(seam_message(), "none");
}
END_TEST

/* The program has been mended since. */
START_TEST(another_way)
{
	char *path;

	copy_program(victim("abba"), "program");
	path = find_one("./program", NULL);
	copy_program(victim("abba_fixed"), "program");
	setenv("SEAM_REPLAY", path, 1);
	ck_assert_int_eq(explore("./program", NULL), SEAM_E_UNSUPPORTED);
	expect_in(seam_message(), "went another way at step ");
	expect_in(seam_message(), "  expected: P1.T0.");
	expect_in(seam_message(), "  but was:  P1.T0");
	free(path);
}
END_TEST

START_TEST(tests_of_one_name_have_a_file_each)
{
	const struct seam_explore_options options = { .test = "t" };
	char *first = find_one(victim("abba"), &options);
	char *second = find_one(victim("lost_update"), &options);
	char *again = find_one(victim("abba"), &options);

	expect_in(first, "/seam-t.replay");
	expect_in(second, "/seam-t.2.replay");
	ck_assert_str_eq(again, first);
	free(first);
	free(second);
	free(again);
}
END_TEST

/* In Check. */

/* This program with the suite above; all it wrote, malloc'd. */
static char *
run_suite(const char *fork_mode, const char *replay, int *status)
{
	char *text = NULL, buffer[4096];
	size_t size, n;
	int end[2];
	FILE *out, *in;
	pid_t pid;

	ck_assert_int_eq(pipe(end), 0);
	pid = fork();
	if (pid == 0) {
		setenv("CK_FORK", fork_mode, 1);
		if (replay)
			setenv("SEAM_REPLAY", replay, 1);
		/* The results of the suite around this one go there. */
		unsetenv("CK_TAP_LOG_FILE_NAME");
		dup2(end[1], STDOUT_FILENO);
		dup2(end[1], STDERR_FILENO);
		close(end[0]);
		close(end[1]);
		execl("/proc/self/exe", "./check_explore_api", "suite", place,
		      (char *)NULL);
		_exit(127);
	}
	close(end[1]);
	in = fdopen(end[0], "r");
	out = open_memstream(&text, &size);
	while ((n = fread(buffer, 1, sizeof(buffer), in)))
		fwrite(buffer, 1, n, out);
	fclose(in);
	fclose(out);
	ck_assert_int_eq(waitpid(pid, status, 0), pid);
	ck_assert_msg(WIFEXITED(*status), "%s", text);
	*status = WEXITSTATUS(*status);
	return text;
}

static const char *const fork_modes[] = { "yes", "no" };

static void
expect_said(const char *text, const char *what, int times)
{
	int n = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		n++;
	ck_assert_msg(n == times, "'%s' %d times, not %d, in\n%.3000s", what, n,
		      times, text);
}

START_TEST(a_suite_tells)
{
	int status;
	char *text = run_suite(fork_modes[_i], NULL, &status), *file;

	expect_said(text, "Checks: 7, Failures: 4, Errors: 0", 1);
	ck_assert_int_eq(status, 4);
	expect_said(text, ":body_fails:0: crash: SIGABRT", 1);
	expect_said(text, "Assertion 'balance == 2' failed: balance == 1", 1);
	expect_said(text, ":deadlocks:0: deadlock: P1.T0.1 waits for", 1);
	expect_said(text, "waits: mutex.lock savings", 1);
	expect_said(text, ":loses:0: ", 1);
	expect_said(text, ":cannot_be_started:0: unsupported: ", 1);
	expect_said(text, "./no-such-program", 1);
	expect_said(text, "seam-deadlocks.replay ./check_explore_api", 1);
	expect_said(text, "seam-loses.replay ./check_explore_api", 1);
	ck_assert_uint_eq(files_here(), 3);
	free(text);
	/* Others do not take it for themselves. */
	file = contents("seam-body_fails.replay");
	expect_in(file,
		  "check_explore_api\"\nenv \"SEAM_CHECK_BODY=in_parts\"\n");
	free(file);
}
END_TEST

START_TEST(a_suite_replays)
{
	int status;
	char *text;

	free(run_suite(fork_modes[_i], NULL, &status));
	text = run_suite(fork_modes[_i], "seam-loses.replay", &status);
	expect_said(text, "Checks: 7, Failures: 1, Errors: 0", 1);
	ck_assert_int_eq(status, 1);
	expect_said(text, ":loses:0: ", 1);
	expect_said(text, "this was the schedule of seam-loses.replay", 1);
	free(text);
	text = run_suite(fork_modes[_i], "seam-body_fails.replay", &status);
	expect_said(text, "Checks: 7, Failures: 1, Errors: 0", 1);
	expect_said(text, ":body_fails:0: crash: SIGABRT", 1);
	free(text);
}
END_TEST

/* Nothing was run, so nothing failed; that is no success. */
START_TEST(a_suite_without_the_test)
{
	char *path = find_one(victim("abba"), NULL), *text;
	int status;

	text = run_suite(fork_modes[_i], path, &status);
	expect_said(text, "Failures: 0, Errors: 0", 1);
	expect_said(text, "is of none of the tests that explore (7)", 1);
	ck_assert_int_eq(status, EXIT_FAILURE);
	free(text);
	free(path);
}
END_TEST

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

int
main(int argc, char **argv)
{
	static const TTest *const *const tests[] = {
		&a_deadlock_is_found,
		&a_right_program_passes,
		&only_the_code_is_wanted,
		&as_it_was_found,
		&statuses,
		&commands_around_it,
		&environment_and_directory,
		&budgets,
		&messages_are_as_long_as_wanted,
		&a_command_is_needed,
		&a_file_that_cannot_be_written,
		&interrupted,
		&one_is_replayed,
		&others_are_skipped,
		&files_of_the_command_are_replayed,
		&bad_files_are_refused,
		&another_way,
		&tests_of_one_name_have_a_file_each,
	};
	static const TTest *const *const nested[] = {
		&a_suite_tells,
		&a_suite_replays,
		&a_suite_without_the_test,
	};
	Suite *suite = suite_create("explore_api");
	TCase *all = tcase_create("all");

	if (argc > 2 && !strcmp(argv[1], "suite"))
		return run_nested(argv[2]);
	tcase_add_checked_fixture(all, setup, teardown);
	for (int i = 0; i < COUNT(tests); i++)
		tcase_add_test(all, *tests[i]);
	tcase_add_loop_test(all, refusals, 0, COUNT(refused));
	/* These explore functions of this very program, and a sanitizer's
	 * insists on being loaded before libseam.so. */
	for (int i = 0; i < COUNT(nested); i++)
		tcase_add_loop_test(all, *nested[i], 0,
				    SANITIZED ? 0 : COUNT(fork_modes));
	tcase_set_timeout(all, 120);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
