/* SPDX-License-Identifier: MIT */
/*
 * Which operations have come one after the other, and in which order.
 *
 * Two operations on an object, by different threads, whose order is open are
 * a pair: they depend on each other, neither lets the other go on (an unlock
 * and the lock that waits for it have no order to choose), and creation and
 * joining of their threads does not order them.  An order of a pair has been
 * seen if the one was the last before the other that it might have come after
 * as well: who had the lock before, not who had it at any time.  So it is
 * Bron, Farchi, Magid, Nir & Ur's synchronisation coverage (PPoPP 2005), with
 * the definition of what is covered that Yu, Narayanasamy, Pereira & Pokam
 * have for their first idiom (Maple, OOPSLA 2012).
 *
 * An operation is one at a place in the program, whichever thread makes it.
 * What other synchronisation rules out is not known, so an order that is never
 * seen may be impossible.
 */
#ifndef SEAM_EXPLORE_COVERAGE_H
#define SEAM_EXPLORE_COVERAGE_H

#include "explore/trace.h"

struct explore_labels;
struct explore_coverage;
struct explore_coverage *explore_coverage_new(void);
void explore_coverage_free(struct explore_coverage *c);
/* Takes a run; false: something in it has no name yet, and nothing of it was
 * taken. */
bool explore_coverage_add(struct explore_coverage *c,
			  const struct explore_trace *t);
void explore_coverage_name(struct explore_coverage *c,
			   const struct explore_trace *t,
			   const struct explore_labels *l);

struct explore_covered {
	size_t objects; /* that have pairs */
	size_t orders, seen;
	bool full; /* there were more, for which there was no room */
};
struct explore_covered explore_coverage_sum(const struct explore_coverage *c);

/* A pair: `first` and `second` differ or not; if not, one order is all. */
struct explore_pair {
	const char *object, *first, *second; /* "mutex.lock work pairs.c:14" */
	uint64_t key;			     /* the object's */
	uint64_t forth, back; /* times seen: first before second, and not */
	bool same;
};
/* All, by object and names; *n of them, to be freed; NULL: no memory. */
struct explore_pair *explore_coverage_pairs(const struct explore_coverage *c,
					    size_t *n);
/* What was known of one.  false: no memory. */
bool explore_coverage_put(struct explore_coverage *c,
			  const struct explore_pair *pair);

#endif
