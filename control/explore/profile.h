/* SPDX-License-Identifier: MIT */
/*
 * How many events threads have on objects, over the runs: what SURW weighs
 * threads by.  Threads and objects are known by their keys.
 */
#ifndef SEAM_EXPLORE_PROFILE_H
#define SEAM_EXPLORE_PROFILE_H

#include <jansson.h>

#include "explore/trace.h"

struct explore_profile;
struct explore_profile *explore_profile_new(void);
void explore_profile_free(struct explore_profile *p);
void explore_profile_learn(struct explore_profile *p,
			   const struct explore_trace *t);
/* Objects that two or more threads have touched, in the order met. */
size_t explore_profile_shared(const struct explore_profile *p);
uint64_t explore_profile_object(const struct explore_profile *p, size_t i);
/* Fills plan->count with the usual number of events on the object of the key
 * `interest` (0: of all), by each thread and its descendants. */
void explore_profile_fill(const struct explore_profile *p, uint64_t interest,
			  struct seam_plan *plan);
/* To go on from it another time; false: that is none. */
json_t *explore_profile_save(const struct explore_profile *p);
bool explore_profile_load(struct explore_profile *p, const json_t *from);

#endif
