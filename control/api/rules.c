/* SPDX-License-Identifier: MIT */
/* Arming, and letting go. */
#include <stdlib.h>
#include <string.h>

#include "api.h"

enum seam_code
api_selector(const char *text, struct seam_selector *sel,
	     struct seam_error *err)
{
	struct seam_words words;
	enum seam_code code;

	*sel = (struct seam_selector){ 0 };
	code = api_need(text, "selector", err);
	if (!code)
		code = seam_split(text, &words, err);
	if (code)
		return code;
	if (words.n)
		code = seam_selector_parse(&words, 0, NULL, sel, err);
	else
		code = sess_fail(err, SEAM_E_SYNTAX, 1,
				 "the selector is empty: an operation such as "
				 "mutex.lock is its first word");
	seam_words_free(&words);
	return code;
}

enum seam_code
seam_pause(seam_session *s, const char *id, const char *selector)
{
	struct seam_error err;
	struct seam_selector sel = { 0 };
	const char *chosen;
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_selector(selector, &sel, &err);
	if (!code)
		code = sess_pause(s, &sel, id, &chosen, &err);
	seam_selector_free(&sel);
	return api_leave_at(code, &err, selector);
}

enum seam_code
seam_fail(seam_session *s, const char *id, const char *selector, int error,
	  unsigned times)
{
	struct seam_error err;
	struct seam_selector sel = { 0 };
	const char *chosen;
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_selector(selector, &sel, &err);
	if (!code && error <= 0)
		code = sess_fail(&err, SEAM_E_SYNTAX, 0,
				 "%d is no error's number", error);
	if (!code)
		code = seam_fault(s, &sel, error, times, id, &chosen, &err);
	seam_selector_free(&sel);
	return api_leave_at(code, &err, selector);
}

#define HOLD "hold "

/* The object with its options, as the command has them. */
static enum seam_code
parse_hold(const char *object, struct seam_job *job, struct seam_error *err)
{
	const int skip = (int)strlen(HOLD);
	struct seam_words words;
	enum seam_code code;
	char *line;

	if (asprintf(&line, HOLD "%s", object) < 0)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	code = seam_split(line, &words, err);
	if (!code)
		code = seam_job_parse_words(&words, 0, job, err);
	seam_words_free(&words);
	free(line);
	/* Columns are the object's own. */
	job->args.obj.column -= skip;
	if (code && err->column)
		err->column = err->column > skip ? err->column - skip : 1;
	return code;
}

static enum seam_code
hold(struct seam_session *s, const struct seam_args *a, const char *id,
     uint64_t timeout, struct seam_error *err)
{
	struct seam_hold_how how = { .mode = a->mode,
				     .range = a->range,
				     .proc = a->proc };
	const char *chosen;

	if (a->has_timeout && timeout == SEAM_DEFAULT)
		how.timeout_ms = a->timeout_ms;
	else
		how.timeout_ms = api_timeout(s, timeout);
	return sess_hold(s, &a->obj, &how, id ? id : a->as, &chosen, err);
}

enum seam_code
seam_hold(seam_session *s, const char *id, const char *object, uint64_t timeout)
{
	struct seam_error err;
	struct seam_job job = { .words.end = 1 };
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_need(object, "object", &err);
	if (!code)
		code = parse_hold(object, &job, &err);
	if (!code)
		code = hold(s, &job.args, id, timeout, &err);
	seam_job_free(&job);
	if (code == SEAM_E_TIMEOUT)
		return api_leave_state(s, code, &err);
	return api_leave_at(code, &err, object);
}

enum seam_code
seam_release(seam_session *s, const char *what)
{
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_need(what, "id or thread", &err);
	if (!code)
		code = sess_release(s, what, NULL, &err);
	return api_leave(code, &err);
}

enum seam_code
seam_step(seam_session *s, const char *thread)
{
	struct sess_wait w = { .kind = SEAM_WAIT_THREAD, .what = thread };
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_need(thread, "thread", &err);
	if (!code)
		code = sess_step(s, thread, &err);
	if (!code) {
		w.timeout_ms = api_timeout(s, SEAM_DEFAULT);
		code = api_wait(s, &w, NULL, &err);
	}
	return api_leave(code, &err);
}

enum seam_code
seam_delete(seam_session *s, const char *id)
{
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_need(id, "id", &err);
	if (!code) {
		api_logs_deliver(s);
		code = sess_delete(s, id, &err);
	}
	return api_leave(code, &err);
}
