/* SPDX-License-Identifier: MIT */
/*
 * The scheduled gear's part of the arena: what controller and targets know
 * of a run in which one thread at a time runs in the whole session.
 *
 * Words
 *   A *run* is one execution under a *plan*.  Its threads have *slots*, in
 *   the order of their creation.  A thread that arrives at the gate writes
 *   its next operation into its slot, and lets somebody be chosen; the
 *   chosen one does its operation, which makes a *step* of the trace, and
 *   runs on to its next operation.  A step is chosen among the *candidates*:
 *   (slot, how), where `how` says whether the operation itself comes about
 *   or one of its other endings, a timeout above all.
 *
 * The baton
 *   Exactly one thread runs: the holder.  Everything here but the plan, the
 *   words marked C and the slots' `turn` is written by the holder alone, so
 *   there is no lock.  To hand on, the holder writes `holder`, stores 1 into
 *   the other's `turn` (release), wakes it, and waits for its own `turn`
 *   (acquire), which it sets back to 0.  A thread that comes from nowhere
 *   (attached, or back from a call that waited outside) may not touch
 *   anything: it stores 1 into its slot's `knocks` and waits for its turn;
 *   the holder looks at `knocking` before each choice.  A holder whose
 *   process has died is replaced by the controller, which pidfds tell of it.
 *
 * Runs and the server
 *   A target that can be run again cheaply becomes a server (`server` says
 *   where): it waits for `order` to move, forks, and the child is the run.
 *   When the child has ended, the server stores its wait status and the
 *   order's number into `finished` and rings the bell.  The state of the run
 *   stays as it is until the next order.
 */
#ifndef SEAM_SCHEDULE_H
#define SEAM_SCHEDULE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SEAM_SLOTS 1024
#define SEAM_MASKED 64 /* slots that have a bit in the masks */
#define SEAM_STEPS (1u << 20)
#define SEAM_SOBJECTS 65536
#define SEAM_SOBJECT_BUCKETS 16384
#define SEAM_POINTS 64
#define SEAM_COUNTS 256
#define SEAM_PAUSES 8
#define SEAM_NOBODY UINT16_MAX

/* How a candidate's operation ends. */
enum seam_how {
	SEAM_HOW_DONE,	   /* as the real call answers */
	SEAM_HOW_TIMEOUT,  /* its time is over */
	SEAM_HOW_SIGNAL,   /* interrupted: a handler runs */
	SEAM_HOW_SPURIOUS, /* a wait on a condition: woken by nobody, which
			      POSIX allows; only when forced */
	SEAM_HOWS
};

enum seam_op_flags {
	SEAM_OP_TIMED = 1,    /* has a timeout */
	SEAM_OP_YIELD = 2,    /* gives way: sched_yield, sleep, a failed try,
				 an expired wait, a poll that found nothing;
				 set when done where the result decides */
	SEAM_OP_LOCAL = 4,    /* touches nothing that others see: commutes with
				 everything (after-points, thread.start) */
	SEAM_OP_OUTSIDE = 8,  /* enabled by what the session cannot see */
	SEAM_OP_RELOCKS = 16, /* cond.reacquire after a timeout or a signal */
};

/* An operation, pending in a slot or done in a step. */
struct seam_op {
	uint64_t off, len;	 /* file locks; off of a semaphore's: 1 +
				    what it had before, steps */
	uint32_t object, second; /* sobjects, index + 1; 0: none.  cond.wait:
				    the condition, and its mutex */
	uint16_t fn;
	uint8_t verb;
	uint8_t mode;  /* 'r', 'w', 0 */
	uint8_t flags; /* enum seam_op_flags */
	uint8_t how;   /* enum seam_how; steps */
	uint16_t peer; /* thread.*: that thread's slot + 1; process.fork,
			  process.wait: the process's first thread's */
};

/* An object as far as a run is concerned: one for what several processes
 * share. */
struct seam_sobject {
	uint64_t id, id2; /* address, or device and inode */
	uint64_t key;	  /* logical identity: the same in every run */
	uint32_t next;	  /* index + 1, in the bucket */
	uint32_t entry;	  /* arena object, index + 1; 0: none */
	uint32_t version; /* incremented by whatever may enable a waiter */
	uint16_t owner;	  /* slot + 1 of the last exclusive acquirer */
	uint16_t waiters; /* conditions, barriers, futexes: how many wait */
	uint16_t first;	  /* slot + 1, the queue of these */
	uint16_t depth;	  /* of a recursive mutex; readers of a rwlock */
	uint16_t proc;	  /* index + 1; 0: shared between processes */
	uint8_t kind;
	uint8_t dead;	   /* destroyed */
	uint32_t acquired; /* times */
	uint32_t spare;
};

