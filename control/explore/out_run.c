/* SPDX-License-Identifier: MIT */
/*
 * A run as JSON, for all who draw or convert it.  Events are kept by column,
 * and texts once, as runs have a hundred thousand steps.
 */
#include "explore/out_run.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "explore/critical.h"
#include "explore/out_source.h"
#include "explore/table.h"
#include "rules_int.h"

#define OUTPUT_MAX (64u << 10) /* bytes of the program's that are kept */

/* What the flags of an event are; docs/schema/run.json says the same. */
enum {
	FLAG_PREEMPTION = 1,
	FLAG_AFTER = 2, /* it goes on after what let others go */
	FLAG_TIMEOUT = 4,
	FLAG_SIGNAL = 8,
	FLAG_YIELD = 16,
	FLAG_CHOICE = 32, /* others could have been chosen */
};

/* Texts, each once: a JSON list and where in it they stand. */
struct texts {
	json_t *list, *index;
};

static bool
texts_open(struct texts *x)
{
	x->list = json_array();
	x->index = json_object();
	return x->list && x->index;
}

static json_int_t
text_index(struct texts *x, const char *text)
{
	json_t *value = seam_json_text(text), *at;
	const char *clean = json_string_value(value);
	json_int_t n = (json_int_t)json_array_size(x->list);

	if (!clean)
		return 0;
	at = json_object_get(x->index, clean);
	if (at) {
		n = json_integer_value(at);
		json_decref(value);
		return n;
	}
	json_object_set_new(x->index, clean, json_integer(n));
	json_array_append_new(x->list, value);
	return n;
}

struct making {
	const struct out_run *r;
	json_t *o;
	struct texts op, site, result, note;
	json_t *source; /* by site: a list of excerpts, or null */
	bool bad;
};

