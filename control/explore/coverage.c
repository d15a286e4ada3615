/* SPDX-License-Identifier: MIT */
/* Pairs of operations, and how often each order of them was seen. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "depend.h"
#include "explore/coverage_int.h"
#include "explore/labels.h"
#include "rules_int.h"

#define MOST_PAIRS 65536
#define MOST_STUDIED 65536 /* then it begins anew */
#define POINTS_NAME "points and transfers"

/* An address in a process, with a verb. */
struct place {
	uint64_t key;
	const struct covered_op *op;
};

struct pair {
	struct covered_object *object;
	const struct covered_op *a, *b; /* a's text is not behind b's */
	uint64_t forth, back;
};

struct explore_coverage {
	void *places, *ops, *objects, *pairs; /* trees of tsearch */
	struct explore_set *studied;
	struct explore_covered sum;
	size_t npairs;
};

/* Trees. */

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int
by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return COMPARE(x->key, y->key);
}

static int
by_text(const void *a, const void *b)
{
	const struct covered_op *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static int
by_key(const void *a, const void *b)
{
	const struct covered_object *x = a, *y = b;

	return COMPARE(x->key, y->key);
}

static int
by_members(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = COMPARE((uintptr_t)x->object, (uintptr_t)y->object);

	if (!order)
		order = COMPARE((uintptr_t)x->a, (uintptr_t)y->a);
	return order ? order : COMPARE((uintptr_t)x->b, (uintptr_t)y->b);
}

/* What the tree has like `item`, or NULL. */
static void *
found(const void *item, void *const *tree,
      int (*order)(const void *, const void *))
{
	void **node = tfind(item, tree, order);

	return node ? *node : NULL;
}

/* Takes `item`, which is malloc'd: frees it and returns NULL without memory. */
static void *
entered(void *item, void **tree, int (*order)(const void *, const void *))
{
	if (item && tsearch(item, tree, order))
		return item;
	free(item);
	return NULL;
}

struct explore_coverage *
explore_coverage_new(void)
{
	struct explore_coverage *c = calloc(1, sizeof(*c));

	if (c && !(c->studied = explore_set_new())) {
		free(c);
		return NULL;
	}
	return c;
}

void
explore_coverage_free(struct explore_coverage *c)
{
	if (!c)
		return;
	tdestroy(c->pairs, free);
	tdestroy(c->places, free);
	tdestroy(c->objects, free);
	tdestroy(c->ops, free);
	explore_set_free(c->studied);
	free(c);
}

/* Names. */

static const struct covered_op *
enter_op(struct explore_coverage *c, const char *text)
{
	size_t n = strlen(text) + 1;
	struct covered_op *op = malloc(sizeof(*op) + n), *known;

	if (!op)
		return NULL;
	op->hash = seam_key_of(text);
	memcpy(op->text, text, n);
	known = found(op, &c->ops, by_text);
	if (!known)
		return entered(op, &c->ops, by_text);
	free(op);
	return known;
}

static struct covered_object *
enter_object(struct explore_coverage *c, uint64_t key, const char *name)
{
	struct covered_object *o = coverage_object(c, key);
	size_t n = strlen(name) + 1;

	if (o)
		return o;
	o = malloc(sizeof(*o) + n);
	if (!o)
		return NULL;
	o->key = key;
	o->paired = false;
	memcpy(o->name, name, n);
	return entered(o, &c->objects, by_key);
}

static uint64_t
place_key(const struct explore_trace *t, uint32_t i)
{
	const struct seam_step *step = &t->step[i];

	return seam_stir(seam_stir(t->thread[step->slot].process, step->site),
			 step->op.verb);
}

const struct covered_op *
coverage_op(const struct explore_coverage *c, const struct explore_trace *t,
	    uint32_t step)
{
	const struct place wanted = { .key = place_key(t, step) };
	const struct place *p = found(&wanted, &c->places, by_place);

	return p ? p->op : NULL;
}

struct covered_object *
coverage_object(const struct explore_coverage *c, uint64_t key)
{
	const struct covered_object wanted = { .key = key };

	return found(&wanted, &c->objects, by_key);
}

uint64_t
coverage_key(const struct explore_trace *t, uint32_t object)
{
	return object ? t->object[object - 1].key : 0;
}

static void
name_place(struct explore_coverage *c, const struct explore_trace *t,
	   const struct explore_labels *l, uint32_t i)
{
	struct place *p;
	const struct covered_op *op;
	char *text;

	if (coverage_op(c, t, i) ||
	    asprintf(&text, "%s %s", seam_verb_name(t->step[i].op.verb),
		     explore_site_label(l, i)) < 0)
		return;
	op = enter_op(c, text);
	free(text);
	p = op ? malloc(sizeof(*p)) : NULL;
	if (!p)
		return;
	*p = (struct place){ .key = place_key(t, i), .op = op };
	entered(p, &c->places, by_place);
}

void
explore_coverage_name(struct explore_coverage *c, const struct explore_trace *t,
		      const struct explore_labels *l)
{
	for (uint32_t i = 0; i < t->nsteps; i++)
		if (!seam_op_is_local(&t->step[i].op))
			name_place(c, t, l, i);
	enter_object(c, 0, POINTS_NAME);
	for (uint32_t i = 1; i <= t->nobjects; i++)
		enter_object(c, coverage_key(t, i), explore_object_label(l, i));
}

/* Pairs. */

bool
coverage_is_news(struct explore_coverage *c, uint64_t hash)
{
	struct explore_set *empty;

	if (explore_set_size(c->studied) >= MOST_STUDIED) {
		empty = explore_set_new();
		if (!empty)
			return true;
		explore_set_free(c->studied);
		c->studied = empty;
	}
	return !explore_set_add(c->studied, hash);
}

static struct pair *
pair_of(struct explore_coverage *c, struct covered_object *object,
	const struct covered_op *a, const struct covered_op *b)
{
	const struct pair wanted = { .object = object, .a = a, .b = b };
	struct pair *p = found(&wanted, &c->pairs, by_members);

	if (p)
		return p;
	if (c->npairs == MOST_PAIRS) {
		c->sum.full = true;
		return NULL;
	}
	p = malloc(sizeof(*p));
	if (!p)
		return NULL;
	*p = wanted;
	p = entered(p, &c->pairs, by_members);
	if (!p)
		return NULL;
	c->npairs++;
	c->sum.objects += !object->paired;
	object->paired = true;
	c->sum.orders += a == b ? 1 : 2;
	return p;
}

void
coverage_count(struct explore_coverage *c, struct covered_object *object,
	       const struct covered_op *a, const struct covered_op *b,
	       uint64_t times)
{
	bool turned = strcmp(a->text, b->text) > 0;
	struct pair *p =
	    turned ? pair_of(c, object, b, a) : pair_of(c, object, a, b);
	uint64_t *n;

	if (!p)
		return;
	n = turned ? &p->back : &p->forth;
	c->sum.seen += times && !*n;
	*n += times;
}

bool
explore_coverage_put(struct explore_coverage *c,
		     const struct explore_pair *pair)
{
	struct covered_object *o = enter_object(c, pair->key, pair->object);
	const struct covered_op *a = enter_op(c, pair->first),
				*b = enter_op(c, pair->second);

	if (!o || !a || !b)
		return false;
	coverage_count(c, o, a, b, pair->forth);
	if (a != b)
		coverage_count(c, o, b, a, pair->back);
	return true;
}

struct explore_covered
explore_coverage_sum(const struct explore_coverage *c)
{
	return c->sum;
}

struct listing {
	struct explore_pair *pair;
	size_t n;
};

static void
list(const void *node, VISIT visit, void *data)
{
	const struct pair *p = *(struct pair *const *)node;
	struct listing *l = data;

	if (visit != postorder && visit != leaf)
		return;
	l->pair[l->n++] = (struct explore_pair){
		.object = p->object->name,
		.first = p->a->text,
		.second = p->b->text,
		.key = p->object->key,
		.forth = p->forth,
		.back = p->back,
		.same = p->a == p->b,
	};
}

static int
by_names(const void *a, const void *b)
{
	const struct explore_pair *x = a, *y = b;
	int order = strcmp(x->object, y->object);

	if (!order)
		order = COMPARE(x->key, y->key);
	if (!order)
		order = strcmp(x->first, y->first);
	return order ? order : strcmp(x->second, y->second);
}

struct explore_pair *
explore_coverage_pairs(const struct explore_coverage *c, size_t *n)
{
	struct listing l = { 0 };

	l.pair = calloc(c->npairs + 1, sizeof(*l.pair));
	if (!l.pair)
		return NULL;
	twalk_r(c->pairs, list, &l);
	qsort(l.pair, l.n, sizeof(*l.pair), by_names);
	*n = l.n;
	return l.pair;
}
