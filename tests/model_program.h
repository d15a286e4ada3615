/* SPDX-License-Identifier: MIT */
/*
 * Little programs with conditions, timeouts and variables, executed in memory
 * under a plan as the preload executes real ones: forced choices, FOLLOW,
 * sleep sets, marked points, verdicts.  For the systematic searches.
 */
#ifndef SEAM_TESTS_MODEL_PROGRAM_H
#define SEAM_TESTS_MODEL_PROGRAM_H

#include "explore/search.h"

#define PROGRAM_THREADS 70
#define PROGRAM_OPS 160
#define PROGRAM_OBJECTS 32
#define PROGRAM_VARS 8

enum program_kind {
	PROGRAM_DO,	 /* an operation that is seen */
	PROGRAM_ADD,	 /* a variable += value */
	PROGRAM_UNLESS,	 /* jumps by `skip` unless variable < value */
	PROGRAM_IF_LESS, /* jumps by `skip` if variable < value */
};

struct program_op {
	uint8_t kind, verb, flags;
	uint8_t object, second; /* from 1 */
	uint8_t peer;		/* thread + 1 */
	uint8_t var;
	int value;
	int skip; /* DO: when it failed, so many more ops are left out */
};

/* Thread 0 is main; where it ends, its process does. */
struct program {
	unsigned threads, n[PROGRAM_THREADS];
	bool counts;			/* semaphores tell their count */
	int count[PROGRAM_OBJECTS + 1]; /* of semaphores, in the beginning */
	unsigned among[PROGRAM_OBJECTS + 1]; /* of barriers */
	struct program_op op[PROGRAM_THREADS][PROGRAM_OPS];
};

/* Main creates threads 1 .. n, joins them if wanted, and ends. */
struct program *program_new(unsigned n, bool joins);
struct program_op *program_do(struct program *p, unsigned thread, unsigned verb,
			      unsigned object);
void program_add(struct program *p, unsigned thread, unsigned var, int value);
/* Both lead to where `skip` operations behind it are left out. */
void program_if_less(struct program *p, unsigned thread, unsigned var,
		     int value, int skip);
void program_unless_less(struct program *p, unsigned thread, unsigned var,
			 int value, int skip);

/* Fills in the trace, whose arrays are kept from run to run. */
void program_run(const struct program *p, const struct seam_plan *plan,
		 const struct seam_forced *forced, struct explore_trace *t);
void program_clear(struct explore_trace *t);

#endif
