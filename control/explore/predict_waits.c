/* SPDX-License-Identifier: MIT */
/* Waits on conditions, and signals by who has not the mutex. */
#include <stdlib.h>
#include <string.h>

#include "explore/predict_int.h"

#define CONDITIONS 64 /* of a run, that are looked at */

/* Conditions of a run, and what happened at each first. */
struct used {
	uint32_t object; /* + 1; 0: no more */
	uint32_t wait;	 /* step */
	uint32_t signal; /* step + 1: by who has not the waiter's mutex */
};

struct learning {
	struct predict *p;
	const struct predict_run *run;
	const struct explore_trace *t;
	struct explore_labels *labels;
	struct used used[CONDITIONS];
	unsigned nused;
};

static struct explore_labels *
labels_of(struct learning *x)
{
	if (!x->labels)
		x->labels = explore_labels_take(x->run->session, x->t);
	return x->labels;
}

static bool
is_wait(const struct seam_step *s)
{
	return s->op.verb == SEAM_COND_WAIT && !s->result && s->op.object;
}

static bool
may_expire(const struct seam_op *op)
{
	return seam_fns[op->fn].form != SEAM_FORM_PLAIN;
}

static bool
describe(struct learning *x, struct prediction *q, uint32_t wait)
{
	const struct seam_step *s = &x->t->step[wait];
	struct explore_labels *l = labels_of(x);

	if (!l)
		return false;
	q->condition = x->t->object[s->op.object - 1].key;
	q->thread = x->t->thread[s->slot].key;
	q->site = s->site;
	q->who = strdup(explore_thread_label(l, s->slot));
	q->name = strdup(explore_object_label(l, s->op.object));
	q->at = strdup(explore_site_label(l, wait));
	q->timed = may_expire(&s->op);
	return q->who && q->name && q->at;
}

/* Waits. */

static bool
take_prefix(struct prediction *q, const struct predict_run *run, uint32_t wait)
{
	const struct explore_trace *t = run->trace;
	uint64_t self = t->thread[t->step[wait].slot].key;

	if (!predict_follow(q, run, wait + 1, 2))
		return false;
	q->prefix[q->nprefix++] =
	    (struct seam_forced){ .thread = self, .how = SEAM_HOW_SPURIOUS };
	q->prefix[q->nprefix++] =
	    (struct seam_forced){ .thread = self, .how = SEAM_HOW_DONE };
	return true;
}

/* The first of the waits from a place, for a condition.  Somebody must be
 * able to go on after it: else the run is over before anybody can wake up. */
static void
look_at_wait(struct learning *x, uint32_t i)
{
	const struct seam_step *s = &x->t->step[i];
	uint64_t h = seam_stir(x->t->object[s->op.object - 1].key, s->site);

	struct prediction *q;

	if (i + 1 >= x->t->nsteps || i >= PREDICT_FOLLOWED ||
	    explore_set_add(x->p->seen, h))
		return;
	q = predict_add(x->p, PREDICTION_WAIT, h);
	if (!q)
		return;
	if (!describe(x, q, i) || !take_prefix(q, x->run, i))
		q->state = PREDICTION_REFUTED;
}

static bool
is_spurious(const struct explore_trace *t, const struct prediction *q,
	    uint32_t i)
{
	return t->step[i].op.how == SEAM_HOW_SPURIOUS &&
	       t->thread[t->step[i].slot].key == q->thread;
}

static bool
is_cancelled(const struct explore_trace *t, uint32_t slot)
{
	for (uint32_t i = 0; i < t->nsteps; i++)
		if (t->step[i].op.verb == SEAM_THREAD_CANCEL &&
		    t->step[i].op.peer == slot + 1)
			return true;
	return false;
}

/* Nobody else has done anything since it tested what it waits for, until it
 * lets the mutex go: by then it waits again, if it tests again.  Where there is
 * a timeout the time may have told it to go on. */
void
predict_judge_wait(struct prediction *q, const struct explore_trace *t,
		   enum explore_fault fault)
{
	uint32_t i = 0, slot, mutex;

