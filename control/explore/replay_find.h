/* SPDX-License-Identifier: MIT */
/* Keeping what a campaign found as a replay file. */
#ifndef SEAM_EXPLORE_REPLAY_FIND_H
#define SEAM_EXPLORE_REPLAY_FIND_H

#include "explore/campaign.h"
#include "explore/replay_file.h"

/* NULL: no memory. */
struct replay_file *replay_of_find(const struct campaign_config *config,
				   const struct campaign_find *find);
/*
 * The file is there from the beginning: programs that list their directory,
 * as Python does with the one of its script, find the same in the runs and
 * when one of them is replayed.  True: it was not there before.
 */
bool replay_reserve(const char *path);
/* Removes it if nothing has been written. */
void replay_unreserve(const char *path);
/* What has been built anew since, "libseam.so" or the program; NULL: neither.
 * preload NULL: SEAM_PRELOAD, or the installed one. */
const char *replay_built_anew(const struct replay_file *f, const char *program,
			      const char *preload);

#endif
