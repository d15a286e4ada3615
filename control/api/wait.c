/* SPDX-License-Identifier: MIT */
/* Waiting until something has come about. */
#include <stdlib.h>
#include <string.h>

#include "api.h"

const char *
api_field(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

/* The end of a text that is too long says more than its beginning. */
static void
put_end(char *buf, size_t size, const char *text)
{
	size_t n = strlen(text);

	if (n >= size)
		text += n - size + 1;
	strcpy(buf, text);
}

static int
error_number(const char *text)
{
	int number = seam_errno_number(text);

	return number ? number : atoi(text);
}

static void
fill(struct seam_stop *stop, const json_t *reply)
{
	memset(stop, 0, sizeof(*stop));
	put_end(stop->id, sizeof(stop->id), api_field(reply, "id"));
	put_end(stop->thread, sizeof(stop->thread), api_field(reply, "thread"));
	put_end(stop->op, sizeof(stop->op), api_field(reply, "op"));
	put_end(stop->object, sizeof(stop->object), api_field(reply, "obj"));
	put_end(stop->at, sizeof(stop->at), api_field(reply, "at"));
	stop->result = error_number(api_field(reply, "result"));
}

enum seam_code
api_wait(struct seam_session *s, struct sess_wait *w, struct seam_stop *stop,
	 struct seam_error *err)
{
	json_t *reply = json_object();
	enum seam_code code = sess_wait(s, w, reply, err);

	api_logs_deliver(s);
	if (!code && stop)
		fill(stop, reply);
	json_decref(reply);
	return code;
}

enum seam_code
seam_wait(seam_session *s, const char *id, struct seam_stop *stop,
	  uint64_t timeout)
{
	struct sess_wait w = { .kind = SEAM_WAIT_RULE, .what = id };
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_need(id, "id", &err);
	if (!code) {
		w.timeout_ms = api_timeout(s, timeout);
		code = api_wait(s, &w, stop, &err);
	}
	return api_leave(code, &err);
}

enum seam_code
seam_wait_blocked(seam_session *s, const char *thread, const char *object,
		  uint64_t timeout)
{
	struct sess_wait w = { .kind = SEAM_WAIT_BLOCKED, .what = thread };
	struct seam_object_name name = { 0 };
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_need(thread, "thread", &err);
	if (!code && object) {
		code = seam_object_parse(object, 1, &name, &err);
		w.obj = &name;
	}
	if (!code) {
		w.timeout_ms = api_timeout(s, timeout);
		code = api_wait(s, &w, NULL, &err);
	}
	seam_object_name_free(&name);
	return api_leave_at(code, &err, object);
}

enum seam_code
seam_wait_quiescent(seam_session *s, uint64_t timeout)
{
	struct sess_wait w = { .kind = SEAM_WAIT_QUIESCENT };
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	if (!code) {
		w.timeout_ms = api_timeout(s, timeout);
		code = api_wait(s, &w, NULL, &err);
	}
	return api_leave(code, &err);
}

enum seam_code
seam_expect_parked(seam_session *s, const char *id)
{
	struct sess_wait w = { .kind = SEAM_WAIT_PARKED, .what = id };
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_need(id, "id", &err);
	if (!code)
		code = api_wait(s, &w, NULL, &err);
	if (code == SEAM_E_TIMEOUT || code == SEAM_E_GONE)
		code = SEAM_E_FAILED;
	return api_leave(code, &err);
}
