/* SPDX-License-Identifier: MIT */
/*
 * A session: the arena, its targets, rules, holds and waits.
 *
 * This is the inside of libseamctl; commands, scripts and the public seam.h
 * are thin layers over it.  Functions return an enum seam_code and fill in
 * *err for a person.  Unless said otherwise they take the session's lock
 * themselves, and may be called from any thread.
 *
 * Threads.  A session has two of its own, both asleep unless needed:
 *   the porter waits on the arena's `door` futex: acknowledges processes
 *   after fork, re-reads maps after dlopen, drains rings;
 *   the server sleeps in epoll: the listening socket (targets that attach,
 *   clients that type), pidfds of targets, timers.
 * A third, the ringer, exists while socket clients have waits pending: it
 * waits on the arena's `bell`, evaluates those waits and answers the clients
 * itself, so that no hop between threads lies between a thread that parks
 * and the reply.  Whoever waits in-process (scripts, seam.h) waits on the
 * bell itself.
 *
 * Lock.  One mutex per session.  It is never held while sleeping on a bell
 * or a socket.
 */
#ifndef SEAM_SESSION_H
#define SEAM_SESSION_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "selector.h"

struct seam_session;

struct seam_options {
	const char *socket;    /* path to serve; NULL: one in a fresh 0700
				  directory under XDG_RUNTIME_DIR or /tmp */
	const char *preload;   /* libseam.so; NULL: SEAM_PRELOAD or installed */
	bool kill_on_death;    /* targets die with the controller */
	bool watch;	       /* watch from the beginning */
	bool end_with_last;    /* seam_session_run returns after the last
				  target is gone (started by a preload) */
	const char *kept_free; /* file that the warden removes if it is
				  still empty; absolute; NULL: none */
	const sigset_t *mask;  /* the targets' signal mask; NULL: that of
				  the opening thread */
};

/* session.c: life. */
enum seam_code seam_session_open(const struct seam_options *options,
				 struct seam_session **out,
				 struct seam_error *err);
/* Lets everybody go, ends (TERM, then KILL after a second) and reaps the
 * targets it started, unless `leave`; removes socket and directory. */
void seam_session_close(struct seam_session *s, bool leave);
const char *seam_session_socket(const struct seam_session *s);
/* Blocks until every target is gone, or seam_session_stop (which is safe in
 * a signal handler) was called. */
void seam_session_run(struct seam_session *s);
void seam_session_stop(struct seam_session *s);
/* The arena was found damaged: what and where; NULL while sound. */
const char *seam_session_broken(struct seam_session *s);

/* spawn.c: starting targets. */
enum seam_stdio { SEAM_CAPTURE, SEAM_INHERIT };
struct sess_start {
	const char *alias;     /* NULL: none */
	char *const *argv;     /* argv[0] looked up in PATH */
	char *const *env;      /* K=V additions; NULL: none */
	const char *dir;       /* NULL: the session's */
	enum seam_stdio stdio; /* CAPTURE: output kept, stdin a pipe */
};
/* Returns once the target attached and was acknowledged (or ended, or was
 * found unhookable: SEAM_E_UNSUPPORTED with the reason, and it is killed). */
enum seam_code sess_start(struct seam_session *s, const struct sess_start *how,
			  unsigned *proc, struct seam_error *err);
enum seam_code sess_send(struct seam_session *s, const char *proc,
			 const char *text, bool eof, struct seam_error *err);
/* Both streams as they came, interleaved; malloc'd, NUL-terminated. */
enum seam_code sess_output(struct seam_session *s, const char *proc,
			   char **text, size_t *len, struct seam_error *err);
enum seam_code seam_signal(struct seam_session *s, const char *proc, int sig,
			   struct seam_error *err);

/* rules.c: arming.  `as` NULL: an id is chosen (p1, h1, f1, …); ids are
 * unique in a session.  *id points into the session. */
enum seam_code sess_pause(struct seam_session *s,
			  const struct seam_selector *sel, const char *as,
			  const char **id, struct seam_error *err);
enum seam_code seam_fault(struct seam_session *s,
			  const struct seam_selector *sel, int error,
			  uint32_t times, const char *as, const char **id,
			  struct seam_error *err);
