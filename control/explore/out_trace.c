/* SPDX-License-Identifier: MIT */
/*
 * A run in the Trace Event Format (Duca & Sinclair, 2013), as Perfetto and
 * chrome://tracing read it.  A step takes a microsecond: time is the order of
 * the steps.  Processes and threads are the run's; what a thread does is a
 * slice for each time it runs and an instant for each event, what it waits
 * for a slice; who has which lock is a track of asynchronous slices, as
 * readers overlap; an arrow leads from a release to the next acquisition.
 */
#include <stdlib.h>
#include <string.h>

#include "explore/out_run.h"

enum { SPAN_SLOT, SPAN_OBJECT, SPAN_FROM, SPAN_TO, SPAN_OPEN, SPAN_MORE };

struct converting {
	const json_t *run;
	json_t *list;
	size_t nsteps;
};

static json_int_t
column(const struct converting *c, const char *name, size_t i)
{
	const json_t *events = json_object_get(c->run, "events");

	return json_integer_value(
	    json_array_get(json_object_get(events, name), i));
}

static json_int_t
span(const json_t *s, size_t i)
{
	return json_integer_value(json_array_get(s, i));
}

/* Of a list of texts; "" out of it. */
static const char *
text(const struct converting *c, const char *list, json_int_t i)
{
	const char *s =
	    i < 0 ?
		NULL :
		json_string_value(
		    json_array_get(json_object_get(c->run, list), (size_t)i));

	return s ? s : "";
}

static const json_t *
row(const struct converting *c, const char *list, json_int_t i)
{
	return i < 0 ? NULL :
		       json_array_get(json_object_get(c->run, list), (size_t)i);
}

