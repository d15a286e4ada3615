/* SPDX-License-Identifier: MIT */
/*
 * What explorations of a program have taught: kept in a file, they add up.
 *
 * The file is JSON Lines.  The first line says what it is about and with which
 * seed (and shard) it was begun; the last one, how many lines there are.
 *
 *	{"seam-known": 1, "about": {"command": [...], ...}, "seed": 1, ...}
 *	{"totals": {"schedules": 500, ...}}
 *	{"runs": {"seed": 1, "shard": 0, "shards": 0, "of": {"random": 500}}}
 *	{"measured": {"threads": 3, "choices": 31}}
 *	{"pct": {"length": 40, "runs": [3, 2]}}
 *	{"class": "0123456789abcdef", "of": "random", "times": 2}
 *	{"pair": {"object": "lock", "key": "...", "first": "...", ...}}
 *	{"state": {...}, "of": "auto"}
 *	{"end": 7}
 */
#ifndef SEAM_EXPLORE_RESUME_H
#define SEAM_EXPLORE_RESUME_H

#include <stdio.h>

#include "explore/coverage.h"
#include "explore/estimate.h"
#include "session_int.h"

#define KNOWN_VERSION 1

struct explore_totals {
	uint64_t schedules, redundant, too_long, failing, left, strays, outside;
	uint64_t confirmed; /* predictions; these runs are no schedules */
	uint32_t steps, threads, decisions; /* the most of a run */
	double seconds;
};

/* Runs that were drawn: the first so many of a seed, by strategy number. */
struct explore_origin {
	uint64_t seed;
	unsigned shard, shards; /* as in struct explore_params */
	uint64_t runs[TALLY_STRATEGIES];
};

struct explore_known {
	json_t *about; /* program and options; NULL: not said */
	struct explore_totals all;
	struct explore_tally *tally;
	struct explore_coverage *coverage;
	struct explore_pct pct;
	struct explore_origin *origin; /* the first is its own */
	size_t origins;
	char *exhausted; /* what says that there are no more; NULL: nothing */
	json_t *states;	 /* by strategy: what it goes on from */
	int state_line;	 /* in the file, of the last one */
	uint64_t before, failed; /* schedules and failing ones that were known
				    before this session */
};

/* NULL: no memory. */
struct explore_known *explore_known_new(uint64_t seed, unsigned shard,
					unsigned shards);
void explore_known_free(struct explore_known *k);
/* Adds what `from` has, but for the states.  false: they have runs in common,
 * which are named in `why`, or there is no memory. */
bool explore_known_merge(struct explore_known *to,
			 const struct explore_known *from, char *why,
			 size_t size);

/* resume_read.c.  SEAM_E_SYNTAX: it is none, as NAME:LINE: says; ABSENT: there
 * is no such file; UNSUPPORTED: it cannot be read. */
enum seam_code explore_known_read(const char *path, struct explore_known **out,
				  struct seam_error *err);
/* The same of a file that is open; name: as messages have it. */
enum seam_code explore_known_parse(const char *name, FILE *f,
				   struct explore_known **out,
				   struct seam_error *err);
/* resume_write.c.  Whole or not at all. */
enum seam_code explore_known_write(const struct explore_known *k,
				   const char *path, struct seam_error *err);
bool explore_known_put(FILE *f, const struct explore_known *k);

/*
 * How sure that makes.  estimate_sure.c.
 */
struct explore_by {
	const struct explore_strategy *strategy;
	struct explore_counts counts;
	struct explore_chance unseen; /* if its runs are drawn */
};

struct explore_sure {
	/* That the next run is of a new class; not `known` where runs are not
	 * drawn. */
	bool known;
	struct explore_chance next;
	size_t n;
	struct explore_by by[TALLY_STRATEGIES];
	double at_least; /* classes in all, by those met once and twice */
	double about;	 /* by the tree; 0: there is none */
	double seconds;	 /* for all the rest of the tree; < 0: unknown */
	struct explore_covered covered;
};
void explore_sure(const struct explore_known *k,
		  const struct explore_strategy *strategy,
		  const struct explore_said *said, bool exhaustive,
		  struct explore_sure *sure);

#endif
