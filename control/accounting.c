/* SPDX-License-Identifier: MIT */
/* Threads of a test: those started since a mark, and whether they ended. */
#include "accounting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS UINT64_C(1000000)

struct sess_accounts *
seam_accounts(struct seam_session *s)
{
	if (!s->accounts)
		s->accounts = calloc(1, sizeof(*s->accounts));
	return s->accounts;
}

void
seam_accounts_free(struct seam_session *s)
{
	struct sess_accounts *a = s->accounts;

	s->accounts = NULL;
	if (!a)
		return;
	seam_crashes_free(a);
	for (size_t i = 0; i < a->n_expected; i++)
		free(a->expected[i]);
	free(a->expected);
	free(a->left);
	free(a);
}

/* Marks. */

uint64_t
sess_mark(struct seam_session *s)
{
	struct sess_accounts *a;
	uint64_t mark;

	seam_lock(s);
	mark = atomic_load(&s->arena->head.births);
	a = seam_accounts(s);
	if (a)
		a->mark = mark;
	seam_unlock(s);
	return mark;
}

static uint64_t
mark_of(struct seam_session *s, uint64_t since)
{
	if (since != SEAM_LAST_MARK)
		return since;
	return s->accounts ? s->accounts->mark : 0;
}

uint64_t
sess_last_mark(struct seam_session *s)
{
	uint64_t mark;

	seam_lock(s);
	mark = mark_of(s, SEAM_LAST_MARK);
	seam_unlock(s);
	return mark;
}

/* Threads. */

/* Not a process's first: that one is the process. */
static bool
is_made(struct seam_session *s, const struct seam_thread *t)
{
	const struct seam_process *p = seam_process_at(s, t->proc);

	return p && t->path[0] &&
	       atomic_load(&s->arena->proc[p->index].main) !=
		   seam_thread_index(s, t) + 1;
}

static bool
counts(struct seam_session *s, const struct seam_thread *t, uint64_t since)
{
	return t->born > since && is_made(s, t) &&
	       atomic_load(&t->state) != SEAM_THREAD_EXITED;
}

struct seam_thread *
seam_left_next(struct seam_session *s, uint64_t since, uint32_t *i)
{
	struct seam_thread *t;

	while ((t = seam_thread_next(s, i)))
		if (counts(s, t, since))
			return t;
	return NULL;
}

/* The eldest of them. */
static struct seam_thread *
first_left(struct seam_session *s, uint64_t since)
{
	struct seam_thread *t, *first = NULL;
	uint32_t i = 0;

	while ((t = seam_left_next(s, since, &i)))
		if (!first || t->born < first->born)
			first = t;
	return first;
}

static void
put_left(struct seam_session *s, json_t *row, const struct seam_thread *t)
{
	struct seam_process *p = seam_process_at(s, t->proc);
	struct seam_stand st;
	char buf[SEAM_NAME_TEXT];

	seam_stand(t, &st);
	seam_arena_copy(t->path, SEAM_PATH, buf, sizeof(buf));
	seam_json_put(row, "thread", buf);
	seam_arena_copy(t->name, SEAM_NAME, buf, sizeof(buf));
	seam_json_put(row, "name", buf);
	seam_put_state(s, row, t, &st);
	seam_json_put(row, "created",
		      p ? seam_site_text(s, p, t->create_site) : "");
}

json_t *
seam_table_left(struct seam_session *s, uint64_t since)
{
	json_t *rows = json_array(), *row;
	struct seam_thread *t;
	uint32_t i = 0;

	seam_lock(s);
	since = mark_of(s, since);
	while ((t = seam_left_next(s, since, &i))) {
		row = json_object();
		put_left(s, row, t);
		json_array_append_new(rows, row);
	}
	seam_unlock(s);
	return rows;
}

