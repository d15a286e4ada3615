/* SPDX-License-Identifier: MIT */
/* What the exploring commands tell of a run. */
#include <stdio.h>

#include "explore/tell.h"
#include "exploring.h"
#include "rules_int.h"

#define OUTPUT_MAX 2000 /* bytes of the program's that are shown */

void
exploring_put_run(FILE *f, const char *text, const struct explore_trace *t,
		  const struct explore_labels *l, const char *output,
		  size_t len)
{
	struct table_style style = table_style_of(f);

	fputs(text, f);
	fputc('\n', f);
	explore_table(f, t, l, &style);
	explore_put_output(f, output, len, OUTPUT_MAX);
}

void
exploring_put_pair(FILE *f, const char *text, const struct explore_trace *t,
		   const struct explore_labels *l, const char *output,
		   size_t len, const struct critical *pair, const char *because)
{
	struct table_style style = table_style_of(f);

	style.pair = pair;
	fputs(text, f);
	fputc('\n', f);
	explore_table(f, t, l, &style);
	explore_put_output(f, output, len, OUTPUT_MAX);
	if (pair->found && because)
		fprintf(f, "\nthe order that decides (>):\n  %s\n", because);
}

void
exploring_put_json(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(object);
	if (!text)
		return;
	puts(text);
	fflush(stdout);
	free(text);
}

json_t *
exploring_json_events(const struct explore_trace *t,
		      const struct explore_labels *l)
{
	json_t *list = json_array(), *e;

	for (uint32_t i = 0; i < t->nsteps; i++) {
		const struct seam_step *s = &t->step[i];
		char number[16];

		e = json_object();
		seam_json_put(e, "thread", t->thread[s->slot].path);
		seam_json_put(e, "op", seam_verb_name(s->op.verb));
		seam_json_put(e, "object",
			      explore_object_label(l, s->op.object));
		seam_json_put(e, "site", explore_site_label(l, i));
		seam_json_put(e, "result",
			      explore_result_label(s, number, sizeof(number)));
		json_object_set_new(e, "preemption",
				    json_boolean(explore_is_preemption(t, i)));
		json_array_append_new(list, e);
	}
	return list;
}

static json_t *
json_event(const struct explore_trace *t, const struct explore_labels *l,
	   uint32_t event)
{
	const struct seam_op *op = critical_op(t, event);
	json_t *o = json_object();

	json_object_set_new(o, "event", json_integer(event + 1));
	seam_json_put(o, "thread", t->thread[critical_slot(t, event)].path);
	seam_json_put(o, "op", seam_verb_name(op->verb));
	seam_json_put(o, "object",
		      op->object || !op->peer ?
			  explore_object_label(l, op->object) :
			  t->thread[op->peer - 1].path);
	seam_json_put(o, "site", critical_site(t, l, event));
	json_object_set_new(o, "done", json_boolean(event < t->nsteps));
	return o;
}

json_t *
exploring_json_pair(const struct explore_trace *t,
		    const struct explore_labels *l, const struct critical *pair)
{
	json_t *list = json_array();

	if (!pair->found)
		return list;
	json_array_append_new(list, json_event(t, l, pair->first));
	json_array_append_new(list, json_event(t, l, pair->second));
	return list;
}

const char *
exploring_server_name(int server)
{
	return server == SEAM_SERVER_LATE  ? "late" :
	       server == SEAM_SERVER_EARLY ? "early" :
					     "none";
}
