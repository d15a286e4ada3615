/* SPDX-License-Identifier: MIT */
/*
 * One replica at its caller's command: a plan in, a judged run out.  What
 * replaying, shrinking and directed attempts are made of.
 */
#ifndef SEAM_EXPLORE_RERUN_H
#define SEAM_EXPLORE_RERUN_H

#include "explore/oracle.h"
#include "explore/replay_file.h"
#include "explore/runner.h"

struct rerun {
	struct runner_config config;
	struct oracle oracle;
	struct seam_plan plan;	    /* the next run's: the caller's to set */
	struct seam_forced *forced; /* room for SEAM_STEPS; likewise */
	uint64_t runs;		    /* so far */
	/* The latest run's; names may be taken while there is no next. */
	struct runner_result result;
	enum explore_fault fault;
	struct runner *runner;
};

/* Command, conditions and oracle of that file, which has to outlive it; argv
 * in the place of its command, NULL: that.  Starts nothing. */
void rerun_of_file(struct rerun *r, const struct replay_file *f,
		   char *const *argv);
/* config is set.  The calling thread gives itself to a core. */
enum seam_code rerun_open(struct rerun *r, struct seam_error *err);
/* Runs under plan and forced. */
enum seam_code rerun_run(struct rerun *r, struct seam_error *err);
/* Of the latest run; NULL: no memory. */
struct explore_labels *rerun_labels(struct rerun *r);
void rerun_close(struct rerun *r);

#endif
