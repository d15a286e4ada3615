/* SPDX-License-Identifier: MIT */
#include "explore/replay_compare.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "explore/critical.h"
#include "explore/oracle.h"
#include "explore/replay_names.h"

struct replay_match {
	const struct replay_file *f;
	const struct explore_trace *t;
	const struct explore_labels *l;
	struct replay_names *names;
	uint32_t *was; /* a file event's object's number; 0: it is no name */
	uint32_t *is;  /* a run's object's */
	uint32_t at;   /* the first that differs */
	bool differs;
};

/* Names. */

/* Where it has no object, the subject is a thread: no name to be learnt. */
static bool
is_name(const char *subject)
{
	return strcmp(subject, "-") != 0 &&
	       !(*subject == 'P' && isdigit((unsigned char)subject[1]) &&
		 strstr(subject, ".T") && !strchr(subject, '/'));
}

/* Behind the events are those that stand, as in runs. */
const struct replay_event *
replay_event_at(const struct replay_file *f, size_t event)
{
	return event < f->nevents ? &f->event[event] :
				    &f->standing[event - f->nevents];
}

static bool
number_names(struct replay_match *m)
{
	const struct replay_file *f = m->f;

	for (size_t i = 0; i < f->nevents + f->nstanding; i++) {
		const char *object = replay_event_at(f, i)->object;

		if (!is_name(object))
			continue;
		m->was[i] = replay_names_of_file(m->names, object);
		if (!m->was[i])
			return false;
	}
	for (uint32_t i = 1; i <= m->t->nobjects; i++) {
		m->is[i] = replay_names_of_run(m->names,
					       explore_object_label(m->l, i));
		if (!m->is[i])
			return false;
	}
	return true;
}

/* One event beside another. */

static bool
is_made(const char *verb)
{
	const char *dot = strrchr(verb, '.');

	return dot && !strcmp(dot, ".init");
}

static bool
is_by(const struct replay_match *m, const struct replay_event *e, uint32_t at)
{
	return !strcmp(e->thread, m->t->thread[critical_slot(m->t, at)].path);
}

static bool
is_verb(const struct replay_match *m, const struct replay_event *e, uint32_t at)
{
	const uint32_t n = m->t->nsteps;
	char verb[64];

	if (at >= n && m->t->thread[at - n].state != SEAM_SLOT_PENDING)
		return !strcmp(e->verb, "-");
	return !strcmp(e->verb,
		       replay_verb(critical_op(m->t, at), verb, sizeof(verb)));
}

/* To the same; learns what that is called. */
static bool
is_about(const struct replay_match *m, size_t event, uint32_t at, bool learn)
{
	const struct replay_event *e = replay_event_at(m->f, event);
	const struct seam_op *op = critical_op(m->t, at);

	if (!strcmp(e->verb, "-"))
		return true;
	if (!op->object || !m->was[event])
		return !strcmp(e->object, replay_subject(m->t, m->l, op));
	if (!learn)
		return replay_names_are(m->names, m->was[event],
					m->is[op->object]);
	return replay_names_learn(m->names, m->was[event], m->is[op->object],
				  is_made(e->verb));
}

/* The same thread does, or is about to do, the same to the same. */
static bool
is_like(const struct replay_match *m, size_t event, uint32_t at, bool learn)
{
	const struct replay_event *e = replay_event_at(m->f, event);

	return is_by(m, e, at) && is_verb(m, e, at) &&
	       is_about(m, event, at, learn);
}

/* "cache_put cache.c:42": how much of it is the function. */
static size_t
function_length(const char *site)
{
	const char *line = explore_site_line(site);

	return line > site ? (size_t)(line - site) : 0;
}

bool
replay_same_function(const char *was, const char *is)
{
	const size_t n = function_length(was), m = function_length(is);

	return !n || !m || (n == m && !memcmp(was, is, n));
}

bool
replay_is_like(const struct replay_match *m, size_t event, uint32_t at,
	       bool anybody)
{
	const struct replay_event *e = replay_event_at(m->f, event);

	return (anybody || is_by(m, e, at)) && is_verb(m, e, at) &&
	       is_about(m, event, at, false) &&
	       replay_same_function(e->site, critical_site(m->t, m->l, at));
}

static bool
has_result(const struct replay_match *m, size_t event, uint32_t step)
{
	char number[16];

	return !strcmp(m->f->event[event].result,
		       replay_result(&m->t->step[step], number,
				     sizeof(number)));
}

static bool
is_as_expected(struct replay_match *m, uint32_t i, bool same_build)
{
	if (same_build)
		return m->t->step[i].event == m->f->event[i].event;
	return has_result(m, i, i) && is_like(m, i, i, true);
}

