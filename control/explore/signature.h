/* SPDX-License-Identifier: MIT */
/* Whether two failures are the same one. */
#ifndef SEAM_EXPLORE_SIGNATURE_H
#define SEAM_EXPLORE_SIGNATURE_H

#include "explore/rerun.h"

/* Of the latest run, which has failed: by which oracle, and at what place:
 * the objects that a deadlock is over, where a thread crashed, which exit
 * status.  Who did it does not matter. */
uint64_t failure_signature(struct rerun *r);

#endif
