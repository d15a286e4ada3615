/* SPDX-License-Identifier: MIT */
/*
 * What a step touched: which orders of steps can differ.  Steps are taken one
 * at a time, so that whatever happens until all is settled is an interval of
 * its step's, whoever did it: one that waited goes on in the interval of who
 * let it go.
 *
 *	permute_eyes.c		locks by the gate, the rest by what is open
 *	permute_watch.c		files by inotify
 */
#ifndef SEAM_PERMUTE_EYES_H
#define SEAM_PERMUTE_EYES_H

#include "permute.h"

#define PERMUTE_SESSIONS 64

struct permute_touch {
	uint64_t what;	   /* hash */
	uint64_t from, to; /* of a file's bytes; the last is one of them */
	bool writes;
};

struct permute_interval {
	size_t step;
	uint64_t active; /* sessions in which something went on */
	uint64_t ended;	 /* whose programs ended */
	uint64_t done;	 /* that had waited, and are done with it */
	bool waits;	 /* the step itself was left waiting */
	bool names;	 /* files were made, removed or renamed */
	bool guarded;	 /* all that went on looks at files under locks */
	bool unknown;	 /* not all could be seen */
	struct permute_touch *touch;
	size_t touches, room;
};

/* Would they come to the same in the other order, one after the other? */
bool permute_commute(const struct permute_interval *a,
		     const struct permute_interval *b);
/* Does nothing new where it has been added. */
void permute_touch_add(struct permute_interval *i,
		       const struct permute_touch *touch);
/* The same of a file, by its path. */
void permute_touch_path(struct permute_interval *i, const char *path,
			bool writes);

struct permute_eyes;
/* Sees from now on.  NULL: no memory. */
struct permute_eyes *permute_eyes_open(struct seam_session *s,
				       const struct permute_talk *talk,
				       size_t sessions);
/* What has been seen since the last time; to->active is given. */
void permute_eyes_take(struct permute_eyes *e, struct permute_interval *to);
void permute_eyes_close(struct permute_eyes *e);

/* permute_watch.c: what happens to files in the working directory, and beside
 * those that are open. */
struct permute_watch_files;
struct permute_watch_files *permute_watch_open(void);
void permute_watch_beside(struct permute_watch_files *w, const char *path);
void permute_watch_take(struct permute_watch_files *w,
			struct permute_interval *to);
void permute_watch_close(struct permute_watch_files *w);

#endif
