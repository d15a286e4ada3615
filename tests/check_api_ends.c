/* SPDX-License-Identifier: MIT */
/*
 * How tests that use seam.h end: what a failed one prints, and what is left
 * of one that failed, crashed, or was killed.  This program runs itself:
 *
 *	check_api_ends suite checked|unchecked DIR  tests that fail on purpose
 *	check_api_ends suite sit DIR		     one that never ends
 *	check_api_ends suite release DIR	     the same, of another kind
 *	check_api_ends suite holder DIR		     a holder as a fixture
 *
 * Their lines "left PID", "left PATH" and "left memfd INODE" tell what must
 * not be left.
 */
#include <dirent.h>
#include <seam_check.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "controller.h"
#include "suite.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* --- what fails ----------------------------------------------------------- */

static void
tell(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
}

/* "memfd 1234" for each mapping of the session's in a process's memory, or
 * for the one that is asked for. */
static unsigned
arenas(const char *pid, const char *wanted, void (*each)(const char *))
{
	char path[64], line[512], name[32], *at;
	unsigned long inode;
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/maps", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		at = strstr(line, " /memfd:seam-arena");
		if (!at || sscanf(line, "%*s %*s %*s %*s %lu", &inode) != 1)
			continue;
		snprintf(name, sizeof(name), "memfd %lu", inode);
		if (wanted && strcmp(wanted, name) != 0)
			continue;
		if (each)
			each(name);
		n++;
	}
	if (f)
		fclose(f);
	return n;
}

static void
tell_arena(const char *name)
{
	tell("left %s\n", name);
}

/* Nobody has it mapped any more. */
static bool
memfd_is_gone(void *name)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	unsigned n = 0;

	while ((entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			n += arenas(entry->d_name, name, NULL);
	closedir(proc);
	return !n;
}

/* The pids of all processes, the socket with its directory, the arena. */
static void
tell_what_is_there(seam_session *s)
{
	char *dir = strdup(seam_socket(s)), *rows, *at;

	tell("left %s\n", dir);
	*strrchr(dir, '/') = '\0';
	tell("left %s\n", dir);
	free(dir);
	ck_seam(seam_command(s, "json on", NULL));
	ck_seam(seam_command(s, "procs", &rows));
	ck_seam(seam_command(s, "json off", NULL));
	for (at = rows; (at = strstr(at, "\"pid\":")); at++)
		tell("left %ld\n", strtol(at + 6, NULL, 10));
	free(rows);
	ck_assert_uint_gt(arenas("self", NULL, tell_arena), 0);
}

static const char *
victim(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", needed_env("SEAM_TEST_PROGRAMS"),
		 name);
	return path;
}

/* A thread that waits for another, a parked one, children, and one that ends
 * for nothing but a signal. */
static void
fill(seam_session *s)
{
	ck_seam(seam_startl(s, "A", victim("held_by_peer"), "mutex", NULL));
	ck_seam(seam_wait_blocked(s, "worker", "the_mutex", SEAM_DEFAULT));
	ck_seam(seam_pause(s, "put", "mutex.lock at=queue_put"));
	ck_seam(seam_startl(s, "Q", victim("queue"), NULL));
	ck_seam(seam_wait(s, "put", NULL, SEAM_DEFAULT));
	ck_seam(seam_startl(s, "S", "sh", "-c", "echo x; cat; cat", NULL));
	ck_seam(seam_wait_output(s, "S", "x", NULL, SEAM_DEFAULT));
	ck_seam(seam_startl(s, "T", "tail", "-f", "/dev/null", NULL));
	tell_what_is_there(s);
}

START_TEST(fails_in_a_call)
{
	seam_session *s = seam_check_session();

	fill(s);
	ck_seam(seam_wait_exit(s, "A", NULL, 20));
}
END_TEST

START_TEST(fails_in_an_assertion)
{
	fill(seam_check_session());
	ck_assert_int_eq(1, 2);
}
END_TEST

START_TEST(fails_in_a_condition)
{
	fill(seam_check_session());
	ck_seam_that(1 == 2);
}
END_TEST

START_TEST(fails_by_succeeding)
{
	seam_session *s = seam_check_session();

	fill(s);
	ck_seam_err(seam_expect_parked(s, "put"), SEAM_E_TIMEOUT);
}
END_TEST

START_TEST(succeeds)
{
	fill(seam_check_session());
}
END_TEST

START_TEST(crashes)
{
	fill(seam_check_session());
	abort();
}
END_TEST

START_TEST(never_ends)
{
	fill(seam_check_session());
	tell("sitting\n");
	for (;;)
		pause();
}
END_TEST

/* Its target does not end with us. */
START_TEST(lets_go)
{
	seam_session *s = seam_check_session();
	char command[5000];

	snprintf(command, sizeof(command), "%s 1 1; : >released",
		 victim("counter"));
	ck_seam(seam_pause(s, "in", "mutex.lock"));
	ck_seam(seam_startl(s, "A", "sh", "-c", command, NULL));
	ck_seam(seam_wait(s, "in", NULL, SEAM_DEFAULT));
	tell("sitting\n");
	for (;;)
		pause();
}
END_TEST

