/* SPDX-License-Identifier: MIT */
/*
 * The critical pair: two dependent events of different threads, with nothing
 * between them that both depend on, whose swap makes the run pass.  It is
 * found by swapping: each candidate is run.
 */
#ifndef SEAM_EXPLORE_CRITICAL_H
#define SEAM_EXPLORE_CRITICAL_H

#include "explore/labels.h"
#include "explore/switches.h"

/* Events as order.h has them: steps, and behind these, by slot, what threads
 * stand at in the end. */
struct critical {
	bool found;
	uint32_t first, second;
};

/* Runs with these switches; the run's trace if it passed, else NULL.  False
 * in *go_on: no further run. */
typedef const struct explore_trace *critical_passes(
    void *arg, const struct explore_switches *s, bool *go_on);
/* Of a run that failed: of the pairs that pass, the one that a person would
 * name first.  False: no memory. */
bool critical_find(const struct explore_trace *t, critical_passes *passes,
		   void *arg, struct critical *out);

/* What a replay file tells of the pair, events counted from 1, 0 for none; an
 * edited file may tell of events that this run does not have. */
struct critical critical_told(const struct explore_trace *t,
			      const uint32_t told[2]);

/* The event's. */
const struct seam_op *critical_op(const struct explore_trace *t,
				  uint32_t event);
uint16_t critical_slot(const struct explore_trace *t, uint32_t event);
const char *critical_site(const struct explore_trace *t,
			  const struct explore_labels *l, uint32_t event);
/* because.c: "debit locked savings (at debit a.c:7) before ...", a sentence;
 * malloc'd, NULL: no memory. */
char *critical_because(const struct explore_trace *t,
		       const struct explore_labels *l,
		       const struct critical *c);

#endif
