/* SPDX-License-Identifier: MIT */
/* Names and indexes to entries; nothing read here is trusted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"

struct seam_thread *
seam_thread_at(struct seam_session *s, uint32_t i)
{
	struct seam_thread *t;

	if (i >= seam_arena_threads(s->arena))
		return NULL;
	t = &s->arena->thread[i];
	return atomic_load(&t->state) == SEAM_THREAD_NONE ? NULL : t;
}

unsigned
seam_object_kind(const struct seam_object *o)
{
	unsigned kind = *(const volatile uint8_t *)&o->kind;

	return kind < SEAM_KINDS ? kind : 0;
}

const char *
seam_object_kind_name(const struct seam_object *o)
{
	unsigned kind = seam_object_kind(o);

	return kind ? seam_kinds[kind] : "";
}

struct seam_object *
seam_object_at(struct seam_session *s, uint32_t i)
{
	struct seam_object *o;

	if (i >= seam_arena_objects(s->arena))
		return NULL;
	o = &s->arena->object[i];
	return seam_object_kind(o) ? o : NULL;
}

struct seam_process *
seam_process_at(struct seam_session *s, uint32_t i)
{
	return i < SEAM_MAX_PROCS && s->process[i].used ? &s->process[i] : NULL;
}

void
seam_arena_copy(const char *from, size_t max, char *buf, size_t size)
{
	size_t n = strnlen(from, max);

	if (size == 0)
		return;
	if (n > size - 1)
		n = size - 1;
	memcpy(buf, from, n);
	buf[n] = '\0';
}

void
seam_arena_string(struct seam_session *s, uint32_t offset, char *buf,
		  size_t size)
{
	if (offset >= SEAM_STRING_BYTES)
		offset = 0;
	seam_arena_copy(s->arena->string + offset, SEAM_STRING_BYTES - offset,
			buf, size);
}

/* What a search has come upon: the best rank wins; among equals those that
 * live; more than one is ambiguous. */
struct found {
	unsigned rank, n;
	void *entry;
	char list[512];
};

static void
found_add(struct found *f, unsigned rank, void *entry, const char *name)
{
	size_t len;

	if (f->n && rank > f->rank)
		return;
	if (!f->n || rank < f->rank) {
		f->rank = rank;
		f->n = 0;
		f->list[0] = '\0';
		f->entry = entry;
	}
	f->n++;
	len = strlen(f->list);
	if (len + SEAM_PATH + 8 < sizeof(f->list))
		snprintf(f->list + len, sizeof(f->list) - len, "%s%s",
			 f->n > 1 ? ", " : "", name);
}

static void
process_path(struct seam_session *s, const struct seam_process *p,
	     char path[SEAM_PATH])
{
	seam_arena_copy(s->arena->proc[p->index].path, SEAM_PATH, path,
			SEAM_PATH);
}

enum { EXACT = 1, BY_PID, BY_GLOB, NO_MATCH = 100 };

static unsigned
process_rank(const struct seam_process *p, const char *path, const char *name)
{
	char *end;
	long pid = strtol(name, &end, 10);

	if (!strcmp(name, path) || (p->alias && !strcmp(name, p->alias)))
		return EXACT;
	if (end != name && *end == '\0' && pid == p->pid)
		return BY_PID;
	if (seam_glob(name, path) || (p->alias && seam_glob(name, p->alias)))
		return BY_GLOB;
	return NO_MATCH;
}

struct seam_process *
seam_process_find(struct seam_session *s, const char *name, int column,
		  struct seam_error *err)
{
	struct found f = { .n = 0 };
	struct seam_near near = { .word = name };
	char path[SEAM_PATH];
	unsigned rank;

	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];

		if (!p->used)
			continue;
		process_path(s, p, path);
		seam_near_try(&near, p->alias ? p->alias : "");
		rank = process_rank(p, path, name);
		if (rank == NO_MATCH)
			continue;
		/* The latest, among ended ones of the same alias. */
		rank = 2 * rank + p->ended;
		if (f.n && f.rank == rank && p->ended && p->alias &&
		    !strcmp(p->alias, name)) {
			struct seam_process *q = f.entry;

			if (s->own->extra[q->index].ended <
			    s->own->extra[i].ended)
				f.entry = p;
			continue;
		}
		found_add(&f, rank, p, path);
	}
	if (f.n == 1)
		return f.entry;
	if (f.n > 1)
		sess_fail(err, SEAM_E_AMBIGUOUS, column, "%s may be %s",
			  seam_show(name).s, f.list);
	else
		sess_fail(err, SEAM_E_NO_SUCH_THREAD, column,
			  "no process %s%s%s", seam_show(name).s,
			  near.best ? "; did you mean " : "",
			  near.best ? near.best : "");
	return NULL;
}

