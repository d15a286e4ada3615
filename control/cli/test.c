/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "permuted.h"

static int run(int argc, char **argv);

const struct cli_command cli_test = {
	"test", "seam test [-kv] [--tap] [--junit FILE] [--update] SCRIPT...",
	"run scripts as tests, each in a session and a directory of its own",
	"  --tap           results as TAP 14 on standard output\n"
	"  --junit FILE    and as JUnit's XML in FILE\n"
	"  -k, --keep      keep the scratch directories, and say where\n"
	"  -v, --verbose   show each line of a script, and its reply, on "
	"standard\n"
	"                  error\n"
	"  --update        write what scripts of sessions and steps print to\n"
	"                  SCRIPT's .out, where it is compared with otherwise\n"
	"In the scripts $dir is $SEAM_TEST_DIR, or where the script stands, "
	"and\n"
	"$programs is $SEAM_TEST_PROGRAMS, if that is set.\n",
	run
};

static const struct option options[] = {
	{ "tap", no_argument, NULL, 't' },
	{ "junit", required_argument, NULL, 'j' },
	{ "keep", no_argument, NULL, 'k' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "update", no_argument, NULL, 'u' },
	{ 0 },
};

struct tests {
	bool tap, keep, update, verbose;
	const char *junit;
	const char *dir, *programs; /* of the environment, or NULL */
	int home;		    /* where we came from */
	struct cli_result *results;
	size_t n;
	int status;	  /* what we exit with */
	bool interrupted; /* by a signal */
};

/* One test. */

struct test {
	struct tests *all;
	const char *path;
	struct seam_script *script;
	struct seam_context ctx;
	char scratch[4096];
	FILE *f; /* takes the message */
};

static bool
make_scratch(struct test *t)
{
	const char *tmp = getenv("TMPDIR");
	int n = snprintf(t->scratch, sizeof(t->scratch), "%s/seam-test-XXXXXX",
			 tmp && *tmp ? tmp : "/tmp");

	if (n < (int)sizeof(t->scratch) && mkdtemp(t->scratch) &&
	    !chdir(t->scratch))
		return true;
	fprintf(t->f, "no scratch directory %s: %s\n", t->scratch,
		strerror(errno));
	return false;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_DP)
		rmdir(path);
	else
		unlink(path);
	return 0;
}

