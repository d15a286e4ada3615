/* SPDX-License-Identifier: MIT */
/*
 * The pairs of one run.
 *
 * An epoch is a part of a thread between two creations or joinings that it
 * makes: what these alone order before it is the same for all its events, and
 * is its row: 1 + the latest such event of each thread.
 */
#include <stdlib.h>
#include <string.h>

#include "depend.h"
#include "explore/coverage_int.h"

#define MOST_EPOCHS 1024
#define MOST_GROUPS 64 /* on one object */
#define LOOK_BACK 64

/* The events that a thread has on an object in an epoch, of one kind. */
struct group {
	const struct covered_op *op;
	uint32_t epoch, example; /* a step */
	uint16_t slot;
	struct group *next;
};

struct epoch {
	uint16_t slot;
	uint32_t number; /* of the thread's */
};

struct run {
	struct explore_coverage *c;
	const struct explore_trace *t;
	uint32_t threads; /* that are looked at */
	uint32_t *row;	  /* by epoch */
	struct epoch epoch[MOST_EPOCHS];
	uint32_t epochs, now[SEAM_MASKED]; /* by slot */
	/* By object, from 0 for points: the latest event's entry + 1, where
	 * 2i and 2i + 1 are event i's, and the one before each. */
	uint32_t *latest, *before;
	struct group *group, **groups;
	uint32_t ngroups, *size; /* by object */
};

static uint32_t *
row_of(const struct run *r, uint32_t epoch)
{
	return r->row + (size_t)epoch * r->threads;
}

/* The slot goes on in a new epoch that knows what `with` does, too. */
static void
begin_epoch(struct run *r, uint16_t slot, uint32_t with)
{
	uint32_t old = r->now[slot], *row, *own = row_of(r, old),
		 *other = row_of(r, with);

	if (r->epochs == MOST_EPOCHS)
		return;
	row = row_of(r, r->epochs);
	r->epoch[r->epochs] = (struct epoch){ slot, r->epoch[old].number + 1 };
	for (uint32_t s = 0; s < r->threads; s++)
		row[s] = own[s] > other[s] ? own[s] : other[s];
	r->now[slot] = r->epochs++;
}

static void
follow_threads(struct run *r, uint32_t i)
{
	const struct seam_step *step = &r->t->step[i];
	uint16_t peer = (uint16_t)(step->op.peer - 1), slot = step->slot;

	if (!step->op.peer || peer >= r->threads || peer == slot ||
	    step->op.flags & SEAM_OP_LOCAL || step->op.how != SEAM_HOW_DONE)
		return;
	switch (step->op.verb) {
	case SEAM_THREAD_CREATE:
	case SEAM_PROCESS_FORK:
		begin_epoch(r, peer, r->now[slot]);
		row_of(r, r->now[peer])[slot] = i + 1;
		begin_epoch(r, slot, r->now[slot]);
		break;
	case SEAM_THREAD_JOIN:
	case SEAM_PROCESS_WAIT:
		begin_epoch(r, slot, r->now[peer]);
		row_of(r, r->now[slot])[peer] = i;
		break;
	default:
		break;
	}
}

static bool
is_unlock(const struct seam_op *op)
{
	return op->verb == SEAM_MUTEX_UNLOCK || op->verb == SEAM_SPIN_UNLOCK ||
	       op->verb == SEAM_RWLOCK_UNLOCK || op->verb == SEAM_FILE_UNLOCK;
}

/* One order is as possible as the other, as far as the two alone tell; that of
 * two unlocks is that of the locks. */
static bool
is_open(const struct seam_op *a, uint16_t slot_a, const struct seam_op *b,
	uint16_t slot_b)
{
	return !(is_unlock(a) && is_unlock(b)) &&
	       seam_reversible(a, slot_a, b, slot_b) &&
	       seam_reversible(b, slot_b, a, slot_a);
}

static bool
conflict_on(const struct seam_op *a, const struct seam_op *b, uint32_t object)
{
	const uint64_t wanted = object ? object : SEAM_TOUCH_POINTS;
	struct seam_touch ta[2], tb[2];
	unsigned na = seam_touches(a, ta), nb = seam_touches(b, tb);

	for (unsigned i = 0; i < na; i++)
		for (unsigned j = 0; j < nb; j++)
			if (ta[i].object == wanted &&
			    seam_touches_conflict(&ta[i], &tb[j]))
				return true;
	return false;
}

/* The latest that event i might have come before: another thread's? */
static void
look_back(struct run *r, uint32_t i, uint32_t object)
{
	const struct seam_step *step = &r->t->step[i];
	const uint32_t *known = row_of(r, r->now[step->slot]);
	const struct covered_op *a, *b;
	uint32_t entry = r->latest[object];
	struct covered_object *o;

	for (int n = 0; entry && n < LOOK_BACK; n++) {
		uint32_t j = (entry - 1) / 2;
		const struct seam_step *other = &r->t->step[j];
		bool own = other->slot == step->slot;

		entry = r->before[entry - 1];
		if (!conflict_on(&other->op, &step->op, object) ||
		    !is_open(&other->op, own ? SEAM_NOBODY - 1 : other->slot,
			     &step->op, step->slot))
			continue;
		if (own || j < known[other->slot])
			return;
		a = coverage_op(r->c, r->t, j);
		b = coverage_op(r->c, r->t, i);
		o = coverage_object(r->c, coverage_key(r->t, object));
		if (a && b && o)
			coverage_count(r->c, o, a, b, 1);
		return;
	}
}

