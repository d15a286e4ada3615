/* SPDX-License-Identifier: MIT */
/*
 * Dynamic partial-order reduction (Abdulla, Aronis, Jonsson & Sagonas, POPL
 * 2014, JACM 2017): `dpor` is the optimal form with wakeup trees, one run per
 * class; `dpor-source` the one with source sets alone, which may begin runs
 * that turn out redundant.  Both with sleep sets.
 *
 * A thread has one next step, whose ending (done, or out of time) its object
 * decides: a timed lock is a try that need not be made yet.  So a timeout is
 * no choice of its own: that it might come before an unlock is a race of the
 * two.
 *
 * Runs are executed anew from the beginning, and several may be out at once:
 * the tree is searched depth first, and a branch that has been handed out
 * counts as explored for those after it.  What is left of the tree are the
 * nodes on the way to open branches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "depend.h"
#include "explore/nodes.h"
#include "explore/order.h"
#include "explore/rest.h"
#include "explore/systematic.h"

#define LONGEST 20000 /* events of a run that are looked at */

/* The state before a step. */
struct state {
	struct node node;
	uint64_t sleep; /* slots: what they would begin was explored */
	uint64_t todo;	/* source sets: the backtrack set */
	struct wakeup *tree;
};

struct dpor {
	struct explore_search search;
	bool optimal;
	struct nodes nodes;
	uint64_t seed, runs, redundant, lost;
	bool many;	/* threads: nothing is handed out */
	bool cut_short; /* some run was too long, or memory lacked */
};

static struct state *
state_of(struct node *n)
{
	return (struct state *)n;
}

/*
 * Of a wakeup tree, the first branch.  If it prescribes more than one step it
 * has to wait for the branches before it: these may still add to it.
 */
static uint64_t
choices(const struct dpor *d, struct state *s)
{
	uint64_t first = 0;
	uint16_t slot;

	if (!d->optimal)
		return s->todo & ~s->node.done & ~s->sleep;
	while (s->tree && !first) {
		struct wakeup *w = s->tree;

		if (w->child && s->node.alive)
			return 0;
		slot = node_slot(&s->node, w->thread);
		if (slot < SEAM_MASKED)
			first = UINT64_C(1) << slot & ~s->node.done;
		if (!first) {
			s->tree = w->next;
			w->next = NULL;
			wakeup_free(w);
		}
	}
	return first;
}

static uint64_t
open_choices(struct nodes *nodes, struct node *n)
{
	return choices(nodes->owner, state_of(n));
}

static unsigned
degree(const struct nodes *nodes, const struct node *n)
{
	const struct dpor *d = nodes->owner;
	const struct state *s = (const struct state *)n;
	unsigned more = 0;
	const struct wakeup *w;

	if (!d->optimal)
		return (unsigned)__builtin_popcountll(n->done |
						      (s->todo & ~s->sleep));
	for (w = s->tree; w; w = w->next)
		more++;
	return (unsigned)__builtin_popcountll(n->done) + more;
}

static void
forget(struct nodes *nodes, struct node *n)
{
	(void)nodes;
	wakeup_free(state_of(n)->tree);
}

static struct explore_search *
open_kind(const struct explore_strategy *strategy,
	  const struct explore_params *p, bool optimal)
{
	struct dpor *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->search.strategy = strategy;
	d->seed = p->seed;
	d->optimal = optimal;
	d->nodes = (struct nodes){
		.owner = d,
		.size = sizeof(struct state),
		.open = open_choices,
		.degree = degree,
		.forget = forget,
	};
	return &d->search;
}

static struct explore_search *
open_optimal(const struct explore_params *p)
{
	return open_kind(&explore_dpor, p, true);
}

static struct explore_search *
open_source(const struct explore_params *p)
{
	return open_kind(&explore_dpor_source, p, false);
}

/* The forced choices behind the branch: the first way through its tree. */
static void
force_tree(const struct wakeup *w, struct seam_plan *plan,
	   struct seam_forced *forced)
{
	for (; w && plan->forced < SEAM_STEPS; w = w->child)
		forced[plan->forced++] =
		    (struct seam_forced){ w->thread, SEAM_HOWS, 0 };
}

static void
branch(struct dpor *d, struct state *s, uint16_t slot, struct seam_plan *plan,
       struct seam_forced *forced, struct node_ticket *ticket)
{
	struct wakeup *w = s->tree;
	uint64_t asleep = s->sleep;

