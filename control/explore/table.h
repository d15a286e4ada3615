/* SPDX-License-Identifier: MIT */
/* The events of a run as a person reads them. */
#ifndef SEAM_EXPLORE_TABLE_H
#define SEAM_EXPLORE_TABLE_H

#include <stdio.h>

#include "explore/critical.h"
#include "explore/labels.h"

struct table_style {
	unsigned width; /* columns of the terminal; 0: 100 */
	bool rich;	/* bold, lines between columns */
	unsigned rows;	/* longer runs are folded; 0: 40 */
	/* These two events are marked, and what they and the preemptions do
	 * not need is folded; NULL: all is shown alike. */
	const struct critical *pair;
};
/* By what f is: a terminal, how wide; COLUMNS, NO_COLOR. */
struct table_style table_style_of(FILE *f);

/* Was the step's thread put in the place of one that could have gone on, and
 * had not given way? */
bool explore_is_preemption(const struct explore_trace *t, uint32_t step);
uint32_t explore_preemptions(const struct explore_trace *t);
/* A column a thread where they fit, else a line a step. */
void explore_table(FILE *f, const struct explore_trace *t,
		   const struct explore_labels *l,
		   const struct table_style *style);

#endif
