/* SPDX-License-Identifier: MIT */
#include "explore/strategies.h"

#include <string.h>

#include "explore/systematic.h"

const struct explore_strategy *const explore_strategies[] = {
	&explore_auto,
	&explore_dpor,
	&explore_dpor_source,
	&explore_exhaustive,
	&explore_preempt,
	&explore_random,
	&explore_pct,
	&explore_pos,
	&explore_surw,
	&explore_delay,
	NULL,
};

const struct explore_strategy *
explore_strategy_find(const char *name, struct seam_error *err)
{
	struct seam_near near = { .word = name };
	const struct explore_strategy *const *row;

	for (row = explore_strategies; *row; row++) {
		if (strcmp((*row)->name, name) == 0)
			return *row;
		seam_near_try(&near, (*row)->name);
	}
	sess_fail(err, SEAM_E_SYNTAX, 0, "unknown strategy '%s'%s%s%s",
		  seam_show(name).s, near.best ? "; did you mean '" : "",
		  near.best ? near.best : "", near.best ? "'?" : "");
	return NULL;
}

unsigned
explore_strategy_number(const struct explore_strategy *strategy)
{
	unsigned i = 0;

	while (explore_strategies[i] && explore_strategies[i] != strategy)
		i++;
	return i;
}
