/* SPDX-License-Identifier: MIT */
#ifndef SEAM_DEPEND_H
#define SEAM_DEPEND_H

#include "schedule.h"

/* Two operations commute unless they are of one thread or of one object. */
static inline bool
seam_dependent(const struct seam_op *a, uint16_t slot_a,
	       const struct seam_op *b, uint16_t slot_b)
{
	if (slot_a == slot_b)
		return true;
	if ((a->flags | b->flags) & SEAM_OP_LOCAL)
		return false;
	return (a->object &&
		(a->object == b->object || a->object == b->second)) ||
	       (a->second &&
		(a->second == b->object || a->second == b->second));
}

#endif
