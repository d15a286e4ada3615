/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replay_as.h"
#include "replaying.h"
#include "rules_int.h"

static int run(int argc, char **argv);

const struct cli_command cli_replay = {
	"replay",
	"seam replay [-n RUNS] [--expect pass|fail] [OPTION...] FILE [-- CMD "
	"[ARG...]]\n"
	"       seam replay --nearby N [-o FILE] [--expect pass|fail] [--json] "
	"FILE [-- CMD [ARG...]]\n"
	"       seam replay --as script|check [-o FILE] FILE [-- CMD "
	"[ARG...]]\n"
	"       seam replay --gdb FILE [-- GDB-ARG...]",
	"run a schedule that `seam explore` found again",
	"  -n, --runs N            so many times: are they all the same?\n"
	"  --expect fail           a failure like the file's is a success\n"
	"  --expect pass           a run without a failure is\n" OUT_HELP
	"  --json                  one line of JSON\n"
	"  --nearby N              explore a changed program around it, by N "
	"runs:\n"
	"                          fixed, moved, or no longer reachable\n"
	"  --as script             write a script of pauses for `seam test` "
	"instead\n"
	"  --as check              or a test in C, for Check\n"
	"  -o, --output FILE       the replay file of what fails nearby; or "
	"where\n"
	"                          --as writes to, not standard output\n"
	"  --gdb                   run it under gdb, which the words after -- "
	"are for\n"
	"  -q, --quiet             say nothing of a failure\n"
	"CMD is run in the place of the file's command; - is standard input.\n"
	"Exits with 1 if it failed as it did, 2 for a bad file, 3 if the run "
	"went\n"
	"another way, or could not be controlled.\n",
	run
};

enum { OPT_EXPECT = 256, OPT_JSON, OPT_GDB, OPT_NEARBY, OPT_AS };

static const struct option options[] = {
	{ "runs", required_argument, NULL, 'n' },
	{ "expect", required_argument, NULL, OPT_EXPECT },
	OUT_OPTIONS,
	{ "json", no_argument, NULL, OPT_JSON },
	{ "nearby", required_argument, NULL, OPT_NEARBY },
	{ "output", required_argument, NULL, 'o' },
	{ "as", required_argument, NULL, OPT_AS },
	{ "gdb", no_argument, NULL, OPT_GDB },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 },
};

/* Running it. */

/* Events are compared by their hashes only while program and library are the
 * same; else by their names, afterwards. */
static bool
is_same_build(const struct replaying *r)
{
	const char *anew =
	    replay_built_anew(r->file, r->again.config.argv[0], NULL);

	if (anew && !r->quiet)
		fprintf(stderr,
			"seam: %s has been built anew since; its events are "
			"compared by their names\n",
			anew);
	return !anew;
}

/* The others, half of them with a target that was started anew. */
static void
run_others(struct replaying *r, int *status, struct seam_error *err)
{
	const enum explore_fault fault = r->again.fault;
	const uint64_t hash = r->again.result.trace.hash;
	const uint32_t nsteps = r->again.result.trace.nsteps;

	for (r->same = 1; r->same < r->runs; r->same++) {
		if (r->same == r->runs / 2)
			runner_renew(r->again.runner);
		if (rerun_run(&r->again, err))
			return;
		if (r->again.fault == fault &&
		    r->again.result.trace.hash == hash &&
		    r->again.result.trace.nsteps == nsteps)
			continue;
		cli_warn("run %llu was not like those before it",
			 (unsigned long long)r->same + 1);
		replaying_tell(r);
		*status = SEAM_EXIT_CONTROL;
		return;
	}
}

static int
run_all(struct replaying *r, struct seam_error *err)
{
	int status = SEAM_EXIT_CONTROL;

	if (!rerun_open(&r->again, err)) {
		r->same_build = is_same_build(r);
		replay_plan(r->file, r->same_build, &r->again.plan,
			    r->again.forced);
	}
	if (!err->code && r->gdb)
		return replaying_gdb(r);
	if (!err->code && r->nearby)
		return replaying_nearby(r);
	if (!err->code && !rerun_run(&r->again, err)) {
		status = replaying_tell(r);
		if (r->runs > 1 && status != SEAM_EXIT_CONTROL) {
			run_others(r, &status, err);
			replaying_tell_runs(r);
		}
	}
	return status;
}

/* A failure that is wanted is none. */
static int
put_verdict(struct replaying *r, int status, const struct seam_error *err,
	    double seconds)
{
	const bool passed = status == SEAM_EXIT_OK;
	char *const command[] = { (char *)r->path, NULL };
	struct out_verdict v = { .verb = "replay",
				 .command = command,
				 .error = status == SEAM_EXIT_CONTROL,
				 .seconds = seconds };

	if (passed)
		out_files_forget(&r->out);
	else if (err->code)
		v.message = err->text;
	else if (!r->out.nresults)
		v.message = "the run did not fail\n";
	if (out_files_end(&r->out, &v))
		return status;
	return SEAM_EXIT_CONTROL;
}

