/* SPDX-License-Identifier: MIT */
/*
 * What a reversed race would run: v = notdep(e, E).e', the events behind e
 * that do not depend on it, and then e'; and wakeup trees of such sequences
 * (Abdulla, Aronis, Jonsson & Sagonas, JACM 2017).
 */
#ifndef SEAM_EXPLORE_REST_H
#define SEAM_EXPLORE_REST_H

#include "explore/order.h"

struct rest {
	const struct order *order;
	struct order_race race;
	struct seam_op last; /* e' as it would be */
	uint32_t n;
	uint32_t *event; /* the last one is e', or e' and e: see below */
	uint32_t *known; /* by slot: 1 + the latest event e' depends on */
	bool *gone;	 /* taken out again, by rest_weak */
};

/*
 * Of the events before `until`.  Where e ended the process in which e' had
 * not come about yet, e will follow e' in turn, and belongs to v: else those
 * that sleep because they commute with e' would be taken to cover it.
 */
bool rest_make(struct rest *r, const struct order *o,
	       const struct order_race *race, uint32_t until);
void rest_free(struct rest *r);

/* Could the slot's next step be the first of v, or of what is equivalent to v
 * followed by something (a weak initial)?  `at` gets its place in v, n if it
 * is not there, or ORDER_NONE if what it would do is not known. */
bool rest_weak(const struct rest *r, uint16_t slot, uint32_t *at);
/* The slots whose step is the first of something equivalent to v. */
uint64_t rest_initials(const struct rest *r);

/* What a slot stood at before step i, as it was then; false: not known. */
bool rest_pending(const struct order *o, uint32_t i, uint16_t slot,
		  struct seam_op *op);

struct wakeup {
	uint64_t thread; /* key */
	bool fresh; /* whether its elder brothers cover it could not be told:
		       they must not sleep in it */
	struct wakeup *child, *next;
};
/* Makes the tree have a sequence that v is a part of, or v; -1: no memory,
 * else whether it has grown. */
int wakeup_insert(struct wakeup **tree, struct rest *r);
void wakeup_free(struct wakeup *tree);

#endif