	if (!w || !w->fresh)
		asleep |= s->node.done;
	plan->flags |= SEAM_PLAN_SLEEP;
	plan->sleep_from = s->node.depth;
	plan->sleep_how = asleep & s->node.timeouts & ~s->node.enabled;
	plan->sleep = asleep & ~plan->sleep_how;
	ticket->asleep = asleep;
	nodes_branch(&d->nodes, &s->node, slot, plan, forced);
	if (!d->optimal || !w)
		return;
	s->tree = w->next;
	w->next = NULL;
	ticket->with = w;
	force_tree(w->child, plan, forced);
}

static enum explore_next
next(struct explore_search *search, struct seam_plan *plan,
     struct seam_forced *forced, uint64_t *ticket)
{
	struct dpor *d = (struct dpor *)search;
	struct node_ticket *out;
	uint64_t among = 0;
	struct node *n = NULL;

	if (d->many)
		return EXPLORE_DONE;
	if (d->nodes.begun) {
		n = nodes_deepest(&d->nodes, &among);
		if (!n)
			return d->nodes.out ? EXPLORE_WAIT : EXPLORE_DONE;
	}
	out = nodes_ticket(&d->nodes, n, ticket);
	if (!out) {
		d->cut_short = true;
		return d->nodes.out ? EXPLORE_WAIT : EXPLORE_DONE;
	}
	nodes_plain(plan, d->seed, 0);
	if (n)
		branch(d, state_of(n), (uint16_t)__builtin_ctzll(among), plan,
		       forced, out);
	return EXPLORE_PLAN;
}

/* Whoever depends on a step wakes up. */
static uint64_t
still_asleep(const struct order *o, uint32_t i, uint64_t asleep)
{
	const struct seam_step *step = &o->trace->step[i];
	struct seam_op op;
	uint16_t s;

	asleep &= ~(UINT64_C(1) << step->slot);
	for (s = 0; s < o->threads; s++)
		if (((asleep >> s) & 1) &&
		    (!rest_pending(o, i, s, &op) ||
		     seam_dependent(&step->op, step->slot, &op, s)))
			asleep &= ~(UINT64_C(1) << s);
	return asleep;
}

/* One learning. */
struct lesson {
	struct dpor *d;
	struct order order;
	struct state **at; /* by step */
	uint32_t from;	   /* the first step that is new */
	uint32_t until;
};

static bool
make_states(struct lesson *l, struct node *n, struct node_ticket *ticket)
{
	const struct explore_trace *t = l->order.trace;
	struct wakeup *w = ticket->with;
	uint64_t asleep = ticket->asleep;
	uint32_t i;

	for (i = l->from; i < l->until; i++) {
		struct state *s = n ? state_of(n) : NULL;

		if (i > l->from || !n) {
			n = nodes_add(&l->d->nodes, n, t, i);
			if (!n)
				return false;
			s = state_of(n);
			s->sleep = asleep;
			s->todo = n->done;
			/* The brothers of the way that was forced. */
			if (w && w->thread == t->thread[t->step[i].slot].key) {
				s->tree = w->next;
				w->next = NULL;
			} else {
				wakeup_free(w);
				w = NULL;
			}
		}
		l->at[i] = s;
		if (w) {
			struct wakeup *child = w->child;

			w->child = NULL;
			wakeup_free(w);
			w = child;
		}
		asleep = still_asleep(&l->order, i, asleep);
	}
	wakeup_free(w);
	ticket->with = NULL;
	nodes_leaf(&l->d->nodes, n);
	return true;
}

static void
find_earlier(struct lesson *l, struct node *n)
{
	for (; n; n = n->parent)
		l->at[n->depth] = state_of(n);
}

static bool
is_covered(const struct rest *r, uint64_t slots)
{
	uint32_t at;
	uint16_t s;

	for (s = 0; s < r->order->threads; s++)
		if (((slots >> s) & 1) && rest_weak(r, s, &at))
			return true;
	return false;
}

/* Initials, and not weak ones: a sleeper that does not occur in v would do
 * for v, but not for all that may follow it. */
static void
found_source(struct state *s, const struct rest *r)
{
	uint64_t initials = rest_initials(r);

	if (initials & (s->sleep | s->todo))
		return;
	/* None: it could not be done here after all. */
	initials &= s->node.enabled | s->node.timeouts;
	s->todo |= initials & -initials;
}

