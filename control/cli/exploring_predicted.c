/* SPDX-License-Identifier: MIT */
/* Predictions, as they are told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exploring.h"
#include "rules_int.h"

#define TOLD_MOST 20 /* of those that were not confirmed */

/* The first line after what introduces it, the others as they are. */
static void
put_text(FILE *f, const struct prediction *q, const char *before)
{
	char *text = prediction_text(q);

	fprintf(f, "%s%s", before, text ? text : "no memory\n");
	free(text);
}

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
	if (find->prediction && find->prediction->state == PREDICTION_CONFIRMED)
		put_text(f, find->prediction, "predicted: ");
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

/* A confirmed one was told when it was found. */
static void
put_potential(const struct prediction *q)
{
	if (q->state == PREDICTION_CONFIRMED)
		return;
	put_text(stdout, q, "potential ");
	if (q->kind == PREDICTION_LOCK_ORDER)
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
			put_potential(q);
	}
	if (told > TOLD_MOST)
		printf("%zu more are potential\n", told - TOLD_MOST);
}
