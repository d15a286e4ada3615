/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explore/rerun.h"
#include "exploring.h"
#include "replay_as.h"
#include "rules_int.h"

static int run(int argc, char **argv);

const struct cli_command cli_replay = {
	"replay",
	"seam replay [-n RUNS] [--expect pass|fail] [--json]\n"
	"       [--as script|check [-o FILE]] FILE [-- CMD [ARG...]]",
	"run a schedule that `seam explore` found again",
	"  -n, --runs N            so many times: are they all the same?\n"
	"  --expect fail           a failure like the file's is a success\n"
	"  --expect pass           a run without a failure is\n"
	"  --as script             write a script of pauses for `seam test` "
	"instead\n"
	"  --as check              or a test in C, for Check\n"
	"  -o, --output FILE       there, not to standard output\n"
	"  --json                  one line of JSON\n"
	"  -q, --quiet             say nothing of a failure\n"
	"CMD is run in the place of the file's command; - is standard input.\n"
	"Exits with 1 if it failed as it did, 2 for a bad file, 3 if the run "
	"went\n"
	"another way, or could not be controlled.\n",
	run
};

enum { OPT_EXPECT = 256, OPT_JSON, OPT_AS };

static const struct option options[] = {
	{ "runs", required_argument, NULL, 'n' },
	{ "expect", required_argument, NULL, OPT_EXPECT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "as", required_argument, NULL, OPT_AS },
	{ "output", required_argument, NULL, 'o' },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 },
};

struct job {
	struct replay_file *file;
	const char *path;
	const char *as;	     /* NULL: just run it */
	char *output;	     /* NULL: standard output */
	char **argv;	     /* NULL: the file's */
	uint64_t runs, same; /* how many, and how many were like the first */
	bool same_build;
	bool json, quiet, expect_pass, expect_fail;
	struct rerun again;
	struct explore_labels *labels;
};

/* What came of it. */

/* The critical pair that the file tells of, if the run has such events. */
static struct critical
pair_of(const struct job *j)
{
	const struct explore_trace *t = &j->again.result.trace;
	const uint32_t *events = j->file->critical;

	return (struct critical){
		.found = events[0] && events[0] <= t->nsteps &&
			 events[1] <= t->nsteps + t->nthreads,
		.first = events[0] - 1,
		.second = events[1] - 1,
	};
}

static void
put_json(const struct job *j, const char *result, const char *text,
	 const char *expected, const char *actual, uint32_t at)
{
	json_t *o = json_object();

	seam_json_put(o, "event", "replayed");
	seam_json_put(o, "result", result);
	seam_json_put(o, "fault", explore_fault_names[j->again.fault]);
	if (text)
		seam_json_put(o, "message", text);
	if (expected) {
		json_object_set_new(o, "step", json_integer(at + 1));
		seam_json_put(o, "expected", expected);
		seam_json_put(o, "actual", actual);
	}
	if (!expected && j->file->because) {
		const struct critical pair = pair_of(j);

		json_object_set_new(o, "critical",
				    exploring_json_pair(&j->again.result.trace,
							j->labels, &pair));
		seam_json_put(o, "because", j->file->because);
	}
	json_object_set_new(o, "events",
			    exploring_json_events(&j->again.result.trace,
						  j->labels));
	exploring_put_json(o);
}

static int
tell_divergence(const struct job *j, uint32_t at)
{
	char *expected = replay_expected(j->file, at);
	char *actual = replay_actual(&j->again.result.trace, j->labels, at);
	const char *what = j->again.result.trace.what;

	if (j->json) {
		put_json(j, "diverged", NULL, expected ? expected : "",
			 actual ? actual : "", at);
	} else {
		printf("the run went another way at step %u\n"
		       "  expected: %s\n"
		       "  but was:  %s\n",
		       at + 1, expected ? expected : "?",
		       actual ? actual : "?");
		if (j->again.result.trace.verdict == SEAM_VERDICT_DIVERGED &&
		    *what)
			printf("  (%s)\n", what);
	}
	free(expected);
	free(actual);
	return SEAM_EXIT_CONTROL;
}

static void
tell_failure(struct job *j)
{
	char *text = oracle_explain(&j->again.oracle, j->again.fault,
				    &j->again.result, j->labels);
	const struct critical pair = pair_of(j);
	size_t len = 0;
	char *output = runner_output(j->again.runner, &len);

	if (j->json)
		put_json(j, j->again.fault ? "failed" : "passed", text, NULL,
			 NULL, 0);
	else if (!j->quiet && j->again.fault)
		exploring_put_pair(stdout, text ? text : "",
				   &j->again.result.trace, j->labels,
				   output ? output : "", len, &pair,
				   j->file->because);
	else if (!j->quiet)
		puts("the run did not fail");
	free(output);
	free(text);
}

static int
tell(struct job *j)
{
	const char *wanted = j->file->fault;
	const char *got = explore_fault_names[j->again.fault];
	uint32_t at;

	if (replay_compare(j->file, &j->again.result.trace, j->labels,
			   j->same_build, &at))
		return tell_divergence(j, at);
	if (j->as)
		return cli_as(&j->again, j->file, j->labels, j->as, j->path,
			      j->output);
	tell_failure(j);
	if (j->expect_pass)
		return j->again.fault ? SEAM_EXIT_FAILED : SEAM_EXIT_OK;
	if (!strcmp(wanted, got))
		return j->expect_fail || !j->again.fault ? SEAM_EXIT_OK :
							   SEAM_EXIT_FAILED;
	/* An edited file may come to anything. */
	if (!j->file->nevents && !j->expect_fail)
		return j->again.fault ? SEAM_EXIT_FAILED : SEAM_EXIT_OK;
	cli_warn("the events were the expected ones, but this came of them: "
		 "%s; it should have been: %s",
		 got, wanted);
	return j->expect_fail ? SEAM_EXIT_FAILED : SEAM_EXIT_CONTROL;
}

