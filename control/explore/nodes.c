/* SPDX-License-Identifier: MIT */
#include "explore/nodes.h"

#include <stdlib.h>
#include <string.h>

void
nodes_plain(struct seam_plan *plan, uint64_t seed, uint32_t flags)
{
	plan->strategy = SEAM_STRATEGY_FOLLOW;
	plan->flags &= ~(uint32_t)(SEAM_PLAN_STRICT | SEAM_PLAN_SLEEP |
				   SEAM_PLAN_MARKED | SEAM_PLAN_AFTER);
	plan->flags |= flags;
	plan->seed = seed;
	plan->forced = 0;
	plan->sleep = plan->sleep_how = 0;
	plan->sleep_from = 0;
	plan->timeout_one_in = 0;
}

uint16_t
node_slot(const struct node *n, uint64_t thread)
{
	uint16_t i;

	for (i = 0; i < (uint16_t)n->keys->n; i++)
		if (n->keys->key[i] == thread)
			return i;
	return SEAM_NOBODY;
}

struct node *
nodes_deepest(struct nodes *nodes, uint64_t *among)
{
	struct node *n;

	for (n = nodes->newest; n; n = n->older)
		if ((*among = nodes->open(nodes, n)))
			return n;
	return NULL;
}

struct node_ticket *
nodes_ticket(struct nodes *nodes, struct node *n, uint64_t *number)
{
	unsigned i;

	for (i = 0; i < NODES_OUT; i++)
		if (!nodes->ticket[i].number)
			break;
	if (i == NODES_OUT)
		return NULL;
	nodes->ticket[i] = (struct node_ticket){
		.number = ++nodes->numbers,
		.node = n,
		.slot = SEAM_NOBODY,
	};
	nodes->begun = true;
	nodes->out++;
	if (n)
		n->alive++;
	*number = nodes->numbers;
	return &nodes->ticket[i];
}

struct node_ticket *
nodes_find(struct nodes *nodes, uint64_t number)
{
	unsigned i;

	for (i = 0; i < NODES_OUT; i++)
		if (number && nodes->ticket[i].number == number)
			return &nodes->ticket[i];
	return NULL;
}

void
nodes_branch(struct nodes *nodes, struct node *n, uint16_t slot,
	     struct seam_plan *plan, struct seam_forced *forced)
{
	struct node_ticket *t = nodes_find(nodes, nodes->numbers);
	const struct node *p;

	t->slot = slot;
	t->how = (n->enabled >> slot) & 1 ? SEAM_HOW_DONE : SEAM_HOW_TIMEOUT;
	n->done |= UINT64_C(1) << slot;
	for (p = n; p->parent; p = p->parent)
		forced[p->depth - 1] =
		    (struct seam_forced){ p->thread, p->how, 0 };
	forced[n->depth] =
	    (struct seam_forced){ n->keys->key[slot], t->how, 0 };
	plan->forced = n->depth + 1;
}

bool
nodes_same(const struct node_ticket *ticket, const struct explore_trace *t)
{
	const struct node *n = ticket->node;
	const struct seam_step *step;

	if (!n)
		return t->nsteps > 0;
	if (t->nsteps <= n->depth)
		return false;
	step = &t->step[n->depth];
	if (step->slot != ticket->slot || step->op.how != ticket->how ||
	    t->thread[step->slot].key != n->keys->key[ticket->slot])
		return false;
	for (; n->parent; n = n->parent) {
		step = &t->step[n->depth - 1];
		if (t->thread[step->slot].key != n->thread ||
		    step->op.how != n->how)
			return false;
	}
	return true;
}

static struct node_keys *
keys_of(const struct explore_trace *t)
{
	struct node_keys *k =
	    malloc(sizeof(*k) + t->nthreads * sizeof(uint64_t));
	uint32_t i;

	if (!k)
		return NULL;
	k->refs = 1;
	k->n = t->nthreads;
	for (i = 0; i < t->nthreads; i++)
		k->key[i] = t->thread[i].key;
	return k;
}

void
nodes_drop_keys(struct node_keys *k)
{
	if (k && !--k->refs)
		free(k);
}

/* By the operation, and how many could go on. */
static uint8_t
kind_of(const struct seam_step *step)
{
	unsigned n =
	    (unsigned)__builtin_popcountll(step->enabled | step->timeouts);

	return (uint8_t)(step->op.verb * 5u + (n < 4 ? n : 4));
}

