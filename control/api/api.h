/* SPDX-License-Identifier: MIT */
/*
 * What the files of seam.h's functions share.  Each of these begins with
 * api_enter and ends with api_leave, which keeps the message:
 *
 *	struct seam_error err;
 *	enum seam_code code = api_enter(s, &err);
 *
 *	if (!code)
 *		code = sess_…(s, …, &err);
 *	return api_leave(code, &err);
 */
#ifndef SEAM_API_H
#define SEAM_API_H

#include "command.h"
#include "session_int.h"

/* The last of session.spare: a struct api. */
#define API_SPARE                                                              \
	(sizeof(((struct seam_session *)NULL)->spare) / sizeof(void *) - 1)

struct api_log;

/* Beside a session that seam_open opened. */
struct api {
	struct seam_commands *commands; /* of its socket */
	uint64_t timeout;		/* what SEAM_DEFAULT means, ms */
	struct seam_context ctx; /* of seam_command, under the session's lock;
				    only its variables and `json` live on */
	struct api_log *logs;	 /* log.c; under the session's lock */
	pthread_t logger;	 /* drains while there are logs */
	bool have_logger;
};

/* NULL for a session that was opened from inside. */
static inline struct api *
api_of(const struct seam_session *s)
{
	return s->spare[API_SPARE];
}

/* message.c */
/* Refuses: no session, after a fork (SEAM_E_GONE), within a callback. */
enum seam_code api_enter(const struct seam_session *s, struct seam_error *err);
/* Keeps err's text for seam_message, unless code is SEAM_OK; returns code. */
enum seam_code api_leave(enum seam_code code, const struct seam_error *err);
/* The same of what has failed for sure; returns err's code. */
enum seam_code api_error(const struct seam_error *err);
enum seam_code api_fail(enum seam_code code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same, with `text` and a mark under err's column. */
enum seam_code api_leave_at(enum seam_code code, const struct seam_error *err,
			    const char *text);
/* The same, with what everybody does now. */
enum seam_code api_leave_state(struct seam_session *s, enum seam_code code,
			       const struct seam_error *err);
/* Refuses NULL: "no WHAT is given". */
enum seam_code api_need(const void *given, const char *what,
			struct seam_error *err);
/* Milliseconds, with SEAM_DEFAULT replaced and without overflow. */
uint64_t api_timeout(const struct seam_session *s, uint64_t timeout);
/* Marks the thread as being within a callback, or not. */
void api_in_callback(bool on);

/* wait.c */
/* Waits; fills in *stop (may be NULL).  Delivers the logs' events before it
 * returns, so that what led here has been seen. */
enum seam_code api_wait(struct seam_session *s, struct sess_wait *w,
			struct seam_stop *stop, struct seam_error *err);
/* Of a reply's fields, or of a row of a table: "" where there is none. */
const char *api_field(const json_t *row, const char *key);

/* rules.c */
enum seam_code api_selector(const char *text, struct seam_selector *sel,
			    struct seam_error *err);

/* looking.c; the session's lock is held. */
void api_thread_info(struct seam_session *s, struct seam_thread *t,
		     struct seam_thread_info *info);
/* Threads that `next` gives one after the other, NULL at the end; *list is to
 * be freed.  Takes the lock. */
typedef struct seam_thread *api_next_fn(struct seam_session *s, uint64_t since,
					uint32_t *i);
enum seam_code api_threads(struct seam_session *s, api_next_fn *next,
			   uint64_t since, struct seam_thread_info **list,
			   size_t *n);

/* log.c */
/* Delivers what there is; nothing to do without logs. */
void api_logs_deliver(struct seam_session *s);
/* The session ends: the logger is joined. */
void api_logs_stop(struct seam_session *s);
void api_logs_free(struct api *api);

#endif