/* A holder, begun before the body and ended after it. */

static seam_holder *holder;

static int
enter(void *data)
{
	(void)data;
	tell("entered\n");
	return 0;
}

static void
leave(void *data)
{
	(void)data;
	tell("has left\n");
}

static void
begin_holder(void)
{
	ck_seam(seam_holder_begin(&holder, "h", enter, leave, NULL, 0));
}

static void
end_holder(void)
{
	ck_seam(seam_holder_end(holder, SEAM_DEFAULT));
}

START_TEST(fails_while_held)
{
	ck_assert_int_eq(1, 2);
}
END_TEST

START_TEST(succeeds_while_held)
{
	tell("body\n");
}
END_TEST

static int
run_holder(void)
{
	Suite *suite = suite_create("nested");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, begin_holder, end_holder);
	tcase_add_test(all, fails_while_held);
	tcase_add_test(all, succeeds_while_held);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}

static int
run_sitting(const TTest *test, const struct seam_config *config)
{
	Suite *suite = suite_create("nested");

	seam_check_configure(config);
	suite_add_tests(suite, "all", &test, 1);
	return suite_run(suite);
}

static int
run_suite(bool checked, const struct seam_config *config)
{
	Suite *suite = suite_create("nested");
	TCase *all = tcase_create("all"), *hangs = tcase_create("hangs");
	SRunner *runner;
	int failed;

	if (checked)
		tcase_add_checked_fixture(all, seam_check_setup,
					  seam_check_teardown);
	else
		tcase_add_unchecked_fixture(all, seam_check_setup,
					    seam_check_teardown);
	seam_check_configure(config);
	tcase_set_timeout(all, 60);
	tcase_set_timeout(hangs, 3);
	suite_add_tcase(suite, all);
	suite_add_tcase(suite, hangs);
	runner = srunner_create(suite);
	tcase_add_test(all, fails_in_a_call);
	if (checked || srunner_fork_status(runner) == CK_FORK) {
		tcase_add_test(all, fails_in_an_assertion);
		tcase_add_test(all, fails_in_a_condition);
		tcase_add_test(all, fails_by_succeeding);
		tcase_add_test(all, succeeds);
	}
	if (srunner_fork_status(runner) == CK_FORK) {
		tcase_add_test(all, crashes);
		tcase_add_test(hangs, never_ends);
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}

static int
run_nested(const char *what, const char *dir)
{
	struct seam_config config = { .dir = dir };

	if (!strcmp(what, "holder"))
		return run_holder();
	if (!strcmp(what, "sit"))
		return run_sitting(never_ends, &config);
	if (strcmp(what, "release") != 0)
		return run_suite(!strcmp(what, "checked"), &config);
	config.release_on_death = true;
	return run_sitting(lets_go, &config);
}

/* --- the tests ------------------------------------------------------------ */

static char place[64]; /* where the targets run */

static void
setup(void)
{
	scratch_make(place, sizeof(place));
}

static void
teardown(void)
{
	scratch_remove(place);
}

struct run {
	pid_t pid;
	FILE *out;
	char *text; /* all it wrote */
	size_t size;
};

/* This program with that suite; its output is read as it comes. */
static void
begin(struct run *r, const char *fork_mode, const char *what)
{
	int end[2];

	*r = (struct run){ .pid = -1 };
	ck_assert_int_eq(pipe(end), 0);
	r->pid = fork();
	if (r->pid == 0) {
		setenv("CK_FORK", fork_mode, 1);
		setenv("TMPDIR", place, 1);
		unsetenv("XDG_RUNTIME_DIR");
		/* The results of the suite around this one go there. */
		unsetenv("CK_TAP_LOG_FILE_NAME");
		dup2(end[1], STDOUT_FILENO);
		dup2(end[1], STDERR_FILENO);
		close(end[0]);
		close(end[1]);
		execl("/proc/self/exe", "check_api_ends", "suite", what, place,
		      (char *)NULL);
		_exit(127);
	}
	close(end[1]);
	r->out = fdopen(end[0], "r");
	ck_assert_ptr_nonnull(r->out);
}

/* Until that line, or the end. */
static void
hear(struct run *r, const char *until)
{
	FILE *all = open_memstream(&r->text, &r->size);
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, r->out) > 0) {
		fputs(line, all);
		if (until && !strcmp(line, until))
			break;
	}
	free(line);
	fclose(all);
}

static int
end(struct run *r)
{
	int status;

	fclose(r->out);
	ck_assert_int_eq(waitpid(r->pid, &status, 0), r->pid);
	return status;
}

static bool
has_no_files(void *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned n = 0;

	/* Besides what victims make. */
	while ((entry = readdir(dir)))
		n += !strncmp(entry->d_name, "seam", 4);
	closedir(dir);
	return !n;
}

