/* SPDX-License-Identifier: MIT */
/* What a session notes of threads and of ends. */
#ifndef SEAM_ACCOUNTING_H
#define SEAM_ACCOUNTING_H

#include "rules_int.h"

/* A thread that was there when its process died. */
struct suspect {
	char thread[SEAM_PATH + SEAM_NAME + 4]; /* "P1.T0.2 (worker)" */
	char *op, *obj, *at, *held;		/* "" where unknown */
};

struct crash {
	char proc[SEAM_PATH], alias[SEAM_PATH];
	char how[64];	/* "SIGSEGV", "_exit 3" */
	bool is_signal; /* else by _exit */
	unsigned alive; /* threads besides who did it */
	struct suspect *suspect;
	size_t n;
};

/* Kept in session.accounts; made when first needed. */
struct sess_accounts {
	uint64_t mark;
	struct crash *crash;
	size_t crashes;
	char **expected; /* aliases or paths */
	size_t n_expected;
	char *left; /* at exits, a line each */
};

/* The session's lock is held in all of these. */

/* accounting.c.  NULL: no memory. */
struct sess_accounts *seam_accounts(struct seam_session *s);
void seam_accounts_free(struct seam_session *s);
enum seam_code seam_join_check(struct seam_session *s, struct sess_wait *w,
			       json_t *reply, struct seam_error *err);
/* Threads started since that live, by index; NULL at the end. */
struct seam_thread *seam_left_next(struct seam_session *s, uint64_t since,
				   uint32_t *i);
/* A process ended by exit(), with these of its threads alive. */
void seam_note_left(struct seam_session *s, struct seam_process *p);

/* crash.c */
/* A process has ended; its threads' entries are as it left them. */
void seam_note_end(struct seam_session *s, struct seam_process *p);
/* The crashes that nobody expected, a line each. */
void seam_crashes_say(struct seam_session *s, struct seam_text *t);
void seam_crashes_free(struct sess_accounts *a);

#endif
