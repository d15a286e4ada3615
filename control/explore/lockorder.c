/* SPDX-License-Identifier: MIT */
/* The dependencies of all runs. */
#include "explore/lockorder.h"

#include <stdlib.h>
#include <string.h>

#include "explore/held.h"
#include "explore/lockorder_int.h"

static bool
is_exclusive_kind(uint8_t kind)
{
	return kind == SEAM_KIND_MUTEX || kind == SEAM_KIND_SPIN ||
	       kind == SEAM_KIND_SEM;
}

bool
lockorder_wants(const struct explore_trace *t, const struct seam_op *op,
		struct lockorder_lock *l)
{
	const uint8_t class = seam_verbs[op->verb].class;
	const uint8_t kind = seam_verbs[op->verb].kind;

	if (!op->object || op->flags & SEAM_OP_LOCAL ||
	    (class != SEAM_CLASS_ACQUIRE && class != SEAM_CLASS_TRY))
		return false;
	if (!is_exclusive_kind(kind) && kind != SEAM_KIND_RWLOCK &&
	    kind != SEAM_KIND_FILE)
		return false;
	*l = (struct lockorder_lock){ .object = t->object[op->object - 1].key,
				      .kind = kind,
				      .shared = !is_exclusive_kind(kind) &&
						op->mode == 'r' };
	if (kind == SEAM_KIND_FILE) {
		l->off = op->off;
		l->len = op->len;
	}
	return true;
}

bool
lockorder_conflict(const struct lockorder_lock *a,
		   const struct lockorder_lock *b)
{
	return a->object == b->object && a->kind == b->kind &&
	       !(a->shared && b->shared) &&
	       (!a->len || a->off + a->len > b->off) &&
	       (!b->len || b->off + b->len > a->off) &&
	       (!a->name || !b->name || !strcmp(a->name, b->name));
}

/* Who may wait for ever, as far as this call goes. */
static bool
may_wait(const struct seam_op *op)
{
	return seam_verbs[op->verb].class == SEAM_CLASS_ACQUIRE &&
	       (!(op->flags & SEAM_OP_TIMED) ||
		op->verb == SEAM_COND_REACQUIRE);
}

/* Its own is no other's: a recursive lock, or an error of its own.  A process
 * waits for others while it turns what it reads into what it writes. */
static bool
is_own(const struct held *h, uint32_t slot, const struct seam_op *op,
       const struct lockorder_lock *want)
{
	const struct held_by *by = &h->by[slot];

	for (unsigned k = 0; k < by->n; k++) {
		const struct held_lock *l = &by->lock[k];
		bool apart = (want->len && want->off + want->len <= l->off) ||
			     (l->len && l->off + l->len <= want->off);

		if (l->object == op->object &&
		    (want->kind != SEAM_KIND_FILE ||
		     op->verb == SEAM_FLOCK_LOCK || (!apart && !l->shared)))
			return true;
	}
	return false;
}

/* Semaphores that are no mutexes. */

bool
lockorder_is_lock(const struct lockorder *o, const struct lockorder_lock *l)
{
	for (size_t i = 0; l->kind == SEAM_KIND_SEM && i < o->ncounting; i++)
		if (o->counting[i] == l->object)
			return false;
	return true;
}

static bool
counts(const struct held *h, const struct seam_step *step)
{
	uint64_t had = step->op.off; /* 1 + */

	if (!step->op.object)
		return false;
	switch (step->op.verb) {
	case SEAM_SEM_POST:
		return had != 1 || !held_has(h, step->slot, step->op.object);
	case SEAM_SEM_WAIT:
	case SEAM_SEM_TRYWAIT:
		return had > 2;
	default:
		return false;
	}
}

static void
note_counting(struct lockorder *o, uint64_t object)
{
	struct lockorder_lock l = { .object = object, .kind = SEAM_KIND_SEM };

	if (o->ncounting < LOCKORDER_COUNTING && lockorder_is_lock(o, &l))
		o->counting[o->ncounting++] = object;
}

/* Clocks. */

