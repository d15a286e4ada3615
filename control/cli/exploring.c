/* SPDX-License-Identifier: MIT */
/* Options of the exploring commands. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "exploring.h"

static bool
take_number(const char *what, const char *text, uint64_t min, uint64_t max,
	    uint64_t *to)
{
	struct seam_error err;

	if (!seam_number_parse(text, 0, min, max, to, &err))
		return true;
	cli_warn("%s: %s", what, err.text);
	return false;
}

static bool
take_server(struct exploring *x, const char *text)
{
	static const char *const names[] = { "none", "late", "early" };

	for (int i = 0; i < 3; i++)
		if (!strcmp(text, names[i])) {
			x->run.server = i;
			return true;
		}
	cli_usage(x->command, "--server is none, early or late, not '%s'",
		  seam_show(text).s);
	return false;
}

static bool
take_env(struct exploring *x, char *text)
{
	if (!strchr(text, '=') || *text == '=') {
		cli_usage(x->command, "--env takes NAME=VALUE, not '%s'",
			  seam_show(text).s);
		return false;
	}
	if (x->nenv == EXPLORING_ENV) {
		cli_usage(x->command, "more than %d variables", EXPLORING_ENV);
		return false;
	}
	x->env[x->nenv++] = text;
	return true;
}

static bool
take_merge(struct exploring *x, const char *path)
{
	if (x->nmerge == EXPLORING_MERGED) {
		cli_usage(x->command, "more than %d files to merge",
			  EXPLORING_MERGED);
		return false;
	}
	x->merge[x->nmerge++] = path;
	return true;
}

static bool
take_flag(struct exploring *x, int opt)
{
	switch (opt) {
	case EXPLORING_JSON:
		x->json = true;
		return true;
	case EXPLORING_KEEP_GOING:
		x->keep_going = true;
		return true;
	case EXPLORING_SCRATCH:
		x->run.in_scratch = true;
		return true;
	case EXPLORING_LEFT_BEHIND:
		x->left_behind = true;
		return true;
	case EXPLORING_MARKED:
		x->marked = true;
		return true;
	case EXPLORING_ALLOW_MISUSE:
		x->any_misuse = true;
		return true;
	case EXPLORING_NO_PREDICT:
		x->no_predict = true;
		return true;
	case EXPLORING_NO_MINIMISE:
		x->no_minimise = true;
		return true;
	case EXPLORING_OUTPUTS:
		x->outputs = true;
		return true;
	case EXPLORING_COVERAGE:
		x->coverage = true;
		return true;
	case 'q':
		x->quiet = true;
		return true;
	case 'v':
		x->verbose = true;
		return true;
	default:
		return false;
	}
}

static bool
take_option(struct exploring *x, int opt, char **argv)
{
	switch (opt) {
	case 'n':
		return take_number("-n", optarg, 0, UINT32_MAX, &x->runs);
	case 'j':
		return take_number("-j", optarg, 1, 64, &x->jobs);
	case 's':
		return take_number("--seed", optarg, 0, UINT64_MAX, &x->seed);
	case 'o':
		x->output = optarg;
		return true;
	case 'e':
		return take_env(x, optarg);
	case EXPLORING_STRATEGY:
		x->strategy = optarg;
		return true;
	case EXPLORING_DEPTH:
		return take_number("--depth", optarg, 1, 64, &x->depth);
	case EXPLORING_BOUND:
		return take_number("--bound", optarg, 0, 64, &x->bound);
	case EXPLORING_TIMEOUT:
		return cli_ms(optarg, &x->run.timeout_ms);
	case EXPLORING_STEPS:
		return take_number("--steps", optarg, 1, SEAM_STEPS - 1,
				   &x->steps);
	case EXPLORING_EXPECT:
		x->expect_given = true;
		return take_number("--expect", optarg, 0, 255, &x->expected);
	case EXPLORING_SETUP:
		x->run.setup = optarg;
		return true;
	case EXPLORING_RESET:
		x->run.reset = optarg;
		return true;
	case EXPLORING_CHECK:
		x->run.check = optarg;
		return true;
	case EXPLORING_SERVER:
		return take_server(x, optarg);
	case EXPLORING_RESUME:
		x->resume = optarg;
		return true;
	case EXPLORING_MERGE:
		return take_merge(x, optarg);
	case EXPLORING_SHARD:
		return exploring_take_shard(x, optarg);
	default:
		if (take_flag(x, opt) || out_files_option(&x->out, opt, optarg))
			return true;
		cli_bad_option(x->command, opt, argv);
		return false;
	}
}

int
exploring_options(struct exploring *x, int argc, char **argv,
		  const char *letters, const struct option *options)
{
	int opt;

	x->run.server = -1;
	x->run.timeout_ms = 10000;
	x->steps = 100000;
	x->seed = 1;
	x->jobs = 1;
	while ((opt = getopt_long(argc, argv, letters, options, NULL)) != -1)
		if (!take_option(x, opt, argv))
			return SEAM_EXIT_USAGE;
	x->run.env = x->env;
	return -1;
}

uint32_t
exploring_flags(const struct exploring *x)
{
	return (x->any_misuse ? 0u : SEAM_PLAN_MISUSE) |
	       (x->marked ? SEAM_PLAN_MARKED : 0u);
}
