/* SPDX-License-Identifier: MIT */
/*
 * Plain trees of schedules, each schedule once: `exhaustive`, without any
 * reduction, and `preempt` (Musuvathi & Qadeer, PLDI 2007), with at most so
 * many switches away from a thread that could go on, one more at a time.
 *
 * A program with points is explored over these alone: all else happens at
 * once.  Whether it has any is seen in the first run, which is like both.
 *
 * Branches that a later bound will take keep their nodes; when these are too
 * many, no more are kept, and the search ends with the bound it is at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/nodes.h"
#include "explore/systematic.h"

#define MOST_NODES 1000000

struct place {
	struct node node;
	struct place *lower, *upper; /* in the stack of those to look at */
	bool stacked, choice;
	uint32_t used;	  /* preemptions up to here */
	uint64_t running; /* the slot that ran last: its bit */
};

struct tree {
	struct explore_search search;
	struct nodes nodes;
	struct place *top;
	bool bounded, marked, cut_short;
	uint32_t bound, last; /* the present one; the last one to come */
	uint64_t seed, runs, lost;
};

static struct place *
place_of(struct node *n)
{
	return (struct place *)n;
}

static uint64_t
candidates(const struct tree *t, const struct place *p)
{
	if (!p->choice)
		return 0;
	return t->marked ? p->node.enabled : p->node.enabled | p->node.timeouts;
}

/* To switch away from who could go on, or not to wait for who could, has its
 * price. */
static uint64_t
within(const struct tree *t, const struct place *p, uint32_t bound)
{
	uint64_t all = candidates(t, p), dear;

	if (!t->bounded || p->used < bound)
		return all;
	dear = p->node.enabled & p->running ? ~p->running : 0;
	if (p->node.enabled)
		dear |= ~p->node.enabled;
	return p->used == bound ? all & ~dear : 0;
}

static bool
is_dear(const struct place *p, uint64_t bit)
{
	if ((p->node.enabled & p->running) && bit != p->running)
		return true;
	return p->node.enabled && !(p->node.enabled & bit);
}

static uint64_t
open_choices(struct nodes *nodes, struct node *n)
{
	const struct tree *t = nodes->owner;
	uint32_t bound = nodes->count > MOST_NODES ? t->bound : t->last;

	return within(t, place_of(n), bound) & ~n->done;
}

static unsigned
degree(const struct nodes *nodes, const struct node *n)
{
	const struct tree *t = nodes->owner;
	const struct place *p = (const struct place *)n;

	return (unsigned)__builtin_popcountll(n->done | within(t, p, t->bound));
}

static void
stack(struct tree *t, struct place *p)
{
	p->stacked = true;
	p->upper = NULL;
	p->lower = t->top;
	if (t->top)
		t->top->upper = p;
	t->top = p;
}

static void
unstack(struct tree *t, struct place *p)
{
	if (!p->stacked)
		return;
	p->stacked = false;
	*(p->upper ? &p->upper->lower : &t->top) = p->lower;
	if (p->lower)
		p->lower->upper = p->upper;
}

static void
forget(struct nodes *nodes, struct node *n)
{
	unstack(nodes->owner, place_of(n));
}

static struct explore_search *
open_tree(const struct explore_strategy *strategy,
	  const struct explore_params *params, bool bounded, unsigned last)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->search.strategy = strategy;
	t->seed = params->seed;
	t->bounded = bounded;
	t->last = last ? last : UINT32_MAX;
	t->nodes = (struct nodes){
		.owner = t,
		.size = sizeof(struct place),
		.open = open_choices,
		.degree = degree,
		.forget = forget,
	};
	return &t->search;
}

static struct explore_search *
open_exhaustive(const struct explore_params *p)
{
	return open_tree(&explore_exhaustive, p, false, 0);
}

static struct explore_search *
open_preempt(const struct explore_params *p)
{
	return open_tree(&explore_preempt, p, true, p->bound);
}

static struct place *
find_open(struct tree *t, uint64_t *among)
{
	while (t->top) {
		struct place *p = t->top;

		*among = within(t, p, t->bound) & ~p->node.done;
		if (*among)
			return p;
		unstack(t, p);
	}
	return NULL;
}

/* One preemption more: what is left becomes of interest again. */
static bool
raise_bound(struct tree *t)
{
	struct node *n;

	if (!t->bounded || t->bound >= t->last || !t->nodes.oldest)
		return false;
	t->bound++;
	for (n = t->nodes.oldest; n; n = n->newer)
		if (!place_of(n)->stacked)
			stack(t, place_of(n));
	return true;
}

static enum explore_next
next(struct explore_search *search, struct seam_plan *plan,
     struct seam_forced *forced, uint64_t *number)
{
	struct tree *t = (struct tree *)search;
	struct place *p = NULL;
	struct node_ticket *out;
	uint64_t among = 0;

