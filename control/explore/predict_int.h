/* SPDX-License-Identifier: MIT */
#ifndef SEAM_EXPLORE_PREDICT_INT_H
#define SEAM_EXPLORE_PREDICT_INT_H

#include "explore/held.h"
#include "explore/predict.h"

#define PREDICT_MOST 256
#define PREDICT_RUNS 512       /* directed ones, in all */
#define PREDICT_FOLLOWED 20000 /* steps at most */
#define PREDICT_AHEAD 16       /* more than there were others */

struct predict {
	struct lockorder *order;
	struct explore_set *seen; /* conditions and the places of waits */
	struct prediction *q;
	size_t n;
	uint64_t seed, runs;
	uint64_t learnt;	       /* runs that were not directed */
	size_t next;		       /* whose turn it is */
	const struct predict_run *run; /* while it is learnt from */
};

/* NULL: there is no room. */
struct prediction *predict_add(struct predict *p, enum prediction_kind kind,
			       uint64_t hash);

/* Steps 0 to n - 1, with room for `more`; false: no memory. */
bool predict_follow(struct prediction *q, const struct predict_run *run,
		    uint32_t n, uint32_t more);

/* predict_waits.c */
void predict_learn_waits(struct predict *p, const struct predict_run *run);
/* A directed run of a WAIT is over. */
void predict_judge_wait(struct prediction *q, const struct explore_trace *t,
			enum explore_fault fault);
/* The waiter of a SIGNAL has been left waiting. */
bool predict_lost_wakeup(const struct prediction *q,
			 const struct explore_trace *t);

#endif
