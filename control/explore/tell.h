/* SPDX-License-Identifier: MIT */
/* What a person is told of a run that failed. */
#ifndef SEAM_EXPLORE_TELL_H
#define SEAM_EXPLORE_TELL_H

#include "explore/table.h"

/* What a program wrote, set in; of more than `max` bytes the end.  Nothing of
 * nothing. */
void explore_put_output(FILE *f, const char *output, size_t len, size_t max);

#endif
