/* SPDX-License-Identifier: MIT */
/*
 * The happens-before order of a trace, and its races: what DPOR goes by.
 * For runs of at most SEAM_MASKED threads.
 */
#ifndef SEAM_EXPLORE_ORDER_H
#define SEAM_EXPLORE_ORDER_H

#include "explore/trace.h"

#define ORDER_NONE UINT32_MAX

struct order_cell;

/*
 * Event n + s, behind the n of the trace, is what slot s stands at when the
 * run ends, if it stands at anything.
 */
struct order {
	const struct explore_trace *trace;
	uint32_t n, threads;
	/* Row i, of `threads` columns: 1 + the latest event of each slot that
	 * event i depends on, itself included. */
	uint32_t *clock;
	uint32_t *past;	  /* the same of what its thread knew before it */
	uint32_t *before; /* the thread's event before, or ORDER_NONE */
	uint32_t *after;  /* the thread's event after: n + s at its end */
	uint32_t *first;  /* by slot: its first event */
	/* Events by object, linked backwards: entries 2i and 2i + 1 are event
	 * i's, `link` is the entry before. */
	uint32_t *link;
	uint32_t *latest; /* by object; 0: points */
	uint32_t *about;  /* by slot: the latest event about it */
	uint32_t *abouts; /* by event: the one before, about the same slot */
	uint32_t global;  /* the latest global event */
	uint32_t *globals;
	struct order_cell **cell;
	struct order_cell *cells; /* all, to free them */
	uint32_t *scratch;
};

/* Looks at the first n events of the trace at most. */
bool order_make(struct order *o, const struct explore_trace *t, uint32_t n);
void order_free(struct order *o);

/* Any event's: a step's, or what a slot stands at. */
const struct seam_op *order_op(const struct order *o, uint32_t event);
uint16_t order_slot(const struct order *o, uint32_t event);

/* What a slot stood at before step i: an event; ORDER_NONE: not known. */
uint32_t order_pending(const struct order *o, uint32_t i, uint16_t slot);

static inline bool
order_precedes(const struct order *o, uint32_t i, uint32_t j)
{
	return o->clock[(size_t)j * o->threads + order_slot(o, i)] > i;
}

/*
 * Calls `found` for each race that event j is the second of: the latest
 * events that j might come before, if whatever depends on them is left out.
 * Where several keep j from coming about, like readers a writer, `first` is
 * the earliest of them, and `other` are the rest.
 * `how` is how j then ends, as far as is known: SEAM_HOWS if not; `fails`: it
 * is a try that does not get it.
 */
struct order_race {
	uint32_t first, second;
	uint8_t how;
	bool fails;
	uint8_t others;
	uint32_t other[SEAM_MASKED];
};
/* Is the event one of the first, or does it depend on one? */
bool order_left_out(const struct order *o, const struct order_race *race,
		    uint32_t event);
typedef void order_found(void *arg, const struct order_race *race);
void order_races(const struct order *o, uint32_t j, order_found *found,
		 void *arg);

/* The operation of j in the reversed race. */
struct seam_op order_reversed(const struct order *o,
			      const struct order_race *race);

#endif
