/* SPDX-License-Identifier: MIT */
/* Predictions, as they are told. */
#include <stdio.h>
#include <stdlib.h>

#include "exploring.h"
#include "rules_int.h"

#define TOLD_MOST 20

void
exploring_put_where(FILE *f, const struct campaign_find *find)
{
	const struct explore_trace *t = &find->result->trace;

	if (find->directed)
		fprintf(f, "\nfound in directed run %llu, after %llu schedules",
			(unsigned long long)find->directed,
			(unsigned long long)find->schedule);
	else
		fprintf(f, "\nfound in schedule %llu",
			(unsigned long long)find->schedule);
	fprintf(f, ", with %u steps, %u switches and %u preemptions\n",
		t->nsteps, t->switches, explore_preemptions(t));
}

static json_t *
edges(const struct lockorder_cycle *c)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < c->n; i++) {
		const struct lockorder_dep *d = c->dep[i];
		const struct lockorder_lock *held = &d->held[c->held[i]];
		json_t *o = json_object();

		seam_json_put(o, "thread", d->who);
		seam_json_put(o, "takes", d->want.name);
		seam_json_put(o, "at", d->want.at);
		seam_json_put(o, "holding", held->name);
		seam_json_put(o, "since", held->at);
		json_array_append_new(all, o);
	}
	return all;
}

static void
put_json(const struct prediction *q)
{
	json_t *o = json_object();
	char *text = prediction_text(q);

	seam_json_put(o, "event", "predicted");
	seam_json_put(o, "kind", prediction_kind_names[q->kind]);
	seam_json_put(o, "state", prediction_state_names[q->state]);
	json_object_set_new(o, "runs", json_integer(q->tries));
	seam_json_put(o, "message", text ? text : "");
	if (q->kind == PREDICTION_LOCK_ORDER) {
		json_object_set_new(o, "edges", edges(q->instance));
	} else {
		seam_json_put(o, "thread", q->who);
		seam_json_put(o, "condition", q->name);
		seam_json_put(o, "at", q->at);
	}
	free(text);
	exploring_put_json(o);
}

static void
put_text(const struct prediction *q)
{
	bool confirmed = q->state == PREDICTION_CONFIRMED;
	char *text = prediction_text(q);

	printf("%s%s",
	       confirmed ? "\npredicted, and confirmed: " : "potential ",
	       text ? text : "no memory\n");
	free(text);
	if (!confirmed && q->kind == PREDICTION_LOCK_ORDER)
		printf("  no run has shown it, nor %u directed ones\n",
		       q->tries);
}

void
exploring_put_predicted(const struct exploring *x, const struct campaign *c,
			const struct campaign_state *s)
{
	const struct predict *p = campaign_predictions(c);
	size_t told = 0, n = p ? predict_count(p) : 0;

	if (s->end == CAMPAIGN_ERROR || (x->quiet && !x->json))
		return;
	for (size_t i = 0; i < n; i++) {
		const struct prediction *q = predict_at(p, i);

		if (!predict_is_told(p, q, campaign_is_exhaustive(s)))
			continue;
		if (x->json)
			put_json(q);
		else if (++told <= TOLD_MOST)
			put_text(q);
	}
	if (told > TOLD_MOST)
		printf("and %zu predictions more\n", told - TOLD_MOST);
}