static void
found_optimal(struct lesson *l, struct state *s, struct rest *r)
{
	if (is_covered(r, s->sleep | s->node.done))
		return;
	if (!(rest_initials(r) & (s->node.enabled | s->node.timeouts)))
		return;
	if (wakeup_insert(&s->tree, r) < 0)
		l->d->cut_short = true;
}

static void
found(void *arg, const struct order_race *race)
{
	struct lesson *l = arg;
	struct state *s = l->at[race->first];
	uint32_t until = race->second;
	struct rest r;

	if (l->d->optimal || until > l->order.n)
		until = l->order.n;
	if (!rest_make(&r, &l->order, race, until)) {
		l->d->cut_short = true;
		return;
	}
	if (l->d->optimal)
		found_optimal(l, s, &r);
	else
		found_source(s, &r);
	rest_free(&r);
}

/* At the end, those that wait may race with whoever keeps them waiting. */
static void
find_races(struct lesson *l)
{
	uint32_t j, s;

	for (j = l->from; j < l->until; j++)
		order_races(&l->order, j, found, l);
	for (s = 0; s < l->order.threads; s++)
		if (order_pending(&l->order, l->order.n, (uint16_t)s) !=
		    ORDER_NONE)
			order_races(&l->order, l->order.n + s, found, l);
}

static void
study(struct dpor *d, const struct explore_trace *t, struct node *n,
      struct node_ticket *ticket)
{
	struct lesson l = { .d = d, .from = n ? n->depth : 0 };

	if (!order_make(&l.order, t, LONGEST)) {
		d->cut_short = true;
		nodes_leaf(&d->nodes, n);
		return;
	}
	l.until = l.order.n;
	l.at = calloc((size_t)l.until + 1, sizeof(struct state *));
	if (!l.at || l.from >= l.until) {
		d->cut_short = true;
		nodes_leaf(&d->nodes, n);
	} else {
		find_earlier(&l, n);
		if (!make_states(&l, n, ticket))
			d->cut_short = true;
		else
			find_races(&l);
	}
	free((void *)l.at);
	order_free(&l.order);
}

static void
learn(struct explore_search *search, uint64_t number,
      const struct explore_trace *t)
{
	struct dpor *d = (struct dpor *)search;
	struct node_ticket *ticket = nodes_find(&d->nodes, number);
	struct node *n;

	if (!ticket)
		return;
	n = ticket->node;
	d->runs++;
	d->redundant += t->verdict == SEAM_VERDICT_ASLEEP;
	if (t->nthreads > SEAM_MASKED) {
		d->many = true;
	} else if (!nodes_same(ticket, t)) {
		d->lost++;
		nodes_leaf(&d->nodes, n);
	} else {
		if (t->nsteps > LONGEST || t->timed_out ||
		    t->verdict == SEAM_VERDICT_LONG ||
		    t->verdict == SEAM_VERDICT_LIVELOCK ||
		    t->verdict == SEAM_VERDICT_STUCK ||
		    t->verdict == SEAM_VERDICT_FULL)
			d->cut_short = true;
		study(d, t, n, ticket);
	}
	wakeup_free(ticket->with);
	nodes_done(&d->nodes, ticket);
}

static void
say(const struct explore_search *search, struct explore_said *said)
{
	const struct dpor *d = (const struct dpor *)search;
	const char *name = search->strategy->name;

	memset(said, 0, sizeof(*said));
	said->redundant = d->redundant;
	if (d->many) {
		snprintf(said->state, sizeof(said->state),
			 "%s: more than %d threads", name, SEAM_MASKED);
		return;
	}
	said->estimate = nodes_estimate(&d->nodes);
	said->exhaustive = d->nodes.begun && !d->nodes.root && !d->nodes.out &&
			   !d->lost && !d->cut_short;
	if (said->exhaustive)
		snprintf(said->state, sizeof(said->state), "%s, all %llu", name,
			 (unsigned long long)d->runs);
	else
		snprintf(said->state, sizeof(said->state),
			 "%s, %llu of about %.0f", name,
			 (unsigned long long)d->runs, said->estimate);
}

