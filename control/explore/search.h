/* SPDX-License-Identifier: MIT */
/*
 * Who decides which run comes next.
 *
 * A search hands out plans and learns from the traces of their runs.  With
 * several replicas some plans are out at a time; a search that needs an
 * answer first says so.  Searches know nothing of processes and sessions:
 * they are tested over models.
 */
#ifndef SEAM_EXPLORE_SEARCH_H
#define SEAM_EXPLORE_SEARCH_H

#include <jansson.h>

#include "explore/trace.h"
#include "selector.h"

struct explore_params {
	uint64_t seed;	   /* of everything random */
	uint64_t budget;   /* runs at most; 0: no limit */
	unsigned depth;	   /* pct: d; 0: rotate 1 to 5 */
	unsigned bound;	   /* preempt: c, delay: D; 0: from 0 upward */
	unsigned base;	   /* delay: which base order, + 1; 0: several */
	const char *inner; /* `auto` without some: comma-separated; NULL */
	/* Of the runs that are drawn each `shards`-th, beginning with that of
	 * the number `shard`; shards 0: all. */
	unsigned shard, shards;
};

enum explore_next {
	EXPLORE_PLAN, /* here it is */
	EXPLORE_WAIT, /* none before a run that is out has been learnt */
	EXPLORE_DONE, /* no more: everything the search can see was seen */
};

/* What a search says of itself: for the progress line and the verdict. */
struct explore_said {
	char state[96];	    /* "pct d=3, k=120", "dpor, 14 of about 70" */
	bool exhaustive;    /* at EXPLORE_DONE: every class was run */
	uint64_t redundant; /* runs that were cut off */
	double estimate; /* of the number of runs it needs in all; 0: unknown */
};

struct explore_search;
struct explore_strategy {
	const char *name, *summary; /* "pct", "random priorities ..." */
	bool drawn;		    /* its runs are, all in the same way */
	struct explore_search *(*open)(const struct explore_params *p);
	/* Fills in what is the strategy's in plan (strategy, flags, seed,
	 * sleep sets, points, counts ...) and `forced` (room for SEAM_STEPS)
	 * with plan->forced; a ticket names the run. */
	enum explore_next (*next)(struct explore_search *s,
				  struct seam_plan *plan,
				  struct seam_forced *forced, uint64_t *ticket);
	void (*learn)(struct explore_search *s, uint64_t ticket,
		      const struct explore_trace *t);
	void (*say)(const struct explore_search *s, struct explore_said *said);
	void (*close)(struct explore_search *s);
	/* Whose the run is that has been handed out; NULL: its own. */
	const struct explore_strategy *(*whose)(const struct explore_search *s,
						uint64_t ticket);
	/* While no run is out: what another search needs in order to go on
	 * from there.  NULL, both: it cannot. */
	json_t *(*save)(const struct explore_search *s);
	/* Of one just opened; false: that is no such state, or no memory. */
	bool (*load)(struct explore_search *s, const json_t *state);
};

/* Every search begins with its row. */
struct explore_search {
	const struct explore_strategy *strategy;
};

/* All, ended by NULL; `auto` first. */
extern const struct explore_strategy *const explore_strategies[];
/* NULL: *err says so, and which one may have been meant; err may be NULL. */
const struct explore_strategy *explore_strategy_find(const char *name,
						     struct seam_error *err);
/* Its number in that list. */
unsigned explore_strategy_number(const struct explore_strategy *strategy);

#endif
