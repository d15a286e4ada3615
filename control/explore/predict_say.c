/* SPDX-License-Identifier: MIT */
/* What was predicted, in words. */
#include <stdio.h>
#include <stdlib.h>

#include "explore/predict.h"

const char *const prediction_kind_names[] = {
	[PREDICTION_LOCK_ORDER] = "lock-order",
	[PREDICTION_SIGNAL] = "signal",
	[PREDICTION_WAIT] = "wait",
};

const char *const prediction_state_names[] = {
	[PREDICTION_OPEN] = "potential",
	[PREDICTION_CONFIRMED] = "confirmed",
	[PREDICTION_MET] = "met",
	[PREDICTION_REFUTED] = "refuted",
};

static const char *
place(const char *at)
{
	return *at ? at : "an unknown place";
}

static void
put_cycle(FILE *f, const struct lockorder_cycle *c)
{
	fputs("deadlock by lock order: ", f);
	for (unsigned i = 0; i < c->n; i++)
		fprintf(f, "%s%s",
			i == 0	     ? "" :
			i + 1 < c->n ? ", " :
				       " and ",
			c->dep[i]->who);
	fputs(" may wait for each other\n", f);
	for (unsigned i = 0; i < c->n; i++) {
		const struct lockorder_dep *d = c->dep[i];
		const struct lockorder_lock *held = &d->held[c->held[i]];

		fprintf(f, "  %s takes %s at %s, holding %s since %s\n", d->who,
			d->want.name, place(d->want.at), held->name,
			place(held->at));
	}
}

static void
put_signal(FILE *f, const struct prediction *q)
{
	fprintf(f,
		"lost wake-up: %s is signalled without the mutex\n"
		"  %s signals at %s, perhaps after %s has tested and before it "
		"waits at %s\n",
		q->name, q->other, place(q->other_at), q->who, place(q->at));
}

static void
put_wait(FILE *f, const struct prediction *q)
{
	fprintf(f,
		"wait not in a loop: woken by nobody, which POSIX allows, %s "
		"goes on\n"
		"  it waits for %s at %s\n",
		q->who, q->name, place(q->at));
}

char *
prediction_text(const struct prediction *q)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	switch (q->kind) {
	case PREDICTION_LOCK_ORDER:
		put_cycle(f, q->instance);
		break;
	case PREDICTION_SIGNAL:
		put_signal(f, q);
		break;
	case PREDICTION_WAIT:
		put_wait(f, q);
		break;
	}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
