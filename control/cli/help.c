/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli.h"

static int run(int argc, char **argv);

const struct cli_command cli_help = {
	"help", "seam help [COMMAND|commands|operations]",
	"explain a subcommand, a command of scripts, or the operations",
	"`seam help commands` is what scripts and sockets take;\n"
	"`seam help operations` is what selectors may name.\n",
	run
};

static void
overview(void)
{
	puts("seam holds locks and pauses threads at chosen acquisitions, in\n"
	     "unmodified programs.\n");
	for (size_t i = 0; cli_commands[i]; i++)
		printf("%s\n        %s\n", cli_commands[i]->usage,
		       cli_commands[i]->meaning);
	puts("seam --version\n\n"
	     "`seam help COMMAND` says more; the manual is seam(1), and\n"
	     "seam-script(5) for commands, selectors and objects.");
}

static bool
explain(const char *name)
{
	const struct cli_command *c = cli_find(name);

	if (c) {
		printf("usage: %s\n        %s\n%s", c->usage, c->meaning,
		       c->options ? c->options : "");
		return true;
	}
	if (!strcmp(name, "commands"))
		return seam_help_commands(stdout, NULL);
	if (strcmp(name, "operations"))
		return seam_help_commands(stdout, name);
	seam_help_operations(stdout);
	return true;
}

static int
run(int argc, char **argv)
{
	if (argc < 2) {
		overview();
		return SEAM_EXIT_OK;
	}
	if (argc > 2)
		return cli_usage(&cli_help, "one name at a time");
	if (explain(argv[1]))
		return SEAM_EXIT_OK;
	return cli_usage(&cli_help, "nothing is called '%s'",
			 seam_show(argv[1]).s);
}
