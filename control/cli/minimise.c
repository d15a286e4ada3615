#include <stdio.h>
#include "cli.h"
#include "explore/minimise.h"
static int
run(int argc, char **argv)
{
	(void)argc; struct minimised m; struct seam_error err; struct replay_file *f;
	struct minimise_config c = {0};
	if (replay_read(argv[1], &f, &err)) return 2;
	c.file = f;
	if (minimise(&c, &m, &err)) cli_warn("%s", err.text);
	return 0;
}
const struct cli_command cli_minimise = { "minimise", "seam minimise FILE", "x", "", run };
