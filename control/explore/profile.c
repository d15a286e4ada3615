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

/* Keys are taken as signed, as JSON has numbers. */
static json_t *
triple(uint64_t a, uint64_t b, uint64_t c)
{
	return json_pack("[III]", (json_int_t)a, (json_int_t)b, (json_int_t)c);
}

static bool
take_triple(const json_t *from, uint64_t to[3])
{
	for (size_t i = 0; i < 3; i++) {
		const json_t *n = json_array_get(from, i);

		if (!json_is_integer(n))
			return false;
		to[i] = (uint64_t)json_integer_value(n);
	}
	return json_array_size(from) == 3;
}

json_t *
explore_profile_save(const struct explore_profile *p)
{
	json_t *threads = json_array(), *pairs = json_array(),
	       *objects = json_array(), *shared = json_array();
	uint32_t i;

	for (i = 0; i < p->threads; i++)
		json_array_append_new(threads, triple(p->thread[i].key,
						      p->thread[i].runs,
						      p->thread[i].parent));
	for (i = 0; i < PAIRS; i++)
		if (p->pair[i].events)
			json_array_append_new(pairs, triple(p->pair[i].thread,
							    p->pair[i].object,
							    p->pair[i].events));
	for (i = 0; i < OBJECTS; i++)
		if (p->object[i].used)
			json_array_append_new(objects,
					      triple(p->object[i].key,
						     p->object[i].thread, 0));
	for (i = 0; i < p->nshared; i++)
		json_array_append_new(shared,
				      json_integer((json_int_t)p->shared[i]));
	return json_pack("{so so so so}", "threads", threads, "pairs", pairs,
			 "objects", objects, "shared", shared);
}

static bool
load_threads(struct explore_profile *p, const json_t *list)
{
	const json_t *item;
	uint64_t v[3];
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		if (!take_triple(item, v) || p->threads == SEAM_COUNTS ||
		    !v[1] || v[2] > p->threads)
			return false;
		p->thread[p->threads++] = (struct thread){
			.key = v[0], .runs = v[1], .parent = (uint32_t)v[2]
		};
	}
	return true;
}

static bool
load_pairs(struct explore_profile *p, const json_t *list)
{
	const json_t *item;
	uint64_t v[3];
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		struct pair *pair;

		if (!take_triple(item, v) || !v[2])
			return false;
		pair = pair_at(p, v[0], v[1]);
		if (pair->events || p->pairs == FILLED(PAIRS))
			return false;
		*pair = (struct pair){ v[0], v[1], v[2] };
		p->pairs++;
	}
	return true;
}

static bool
load_objects(struct explore_profile *p, const json_t *list)
{
	const json_t *item;
	uint64_t v[3];
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		struct object *o;

		if (!take_triple(item, v))
			return false;
		o = object_at(p, v[0]);
		if (o->used || p->objects == FILLED(OBJECTS))
			return false;
		*o = (struct object){ .key = v[0],
				      .thread = v[1],
				      .used = true };
		p->objects++;
	}
	return true;
}

static bool
load_shared(struct explore_profile *p, const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		uint64_t key = (uint64_t)json_integer_value(item);
		struct object *o = object_at(p, key);

		if (!o->used || o->shared)
			return false;
		o->shared = true;
		p->shared[p->nshared++] = key;
	}
	return true;
}

bool
explore_profile_load(struct explore_profile *p, const json_t *from)
{
	return load_threads(p, json_object_get(from, "threads")) &&
	       load_pairs(p, json_object_get(from, "pairs")) &&
	       load_objects(p, json_object_get(from, "objects")) &&
	       load_shared(p, json_object_get(from, "shared"));
}
