/* SPDX-License-Identifier: MIT */
/* What the minimiser's files share. */
#ifndef SEAM_EXPLORE_MINIMISE_INT_H
#define SEAM_EXPLORE_MINIMISE_INT_H

#include "explore/minimise.h"

struct minimise_work {
	const struct minimise_config *config;
	struct minimised *out;
	struct rerun again;
	struct seam_plan plan; /* without what is forced */
	uint64_t signature;    /* of the failure */
	/* The least that fails: its switches, its run. */
	struct explore_switches least;
	struct runner_result kept;
	struct explore_set *tried;
	struct minimise_state state;
	uint64_t max, end; /* replays; ns */
	enum seam_code code;
	struct seam_error *err;
	bool late;    /* no more replays, or time */
	bool stopped; /* by the caller */
};

/* Always false. */
bool minimise_no_memory(struct minimise_work *w);
bool minimise_may_go_on(const struct minimise_work *w);
/* Runs with those switches; false: it could not, or is to stop. */
bool minimise_run(struct minimise_work *w, const struct explore_switches *s,
		  const bool *keep);
/* Has the latest run failed, and in the same way? */
bool minimise_fails(struct minimise_work *w);
/* The latest run is the one to keep. */
void minimise_keep(struct minimise_work *w);

/* shrink.c */
/* Does it fail with those alone, and with less than so many preemptions?
 * Then they are the least. */
bool minimise_try(struct minimise_work *w, const struct explore_switches *s,
		  const bool *keep, uint32_t below);
void minimise_shrink(struct minimise_work *w);

#endif