static struct lockorder_clock *
clock_of(const struct explore_trace *t, uint32_t slot, const uint32_t *rows)
{
	const uint32_t *row = &rows[(size_t)slot * t->nthreads];
	struct lockorder_clock *c;
	unsigned n = 0;

	for (uint32_t i = 0; i < t->nthreads; i++)
		n += row[i] > 0;
	c = calloc(1, sizeof(*c) + n * sizeof(c->at[0]));
	for (uint32_t i = 0; c && i < t->nthreads; i++) {
		if (!row[i])
			continue;
		c->at[c->n].thread = t->thread[i].key;
		c->at[c->n++].count = row[i];
	}
	return c;
}

static uint64_t
hash_clock(const struct explore_trace *t, uint32_t slot, const uint32_t *rows)
{
	const uint32_t *row = &rows[(size_t)slot * t->nthreads];
	uint64_t sum = 0;

	for (uint32_t i = 0; i < t->nthreads; i++)
		if (row[i])
			sum += seam_stir(t->thread[i].key, row[i]);
	return sum;
}

/* A run's. */

struct learning {
	struct lockorder *o;
	const struct explore_trace *t;
	struct seam_session *session;
	struct explore_labels *labels; /* once something is new */
	struct held held;
	uint64_t schedule;
	lockorder_found *found;
	void *arg;
	bool failed;
};

static uint64_t
hash_lock(const struct lockorder_lock *l)
{
	uint64_t h = seam_stir(l->object, l->site);

	h = seam_stir(h, l->off);
	return seam_stir(h, l->len << 1 | l->shared);
}

static struct lockorder_lock
held_lock(const struct explore_trace *t, const struct held_lock *l)
{
	return (struct lockorder_lock){
		.object = t->object[l->object - 1].key,
		.off = l->off,
		.len = l->len,
		.kind = l->kind,
		.shared = l->shared,
		.site = t->step[l->step].site,
	};
}

static uint64_t
hash_dep(const struct learning *x, uint32_t slot,
	 const struct lockorder_lock *want)
{
	const struct held_by *by = &x->held.by[slot];
	uint64_t sum = hash_clock(x->t, slot, x->held.must);

	for (unsigned k = 0; k < by->n; k++) {
		struct lockorder_lock l = held_lock(x->t, &by->lock[k]);

		sum += hash_lock(&l);
	}
	return seam_stir(seam_stir(x->t->thread[slot].key, sum),
			 hash_lock(want));
}

/* "P1.1" of "P1.1.T0.2". */
static uint64_t
process_key(const struct explore_thread *t)
{
	char path[sizeof(t->path)], *end;

	strcpy(path, t->path);
	end = strstr(path, ".T");
	if (end)
		*end = '\0';
	return seam_key_of(path);
}

static uint32_t
how_manieth(const struct explore_trace *t, uint32_t step)
{
	const struct seam_step *at = &t->step[step];
	uint32_t n = 0;

	for (uint32_t i = 0; i < step; i++) {
		const struct seam_step *s = &t->step[i];

		n += s->slot == at->slot && s->site == at->site &&
		     s->op.object == at->op.object &&
		     !(s->op.flags & SEAM_OP_LOCAL);
	}
	return n;
}

static bool
name_lock(struct lockorder_lock *l, const struct explore_labels *labels,
	  uint32_t object, const char *at)
{
	l->name = strdup(explore_object_label(labels, object));
	l->at = strdup(at);
	return l->name && l->at;
}

static void
dep_free(struct lockorder_dep *d)
{
	if (!d)
		return;
	for (unsigned k = 0; d->held && k < d->nheld; k++) {
		free(d->held[k].name);
		free(d->held[k].at);
	}
	free(d->held);
	free(d->want.name);
	free(d->want.at);
	free(d->who);
	free(d->must);
	free(d->may);
	free(d);
}

