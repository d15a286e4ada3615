/* SPDX-License-Identifier: MIT */
/* What came of concurrent calls, told to people and to programs. */
#ifndef SEAM_CLI_CALLS_H
#define SEAM_CLI_CALLS_H

#include <stdio.h>

#include "seam.h"

struct cli_outcome {
	struct seam_outcome o;
	size_t round, index; /* from 0 */
	size_t like;	     /* the first outcome that is the same */
	size_t count;	     /* of a first one: how many are */
};

struct cli_outcomes {
	struct cli_outcome *v;
	size_t n, size;
};

/* Takes over its texts; repeated ones are freed.  False: out of memory. */
bool cli_outcomes_add(struct cli_outcomes *all, struct seam_outcome *o,
		      size_t round, size_t index);
/* each: every call, not only the distinct outcomes. */
void cli_outcomes_print(const struct cli_outcomes *all, bool each, FILE *f);
void cli_outcomes_json(const struct cli_outcomes *all, FILE *f);
void cli_outcomes_free(struct cli_outcomes *all);

#endif
