/* SPDX-License-Identifier: MIT */
/*
 * The part of a tree of schedules that still has open branches.  A node is
 * the state before a step; searches put what is theirs behind it.
 */
#ifndef SEAM_EXPLORE_NODES_H
#define SEAM_EXPLORE_NODES_H

#include "explore/search.h"

#define NODES_OUT 64 /* plans out at a time */

/* The threads of a run: slot numbers depend on the order of creation. */
struct node_keys {
	uint32_t refs, n;
	uint64_t key[];
};

struct node {
	struct node *parent, *older, *newer;
	uint32_t depth; /* the step */
	uint32_t alive; /* nodes below it, and plans that are out */
	uint32_t over;	/* branches that are */
	uint32_t how;	/* of the branch that led here */
	uint64_t thread;
	uint64_t enabled, timeouts; /* candidates: slots */
	uint64_t done;		    /* branches that have been handed out */
	uint64_t runs;		    /* of the branches that are over */
	struct node_keys *keys;
	uint8_t kind; /* nodes of a kind have about as many branches */
	/* nodes_estimate's: runs below it, and of how many branches */
	double estimate;
	uint32_t underway;
};

#define NODE_KINDS 256

struct node_ticket {
	uint64_t number; /* 0: free */
	struct node *node;
	uint16_t slot;
	uint8_t how;
	uint64_t asleep; /* dpor's */
	void *with;
};

struct nodes {
	void *owner;
	size_t size; /* of a node and what is behind it */
	/* Slots that can be branched to. */
	uint64_t (*open)(struct nodes *nodes, struct node *n);
	unsigned (*degree)(const struct nodes *nodes, const struct node *n);
	void (*forget)(struct nodes *nodes, struct node *n);
	bool begun;
	unsigned out;
	uint64_t numbers, runs;
	size_t count;
	struct node *root, *oldest, *newest;
	struct {
		uint64_t nodes, branches;
	} kind[NODE_KINDS];	/* of those that are over */
	struct node_keys *keys; /* of the run that is being learnt */
	struct node_ticket ticket[NODES_OUT];
};

/* The plan of a run that follows; the runner's part of it stays as it is.  All
 * runs have one seed, since the program may go by it, too. */
void nodes_plain(struct seam_plan *plan, uint64_t seed, uint32_t flags);
uint16_t node_slot(const struct node *n, uint64_t thread);
/* The latest node with an open branch. */
struct node *nodes_deepest(struct nodes *nodes, uint64_t *among);
/* A plan is going out, from the node, or from the beginning (NULL). */
struct node_ticket *nodes_ticket(struct nodes *nodes, struct node *n,
				 uint64_t *number);
struct node_ticket *nodes_find(struct nodes *nodes, uint64_t number);
/* Takes the branch of the ticket that was last made: fills in what is forced
 * up to the node, and it. */
void nodes_branch(struct nodes *nodes, struct node *n, uint16_t slot,
		  struct seam_plan *plan, struct seam_forced *forced);
/* Did the run begin as its plan wanted, up to the branch? */
bool nodes_same(const struct node_ticket *ticket,
		const struct explore_trace *t);
/* The state before step i, below `parent`. */
struct node *nodes_add(struct nodes *nodes, struct node *parent,
		       const struct explore_trace *t, uint32_t i);
/* A node that the caller has filled in goes below `parent`. */
void nodes_append(struct nodes *nodes, struct node *parent, struct node *n);
/* The branch of the run that ends below the node (NULL: nowhere) is over. */
void nodes_leaf(struct nodes *nodes, struct node *n);
/* The ticket's run has been learnt: frees what has no open branches left. */
void nodes_done(struct nodes *nodes, struct node_ticket *ticket);
/* How many runs the whole tree has; 0: unknown.  Branches that were not tried
 * yet are taken to be like their brothers; and nodes, to get as many branches
 * as others of their kind had in the end, since DPOR finds them one by one. */
double nodes_estimate(const struct nodes *nodes);
/*
 * To go on another time, while no plan is out: resume_nodes.c.  A search adds
 * what it has behind a node; what is loaded into is new, and may be half full
 * when it turns out wrong.
 */
void nodes_drop_keys(struct node_keys *k); /* NULL: nothing */
/* Are these all slots of threads that it has? */
bool nodes_are_slots(const struct node *n, uint64_t slots);
typedef json_t *nodes_save_fn(const struct node *n);
typedef bool nodes_load_fn(struct node *n, const json_t *from);
json_t *nodes_save(const struct nodes *nodes, nodes_save_fn *behind);
bool nodes_load(struct nodes *nodes, const json_t *from, nodes_load_fn *behind);
void nodes_free(struct nodes *nodes, void (*forget)(struct node_ticket *));

#endif