/* seam_slot.signals */
#define SEAM_SIGNAL_CANCEL 1u /* pthread_cancel */
#define SEAM_SIGNAL_SENT 2u   /* one was sent: who waits for it looks */
#define SEAM_SIGNAL_DUE 4u    /* a handler is to run, or the process to end: */
#define SEAM_SIGNAL_SHARED 8u /* likewise, by any thread of the process */
#define SEAM_SIGNAL_INTERRUPTED 16u /* a handler has run meanwhile: EINTR */

enum seam_slot_state {
	SEAM_SLOT_NONE,
	SEAM_SLOT_PENDING, /* stands at its operation */
	SEAM_SLOT_RUNNING, /* the holder */
	SEAM_SLOT_OUTSIDE, /* in a call that waits for the outside world */
	SEAM_SLOT_ENDING,  /* past its last event, not yet gone */
	SEAM_SLOT_GONE,
};

struct seam_slot {
	_Atomic uint32_t turn;	 /* futex: 1: go on */
	_Atomic uint32_t knocks; /* 1: came from outside, wants to stand */
	uint8_t state;		 /* enum seam_slot_state */
	uint8_t how;		 /* what it was chosen for */
	uint8_t queued;		 /* in the queue of its condition or futex */
	uint8_t woken;		 /* out of it, by a signal: may go on */
	uint16_t next;		 /* in that queue, slot + 1 */
	uint16_t parent;	 /* slot + 1 of its creator */
	uint32_t thread;	 /* arena thread, index */
	uint32_t proc;		 /* arena process, index */
	uint64_t key;		 /* hash of its path */
	uint64_t call;		 /* struct seam_call, in its own process */
	uint64_t site;		 /* of the pending operation */
	uint64_t deadline;	 /* virtual ns; TIMED only */
	struct seam_op op;
	uint32_t seen;	  /* the object's version at which it was busy, + 1 */
	uint32_t steps;	  /* done so far */
	uint32_t met;	  /* objects first met, any kind */
	uint32_t yields;  /* done so far */
	uint32_t signals; /* sent to it and not yet handled: SEAM_SIGNAL_ */
	uint64_t mask;	  /* signals that the program has blocked, if guarded */
	uint64_t alarm_at,
	    alarm_every;	 /* its ITIMER_REAL, virtual ns; 0: none */
	_Atomic uint32_t stands; /* a forked child's: it has come to stand */
	int32_t blocker;	 /* pid of who has the range of a file, or 0 */
	int32_t execs;		 /* pid: becomes another program */
	uint8_t cancellable;	 /* its operation is a cancellation point, */
	uint8_t interruptible;	 /* or ends by EINTR */
	uint8_t guarded;	 /* all signals are blocked while it stands */
	uint8_t inside;		 /* RUNNING: passes the gate now, nested */
	uint8_t detached;

	/* The strategy's. */
	uint64_t priority;
	uint64_t count; /* surw: interesting events left */
	uint64_t aux;

	/* Fairness (Musuvathi & Qadeer, PLDI 2008), by masks of slots: those
	 * that come before it; continuously enabled, disabled by it, and
	 * scheduled since its last yield. */
	uint64_t before, enabled, disabled, scheduled;
} __attribute__((aligned(64)));

struct seam_step {
	struct seam_op op;
	uint64_t site;
	uint64_t enabled;  /* candidates by SEAM_HOW_DONE, masked slots */
	uint64_t timeouts; /* candidates by SEAM_HOW_TIMEOUT, and by SIGNAL */
	uint64_t hash;	   /* rolling: of this event and all before it */
	uint32_t event;	   /* hash of this event alone */
	int32_t result;
	uint16_t slot;
	uint16_t candidates; /* how many there were in all */
};

/* seam_slot.how, with its turn, by the controller: its holder died, or waits
 * outside; who is to go on has to be chosen. */
#define SEAM_HOW_ELECTED SEAM_HOWS

/* A choice that the plan wants. */
struct seam_forced {
	uint64_t thread; /* its key */
	uint32_t how;	 /* enum seam_how; SEAM_HOWS: as it can be */
	uint32_t event;	 /* low half of the step's own hash that is expected;
			    0: any */
};

