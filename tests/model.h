/* SPDX-License-Identifier: MIT */
/*
 * Small programs in memory, run by a strategy of the preload as the scheduler
 * would: over a struct seam_sched, step by step.
 */
#ifndef SEAM_TESTS_MODEL_H
#define SEAM_TESTS_MODEL_H

#include "../preload/strategy/strategy.h"
#include "explore/trace.h"

#define MODEL_OPS 32
#define MODEL_OBJECTS 64

struct model_op {
	uint8_t verb;
	uint16_t object, second; /* index + 1 */
	uint16_t peer;		 /* thread + 1 */
};

struct model_program {
	unsigned threads;
	struct model_thread {
		unsigned n;
		bool created; /* by another */
		struct model_op op[MODEL_OPS];
	} thread[SEAM_SLOTS];
};

/* Made and freed once a suite: it is large, and mostly untouched. */
struct model {
	struct seam_sched *sched;
	struct seam_candidates among;
	unsigned pc[SEAM_SLOTS];	   /* of a thread, by number */
	uint16_t thread_of[SEAM_SLOTS];	   /* by slot */
	uint16_t slot_of[SEAM_SLOTS];	   /* slot + 1, by thread */
	uint16_t owner[MODEL_OBJECTS + 1]; /* slot + 1 */
	unsigned value[MODEL_OBJECTS + 1]; /* of semaphores */
	unsigned live;			   /* slots not gone */
	const char *wrong;		   /* what a strategy did; NULL */
};

struct model *model_new(void);
void model_free(struct model *m);

/* Appends; `object` and `second` are numbered from 1. */
void model_add(struct model_program *p, unsigned thread, unsigned verb,
	       unsigned object, unsigned second);
/* thread.create, thread.join of a thread by its number. */
void model_peer(struct model_program *p, unsigned thread, unsigned verb,
		unsigned peer);

/* Runs under m->sched->plan; false: a deadlock.  The steps lie in sched. */
bool model_run(struct model *m, const struct model_program *p);
/* The run as the controller gets it; points into the model. */
void model_trace(const struct model *m, struct explore_trace *t);
/* As it has them in plan.count and plan.interest. */
uint64_t model_key(unsigned thread);
uint64_t model_object_key(unsigned object);
/* Which thread, by number, made a step. */
unsigned model_who(const struct model *m, uint32_t step);

#endif
