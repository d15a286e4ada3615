/* SPDX-License-Identifier: MIT */
/*
 * Crashes: processes that died by a signal, or by _exit with threads alive.
 *
 * Who it was: the kernel does not say which thread a signal killed.  A core
 * pattern, ptrace or a handler would, but each of them changes the target or
 * the machine.  What is left is the table of threads as the process left it:
 * one that was parked, held or blocked did nothing that could crash, so the
 * one that ran is who did it; if several ran, each of them is told of, the
 * one with the latest event first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "accounting.h"
#include "inner.h"

/* Notes. */

static void
free_crash(struct crash *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->suspect[i].op);
		free(c->suspect[i].obj);
		free(c->suspect[i].at);
		free(c->suspect[i].held);
	}
	free(c->suspect);
}

void
seam_crashes_free(struct sess_accounts *a)
{
	for (size_t i = 0; i < a->crashes; i++)
		free_crash(&a->crash[i]);
	free(a->crash);
}

static bool
is_owned(const struct seam_object *o)
{
	return !atomic_load(&o->dead) &&
	       (o->kind == SEAM_KIND_MUTEX || o->kind == SEAM_KIND_RWLOCK ||
		o->kind == SEAM_KIND_SPIN || o->kind == SEAM_KIND_FILE);
}

/* "cache_lock since cache_put cache.c:42, …" */
static char *
held_by(struct seam_session *s, struct seam_process *p,
	const struct seam_thread *t)
{
	uint32_t n = seam_objects(s), who = seam_thread_index(s, t) + 1;
	char buf[1024] = "";
	struct seam_text text = { .buf = buf, .size = sizeof(buf) };
	const char *site;

	for (uint32_t i = 0; i < n; i++) {
		struct seam_object *o = seam_object_at(s, i);

		if (!o || !is_owned(o) || atomic_load(&o->owner) != who)
			continue;
		site = seam_site_text(s, p, o->owner_site);
		seam_text_add(&text, "%s%s%s%s", text.n ? ", " : "",
			      seam_object_text(s, i), *site ? " since " : "",
			      site);
	}
	return strdup(buf);
}

static void
note_suspect(struct seam_session *s, struct seam_process *p,
	     const struct seam_thread *t, struct crash *c)
{
	struct suspect *v = realloc(c->suspect, (c->n + 1) * sizeof(*v));
	char who[SEAM_NAME_TEXT], obj[SEAM_NAME_TEXT];
	struct seam_stand st;

	if (!v)
		return;
	c->suspect = v;
	v += c->n++;
	seam_stand(t, &st);
	seam_thread_describe(s, t, who, sizeof(who));
	snprintf(v->thread, sizeof(v->thread), "%.*s",
		 (int)sizeof(v->thread) - 1, who);
	v->op = strdup(seam_verb_name(st.doing.verb));
	v->obj = strdup(seam_doing_object(s, t, &st.doing, obj, sizeof(obj)));
	v->at = strdup(seam_site_text(s, p, st.doing.site));
	v->held = held_by(s, p, t);
}

static bool
lived(const struct seam_process *p, const struct seam_thread *t)
{
	uint32_t state = atomic_load(&t->state);

	return t->proc == p->index && t->tid && state != SEAM_THREAD_EXITED &&
	       state != SEAM_THREAD_NEW;
}

static bool
ran(const struct seam_thread *t)
{
	struct seam_stand st;

	seam_stand(t, &st);
	return !st.parked && st.state != SEAM_THREAD_BLOCKED;
}

static unsigned
count(struct seam_session *s, const struct seam_process *p, bool running)
{
	struct seam_thread *t;
	unsigned n = 0;
	uint32_t i = 0;

	while ((t = seam_thread_next(s, &i)))
		n += lived(p, t) && (!running || ran(t));
	return n;
}

static void
note_suspects(struct seam_session *s, struct seam_process *p, struct crash *c)
{
	uint32_t latest = atomic_load(&s->arena->proc[p->index].latest), i = 0;
	bool running = count(s, p, true) > 0;
	struct seam_thread *t;

	t = latest ? seam_thread_at(s, latest - 1) : NULL;
	if (t && lived(p, t) && (!running || ran(t)))
		note_suspect(s, p, t, c);
	while ((t = seam_thread_next(s, &i)))
		if (i != latest && lived(p, t) && (!running || ran(t)))
			note_suspect(s, p, t, c);
}

static int
signal_of(const struct seam_process *p)
{
	if (p->status_known && WIFSIGNALED(p->status))
		return WTERMSIG(p->status);
	return p->died_of;
}

static void
say_how(const struct seam_process *p, struct crash *c)
{
	int sig = signal_of(p);

	c->is_signal = sig != 0;
	if (c->is_signal) {
		snprintf(c->how, sizeof(c->how), "SIG%s",
			 seam_signal_name(sig).s);
	} else if (p->status_known) {
		snprintf(c->how, sizeof(c->how), "_exit %d",
			 WEXITSTATUS(p->status));
	} else { /* not our child: its parent was told */
		snprintf(c->how, sizeof(c->how), "%s", "_exit or a signal");
	}
}