static bool
fill_dep(const struct learning *x, struct lockorder_dep *d, uint32_t slot,
	 uint32_t object, const char *at)
{
	const struct explore_thread *th = &x->t->thread[slot];
	const struct held_by *by = &x->held.by[slot];

	d->thread = th->key;
	d->process = process_key(th);
	d->schedule = x->schedule;
	d->who = strdup(explore_thread_label(x->labels, slot));
	d->must = clock_of(x->t, slot, x->held.must);
	d->may = clock_of(x->t, slot, x->held.may);
	d->held = calloc(by->n, sizeof(*d->held));
	if (!d->who || !d->must || !d->may || !d->held ||
	    !name_lock(&d->want, x->labels, object, at))
		return false;
	for (; d->nheld < by->n; d->nheld++) {
		const struct held_lock *l = &by->lock[d->nheld];
		struct lockorder_lock *to = &d->held[d->nheld];

		*to = held_lock(x->t, l);
		to->nth = how_manieth(x->t, l->step);
		to->step = l->step;
		if (!name_lock(to, x->labels, l->object,
			       explore_site_label(x->labels, l->step)))
			return false;
	}
	return true;
}

static const char *
where(const struct explore_labels *l, uint32_t slot)
{
	return slot < l->nthreads ? l->at[slot] : "";
}

static bool
add_dep(struct learning *x, uint32_t slot, uint32_t step,
	const struct lockorder_lock *want, uint32_t object)
{
	struct lockorder *o = x->o;
	struct lockorder_dep *d;

	if (!x->labels)
		x->labels = x->session ? explore_labels_take(x->session, x->t) :
					 calloc(1, sizeof(*x->labels));
	d = x->labels ? calloc(1, sizeof(*d)) : NULL;
	if (!d)
		return false;
	d->want = *want;
	if (!fill_dep(x, d, slot, object,
		      step < x->t->nsteps ?
			  explore_site_label(x->labels, step) :
			  where(x->labels, slot))) {
		dep_free(d);
		return false;
	}
	o->dep[o->ndeps++] = d;
	lockorder_search(o, d, x->found, x->arg);
	return true;
}

/* Slot does, or stands at, an operation: step, or nsteps. */
static void
look(struct learning *x, uint32_t slot, const struct seam_op *op, uint64_t site,
     uint32_t step)
{
	struct lockorder_lock want;

	if (x->o->ndeps == LOCKORDER_DEPS || !x->held.by[slot].n ||
	    !may_wait(op) || !lockorder_wants(x->t, op, &want) ||
	    is_own(&x->held, slot, op, &want))
		return;
	want.site = site;
	if (explore_set_add(x->o->seen, hash_dep(x, slot, &want)))
		return;
	x->failed |= !add_dep(x, slot, step, &want, op->object);
}

static void
look_at_end(struct learning *x)
{
	for (uint32_t i = 0; i < x->t->nthreads; i++) {
		const struct explore_thread *th = &x->t->thread[i];

		if (th->state == SEAM_SLOT_PENDING && !th->queued)
			look(x, i, &th->pending, th->site, x->t->nsteps);
	}
}

bool
lockorder_learn(struct lockorder *o, const struct explore_trace *t,
		struct seam_session *session, uint64_t schedule,
		lockorder_found *found, void *arg)
{
	struct learning x = { .o = o,
			      .t = t,
			      .session = session,
			      .schedule = schedule,
			      .found = found,
			      .arg = arg };

	x.failed = !held_begin(&x.held, t);
	for (uint32_t i = 0; i < t->nsteps && !x.failed; i++) {
		const struct seam_step *step = &t->step[i];

		if (!(step->op.flags & SEAM_OP_LOCAL)) {
			look(&x, step->slot, &step->op, step->site, i);
			if (counts(&x.held, step))
				note_counting(
				    o, t->object[step->op.object - 1].key);
		}
		x.failed |= !held_step(&x.held, i);
	}
	if (!x.failed)
		look_at_end(&x);
	held_free(&x.held);
	explore_labels_free(x.labels);
	return !x.failed;
}

struct lockorder *
lockorder_new(void)
{
	struct lockorder *o = calloc(1, sizeof(*o));

	if (o && (o->seen = explore_set_new()))
		return o;
	free(o);
	return NULL;
}

void
lockorder_free(struct lockorder *o)
{
	if (!o)
		return;
	for (unsigned i = 0; i < o->ndeps; i++)
		dep_free(o->dep[i]);
	explore_set_free(o->seen);
	free(o);
}
