/* SPDX-License-Identifier: MIT */
/*
 * A run, as it was: copied out of the arena and checked, so that whoever
 * reads it needs to distrust nothing.  Slots, objects and steps are numbered
 * as in the run.
 */
#ifndef SEAM_EXPLORE_TRACE_H
#define SEAM_EXPLORE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ops.h"
#include "schedule.h"

struct explore_thread {
	uint64_t key;	  /* of its path */
	char path[64];	  /* P1.T0.2 */
	char name[16];	  /* pthread name, "" */
	uint16_t parent;  /* slot + 1 */
	uint16_t process; /* numbered from 0 in the order met */
	uint8_t state;	  /* enum seam_slot_state at the end of the run */
	uint32_t steps;
	/* At the end: what it stood at, if PENDING; `enabled`: it could go
	 * on (the run was ended by something else). */
	struct seam_op pending;
	uint64_t site;
	bool enabled;
	bool queued; /* in its condition's queue: nobody has signalled it */
};

struct explore_object {
	uint64_t key; /* the same in every run */
	uint8_t kind;
	uint16_t owner; /* slot + 1 at the end */
	uint16_t depth;
	uint16_t waiters;
	bool dead;
	uint32_t acquired;
};

struct explore_trace {
	uint32_t nsteps, nthreads, nobjects;
	struct seam_step *step; /* slot < nthreads, objects <= nobjects */
	struct explore_thread *thread;
	struct explore_object *object; /* by index, without the + 1 */
	uint32_t decisions, switches, preemptions;
	uint32_t verdict, misuse; /* enum seam_verdict, enum seam_misuse */
	uint32_t at;		  /* the verdict's step */
	uint16_t who;		  /* the verdict's slot + 1; 0: nobody */
	char what[256];
	uint64_t hash; /* rolling, of all events: equal runs have equal ones */
	uint64_t now;  /* virtual ns that the run took */
	uint64_t entropy; /* seed of the program's random numbers */
	int status;	  /* waitpid's, of the first process */
	bool timed_out;	  /* killed after --timeout of real time */
	uint32_t forced;  /* how many choices of the plan were forced */
	/* Capacities of the arrays: kept when a trace is filled in again. */
	uint32_t room_steps, room_threads, room_objects;
};

/* Frees what it points to, not itself. */
void explore_trace_clear(struct explore_trace *t);
/* Copies the run that the arena has; false: it is damaged, *why says where
 * (static text), or there is no memory. */
struct seam_arena;
bool explore_trace_copy(struct seam_arena *a, struct explore_trace *t,
			const char **why);

/*
 * The class of a run: a hash of its happens-before order, equal for two runs
 * that differ in the order of independent steps only (Mazurkiewicz traces).
 * classes.c.
 */
uint64_t explore_class(const struct explore_trace *t);

/* A set of 64-bit hashes. */
struct explore_set;
struct explore_set *explore_set_new(void);
/* Returns how often it had been added before; counts up. */
uint32_t explore_set_add(struct explore_set *s, uint64_t hash);
uint32_t explore_set_add_times(struct explore_set *s, uint64_t hash,
			       uint32_t times);
/* Is there room for one more?  false: no memory. */
bool explore_set_reserve(struct explore_set *s);
/* How often it was added. */
uint32_t explore_set_count(const struct explore_set *s, uint64_t hash);
typedef void explore_set_each_fn(void *arg, uint64_t hash, uint32_t times);
void explore_set_each(const struct explore_set *s, explore_set_each_fn *each,
		      void *arg);
size_t explore_set_size(const struct explore_set *s);
/* How many have been added exactly `n` times (n up to 2): Good-Turing. */
size_t explore_set_times(const struct explore_set *s, unsigned n);
void explore_set_free(struct explore_set *s);

/*
 * Do two operations commute, enable or disable each other?  The relation that
 * classes and DPOR are over.  depend.c; the preload has it too (sleep sets),
 * from include/depend.h.
 */

#endif
