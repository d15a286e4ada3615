/* SPDX-License-Identifier: MIT */
/*
 * The gate's third gear: one thread at a time in the whole session.  The
 * protocol between threads, processes and the controller is in schedule.h.
 *
 * Everything here is done by the holder of the baton, unless said otherwise.
 * Nothing here knows how a thread is run: it waits and is let go in baton.c,
 * by seam_baton_hand and seam_baton_wait alone.
 */
#ifndef SEAM_SCHED_INT_H
#define SEAM_SCHED_INT_H

#include "../core.h"
#include "../strategy/strategy.h"

static inline struct seam_sched *
seam_sched(void)
{
	return &seam_arena->sched;
}

static inline uint16_t
seam_slot_index(const struct seam_slot *slot)
{
	return (uint16_t)(slot - seam_arena->sched.slot);
}

static inline struct seam_sobject *
seam_sobject_at(uint32_t index)
{
	return index ? &seam_arena->sched.sobject[index - 1] : NULL;
}

static inline uint32_t
seam_slots(void)
{
	uint32_t n = atomic_load_explicit(&seam_arena->sched.slots,
					  memory_order_relaxed);

	return n < SEAM_SLOTS ? n : SEAM_SLOTS;
}

/* The calling thread's way through the gate. */
static inline void
seam_sched_enter(struct seam_slot *slot)
{
	seam_self.busy++;
	slot->inside++;
}

static inline void
seam_sched_exit(struct seam_slot *slot)
{
	slot->inside--;
	seam_self.busy--;
}

/* baton.c */

/*
 * The calling thread stands at slot->op, which is written, with `c` to judge
 * and to do it by (NULL where the slot's own state tells all).  Returns when
 * it has been chosen, and how: enum seam_how.
 */
unsigned seam_stand(struct seam_slot *slot, struct seam_call *c);
/* Chosen, but the operation would wait after all: stands again. */
unsigned seam_stand_busy(struct seam_slot *slot, struct seam_call *c);
/* The operation is done: makes a step of it. */
void seam_step_done(struct seam_slot *slot, int result);
/* After what lets others go on: a chance for them to go first. */
void seam_stand_after(struct seam_slot *slot, struct seam_call *c);
/* The thread, or its process, will run no more: hands on.  Whoever goes next
 * waits for `tid` of process `pid` to be gone; 0: for the process. */
void seam_hand_for_good(struct seam_slot *slot, int32_t pid, int32_t tid,
			uint64_t word);
/* Into a real call that may wait for the outside world, or for a target that
 * is being started; and back. */
void seam_leave(struct seam_slot *slot);
void seam_return(struct seam_slot *slot);
void seam_wait_for_process(int32_t pid);
void seam_baton_hand(struct seam_slot *to);
/* Its slot stands already, by another thread's hand. */
void seam_first_turn(struct seam_slot *slot);

/* candidates.c */
struct seam_choice {
	struct seam_candidates done, timeouts;
	uint64_t enabled_mask, timeout_mask;
	bool outside; /* somebody waits for the outside world */
};
void seam_candidates(struct seam_choice *out);
bool seam_is_ready(struct seam_slot *slot);
/* File ranges (fcntl, lockf): whose process has what the call wants: 0:
 * nobody's, -1: no process's (OFD); and would waiting for it be a deadlock
 * that the kernel refuses? */
int32_t seam_range_blocker(const struct seam_call *c);
bool seam_range_deadlock(int32_t blocker);
/* It can be done by its owner without waiting though it looks busy: a
 * recursive lock, an error. */
bool seam_is_own(const struct seam_call *c, int32_t tid);

/* objects.c */
void seam_sobjects_init(void);
/* The object of a call, index + 1; 0: it has none. */
uint32_t seam_sobject_find(struct seam_slot *slot, struct seam_call *c);
uint32_t *seam_sobject_bucket(const struct seam_sobject *o);

/* perform.c */
/* Acts on a cancellation, if there is one: may not return. */
void seam_cancel_here(struct seam_slot *slot);
void seam_describe(struct seam_slot *slot, struct seam_call *c);
/* What a step has done to its object, as far as others' readiness and
 * misuse go. */
void seam_effect(struct seam_slot *slot, struct seam_call *c, int error);

/* misuse.c: looks before an operation is done; enum seam_misuse. */
unsigned seam_misuse_of(const struct seam_slot *slot,
			const struct seam_call *c);
/* An object has been destroyed. */
void seam_misuse_mark(const struct seam_call *c);
/* Ends the run if it is misuse, and the plan says so. */
void seam_misuse_stops(struct seam_slot *slot, const struct seam_call *c);

/* pipes.c: all that wait for the outside world wait for signals, or at pipes
 * that nobody outside has.  `certain`: and no timer's signal will end that. */
bool seam_waits_in_vain(bool certain);

/* queue.c: waiters of conditions, barriers, futexes. */
void seam_queue_join(struct seam_sobject *o, struct seam_slot *slot);
void seam_queue_leave(struct seam_sobject *o, struct seam_slot *slot);
/* Lets the first `n` go; returns how many. */
unsigned seam_queue_wake(struct seam_sobject *o, unsigned n);

/* life.c: threads and processes. */
/* A SIGKILL was sent: its process is gone when this returns. */
void seam_wait_for_killed(const struct seam_call *c);
struct seam_slot *seam_slot_self(void);
/* Anybody may call it, without the baton; NULL: no room. */
struct seam_slot *seam_slot_new(struct seam_thread *t);
extern uint64_t seam_proc_key;

/* clock.c: virtual time. */
/* It does not go back. */
void seam_time_reaches(uint64_t at);
uint64_t seam_virtual_deadline(clockid_t clock, const struct timespec *t);

/* signals.c */
/* Signals wait while the slot stands; their turn comes with its own. */
void seam_signals_keep(struct seam_slot *slot);
void seam_signals_let(struct seam_slot *slot);
bool seam_signals_due(const struct seam_slot *slot);
/* By the holder, in its own slot: a step, and the handlers. */
void seam_signals_handle(struct seam_slot *slot);
/* All that are due, until they need not wait any more. */
void seam_signals_settle(struct seam_slot *slot);
/* The real call runs handlers before it returns; and how to make it. */
bool seam_signals_in_call(const struct seam_slot *slot,
			  const struct seam_call *c);
int seam_signals_call(struct seam_slot *slot, struct seam_call *c);
/* One was sent: by a call, to a process (0 and less: to a group of them), by
 * a child's end. */
void seam_signals_sent(const struct seam_slot *slot, const struct seam_call *c);
void seam_signals_to_process(int32_t pid, int sig);
void seam_signals_child_died(int32_t pid);
/* Tells others of this process's handlers. */
void seam_signals_publish(void);
/* When the first interval timer rings; UINT64_MAX: none. */
uint64_t seam_next_alarm(void);
void seam_ring_alarms(void);

/* server.c */
/* Of the run's first process: the plan comes into force. */
void seam_run_begin(void);
_Noreturn void seam_run_end(unsigned verdict, const struct seam_slot *who,
			    const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