static void
leave_scratch(struct test *t)
{
	if (fchdir(t->all->home))
		cli_warn("cannot go back to where we were: %s",
			 strerror(errno));
	if (t->all->keep)
		fprintf(stderr, "%s: %s\n", t->path, t->scratch);
	else
		nftw(t->scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool
set_variables(struct test *t)
{
	char *path = realpath(t->path, NULL);
	const char *dir = t->all->dir;
	bool ok;

	if (!dir)
		dir = path ? dirname(path) : ".";
	setenv("SEAM_TEST_DIR", dir, 1);
	ok = seam_var_set(&t->ctx.vars, "dir", dir);
	if (t->all->programs)
		ok &= seam_var_set(&t->ctx.vars, "programs", t->all->programs);
	free(path);
	return ok;
}

static int
in_session(struct test *t)
{
	struct seam_options how = { .watch = true };
	struct cli_watch watch = { 0 };
	struct seam_commands *commands;
	struct seam_error err;
	int status = SEAM_EXIT_CONTROL;

	if (seam_session_open(&how, &t->ctx.session, &err)) {
		fprintf(t->f, "%s\n", err.text);
		return status;
	}
	commands = seam_commands_serve(t->ctx.session);
	watch.session = t->ctx.session;
	t->ctx.stop = &watch.stopped;
	t->ctx.verbose = t->all->verbose;
	if (commands && cli_watch_start(&watch)) {
		status = seam_exit_of(
		    seam_script_run(t->script, &t->ctx, stderr, t->f));
		cli_watch_end(&watch);
		t->all->interrupted = watch.signals;
	}
	seam_context_end(&t->ctx);
	if (commands)
		seam_commands_close(commands, false);
	else
		seam_session_close(t->ctx.session, false);
	return status;
}

/* Sessions and steps. */
static int
permute(struct test *t, const char *text)
{
	struct cli_permuted p = { .path = t->path,
				  .vars = &t->ctx.vars,
				  .f = t->f,
				  .update = t->all->update };
	int status = SEAM_EXIT_CONTROL;

	if (set_variables(t))
		status = cli_permuted_read(&p, text);
	if (!status && !make_scratch(t)) {
		status = SEAM_EXIT_CONTROL;
	} else if (!status) {
		status = cli_permuted_run(&p);
		t->all->interrupted = p.interrupted;
		leave_scratch(t);
	}
	cli_permuted_free(&p);
	return status;
}

static int
run_script(struct test *t)
{
	struct seam_error err;
	enum seam_code code;
	int status;

	code = seam_script_read(t->path, &t->script, &err);
	if (code) {
		fprintf(t->f, "%s\n", err.text);
		return seam_exit_of(code);
	}
	if (!set_variables(t))
		return SEAM_EXIT_CONTROL;
	code = seam_script_check(t->script, &t->ctx.vars, t->f);
	if (code)
		return seam_exit_of(code);
	if (!make_scratch(t))
		return SEAM_EXIT_CONTROL;
	status = in_session(t);
	leave_scratch(t);
	return status;
}

static int
carry_out(struct test *t)
{
	char *text = cli_permuted_text(t->path);
	int status;

	if (!text)
		return run_script(t);
	status = permute(t, text);
	free(text);
	return status;
}

/* The message as valid UTF-8, which XML and TAP need. */
static char *
clean(const char *text)
{
	json_t *value = seam_json_text(text && *text ? text : "failed\n");
	char *copy = value ? strdup(json_string_value(value)) : NULL;

	json_decref(value);
	return copy;
}

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
run_one(struct tests *all, const char *path)
{
	struct cli_result *r = &all->results[all->n++];
	struct test t = { .all = all, .path = path };
	double since = seconds();
	char *message = NULL;
	size_t size;
	int status = SEAM_EXIT_CONTROL;

	r->name = clean(path);
	t.f = open_memstream(&message, &size);
	if (t.f) {
		status = carry_out(&t);
		fclose(t.f);
	}
	seam_script_free(t.script);
	seam_vars_free(&t.ctx.vars);
	r->seconds = seconds() - since;
	if (status) {
		r->message = clean(message);
		/* A failed expectation counts before usage and control. */
		if (!all->status || status < all->status)
			all->status = status;
	}
	free(message);
}

/* All of them. */

static void
summarise(const struct tests *all, FILE *f)
{
	size_t failed = 0;

	for (size_t i = 0; i < all->n; i++)
		failed += !!all->results[i].message;
	fprintf(f, "%zu passed, %zu failed\n", all->n - failed, failed);
}

static bool
write_junit(const struct tests *all)
{
	FILE *f = fopen(all->junit, "we");

	if (f) {
		cli_put_junit(f, all->results, all->n);
		if (!fclose(f))
			return true;
	}
	cli_warn("%s: %s", all->junit, strerror(errno));
	return false;
}

static void
run_all(struct tests *all, char **paths, size_t n)
{
	if (all->tap)
		printf("TAP version 14\n1..%zu\n", n);
	for (size_t i = 0; i < n && !all->interrupted; i++) {
		run_one(all, paths[i]);
		if (all->tap)
			cli_put_tap(stdout, &all->results[i], (unsigned)i + 1);
		else
			cli_put_human(stdout, &all->results[i]);
		fflush(stdout);
	}
	if (all->tap && all->interrupted)
		puts("Bail out! interrupted");
	if (all->tap)
		fputs("# ", stdout);
	summarise(all, stdout);
}

static int
test(struct tests *all, char **paths, size_t n)
{
	int status;

	all->dir = getenv("SEAM_TEST_DIR");
	all->programs = getenv("SEAM_TEST_PROGRAMS");
	all->home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	all->results = calloc(n, sizeof(*all->results));
	if (all->home < 0 || !all->results) {
		cli_warn("cannot go on: %s", strerror(errno));
		free(all->results);
		return SEAM_EXIT_CONTROL;
	}
	/* setenv moves the environment's strings. */
	all->dir = all->dir ? strdup(all->dir) : NULL;
	run_all(all, paths, n);
	status = all->status;
	if (all->junit && !write_junit(all) && !status)
		status = SEAM_EXIT_USAGE;
	for (size_t i = 0; i < all->n; i++) {
		free(all->results[i].name);
		free(all->results[i].message);
	}
	free((char *)all->dir);
	free(all->results);
	close(all->home);
	return all->interrupted && !status ? SEAM_EXIT_FAILED : status;
}

static int
run(int argc, char **argv)
{
	struct tests all = { 0 };
	int opt;

	while ((opt = getopt_long(argc, argv, "+:kv", options, NULL)) != -1)
		switch (opt) {
		case 't':
			all.tap = true;
			break;
		case 'j':
			all.junit = optarg;
			break;
		case 'k':
			all.keep = true;
			break;
		case 'v':
			all.verbose = true;
			break;
		case 'u':
			all.update = true;
			break;
		default:
			return cli_bad_option(&cli_test, opt, argv);
		}
	if (optind == argc)
		return cli_usage(&cli_test, "which scripts?");
	return test(&all, argv + optind, (size_t)(argc - optind));
}
