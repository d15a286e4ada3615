/* SPDX-License-Identifier: MIT */
/* Waiting until something has come about. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "rules_int.h"

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

	if (n >= size) {
		text += n - size + 1;
		n = size - 1;
	}
	memcpy(buf, text, n + 1);
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

/*
 * Tests wait for pauses all the time, and mostly for a thread that is about
 * to arrive: so there is a short way, without JSON, which looks, stands aside
 * for a moment, and looks again.  Whatever it does not find the long way does.
 */

static struct seam_thread *
arrival(struct seam_session *s, const char *id, struct seam_stand *first)
{
	struct seam_armed *r = seam_rule_find(s, id);
	struct seam_thread *t, *found = NULL;
	struct seam_stand st;
	uint32_t i = 0;

	if (!r || r->kind != SEAM_RULE_PAUSE)
		return NULL;
	while ((t = seam_thread_next(s, &i))) {
		if (!atomic_load(&t->park))
			continue;
		seam_stand(t, &st);
		if (!seam_stands_at(&st, r->index + 1) ||
		    seam_room(s)->told[seam_thread_index(s, t)] == st.serial ||
		    (found && st.doing.since >= first->doing.since))
			continue;
		found = t;
		*first = st;
	}
	return found;
}

static void
fill_quickly(struct seam_session *s, const char *id, struct seam_thread *t,
	     const struct seam_stand *st, struct seam_stop *stop)
{
	struct seam_process *p = seam_process_at(s, t->proc);
	char buf[SEAM_NAME_TEXT];
	const char *object;

	stop->result = 0;
	if (st->doing.moment == SEAM_AFTER)
		stop->result = st->doing.result;
	put_end(stop->id, sizeof(stop->id), id);
	seam_arena_copy(t->path, SEAM_PATH, stop->thread, sizeof(stop->thread));
	put_end(stop->op, sizeof(stop->op), seam_verb_name(st->doing.verb));
	if (!st->doing.peer && st->doing.object)
		object = seam_object_text(s, st->doing.object - 1);
	else
		object = seam_doing_object(s, t, &st->doing, buf, sizeof(buf));
	put_end(stop->object, sizeof(stop->object), object);
	put_end(stop->at, sizeof(stop->at),
		p ? seam_site_text(s, p, st->doing.site) : "");
}

static bool
wait_quickly(struct seam_session *s, const char *id, struct seam_stop *stop,
	     uint64_t timeout)
{
	struct seam_thread *t;
	struct seam_stand st;
	unsigned tries = 0;

	seam_lock(s);
	while (!(t = arrival(s, id, &st)) && timeout)
		if (!seam_stand_aside(s, &tries))
			break;
	if (t) {
		seam_room(s)->told[seam_thread_index(s, t)] = st.serial;
		if (stop)
			fill_quickly(s, id, t, &st, stop);
	}
	seam_unlock(s);
	if (t)
		api_logs_deliver(s);
	return t;
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
		if (wait_quickly(s, id, stop, w.timeout_ms))
			return SEAM_OK;
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