/* Running it. */

/* Events are compared by their hashes only while program and library are the
 * same; else by their names, afterwards. */
static bool
is_same_build(const struct job *j)
{
	const char *anew =
	    replay_built_anew(j->file, j->again.config.argv[0], NULL);

	if (anew && !j->quiet)
		fprintf(stderr,
			"seam: %s has been built anew since; its events are "
			"compared by their names\n",
			anew);
	return !anew;
}

static int
tell_run(struct job *j)
{
	int status = SEAM_EXIT_CONTROL;

	explore_labels_free(j->labels);
	j->labels = rerun_labels(&j->again);
	if (j->labels)
		status = tell(j);
	else
		cli_warn("no memory");
	return status;
}

/* The others, half of them with a target that was started anew. */
static void
run_others(struct job *j, int *status, struct seam_error *err)
{
	const enum explore_fault fault = j->again.fault;
	const uint64_t hash = j->again.result.trace.hash;
	const uint32_t nsteps = j->again.result.trace.nsteps;

	for (j->same = 1; j->same < j->runs; j->same++) {
		if (j->same == j->runs / 2)
			runner_renew(j->again.runner);
		if (rerun_run(&j->again, err))
			return;
		if (j->again.fault == fault &&
		    j->again.result.trace.hash == hash &&
		    j->again.result.trace.nsteps == nsteps)
			continue;
		cli_warn("run %llu was not like those before it",
			 (unsigned long long)j->same + 1);
		tell_run(j);
		*status = SEAM_EXIT_CONTROL;
		return;
	}
}

static void
tell_runs(const struct job *j)
{
	json_t *o;

	if (!j->json) {
		printf("\n%llu of %llu runs were the same\n",
		       (unsigned long long)j->same,
		       (unsigned long long)j->runs);
		return;
	}
	o = json_object();
	seam_json_put(o, "event", "ended");
	json_object_set_new(o, "runs", json_integer((json_int_t)j->runs));
	json_object_set_new(o, "same", json_integer((json_int_t)j->same));
	exploring_put_json(o);
}

static int
run_all(struct job *j)
{
	int status = SEAM_EXIT_CONTROL;
	struct seam_error err = { .code = SEAM_OK };

	if (!rerun_open(&j->again, &err)) {
		j->same_build = is_same_build(j);
		replay_plan(j->file, j->same_build, &j->again.plan,
			    j->again.forced);
	}
	if (!err.code && !rerun_run(&j->again, &err)) {
		status = tell_run(j);
		if (j->runs > 1 && status != SEAM_EXIT_CONTROL) {
			run_others(j, &status, &err);
			tell_runs(j);
		}
	}
	if (!err.code)
		return status;
	cli_warn("%s", err.text);
	return SEAM_EXIT_CONTROL;
}

static int
replay(struct job *j)
{
	int status = SEAM_EXIT_CONTROL;

	rerun_of_file(&j->again, j->file, j->argv);
	if (chdir(j->file->dir))
		cli_warn("%s: %s", j->file->dir, strerror(errno));
	else
		status = run_all(j);
	explore_labels_free(j->labels);
	rerun_close(&j->again);
	return status;
}

static bool
take_runs(struct job *j, const char *text)
{
	struct seam_error err;

	if (!seam_number_parse(text, 0, 1, UINT32_MAX, &j->runs, &err))
		return true;
	cli_warn("-n: %s", err.text);
	return false;
}

static bool
take_option(struct job *j, int opt, char **argv)
{
	switch (opt) {
	case 'n':
		return take_runs(j, optarg);
	case OPT_EXPECT:
		j->expect_pass = !strcmp(optarg, "pass");
		j->expect_fail = !strcmp(optarg, "fail");
		if (j->expect_pass || j->expect_fail)
			return true;
		cli_usage(&cli_replay, "--expect is pass or fail, not '%s'",
			  seam_show(optarg).s);
		return false;
	case OPT_JSON:
		j->json = true;
		return true;
	case OPT_AS:
		j->as = optarg;
		return cli_as_known(j->as);
	case 'o':
		free(j->output);
		j->output = cli_as_place(optarg);
		return j->output != NULL;
	case 'q':
		j->quiet = true;
		return true;
	default:
		cli_bad_option(&cli_replay, opt, argv);
		return false;
	}
}

static int
run(int argc, char **argv)
{
	struct job j = { .runs = 1 };
	struct seam_error err;
	int opt, status;

	while ((opt = getopt_long(argc, argv, "+:n:o:q", options, NULL)) != -1)
		if (!take_option(&j, opt, argv))
			return SEAM_EXIT_USAGE;
	if (optind == argc || (optind > 1 && !strcmp(argv[optind - 1], "--")))
		return cli_usage(&cli_replay, "which file?");
	j.path = argv[optind++];
	if (optind < argc && strcmp(argv[optind], "--"))
		return cli_usage(&cli_replay, "one file, and -- before CMD");
	if (optind < argc && ++optind == argc)
		return cli_usage(&cli_replay, "which command?");
	if (optind < argc)
		j.argv = argv + optind;
	if (j.as && (j.runs > 1 || j.json || j.expect_pass || j.expect_fail))
		return cli_usage(&cli_replay,
				 "--as goes with none of -n, --json, --expect");
	if (j.output && !j.as)
		return cli_usage(&cli_replay, "-o is where --as writes to");
	if (replay_read(j.path, &j.file, &err)) {
		cli_warn("%s", err.text);
		return SEAM_EXIT_USAGE;
	}
	status = replay(&j);
	replay_free(j.file);
	free(j.output);
	return status;
}