static void
expect_nothing_left(const struct run *r)
{
	unsigned n = 0;

	for (char *at = r->text; (at = strstr(at, "left ")); at++) {
		char *what = strndup(at + 5, strcspn(at + 5, "\n"));
		pid_t pid = (pid_t)strtol(what, NULL, 10);

		bool (*is_gone)(void *) = path_is_gone;

		if (pid)
			is_gone = process_is_gone;
		else if (!strncmp(what, "memfd ", 6))
			is_gone = memfd_is_gone;
		ck_assert_msg(came_true(is_gone, pid ? (void *)&pid : what),
			      "%s is left", what);
		free(what);
		n++;
	}
	ck_assert_uint_ge(n, 7);
	/* Nor anything that nobody has told of: it would be there. */
	ck_assert_msg(came_true(has_no_files, place), "there are files left");
}

static void
expect_said(const struct run *r, const char *what, int times)
{
	int n = 0;

	for (char *at = r->text; (at = strstr(at, what)); at++)
		n++;
	ck_assert_msg(n == times, "'%s' %d times, not %d, in\n%.3000s", what, n,
		      times, r->text);
}

static const struct {
	const char *fork_mode, *fixture;
	int tests, failures, errors;
} suites[] = {
	{ "yes", "checked", 7, 4, 2 },
	{ "no", "checked", 5, 4, 0 },
	{ "yes", "unchecked", 7, 4, 2 },
	{ "no", "unchecked", 1, 1, 0 },
};

START_TEST(failures_explain_and_leave_nothing)
{
	int failures = suites[_i].failures, status;
	char line[100];
	struct run r;

	begin(&r, suites[_i].fork_mode, suites[_i].fixture);
	hear(&r, NULL);
	status = end(&r);
	ck_assert_msg(WEXITSTATUS(status) == failures + suites[_i].errors, "%s",
		      r.text);
	snprintf(line, sizeof(line), "Checks: %d, Failures: %d, Errors: %d",
		 suites[_i].tests, failures, suites[_i].errors);
	expect_said(&r, line, 1);
	/* Threads, what each waits for, held by whom, file and line: once
	 * for every failed assertion, and within the call's own message. */
	expect_said(&r, "worker) waits in mutex.lock for the_mutex at ",
		    failures + 1);
	expect_said(&r, ", held by P1.T0 since ", failures + 1);
	expect_said(&r, "producer) is parked by put before mutex.lock",
		    failures + 1);
	expect_said(&r, "after 20 ms A had not ended: ", 1);
	expect_said(&r, "the session then:", failures > 1);
	expect_nothing_left(&r);
	free(r.text);
}
END_TEST

START_TEST(killed_leaves_nothing)
{
	struct run r;

	begin(&r, "no", "sit");
	hear(&r, "sitting\n");
	ck_assert_ptr_nonnull(strstr(r.text, "sitting"));
	kill(r.pid, SIGKILL);
	end(&r);
	expect_nothing_left(&r);
	free(r.text);
}
END_TEST

static bool
was_released(void *none)
{
	char path[100];

	(void)none;
	snprintf(path, sizeof(path), "%s/released", place);
	return access(path, F_OK) == 0;
}

/* Then its targets are let go where they stand, and go on. */
START_TEST(killed_lets_go)
{
	struct run r;

	begin(&r, "no", "release");
	hear(&r, "sitting\n");
	ck_assert(!was_released(NULL));
	kill(r.pid, SIGKILL);
	end(&r);
	ck_assert(came_true(was_released, NULL));
	ck_assert(came_true(has_no_files, place));
	free(r.text);
}
END_TEST

static const char *const fork_modes[] = { "yes", "no" };

START_TEST(holders_leave)
{
	struct run r;

	begin(&r, fork_modes[_i], "holder");
	hear(&r, NULL);
	end(&r);
	expect_said(&r, "entered\n", 2);
	expect_said(&r, "has left\n", 2);
	ck_assert_ptr_nonnull(strstr(r.text, "body\nhas left\n"));
	free(r.text);
}
END_TEST

int
main(int argc, char **argv)
{
#ifdef __SANITIZE_ADDRESS__
	/* The suites inside fail on purpose, and leave by signals and _exit:
	 * the sanitizer's own reports would be in the way. */
	if (argc < 2) {
		puts("not under a sanitizer");
		return 77;
	}
#endif
	Suite *suite = suite_create("api_ends");
	TCase *all = tcase_create("ends");

	if (argc > 3 && !strcmp(argv[1], "suite"))
		return run_nested(argv[2], argv[3]);
	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, failures_explain_and_leave_nothing, 0,
			    COUNT(suites));
	tcase_add_test(all, killed_leaves_nothing);
	tcase_add_test(all, killed_lets_go);
	tcase_add_loop_test(all, holders_leave, 0, COUNT(fork_modes));
	tcase_set_timeout(all, 60);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
