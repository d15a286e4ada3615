/* SPDX-License-Identifier: MIT */
/* Events as replay files have them, and as a person is told of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/replay_compare.h"
#include "rules_int.h"

const char *
replay_subject(const struct explore_trace *t, const struct explore_labels *l,
	       const struct seam_op *op)
{
	if (op->object)
		return explore_object_label(l, op->object);
	return op->peer ? t->thread[op->peer - 1].path : "-";
}

/* "mutex.unlock+": goes on after it. */
const char *
replay_verb(const struct seam_op *op, char *buf, size_t size)
{
	const bool after =
	    op->flags & SEAM_OP_LOCAL && op->verb != SEAM_THREAD_START;

	snprintf(buf, size, "%s%s", seam_verb_name(op->verb), after ? "+" : "");
	return buf;
}

const char *
replay_result(const struct seam_step *s, char *buf, size_t size)
{
	const char *text = explore_result_label(s, buf, size);

	return *text ? text : "ok";
}

static char *
event_text(const struct replay_event *e)
{
	const bool ok = !e->result || !strcmp(e->result, "ok"),
		   object = strcmp(e->object, "-") != 0,
		   site = strcmp(e->site, "-") != 0;
	char *text;

	if (asprintf(&text, "%s  %s%s%s%s%s%s%s", e->thread, e->verb,
		     object ? " " : "", object ? e->object : "",
		     site ? " at " : "", site ? e->site : "", ok ? "" : " = ",
		     ok ? "" : e->result) < 0)
		return NULL;
	return text;
}

static char *
standing_text(const struct replay_file *f)
{
	char *text = NULL, *one;
	size_t len, n = 0;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return NULL;
	for (size_t i = 0; i < f->nstanding; i++) {
		if (!strcmp(f->standing[i].verb, "-"))
			continue;
		one = event_text(&f->standing[i]);
		fprintf(to, "%s%s", n++ ? "; " : "", one ? one : "?");
		free(one);
	}
	if (!n)
		fputs("the end of the run", to);
	if (fclose(to)) {
		free(text);
		return NULL;
	}
	return text;
}

char *
replay_expected(const struct replay_file *f, uint32_t at)
{
	return at < f->nevents ? event_text(&f->event[at]) : standing_text(f);
}

/* Past the last step: what those that stand would have done. */
static char *
pending_text(const struct explore_trace *t, const struct explore_labels *l)
{
	char *text = NULL, call[256];
	bool any = false;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (uint32_t i = 0; i < t->nthreads; i++) {
		const struct explore_thread *th = &t->thread[i];

		if (th->state != SEAM_SLOT_PENDING)
			continue;
		explore_op_label(l, &th->pending, call, sizeof(call));
		fprintf(f, "%s%s  %s%s%s", any ? "; " : "", th->path, call,
			*l->at[i] ? " at " : "", l->at[i]);
		any = true;
	}
	if (!any)
		fputs("the end of the run", f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

char *
replay_actual(const struct explore_trace *t, const struct explore_labels *l,
	      uint32_t at)
{
	const char *site, *result;
	char call[256], number[16], *text;

	if (at >= t->nsteps)
		return pending_text(t, l);
	site = explore_site_label(l, at);
	result = explore_result_label(&t->step[at], number, sizeof(number));
	explore_op_label(l, &t->step[at].op, call, sizeof(call));
	if (asprintf(&text, "%s  %s%s%s%s%s", t->thread[t->step[at].slot].path,
		     call, *site ? " at " : "", site, *result ? " = " : "",
		     result) < 0)
		return NULL;
	return text;
}