static const char *
field(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static json_int_t
pid_of(const struct converting *c, json_int_t slot)
{
	return json_integer_value(
		   json_object_get(row(c, "threads", slot), "process")) +
	       1;
}

static const char *
object_name(const struct converting *c, json_int_t i)
{
	return field(row(c, "objects", i), "name");
}

/* What an event is about: an object, or another thread. */
static const char *
subject(const struct converting *c, json_int_t object, json_int_t peer)
{
	return object >= 0 ? object_name(c, object) :
			     field(row(c, "threads", peer), "path");
}

static char *
joined(const char *a, const char *b)
{
	char *s;

	if (asprintf(&s, "%s%s%s", a, *b ? " " : "", b) < 0)
		return NULL;
	return s;
}

/* Takes `args`. */
static json_t *
put(struct converting *c, const char *phase, const char *name,
    const char *category, json_int_t ts, json_int_t slot, json_t *args)
{
	json_t *e = json_pack("{ss ss ss sI sI sI}", "ph", phase, "name", name,
			      "cat", category, "ts", ts, "pid", pid_of(c, slot),
			      "tid", slot + 1);

	if (args)
		json_object_set_new(e, "args", args);
	json_array_append_new(c->list, e);
	return e;
}

static void
put_name(struct converting *c, const char *what, json_int_t pid, json_int_t tid,
	 const char *name)
{
	json_array_append_new(c->list,
			      json_pack("{ss ss sI sI sI s{ss}}", "ph", "M",
					"name", what, "ts", (json_int_t)0,
					"pid", pid, "tid", tid, "args", "name",
					name));
}

/* Once for each process: the first thread in it tells its name. */
static void
put_names(struct converting *c)
{
	json_t *th;
	json_int_t named = 0;
	size_t i;

	json_array_foreach(json_object_get(c->run, "threads"), i, th)
	{
		json_int_t pid = pid_of(c, (json_int_t)i);
		char *name = joined(field(th, "path"), field(th, "name"));
		const char *path = field(th, "path");
		const char *dot = strstr(path, ".T");
		char process[64];

		snprintf(process, sizeof(process), "%.*s",
			 (int)(dot ? dot - path : 0), path);
		if (pid > named)
			put_name(c, "process_name", pid, 0, process);
		named = pid > named ? pid : named;
		if (name)
			put_name(c, "thread_name", pid, (json_int_t)i + 1,
				 name);
		free(name);
	}
}

static void
put_instant(struct converting *c, size_t i)
{
	json_int_t object = column(c, "object", i);
	json_int_t peer = column(c, "peer", i);
	const char *about =
	    subject(c, object, peer == column(c, "thread", i) ? -1 : peer);
	char *name = joined(text(c, "ops", column(c, "op", i)), about);
	json_t *args =
	    json_pack("{sI ss ss ss ss sI}", "step", (json_int_t)i + 1,
		      "object", about, "site",
		      text(c, "sites", column(c, "site", i)), "result",
		      text(c, "results", column(c, "result", i)), "note",
		      text(c, "notes", column(c, "note", i)), "flags",
		      column(c, "flags", i));
	json_t *e;

	if (!name) {
		json_decref(args);
		return;
	}
	e = put(c, "i", name, "event", (json_int_t)i, column(c, "thread", i),
		args);
	json_object_set_new(e, "s", json_string("t"));
	free(name);
}

static void
put_slice(struct converting *c, const char *name, const char *category,
	  json_int_t from, json_int_t to, json_int_t slot, json_t *args)
{
	json_t *e = put(c, "X", name, category, from, slot, args);

	json_object_set_new(e, "dur", json_integer(to - from));
}

static void
put_events(struct converting *c)
{
	size_t begun = 0;

	for (size_t i = 0; i < c->nsteps; i++) {
		json_int_t slot = column(c, "thread", i);

		put_instant(c, i);
		if (i + 1 < c->nsteps && column(c, "thread", i + 1) == slot)
			continue;
		put_slice(c, "runs", "run", (json_int_t)begun,
			  (json_int_t)i + 1, slot, NULL);
		begun = i + 1;
	}
}

static void
put_waits(struct converting *c)
{
	json_t *w;
	size_t i;

	json_array_foreach(json_object_get(c->run, "waits"), i, w)
	{
		json_int_t by = span(w, SPAN_MORE), to = span(w, SPAN_TO);
		const char *about = subject(c, span(w, SPAN_OBJECT), by);
		char *name = joined("waits for", about);

		/* What nobody ends gets a step behind the last. */
		if (name && *about)
			put_slice(
			    c, name, "wait", span(w, SPAN_FROM),
			    to + span(w, SPAN_OPEN), span(w, SPAN_SLOT),
			    json_pack("{ss ss sb}", "object", about, "holder",
				      field(row(c, "threads", by), "path"),
				      "to_the_end", (int)span(w, SPAN_OPEN)));
		free(name);
	}
}

static void
put_edge(struct converting *c, const json_t *h, size_t id, bool end)
{
	json_int_t slot = span(h, SPAN_SLOT), object = span(h, SPAN_OBJECT);
	json_t *e = put(
	    c, end ? "e" : "b", object_name(c, object), "lock",
	    end ? span(h, SPAN_TO) + span(h, SPAN_OPEN) : span(h, SPAN_FROM),
	    slot,
	    end ?
		NULL :
		json_pack("{ss ss ss}", "owner",
			  field(row(c, "threads", slot), "path"), "mode",
			  span(h, SPAN_MORE) ? "shared" : "exclusive", "site",
			  text(c, "sites",
			       column(c, "site", (size_t)span(h, SPAN_FROM)))));

	json_object_set_new(e, "id", json_integer((json_int_t)id + 1));
}

/* Ends and beginnings of an arrow have one name, category and id. */
static void
put_arrow(struct converting *c, const json_t *from, const json_t *to, size_t id)
{
	const char *name = object_name(c, span(from, SPAN_OBJECT));
	json_t *e = put(c, "s", name, "handover", span(from, SPAN_TO),
			span(from, SPAN_SLOT), NULL);

	json_object_set_new(e, "id", json_integer((json_int_t)id));
	e = put(c, "f", name, "handover", span(to, SPAN_FROM),
		span(to, SPAN_SLOT), NULL);
	json_object_set_new(e, "id", json_integer((json_int_t)id));
	json_object_set_new(e, "bp", json_string("e"));
}

/* The latest release of each object is kept; holds come by their start. */
static void
put_holds(struct converting *c)
{
	const json_t *holds = json_object_get(c->run, "holds");
	size_t n = json_array_size(json_object_get(c->run, "objects"));
	const json_t **last = calloc(n + 1, sizeof(*last));
	size_t i, arrows = 0;
	json_t *h;

	json_array_foreach(holds, i, h)
	{
		size_t object = (size_t)span(h, SPAN_OBJECT);
		const json_t *before = last ? last[object] : NULL;

		put_edge(c, h, i, false);
		put_edge(c, h, i, true);
		if (before && !span(before, SPAN_OPEN) &&
		    span(before, SPAN_TO) < span(h, SPAN_FROM) &&
		    span(before, SPAN_SLOT) != span(h, SPAN_SLOT))
			put_arrow(c, before, h, ++arrows);
		if (last &&
		    (!before || span(before, SPAN_TO) <= span(h, SPAN_TO)))
			last[object] = h;
	}
	free(last);
}

/* By time; a slice comes before what lies in it. */

struct placed {
	json_int_t ts;
	unsigned rank;
	size_t number;
	json_t *e;
};

static unsigned
rank_of(const json_t *e)
{
	static const char phases[] = "MeXbifs";
	const char *at = strchr(phases, *field(e, "ph"));

	return at ? (unsigned)(at - phases) : 0;
}

static int
compare(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static json_t *
sorted(const json_t *list)
{
	size_t n = json_array_size(list);
	struct placed *v = calloc(n + 1, sizeof(*v));
	json_t *by_time = v ? json_array() : NULL;

	for (size_t i = 0; by_time && i < n; i++) {
		json_t *e = json_array_get(list, i);

		v[i] = (struct placed){
			.ts = json_integer_value(json_object_get(e, "ts")),
			.rank = rank_of(e),
			.number = i,
			.e = e,
		};
	}
	if (by_time && n)
		qsort(v, n, sizeof(*v), compare);
	for (size_t i = 0; by_time && i < n; i++)
		json_array_append(by_time, v[i].e);
	free(v);
	return by_time;
}

json_t *
out_trace_json(const json_t *run)
{
	struct converting c = { .run = run, .list = json_array() };
	json_t *o, *events;

	c.nsteps = json_array_size(
	    json_object_get(json_object_get(run, "events"), "thread"));
	put_names(&c);
	put_events(&c);
	put_waits(&c);
	put_holds(&c);
	events = sorted(c.list);
	json_decref(c.list);
	if (!events)
		return NULL;
	o = json_pack("{so ss s{sO sO sO ss}}", "traceEvents", events,
		      "displayTimeUnit", "ms", "otherData", "command",
		      json_object_get(run, "command"), "fault",
		      json_object_get(run, "fault"), "message",
		      json_object_get(run, "message"), "time",
		      "a step of the schedule is a microsecond");
	return o;
}