/* Threads. */

struct thread_names {
	char path[SEAM_PATH], name[SEAM_NAME], nth[SEAM_NAME + 12];
	char proc[SEAM_PATH];
	const char *alias; /* of the process, or NULL */
	bool main;
};

static void
thread_names(struct seam_session *s, struct seam_thread *t,
	     struct thread_names *n)
{
	struct seam_process *p = seam_process_at(s, t->proc);
	uint32_t main;

	memset(n, 0, sizeof(*n));
	seam_arena_copy(t->path, SEAM_PATH, n->path, sizeof(n->path));
	seam_arena_copy(t->name, SEAM_NAME, n->name, sizeof(n->name));
	if (n->name[0])
		snprintf(n->nth, sizeof(n->nth), "%s.%u", n->name,
			 t->name_ordinal);
	if (!p)
		return;
	process_path(s, p, n->proc);
	n->alias = p->alias;
	main = atomic_load(&s->arena->proc[p->index].main);
	n->main = main == (uint32_t)(t - s->arena->thread) + 1;
}

/* What follows "PREFIX." in name, or NULL. */
static const char *
after_prefix(const char *name, const char *prefix)
{
	size_t n = prefix ? strlen(prefix) : 0;

	if (n == 0 || strncmp(name, prefix, n) != 0 || name[n] != '.')
		return NULL;
	return name + n + 1;
}

static unsigned
thread_rank(const struct thread_names *n, const char *name)
{
	const char *own = after_prefix(n->path, n->proc);
	const char *rest = after_prefix(name, n->alias);

	if (!strcmp(name, n->path))
		return 1;
	if (rest && own && !strcmp(rest, own))
		return 1;
	if (n->main &&
	    (!strcmp(name, n->proc) || (n->alias && !strcmp(name, n->alias))))
		return 2;
	if (!rest)
		rest = after_prefix(name, n->proc);
	if (n->name[0] && (!strcmp(name, n->name) || !strcmp(name, n->nth)))
		return 3;
	if (n->name[0] && rest &&
	    (!strcmp(rest, n->name) || !strcmp(rest, n->nth)))
		return 3;
	if (seam_glob(name, n->path) ||
	    (n->name[0] &&
	     (seam_glob(name, n->name) || seam_glob(name, n->nth))) ||
	    (rest && own && seam_glob(rest, own)))
		return 4;
	return NO_MATCH;
}

struct seam_thread *
seam_thread_find_name(struct seam_session *s, const char *name, int column,
		      struct seam_error *err)
{
	struct found f = { .n = 0 };
	struct seam_near near = { .word = name };
	struct thread_names names;
	struct seam_thread *t;
	unsigned rank;

	for (unsigned i = 0; i < seam_arena_threads(s->arena); i++) {
		t = seam_thread_at(s, i);
		if (!t || !seam_process_at(s, t->proc))
			continue;
		thread_names(s, t, &names);
		rank = thread_rank(&names, name);
		if (rank != NO_MATCH)
			found_add(&f,
				  2 * rank + (atomic_load(&t->state) ==
					      SEAM_THREAD_EXITED),
				  t, names.path);
	}
	if (f.n == 1)
		return f.entry;
	for (unsigned i = 0; i < s->processes; i++)
		if (s->process[i].used && s->process[i].alias)
			seam_near_try(&near, s->process[i].alias);
	if (f.n > 1)
		sess_fail(err, SEAM_E_AMBIGUOUS, column, "%s may be %s",
			  seam_show(name).s, f.list);
	else
		sess_fail(err, SEAM_E_NO_SUCH_THREAD, column,
			  "no thread %s%s%s", seam_show(name).s,
			  near.best ? "; did you mean " : "",
			  near.best ? near.best : "");
	return NULL;
}
