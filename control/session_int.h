/* SPDX-License-Identifier: MIT */
/* What the files of the session share among themselves. */
#ifndef SEAM_SESSION_INT_H
#define SEAM_SESSION_INT_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "arena.h"
#include "session.h"
#include "symbols.h"

/* One process, by its index in the arena. */
struct seam_process {
	bool used;
	unsigned index;
	pid_t pid; /* in our namespace; 0: unknown */
	int pidfd; /* -1: none */
	bool ours; /* our child: we reap it */
	bool ended;
	int status; /* waitpid's, if ours */
	bool status_known;
	char *alias;
	char *exe;
	struct seam_map *map;
	uint32_t maps_seen; /* proc.maps when the map was read */
	uint64_t table;	    /* offset of its current table, 0: none */
	int out;	    /* memfd of captured output, -1: inherited */
	int in;		    /* write end of its stdin, -1: none */
	char *unhooked;	    /* why it never said hello, or NULL */
	int sent;	    /* the last signal that it got from us, or 0 */
	int died_of;	    /* not ours: the signal, where the kernel tells */
};

/*
 * Units of a named semaphore that the session has taken, by the holding
 * rule's index.  Memory that the controller shares with its warden alone,
 * which gives them back when the controller was killed.  A unit is counted
 * after it was taken and discounted before it is given back: one killed
 * between the two loses a unit, and never makes one.
 */
struct seam_loan {
	_Atomic int taken;
	sem_t *sem; /* as the warden has it mapped */
};
struct seam_loans {
	_Atomic uint32_t n; /* high-water */
	struct seam_loan v[SEAM_MAX_RULES];
};

enum seam_rule_kind {
	SEAM_RULE_PAUSE,
	SEAM_RULE_HOLD,
	SEAM_RULE_FAULT,
	SEAM_RULE_LOG,
	SEAM_RULE_GATE,
	SEAM_RULE_ORDER /* keeps a target of an order where it is */
};

/* One rule, by its index in the arena. */
struct seam_armed {
	bool used;
	unsigned index;
	char *id;
	enum seam_rule_kind kind;
	struct seam_selector sel; /* holds: verbs and obj only */
	struct seam_hold_how how;
	uint32_t reported;	/* arrivals already told to a `wait` */
	bool granted;		/* holds */
	int fd;			/* file holds: the descriptor that locks; -1 */
	sem_t *sem;		/* named semaphores held for real, else NULL */
	struct seam_loan *loan; /* what was taken of it */
	unsigned gate;		/* gates: how many are to come */
	seam_event_fn *each;
	void *data;
	/* rules.c, compile.c and hold.c alone: */
	bool reserved;	   /* not `used`, but another rule's `notify` */
	bool stale;	   /* not `used`, but tables still have its matches */
	bool seen;	   /* some process it can match has been compiled for */
	uint64_t left;	   /* ns: nobody who could come is left since then */
	uint32_t notify;   /* holds: index + 1 of the rule that rings */
	uint32_t birth;	   /* tells two users of one index apart */
	uint32_t at_proc;  /* obj=@ADDR: index + 1 of its process; 0: any */
	uint8_t held_kind; /* holds: of the object; 0: not known */
	uint64_t inner;	   /* holds: object's place within its symbol */
	struct seam_shared *shared; /* memory that other processes map too */
	size_t nshared;
};

struct seam_session {
	pthread_mutex_t lock;
	struct seam_arena *arena;
	int arena_fd;
	struct seam_syms *syms;
	char *socket, *dir, *preload, *cwd;
	bool own_dir;
	struct seam_options options;
	pid_t opener; /* the process that opened it: a fork cannot use it */

	struct seam_process process[SEAM_MAX_PROCS];
	unsigned processes;	 /* high-water */
	struct seam_armed *rule; /* [SEAM_MAX_RULES], lazily committed */
	unsigned rules;		 /* high-water */
	unsigned next_rule;	 /* where a free one is looked for, at it */
	unsigned next_id[8];
	bool watching, recording, times;
	seam_event_fn *each;
	void *each_data;
	size_t each_last;     /* so many of the last events; 0: all */
	uint64_t passed_over; /* events before those */
	bool overwrites;      /* rings, since then */

	int warden;		   /* a socket: closing it tells the warden */
	int listener, epoll, wake; /* wake: eventfd to the server */
	int reserve; /* to be closed when there is no other descriptor left */
	pthread_t server, porter, ringer;
	bool have_server, have_porter, have_ringer;
	_Atomic bool stopping;
	char broken[256]; /* why the arena is not trusted any more */
	struct seam_client *clients;
	const struct seam_client_ops *ops;
	void *ops_data;
	struct seam_heap *heap;		/* heap.c: blocks for tables */
	unsigned waiters;		/* of the bell, in-process and ringer */
	struct seam_history *history;	/* history.c; freed with the session */
	struct sess_order *order;	/* order.h; NULL: none */
	struct sess_accounts *accounts; /* accounting.h; NULL: nothing yet */
	void *spare[7];
	struct seam_own *own; /* inner.h: what only the session's files see */
};