void
nodes_append(struct nodes *nodes, struct node *parent, struct node *n)
{
	n->parent = parent;
	if (parent)
		parent->alive++;
	else
		nodes->root = n;
	n->older = nodes->newest;
	*(n->older ? &n->older->newer : &nodes->oldest) = n;
	nodes->newest = n;
	nodes->count++;
}

struct node *
nodes_add(struct nodes *nodes, struct node *parent,
	  const struct explore_trace *t, uint32_t i)
{
	const struct seam_step *step = &t->step[i];
	struct node *n = calloc(1, nodes->size);

	if (!nodes->keys)
		nodes->keys = keys_of(t);
	if (!n || !nodes->keys) {
		free(n);
		return NULL;
	}
	n->keys = nodes->keys;
	n->keys->refs++;
	n->depth = i;
	n->enabled = step->enabled;
	n->timeouts = step->timeouts;
	n->done = step->slot < SEAM_MASKED ? UINT64_C(1) << step->slot : 0;
	n->kind = kind_of(step);
	if (parent) {
		const struct seam_step *before = &t->step[i - 1];

		n->thread = t->thread[before->slot].key;
		n->how = before->op.how;
	}
	nodes_append(nodes, parent, n);
	return n;
}

void
nodes_leaf(struct nodes *nodes, struct node *n)
{
	nodes->runs++;
	if (!n)
		return;
	n->over++;
	n->runs++;
}

static void
free_node(struct nodes *nodes, struct node *n)
{
	*(n->older ? &n->older->newer : &nodes->oldest) = n->newer;
	*(n->newer ? &n->newer->older : &nodes->newest) = n->older;
	if (nodes->root == n)
		nodes->root = NULL;
	nodes->count--;
	nodes->forget(nodes, n);
	nodes_drop_keys(n->keys);
	free(n);
}

/* Whatever has nothing open, from here up. */
static void
prune(struct nodes *nodes, struct node *n)
{
	while (n && !n->alive && !nodes->open(nodes, n)) {
		struct node *parent = n->parent;

		nodes->kind[n->kind].nodes++;
		nodes->kind[n->kind].branches += n->over;
		if (parent) {
			parent->alive--;
			parent->over++;
			parent->runs += n->runs;
		}
		free_node(nodes, n);
		n = parent;
	}
}

void
nodes_done(struct nodes *nodes, struct node_ticket *ticket)
{
	struct node *n = ticket->node;

	if (n)
		n->alive--;
	ticket->number = 0;
	nodes->out--;
	/* What is new is a chain at the end of the list. */
	if (nodes->keys) {
		nodes_drop_keys(nodes->keys);
		nodes->keys = NULL;
		n = nodes->newest;
	}
	prune(nodes, n);
}

static double
branches_of(const struct nodes *nodes, const struct node *n)
{
	double known = nodes->degree(nodes, n), usual = 0;

	if (nodes->kind[n->kind].nodes)
		usual = (double)nodes->kind[n->kind].branches /
			(double)nodes->kind[n->kind].nodes;
	return known > usual ? known : usual;
}

/* From the newest to the oldest: those below come before those above. */
double
nodes_estimate(const struct nodes *nodes)
{
	struct node *n;
	double total = 0;

	if (!nodes->oldest)
		return nodes->out ? 0 : (double)nodes->runs;
	for (n = nodes->oldest; n; n = n->newer) {
		n->estimate = (double)n->runs;
		n->underway = n->over;
	}
	for (n = nodes->newest; n; n = n->older) {
		double more = branches_of(nodes, n) - n->underway;

		if (more > 0 && n->underway)
			n->estimate += more * n->estimate / n->underway;
		else if (more > 0)
			n->estimate += more;
		if (n->parent) {
			n->parent->estimate += n->estimate;
			n->parent->underway++;
		}
		total = n->estimate;
	}
	return total;
}

void
nodes_free(struct nodes *nodes, void (*forget)(struct node_ticket *))
{
	unsigned i;

	while (nodes->newest)
		free_node(nodes, nodes->newest);
	for (i = 0; i < NODES_OUT; i++)
		if (nodes->ticket[i].number && forget)
			forget(&nodes->ticket[i]);
}