	while (i < t->nsteps && !is_spurious(t, q, i))
		i++;
	if (i >= t->nsteps || q->timed)
		return;
	slot = t->step[i].slot;
	if (is_cancelled(t, slot))
		return;
	mutex = t->step[i].op.object;
	for (i++; i < t->nsteps && t->step[i].slot == slot; i++) {
		const struct seam_step *s = &t->step[i];

		if (is_wait(s)) {
			q->state = PREDICTION_REFUTED;
			return;
		}
		if (s->op.verb == SEAM_MUTEX_UNLOCK && s->op.object == mutex)
			break;
	}
	/* Or it has ended the program, by an abort for example. */
	q->went_on |= i < t->nsteps ? t->step[i].slot == slot : !t->verdict;
	if (q->went_on && fault)
		q->state = PREDICTION_CONFIRMED;
}

/* Signals. */

static struct used *
used_by(struct learning *x, uint32_t object)
{
	for (unsigned i = 0; i < x->nused; i++)
		if (x->used[i].object == object)
			return &x->used[i];
	return NULL;
}

static void
look_at_signal(struct learning *x, const struct held *h, uint32_t i)
{
	const struct seam_step *s = &x->t->step[i];
	struct used *u = used_by(x, s->op.object);

	if (!u || u->signal || x->t->step[u->wait].slot == s->slot ||
	    held_has(h, s->slot, x->t->step[u->wait].op.second))
		return;
	u->signal = i + 1;
}

static void
predict_signal(struct learning *x, const struct used *u)
{
	const struct explore_trace *t = x->t;
	uint64_t h = seam_stir(t->object[u->object - 1].key, SEAM_COND_SIGNAL);
	struct prediction *q;
	struct explore_labels *l;

	if (!u->signal || explore_set_add(x->p->seen, h))
		return;
	q = predict_add(x->p, PREDICTION_SIGNAL, h);
	l = labels_of(x);
	if (!q)
		return;
	if (l && describe(x, q, u->wait)) {
		q->other = strdup(
		    explore_thread_label(l, t->step[u->signal - 1].slot));
		q->other_at = strdup(explore_site_label(l, u->signal - 1));
	}
	if (!q->other || !q->other_at)
		q->state = PREDICTION_REFUTED;
}

static void
note_wait(struct learning *x, uint32_t i)
{
	uint32_t object = x->t->step[i].op.object;

	if (!used_by(x, object) && x->nused < CONDITIONS)
		x->used[x->nused++] =
		    (struct used){ .object = object, .wait = i };
	if (!x->run->directed)
		look_at_wait(x, i);
}

static void
look_at_signals(struct learning *x)
{
	struct held h;
	bool good = held_begin(&h, x->t);

	for (uint32_t i = 0; i < x->t->nsteps && good; i++) {
		const struct seam_op *op = &x->t->step[i].op;

		if ((op->verb == SEAM_COND_SIGNAL ||
		     op->verb == SEAM_COND_BROADCAST) &&
		    !(op->flags & SEAM_OP_LOCAL))
			look_at_signal(x, &h, i);
		good = held_step(&h, i);
	}
	held_free(&h);
}

void
predict_learn_waits(struct predict *p, const struct predict_run *run)
{
	struct learning x = { .p = p, .run = run, .t = run->trace };

	if (p->n == PREDICT_MOST)
		return;
	for (uint32_t i = 0; i < x.t->nsteps; i++)
		if (is_wait(&x.t->step[i]))
			note_wait(&x, i);
	if (x.nused)
		look_at_signals(&x);
	for (unsigned i = 0; i < x.nused; i++)
		predict_signal(&x, &x.used[i]);
	explore_labels_free(x.labels);
}

bool
predict_lost_wakeup(const struct prediction *q, const struct explore_trace *t)
{
	for (uint32_t i = 0; i < t->nthreads; i++) {
		const struct explore_thread *th = &t->thread[i];
		const struct seam_op *op = &th->pending;

		if (th->key == q->thread && th->queued && op->second &&
		    t->object[op->second - 1].key == q->condition)
			return true;
	}
	return false;
}
