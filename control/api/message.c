/* SPDX-License-Identifier: MIT */
/* How a call of seam.h begins, fails and is explained. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api.h"

#define MESSAGE_MAX 8192

static _Thread_local char message[MESSAGE_MAX];
static _Thread_local bool in_callback;

/* The process's own number: asking the kernel takes as long as all else that
 * a call does when it need not wait. */
static pid_t self;

static void
know_self(void)
{
	self = getpid();
}

__attribute__((constructor)) static void
watch_forks(void)
{
	know_self();
	pthread_atfork(NULL, NULL, know_self);
}

const char *
seam_message(void)
{
	return message;
}

void
api_in_callback(bool on)
{
	in_callback = on;
}

enum seam_code
api_enter(const struct seam_session *s, struct seam_error *err)
{
	err->code = SEAM_OK;
	err->column = 0;
	err->text[0] = '\0';
	if (!s)
		return sess_fail(err, SEAM_E_GONE, 0,
				 "there is no session: it was not opened");
	if (s->opener != self)
		return sess_fail(err, SEAM_E_GONE, 0,
				 "the session belongs to process %d, which "
				 "forked this one: open another here",
				 (int)s->opener);
	if (in_callback)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "a callback of seam_log cannot use the "
				 "session");
	return SEAM_OK;
}

enum seam_code
api_need(const void *given, const char *what, struct seam_error *err)
{
	if (given)
		return SEAM_OK;
	return sess_fail(err, SEAM_E_SYNTAX, 0, "no %s is given", what);
}

enum seam_code
api_leave(enum seam_code code, const struct seam_error *err)
{
	if (code)
		snprintf(message, sizeof(message), "%s", err->text);
	return code;
}

enum seam_code
api_error(const struct seam_error *err)
{
	return api_leave(err->code, err);
}

enum seam_code
api_fail(enum seam_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return code;
}

/* What does not fit is left out. */
static void __attribute__((format(printf, 1, 2))) add(const char *fmt, ...)
{
	size_t n = strlen(message);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message + n, sizeof(message) - n, fmt, ap);
	va_end(ap);
}

enum seam_code
api_leave_at(enum seam_code code, const struct seam_error *err,
	     const char *text)
{
	char *shown = NULL;
	size_t size;
	FILE *f;

	if (!code)
		return code;
	api_leave(code, err);
	if (!text || err->column < 1 || strlen(text) > MESSAGE_MAX / 4)
		return code;
	f = open_memstream(&shown, &size);
	if (!f)
		return code;
	seam_put_caret(f, text, err->column);
	fclose(f);
	if (size)
		add("\n%.*s", (int)size - (shown[size - 1] == '\n'), shown);
	free(shown);
	return code;
}

enum seam_code
api_leave_state(struct seam_session *s, enum seam_code code,
		const struct seam_error *err)
{
	char *state;

	api_leave(code, err);
	if (code != SEAM_E_TIMEOUT && code != SEAM_E_FAILED)
		return code;
	state = sess_describe(s);
	if (state && *state)
		add("\n%s", state);
	free(state);
	return code;
}

uint64_t
api_timeout(const struct seam_session *s, uint64_t timeout)
{
	if (timeout == SEAM_DEFAULT)
		return api_of(s) ? api_of(s)->timeout : SEAM_WAIT_MS;
	return timeout < SEAM_MS_MAX ? timeout : SEAM_MS_MAX;
}