enum seam_strategy_id {
	SEAM_STRATEGY_FOLLOW, /* goes on with who runs, else the next slot */
	SEAM_STRATEGY_RANDOM,
	SEAM_STRATEGY_PCT,
	SEAM_STRATEGY_POS,
	SEAM_STRATEGY_SURW,
	SEAM_STRATEGY_DELAY,
	SEAM_STRATEGY_DIRECT,
	SEAM_STRATEGIES
};

enum seam_plan_flags {
	SEAM_PLAN_STRICT = 1,	/* a forced choice that cannot be made, or an
				   unexpected event, ends the run */
	SEAM_PLAN_SLEEP = 2,	/* `sleep` counts */
	SEAM_PLAN_MISUSE = 4,	/* misuse ends the run */
	SEAM_PLAN_MARKED = 8,	/* only seam_points are chosen among: all else
				   happens at once */
	SEAM_PLAN_DETAIL = 16,	/* outer frames are taken */
	SEAM_PLAN_AFTER = 32,	/* there is a choice after releases, too, by a
				   LOCAL step; FOLLOW alone obeys it, all other
				   strategies have it always */
	SEAM_PLAN_RELAXED = 64, /* `forced` are pairs, sorted by thread and
				   `how`: after that many steps (`how`) of the
				   first's thread, if it ran last, the second
				   is chosen if it can be */
	SEAM_PLAN_DEBUG = 128,	/* real time stands still now and then: what
				   waits for the outside is never stuck; a
				   verdict is a trap for the debugger first */
};

enum seam_server {
	SEAM_SERVER_NONE,  /* this execution is the run */
	SEAM_SERVER_LATE,  /* at the first thread creation, if possible */
	SEAM_SERVER_EARLY, /* before the constructors */
};

/* Where a thread is to be held (`direct`): at an operation on that object
 * from that site, which comes after as many of them. */
#define SEAM_PAUSE_ANY UINT32_MAX
struct seam_pause {
	uint64_t thread; /* key */
	struct seam_pause_at {
		uint64_t object, site; /* key, address; object 0: nowhere,
					  site 0: anywhere */
	} outer, inner;		       /* inner: after outer */
	uint32_t nth, spare;	       /* of the outer ones, from 0; ANY: held
					  at inner ones only */
};

/* C, while no run goes on. */
struct seam_plan {
	uint32_t strategy; /* for what `forced` leaves open */
	uint32_t flags;
	uint32_t server;  /* enum seam_server; when the target is started */
	uint32_t forced;  /* how many */
	uint64_t seed;	  /* the strategy's */
	uint64_t entropy; /* of the program's random numbers: the same for all
			     runs of a search, as what was drawn before a
			     server served is for all of its */
	/* Sleep sets: slots asleep before step `sleep_from`, those of
	 * SEAM_HOW_DONE, and of SEAM_HOW_TIMEOUT.  From that step on, forced
	 * ones included, whoever depends on a step wakes up; who sleeps is no
	 * candidate, but may be forced. */
	uint64_t sleep;
	uint64_t sleep_how;
	uint32_t sleep_from;
	uint32_t max_steps;
	uint32_t depth;		 /* pct: d */
	uint32_t length;	 /* pct: k, in decisions */
	uint32_t base;		 /* delay: which order of the slots */
	uint32_t points;	 /* delay: each one skip, by the number of the
				    strategy's pick, from 0, ascending */
	uint32_t counts;	 /* surw */
	uint64_t interest;	 /* surw: an object's key; 0: all */
	uint32_t timeout_one_in; /* samplers: a timeout is taken, where it
				    could be, once in so many choices */
	uint32_t pauses;	 /* direct */
	uint32_t point[SEAM_POINTS];
	struct {
		uint64_t thread; /* key */
		uint64_t events; /* interesting ones, of its descendants too */
	} count[SEAM_COUNTS];
	struct seam_pause pause[SEAM_PAUSES];
};

enum seam_verdict {
	SEAM_VERDICT_NONE,     /* the run ended by itself, or goes on */
	SEAM_VERDICT_DEADLOCK, /* nothing can go on */
	SEAM_VERDICT_LIVELOCK, /* max_steps, and everybody only yields */
	SEAM_VERDICT_LONG,     /* max_steps */
	SEAM_VERDICT_MISUSE,
	SEAM_VERDICT_ASLEEP,   /* all candidates sleep: the run is redundant */
	SEAM_VERDICT_DIVERGED, /* STRICT: at step `at` */
	SEAM_VERDICT_STUCK,    /* waits for the outside world, in vain */
	SEAM_VERDICT_FULL,     /* more slots or objects than there is room */
};

