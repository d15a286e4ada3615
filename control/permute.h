/* SPDX-License-Identifier: MIT */
/*
 * Scripts of sessions and steps, in the manner of PostgreSQL's
 * isolationtester: long-lived interactive programs are given lines in every
 * order, and what they answer is written down.  See seam-script(5).
 *
 *	permute_read.c		the script
 *	permute_orders.c	the permutations
 *	permute_auto.c		those of them that can differ
 *	permute.c		one of them, in a session of its own
 *	permute_talk.c		its programs: lines in, output, who is done or
 *				blocked
 *	permute_shell.c		commands before, between and after
 */
#ifndef SEAM_PERMUTE_H
#define SEAM_PERMUTE_H

#include <stdio.h>

#include "session.h"
#include "vars.h"

struct permute_step {
	char *name, *text;
	size_t session;
	unsigned line;
};

struct permute_session {
	char *name, *echo;
	struct seam_words words; /* of the whole line */
	char **argv;		 /* its command; the array is ours */
	char **setup;		 /* lines sent before its first step */
	size_t setups;
	bool guarded; /* it looks at files under locks only */
};

/* Indices of steps, in order. */
struct permute_order {
	size_t *step;
	size_t n;
};

struct permute {
	char *name;			/* of the script */
	const struct seam_vars *vars;	/* the caller's */
	char *setup, *reset, *teardown; /* for sh, or NULL */
	struct permute_session *session;
	struct permute_step *step;
	struct permute_order *order;
	size_t sessions, steps, orders;
	bool all;	/* `permutations` */
	bool automatic; /* `permutations auto` */
};

/* Is the text such a script: does it begin a session somewhere? */
bool seam_permute_is(const char *text);
/* Reads it; what is wrong is said on f. */
enum seam_code seam_permute_read(const char *name, const char *text,
				 const struct seam_vars *vars,
				 struct permute **out, FILE *f);
void seam_permute_free(struct permute *p);

/* permute_shell.c: fails with what it wrote. */
enum seam_code permute_shell(const struct permute *p, const char *what,
			     const char *commands, struct seam_error *err);

/* permute_talk.c: a program that takes steps. */
enum permute_state { PERMUTE_IDLE, PERMUTE_BUSY, PERMUTE_BLOCKED };
struct permute_talk {
	const struct permute_session *session;
	enum permute_state state;
	size_t step;	 /* that is under way, or was last */
	unsigned number; /* of lines sent: makes the echo unique */
	char *text;	 /* what came since the step was sent */
	size_t n, read;	 /* its length; how much of all output is read */
	bool over;	 /* the program has ended */
	int status;
};
enum seam_code permute_talk_start(struct seam_session *s,
				  struct permute_talk *t,
				  struct seam_error *err);
enum seam_code permute_talk_send(struct seam_session *s, struct permute_talk *t,
				 const char *line, struct seam_error *err);
/* Until each of them is done with its line, or blocked. */
enum seam_code permute_talk_settle(struct seam_session *s,
				   struct permute_talk *v, size_t n,
				   struct seam_error *err);

/* Its processes that live, the session's lock being held. */
size_t permute_talk_pids(struct seam_session *s, const struct permute_talk *t,
			 pid_t *pid, size_t max);

/* permute_orders.c: every interleaving of all steps that keeps the order of
 * each session's.  False: `each` said so, or there is no memory. */
typedef bool permute_each_fn(const size_t *order, void *data);
bool permute_each_order(const struct permute *p, permute_each_fn *each,
			void *data);
/* Adds them. */
enum seam_code permute_add_all(struct permute *p, struct seam_error *err);

/* Told of each session; `ended` before it is closed.  May be NULL. */
struct permute_watch {
	bool (*began)(struct seam_session *s, void *data);
	bool (*ended)(struct seam_session *s, void *data); /* false: stop */
	void *data;
};
/* Carries all out, in the working directory; what came of them goes to out,
 * why it cannot go on to f. */
enum seam_code seam_permute_run(struct permute *p,
				const struct permute_watch *watch, FILE *out,
				FILE *f);

#endif