/* session.c: the lock is held in all of these. */
struct seam_process *seam_process_find(struct seam_session *s, const char *name,
				       int column, struct seam_error *err);
/* A thread by "P1.T0", alias ("A" is its main thread, "A.T0.1"), pthread
 * name, "name.2", or glob that matches one.  NULL with no-such-thread or
 * ambiguous, listing them. */
struct seam_thread *seam_thread_find_name(struct seam_session *s,
					  const char *name, int column,
					  struct seam_error *err);
/* Entry `i`, or NULL when out of range or not in use: every index that comes
 * out of the arena goes through one of these. */
struct seam_thread *seam_thread_at(struct seam_session *s, uint32_t i);
struct seam_object *seam_object_at(struct seam_session *s, uint32_t i);
/* Its kind as it is now: targets may write there at any time.  0, "": none
 * that there is. */
unsigned seam_object_kind(const struct seam_object *o);
const char *seam_object_kind_name(const struct seam_object *o);
struct seam_process *seam_process_at(struct seam_session *s, uint32_t i);
/* Bounded copies out of the arena. */
void seam_arena_string(struct seam_session *s, uint32_t offset, char *buf,
		       size_t size);
void seam_arena_copy(const char *from, size_t max, char *buf, size_t size);
void seam_broken(struct seam_session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
uint64_t seam_now(void); /* ns, CLOCK_MONOTONIC */
/* Waits for the bell to move on from `seen`, at most until `until` (ns);
 * the lock is let go meanwhile. */
void seam_bell_wait(struct seam_session *s, uint32_t seen, uint64_t until);
/*
 * Before sleeping on the bell for a thread to arrive: gives the processor
 * away for a moment, in which whoever shares it may do so without having to
 * wake anybody.  *tries counts how often that was done for this wait; false:
 * it is time to sleep.  The lock is let go meanwhile.
 */
bool seam_stand_aside(struct seam_session *s, unsigned *tries);
/* No wait shall go on: the session was told to stop, or is broken. */
bool seam_ending(struct seam_session *s);
/* Rings it ourselves: state that only we know has changed (an exit). */
void seam_bell_ring(struct seam_session *s);

/* rules.c: called when a process has joined, before it is acknowledged, and
 * when its maps have changed; and to compile all after a rule changed. */
enum seam_code seam_rules_compile(struct seam_session *s,
				  struct seam_process *p,
				  struct seam_error *err);
void seam_rules_process_gone(struct seam_session *s, struct seam_process *p);
/* What arms the gate besides rules: watching, recording, stepping. */
void seam_gate_refresh(struct seam_session *s, struct seam_process *p);
/* The rule with that id, or NULL with no-such-object. */
struct seam_armed *seam_rule_find(struct seam_session *s, const char *id);

/* names.c */
/* The object's name: symbol, init site, first met; file path. */
char *seam_object_describe(struct seam_session *s, const struct seam_object *o,
			   char *buf, size_t size);
/* The same for an address without an entry. */
char *seam_addr_describe(struct seam_session *s, struct seam_process *p,
			 uint64_t addr, char *buf, size_t size);
/* "P1.T0.2 (worker)". */
char *seam_thread_describe(struct seam_session *s, const struct seam_thread *t,
			   char *buf, size_t size);
char *seam_site_describe(struct seam_session *s, struct seam_process *p,
			 uint64_t site, char *buf, size_t size);
/* "P1.T0.2 (worker) waits in mutex.lock for cache_lock at cache_put
 * cache.c:42, held by P1.T0 since cache_get cache.c:30". */
char *seam_doing_describe(struct seam_session *s, const struct seam_thread *t,
			  char *buf, size_t size);

/*
 * grace.c: threads of the process that announced a wait are in it when this
 * returns (within reason).  A signal that came in between would be handled
 * and forgotten, and not interrupt what it was meant to.
 */
void seam_settle(struct seam_session *s, struct seam_process *p);

/* peek.c: the real state of an object, read from the target's memory. */
enum seam_peek { SEAM_PEEK_FREE, SEAM_PEEK_TAKEN, SEAM_PEEK_UNKNOWN };
enum seam_peek seam_peek(struct seam_session *s, struct seam_process *p,
			 int kind, uint64_t addr, int mode, int *owner_tid);

/* events.c: what is there, or the last of it for a flight recorder. */
void seam_drain_locked(struct seam_session *s);
/* wait.c: the ringer's work after a bell; server.c has the clients. */

/* rules.c: when a session ends: holds are given back, everything of rules,
 * names and events is freed.  The arena and s->process must still be there. */
void seam_rules_end(struct seam_session *s);

/* server.c: the calling thread is about to sleep for long.  If it is the
 * server or the ringer in the middle of a client's line, another takes its
 * place.  The lock is held.  seam_bell_wait does it by itself. */
void seam_may_block(struct seam_session *s);

#endif
