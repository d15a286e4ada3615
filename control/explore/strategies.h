/* SPDX-License-Identifier: MIT */
#ifndef SEAM_EXPLORE_STRATEGIES_H
#define SEAM_EXPLORE_STRATEGIES_H

#include "explore/search.h"

extern const struct explore_strategy explore_random, explore_pct, explore_pos,
    explore_surw, explore_delay;

#endif
