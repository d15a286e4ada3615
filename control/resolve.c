/* SPDX-License-Identifier: MIT */
/*
 * What an object's name stands for in one process.
 *
 * A name is tried as all of these, since only the process can tell:
 *	a name that was given (seam_name, sem_open)
 *	queue.c:88#2, put#1	made at a site, the n-th there
 *	P1.T0/mutex#3		first met by a thread, the third of its kind
 *	lib.so!pool+0x40	data symbols
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules_int.h"

bool
seam_found_add(struct seam_found *f, const struct seam_found_object *o)
{
	size_t cap = f->cap ? 2 * f->cap : 8;
	struct seam_found_object *v;

	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].lo == o->lo && f->v[i].hi == o->hi)
			return true;
	if (f->n == f->cap) {
		v = realloc(f->v, cap * sizeof(*v));
		if (!v)
			return false;
		f->v = v;
		f->cap = cap;
	}
	f->v[f->n++] = *o;
	return true;
}

void
seam_found_free(struct seam_found *f)
{
	free(f->v);
	seam_ranges_free(&f->init);
	memset(f, 0, sizeof(*f));
}

static bool
is_of(const struct seam_object *o, const struct seam_process *p, int kind)
{
	return o && o->proc == p->index && !atomic_load(&o->dead) &&
	       o->kind != SEAM_KIND_FILE && (!kind || o->kind == kind);
}

uint32_t
seam_object_index(struct seam_session *s, const struct seam_process *p,
		  uint64_t addr, int kind)
{
	uint32_t n = seam_objects(s);

	for (uint32_t i = 0; i < n; i++) {
		struct seam_object *o = seam_object_at(s, i);

		if (is_of(o, p, kind) && o->addr == addr)
			return i + 1;
	}
	return 0;
}

static void
add_entry(struct seam_session *s, uint32_t i, struct seam_found *out)
{
	struct seam_object *o = seam_object_at(s, i);
	struct seam_found_object f = { .object = i + 1 };

	if (!o)
		return;
	f.lo = o->addr;
	f.hi = o->addr + 1;
	f.kind = (uint8_t)seam_object_kind(o);
	seam_found_add(out, &f);
}

static void
find_address(struct seam_session *s, struct seam_process *p,
	     const struct seam_object_name *name, struct seam_found *out)
{
	struct seam_found_object f = { .lo = name->addr };
	struct seam_object *o;

	f.hi = f.lo + 1;
	f.object = seam_object_index(s, p, f.lo, name->kind);
	f.kind = (uint8_t)name->kind;
	o = f.object ? seam_object_at(s, f.object - 1) : NULL;
	if (o)
		f.kind = (uint8_t)seam_object_kind(o);
	seam_found_add(out, &f);
}

/* Given names. */

static bool
bears(struct seam_session *s, const struct seam_object *o, const char *glob)
{
	uint32_t at = atomic_load(&o->name);
	char given[SEAM_NAME_TEXT];

	if (!at)
		return false;
	seam_arena_string(s, at, given, sizeof(given));
	if (o->kind == SEAM_KIND_SEM && *glob == '/' && *given != '/')
		glob++; /* sem_open takes "jobs" for "/jobs" */
	return seam_glob(glob, given);
}

static void
find_given(struct seam_session *s, struct seam_process *p, const char *glob,
	   int kind, struct seam_found *out)
{
	uint32_t n = seam_objects(s);

	for (uint32_t i = 0; i < n; i++) {
		struct seam_object *o = seam_object_at(s, i);

		if (is_of(o, p, kind) && bears(s, o, glob))
			add_entry(s, i, out);
	}
}

static void
bind_given(struct seam_found *out, const char *glob, int kind)
{
	out->bind = SEAM_MATCH_BIND_NAME;
	out->kind = (uint8_t)kind;
	out->ordinal = strpbrk(glob, "*?") ? 0 : 1;
	snprintf(out->glob, sizeof(out->glob), "%s", glob);
}

/* Where they were made, or first met. */

/* "head#12": the number, and how long the head is; else false. */
static bool
split_ordinal(const char *name, size_t *head, uint32_t *ordinal)
{
	const char *hash = strrchr(name, '#');
	unsigned long n;
	char *end;

	if (!hash || hash == name || !isdigit((unsigned char)hash[1]))
		return false;
	errno = 0;
	n = strtoul(hash + 1, &end, 10);
	if (errno || *end || !n || n > UINT32_MAX)
		return false;
	*head = (size_t)(hash - name);
	*ordinal = (uint32_t)n;
	return true;
}

