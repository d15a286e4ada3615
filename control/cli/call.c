/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "calls.h"
#include "cli.h"

static int run(int argc, char **argv);

const struct cli_command cli_call = {
	"call",
	"seam call [-n N] [--at SELECTOR] [--timeout S] [--repeat N] "
	"[--max BYTES] [--json] -- CMD [ARG...] [::: CMD [ARG...]]...",
	"run commands at once, let go together at a start gate",
	"  -n, --number N      each command N times at once; default: 1\n"
	"  --at SELECTOR       the gate: each one's first event that matches;\n"
	"                      default: before main\n"
	"  --timeout S         end a call after S seconds; default: 30\n"
	"  --repeat N          do all of it N times, and count the outcomes\n"
	"  --max BYTES         keep that much of each stream; default: 1 MiB\n"
	"  --json              the results as one JSON object\n"
	"Exits with 0 if all calls did, else with 1; 3 if it could not "
	"control.\n",
	run
};

enum { AT = 256, TIMEOUT, REPEAT, MAX, JSON };

static const struct option options[] = {
	{ "number", required_argument, NULL, 'n' },
	{ "at", required_argument, NULL, AT },
	{ "timeout", required_argument, NULL, TIMEOUT },
	{ "repeat", required_argument, NULL, REPEAT },
	{ "max", required_argument, NULL, MAX },
	{ "json", no_argument, NULL, JSON },
	{ 0 },
};

struct job {
	struct seam_call_options how;
	uint64_t number, repeat;
	bool json;
	struct seam_call_spec *call;
	size_t n; /* calls of a round */
	struct cli_outcomes all;
};

static bool
take_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	struct seam_error err;

	if (!seam_number_parse(text, 0, min, max, out, &err))
		return true;
	cli_warn("a number is expected: %s", err.text);
	return false;
}

/* Seconds, with a fraction. */
static bool
take_seconds(const char *text, uint64_t *ms)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end || !(s >= 0.001) || s > 1e6) {
		cli_warn("a number of seconds is expected, not '%s'",
			 seam_show(text).s);
		return false;
	}
	*ms = (uint64_t)(s * 1000);
	return true;
}

static bool
take_option(struct job *j, int opt, char **argv)
{
	uint64_t n;

	switch (opt) {
	case 'n':
		return take_number(optarg, 1, 128, &j->number);
	case AT:
		j->how.at = optarg;
		return true;
	case TIMEOUT:
		return take_seconds(optarg, &j->how.timeout);
	case REPEAT:
		return take_number(optarg, 1, 1000000, &j->repeat);
	case MAX:
		if (!take_number(optarg, 1, UINT64_C(1) << 30, &n))
			return false;
		j->how.output_max = (size_t)n;
		return true;
	case JSON:
		j->json = true;
		return true;
	default:
		cli_bad_option(&cli_call, opt, argv);
		return false;
	}
}

/* Commands are separated by ":::", which becomes their ends. */
static size_t
split(char **word, char ***command)
{
	size_t n = 0;

	command[n++] = word;
	for (; *word; word++)
		if (!strcmp(*word, ":::")) {
			*word = NULL;
			command[n++] = word + 1;
		}
	return n;
}

/* In turn, so many times. */
static bool
make_calls(struct job *j, char **word, size_t words)
{
	char ***command = calloc(words + 1, sizeof(*command));
	size_t n = command ? split(word, command) : 0;

	j->n = n * j->number;
	j->call = calloc(j->n + 1, sizeof(*j->call));
	for (size_t i = 0; j->call && i < j->n; i++)
		j->call[i].argv = command[i % n];
	for (size_t i = 0; i < n; i++)
		if (!command[i][0])
			j->n = 0;
	free(command);
	return j->call && j->n;
}

static bool
is_success(const struct seam_outcome *o)
{
	return !o->timed_out && WIFEXITED(o->status) && !WEXITSTATUS(o->status);
}

/* One round; its outcomes become the summary's. */
static int
round_of(struct job *j, uint64_t round)
{
	struct seam_outcome *o = calloc(j->n, sizeof(*o));
	enum seam_code code =
	    o ? seam_calls(j->call, j->n, &j->how, o) : SEAM_E_UNSUPPORTED;
	int status = SEAM_EXIT_OK;

	if (code) {
		cli_warn("%s", seam_message());
		free(o);
		return code == SEAM_E_SYNTAX || code == SEAM_E_UNKNOWN_OP ?
			   SEAM_EXIT_USAGE :
			   SEAM_EXIT_CONTROL;
	}
	for (size_t i = 0; i < j->n; i++) {
		if (!is_success(&o[i]))
			status = SEAM_EXIT_FAILED;
		if (!cli_outcomes_add(&j->all, &o[i], (size_t)round, i))
			status = SEAM_EXIT_CONTROL;
	}
	free(o);
	return status;
}

static int
carry_out(struct job *j)
{
	int status = SEAM_EXIT_OK;

	for (uint64_t i = 0; i < j->repeat && status < SEAM_EXIT_USAGE; i++) {
		int r = round_of(j, i);

		status = r > status ? r : status;
	}
	if (status < SEAM_EXIT_USAGE && j->json)
		cli_outcomes_json(&j->all, stdout);
	else if (status < SEAM_EXIT_USAGE)
		cli_outcomes_print(&j->all, j->repeat == 1, stdout);
	cli_outcomes_free(&j->all);
	return status;
}

static int
run(int argc, char **argv)
{
	struct job j = { .number = 1, .repeat = 1 };
	int opt, status;

	while ((opt = getopt_long(argc, argv, "+:n:", options, NULL)) != -1)
		if (!take_option(&j, opt, argv))
			return SEAM_EXIT_USAGE;
	if (optind == argc)
		return cli_usage(&cli_call, "which command?");
	if (make_calls(&j, argv + optind, (size_t)(argc - optind)))
		status = carry_out(&j);
	else
		status = cli_usage(&cli_call, "a command is empty");
	free(j.call);
	return status;
}