static void
note_crash(struct seam_session *s, struct seam_process *p)
{
	struct sess_accounts *a = seam_accounts(s);
	struct crash *c =
	    a ? realloc(a->crash, (a->crashes + 1) * sizeof(*c)) : NULL;

	if (!c)
		return;
	a->crash = c;
	c += a->crashes++;
	memset(c, 0, sizeof(*c));
	seam_process_path(s, p, c->proc);
	snprintf(c->alias, sizeof(c->alias), "%s", p->alias ? p->alias : "");
	c->alive = count(s, p, false);
	say_how(p, c);
	note_suspects(s, p, c);
}

static bool
was_told_to_die(const struct seam_process *p)
{
	return p->sent && signal_of(p) == p->sent;
}

void
seam_note_end(struct seam_session *s, struct seam_process *p)
{
	struct seam_proc *a = &s->arena->proc[p->index];
	int sig = signal_of(p);

	if (atomic_load(&s->stopping) || *s->broken || p->unhooked ||
	    was_told_to_die(p))
		return;
	/* What a program's own children are killed with is its own affair. */
	if (!sig && atomic_load(&a->exiting))
		seam_note_left(s, p);
	else if ((p->status_known ? sig != 0 : seam_is_crash(sig)) ||
		 count(s, p, false) > 1)
		note_crash(s, p);
}

/* Those that were expected are not spoken of. */

static bool
is_expected(const struct sess_accounts *a, const struct crash *c)
{
	for (size_t i = 0; i < a->n_expected; i++)
		if (!strcmp(a->expected[i], c->proc) ||
		    seam_glob(a->expected[i], c->alias))
			return true;
	return false;
}

static const struct crash *
next_crash(struct seam_session *s, size_t *i)
{
	const struct sess_accounts *a = s->accounts;

	while (a && *i < a->crashes) {
		const struct crash *c = &a->crash[(*i)++];

		if (!is_expected(a, c))
			return c;
	}
	return NULL;
}

enum seam_code
sess_expect_crash(struct seam_session *s, const char *proc,
		  struct seam_error *err)
{
	enum seam_code code = SEAM_OK;
	struct sess_accounts *a;
	char **v = NULL;

	seam_lock(s);
	a = seam_accounts(s);
	if (a)
		v = realloc(a->expected, (a->n_expected + 1) * sizeof(*v));
	if (v) {
		a->expected = v;
		v[a->n_expected] = strdup(proc);
	}
	if (v && v[a->n_expected])
		a->n_expected++;
	else
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	seam_unlock(s);
	return code;
}

/* Telling. */

static void
say_suspect(const struct suspect *v, struct seam_text *t)
{
	seam_text_add(t, "%s", v->thread);
	if (v->op && *v->op)
		seam_text_add(t, ", last in %s%s%s%s%s", v->op,
			      *v->obj ? " of " : "", v->obj,
			      *v->at ? " at " : "", v->at);
	if (v->held && *v->held)
		seam_text_add(t, ", holding %s", v->held);
}

static void
say_crash(const struct crash *c, struct seam_text *t)
{
	const char *who = c->n == 1 ? "" : "most likely ";

	seam_text_add(t, "%s%s%s%s %s", c->proc, *c->alias ? " (" : "",
		      c->alias, *c->alias ? ")" : "",
		      c->is_signal ? "died by " : "called ");
	seam_text_add(t, "%s", c->how);
	if (!c->is_signal)
		seam_text_add(t, " with %u other thread%s alive", c->alive - 1,
			      c->alive == 2 ? "" : "s");
	seam_text_add(t, ": %s", c->n ? who : "who did it is not known");
	for (size_t i = 0; i < c->n; i++) {
		seam_text_add(t, "%s", i == 1 ? "; or " : i ? ", " : "");
		say_suspect(&c->suspect[i], t);
	}
	seam_text_add(t, "\n");
}

void
seam_crashes_say(struct seam_session *s, struct seam_text *t)
{
	const struct crash *c;
	size_t i = 0;

	while ((c = next_crash(s, &i)))
		say_crash(c, t);
}

char *
sess_crashes(struct seam_session *s)
{
	char buf[8192] = "";
	struct seam_text t = { .buf = buf, .size = sizeof(buf) };

	seam_lock(s);
	seam_crashes_say(s, &t);
	seam_unlock(s);
	return t.n ? strdup(buf) : NULL;
}

static void
put_rows(json_t *rows, const struct crash *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct suspect *v = &c->suspect[i];
		json_t *row = json_object();

		seam_json_put(row, "proc", c->proc);
		seam_json_put(row, "alias", c->alias);
		seam_json_put(row, "how", c->how);
		seam_json_put(row, "thread", v->thread);
		seam_json_put(row, "sure", c->n == 1 ? "yes" : "no");
		seam_json_put(row, "op", v->op ? v->op : "");
		seam_json_put(row, "obj", v->obj ? v->obj : "");
		seam_json_put(row, "at", v->at ? v->at : "");
		seam_json_put(row, "held", v->held ? v->held : "");
		json_array_append_new(rows, row);
	}
}

json_t *
seam_table_crashes(struct seam_session *s)
{
	json_t *rows = json_array();
	const struct crash *c;
	size_t i = 0;

	seam_lock(s);
	while ((c = next_crash(s, &i)))
		put_rows(rows, c);
	seam_unlock(s);
	return rows;
}
