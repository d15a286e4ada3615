/* SPDX-License-Identifier: MIT */
/* What `procs threads locks rules stats` show. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "accounting.h"
#include "execs.h"
#include "rules_int.h"

/* With more objects than that their real state is not looked at. */
#define PEEK_MAX 4096

static void
put_number(json_t *row, const char *key, uint64_t n)
{
	json_object_set_new(row, key, json_integer((json_int_t)n));
}

static void
put_hex(json_t *row, const char *key, uint64_t n)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "0x%llx", (unsigned long long)n);
	seam_json_put(row, key, buf);
}

static void
put_path(struct seam_session *s, json_t *row, const char *key,
	 const struct seam_process *p)
{
	char path[SEAM_PATH];

	seam_json_put(row, key, p ? seam_process_path(s, p, path) : "");
}

static void
put_site(struct seam_session *s, json_t *row, const char *key,
	 struct seam_process *p, uint64_t site)
{
	seam_json_put(row, key, p ? seam_site_text(s, p, site) : "");
}

/* Processes. */

static const char *
process_state(struct seam_session *s, const struct seam_process *p)
{
	static const char *const names[] = {
		[SEAM_PROC_NONE] = "new",	 [SEAM_PROC_CLAIMED] = "new",
		[SEAM_PROC_JOINING] = "joining", [SEAM_PROC_LIVE] = "live",
		[SEAM_PROC_EXECING] = "execing", [SEAM_PROC_GONE] = "gone",
	};
	uint32_t state = atomic_load(&s->arena->proc[p->index].state);

	if (p->ended)
		return "ended";
	if (p->unhooked)
		return "unhooked";
	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

static unsigned
count_threads(struct seam_session *s, const struct seam_process *p)
{
	struct seam_thread *t;
	unsigned n = 0;
	uint32_t i = 0;

	while ((t = seam_thread_next(s, &i)))
		n += t->proc == p->index &&
		     atomic_load(&t->state) != SEAM_THREAD_EXITED;
	return n;
}

static void
put_status(json_t *row, const struct seam_process *p)
{
	char buf[64] = "";

	if (p->unhooked) {
		seam_json_put(row, "status", p->unhooked);
		return;
	}
	if (p->status_known && WIFSIGNALED(p->status)) {
		snprintf(buf, sizeof(buf), "SIG%s",
			 seam_signal_name(WTERMSIG(p->status)).s);
	} else if (p->status_known) {
		snprintf(buf, sizeof(buf), "%d", WEXITSTATUS(p->status));
	}
	seam_json_put(row, "status", buf);
}

json_t *
seam_table_procs(struct seam_session *s)
{
	json_t *rows = json_array();

	seam_lock(s);
	for (unsigned i = 0; i < s->processes; i++) {
		const struct seam_process *p = &s->process[i];
		json_t *row;

		if (!p->used)
			continue;
		row = json_object();
		put_path(s, row, "proc", p);
		seam_json_put(row, "alias", p->alias ? p->alias : "");
		put_number(row, "pid", (uint64_t)p->pid);
		seam_json_put(row, "state", process_state(s, p));
		seam_json_put(row, "exe", p->exe ? p->exe : "");
		put_number(row, "threads", count_threads(s, p));
		put_status(row, p);
		json_array_append_new(rows, row);
	}
	seam_unlock(s);
	return rows;
}

/* Threads. */

bool
seam_put_state(struct seam_session *s, json_t *row, const struct seam_thread *t,
	       const struct seam_stand *st)
{
	bool doing = st->parked || st->state == SEAM_THREAD_BLOCKED;
	char buf[SEAM_NAME_TEXT];

	seam_json_put(row, "state", seam_state_name(st));
	seam_json_put(row, "op", doing ? seam_verb_name(st->doing.verb) : "");
	seam_json_put(row, "obj",
		      doing ? seam_doing_object(s, t, &st->doing, buf,
						sizeof(buf)) :
			      "");
	return doing;
}

static void
put_thread(struct seam_session *s, json_t *row, struct seam_thread *t)
{
	struct seam_process *p = seam_process_at(s, t->proc);
	struct seam_armed *r;
	struct seam_stand st;
	char buf[SEAM_NAME_TEXT];
	bool doing;

	seam_stand(t, &st);
	r = st.parked ? seam_rule_at(s, st.doing.rule) : NULL;
	seam_arena_copy(t->path, SEAM_PATH, buf, sizeof(buf));
	seam_json_put(row, "thread", buf);
	seam_arena_copy(t->name, SEAM_NAME, buf, sizeof(buf));
	seam_json_put(row, "name", buf);
	put_number(row, "tid", (uint64_t)(t->tid > 0 ? t->tid : 0));
	doing = seam_put_state(s, row, t, &st);
	put_site(s, row, "at", p, doing ? st.doing.site : 0);
	if (doing && st.doing.since)
		put_number(row, "since_ms",
			   (seam_now() - st.doing.since) / 1000000);
	else
		seam_json_put(row, "since_ms", "");
	seam_json_put(row, "rule", r ? r->id : "");
}

json_t *
seam_table_threads(struct seam_session *s)
{
	json_t *rows = json_array();
	struct seam_thread *t;
	uint32_t i = 0;

	seam_lock(s);
	while ((t = seam_thread_next(s, &i))) {
		json_t *row;

		if (atomic_load(&t->state) == SEAM_THREAD_EXITED)
			continue;
		row = json_object();
		put_thread(s, row, t);
		json_array_append_new(rows, row);
	}
	seam_unlock(s);
	return rows;
}

/* Objects. */

static uint32_t *
count_waiters(struct seam_session *s)
{
	uint32_t *n = calloc(SEAM_MAX_OBJECTS, sizeof(*n)), i = 0;
	struct seam_thread *t;
	struct seam_stand st;

	while (n && (t = seam_thread_next(s, &i))) {
		seam_stand(t, &st);
		if (st.state != SEAM_THREAD_BLOCKED &&
		    !(st.parked && st.state == SEAM_THREAD_HELD))
			continue;
		if (st.doing.object && st.doing.object <= SEAM_MAX_OBJECTS)
			n[st.doing.object - 1]++;
	}
	return n;
}

/* Of a hold that has been granted, its id. */
static const char *
held_by_session(struct seam_session *s, const struct seam_process *p,
		const struct seam_object *o, const char *name)
{
	for (unsigned i = 0; i < s->rules; i++) {
		const struct seam_armed *r = &s->rule[i];

		if (!r->used || r->kind != SEAM_RULE_HOLD || !r->granted ||
		    (r->held_kind && r->held_kind != o->kind) ||
		    !seam_process_is(s, p, r->how.proc))
			continue;
		if (r->sel.obj.is_addr ?
			r->sel.obj.addr == o->addr :
			r->sel.obj.name &&
			    !strcmp(r->sel.obj.name,
				    r->sel.obj.is_sem &&
					    !strncmp(name, "sem:", 4) ?
					name + 4 :
					name))
			return r->id;
	}
	return NULL;
}

static const char *
object_state(struct seam_session *s, struct seam_process *p,
	     const struct seam_object *o, bool look, int *tid)
{
	enum seam_peek peek = SEAM_PEEK_UNKNOWN;

	if (look && seam_process_live(p))
		peek =
		    seam_peek(s, p, (int)seam_object_kind(o), o->addr, 0, tid);
	if (peek == SEAM_PEEK_FREE)
		return "free";
	if (peek == SEAM_PEEK_TAKEN || atomic_load(&o->owner))
		return "taken";
	switch (seam_object_kind(o)) {
	case SEAM_KIND_MUTEX:
	case SEAM_KIND_RWLOCK:
	case SEAM_KIND_SPIN:
	case SEAM_KIND_SEM:
		return "unknown";
	default:
		return "";
	}
}

/* Watching may have begun after it was taken: the object knows better. */
static struct seam_thread *
owner_of(struct seam_session *s, const struct seam_process *p,
	 const struct seam_object *o, const char *state, int tid)
{
	uint32_t owner = atomic_load(&o->owner);

	if (!strcmp(state, "free"))
		return NULL;
	if (tid)
		return seam_thread_of_owner(s, p, tid);
	return owner ? seam_thread_at(s, owner - 1) : NULL;
}

static void
put_object(struct seam_session *s, json_t *row, uint32_t i, uint32_t waiters,
	   bool look)
{
	struct seam_object *o = seam_object_at(s, i);
	struct seam_process *p = seam_process_at(s, o->proc);
	const char *name = seam_object_text(s, i), *state, *hold;
	struct seam_thread *by;
	char buf[SEAM_NAME_TEXT] = "";
	int tid = 0;

	state = object_state(s, p, o, look, &tid);
	hold = held_by_session(s, p, o, name);
	by = owner_of(s, p, o, state, tid);
	if (by)
		seam_thread_describe(s, by, buf, sizeof(buf));
	else if (hold)
		snprintf(buf, sizeof(buf), "session (%s)", hold);
	seam_json_put(row, "name", name);
	seam_json_put(row, "kind", seam_object_kind_name(o));
	put_hex(row, "addr", o->addr);
	put_path(s, row, "proc", p);
	seam_json_put(row, "state", hold && !by ? "held" : state);
	seam_json_put(row, "owner", buf);
	put_number(row, "waiters", waiters);
	put_number(row, "acquired", o->acquired);
	put_number(row, "contended", o->contended);
	put_number(row, "failed", o->failed);
	put_number(row, "waited_ms", o->waited_ns / 1000000);
	put_site(s, row, "at", p, by ? o->owner_site : 0);
	put_site(s, row, "init", p, o->init_site);
}

json_t *
seam_table_locks(struct seam_session *s)
{
	json_t *rows = json_array();
	uint32_t *waiters, n;

	seam_lock(s);
	waiters = count_waiters(s);
	n = seam_objects(s);
	for (uint32_t i = 0; i < n; i++) {
		struct seam_object *o = seam_object_at(s, i);
		struct seam_process *p = o ? seam_process_at(s, o->proc) : NULL;
		json_t *row;

		if (!p || p->ended || atomic_load(&o->dead))
			continue;
		row = json_object();
		put_object(s, row, i, waiters ? waiters[i] : 0, n <= PEEK_MAX);
		json_array_append_new(rows, row);
	}
	free(waiters);
	seam_unlock(s);
	return rows;
}

/* Rules. */

static const char *
rule_text(const struct seam_armed *r, char *buf, size_t size)
{
	const struct seam_object_name *o = &r->sel.obj;
	const char *kind = o->kind ? seam_kinds[o->kind] : "";
	const char *colon = o->kind ? ":" : "";

	if (r->kind != SEAM_RULE_HOLD)
		seam_selector_format(&r->sel, buf, size);
	else if (o->is_addr)
		snprintf(buf, size, "%s%s@0x%llx", kind, colon,
			 (unsigned long long)o->addr);
	else
		snprintf(buf, size, "%s%s%s", kind, colon,
			 o->name ? o->name : "");
	return buf;
}

static const char *
rule_state(struct seam_session *s, const struct seam_armed *r)
{
	if (r->kind == SEAM_RULE_HOLD)
		return r->granted ? "granted" : "waiting";
	return atomic_load(&seam_rule_of(s, r)->armed) ? "armed" : "off";
}

json_t *
seam_table_rules(struct seam_session *s)
{
	static const char *const kinds[] = { "pause", "hold", "fail",
					     "log",   "gate", "order" };
	json_t *rows = json_array();
	uint32_t *standing;
	char text[600];

	seam_lock(s);
	standing = seam_standings(s);
	for (unsigned i = 0; i < s->rules; i++) {
		const struct seam_armed *r = &s->rule[i];
		struct seam_rule *a = &s->arena->rule[i];
		json_t *row;

		if (!r->used)
			continue;
		row = json_object();
		seam_json_put(row, "id", r->id);
		seam_json_put(row, "kind", kinds[r->kind]);
		seam_json_put(row, "selector",
			      rule_text(r, text, sizeof(text)));
		put_number(row, "hits", atomic_load(&a->hits));
		put_number(row, "arrived", atomic_load(&a->arrived));
		put_number(row, "parked", standing ? standing[i] : 0);
		seam_json_put(row, "armed", rule_state(s, r));
		json_array_append_new(rows, row);
	}
	free(standing);
	seam_unlock(s);
	return rows;
}

/* Statistics and blind spots. */

static void __attribute__((format(printf, 2, 3)))
blind(json_t *list, const char *fmt, ...)
{
	char buf[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	json_array_append_new(list, json_string(buf));
}

struct unknown {
	struct seam_session *s;
	const struct seam_process *p;
	unsigned n;
};

static int
count_unknown(pid_t tid, void *data)
{
	struct unknown *u = data;

	u->n += !seam_thread_of_tid(u->s, u->p, tid);
	return 0;
}

static void
blind_process(struct seam_session *s, const struct seam_process *p,
	      json_t *list)
{
	struct seam_proc *a = &s->arena->proc[p->index];
	uint32_t raw = atomic_load(&a->raw_futex);
	uint32_t lost = atomic_load(&a->locks_lost);
	struct unknown u = { .s = s, .p = p };
	char path[SEAM_PATH];

	seam_process_path(s, p, path);
	if (p->unhooked) {
		blind(list, "%s (%s) is not hooked: %s", path,
		      p->exe ? p->exe : "?", p->unhooked);
		return;
	}
	if (raw)
		blind(list, "%s: %u waits on raw futexes", path, raw);
	if (lost)
		blind(list, "%s: %u events of objects without an entry", path,
		      lost);
	/* Of what a server of runs has forked, its entries tell. */
	if (seam_process_live(p) && p->pid != s->arena->sched.server_pid)
		seam_tasks(p->pid, count_unknown, &u);
	if (u.n)
		blind(list, "%s: %u threads that the preload has not seen",
		      path, u.n);
}

static void
blind_program(const char *who, const char *path, const char *why,
	      unsigned times, void *list)
{
	if (times > 1)
		blind(list, "%s started %s (%u times), not hooked: %s", who,
		      path, times, why);
	else
		blind(list, "%s started %s, not hooked: %s", who, path, why);
}

static void
blind_session(struct seam_session *s, json_t *list)
{
	struct seam_head *h = &s->arena->head;
	const struct {
		uint64_t n;
		const char *what;
		unsigned room;
	} lost[] = {
		{ atomic_load(&h->procs_lost), "processes", SEAM_MAX_PROCS },
		{ atomic_load(&h->threads_lost), "threads", SEAM_MAX_THREADS },
		{ atomic_load(&h->objects_lost), "events of objects",
		  SEAM_MAX_OBJECTS },
		{ atomic_load(&h->rings_lost), "threads' event rings",
		  SEAM_MAX_RINGS },
		{ seam_events_lost_locked(s), "events", 0 },
		{ atomic_load(&h->matches_lost), "matches of one event",
		  SEAM_MATCHED },
		{ atomic_load(&h->binds_lost), "objects that a rule waited for",
		  SEAM_BINDS },
		{ atomic_load(&h->sites_lost), "ordinals of call sites",
		  SEAM_SITE_COUNTERS },
		{ atomic_load(&h->names_lost), "names", 0 },
		{ atomic_load(&h->execs_lost), "notes of started programs",
		  SEAM_MAX_EXECS },
	};
	char room[40];

	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		if (lost[i].n) {
			snprintf(room, sizeof(room), ": there is room for %u",
				 lost[i].room);
			blind(list, "%llu %s lost, for lack of room%s",
			      (unsigned long long)lost[i].n, lost[i].what,
			      lost[i].room ? room : "");
		}
	for (unsigned i = 0; i < s->processes; i++)
		if (s->process[i].used)
			blind_process(s, &s->process[i], list);
	seam_execs_tell(s, blind_program, list);
}

static unsigned
count_rules(const struct seam_session *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->rules; i++)
		n += s->rule[i].used;
	return n;
}

json_t *
seam_stats(struct seam_session *s)
{
	json_t *stats = json_object(), *spots = json_array();
	unsigned live = 0, ended = 0, threads = 0;
	uint64_t events = 0, parks = 0;
	struct seam_thread *t;
	uint32_t i = 0;

	seam_lock(s);
	for (unsigned k = 0; k < s->processes; k++) {
		live += seam_process_live(&s->process[k]);
		ended += s->process[k].used && s->process[k].ended;
	}
	while ((t = seam_thread_next(s, &i))) {
		threads += atomic_load(&t->state) != SEAM_THREAD_EXITED;
		events += t->events;
		parks += t->parks;
	}
	put_number(stats, "procs", live);
	put_number(stats, "ended", ended);
	put_number(stats, "threads", threads);
	put_number(stats, "objects", seam_objects(s));
	put_number(stats, "rules", count_rules(s));
	put_number(stats, "events", events);
	put_number(stats, "parks", parks);
	put_number(stats, "events_lost", seam_events_lost_locked(s));
	blind_session(s, spots);
	json_object_set_new(stats, "blind_spots", spots);
	seam_unlock(s);
	return stats;
}

char *
sess_describe(struct seam_session *s)
{
	size_t size = 64 * 1024;
	struct seam_text t = { .buf = malloc(size), .size = size };
	json_t *spots = json_array(), *spot;
	uint32_t *standing;
	size_t i;

	if (!t.buf)
		return NULL;
	t.buf[0] = '\0';
	seam_lock(s);
	standing = seam_standings(s);
	seam_everybody(s, &t, false);
	for (unsigned k = 0; k < s->rules; k++) {
		const struct seam_armed *r = &s->rule[k];
		char sel[400];

		if (!r->used || r->kind == SEAM_RULE_LOG)
			continue;
		seam_text_add(&t, "%s %s (%s): %u arrived, %u there now\n",
			      r->kind == SEAM_RULE_HOLD ? "hold" : "rule",
			      r->id, rule_text(r, sel, sizeof(sel)),
			      atomic_load(&seam_rule_of(s, r)->arrived),
			      standing ? standing[k] : 0);
	}
	free(standing);
	seam_crashes_say(s, &t);
	blind_session(s, spots);
	json_array_foreach(spots, i, spot)
	    seam_text_add(&t, "blind spot: %s\n", json_string_value(spot));
	json_decref(spots);
	if (*s->broken)
		seam_text_add(&t, "broken: %s\n", s->broken);
	seam_unlock(s);
	return t.buf;
}