static void
join_group(struct run *r, uint32_t i, uint32_t object)
{
	const uint16_t slot = r->t->step[i].slot;
	const struct covered_op *op = coverage_op(r->c, r->t, i);
	struct group *g;

	for (g = r->groups[object]; g; g = g->next)
		if (g->op == op && g->epoch == r->now[slot])
			return;
	if (!op || r->size[object] == MOST_GROUPS)
		return;
	g = &r->group[r->ngroups++];
	*g = (struct group){ .op = op,
			     .epoch = r->now[slot],
			     .example = i,
			     .slot = slot,
			     .next = r->groups[object] };
	r->groups[object] = g;
	r->size[object]++;
}

static void
take(struct run *r, uint32_t i)
{
	const struct seam_op *op = &r->t->step[i].op;
	struct seam_touch touch[2];
	unsigned n;

	if (r->t->step[i].slot >= r->threads || seam_op_is_local(op))
		return;
	follow_threads(r, i);
	if (seam_op_is_global(op))
		return;
	n = seam_touches(op, touch);
	for (unsigned k = 0; k < n; k++) {
		uint32_t object = touch[k].object == SEAM_TOUCH_POINTS ?
				      0 :
				      (uint32_t)touch[k].object;

		look_back(r, i, object);
		join_group(r, i, object);
		r->before[2 * i + k] = r->latest[object];
		r->latest[object] = 2 * i + k + 1;
	}
}

/* Nothing of the one epoch is before all of the other. */
static bool
are_concurrent(const struct run *r, const struct group *a,
	       const struct group *b)
{
	return a->slot != b->slot &&
	       a->example >= row_of(r, b->epoch)[a->slot] &&
	       b->example >= row_of(r, a->epoch)[b->slot];
}

static uint64_t
hash_of(const struct run *r, uint32_t object)
{
	const struct group *g;
	uint64_t sum = 0;

	for (g = r->groups[object]; g; g = g->next)
		sum += seam_stir(seam_stir(r->t->thread[g->slot].key,
					   r->epoch[g->epoch].number),
				 g->op->hash);
	return seam_stir(coverage_key(r->t, object), sum);
}

/* All pairs that there may be; the same groups have the same. */
static void
pair_up(struct run *r, uint32_t object)
{
	const struct explore_trace *t = r->t;
	struct covered_object *o;
	const struct group *a, *b;

	if (r->size[object] < 2 || !coverage_is_news(r->c, hash_of(r, object)))
		return;
	o = coverage_object(r->c, coverage_key(t, object));
	for (a = r->groups[object]; o && a; a = a->next)
		for (b = a->next; b; b = b->next) {
			const struct seam_op *x = &t->step[a->example].op,
					     *y = &t->step[b->example].op;

			if (are_concurrent(r, a, b) &&
			    conflict_on(x, y, object) &&
			    is_open(x, a->slot, y, b->slot))
				coverage_count(r->c, o, a->op, b->op, 0);
		}
}

static bool
make_room(struct run *r)
{
	const size_t steps = (size_t)r->t->nsteps * 2 + 1,
		     objects = (size_t)r->t->nobjects + 1;

	r->row =
	    calloc((size_t)MOST_EPOCHS * (r->threads + 1), sizeof(uint32_t));
	r->latest = calloc(objects, sizeof(uint32_t));
	r->size = calloc(objects, sizeof(uint32_t));
	r->groups = calloc(objects, sizeof(struct group *));
	r->before = calloc(steps, sizeof(uint32_t));
	r->group = calloc(steps, sizeof(struct group));
	return r->row && r->latest && r->size && r->groups && r->before &&
	       r->group;
}

void
explore_coverage_add(struct explore_coverage *c, const struct explore_trace *t)
{
	struct run r = { .c = c, .t = t, .threads = t->nthreads };

	if (r.threads > SEAM_MASKED)
		r.threads = SEAM_MASKED;
	if (make_room(&r)) {
		for (r.epochs = 0; r.epochs < r.threads; r.epochs++) {
			r.now[r.epochs] = r.epochs;
			r.epoch[r.epochs].slot = (uint16_t)r.epochs;
		}
		for (uint32_t i = 0; i < t->nsteps; i++)
			take(&r, i);
		for (uint32_t i = 0; i <= t->nobjects; i++)
			pair_up(&r, i);
	}
	free(r.row);
	free(r.latest);
	free(r.size);
	free((void *)r.groups);
	free(r.before);
	free(r.group);
}