static void
put_number(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

static json_int_t
site_index(struct making *m, const char *site)
{
	json_int_t i = text_index(&m->site, site);

	if ((size_t)i < json_array_size(m->source))
		return i;
	json_array_append_new(
	    m->source,
	    out_source_json(explore_site_path(m->r->labels, site),
			    explore_site_line(site), m->r->file->dir));
	return i;
}

/* Indices count from 0; -1 is none. */
static json_int_t
index_of(uint32_t plus_one)
{
	return (json_int_t)plus_one - 1;
}

/* Threads and objects. */

static const char *
state_name(const struct explore_thread *th)
{
	switch (th->state) {
	case SEAM_SLOT_PENDING:
		return th->enabled ? "ready" : "waits";
	case SEAM_SLOT_RUNNING:
		return "runs";
	case SEAM_SLOT_OUTSIDE:
		return "outside";
	case SEAM_SLOT_NONE:
		return "none";
	default:
		return "ended";
	}
}

static json_t *
pending_json(struct making *m, uint32_t slot)
{
	const struct explore_thread *th = &m->r->trace->thread[slot];
	json_t *o;

	if (th->state != SEAM_SLOT_PENDING)
		return json_null();
	o = json_object();
	put_number(o, "op",
		   (uint64_t)text_index(&m->op,
					seam_verb_name(th->pending.verb)));
	json_object_set_new(o, "object",
			    json_integer(index_of(th->pending.object)));
	json_object_set_new(o, "peer",
			    json_integer(index_of(th->pending.peer)));
	json_object_set_new(o, "site",
			    json_integer(
				site_index(m, m->r->labels->at[slot])));
	return o;
}

static json_t *
threads_json(struct making *m)
{
	const struct explore_trace *t = m->r->trace;
	json_t *list = json_array();

	for (uint32_t i = 0; i < t->nthreads; i++) {
		const struct explore_thread *th = &t->thread[i];
		json_t *o = json_object();

		seam_json_put(o, "path", th->path);
		seam_json_put(o, "name", th->name);
		put_number(o, "process", th->process);
		json_object_set_new(o, "parent",
				    json_integer(index_of(th->parent)));
		seam_json_put(o, "state", state_name(th));
		json_object_set_new(o, "pending", pending_json(m, i));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
objects_json(const struct making *m)
{
	const struct explore_trace *t = m->r->trace;
	json_t *list = json_array();

	for (uint32_t i = 0; i < t->nobjects; i++) {
		json_t *o = json_object();

		seam_json_put(o, "name",
			      explore_object_label(m->r->labels, i + 1));
		seam_json_put(o, "kind", seam_kinds[t->object[i].kind]);
		json_array_append_new(list, o);
	}
	return list;
}

/* Events. */

static unsigned
flags_of(const struct explore_trace *t, uint32_t i)
{
	const struct seam_step *s = &t->step[i];
	unsigned flags = 0;

	if (explore_is_preemption(t, i))
		flags |= FLAG_PREEMPTION;
	if (s->op.flags & SEAM_OP_LOCAL && s->op.verb != SEAM_THREAD_START)
		flags |= FLAG_AFTER;
	if (s->op.how == SEAM_HOW_TIMEOUT)
		flags |= FLAG_TIMEOUT;
	if (s->op.how == SEAM_HOW_SIGNAL)
		flags |= FLAG_SIGNAL;
	if (s->op.flags & SEAM_OP_YIELD)
		flags |= FLAG_YIELD;
	if (s->candidates > 1)
		flags |= FLAG_CHOICE;
	return flags;
}

/* Mode and range of a file's lock. */
static const char *
note_of(const struct explore_trace *t, const struct seam_op *op, char *buf,
	size_t size)
{
	*buf = '\0';
	if (!op->object || t->object[op->object - 1].kind != SEAM_KIND_FILE)
		return buf;
	snprintf(buf, size, "%s0x%llx+%llu",
		 op->mode == 'r' ? "rd " :
		 op->mode == 'w' ? "wr " :
				   "",
		 (unsigned long long)op->off, (unsigned long long)op->len);
	return buf;
}

static void
add(json_t *o, const char *column, json_int_t n)
{
	json_array_append_new(json_object_get(o, column), json_integer(n));
}

static const char *const columns[] = { "thread", "op",	   "object", "peer",
				       "site",	 "result", "note",   "flags" };

static json_t *
events_json(struct making *m)
{
	const struct explore_trace *t = m->r->trace;
	json_t *o = json_object();
	char buf[64];

	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		json_object_set_new(o, columns[i], json_array());
	for (uint32_t i = 0; i < t->nsteps; i++) {
		const struct seam_step *s = &t->step[i];

		add(o, "thread", s->slot);
		add(o, "op", text_index(&m->op, seam_verb_name(s->op.verb)));
		add(o, "object", index_of(s->op.object));
		add(o, "peer", index_of(s->op.peer));
		add(o, "site",
		    site_index(m, explore_site_label(m->r->labels, i)));
		add(o, "result",
		    text_index(&m->result,
			       explore_result_label(s, buf, sizeof(buf))));
		add(o, "note",
		    text_index(&m->note, note_of(t, &s->op, buf, sizeof(buf))));
		add(o, "flags", flags_of(t, i));
	}
	return o;
}

/* Holdings and waits. */

static json_t *
span_json(const struct out_span *s, json_int_t more)
{
	return json_pack("[iiiiiI]", (int)s->slot, (int)s->object - 1,
			 (int)s->from, (int)s->to, (int)s->open, more);
}

static void
put_spans(struct making *m)
{
	json_t *holds = json_array(), *waits = json_array();
	struct out_spans s;

	if (!out_spans_take(&s, m->r->trace))
		m->bad = true;
	for (size_t i = 0; i < s.nholds; i++)
		json_array_append_new(holds, span_json(&s.hold[i],
						       s.hold[i].mode == 'r'));
	for (size_t i = 0; i < s.nwaits; i++)
		json_array_append_new(waits, span_json(&s.wait[i],
						       index_of(s.wait[i].by)));
	out_spans_free(&s);
	json_object_set_new(m->o, "holds", holds);
	json_object_set_new(m->o, "waits", waits);
}

/* The rest. */

static json_t *
words_json(char *const *words)
{
	json_t *list = json_array();

	for (; words && *words; words++)
		json_array_append_new(list, seam_json_text(*words));
	return list;
}

static void
put_output(const struct making *m)
{
	const struct out_run *r = m->r;
	size_t n = r->output ? r->output_len : 0;
	size_t skip = n > OUTPUT_MAX ? n - OUTPUT_MAX : 0;
	char *text = malloc(n - skip + 1);

	for (size_t i = skip; text && i < n; i++)
		text[i - skip] = r->output[i] ? r->output[i] : '?';
	if (text) {
		text[n - skip] = '\0';
		json_object_set_new(m->o, "output", seam_json_text(text));
	}
	put_number(m->o, "output_skipped", skip);
	free(text);
}

/* Steps, or n + s: what slot s stands at in the end. */
static json_t *
critical_json(const struct making *m)
{
	const struct critical pair =
	    critical_told(m->r->trace, m->r->file->critical);

	if (m->r->diverged || !pair.found)
		return json_array();
	return json_pack("[II]", (json_int_t)pair.first,
			 (json_int_t)pair.second);
}

static void
put_head(const struct making *m)
{
	const struct out_run *r = m->r;
	const struct replay_file *f = r->file;
	const struct explore_trace *t = r->trace;

	put_number(m->o, "version", OUT_RUN_VERSION);
	seam_json_put(m->o, "seam", SEAM_VERSION);
	json_object_set_new(m->o, "command", words_json(f->argv));
	seam_json_put(m->o, "dir", f->dir ? f->dir : "");
	seam_json_put(m->o, "fault", f->fault && r->text ? f->fault : "none");
	json_object_set_new(m->o, "message",
			    seam_json_text(r->text ? r->text : ""));
	seam_json_put(m->o, "strategy", f->strategy ? f->strategy : "");
	seam_json_put(m->o, "replay", r->path ? r->path : "");
	put_number(m->o, "schedule", r->schedule);
	put_number(m->o, "decisions", t->decisions);
	put_number(m->o, "switches", t->switches);
	put_number(m->o, "preemptions", explore_preemptions(t));
	put_number(m->o, "virtual_ns", t->now);
	json_object_set_new(m->o, "critical", critical_json(m));
	seam_json_put(m->o, "because",
		      f->because && !r->diverged ? f->because : "");
	put_output(m);
}

static void
put_texts(const struct making *m)
{
	json_object_set(m->o, "ops", m->op.list);
	json_object_set(m->o, "sites", m->site.list);
	json_object_set(m->o, "sources", m->source);
	json_object_set(m->o, "results", m->result.list);
	json_object_set(m->o, "notes", m->note.list);
}

static void
texts_close(struct texts *x)
{
	json_decref(x->list);
	json_decref(x->index);
}

json_t *
out_run_json(const struct out_run *r)
{
	struct making m = { .r = r,
			    .o = json_object(),
			    .source = json_array() };

	m.bad = !m.o || !m.source;
	m.bad |= !texts_open(&m.op) || !texts_open(&m.site);
	m.bad |= !texts_open(&m.result) || !texts_open(&m.note);
	if (!m.bad) {
		put_head(&m);
		json_object_set_new(m.o, "threads", threads_json(&m));
		json_object_set_new(m.o, "objects", objects_json(&m));
		json_object_set_new(m.o, "events", events_json(&m));
		put_spans(&m);
		put_texts(&m);
	}
	texts_close(&m.op);
	texts_close(&m.site);
	texts_close(&m.result);
	texts_close(&m.note);
	json_decref(m.source);
	if (!m.bad)
		return m.o;
	json_decref(m.o);
	return NULL;
}
