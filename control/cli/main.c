/* SPDX-License-Identifier: MIT */
/* `seam`: finds the subcommand, and hands over. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

const struct cli_command *const cli_commands[] = {
	&cli_run,    &cli_serve, &cli_ctl,     &cli_trace,  &cli_test,
	&cli_hold,   &cli_call,	 &cli_explore, &cli_replay, &cli_minimise,
	&cli_verify, &cli_help,	 NULL,
};

static int
unknown(const char *name)
{
	struct seam_near near = { .word = name };

	for (size_t i = 0; cli_commands[i]; i++)
		seam_near_try(&near, cli_commands[i]->name);
	fprintf(stderr, "seam: unknown command '%s'%s%s%s\n", seam_show(name).s,
		near.best ? "; did you mean '" : "", near.best ? near.best : "",
		near.best ? "'?" : "");
	fputs("`seam help` lists the commands.\n", stderr);
	return SEAM_EXIT_USAGE;
}

static void
ignore(int sig)
{
	(void)sig;
}

/* Writing to a closed pipe fails, and that is all.  By a handler: unlike
 * SIG_IGN it is not inherited by what we start.  Who ignored the signal
 * before us meant our children, too. */
static void
disarm_sigpipe(void)
{
	struct sigaction old,
	    sa = { .sa_handler = ignore, .sa_flags = SA_RESTART };

	sigemptyset(&sa.sa_mask);
	if (!sigaction(SIGPIPE, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGPIPE, &sa, NULL);
}

int
main(int argc, char **argv)
{
	static char *const help[] = { "help", NULL };
	const struct cli_command *c;

	disarm_sigpipe();
	if (argc < 2) {
		cli_help.run(1, (char **)help);
		return SEAM_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("seam " SEAM_VERSION);
		return SEAM_EXIT_OK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return cli_help.run(argc - 1, argv + 1);
	c = cli_find(argv[1]);
	return c ? c->run(argc - 1, argv + 1) : unknown(argv[1]);
}
