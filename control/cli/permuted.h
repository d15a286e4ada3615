/* SPDX-License-Identifier: MIT */
/* Scripts of sessions and steps as tests of `seam test`. */
#ifndef SEAM_CLI_PERMUTED_H
#define SEAM_CLI_PERMUTED_H

#include <stdio.h>

#include "vars.h"

struct cli_permuted {
	const char *path;
	const struct seam_vars *vars;
	FILE *f;     /* takes the message */
	bool update; /* writes what is expected */
	bool interrupted;
	struct permute *script;
	char *expected; /* path of the .out file, absolute */
};

/* NULL: the file is none such, or cannot be read. */
char *cli_permuted_text(const char *path);
/* Reads it; 0 or an exit status. */
int cli_permuted_read(struct cli_permuted *p, const char *text);
/* Carries it out in the working directory, and compares; 0 or an exit
 * status. */
int cli_permuted_run(struct cli_permuted *p);
void cli_permuted_free(struct cli_permuted *p);

#endif