/* hold.c.  Waits up to timeout_ms for the object to be free. */
struct seam_hold_how {
	int mode; /* 0, 'r', 'w' */
	struct seam_filerange range;
	const char *proc; /* NULL: any */
	uint64_t timeout_ms;
};
enum seam_code sess_hold(struct seam_session *s,
			 const struct seam_object_name *obj,
			 const struct seam_hold_how *how, const char *as,
			 const char **id, struct seam_error *err);
/* ID, THREAD or "all": parked threads go on; a hold ends. The rule of a
 * pause stays armed.  *count: how many threads went. */
enum seam_code sess_release(struct seam_session *s, const char *what,
			    unsigned *count, struct seam_error *err);
enum seam_code sess_step(struct seam_session *s, const char *thread,
			 struct seam_error *err);
enum seam_code sess_delete(struct seam_session *s, const char *what,
			   struct seam_error *err);
/* Watching: objects, owners and waits are tracked. */
void seam_watch(struct seam_session *s, bool on);

/* wait.c.  A wait is prepared once, then checked whenever the bell rang. */
enum seam_wait_kind {
	SEAM_WAIT_RULE, /* a thread parked at it since the last report */
	SEAM_WAIT_QUIESCENT,
	SEAM_WAIT_EXIT,	   /* a process ended */
	SEAM_WAIT_BLOCKED, /* a thread is blocked (or held) */
	SEAM_WAIT_PARKED,  /* a thread stands at a rule, reported or not */
	SEAM_WAIT_OUTPUT,  /* the output matches a regular expression */
	SEAM_WAIT_THREAD,  /* a stepped thread has parked or ended */
	SEAM_WAIT_ORDER,   /* an order has come to a checkpoint, or its end */
	SEAM_WAIT_JOIN,	   /* the threads started since a mark have ended */
};
struct sess_wait {
	enum seam_wait_kind kind;
	const char *what;	      /* id, alias, thread or regex: caller's */
	const char *arg;	      /* OUTPUT: the process */
	struct seam_object_name *obj; /* BLOCKED: on that object, or NULL */
	uint64_t timeout_ms;
	uint64_t deadline;  /* ns, CLOCK_MONOTONIC; set by prepare */
	uint64_t next_look; /* ns; when to look without a bell, 0: never */
	/* ORDER: `what` is the checkpoint to come to, NULL: the next one. */
	uint32_t order; /* which one; 0: the session's */
	bool to_end;	/* run all to the end */
	size_t goal;	/* how many are reached then; set by prepare */
	/* JOIN: the timeout is for each. */
	uint64_t since;	  /* the mark */
	uint64_t joining; /* `born` of the one that is awaited */
	unsigned joined;
};
/* Refuses what cannot come about: no such id, no such thread. */
enum seam_code seam_wait_prepare(struct seam_session *s, struct sess_wait *w,
				 struct seam_error *err);
/* SEAM_OK: it has come about, `reply` (a JSON object) has its fields filled
 * in, in order of printing.  SEAM_E_TIMEOUT only past the deadline, with the
 * message saying who waits for what, held by whom, where.  SEAM_PENDING
 * (-1): not yet.  The session's lock must be held (seam_lock). */
#define SEAM_PENDING ((enum seam_code) - 1)
enum seam_code seam_wait_check(struct seam_session *s, struct sess_wait *w,
			       json_t *reply, struct seam_error *err);
/* Prepares and waits, on the bell. */
enum seam_code sess_wait(struct seam_session *s, struct sess_wait *w,
			 json_t *reply, struct seam_error *err);

/* gate.c: threads that match park until n stand there; a wait for it is over
 * then, and a release lets all go at once. */
enum seam_code sess_gate(struct seam_session *s, unsigned n,
			 const struct seam_selector *sel, const char *as,
			 const char **id, struct seam_error *err);

/* order.c: one at a time.  Checkpoints are ids of pauses.  *order (may be
 * NULL) tells it from others, for sess_wait.order. */
enum seam_code sess_order(struct seam_session *s,
			  const char *const *checkpoints, size_t n,
			  uint32_t *order, struct seam_error *err);
/* Lets all go; 0 is the session's, whichever.  False: there is none. */
bool sess_order_end(struct seam_session *s, uint32_t order);
/* Who moves in it: "A, B"; malloc'd. */
char *sess_order_targets(struct seam_session *s);

/* accounting.c.  Marks count the session's threads. */
#define SEAM_LAST_MARK UINT64_MAX
uint64_t sess_mark(struct seam_session *s);
uint64_t sess_last_mark(struct seam_session *s);
/* Started since, and alive: an array of objects, as tables are. */
json_t *seam_table_left(struct seam_session *s, uint64_t since);
/* Of processes that have exited: whom they left behind, a line each;
 * malloc'd, NULL: none. */
