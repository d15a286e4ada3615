/* SPDX-License-Identifier: MIT */
/*
 * The pairs of one run.
 *
 * An epoch is a part of a thread between two creations or joinings that it
 * makes: what these alone order before it is the same for all its events, and
 * is its row: 1 + the latest such event of each thread.
 */
#include <stdlib.h>

#include "depend.h"
#include "explore/coverage_int.h"

#define MOST_EPOCHS 1024
#define MOST_GROUPS 64 /* on one object */
#define LOOK_BACK 8    /* an unlock or two lie between two locks */

/* The events that a thread has on an object in an epoch, of one kind. */
struct group {
	const struct covered_op *op;
	uint32_t epoch, example; /* an entry */
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
	/* What event i touches are entries 2i and 2i + 1; by object, from 0
	 * for points, the latest entry + 1, and the one before each. */
	struct seam_touch *touch;
	uint32_t *latest, *before;
	uint8_t *touches;		 /* by event: how many */
	const struct covered_op **op;	 /* by event */
	struct covered_object **covered; /* by object, if it is touched */
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

/* Using what is not yet or no more there is misuse, not an order. */
static bool
is_birth_or_death(const struct seam_op *op)
{
	const unsigned class = seam_verbs[op->verb].class;

	return class == SEAM_CLASS_INIT || class == SEAM_CLASS_DESTROY;
}

/* Of the object: a wait lets its mutex go. */
static bool
is_unlock(const struct seam_op *op, uint32_t object)
{
	return (op->verb == SEAM_COND_WAIT && op->second == object) ||
	       op->verb == SEAM_MUTEX_UNLOCK || op->verb == SEAM_SPIN_UNLOCK ||
	       op->verb == SEAM_RWLOCK_UNLOCK || op->verb == SEAM_FILE_UNLOCK;
}

/* One order is as possible as the other, as far as the two alone tell; that of
 * two unlocks is that of the locks. */
static bool
is_open(uint32_t object, const struct seam_op *a, uint16_t slot_a,
	const struct seam_op *b, uint16_t slot_b)
{
	return !is_birth_or_death(a) && !is_birth_or_death(b) &&
	       !(is_unlock(a, object) && is_unlock(b, object)) &&
	       seam_reversible(a, slot_a, b, slot_b) &&
	       seam_reversible(b, slot_b, a, slot_a);
}

/* The latest that the entry might have come before: another thread's? */
static void
look_back(struct run *r, uint32_t mine, uint32_t object)
{
	const struct seam_step *step = &r->t->step[mine / 2];
	const uint32_t *known = row_of(r, r->now[step->slot]);
	uint32_t entry = r->latest[object];

	for (int n = 0; entry && n < LOOK_BACK; n++) {
		uint32_t at = entry - 1, j = at / 2;
		const struct seam_step *other = &r->t->step[j];
		bool own = other->slot == step->slot;

		entry = r->before[at];
		if (!seam_touches_conflict(&r->touch[at], &r->touch[mine]) ||
		    !is_open(object, &other->op,
			     own ? SEAM_NOBODY - 1 : other->slot, &step->op,
			     step->slot))
			continue;
		if (!own && j >= known[other->slot])
			coverage_count(r->c, r->covered[object], r->op[j],
				       r->op[mine / 2], 1);
		return;
	}
}

static void
join_group(struct run *r, uint32_t entry, uint32_t object)
{
	const uint32_t i = entry / 2;
	const uint16_t slot = r->t->step[i].slot;
	struct group *g;

	for (g = r->groups[object]; g; g = g->next)
		if (g->op == r->op[i] && g->epoch == r->now[slot])
			return;
	if (r->size[object] == MOST_GROUPS)
		return;
	g = &r->group[r->ngroups++];
	*g = (struct group){ .op = r->op[i],
			     .epoch = r->now[slot],
			     .example = entry,
			     .slot = slot,
			     .next = r->groups[object] };
	r->groups[object] = g;
	r->size[object]++;
}

static uint32_t
object_of(const struct seam_touch *t)
{
	return t->object == SEAM_TOUCH_POINTS ? 0 : (uint32_t)t->object;
}

static void
take(struct run *r, uint32_t i)
{
	if (r->t->step[i].slot >= r->threads)
		return;
	follow_threads(r, i);
	for (unsigned k = 0; k < r->touches[i]; k++) {
		uint32_t entry = 2 * i + k,
			 object = object_of(&r->touch[entry]);

		look_back(r, entry, object);
		join_group(r, entry, object);
		r->before[entry] = r->latest[object];
		r->latest[object] = entry + 1;
	}
}

/* Nothing of the one epoch is before all of the other. */
static bool
are_concurrent(const struct run *r, const struct group *a,
	       const struct group *b)
{
	return a->slot != b->slot &&
	       a->example / 2 >= row_of(r, b->epoch)[a->slot] &&
	       b->example / 2 >= row_of(r, a->epoch)[b->slot];
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

static bool
may_turn(const struct run *r, uint32_t object, const struct group *a,
	 const struct group *b)
{
	return are_concurrent(r, a, b) &&
	       seam_touches_conflict(&r->touch[a->example],
				     &r->touch[b->example]) &&
	       is_open(object, &r->t->step[a->example / 2].op, a->slot,
		       &r->t->step[b->example / 2].op, b->slot);
}

/* All pairs that there may be; the same groups have the same. */
static void
pair_up(struct run *r, uint32_t object)
{
	const struct group *a, *b;

	if (r->size[object] < 2 || !coverage_is_news(r->c, hash_of(r, object)))
		return;
	for (a = r->groups[object]; a; a = a->next)
		for (b = a->next; b; b = b->next)
			if (may_turn(r, object, a, b))
				coverage_count(r->c, r->covered[object], a->op,
					       b->op, 0);
}

/* Everything that is touched, by whom it is looked at. */
static bool
find_names(struct run *r, uint32_t i)
{
	const struct seam_step *step = &r->t->step[i];

	if (step->slot >= r->threads || seam_op_is_local(&step->op) ||
	    seam_op_is_global(&step->op))
		return true;
	r->touches[i] = (uint8_t)seam_touches(&step->op, &r->touch[2 * i]);
	if (!r->touches[i])
		return true;
	r->op[i] = coverage_op(r->c, r->t, i);
	for (unsigned k = 0; k < r->touches[i]; k++) {
		uint32_t object = object_of(&r->touch[2 * i + k]);

		if (!r->covered[object])
			r->covered[object] =
			    coverage_object(r->c, coverage_key(r->t, object));
		if (!r->covered[object])
			return false;
	}
	return r->op[i] != NULL;
}

static bool
make_room(struct run *r)
{
	const size_t steps = (size_t)r->t->nsteps + 1,
		     objects = (size_t)r->t->nobjects + 1;

	r->row =
	    calloc((size_t)MOST_EPOCHS * (r->threads + 1), sizeof(uint32_t));
	r->latest = calloc(objects, sizeof(uint32_t));
	r->size = calloc(objects, sizeof(uint32_t));
	r->groups = calloc(objects, sizeof(struct group *));
	r->covered = calloc(objects, sizeof(struct covered_object *));
	r->op = calloc(steps, sizeof(struct covered_op *));
	r->touches = calloc(steps, sizeof(uint8_t));
	r->touch = calloc(steps * 2, sizeof(struct seam_touch));
	r->before = calloc(steps * 2, sizeof(uint32_t));
	r->group = calloc(steps * 2, sizeof(struct group));
	return r->row && r->latest && r->size && r->groups && r->covered &&
	       r->op && r->touches && r->touch && r->before && r->group;
}

static void
free_room(struct run *r)
{
	free(r->row);
	free(r->latest);
	free(r->size);
	free((void *)r->groups);
	free((void *)r->covered);
	free((void *)r->op);
	free(r->touches);
	free(r->touch);
	free(r->before);
	free(r->group);
}

static void
take_all(struct run *r)
{
	for (r->epochs = 0; r->epochs < r->threads; r->epochs++) {
		r->now[r->epochs] = r->epochs;
		r->epoch[r->epochs].slot = (uint16_t)r->epochs;
	}
	for (uint32_t i = 0; i < r->t->nsteps; i++)
		take(r, i);
	for (uint32_t i = 0; i <= r->t->nobjects; i++)
		pair_up(r, i);
}

bool
explore_coverage_add(struct explore_coverage *c, const struct explore_trace *t)
{
	struct run r = { .c = c, .t = t, .threads = t->nthreads };
	bool known = true;

	if (r.threads > SEAM_MASKED)
		r.threads = SEAM_MASKED;
	if (make_room(&r)) {
		for (uint32_t i = 0; known && i < t->nsteps; i++)
			known = find_names(&r, i);
		if (known)
			take_all(&r);
	}
	free_room(&r);
	return known;
}
