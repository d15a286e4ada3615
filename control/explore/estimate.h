/* SPDX-License-Identifier: MIT */
#ifndef SEAM_EXPLORE_ESTIMATE_H
#define SEAM_EXPLORE_ESTIMATE_H

#include "explore/trace.h"

/*
 * The chance that the next run is of a class that none of `runs` has been of,
 * as long as all are drawn alike.  1 before the first.
 */
double explore_unseen(const struct explore_set *classes, uint64_t runs);

#endif
