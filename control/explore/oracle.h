/* SPDX-License-Identifier: MIT */
/* Whether a run failed, by which oracle, and what to say of it. */
#ifndef SEAM_EXPLORE_ORACLE_H
#define SEAM_EXPLORE_ORACLE_H

#include "explore/labels.h"
#include "explore/runner.h"

enum explore_fault {
	EXPLORE_NO_FAULT,
	EXPLORE_DEADLOCK,
	EXPLORE_LOST_WAKEUP,
	EXPLORE_CRASH,
	EXPLORE_STATUS,
	EXPLORE_CHECK,
	EXPLORE_LIVELOCK,
	EXPLORE_MISUSE,
	EXPLORE_STUCK,
	EXPLORE_TIMED_OUT,
	EXPLORE_LEFT_BEHIND,
	EXPLORE_FAULTS
};
/* "deadlock", as replay files and JSON have it. */
extern const char *const explore_fault_names[EXPLORE_FAULTS];

struct oracle {
	bool compare;	  /* exit statuses, with: */
	int expected;	  /* as a shell has it: 128 + signal */
	bool left_behind; /* threads alive at exit are a failure */
};

/* waitpid's status as a shell has it. */
int oracle_shell_status(int status);
enum explore_fault oracle_judge(const struct oracle *o,
				const struct runner_result *r);
/* Threads that were alive when their process ended by itself. */
uint32_t oracle_left_behind(const struct explore_trace *t);
/* A line, then what explains it, a line each; malloc'd. */
char *oracle_explain(const struct oracle *o, enum explore_fault fault,
		     const struct runner_result *r,
		     const struct explore_labels *l);

/* oracle_waits.c: who waits for whom at the end of the run. */
enum { ORACLE_NOBODY = -1 };
/* The slot that `slot` waits for, or ORACLE_NOBODY. */
int oracle_waits_for(const struct explore_trace *t, uint32_t slot);
/* Threads of a cycle, in order; 0: there is none. */
unsigned oracle_cycle(const struct explore_trace *t, uint32_t *slot,
		      unsigned max);
/* Waits for a signal, a post, or others, that nobody is left to give. */
bool oracle_is_forsaken(const struct explore_trace *t, uint32_t slot);
/* The last step at which that slot acquired the object (+ 1); -1: none. */
int64_t oracle_acquired_at(const struct explore_trace *t, uint32_t slot,
			   uint32_t object);

#endif
