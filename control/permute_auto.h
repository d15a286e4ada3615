/* SPDX-License-Identifier: MIT */
/*
 * Which orders are needed.  Two orders that differ only in neighbours that
 * commute come to the same (Mazurkiewicz, 1977).  So an order is run unless
 * it is such another form of one that was run, which what that one's steps
 * touched tells; what is run is one order of each class.
 */
#ifndef SEAM_PERMUTE_AUTO_H
#define SEAM_PERMUTE_AUTO_H

#include "permute_eyes.h"

#define PERMUTE_STEPS 64

/* One that was run, as far as it went. */
struct permute_trial {
	struct permute_interval interval[PERMUTE_STEPS];
	size_t n;
	bool abandoned; /* it cannot be had, others of its beginning can */
};
void permute_trial_clear(struct permute_trial *t);

struct permute_auto;
struct permute_auto *permute_auto_new(const struct permute *p);
void permute_auto_learn(struct permute_auto *a, const struct permute_trial *t);
/* Could that order come to something new? */
bool permute_auto_wants(struct permute_auto *a, const size_t *order);
void permute_auto_free(struct permute_auto *a);

#endif
