/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exploring.h"
#include "rules_int.h"

static int run(int argc, char **argv);

const struct cli_command cli_verify = {
	"verify",
	"seam verify [-n RUNS] [--seed N] [OPTION...] -- CMD [ARG...]",
	"run one schedule many times: are its events always the same?",
	"  -n, --runs N            default: 20\n"
	"  -s, --seed N            of the schedule; default: 1\n"
	"  --timeout MS, --steps N, --setup, --reset CMD, --scratch,\n"
	"  -e, --env NAME=VALUE, --server none|early|late\n"
	"                          as for `seam explore`\n"
	"  -q, --quiet             say nothing if all is well\n"
	"Exits with 0 if they are, 3 if not: the first event that differed is "
	"told.\n",
	run
};

static const struct option options[] = {
	{ "runs", required_argument, NULL, 'n' },
	{ "seed", required_argument, NULL, 's' },
	{ "timeout", required_argument, NULL, EXPLORING_TIMEOUT },
	{ "steps", required_argument, NULL, EXPLORING_STEPS },
	{ "setup", required_argument, NULL, EXPLORING_SETUP },
	{ "reset", required_argument, NULL, EXPLORING_RESET },
	{ "scratch", no_argument, NULL, EXPLORING_SCRATCH },
	{ "env", required_argument, NULL, 'e' },
	{ "server", required_argument, NULL, EXPLORING_SERVER },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 },
};

struct job {
	struct exploring x;
	struct runner *runner;
	struct runner_result first, again;
	struct explore_labels *labels; /* of the first */
};

static uint32_t
first_difference(const struct explore_trace *a, const struct explore_trace *b)
{
	uint32_t i = 0;

	while (i < a->nsteps && i < b->nsteps &&
	       a->step[i].hash == b->step[i].hash)
		i++;
	return i;
}

static uint32_t
next_of(const struct explore_trace *t, uint16_t slot, uint32_t from)
{
	while (from < t->nsteps && t->step[from].slot != slot)
		from++;
	return from;
}

static uint64_t
key_of(const struct explore_trace *t, const struct seam_step *step)
{
	uint32_t object = step->op.object;

	return object && object <= t->nobjects ? t->object[object - 1].key : 0;
}

/*
 * Threads stood at their next operations when another choice was made; where
 * one of these is another operation, that is why.  The steps that they became.
 */
static void
find_cause(const struct explore_trace *a, uint32_t *at_a,
	   const struct explore_trace *b, uint32_t *at_b)
{
	for (uint16_t slot = 0; slot < a->nthreads; slot++) {
		uint32_t i = next_of(a, slot, *at_a);
		uint32_t k = next_of(b, slot, *at_b);
		const struct seam_step *x = &a->step[i], *y = &b->step[k];

		if (i >= a->nsteps || k >= b->nsteps ||
		    (x->op.verb == y->op.verb && x->site == y->site &&
		     key_of(a, x) == key_of(b, y)))
			continue;
		*at_a = i;
		*at_b = k;
		return;
	}
}

static void
put_side(const char *name, const struct explore_trace *t,
	 const struct explore_labels *l, uint32_t at)
{
	char *text = replay_actual(t, l, at);

	printf("  %s: %s\n", name, text ? text : "?");
	free(text);
}

/* What happened between two events is what was not under control. */
static void
put_before(const struct job *j, uint32_t at)
{
	const struct explore_trace *t = &j->first.trace;
	uint16_t slot;
	char *text;

	if (!at)
		return;
	slot = at < t->nsteps ? t->step[at].slot : t->step[at - 1].slot;
	while (at-- > 0)
		if (t->step[at].slot == slot)
			break;
	if (at == UINT32_MAX)
		return;
	text = replay_actual(t, j->labels, at);
	printf("  that thread's event before: %s\n", text ? text : "?");
	free(text);
}

static int
tell_difference(struct job *j, uint64_t i)
{
	struct explore_labels *l =
	    explore_labels_take(runner_session(j->runner), &j->again.trace);
	uint32_t at = first_difference(&j->first.trace, &j->again.trace);
	uint32_t its = at;

	printf("run %llu differs from the first at event %u\n",
	       (unsigned long long)i + 1, at + 1);
	find_cause(&j->first.trace, &at, &j->again.trace, &its);
	put_side("the first run", &j->first.trace, j->labels, at);
	if (l) {
		char name[32];

		snprintf(name, sizeof(name), "run %llu",
			 (unsigned long long)i + 1);
		put_side(name, &j->again.trace, l, its);
	}
	put_before(j, at);
	explore_labels_free(l);
	return SEAM_EXIT_CONTROL;
}

static int
compare(struct job *j, uint64_t i)
{
	struct explore_trace *a = &j->first.trace, *b = &j->again.trace;

	if (a->timed_out || b->timed_out) {
		const struct runner_result *r =
		    b->timed_out ? &j->again : &j->first;

		cli_warn("run %llu was not over in time:\n%s",
			 (unsigned long long)i + 1, r->why ? r->why : "");
		return SEAM_EXIT_CONTROL;
	}
	if (a->hash == b->hash && a->nsteps == b->nsteps)
		return SEAM_EXIT_OK;
	return tell_difference(j, i);
}

/* Half of them with a target that was started anew: what is the same for all
 * children of one process need not be so for the program. */
static int
verify(struct job *j, struct seam_error *err)
{
	const struct seam_plan plan = {
		.strategy = SEAM_STRATEGY_RANDOM,
		.seed = j->x.seed,
		.entropy = j->x.seed,
		.max_steps = (uint32_t)j->x.steps,
		.timeout_one_in = 16,
	};
	int status = SEAM_EXIT_OK;

	for (uint64_t i = 0; i < j->x.runs && !status; i++) {
		if (i && i == j->x.runs / 2)
			runner_renew(j->runner);
		if (runner_run(j->runner, &plan, NULL,
			       i ? &j->again : &j->first, err))
			return SEAM_EXIT_CONTROL;
		if (i)
			status = compare(j, i);
		else
			j->labels =
			    explore_labels_take(runner_session(j->runner),
						&j->first.trace);
		if (!j->labels) {
			sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
			return SEAM_EXIT_CONTROL;
		}
	}
	return status;
}

static int
run(int argc, char **argv)
{
	struct job j = { .x = { .command = &cli_verify, .runs = 20 } };
	struct seam_error err = { .code = SEAM_OK };
	int status = exploring_options(&j.x, argc, argv, "+:n:s:e:q", options);

	if (status >= 0)
		return status;
	if (optind == argc)
		return cli_usage(&cli_verify, "which command?");
	if (j.x.runs < 2)
		return cli_usage(&cli_verify, "two runs at least");
	j.x.run.argv = argv + optind;
	status = SEAM_EXIT_CONTROL;
	if (!runner_open(&j.x.run, 0, &j.runner, &err))
		status = verify(&j, &err);
	if (err.code)
		cli_warn("%s", err.text);
	else if (!status && !j.x.quiet)
		printf("%llu runs of %u events were the same (hash %016llx)\n",
		       (unsigned long long)j.x.runs, j.first.trace.nsteps,
		       (unsigned long long)j.first.trace.hash);
	explore_labels_free(j.labels);
	runner_result_clear(&j.first);
	runner_result_clear(&j.again);
	runner_close(j.runner);
	return status;
}
