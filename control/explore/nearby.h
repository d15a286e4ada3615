/* SPDX-License-Identifier: MIT */
/*
 * A program that was changed, explored around a schedule that it failed by:
 * the schedule as far as it can still be followed, others that begin like it,
 * and others in which the two events of the critical pair keep their order.
 */
#ifndef SEAM_EXPLORE_NEARBY_H
#define SEAM_EXPLORE_NEARBY_H

#include "explore/replay_compare.h"
#include "explore/rerun.h"

enum nearby_verdict {
	NEARBY_FIXED,	    /* nothing failed */
	NEARBY_SAME,	    /* it fails as it did */
	NEARBY_MOVED,	    /* at another place, or by another order */
	NEARBY_UNREACHABLE, /* nothing failed, and the pair is no more */
	NEARBY_VERDICTS
};
/* "fixed" */
extern const char *const nearby_verdict_names[NEARBY_VERDICTS];

struct nearby {
	enum nearby_verdict verdict;
	uint64_t runs;
	uint64_t kept; /* of them, with the pair in that order */
	uint64_t failed;
	bool pair;    /* the file has one */
	bool seen[2]; /* its events, in some run */
	/* A run that failed: the same way if there is one; NULL: none. */
	struct replay_file *failure;
};

/* The replica is open; at most so many runs.  out->failure is the caller's. */
enum seam_code nearby_explore(struct rerun *again, const struct replay_file *f,
			      uint64_t runs, struct nearby *out,
			      struct seam_error *err);

/* nearby_align.c: the file's switches, each where it is by the run's steps:
 * before the event that its thread stood at, or behind the last one before
 * that.  m NULL: as the file counts.  False: no memory. */
struct explore_switches;
bool nearby_switches(const struct replay_file *f, const struct replay_match *m,
		     const struct explore_trace *t,
		     struct explore_switches *out);

#endif
