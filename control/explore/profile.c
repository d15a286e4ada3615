/* SPDX-License-Identifier: MIT */
#include "explore/profile.h"

#include <stdlib.h>

/* Powers of two.  What does not fit is not counted: a sampler loses some of
 * its aim, and nothing else. */
#define PAIRS 32768
#define OBJECTS 8192
#define FILLED(n) ((n) - (n) / 4)

struct thread {
	uint64_t key, runs; /* in which it was there */
	uint32_t parent;    /* index + 1, below its own; 0: none */
};

struct pair {
	uint64_t thread, object; /* keys; object 0: all events */
	uint64_t events;	 /* over all runs; 0: not used */
};

struct object {
	uint64_t key, thread; /* the first that touched it */
	bool used, shared;
};

struct explore_profile {
	uint32_t threads, pairs, objects, nshared;
	struct thread thread[SEAM_COUNTS];
	struct pair pair[PAIRS];
	struct object object[OBJECTS];
	uint64_t shared[OBJECTS];
};

struct explore_profile *
explore_profile_new(void)
{
	return calloc(1, sizeof(struct explore_profile));
}

void
explore_profile_free(struct explore_profile *p)
{
	free(p);
}

static struct pair *
pair_at(const struct explore_profile *p, uint64_t thread, uint64_t object)
{
	size_t i = (size_t)seam_stir(thread, object);
	const struct pair *found;

	for (;; i++) {
		found = &p->pair[i % PAIRS];
		if (!found->events ||
		    (found->thread == thread && found->object == object))
			return (struct pair *)found;
	}
}

static void
count(struct explore_profile *p, uint64_t thread, uint64_t object)
{
	struct pair *pair = pair_at(p, thread, object);

	if (!pair->events) {
		if (p->pairs >= FILLED(PAIRS))
			return;
		p->pairs++;
		pair->thread = thread;
		pair->object = object;
	}
	pair->events++;
}

static struct object *
object_at(struct explore_profile *p, uint64_t key)
{
	size_t i = (size_t)seam_stir(0, key);

	while (p->object[i % OBJECTS].used && p->object[i % OBJECTS].key != key)
		i++;
	return &p->object[i % OBJECTS];
}

static void
touch(struct explore_profile *p, uint64_t thread, uint64_t key)
{
	struct object *o = object_at(p, key);

	if (!o->used) {
		if (p->objects >= FILLED(OBJECTS))
			return;
		p->objects++;
		*o = (struct object){ .key = key,
				      .thread = thread,
				      .used = true };
	}
	if (o->thread != thread && !o->shared) {
		o->shared = true;
		p->shared[p->nshared++] = key;
	}
	count(p, thread, key);
}

static uint32_t
thread_at(const struct explore_profile *p, uint64_t key)
{
	uint32_t i;

	for (i = 0; i < p->threads && p->thread[i].key != key; i++)
		;
	return i;
}

static void
meet(struct explore_profile *p, const struct explore_trace *t,
     const struct explore_thread *met)
{
	uint32_t i = thread_at(p, met->key);

	if (i == SEAM_COUNTS)
		return;
	if (i == p->threads) {
		p->thread[p->threads++].key = met->key;
		if (met->parent && met->parent <= t->nthreads)
			p->thread[i].parent =
			    thread_at(p, t->thread[met->parent - 1].key) + 1;
		if (p->thread[i].parent > i)
			p->thread[i].parent = 0;
	}
	p->thread[i].runs++;
}

static uint64_t
key_of(const struct explore_trace *t, uint32_t object)
{
	return object ? t->object[object - 1].key : 0;
}

void
explore_profile_learn(struct explore_profile *p, const struct explore_trace *t)
{
	uint32_t i;

	for (i = 0; i < t->nthreads; i++)
		meet(p, t, &t->thread[i]);
	for (i = 0; i < t->nsteps; i++) {
		const struct seam_step *step = &t->step[i];
		uint64_t thread = t->thread[step->slot].key;
		uint64_t first = key_of(t, step->op.object);
		uint64_t second = key_of(t, step->op.second);

		if (step->op.flags & SEAM_OP_LOCAL)
			continue;
		count(p, thread, 0);
		if (first)
			touch(p, thread, first);
		if (second && second != first)
			touch(p, thread, second);
	}
}

size_t
explore_profile_shared(const struct explore_profile *p)
{
	return p->nshared;
}

uint64_t
explore_profile_object(const struct explore_profile *p, size_t i)
{
	return p->shared[i];
}

void
explore_profile_fill(const struct explore_profile *p, uint64_t interest,
		     struct seam_plan *plan)
{
	uint32_t i;

	plan->interest = interest;
	plan->counts = p->threads;
	for (i = 0; i < p->threads; i++) {
		const struct thread *t = &p->thread[i];
		uint64_t events = pair_at(p, t->key, interest)->events;

		plan->count[i].thread = t->key;
		plan->count[i].events = (events + t->runs - 1) / t->runs;
	}
	for (i = p->threads; i-- > 0;)
		if (p->thread[i].parent)
			plan->count[p->thread[i].parent - 1].events +=
			    plan->count[i].events;
}
