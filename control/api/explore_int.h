/* SPDX-License-Identifier: MIT */
/*
 * seam_explore:
 *
 *	explore.c		what is wanted, and what came of it
 *	explore_replay.c	SEAM_REPLAY, and the files' names
 *	explore_minimal.c	what was found, shrunk
 *	explore_message.c	the message
 */
#ifndef SEAM_API_EXPLORE_INT_H
#define SEAM_API_EXPLORE_INT_H

#include "api.h"
#include "explore/critical.h"
#include "explore/replay_find.h"

struct exploring {
	const struct seam_explore_options *options;
	struct runner_config run;
	struct campaign_config config;
	char **argv; /* the command, where the program is ourselves */
	char *self;
	char *test;		  /* its name */
	char *path;		  /* the replay file's, absolute */
	struct replay_file *file; /* what was found */
	uint64_t schedule;	  /* the how-manieth it was */
	struct seam_explored *result;
	struct seam_error err; /* why it could not go on */
};

/* A run that failed, as it is to be told of. */
struct explored_run {
	const char *fault, *text;
	const struct explore_trace *trace;
	const struct explore_labels *labels;
	const char *output;
	size_t output_len;
	const char *note; /* ends the message */
	/* NULL: which order decides is not known. */
	const struct critical *pair;
	const char *because;
};

/* explore_replay.c */
/* Is the file of this test? */
bool explore_is_of(const struct exploring *x, const struct replay_file *f);
/* Chooses the file's name and makes it, empty.  *made: it was not there. */
bool explore_name_file(struct exploring *x, bool *made);
/* "SEAM_REPLAY=FILE ./suite"; malloc'd. */
char *explore_how_again(const char *path);
/* Runs what SEAM_REPLAY says, if it is of this test. */
enum seam_code explore_replay(struct exploring *x, const char *path);

/* explore_minimal.c: tells of the least that fails in the same way, where it
 * can be found. */
void explore_minimise(struct exploring *x);

/* explore_message.c; false: no memory. */
bool explore_fill_in(struct exploring *x, const struct explored_run *run);

#endif
