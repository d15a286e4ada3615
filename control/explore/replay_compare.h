/* SPDX-License-Identifier: MIT */
/* A replay file's events beside those of a run of it. */
#ifndef SEAM_EXPLORE_REPLAY_COMPARE_H
#define SEAM_EXPLORE_REPLAY_COMPARE_H

#include "explore/replay_file.h"

struct replay_match;

/* Keeps pointers to all three.  `same_build`: events are compared by their
 * hashes, else by their names: those that objects have at the end of the run,
 * where an address was used again, the last one's.  NULL: no memory. */
struct replay_match *replay_match_new(const struct replay_file *f,
				      const struct explore_trace *t,
				      const struct explore_labels *l,
				      bool same_build);
void replay_match_free(struct replay_match *m);

/* The first step that is not as the file has it; false: there is none. */
bool replay_differs(const struct replay_match *m, uint32_t *at);

/* Before that step: of how many sites the line is another now, and objects
 * that are called something else; the first of them. */
struct replay_moved {
	size_t lines, objects;
	const char *line[2], *object[2]; /* was, is */
};
void replay_moved(const struct replay_match *m, struct replay_moved *out);

/* The event that is like one of the other side's, and is nearest to where
 * that stands there, later ones first; with another result if there is none
 * with the same.  False: there is none at all. */
struct replay_near {
	uint32_t step;
	bool result; /* is another */
};
bool replay_near_in_file(const struct replay_match *m, uint32_t step,
			 struct replay_near *out);
bool replay_near_in_run(const struct replay_match *m, uint32_t event,
			struct replay_near *out);

/* The i-th event of the file; behind them those that stand. */
const struct replay_event *replay_event_at(const struct replay_file *f,
					   size_t event);
/* Of two places; where one is not known, it is the same. */
bool replay_same_function(const char *site, const char *other);
/* Does the run's step (or, behind them, what a thread stands at) the same to
 * the same?  In the same function; `anybody`: by whatever thread. */
bool replay_is_like(const struct replay_match *m, size_t event, uint32_t at,
		    bool anybody);

/* replay_text.c: the words of an event in a file. */
const char *replay_subject(const struct explore_trace *t,
			   const struct explore_labels *l,
			   const struct seam_op *op);
const char *replay_verb(const struct seam_op *op, char *buf, size_t size);
const char *replay_result(const struct seam_step *s, char *buf, size_t size);

#endif