/* A wakeup tree in preorder: thread, level, fresh. */
static void
save_tree(const struct wakeup *w, int level, json_t *to)
{
	for (; w; w = w->next) {
		json_array_append_new(to,
				      json_pack("[Iib]", (json_int_t)w->thread,
						level, w->fresh));
		save_tree(w->child, level + 1, to);
	}
}

static json_t *
save_state(const struct node *n)
{
	const struct state *s = (const struct state *)n;
	json_t *tree = json_array();

	save_tree(s->tree, 0, tree);
	return json_pack("[IIo]", (json_int_t)s->sleep, (json_int_t)s->todo,
			 tree);
}

/* Sequences are as long as what is left of a run; a file that says more would
 * cost more stack than there is. */
#define TREE_DEPTH 50000

/* From the item *i on, what is of the level or deeper. */
static bool
load_tree(struct wakeup **to, const json_t *from, size_t *i, int level)
{
	json_int_t thread;
	int at, fresh;

	while (*i < json_array_size(from)) {
		if (level > TREE_DEPTH ||
		    json_unpack(json_array_get(from, *i), "[Iib!]", &thread,
				&at, &fresh) ||
		    at > level)
			return false;
		if (at < level)
			return true;
		*to = calloc(1, sizeof(**to));
		if (!*to)
			return false;
		(*to)->thread = (uint64_t)thread;
		(*to)->fresh = fresh;
		++*i;
		if (*i < json_array_size(from) &&
		    json_integer_value(json_array_get(json_array_get(from, *i),
						      1)) == level + 1 &&
		    !load_tree(&(*to)->child, from, i, level + 1))
			return false;
		to = &(*to)->next;
	}
	return true;
}

static bool
load_state(struct node *n, const json_t *from)
{
	struct state *s = state_of(n);
	json_int_t sleep, todo;
	json_t *tree;
	size_t i = 0;

	if (json_unpack((json_t *)from, "[IIo!]", &sleep, &todo, &tree))
		return false;
	s->sleep = (uint64_t)sleep;
	s->todo = (uint64_t)todo;
	return nodes_are_slots(n, s->sleep | s->todo) && json_is_array(tree) &&
	       load_tree(&s->tree, tree, &i, 0) && i == json_array_size(tree);
}

static json_t *
save(const struct explore_search *search)
{
	const struct dpor *d = (const struct dpor *)search;

	return json_pack("{sI sI sI sI sb sb so}", "seed", (json_int_t)d->seed,
			 "runs", (json_int_t)d->runs, "redundant",
			 (json_int_t)d->redundant, "lost",
			 (json_int_t)d->lost + d->nodes.out, "many", d->many,
			 "cut_short", d->cut_short, "nodes",
			 nodes_save(&d->nodes, save_state));
}

static bool
load(struct explore_search *search, const json_t *state)
{
	struct dpor *d = (struct dpor *)search;
	json_int_t seed, runs, redundant, lost;
	int many, cut_short;
	json_t *nodes;

	if (json_unpack((json_t *)state, "{sI sI sI sI sb sb so}", "seed",
			&seed, "runs", &runs, "redundant", &redundant, "lost",
			&lost, "many", &many, "cut_short", &cut_short, "nodes",
			&nodes))
		return false;
	d->seed = (uint64_t)seed;
	d->runs = (uint64_t)runs;
	d->redundant = (uint64_t)redundant;
	d->lost = (uint64_t)lost;
	d->many = many;
	d->cut_short = cut_short;
	return nodes_load(&d->nodes, nodes, load_state);
}

static void
forget_ticket(struct node_ticket *ticket)
{
	wakeup_free(ticket->with);
}

static void
close_search(struct explore_search *search)
{
	struct dpor *d = (struct dpor *)search;

	nodes_free(&d->nodes, forget_ticket);
	free(d);
}

const struct explore_strategy explore_dpor = {
	.name = "dpor",
	.summary = "one run of each class of equivalent schedules (optimal "
		   "partial-order reduction)",
	.open = open_optimal,
	.next = next,
	.learn = learn,
	.say = say,
	.close = close_search,
	.save = save,
	.load = load,
};

const struct explore_strategy explore_dpor_source = {
	.name = "dpor-source",
	.summary = "partial-order reduction by source sets",
	.open = open_source,
	.next = next,
	.learn = learn,
	.say = say,
	.close = close_search,
	.save = save,
	.load = load,
};
