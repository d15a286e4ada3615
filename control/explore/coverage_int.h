/* SPDX-License-Identifier: MIT */
/* What coverage.c keeps, and coverage_run.c looks for. */
#ifndef SEAM_EXPLORE_COVERAGE_INT_H
#define SEAM_EXPLORE_COVERAGE_INT_H

#include "explore/coverage.h"

/* A verb at a place, by its text; the same one for all with that text. */
struct covered_op {
	uint64_t hash;
	char text[];
};

struct covered_object {
	uint64_t key;
	bool paired;
	char name[];
};

/* NULL: it has no name yet. */
const struct covered_op *coverage_op(const struct explore_coverage *c,
				     const struct explore_trace *t,
				     uint32_t step);
struct covered_object *coverage_object(const struct explore_coverage *c,
				       uint64_t key);
/* The pair is there from then on; `times` a was seen before b. */
void coverage_count(struct explore_coverage *c, struct covered_object *object,
		    const struct covered_op *a, const struct covered_op *b,
		    uint64_t times);
/* The first time that it is asked for this one. */
bool coverage_is_news(struct explore_coverage *c, uint64_t hash);
/* What one touches, by its number in the run; 0: points and transfers. */
uint64_t coverage_key(const struct explore_trace *t, uint32_t object);

#endif