static bool
is_line(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon && colon > name && colon[-1] != ':' && colon[1] &&
	       !colon[1 + strspn(colon + 1, "0123456789")];
}

static bool
in_ranges(const struct seam_ranges *r, uint64_t addr)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].lo <= addr && addr < r->v[i].hi)
			return true;
	return false;
}

static void
find_made(struct seam_session *s, struct seam_process *p, const char *site,
	  uint32_t ordinal, int kind, struct seam_found *out)
{
	struct seam_map *map = seam_map_of(p);
	uint32_t n = seam_objects(s);

	if (!map || seam_map_find_site(map, site, &out->init) || !out->init.n)
		return;
	out->bind = SEAM_MATCH_BIND_SITE;
	out->ordinal = ordinal;
	out->kind = (uint8_t)kind;
	for (uint32_t i = 0; i < n; i++) {
		struct seam_object *o = seam_object_at(s, i);

		if (is_of(o, p, kind) && in_ranges(&out->init, o->init_site) &&
		    (!ordinal || o->init_ordinal == ordinal))
			add_entry(s, i, out);
	}
}

static int
kind_named(const char *name, size_t n)
{
	for (int k = 1; k < SEAM_KINDS; k++)
		if (strlen(seam_kinds[k]) == n &&
		    !memcmp(seam_kinds[k], name, n))
			return k;
	return 0;
}

static bool
met_by(struct seam_session *s, const struct seam_object *o, const char *glob)
{
	const struct seam_thread *t;
	char path[SEAM_PATH];

	t = o->first_thread ? seam_thread_at(s, o->first_thread - 1) : NULL;
	if (!t)
		return false;
	seam_arena_copy(t->path, SEAM_PATH, path, sizeof(path));
	return seam_glob(glob, path);
}

/* "P1.T0/mutex#3"; false when it has not that form at all. */
static bool
find_met(struct seam_session *s, struct seam_process *p, const char *name,
	 size_t head, uint32_t ordinal, int want, struct seam_found *out)
{
	const char *slash = memrchr(name, '/', head);
	uint32_t n = seam_objects(s);
	char who[SEAM_NAME_TEXT];
	bool own;
	int kind;

	if (!slash || slash == name)
		return false;
	kind = kind_named(slash + 1, (size_t)(name + head - slash - 1));
	if (!kind)
		return false;
	snprintf(who, sizeof(who), "%.*s", (int)(slash - name), name);
	if (want && want != kind)
		return true;
	/* What a child has of its parent was met by the parent's threads. */
	own = seam_thread_pattern(s, p, who, out->glob, sizeof(out->glob));
	out->bind = own ? SEAM_MATCH_BIND_MET : 0;
	out->ordinal = ordinal;
	out->kind = (uint8_t)kind;
	for (uint32_t i = 0; i < n; i++) {
		struct seam_object *o = seam_object_at(s, i);

		if (is_of(o, p, kind) && o->first_ordinal == ordinal &&
		    met_by(s, o, out->glob))
			add_entry(s, i, out);
	}
	return true;
}

/* Symbols. */

struct symbol_search {
	struct seam_found *out;
	bool inner_given;
	uint64_t inner;
	int kind;
};

static int
add_symbol(const struct seam_symbol *sym, void *data)
{
	struct symbol_search *q = data;
	struct seam_found_object f = { .lo = sym->addr + q->inner };

	if (sym->function)
		return 0;
	f.hi = f.lo + 1;
	if (!q->inner_given && sym->size)
		f.hi = f.lo + sym->size;
	f.inner = q->inner;
	f.kind = (uint8_t)q->kind;
	f.module = sym->module;
	f.symbol = sym->name;
	seam_found_add(q->out, &f);
	return 0;
}

/* Their statics are meant only when nobody else has the name, or with the
 * module before it. */
static bool
is_system(const char *module)
{
	static const char *const names[] = { "libc.so*", "ld-linux*",
					     "libpthread.so*", "libm.so*",
					     "libseam.so*" };

	for (size_t i = 0; module && i < sizeof(names) / sizeof(*names); i++)
		if (seam_glob(names[i], module))
			return true;
	return false;
}

