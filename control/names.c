/* SPDX-License-Identifier: MIT */
/* Names of objects, threads and sites, and sentences made of them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena_ctl.h"
#include "inner.h"
#include "rules_int.h"

#define ENDED_SHOWN 4

void
seam_text_add(struct seam_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->n + 1 >= t->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->n, t->size - t->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->n += (size_t)n;
	if (t->n >= t->size)
		t->n = t->size - 1;
}

/* Names come out of targets: what is no UTF-8 must not end a table. */
void
seam_json_put(json_t *object, const char *key, const char *text)
{
	json_t *value = json_string(text);
	char *clean = value ? NULL : strdup(text);

	for (char *c = clean; c && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	json_object_set_new(object, key, value ? value : json_string(clean));
	free(clean);
}

struct seam_map *
seam_map_of(struct seam_process *p)
{
	return p->map;
}

const char *
seam_verb_name(unsigned verb)
{
	return verb && verb < SEAM_VERBS ? seam_verbs[verb].name : "";
}

const char *
seam_state_name(const struct seam_stand *st)
{
	static const char *const names[] = {
		[SEAM_THREAD_NONE] = "none",
		[SEAM_THREAD_NEW] = "new",
		[SEAM_THREAD_RUNNING] = "running",
		[SEAM_THREAD_PARKED] = "parked",
		[SEAM_THREAD_HELD] = "held",
		[SEAM_THREAD_BLOCKED] = "blocked",
		[SEAM_THREAD_EXITED] = "exited",
	};

	/* Let go, and not yet on its feet. */
	if (!st->parked &&
	    (st->state == SEAM_THREAD_PARKED || st->state == SEAM_THREAD_HELD))
		return names[SEAM_THREAD_RUNNING];
	return st->state <= SEAM_THREAD_EXITED ? names[st->state] : "?";
}

const char *
seam_result_text(int32_t result, char *buf, size_t size)
{
	const char *name = result ? seam_errno_name(result) : "ok";

	if (name)
		return name;
	snprintf(buf, size, "%d", result);
	return buf;
}

/* Sites. */

static const char *
base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

char *
seam_site_describe(struct seam_session *s, struct seam_process *p,
		   uint64_t site, char *buf, size_t size)
{
	struct seam_map *map = p ? seam_map_of(p) : NULL;

	(void)s;
	if (!site)
		snprintf(buf, size, "%s", "");
	else if (map)
		seam_map_describe(map, site, buf, size);
	else
		snprintf(buf, size, "0x%llx", (unsigned long long)site);
	return buf;
}

/* Names that hold as long as the process has the same maps. */
static const char *
kept_text(struct seam_session *s, struct seam_process *p, uint64_t site,
	  bool data)
{
	uint64_t h =
	    (site ^ ((uint64_t)p->index << 40)) * UINT64_C(0x9e3779b97f4a7c15);
	struct seam_room *room = seam_room(s);
	struct seam_sited *c;
	char text[SEAM_NAME_TEXT];

	if (!site || !room->site)
		return "";
	c = &room->site[(h >> 32) % SEAM_SITES_CACHED];
	if (c->text && c->site == site && c->data == data &&
	    c->proc == p->index && c->maps == p->maps_seen)
		return c->text;
	if (!c->site)
		room->filled[room->nfilled++] = (uint16_t)(c - room->site);
	free(c->text);
	if (data)
		seam_addr_describe(s, p, site, text, sizeof(text));
	else
		seam_site_describe(s, p, site, text, sizeof(text));
	*c = (struct seam_sited){ .text = strdup(text),
				  .site = site,
				  .data = data,
				  .proc = p->index,
				  .maps = p->maps_seen };
	return c->text ? c->text : "";
}

const char *
seam_site_text(struct seam_session *s, struct seam_process *p, uint64_t site)
{
	return kept_text(s, p, site, false);
}

const char *
seam_addr_text(struct seam_session *s, struct seam_process *p, uint64_t addr)
{
	return kept_text(s, p, addr, true);
}

/* Objects. */

static bool
put_symbol(struct seam_process *p, uint64_t addr, char *buf, size_t size)
{
	struct seam_map *map = p ? seam_map_of(p) : NULL;
	struct seam_symbol sym;
	uint64_t off;

	if (!map || seam_map_object(map, addr, &sym) || !sym.name)
		return false;
	off = addr - sym.addr;
	if (off)
		snprintf(buf, size, "%s+0x%llx", sym.name,
			 (unsigned long long)off);
	else
		snprintf(buf, size, "%s", sym.name);
	return true;
}

static bool
put_made(struct seam_process *p, const struct seam_object *o, char *buf,
	 size_t size)
{
	struct seam_map *map = p ? seam_map_of(p) : NULL;
	struct seam_site site;

	if (!o->init_site || !o->init_ordinal || !map ||
	    seam_map_site(map, o->init_site, &site))
		return false;
	if (site.file && site.line)
		snprintf(buf, size, "%s:%d#%u", base_name(site.file), site.line,
			 o->init_ordinal);
	else if (site.function)
		snprintf(buf, size, "%s#%u", site.function, o->init_ordinal);
	else
		snprintf(buf, size, "%s+0x%llx#%u", site.module,
			 (unsigned long long)site.offset, o->init_ordinal);
	return true;
}

static bool
put_met(struct seam_session *s, const struct seam_object *o, char *buf,
	size_t size)
{
	const struct seam_thread *t;
	char path[SEAM_PATH];

	t = o->first_thread ? seam_thread_at(s, o->first_thread - 1) : NULL;
	if (!t || !o->first_ordinal)
		return false;
	seam_arena_copy(t->path, SEAM_PATH, path, sizeof(path));
	snprintf(buf, size, "%s/%s#%u", path, seam_object_kind_name(o),
		 o->first_ordinal);
	return true;
}

static void
put_given(struct seam_session *s, const struct seam_object *o, char *buf,
	  size_t size)
{
	char given[SEAM_NAME_TEXT];

	seam_arena_string(s, atomic_load(&o->name), given, sizeof(given));
	snprintf(buf, size, "%s%s",
		 o->kind == SEAM_KIND_SEM && *given == '/' ? "sem:" : "",
		 given);
}

/* What somebody called it says more than where it lies. */
char *
seam_object_describe(struct seam_session *s, const struct seam_object *o,
		     char *buf, size_t size)
{
	struct seam_process *p = seam_process_at(s, o->proc);

	if (atomic_load(&o->name))
		put_given(s, o, buf, size);
	else if (o->kind == SEAM_KIND_FILE)
		snprintf(buf, size, "dev %llu inode %llu",
			 (unsigned long long)o->addr,
			 (unsigned long long)o->addr2);
	else if (!put_symbol(p, o->addr, buf, size) &&
		 !put_made(p, o, buf, size) && !put_met(s, o, buf, size))
		snprintf(buf, size, "@0x%llx", (unsigned long long)o->addr);
	return buf;
}

char *
seam_addr_describe(struct seam_session *s, struct seam_process *p,
		   uint64_t addr, char *buf, size_t size)
{
	(void)s;
	if (!put_symbol(p, addr, buf, size))
		snprintf(buf, size, "@0x%llx", (unsigned long long)addr);
	return buf;
}

const char *
seam_object_text(struct seam_session *s, uint32_t index)
{
	struct seam_object *o = seam_object_at(s, index);
	struct seam_process *p = o ? seam_process_at(s, o->proc) : NULL;
	uint32_t maps = p ? p->maps_seen : 0, generation, given;
	struct seam_room *room = seam_room(s);
	struct seam_named *n;
	char text[SEAM_NAME_TEXT];

	if (!o || !room->name)
		return "";
	n = &room->name[index];
	generation = atomic_load(&o->generation);
	given = atomic_load(&o->name);
	if (n->text && n->addr == o->addr && n->generation == generation &&
	    n->given == given && n->maps == maps)
		return n->text;
	free(n->text);
	if (index >= room->names)
		room->names = index + 1;
	seam_object_describe(s, o, text, sizeof(text));
	*n = (struct seam_named){ .text = strdup(text),
				  .addr = o->addr,
				  .generation = generation,
				  .given = given,
				  .maps = maps };
	return n->text ? n->text : "";
}

void
seam_names_forget(struct seam_room *room, uint32_t proc)
{
	for (uint32_t i = 0; i < room->nfilled; i++) {
		struct seam_sited *c = &room->site[room->filled[i]];

		if (c->proc != proc)
			continue;
		free(c->text);
		c->text = NULL;
	}
}

void
seam_names_free(struct seam_room *room)
{
	for (uint32_t i = 0; i < room->names; i++)
		free(room->name[i].text);
	for (uint32_t i = 0; i < room->nfilled; i++)
		free(room->site[room->filled[i]].text);
	if (room->name)
		seam_pages_free(room->name, SEAM_NAMES_BYTES);
	if (room->site)
		seam_pages_free(room->site, SEAM_SITES_BYTES);
	room->name = NULL;
	room->site = NULL;
}

/* Threads. */

char *
seam_thread_describe(struct seam_session *s, const struct seam_thread *t,
		     char *buf, size_t size)
{
	char path[SEAM_PATH], name[SEAM_NAME];

	(void)s;
	seam_arena_copy(t->path, SEAM_PATH, path, sizeof(path));
	seam_arena_copy(t->name, SEAM_NAME, name, sizeof(name));
	if (*name)
		snprintf(buf, size, "%s (%s)", path, name);
	else
		snprintf(buf, size, "%s", path);
	return buf;
}

char *
seam_doing_object(struct seam_session *s, const struct seam_thread *t,
		  const struct seam_doing *d, char *buf, size_t size)
{
	struct seam_process *p = seam_process_at(s, t->proc);
	const struct seam_thread *peer;

	*buf = '\0';
	peer = d->peer ? seam_thread_at(s, d->peer - 1) : NULL;
	if (peer)
		return seam_thread_describe(s, peer, buf, size);
	if (d->object && seam_object_at(s, d->object - 1))
		seam_arena_copy(seam_object_text(s, d->object - 1),
				SEAM_NAME_TEXT, buf, size);
	else if (d->addr && p)
		seam_arena_copy(seam_addr_text(s, p, d->addr), SEAM_NAME_TEXT,
				buf, size);
	else if (d->addr)
		seam_addr_describe(s, p, d->addr, buf, size);
	return buf;
}

static void
add_owner(struct seam_session *s, struct seam_text *text,
	  const struct seam_thread *t, const struct seam_doing *d)
{
	struct seam_object *o =
	    d->object ? seam_object_at(s, d->object - 1) : NULL;
	uint32_t owner = o ? atomic_load(&o->owner) : 0;
	struct seam_thread *by = owner ? seam_thread_at(s, owner - 1) : NULL;
	char who[SEAM_NAME_TEXT], where[SEAM_NAME_TEXT];

	if (!by)
		return;
	seam_thread_describe(s, by, who, sizeof(who));
	seam_site_describe(s, seam_process_at(s, by->proc), o->owner_site,
			   where, sizeof(where));
	seam_text_add(text, ", held by %s%s%s%s", by == t ? "itself, " : "",
		      who, *where ? " since " : "", where);
}

static void
add_call(struct seam_session *s, struct seam_text *text,
	 const struct seam_thread *t, const struct seam_doing *d,
	 const char *before)
{
	char obj[SEAM_NAME_TEXT], at[SEAM_NAME_TEXT];

	seam_doing_object(s, t, d, obj, sizeof(obj));
	seam_site_describe(s, seam_process_at(s, t->proc), d->site, at,
			   sizeof(at));
	seam_text_add(text, " %s%s%s%s%s%s", before, seam_verb_name(d->verb),
		      *obj ? " for " : "", obj, *at ? " at " : "", at);
}

char *
seam_doing_describe(struct seam_session *s, const struct seam_thread *t,
		    char *buf, size_t size)
{
	struct seam_text text = { .buf = buf, .size = size };
	struct seam_armed *r;
	struct seam_stand st;
	char who[SEAM_NAME_TEXT];
	const char *state;

	seam_stand(t, &st);
	state = seam_state_name(&st);
	r = seam_rule_at(s, st.doing.rule);
	seam_text_add(&text, "%s",
		      seam_thread_describe(s, t, who, sizeof(who)));
	if (st.parked && st.state == SEAM_THREAD_HELD) {
		add_call(s, &text, t, &st.doing, "waits in ");
		seam_text_add(&text, ", held by the session");
		if (r)
			seam_text_add(&text, " (%s)", r->id);
	} else if (st.parked) {
		seam_text_add(&text, " is parked");
		if (r)
			seam_text_add(&text, " by %s", r->id);
		add_call(s, &text, t, &st.doing,
			 st.doing.moment == SEAM_AFTER ? "after " : "before ");
	} else if (st.state == SEAM_THREAD_BLOCKED) {
		add_call(s, &text, t, &st.doing, "waits in ");
		add_owner(s, &text, t, &st.doing);
	} else if (st.state == SEAM_THREAD_EXITED) {
		seam_text_add(&text, " has ended");
	} else {
		seam_text_add(&text, " is %s", state);
	}
	return buf;
}

static void
add_process(struct seam_session *s, struct seam_text *t,
	    const struct seam_process *p, bool line)
{
	char buf[1024];
	struct seam_thread *th;
	uint32_t i = 0;

	while ((th = seam_thread_next(s, &i))) {
		if (th->proc != p->index ||
		    atomic_load(&th->state) == SEAM_THREAD_EXITED)
			continue;
		seam_doing_describe(s, th, buf, sizeof(buf));
		seam_text_add(t, "%s%s%s", line && t->n ? "; " : "", buf,
			      line ? "" : "\n");
	}
}

static void
add_ended(struct seam_session *s, struct seam_text *t,
	  const struct seam_process *p, bool line)
{
	char path[SEAM_PATH];

	seam_text_add(t, "%s%s", line && t->n ? "; " : "",
		      seam_process_path(s, p, path));
	if (p->alias)
		seam_text_add(t, " (%s)", p->alias);
	seam_text_add(t, " has ended");
	seam_process_status(p, t);
	if (!line)
		seam_text_add(t, "\n");
}

/* The `n` that ended last, the earliest of them first. */
static unsigned
last_ended(struct seam_session *s, const struct seam_process **last, unsigned n)
{
	const struct seam_extra *x = s->own->extra;
	unsigned found = 0, at;

	for (unsigned i = 0; i < s->processes; i++) {
		const struct seam_process *p = &s->process[i];

		if (!p->used || !p->ended)
			continue;
		for (at = found;
		     at && x[last[at - 1]->index].ended > x[i].ended; at--)
			;
		if (found < n) {
			memmove(&last[at + 1], &last[at],
				(found++ - at) * sizeof(*last));
			last[at] = p;
		} else if (at) {
			memmove(last, &last[1], (at - 1) * sizeof(*last));
			last[at - 1] = p;
		}
	}
	return found;
}

/* Who lives; of those that have ended, the latest. */
void
seam_everybody(struct seam_session *s, struct seam_text *t, bool line)
{
	const struct seam_process *last[ENDED_SHOWN];
	unsigned n = last_ended(s, last, ENDED_SHOWN);

	for (unsigned i = 0; i < s->processes; i++) {
		const struct seam_process *p = &s->process[i];

		if (p->used && !p->ended)
			add_process(s, t, p, line);
	}
	for (unsigned i = 0; i < n; i++)
		add_ended(s, t, last[i], line);
	if (n < s->own->ends)
		seam_text_add(t, "%sand %llu that ended before%s",
			      line && t->n ? "; " : "",
			      (unsigned long long)s->own->ends - n,
			      line ? "" : "\n");
	if (!t->n)
		seam_text_add(t, "no process has joined the session%s",
			      line ? "" : "\n");
}