/* The output is where we are now. */
static bool
stay(struct replaying *r)
{
	char *here;

	if (!r->output || *r->output == '/')
		return true;
	here = getcwd(NULL, 0);
	if (here && asprintf(&r->path_out, "%s/%s", here, r->output) >= 0)
		r->output = r->path_out;
	else
		cli_warn("no memory");
	free(here);
	return r->output == r->path_out;
}

static int
replay(struct replaying *r)
{
	const uint64_t since = seam_now();
	struct seam_error err = { .code = SEAM_OK };
	int status = SEAM_EXIT_CONTROL;

	rerun_of_file(&r->again, r->file, r->argv);
	if (!stay(r))
		return status;
	if (chdir(r->file->dir))
		sess_fail(&err, SEAM_E_UNSUPPORTED, 0, "%s: %s", r->file->dir,
			  strerror(errno));
	else
		status = run_all(r, &err);
	if (err.code) {
		cli_warn("%s", err.text);
		status = SEAM_EXIT_CONTROL;
	}
	status =
	    put_verdict(r, status, &err, (double)(seam_now() - since) / 1e9);
	replay_match_free(r->match);
	explore_labels_free(r->labels);
	rerun_close(&r->again);
	free(r->path_out);
	return status;
}

static bool
take_number(const char *what, const char *text, uint64_t *to)
{
	struct seam_error err;

	if (!seam_number_parse(text, 0, 1, UINT32_MAX, to, &err))
		return true;
	cli_warn("%s: %s", what, err.text);
	return false;
}

static bool
take_option(struct replaying *r, int opt, char **argv)
{
	switch (opt) {
	case 'n':
		return take_number("-n", optarg, &r->runs);
	case 'o':
		r->output = optarg;
		return true;
	case OPT_NEARBY:
		return take_number("--nearby", optarg, &r->nearby);
	case OPT_EXPECT:
		r->expect_pass = !strcmp(optarg, "pass");
		r->expect_fail = !strcmp(optarg, "fail");
		if (r->expect_pass || r->expect_fail)
			return true;
		cli_usage(&cli_replay, "--expect is pass or fail, not '%s'",
			  seam_show(optarg).s);
		return false;
	case OPT_JSON:
		r->json = true;
		return true;
	case OPT_AS:
		r->as = optarg;
		return cli_as_known(r->as);
	case OPT_GDB:
		r->gdb = true;
		return true;
	case 'q':
		r->quiet = true;
		return true;
	default:
		if (out_files_option(&r->out, opt, optarg))
			return true;
		cli_bad_option(&cli_replay, opt, argv);
		return false;
	}
}

/* What comes after --. */
static bool
take_rest(struct replaying *r, char **rest)
{
	if (r->gdb) {
		r->gdb_argv = rest;
		return true;
	}
	r->argv = rest;
	if (*rest)
		return true;
	cli_usage(&cli_replay, "which command?");
	return false;
}

/* Options may come after the file, too. */
static bool
take_words(struct replaying *r, int argc, char **argv)
{
	int opt;

	for (;;) {
		while ((opt = getopt_long(argc, argv, "+:n:o:q", options,
					  NULL)) != -1)
			if (!take_option(r, opt, argv))
				return false;
		if (optind > 1 && !strcmp(argv[optind - 1], "--"))
			break;
		if (optind == argc)
			break;
		if (r->path) {
			cli_usage(&cli_replay, "one file, and -- before CMD");
			return false;
		}
		r->path = argv[optind++];
	}
	if (!r->path)
		cli_usage(&cli_replay, "which file?");
	if (!r->path)
		return false;
	return strcmp(argv[optind - 1], "--") || take_rest(r, argv + optind);
}

static int
run(int argc, char **argv)
{
	struct replaying r = { .runs = 1 };
	struct seam_error err;
	int status;

	if (!take_words(&r, argc, argv))
		return SEAM_EXIT_USAGE;
	if (r.gdb && (r.json || r.runs > 1 || r.expect_pass || r.expect_fail ||
		      r.nearby))
		return cli_usage(&cli_replay, "--gdb goes with no other "
					      "option");
	if (r.nearby && r.runs > 1)
		return cli_usage(&cli_replay, "--nearby says how many runs");
	if ((r.nearby || r.gdb || r.as) && out_files_wanted(&r.out))
		return cli_usage(&cli_replay,
				 "files are written of one run: without "
				 "--nearby, --gdb and --as");
	if (r.json && r.out.tap && !strcmp(r.out.tap, "-"))
		return cli_usage(&cli_replay, "--json and --tap - both want "
					      "standard output");
	if (r.as && (r.runs > 1 || r.json || r.expect_pass || r.expect_fail ||
		     r.nearby || r.gdb))
		return cli_usage(&cli_replay, "--as goes with -o alone");
	if (r.output && !r.nearby && !r.as)
		return cli_usage(&cli_replay,
				 "--output goes with --nearby or --as");
	if (replay_read(r.path, &r.file, &err)) {
		cli_warn("%s", err.text);
		return SEAM_EXIT_USAGE;
	}
	status = out_files_begin(&r.out) ? replay(&r) : SEAM_EXIT_CONTROL;
	replay_free(r.file);
	return status;
}