/* "P1.T0.2 (worker) is running, created at start_pool pool.c:30". */
static void
say_left(struct seam_session *s, const struct seam_thread *t,
	 struct seam_text *text)
{
	struct seam_process *p = seam_process_at(s, t->proc);
	const char *site = p ? seam_site_text(s, p, t->create_site) : "";
	char buf[1024];

	seam_text_add(text, "%s%s%s",
		      seam_doing_describe(s, t, buf, sizeof(buf)),
		      *site ? ", created at " : "", site);
}

/* Joining. */

static unsigned
count_left(struct seam_session *s, uint64_t since)
{
	unsigned n = 0;
	uint32_t i = 0;

	while (seam_left_next(s, since, &i))
		n++;
	return n;
}

static enum seam_code
say_alive(struct seam_session *s, const struct sess_wait *w, uint64_t since,
	  unsigned n, struct seam_error *err)
{
	char list[800] = "";
	struct seam_text text = { .buf = list, .size = sizeof(list) };
	struct seam_thread *t;
	uint32_t i = 0;

	while ((t = seam_left_next(s, since, &i))) {
		if (text.n)
			seam_text_add(&text, "; ");
		say_left(s, t, &text);
	}
	return sess_fail(err, SEAM_E_TIMEOUT, 0,
			 "%u thread%s still alive after %llu ms%s: %s", n,
			 n == 1 ? " is" : "s are",
			 (unsigned long long)w->timeout_ms,
			 n == 1 ? "" : " each", list);
}

/*
 * One after the other, each with a timeout of its own: what is waited for is
 * the eldest that has not been given up.
 */
enum seam_code
seam_join_check(struct seam_session *s, struct sess_wait *w, json_t *reply,
		struct seam_error *err)
{
	uint64_t since = mark_of(s, w->since), now = seam_now();
	uint64_t given_up = w->joining > since ? w->joining - 1 : since;
	struct seam_thread *t = first_left(s, given_up);
	unsigned n;

	if (t && t->born == w->joining && now >= w->deadline)
		t = first_left(s, w->joining);
	if (t) {
		if (t->born != w->joining)
			w->deadline = now + w->timeout_ms * MS_NS;
		w->joining = t->born;
		if (now < w->deadline)
			return SEAM_PENDING;
	}
	n = count_left(s, since);
	if (n)
		return say_alive(s, w, since, n, err);
	json_object_set_new(reply, "alive", json_integer(0));
	return SEAM_OK;
}

/* At exits. */

static bool
was_left(struct seam_session *s, const struct seam_process *p,
	 const struct seam_thread *t)
{
	uint32_t by = atomic_load(&s->arena->proc[p->index].exiting);

	return t->proc == p->index && is_made(s, t) &&
	       atomic_load(&t->state) != SEAM_THREAD_EXITED &&
	       seam_thread_index(s, t) + 1 != by;
}

/* One more text at the end of another; true: there was memory. */
static bool
append(char **to, const char *text)
{
	char *all;

	if (asprintf(&all, "%s%s", *to ? *to : "", text) < 0)
		return false;
	free(*to);
	*to = all;
	return true;
}

void
seam_note_left(struct seam_session *s, struct seam_process *p)
{
	struct sess_accounts *a = NULL;
	char line[1400], path[SEAM_PATH];
	struct seam_thread *t;
	uint32_t i = 0;

	while ((t = seam_thread_next(s, &i))) {
		struct seam_text text = { .buf = line, .size = sizeof(line) };

		if (!was_left(s, p, t) || !(a = seam_accounts(s)))
			continue;
		seam_text_add(&text, "%s%s%s left behind: ",
			      seam_process_path(s, p, path),
			      p->alias ? " " : "", p->alias ? p->alias : "");
		say_left(s, t, &text);
		seam_text_add(&text, "\n");
		append(&a->left, line);
	}
}

char *
sess_left_at_exit(struct seam_session *s)
{
	char *text = NULL;

	seam_lock(s);
	if (s->accounts && s->accounts->left)
		text = strdup(s->accounts->left);
	seam_unlock(s);
	return text;
}