char *sess_left_at_exit(struct seam_session *s);

/* crash.c: processes that died by a signal, or by _exit with threads alive,
 * and were not expected to. */
json_t *seam_table_crashes(struct seam_session *s);
char *sess_crashes(struct seam_session *s); /* a line each; NULL: none */
enum seam_code sess_expect_crash(struct seam_session *s, const char *proc,
				 struct seam_error *err);

void seam_lock(struct seam_session *s);
void seam_unlock(struct seam_session *s);

/* tables.c: what `procs threads locks rules stats` show: arrays of objects
 * (stats: one object); keys in order of printing.  New references. */
json_t *seam_table_procs(struct seam_session *s);
json_t *seam_table_threads(struct seam_session *s);
json_t *seam_table_locks(struct seam_session *s);
json_t *seam_table_rules(struct seam_session *s);
json_t *seam_stats(struct seam_session *s);
/* Everything above for a person, when an expectation failed: who does what,
 * waits for what, held by whom, at which line.  malloc'd. */
char *sess_describe(struct seam_session *s);

/* events.c: recording.  Every record drained is given to `each` from the
 * porter's thread, in order of time within a drain. */
struct seam_event {
	uint64_t time, waited; /* ns */
	const char *proc, *thread, *thread_name;
	const char *verb, *fn, *object, *site; /* site: "func file.c:42" */
	uint64_t addr, site_addr, off, len;
	int moment; /* enum seam_moment: AFTER or BLOCKED */
	int32_t result;
	unsigned rule;		/* index + 1 when a LOG rule asked for it */
	uint64_t device, inode; /* of a file; 0: the object is another thing */
};
typedef void seam_event_fn(const struct seam_event *e, void *data);
enum seam_code seam_record(struct seam_session *s, bool times,
			   seam_event_fn *each, void *data,
			   struct seam_error *err);
/* The last events only, without times; those before are counted, and none is
 * lost.  When somebody looks, `last` are told, a fair share of each thread's,
 * one thread after the other. */
enum seam_code seam_record_last(struct seam_session *s, size_t last,
				seam_event_fn *each, void *data,
				struct seam_error *err);
/* Only what matches; several may be on; returns an id to sess_delete. */
enum seam_code sess_log(struct seam_session *s, const struct seam_selector *sel,
			seam_event_fn *each, void *data, const char **id,
			struct seam_error *err);
/* history.c: the last events, recorded without times and without making a
 * target wait.  *seen: how many there were since it began. */
enum seam_code seam_history_record(struct seam_session *s, bool on,
				   uint64_t *seen, struct seam_error *err);
/* One a line, the oldest first; malloc'd, or NULL. */
char *seam_history_text(struct seam_session *s);
/* Drains what is there now. */
void seam_drain(struct seam_session *s);
uint64_t seam_events_lost(struct seam_session *s);

/* server.c: what commands.c registers, to be given clients' lines. */
struct seam_client;
struct seam_client_ops {
	/* A whole line, NUL-terminated, without its newline.  Called without
	 * the session's lock.  If it started a wait, it calls
	 * seam_client_wait and returns; no further line is given until that
	 * is over. */
	void (*line)(struct seam_client *c, char *line, void *data);
	/* The wait is over (any code); called with the session's lock NOT
	 * held, from the ringer or server. */
	void (*waited)(struct seam_client *c, struct sess_wait *w,
		       enum seam_code code, json_t *reply,
		       struct seam_error *err, void *data);
	/* The client is gone. */
	void (*closed)(struct seam_client *c, void *data);
};
void seam_serve_clients(struct seam_session *s,
			const struct seam_client_ops *ops, void *data);
/* Queues bytes; never blocks; a client that does not read is dropped past a
 * megabyte. */
void seam_client_write(struct seam_client *c, const char *bytes, size_t n);
void seam_client_wait(struct seam_client *c, struct sess_wait *w);
void seam_client_close(struct seam_client *c); /* after what is queued */
void seam_client_set_data(struct seam_client *c, void *own);
void *seam_client_data(struct seam_client *c);
struct seam_session *seam_client_session(struct seam_client *c);
/* What the server itself refuses is told in JSON from now on. */
void seam_client_set_json(struct seam_client *c, bool json);

#endif
