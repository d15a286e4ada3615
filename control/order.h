/* SPDX-License-Identifier: MIT */
/*
 * An order: the sequence in which checkpoints, which are pauses, are passed.
 *
 * Who takes part are targets: the process, with its descendants, that a pause
 * names by proc=, or the threads that it names by thread=; where one of the
 * pauses names neither, all processes are one target.  Each has a rule of the
 * order's own, its keeper: while that is armed, its threads park at their next
 * event whatever it is, so that it stands still, and before its first event
 * has not begun.
 *
 * One step after the other:
 *   REACHED   a thread stands at the last checkpoint, or none was yet; all
 *             keepers are armed.
 *   LEAVING   that thread was let go, to its next event.  Once it stands
 *             there, another target may move.
 *   MOVING    one target's keeper is disarmed: the one whose checkpoint is
 *             next; before that, the one that moved last if it has no more
 *             checkpoints, until it has ended.
 *   STOPPING  a thread stands at the checkpoint, the keeper is armed again;
 *             until everybody else of that target stands still.
 *   OVER      all are passed and all have ended, or the order was given up.
 *
 * A thread that comes to a checkpoint of the order too early stays there.
 * One that comes to a checkpoint which is not ahead any more is let pass.
 */
#ifndef SEAM_ORDER_H
#define SEAM_ORDER_H

#include "rules_int.h"

struct order_point {
	unsigned rule; /* index of its pause */
	uint32_t birth;
	char *id;
	size_t target;
};

struct order_target {
	char *proc, *thread; /* as the pauses have them, or NULL */
	char *name;	     /* for people */
	unsigned keeper;     /* index of its rule */
	uint32_t birth;
	bool was_there; /* some of its threads, when the order was given */
};

enum order_phase {
	ORDER_REACHED,
	ORDER_LEAVING,
	ORDER_MOVING,
	ORDER_STOPPING,
	ORDER_OVER
};

struct sess_order {
	uint32_t number;
	struct order_point *point;
	size_t n, pos; /* pos: how many have been reached */
	struct order_target *target;
	size_t targets;
	enum order_phase phase;
	size_t last;	 /* the target that moved last */
	bool moved;	 /* there is one */
	uint32_t stands; /* index + 1 of the thread at the last checkpoint */
	uint64_t since;	 /* ns: LEAVING and STOPPING began */
	uint64_t still, still_since;
	uint64_t ends, births; /* of the session, when it was given */
};

/* The session's lock is held in all of these. */

/* order.c */
/* Lets all go and ends it, if there is one. */
void seam_order_drop(struct seam_session *s);
/* Frees it and nothing else. */
void seam_order_forget(struct seam_session *s);
/* The rule, or NULL if it was deleted. */
struct seam_armed *seam_order_rule(struct seam_session *s, unsigned index,
				   uint32_t birth);
void seam_order_keep(struct seam_session *s, const struct order_target *g,
		     bool armed);

/* order_target.c */
bool seam_target_has(struct seam_session *s, const struct order_target *g,
		     const struct seam_thread *t);
bool seam_target_covers(struct seam_session *s, const struct order_target *g,
			const struct seam_process *p);
/* It has been there, and all of it has ended. */
bool seam_target_over(struct seam_session *s, const struct sess_order *o,
		      const struct order_target *g);
/* Nobody can come any more. */
bool seam_target_hopeless(struct seam_session *s, const struct sess_order *o,
			  const struct order_target *g);
/* All of its threads are parked, blocked, or sleep for somebody else. */
bool seam_target_still(struct seam_session *s, struct sess_order *o,
		       const struct order_target *g, uint64_t *next_look);
/* The same of threads that seam knows to wait; and there is one. */
bool seam_target_waits(struct seam_session *s, const struct order_target *g);

/* order_next.c: waits. */
enum seam_code seam_order_prepare(struct seam_session *s, struct sess_wait *w,
				  struct seam_error *err);
enum seam_code seam_order_check(struct seam_session *s, struct sess_wait *w,
				json_t *reply, struct seam_error *err);
enum seam_code seam_order_late(struct seam_session *s,
			       const struct sess_wait *w,
			       struct seam_error *err);

#endif
