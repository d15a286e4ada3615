/* SPDX-License-Identifier: MIT */
#include "strategy.h"

#include <string.h>

const struct seam_strategy *
seam_strategy_of(uint32_t id)
{
	static const struct seam_strategy *const all[SEAM_STRATEGIES] = {
		[SEAM_STRATEGY_FOLLOW] = &seam_strategy_follow,
		[SEAM_STRATEGY_RANDOM] = &seam_strategy_random,
		[SEAM_STRATEGY_PCT] = &seam_strategy_pct,
		[SEAM_STRATEGY_POS] = &seam_strategy_pos,
		[SEAM_STRATEGY_SURW] = &seam_strategy_surw,
		[SEAM_STRATEGY_DELAY] = &seam_strategy_delay,
		[SEAM_STRATEGY_DIRECT] = &seam_strategy_direct,
	};

	if (id >= SEAM_STRATEGIES || !all[id])
		return &seam_strategy_follow;
	return all[id];
}

void
seam_strategy_begin(struct seam_sched *s)
{
	const struct seam_strategy *strategy =
	    seam_strategy_of(s->plan.strategy);
	uint16_t i, n = (uint16_t)s->slots;

	memset(s->own, 0, sizeof(s->own));
	memset(s->change, 0, sizeof(s->change));
	for (i = 0; i < n; i++)
		s->slot[i].priority = s->slot[i].count = s->slot[i].aux = 0;
	if (strategy->begin)
		strategy->begin(s);
	for (i = 0; i < n && strategy->arrived; i++)
		strategy->arrived(s, i);
}
