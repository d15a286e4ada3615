/* SPDX-License-Identifier: MIT */
/* How much of a program's behaviour has not been seen. */
#ifndef SEAM_EXPLORE_ESTIMATE_H
#define SEAM_EXPLORE_ESTIMATE_H

#include "explore/search.h"

/* Between low and high in 95 of 100 cases. */
struct explore_chance {
	double value, low, high;
};

/*
 * The chance that a sampler's next run is of a class that nobody has met:
 * `once` of the classes were met by one of its `runs` and by nobody else's,
 * `twice` by two of them and by nobody else's.
 */
struct explore_chance explore_unseen(uint64_t runs, uint64_t once,
				     uint64_t twice);
/* Of a run by one of n samplers that take turns. */
struct explore_chance explore_unseen_by_turns(const struct explore_chance *of,
					      size_t n);
/* How many classes a sampler can meet, at the least: it has met so many, so
 * many of them once and twice. */
double explore_at_least(uint64_t runs, uint64_t classes, uint64_t once,
			uint64_t twice);

/*
 * What PCT promises.  A run with d - 1 change points among k choices of n
 * threads meets a bug of depth d with a chance of at least 1 / (n k^(d-1))
 * (Burckhardt et al., ASPLOS 2010); and so, a bug of less depth.
 */
#define PCT_DEPTHS 8
#define PCT_LENGTHS 64

struct explore_pct {
	uint32_t threads, choices; /* n and k: the most of a run */
	size_t n;
	struct pct_length {
		uint32_t length; /* the k that its runs went by */
		uint64_t runs[PCT_DEPTHS];
	} by[PCT_LENGTHS];
};

void explore_pct_add(struct explore_pct *p, uint32_t depth, uint32_t length,
		     uint64_t runs);
/* Of any run: it has shown so many threads and choices. */
void explore_pct_measure(struct explore_pct *p, uint32_t threads,
			 uint32_t choices);
/* The runs that count for that depth: k was not more than they went by. */
uint64_t explore_pct_runs(const struct explore_pct *p, uint32_t depth);
/* The chance that one of them all has met any given bug of the depth. */
double explore_pct_bound(const struct explore_pct *p, uint32_t depth);

/* Which classes have been met, how often and by whom: strategies by their
 * number in explore_strategies.  estimate_tally.c. */
#define TALLY_STRATEGIES 16

struct explore_tally;
struct explore_tally *explore_tally_new(void);
void explore_tally_free(struct explore_tally *t);
/* false: no memory; it is not counted then. */
bool explore_tally_add(struct explore_tally *t, unsigned by, uint64_t class,
		       uint32_t times);
size_t explore_tally_classes(const struct explore_tally *t);

struct explore_counts {
	uint64_t runs;
	size_t classes, once, twice;  /* its own runs alone looked at */
	size_t only_once, only_twice; /* and nobody else has met them */
};
struct explore_counts explore_tally_of(const struct explore_tally *t,
				       unsigned by);
typedef void explore_tally_each_fn(void *arg, unsigned by, uint64_t class,
				   uint32_t times);
void explore_tally_each(const struct explore_tally *t,
			explore_tally_each_fn *each, void *arg);

#endif
