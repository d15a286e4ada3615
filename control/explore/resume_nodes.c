/* SPDX-License-Identifier: MIT */
/*
 * A tree of schedules as JSON: the threads' keys of each run that left nodes,
 * and the nodes from the oldest on, so that parents come before children.
 */
#include <stdlib.h>

#include "explore/nodes.h"

bool
nodes_are_slots(const struct node *n, uint64_t slots)
{
	return n->keys->n >= SEAM_MASKED || !(slots >> n->keys->n);
}

/* Saving. */

static json_t *
save_keys(const struct node_keys *k)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < k->n; i++)
		json_array_append_new(list,
				      json_integer((json_int_t)k->key[i]));
	return list;
}

static json_t *
save_kinds(const struct nodes *nodes)
{
	json_t *list = json_array();

	for (int i = 0; i < NODE_KINDS; i++)
		if (nodes->kind[i].nodes)
			json_array_append_new(
			    list,
			    json_pack("[iII]", i,
				      (json_int_t)nodes->kind[i].nodes,
				      (json_int_t)nodes->kind[i].branches));
	return list;
}

/* The nodes of a run lie together, mostly: keys may be there twice. */
static json_t *
save_nodes(const struct nodes *nodes, nodes_save_fn *behind, json_t *keys)
{
	json_t *list = json_array();
	const struct node_keys *latest = NULL;
	struct node *n;
	uint32_t number = 0;

	/* `underway` is the estimate's, and free in between. */
	for (n = nodes->oldest; n; n = n->newer)
		n->underway = number++;
	for (n = nodes->oldest; n; n = n->newer) {
		if (n->keys != latest)
			json_array_append_new(keys, save_keys(n->keys));
		latest = n->keys;
		json_array_append_new(
		    list,
		    json_pack("[iiiIIIIiIio]",
			      n->parent ? (int)n->parent->underway : -1,
			      (int)json_array_size(keys) - 1, (int)n->how,
			      (json_int_t)n->thread, (json_int_t)n->enabled,
			      (json_int_t)n->timeouts, (json_int_t)n->done,
			      (int)n->over, (json_int_t)n->runs, (int)n->kind,
			      behind(n)));
	}
	return list;
}

json_t *
nodes_save(const struct nodes *nodes, nodes_save_fn *behind)
{
	json_t *keys = json_array();
	json_t *list = save_nodes(nodes, behind, keys);

	return json_pack("{sb sI so so so}", "begun", nodes->begun, "runs",
			 (json_int_t)nodes->runs, "kinds", save_kinds(nodes),
			 "keys", keys, "nodes", list);
}

/* Loading. */

static struct node_keys *
load_keys(const json_t *list)
{
	size_t n = json_array_size(list), i;
	struct node_keys *k = malloc(sizeof(*k) + n * sizeof(uint64_t));

	if (!k || n > SEAM_SLOTS) {
		free(k);
		return NULL;
	}
	k->refs = 1;
	k->n = (uint32_t)n;
	for (i = 0; i < n; i++)
		k->key[i] =
		    (uint64_t)json_integer_value(json_array_get(list, i));
	return k;
}

static bool
load_kinds(struct nodes *nodes, const json_t *list)
{
	json_int_t n, branches;
	const json_t *item;
	size_t i;
	int kind;

	json_array_foreach((json_t *)list, i, item)
	{
		if (json_unpack((json_t *)item, "[iII!]", &kind, &n,
				&branches) ||
		    kind < 0 || kind >= NODE_KINDS)
			return false;
		nodes->kind[kind].nodes = (uint64_t)n;
		nodes->kind[kind].branches = (uint64_t)branches;
	}
	return true;
}

struct loading {
	struct nodes *nodes;
	nodes_load_fn *behind;
	struct node **node; /* by number */
	struct node_keys **keys;
	size_t nkeys;
};

static bool
is_sound(const struct node *n)
{
	return n->how < SEAM_HOWS && n->depth < SEAM_STEPS - 1 &&
	       nodes_are_slots(n, n->enabled | n->timeouts | n->done);
}

/* The node is the tree's as soon as it has keys, which its freeing needs. */
static bool
load_node(struct loading *l, size_t i, const json_t *item)
{
	struct nodes *nodes = l->nodes;
	json_int_t thread, enabled, timeouts, done, runs;
	int parent, keys, how, over, kind;
	struct node *n, *above;
	json_t *behind;

	if (json_unpack((json_t *)item, "[iiiIIIIiIio!]", &parent, &keys, &how,
			&thread, &enabled, &timeouts, &done, &over, &runs,
			&kind, &behind) ||
	    parent >= (int)i || (parent < 0) != !i || keys < 0 ||
	    (size_t)keys >= l->nkeys || kind < 0 || kind >= NODE_KINDS ||
	    over < 0)
		return false;
	n = calloc(1, nodes->size);
	if (!n)
		return false;
	above = i ? l->node[parent] : NULL;
	n->keys = l->keys[keys];
	n->keys->refs++;
	n->depth = above ? above->depth + 1 : 0;
	n->how = (uint32_t)how;
	n->thread = (uint64_t)thread;
	n->enabled = (uint64_t)enabled;
	n->timeouts = (uint64_t)timeouts;
	n->done = (uint64_t)done;
	n->over = (uint32_t)over;
	n->runs = (uint64_t)runs;
	n->kind = (uint8_t)kind;
	nodes_append(nodes, above, n);
	l->node[i] = n;
	return is_sound(n) && l->behind(n, behind);
}

static bool
load_nodes(struct loading *l, const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		if (!load_node(l, i, item))
			return false;
	}
	return true;
}

static bool
load_tree(struct loading *l, const json_t *keys, const json_t *list)
{
	bool good;

	l->nkeys = json_array_size(keys);
	l->keys = calloc(l->nkeys + 1, sizeof(struct node_keys *));
	l->node = calloc(json_array_size(list) + 1, sizeof(struct node *));
	good = l->keys && l->node;
	for (size_t i = 0; good && i < l->nkeys; i++) {
		l->keys[i] = load_keys(json_array_get(keys, i));
		good = l->keys[i] != NULL;
	}
	good = good && load_nodes(l, list);
	for (size_t i = 0; l->keys && i < l->nkeys; i++)
		nodes_drop_keys(l->keys[i]);
	free((void *)l->keys);
	free((void *)l->node);
	return good;
}

bool
nodes_load(struct nodes *nodes, const json_t *from, nodes_load_fn *behind)
{
	struct loading l = { .nodes = nodes, .behind = behind };
	json_t *kinds, *keys, *list;
	json_int_t runs;
	int begun;

	if (json_unpack((json_t *)from, "{sb sI so so so}", "begun", &begun,
			"runs", &runs, "kinds", &kinds, "keys", &keys, "nodes",
			&list))
		return false;
	nodes->begun = begun;
	nodes->runs = (uint64_t)runs;
	return load_kinds(nodes, kinds) && load_tree(&l, keys, list);
}