	if (t->nodes.begun) {
		while (!(p = find_open(t, &among))) {
			if (t->nodes.out)
				return EXPLORE_WAIT;
			if (!raise_bound(t))
				return EXPLORE_DONE;
		}
	}
	out = nodes_ticket(&t->nodes, p ? &p->node : NULL, number);
	if (!out)
		return EXPLORE_WAIT;
	nodes_plain(plan, t->seed,
		    SEAM_PLAN_STRICT |
			(t->marked || !p ? SEAM_PLAN_MARKED : 0u));
	if (p)
		nodes_branch(&t->nodes, &p->node,
			     (uint16_t)__builtin_ctzll(among), plan, forced);
	return EXPLORE_PLAN;
}

static bool
has_points(const struct explore_trace *trace)
{
	uint32_t i;

	for (i = 0; i < trace->nsteps; i++)
		if (trace->step[i].op.verb == SEAM_POINT)
			return true;
	return false;
}

static struct place *
add(struct tree *t, struct place *above, const struct explore_trace *trace,
    uint32_t i)
{
	struct node *n =
	    nodes_add(&t->nodes, above ? &above->node : NULL, trace, i);
	struct place *p = n ? place_of(n) : NULL;
	uint16_t before = i ? trace->step[i - 1].slot : 0;

	if (!p)
		return NULL;
	p->choice = !t->marked || trace->step[i].op.verb == SEAM_POINT;
	p->running = UINT64_C(1) << before % SEAM_MASKED;
	if (above) {
		p->used = above->used;
		if (above->choice && is_dear(above, p->running))
			p->used++;
	}
	stack(t, p);
	return p;
}

static void
grow(struct tree *t, struct node *from, const struct explore_trace *trace)
{
	struct place *p = from ? place_of(from) : NULL;
	uint32_t i;

	for (i = from ? from->depth + 1 : 0; i < trace->nsteps; i++) {
		struct place *below = add(t, p, trace, i);

		if (!below) {
			t->cut_short = true;
			break;
		}
		p = below;
	}
	nodes_leaf(&t->nodes, p ? &p->node : NULL);
}

static void
learn(struct explore_search *search, uint64_t number,
      const struct explore_trace *trace)
{
	struct tree *t = (struct tree *)search;
	struct node_ticket *ticket = nodes_find(&t->nodes, number);

	if (!ticket)
		return;
	t->runs++;
	if (!ticket->node)
		t->marked = has_points(trace);
	if (trace->nthreads > SEAM_MASKED || trace->timed_out ||
	    trace->verdict == SEAM_VERDICT_LONG ||
	    trace->verdict == SEAM_VERDICT_LIVELOCK ||
	    trace->verdict == SEAM_VERDICT_STUCK ||
	    trace->verdict == SEAM_VERDICT_FULL || t->nodes.count > MOST_NODES)
		t->cut_short = true;
	if (nodes_same(ticket, trace)) {
		grow(t, ticket->node, trace);
	} else {
		t->lost++;
		nodes_leaf(&t->nodes, ticket->node);
	}
	nodes_done(&t->nodes, ticket);
}

static void
say(const struct explore_search *search, struct explore_said *said)
{
	const struct tree *t = (const struct tree *)search;
	size_t n;

	memset(said, 0, sizeof(*said));
	said->redundant = t->lost;
	said->estimate = nodes_estimate(&t->nodes);
	/* A bound that was given leaves out what is beyond it. */
	said->exhaustive = t->nodes.begun && !t->nodes.root && !t->nodes.out &&
			   !t->lost && !t->cut_short &&
			   (!t->bounded || t->last == UINT32_MAX);
	n = (size_t)snprintf(said->state, sizeof(said->state), "%s%s",
			     search->strategy->name,
			     t->marked ? ", points alone" : "");
	if (t->bounded)
		snprintf(said->state + n, sizeof(said->state) - n, ", c=%u",
			 t->bound);
}

static void
close_search(struct explore_search *search)
{
	struct tree *t = (struct tree *)search;

	nodes_free(&t->nodes, NULL);
	free(t);
}

const struct explore_strategy explore_exhaustive = {
	.name = "exhaustive",
	.summary = "every interleaving once, of the points if there are any",
	.open = open_exhaustive,
	.next = next,
	.learn = learn,
	.say = say,
	.close = close_search,
};

const struct explore_strategy explore_preempt = {
	.name = "preempt",
	.summary = "every schedule with at most c preemptions, c = 0, 1, 2 ...",
	.open = open_preempt,
	.next = next,
	.learn = learn,
	.say = say,
	.close = close_search,
};