static void
leave_out_system(struct seam_found *f)
{
	size_t own = 0;

	for (size_t i = 0; i < f->n; i++)
		if (!is_system(f->v[i].module))
			f->v[own++] = f->v[i];
	f->n = own ? own : f->n;
}

static void
find_symbol(struct seam_process *p, const char *name, int kind,
	    struct seam_found *out)
{
	struct symbol_search q = { .out = out, .kind = kind };
	struct seam_map *map = seam_map_of(p);
	const char *plus = strrchr(name, '+');
	char base[SEAM_NAME_TEXT], *end;

	if (!map)
		return;
	if (seam_map_find_object(map, name, add_symbol, &q) == 0 && out->n)
		return;
	if (!plus || plus == name || !isdigit((unsigned char)plus[1]))
		return;
	q.inner = strtoull(plus + 1, &end, 0);
	q.inner_given = true;
	if (*end)
		return;
	snprintf(base, sizeof(base), "%.*s", (int)(plus - name), name);
	seam_map_find_object(map, base, add_symbol, &q);
}

static void
find_thread(struct seam_session *s, struct seam_process *p, const char *name,
	    struct seam_found *out)
{
	char glob[SEAM_NAME_TEXT], path[SEAM_PATH], own[SEAM_NAME];
	struct seam_thread *t;
	uint32_t i = 0;

	if (!seam_thread_pattern(s, p, name, glob, sizeof(glob)))
		return;
	while ((t = seam_thread_next(s, &i))) {
		struct seam_found_object f = { .kind = SEAM_KIND_THREAD };

		if (t->proc != p->index || !t->handle)
			continue;
		seam_arena_copy(t->path, SEAM_PATH, path, sizeof(path));
		seam_arena_copy(t->name, SEAM_NAME, own, sizeof(own));
		if (!seam_glob(glob, path) && !seam_glob(glob, own))
			continue;
		f.lo = t->handle;
		f.hi = f.lo + 1;
		seam_found_add(out, &f);
	}
}

void
seam_find(struct seam_session *s, struct seam_process *p,
	  const struct seam_object_name *name, struct seam_found *out)
{
	char site[SEAM_NAME_TEXT];
	uint32_t ordinal = 0;
	size_t head;

	memset(out, 0, sizeof(*out));
	if (name->is_addr) {
		find_address(s, p, name, out);
		return;
	}
	if (name->is_file || !name->name)
		return;
	find_given(s, p, name->name, name->kind, out);
	if (name->is_sem) {
		bind_given(out, name->name, SEAM_KIND_SEM);
		return;
	}
	if (name->kind == SEAM_KIND_THREAD) {
		find_thread(s, p, name->name, out);
		return;
	}
	head = strlen(name->name);
	if (split_ordinal(name->name, &head, &ordinal) &&
	    find_met(s, p, name->name, head, ordinal, name->kind, out))
		return;
	snprintf(site, sizeof(site), "%.*s", (int)head, name->name);
	if (ordinal || is_line(name->name)) {
		find_made(s, p, site, ordinal, name->kind, out);
		if (out->bind)
			return;
	}
	find_symbol(p, name->name, name->kind, out);
	leave_out_system(out);
	if (!out->n)
		bind_given(out, name->name, name->kind);
}

/* A file's path, or the end of it from a component on. */
static bool
path_matches(const char *pattern, const char *path)
{
	const char *at = path;

	if (seam_glob(pattern, path))
		return true;
	if (*pattern == '/')
		return false;
	while ((at = strchr(at, '/')))
		if (seam_glob(pattern, ++at))
			return true;
	return false;
}

bool
seam_doing_on(struct seam_session *s, const struct seam_thread *t,
	      const struct seam_doing *d, const struct seam_object_name *name)
{
	struct seam_process *p = seam_process_at(s, t->proc);
	struct seam_found found;
	char text[SEAM_NAME_TEXT];
	bool on = false;

	if (name->kind && d->kind != name->kind)
		return false;
	seam_doing_object(s, t, d, text, sizeof(text));
	if (name->is_file)
		return path_matches(name->name, text);
	if (name->name && !strcmp(name->name, text))
		return true;
	if (!p || !d->addr)
		return false;
	seam_find(s, p, name, &found);
	for (size_t i = 0; i < found.n && !on; i++)
		on = found.v[i].lo <= d->addr && d->addr < found.v[i].hi;
	seam_found_free(&found);
	return on;
}
