/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "holding.h"

static int run(int argc, char **argv);

const struct cli_command cli_hold = {
	"hold",
	"seam hold OBJECT [-S SOCK] [--timeout MS] [mode=rd|wr] "
	"[range=OFF+LEN] [proc=PROC] -- CMD [ARG...]\n"
	"       seam hold --holder COMMAND [--timeout MS] -- CMD [ARG...]",
	"run CMD while something is held",
	"  OBJECT                file:PATH or sem:/NAME, really locked; with\n"
	"                        -S whatever `hold` takes there\n"
	"  -S, --socket SOCK     hold it in the session that is served there\n"
	"  --holder COMMAND      a shell's command that has entered when it\n"
	"                        writes a line, and leaves at the end of its\n"
	"                        input\n"
	"  --timeout MS          wait that long for it; default: 5000. With\n"
	"                        --holder also for its end; default: 1000\n"
	"Exits with CMD's status (128 + signal), 3 if it could not be held, "
	"or\n"
	"the holder did not stay or end.\n",
	run
};

static const struct option options[] = {
	{ "socket", required_argument, NULL, 'S' },
	{ "holder", required_argument, NULL, 'h' },
	{ "timeout", required_argument, NULL, 't' },
	{ 0 },
};

static bool
take_option(struct cli_holding *h, int opt, char **argv)
{
	switch (opt) {
	case 'S':
		h->socket = optarg;
		return true;
	case 'h':
		h->command = optarg;
		return true;
	case 't':
		h->has_timeout = true;
		return cli_ms(optarg, &h->timeout);
	default:
		cli_bad_option(&cli_hold, opt, argv);
		return false;
	}
}

/* The words up to "--" are options wherever they stand, the object, and
 * key=value; returns where the command is, 0: refused. */
static int
take_words(struct cli_holding *h, int argc, char **argv)
{
	int opt, end = 1;

	while (end < argc && strcmp(argv[end], "--"))
		end++;
	while ((opt = getopt_long(end, argv, ":S:", options, NULL)) != -1)
		if (!take_option(h, opt, argv))
			return 0;
	h->word = argv + optind;
	h->words = (size_t)(end - optind);
	if (end + 1 >= argc)
		cli_usage(&cli_hold, "which command?");
	else if (!h->command && !h->words)
		cli_usage(&cli_hold, "hold what?");
	else if (h->command && (h->words || h->socket))
		cli_usage(&cli_hold, "a holder, or an object?");
	else
		return end + 1;
	return 0;
}

static int
run(int argc, char **argv)
{
	struct cli_holding h = { .fd = -1, .timeout = SEAM_WAIT_MS };
	int at = take_words(&h, argc, argv), status;

	if (!at)
		return SEAM_EXIT_USAGE;
	status = cli_holding_begin(&h);
	if (!status)
		status = cli_run_plainly(argv + at);
	if (!cli_holding_end(&h))
		status = SEAM_EXIT_CONTROL;
	return status;
}
