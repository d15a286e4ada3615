/* SPDX-License-Identifier: MIT */
/* `seam replay --as FORM`. */
#ifndef SEAM_CLI_REPLAY_AS_H
#define SEAM_CLI_REPLAY_AS_H

#include "explore/rerun.h"

/* True: there is such a form; else says so. */
bool cli_as_known(const char *form);
/* Writes the latest run, which was the file's, to `output` (NULL: standard
 * output) in that form.  Exit status. */
int cli_as(struct rerun *again, const struct replay_file *file,
	   struct explore_labels *labels, const char *form, const char *name,
	   const char *output);

#endif
