/* SPDX-License-Identifier: MIT */
#include "strategy.h"

const struct seam_strategy *
seam_strategy_of(uint32_t id)
{
	static const struct seam_strategy *const all[SEAM_STRATEGIES] = {
		[SEAM_STRATEGY_FOLLOW] = &seam_strategy_follow,
		[SEAM_STRATEGY_RANDOM] = &seam_strategy_random,
	};

	if (id >= SEAM_STRATEGIES || !all[id])
		return &seam_strategy_follow;
	return all[id];
}