enum seam_misuse {
	SEAM_MISUSE_NONE,
	SEAM_MISUSE_NOT_OWNER,	/* unlocks what another thread has */
	SEAM_MISUSE_NOT_LOCKED, /* unlocks what nobody has */
	SEAM_MISUSE_DESTROYED,	/* uses what has been destroyed */
	SEAM_MISUSE_DESTROY_HELD,
	SEAM_MISUSE_DESTROY_AWAITED,
	SEAM_MISUSE_WAIT_NOT_OWNER, /* cond.wait without the mutex */
	SEAM_MISUSE_OVERFLOW,	    /* sem.post past SEM_VALUE_MAX */
	SEAM_MISUSE_RELOCK,	    /* an error-checking mutex, by its owner */
};

struct seam_sched {
	_Atomic uint32_t on; /* C: targets that attach are scheduled */
	struct seam_plan plan;

	/* The server's. */
	_Atomic uint32_t order __attribute__((aligned(64))); /* C: futex */
	_Atomic uint32_t finished; /* T: the last order carried out */
	_Atomic uint32_t serves;   /* T: enum seam_server it has become */
	_Atomic uint32_t why_not;  /* T: a string: why it could not, LATE */
	_Atomic int32_t server_pid, run_pid; /* T */
	int32_t status;		/* T: waitpid's, of the run's first process */
	uint32_t strays;	/* T: processes that outlived that one */
	_Atomic uint32_t begun; /* T: 1 once a first thread stands */

	/* The run's: everything from here on is set back for the next. */
	_Atomic uint32_t holder __attribute__((aligned(64))); /* slot + 1 */
	_Atomic uint32_t knocking; /* some slot knocks; a futex */
	_Atomic uint32_t slots;	   /* used so far; by all */
	uint32_t steps, decisions, switches, preemptions;
	uint32_t sobjects;
	uint32_t verdict, misuse; /* written by seam_sched_end */
	uint32_t at;		  /* step */
	uint32_t who;		  /* slot + 1 */
	uint32_t yields;	  /* in a row, without anything else */
	uint32_t outside;	  /* blind: threads found waiting outside */
	uint32_t fair;		  /* some yield has been seen */
	uint32_t alarms;	  /* slots that have one */
	uint32_t asleep_from;	  /* the step from which `sleep` counts */
	int32_t dying; /* tid of the thread that handed on for good, or 0 */
	int32_t dying_process; /* pid of the process that did, or 0 */
	uint64_t dying_word;   /* where the kernel will store 0 */
	uint64_t chosen_enabled, chosen_timeouts; /* of the latest choice */
	uint32_t chosen_among;
	uint32_t taken;	     /* forced choices so far */
	uint64_t now;	     /* virtual ns since the run's beginning */
	uint64_t idle_since; /* real ns: nobody can go on; 0: somebody */
	uint64_t epoch[2];   /* of CLOCK_REALTIME, CLOCK_MONOTONIC, ns */
	uint64_t hash;	     /* rolling, of all events */
	uint64_t random;     /* the strategy's generator */
	uint64_t entropy;    /* the program's (getrandom) */
	uint64_t sleeping, sleeping_how;
	uint64_t own[16];	      /* the strategy's */
	uint32_t change[SEAM_POINTS]; /* the strategy's (pct) */
	char what[256];		      /* a message, for some verdicts */

	struct seam_slot slot[SEAM_SLOTS] __attribute__((aligned(4096)));
	uint32_t bucket[SEAM_SOBJECT_BUCKETS] __attribute__((aligned(4096)));
	struct seam_sobject sobject[SEAM_SOBJECTS];
	struct seam_step step[SEAM_STEPS] __attribute__((aligned(4096)));
	struct seam_forced forced[SEAM_STEPS] __attribute__((aligned(4096)));
};

/* SplitMix64 (Steele, Lea & Flood, OOPSLA 2014). */
static inline uint64_t
seam_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Uniform below n > 0 (Lemire, 2019, without the rejection: n is small). */
static inline uint32_t
seam_random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(((seam_random(state) >> 32) * n) >> 32);
}

static inline uint64_t
seam_stir(uint64_t h, uint64_t value)
{
	h ^= value + UINT64_C(0x9e3779b97f4a7c15) + (h << 6) + (h >> 2);
	h *= UINT64_C(0xff51afd7ed558ccd);
	return h ^ (h >> 32);
}

/* FNV-1a (Fowler, Noll & Vo): a thread's key is that of its path. */
static inline uint64_t
seam_key_of(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return h;
}

#endif
