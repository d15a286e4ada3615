/* SPDX-License-Identifier: MIT */
/* What everybody does: for messages, and as tables. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "rules_int.h"

char *
seam_describe(seam_session *s)
{
	struct seam_error err;
	char *text;

	if (api_enter(s, &err))
		return strdup(err.text);
	text = sess_describe(s);
	return text ? text : strdup("");
}

/* Threads. */

static void
put(char *buf, size_t size, const char *text)
{
	size_t n = strlen(text);

	if (n >= size)
		n = size - 1;
	memcpy(buf, text, n);
	buf[n] = '\0';
}

void
api_thread_info(struct seam_session *s, struct seam_thread *t,
		struct seam_thread_info *info)
{
	struct seam_process *p = seam_process_at(s, t->proc);
	const char *state;
	struct seam_stand st;
	bool doing;

	memset(info, 0, sizeof(*info));
	seam_stand(t, &st);
	doing = st.parked || st.state == SEAM_THREAD_BLOCKED;
	state = seam_state_name(&st);
	seam_arena_copy(t->path, SEAM_PATH, info->thread, sizeof(info->thread));
	seam_arena_copy(t->name, SEAM_NAME, info->name, sizeof(info->name));
	put(info->state, sizeof(info->state),
	    strcmp(state, "exited") ? state : "ended");
	if (p)
		put(info->created, sizeof(info->created),
		    seam_site_text(s, p, t->create_site));
	if (!doing)
		return;
	put(info->op, sizeof(info->op), seam_verb_name(st.doing.verb));
	seam_doing_object(s, t, &st.doing, info->object, sizeof(info->object));
	if (p)
		put(info->at, sizeof(info->at),
		    seam_site_text(s, p, st.doing.site));
}

/* NULL when there is no memory. */
static struct seam_thread_info *
list_threads(struct seam_session *s, api_next_fn *next, uint64_t since,
	     size_t *n)
{
	struct seam_thread_info *list;
	struct seam_thread *t;
	uint32_t i = 0;
	size_t most = 0;

	while (next(s, since, &i))
		most++;
	list = calloc(most + 1, sizeof(*list));
	i = 0;
	while (list && *n < most && (t = next(s, since, &i)))
		api_thread_info(s, t, &list[(*n)++]);
	return list;
}

enum seam_code
api_threads(struct seam_session *s, api_next_fn *next, uint64_t since,
	    struct seam_thread_info **list, size_t *n)
{
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	*list = NULL;
	*n = 0;
	if (code)
		return api_leave(code, &err);
	seam_lock(s);
	*list = list_threads(s, next, since, n);
	seam_unlock(s);
	if (!*list)
		code = sess_fail(&err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	return api_leave(code, &err);
}

static struct seam_thread *
next_living(struct seam_session *s, uint64_t since, uint32_t *i)
{
	struct seam_thread *t;

	(void)since;
	while ((t = seam_thread_next(s, i)))
		if (atomic_load(&t->state) != SEAM_THREAD_EXITED)
			break;
	return t;
}

enum seam_code
seam_threads(seam_session *s, struct seam_thread_info **list, size_t *n)
{
	return api_threads(s, next_living, 0, list, n);
}

/* Locks. */

static uint64_t
number(const json_t *row, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(row, key));
}

static void
put_lock(struct seam_lock_info *lock, const json_t *row)
{
	char *name;

	put(lock->object, sizeof(lock->object), api_field(row, "name"));
	put(lock->kind, sizeof(lock->kind), api_field(row, "kind"));
	put(lock->proc, sizeof(lock->proc), api_field(row, "proc"));
	put(lock->owner, sizeof(lock->owner), api_field(row, "owner"));
	put(lock->at, sizeof(lock->at), api_field(row, "at"));
	lock->waiters = (unsigned)number(row, "waiters");
	lock->acquired = number(row, "acquired");
	lock->contended = number(row, "contended");
	/* "P1.T0 (main)", as a thread is named elsewhere. */
	name = strstr(lock->owner, " (");
	if (name && lock->owner[0] == 'P')
		*name = '\0';
}

enum seam_code
seam_locks(seam_session *s, struct seam_lock_info **list, size_t *n)
{
	struct seam_error err;
	json_t *rows, *row;
	enum seam_code code = api_enter(s, &err);
	size_t i;

	*list = NULL;
	*n = 0;
	if (code)
		return api_leave(code, &err);
	rows = seam_table_locks(s);
	*list = calloc(json_array_size(rows) + 1, sizeof(**list));
	if (!*list)
		code = sess_fail(&err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	else
		json_array_foreach(rows, i, row)
		    put_lock(&(*list)[(*n)++], row);
	json_decref(rows);
	return api_leave(code, &err);
}
