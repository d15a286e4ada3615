/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exploring.h"
#include "rules_int.h"

static int run(int argc, char **argv);

const struct cli_command cli_minimise = {
	"minimise",
	"seam minimise [-o OUT] [-n RUNS] [--timeout MS] [--json] FILE",
	"shrink a failing schedule to the switches that matter",
	"  -o, --output OUT        the result; default: FILE is replaced, and\n"
	"                          kept as FILE.orig\n"
	"  -n, --runs N            so many at most, about; default: 20000\n"
	"  --timeout MS            so long at most, about; default: 60000\n"
	"  --json                  one line of JSON\n"
	"  -q, --quiet             say nothing of the failure\n"
	"Then it says which two events decide by their order, and why.\n"
	"`seam explore` does this by itself.  Exits with 1 if it fails, 2 for "
	"a bad\n"
	"file, 3 if it does not fail any more, or could not be controlled.\n",
	run
};

enum { OPT_TIMEOUT = 256, OPT_JSON };

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "runs", required_argument, NULL, 'n' },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 },
};

struct job {
	const char *output;
	struct exploring_minimal how;
	struct minimise_config limits;
};

static bool
take_option(struct job *j, int opt, char **argv)
{
	struct seam_error err;

	switch (opt) {
	case 'o':
		j->output = optarg;
		return true;
	case 'n':
		if (!seam_number_parse(optarg, 0, 1, UINT32_MAX,
				       &j->limits.replays, &err))
			return true;
		cli_warn("-n: %s", err.text);
		return false;
	case OPT_TIMEOUT:
		return cli_ms(optarg, &j->limits.ms);
	case OPT_JSON:
		j->how.json = true;
		return true;
	case 'q':
		j->how.quiet = true;
		return true;
	default:
		cli_bad_option(&cli_minimise, opt, argv);
		return false;
	}
}

/* As seen from here: the run is made in the file's directory. */
static char *
absolute(const char *path)
{
	char *here, *full = NULL;

	if (*path == '/')
		return strdup(path);
	here = getcwd(NULL, 0);
	if (here && asprintf(&full, "%s/%s", here, path) < 0)
		full = NULL;
	free(here);
	return full;
}

static int
shrink(struct job *j, const struct replay_file *f)
{
	struct seam_error err;

	if (chdir(f->dir)) {
		cli_warn("%s: %s", f->dir, strerror(errno));
		return SEAM_EXIT_CONTROL;
	}
	if (exploring_minimise(&j->how, f, &j->limits, &err))
		return SEAM_EXIT_FAILED;
	cli_warn("%s", err.text);
	return SEAM_EXIT_CONTROL;
}

static int
run(int argc, char **argv)
{
	struct job j = { .output = NULL };
	struct replay_file *f;
	struct seam_error err;
	int opt, status = SEAM_EXIT_CONTROL;
	char *path;

	while ((opt = getopt_long(argc, argv, "+:o:n:q", options, NULL)) != -1)
		if (!take_option(&j, opt, argv))
			return SEAM_EXIT_USAGE;
	if (optind + 1 != argc)
		return cli_usage(&cli_minimise,
				 optind == argc ? "which file?" : "one file");
	if (!j.output && !strcmp(argv[optind], "-"))
		return cli_usage(&cli_minimise,
				 "where to, if it comes from standard input? "
				 "-o says it");
	if (replay_read(argv[optind], &f, &err)) {
		cli_warn("%s", err.text);
		return SEAM_EXIT_USAGE;
	}
	path = absolute(j.output ? j.output : argv[optind]);
	j.how.path = path;
	j.how.keep = !j.output;
	j.how.name = j.output ? j.output : argv[optind];
	if (path)
		status = shrink(&j, f);
	free(path);
	replay_free(f);
	return status;
}