/* Where nobody can go on, that is how it failed. */
static bool
stand_as_expected(struct replay_match *m)
{
	const struct replay_file *f = m->f;
	const uint32_t n = m->t->nsteps;

	if (!f->nstanding ||
	    (strcmp(f->fault, explore_fault_names[EXPLORE_DEADLOCK]) != 0 &&
	     strcmp(f->fault, explore_fault_names[EXPLORE_LOST_WAKEUP]) != 0))
		return true;
	if (m->t->nthreads != f->nstanding)
		return false;
	for (uint32_t i = 0; i < m->t->nthreads; i++)
		if (!is_like(m, f->nevents + i, n + i, true))
			return false;
	return true;
}

static void
compare(struct replay_match *m, bool same_build)
{
	const struct replay_file *f = m->f;
	const struct explore_trace *t = m->t;
	uint32_t i = 0;

	if (!f->nevents) {
		m->at = t->at;
		m->differs = t->verdict == SEAM_VERDICT_DIVERGED;
		return;
	}
	while (i < t->nsteps && i < f->nevents &&
	       is_as_expected(m, i, same_build))
		i++;
	m->at = i;
	m->differs = i < t->nsteps || i < f->nevents || !stand_as_expected(m);
}

struct replay_match *
replay_match_new(const struct replay_file *f, const struct explore_trace *t,
		 const struct explore_labels *l, bool same_build)
{
	struct replay_match *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->f = f;
	m->t = t;
	m->l = l;
	m->names = replay_names_new(f->nevents + f->nstanding, t->nobjects);
	m->was = calloc(f->nevents + f->nstanding + 1, sizeof(*m->was));
	m->is = calloc(t->nobjects + 1u, sizeof(*m->is));
	if (m->names && m->was && m->is && number_names(m)) {
		compare(m, same_build);
		return m;
	}
	replay_match_free(m);
	return NULL;
}

void
replay_match_free(struct replay_match *m)
{
	if (!m)
		return;
	replay_names_free(m->names);
	free(m->was);
	free(m->is);
	free(m);
}

bool
replay_differs(const struct replay_match *m, uint32_t *at)
{
	*at = m->at;
	return m->differs;
}

/* What has moved. */

static bool
is_line(const char *line)
{
	const char *colon = strrchr(line, ':');

	return colon && isdigit((unsigned char)colon[1]);
}

void
replay_moved(const struct replay_match *m, struct replay_moved *out)
{
	*out = (struct replay_moved){ 0 };
	for (uint32_t i = 0; i < m->at && i < m->f->nevents; i++) {
		const char *was = explore_site_line(m->f->event[i].site);
		const char *is = explore_site_line(explore_site_label(m->l, i));

		if (!is_line(was) || !is_line(is) || !strcmp(was, is) ||
		    out->lines++)
			continue;
		out->line[0] = was;
		out->line[1] = is;
	}
	out->objects =
	    replay_names_changed(m->names, &out->object[0], &out->object[1]);
}

/* What is nearest. */

struct nearest {
	struct replay_near *out;
	bool found;
};

/* True: there is none that would be nearer. */
static bool
try_step(struct nearest *n, const struct replay_match *m, size_t event,
	 uint32_t step, uint32_t here)
{
	bool result;

	if (!is_like(m, event, step, false))
		return false;
	result = !has_result(m, event, step);
	if (n->found && (result || !n->out->result))
		return false;
	n->found = true;
	*n->out = (struct replay_near){ here, result };
	return !result;
}

bool
replay_near_in_file(const struct replay_match *m, uint32_t step,
		    struct replay_near *out)
{
	const uint32_t n = (uint32_t)m->f->nevents;
	struct nearest near = { .out = out };

	for (uint32_t far = 0; far <= step || step + far < n; far++)
		if ((step + far < n &&
		     try_step(&near, m, step + far, step, step + far)) ||
		    (far && far <= step && step - far < n &&
		     try_step(&near, m, step - far, step, step - far)))
			break;
	return near.found;
}

bool
replay_near_in_run(const struct replay_match *m, uint32_t event,
		   struct replay_near *out)
{
	const uint32_t n = m->t->nsteps;
	struct nearest near = { .out = out };

	for (uint32_t far = 0; far <= event || event + far < n; far++)
		if ((event + far < n &&
		     try_step(&near, m, event, event + far, event + far)) ||
		    (far && far <= event && event - far < n &&
		     try_step(&near, m, event, event - far, event - far)))
			break;
	return near.found;
}
