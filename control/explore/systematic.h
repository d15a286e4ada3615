/* SPDX-License-Identifier: MIT */
/* Searches that know what they have not seen yet. */
#ifndef SEAM_EXPLORE_SYSTEMATIC_H
#define SEAM_EXPLORE_SYSTEMATIC_H

#include "explore/search.h"

extern const struct explore_strategy explore_auto, explore_dpor,
    explore_dpor_source, explore_exhaustive, explore_preempt;

#endif
