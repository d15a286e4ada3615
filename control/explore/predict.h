/* SPDX-License-Identifier: MIT */
/*
 * Predictions: what no run has shown, but what the runs let expect, each with
 * directed runs that try to bring it about.
 *
 * A cycle in the order of locks: threads are held before they take its locks
 * (strategy `direct`).  A condition that is signalled by who has not its
 * mutex: a waiter is held between its test and its wait.  A wait: it ends
 * without a signal, as POSIX allows, and its thread goes on at once: what it
 * waited for cannot have come about.
 */
#ifndef SEAM_EXPLORE_PREDICT_H
#define SEAM_EXPLORE_PREDICT_H

#include "explore/lockorder.h"
#include "explore/oracle.h"

enum prediction_kind {
	PREDICTION_LOCK_ORDER,
	PREDICTION_SIGNAL,
	PREDICTION_WAIT,
};

enum prediction_state {
	PREDICTION_OPEN,
	PREDICTION_CONFIRMED, /* by a directed run */
	PREDICTION_MET,	      /* in a run that was not directed */
	PREDICTION_REFUTED,   /* the kernel or the program sees to it */
};

#define PREDICTION_INSTANCES 4

struct prediction {
	enum prediction_kind kind;
	enum prediction_state state;
	uint64_t hash;
	unsigned tries;
	/* LOCK_ORDER: by different threads, at the same places. */
	struct lockorder_cycle instance[PREDICTION_INSTANCES];
	unsigned instances;
	/* The run up to there, as far as it is followed: to where the last of
	 * the cycle had its outer lock, or to the wait. */
	struct seam_forced *prefix; /* NULL: none */
	uint32_t nprefix;
	bool after; /* that run had steps after releases */
	/* The others: who waits for which condition, and where. */
	uint64_t condition, thread, site; /* keys, address */
	char *who, *name, *at;
	/* SIGNAL: who signals, and where. */
	char *other, *other_at;
	/* WAIT. */
	bool timed;
	bool went_on; /* it did not wait again */
};

struct predict;
/* NULL: no memory. */
struct predict *predict_new(uint64_t seed);
void predict_free(struct predict *p);

/* A run: what it was run under, and its trace, which `session` still has. */
struct predict_run {
	const struct seam_plan *plan;
	const struct explore_trace *trace;
	struct seam_session *session;
	uint64_t schedule;
	uint32_t directed; /* predict_next's number; 0: it was not */
	enum explore_fault fault;
};
void predict_learn(struct predict *p, const struct predict_run *run);

/* The next directed run, and its number, which is not 0; false: none now. */
bool predict_next(struct predict *p, struct seam_plan *plan,
		  struct seam_forced *forced, uint32_t *directed);
uint64_t predict_runs(const struct predict *p); /* directed ones so far */

size_t predict_count(const struct predict *p);
const struct prediction *predict_at(const struct predict *p, size_t i);
/* Worth telling, at the end; `exhaustive`: all orders of locks were seen. */
bool predict_is_told(const struct predict *p, const struct prediction *q,
		     bool exhaustive);

/* predict_say.c */
extern const char *const prediction_kind_names[];  /* "lock-order" */
extern const char *const prediction_state_names[]; /* "potential" */
/* A line, and those that explain it, set in; malloc'd; NULL: no memory. */
char *prediction_text(const struct prediction *q);

#endif
