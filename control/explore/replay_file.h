/* SPDX-License-Identifier: MIT */
/*
 * Replay files: a run that failed, as text that a person can read and edit.
 *
 *	seam-replay 1
 *	command "./pay" "--fast"
 *	...
 *	decisions
 *		P1.T0 x 5
 *		P1.T0.2 x 1 timeout
 *	events
 *		P1.T0 mutex.lock cache_lock "cache_put cache.c:42" ok 1a2b3c4d
 *	hash 0123456789abcdef
 *	standing
 *		P1.T0.1 mutex.lock cache_lock "cache_get cache.c:57"
 *	end
 *
 * A decision is a step: who does its operation.  Events are what is expected;
 * without them only the decisions are followed.  Standing are, by the order of
 * creation, all threads at the run's end: at what; - at nothing.
 */
#ifndef SEAM_EXPLORE_REPLAY_FILE_H
#define SEAM_EXPLORE_REPLAY_FILE_H

#include <stdio.h>

#include "explore/labels.h"

#define REPLAY_VERSION 1

struct replay_block {
	char *thread; /* P1.T0.2 */
	uint32_t count;
	uint8_t how; /* enum seam_how */
};

struct replay_event {
	char *thread, *verb, *object, *site, *result;
	uint32_t event; /* seam_step's */
};

struct replay_file {
	char **argv, **env; /* ended by NULL; env: additions */
	char *dir;
	char *setup, *reset, *check; /* NULL: none */
	char *program, *program_id;  /* its file, and build id or "-" */
	char *library_id;	     /* libseam.so's */
	char *strategy, *fault;	     /* what found it, and what */
	char *test;		     /* that it failed; NULL: none is known */
	uint64_t seed, timeout_ms, hash;
	uint32_t steps; /* at most */
	int server;	/* enum seam_server */
	int expected;	/* exit status; -1: not compared */
	/* Once it has been shrunk: the events (+ 1) whose order decides, and
	 * why, in a sentence; 0, NULL.  Behind the steps come, by the order of
	 * creation, what the threads stand at in the end. */
	uint32_t critical[2];
	char *because;
	bool in_scratch, left_behind, misuse, after, marked;
	struct replay_block *block;
	struct replay_event *event;
	struct replay_event *standing; /* verb "-": at nothing */
	size_t nblocks, nevents, nstanding;
	size_t room_blocks, room_events, room_standing;
};

void replay_free(struct replay_file *f);

/* replay_read.c.  Errors are `NAME:LINE:COLUMN: …`, SEAM_E_SYNTAX. */
enum seam_code replay_parse(const char *name, const char *text, size_t len,
			    struct replay_file **out, struct seam_error *err);
enum seam_code replay_read(const char *path, struct replay_file **out,
			   struct seam_error *err);

/* replay_write.c.  Whole or not at all. */
enum seam_code replay_write(const struct replay_file *f, const char *path,
			    const char *comment, struct seam_error *err);
void replay_put(FILE *f, const struct replay_file *r, const char *comment);

/* replay_make.c */
/* Decisions and events of that run; false: no memory. */
bool replay_take(struct replay_file *f, const struct explore_trace *t,
		 const struct explore_labels *l);
/* The same conditions, without a run; NULL: no memory. */
struct replay_file *replay_copy(const struct replay_file *from);
/* What its fields are made of: malloc'd; words (NULL: none) ended by NULL; the
 * text may be NULL. */
char **replay_copy_words(char *const *words);
char *replay_copy_text(const char *text);
/* The plan that runs it again; forced has room for SEAM_STEPS. */
void replay_plan(const struct replay_file *f, bool events,
		 struct seam_plan *plan, struct seam_forced *forced);
/* "path", looked up in PATH; its build id in hex, or "-".  malloc'd. */
char *replay_find_program(const char *name, const char *dir);
char *replay_build_id(const char *path);
/* libseam.so's; NULL: of the one that is used without being told. */
char *replay_library_id(const char *preload);
/* replay_text.c.  "P1.T0 mutex.lock cache_lock at cache_put cache.c:42": either
 * side. */
char *replay_expected(const struct replay_file *f, uint32_t at);
char *replay_actual(const struct explore_trace *t,
		    const struct explore_labels *l, uint32_t at);

#endif
