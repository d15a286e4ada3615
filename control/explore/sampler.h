/* SPDX-License-Identifier: MIT */
/*
 * What the sampling searches share: tickets, seeds, the budget, and how
 * long the runs are.  A sampler's row of functions fills in
 * what is its own.
 */
#ifndef SEAM_EXPLORE_SAMPLER_H
#define SEAM_EXPLORE_SAMPLER_H

#include "explore/search.h"

/* One in so many choices, where there could be one; and in every third run,
 * so that several in a row are met, too. */
#define SAMPLER_TIMEOUTS 8
#define SAMPLER_TIMEOUTS_OFTEN 2

struct sampler_kind {
	uint32_t strategy; /* enum seam_strategy_id */
	size_t size;	   /* of its struct, which begins with a sampler */
	bool (*open)(struct explore_search *search);
	/* What differs from a plan of the plain kind.  Any may be NULL. */
	enum explore_next (*fill)(struct explore_search *search,
				  struct seam_plan *plan, uint64_t number);
	void (*learn)(struct explore_search *search, uint64_t ticket,
		      const struct explore_trace *t);
	/* Appends to what is said of the state. */
	void (*say)(const struct explore_search *search, char *state,
		    size_t size);
	void (*close)(struct explore_search *search);
	/* What is its own of the state to go on from. */
	bool (*save)(const struct explore_search *search, json_t *state);
	bool (*load)(struct explore_search *search, const json_t *state);
};

struct sampler {
	struct explore_search search;
	const struct sampler_kind *kind;
	struct explore_params params;
	uint64_t tickets; /* handed out */
	uint64_t resumed; /* of these, by one that it goes on from */
	uint32_t length;  /* most decisions of a run: k; 0: unknown */
};

struct explore_search *sampler_open(const struct explore_strategy *strategy,
				    const struct sampler_kind *kind,
				    const struct explore_params *p);
enum explore_next sampler_next(struct explore_search *search,
			       struct seam_plan *plan,
			       struct seam_forced *forced, uint64_t *ticket);
void sampler_learn(struct explore_search *search, uint64_t ticket,
		   const struct explore_trace *t);
void sampler_say(const struct explore_search *search,
		 struct explore_said *said);
void sampler_close(struct explore_search *search);
json_t *sampler_save(const struct explore_search *search);
bool sampler_load(struct explore_search *search, const json_t *state);

/* Does the run say what usual ones are like?  One that went round in circles
 * would spoil all lengths and counts. */
bool sampler_usual(const struct explore_trace *t);

/* The seed of a run: the ticket-th number of the generator that begins with
 * `seed`, so that the run can be had alone. */
uint64_t sampler_seed(uint64_t seed, uint64_t ticket);

/* What all samplers' rows have but for `open`. */
#define SAMPLER_METHODS                                                        \
	.next = sampler_next, .learn = sampler_learn, .say = sampler_say,      \
	.close = sampler_close, .save = sampler_save, .load = sampler_load

#endif
