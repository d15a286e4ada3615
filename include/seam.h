/* SPDX-License-Identifier: MIT */
/*
 * seam: deterministic concurrency tests of unmodified programs.
 *
 * A session starts programs (targets) with libseam.so preloaded, so that
 * every lock, semaphore, condition, file lock and thread call of theirs
 * passes a gate.  The test arms rules there, waits until something stands
 * where it wants it, looks, and lets it go.  No sleeps.
 *
 *	seam_session *s;
 *	seam_open(&s, NULL);
 *	seam_pause(s, "in", "mutex.lock obj=cache_lock at=cache_put");
 *	seam_startl(s, "A", "./server", "--port", "0", NULL);
 *	seam_wait(s, "in", NULL, SEAM_DEFAULT);
 *	...
 *	seam_release(s, "in");
 *	seam_expect_exit(s, "A", 0, SEAM_DEFAULT);
 *	seam_close(s);
 *
 * Selectors, objects and threads are named as in the command language, see
 * seam-script(5).
 *
 * Results.  Functions return SEAM_OK (0) or another enum seam_code; then
 * seam_message() explains it: who waits for what, held by whom, at which
 * line.  Nothing here aborts or prints.
 *
 * Times are in milliseconds; SEAM_DEFAULT is the session's (5000 unless
 * configured), and no wait is without an end.
 *
 * Threads.  A session may be used from several threads of the process that
 * opened it.  After fork() the child must not use it: it gets SEAM_E_GONE.
 *
 * Cleaning up.  seam_close lets go whatever is parked or held, ends and reaps
 * the targets, and removes every file.  A controller that dies without it
 * takes its targets along (unless configured otherwise).
 */
#ifndef SEAM_H
#define SEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SEAM_DEFAULT UINT64_MAX
#define SEAM_NO_LIMIT UINT64_MAX

enum seam_code {
	SEAM_OK,
	SEAM_E_SYNTAX,	       /* a selector, object or command is malformed */
	SEAM_E_UNKNOWN_OP,     /* no such operation */
	SEAM_E_NO_SUCH_OBJECT, /* nor rule, variable, file, process */
	SEAM_E_AMBIGUOUS,      /* the name means several things */
	SEAM_E_NO_SUCH_THREAD,
	SEAM_E_TIMEOUT,
	SEAM_E_GONE,	    /* who was asked for has ended */
	SEAM_E_UNSUPPORTED, /* cannot be done, or not to this */
	SEAM_E_FAILED,	    /* an expectation did not hold */
};

typedef struct seam_session seam_session;

/* "timeout", "no-such-object", …; static. */
const char *seam_code_name(enum seam_code code);

/*
 * Explains the calling thread's last failed call; never NULL.  Belongs to
 * the library, valid until the thread's next call.
 */
const char *seam_message(void);

/* Sessions */

struct seam_config {
	const char *socket;  /* serve here too; NULL: a private place */
	const char *preload; /* libseam.so; NULL: SEAM_PRELOAD, or installed */
	const char *dir;     /* where targets run; NULL: the caller's */
	uint64_t timeout;    /* SEAM_DEFAULT of this session; 0: 5000 */
	bool release_on_death; /* targets survive a controller that dies */
};

/*
 * Opens a session; config NULL: all defaults.  *s belongs to the caller and
 * ends with seam_close, which accepts NULL.
 * SEAM_E_UNSUPPORTED: no libseam.so, no place for the socket.
 */
enum seam_code seam_open(seam_session **s, const struct seam_config *config);
void seam_close(seam_session *s);

/* The control socket's path; belongs to the session. */
const char *seam_socket(const seam_session *s);

/*
 * Any line of the command language.  *reply (may be NULL) is the reply
 * without its final newline, to be freed by the caller.
 */
enum seam_code seam_command(seam_session *s, const char *line, char **reply);

/*
 * What everybody does now, for a failing test's message: threads, what each
 * waits for, held by whom, at which line.  To be freed by the caller.
 */
char *seam_describe(seam_session *s);

/* Targets */

struct seam_program {
	char *const *argv; /* argv[0] is looked up in PATH */
	char *const *env;  /* "K=V" added to the caller's, NULL-terminated */
	const char *dir;   /* NULL: the session's */
	const char *input; /* standard input; NULL: seam_send does it */
	bool inherit;	   /* the caller's own streams; else captured */
};

/*
 * Starts a target and returns when it is under control, before its main.
 * `alias` names it (and its main thread) from now on.
 * SEAM_E_UNSUPPORTED: not a program that can be preloaded, says why.
 */
enum seam_code seam_start(seam_session *s, const char *alias,
			  const struct seam_program *program);
/* The same with arguments only, ended by NULL. */
enum seam_code seam_startl(seam_session *s, const char *alias,
			   const char *program, ...) __attribute__((sentinel));

/* Writes to its standard input, as it stands; NULL closes it. */
enum seam_code seam_send(seam_session *s, const char *alias, const char *text);

/*
 * All it wrote so far to its standard output and error, in order; to be freed
 * by the caller; *size may be NULL.
 */
enum seam_code seam_output(seam_session *s, const char *alias, char **text,
			   size_t *size);

/*
 * Waits until its output matches an extended regular expression.  *match
 * (may be NULL): the first group, or all that matched; freed by the caller.
 */
enum seam_code seam_wait_output(seam_session *s, const char *alias,
				const char *regex, char **match,
				uint64_t timeout);

enum seam_code seam_kill(seam_session *s, const char *alias, int signal);

/* Waits for its end; *status (may be NULL) as waitpid gives it. */
enum seam_code seam_wait_exit(seam_session *s, const char *alias, int *status,
			      uint64_t timeout);
/* SEAM_E_FAILED unless it ends with exit status `status`. */
enum seam_code seam_expect_exit(seam_session *s, const char *alias, int status,
				uint64_t timeout);

/* Rules.  `id` names the rule; NULL lets the session choose. */

/* Threads whose event matches park there until released. */
enum seam_code seam_pause(seam_session *s, const char *id,
			  const char *selector);

/*
 * Owns an object: waits until it is free, and from then on acquirers block,
 * tries find it busy, timed forms time out.  `object` as in `hold`:
 * "cache_lock", "sem:/jobs", "file:data.db range=0+1 mode=wr".
 * SEAM_E_TIMEOUT: says who owns it and where it was taken.
 */
enum seam_code seam_hold(seam_session *s, const char *id, const char *object,
			 uint64_t timeout);

/* Matching calls return `error` (errno's number), `times` times; 0: always. */
enum seam_code seam_fail(seam_session *s, const char *id, const char *selector,
			 int error, unsigned times);

/*
 * A start gate: threads that match park until n stand there; then seam_wait
 * on it is over, and seam_release lets all go at once.
 */
enum seam_code seam_gate(seam_session *s, const char *id, unsigned n,
			 const char *selector);

/* A rule's parked threads, one thread, or "all"; a hold ends. */
enum seam_code seam_release(seam_session *s, const char *what);
/* Lets a parked thread go to its next event, and waits for it there. */
enum seam_code seam_step(seam_session *s, const char *thread);
/* Disarms a rule, or "all", and lets go who stands there. */
enum seam_code seam_delete(seam_session *s, const char *id);

/* Where a thread stands.  Strings are ends of it, none is NULL. */
struct seam_stop {
	char id[64];	 /* the rule or checkpoint */
	char thread[64]; /* "P1.T0.2" */
	char op[32];	 /* "mutex.lock" */
	char object[128];
	char at[192]; /* "cache_put cache.c:42" */
	int result;   /* when=after: error number the call returned */
};

/* Waits until a thread stands at the rule that was not reported before. */
enum seam_code seam_wait(seam_session *s, const char *id,
			 struct seam_stop *stop, uint64_t timeout);
/* Until the thread is blocked, or stands at a held object; object NULL: any. */
enum seam_code seam_wait_blocked(seam_session *s, const char *thread,
				 const char *object, uint64_t timeout);
/* Until nothing more happens by itself. */
enum seam_code seam_wait_quiescent(seam_session *s, uint64_t timeout);
/* SEAM_OK if a thread stands at the rule now. */
enum seam_code seam_expect_parked(seam_session *s, const char *id);

/* Looking */

struct seam_thread_info {
	char thread[64], name[16];
	char state[16]; /* running, parked, held, blocked, new, ended */
	char op[32], object[128], at[192];
	char created[192]; /* where its creator made it */
};
struct seam_lock_info {
	char object[128], kind[16], proc[64];
	char owner[64]; /* "" if free, as far as watched */
	char at[192];	/* where it was taken */
	unsigned waiters;
	uint64_t acquired, contended;
};
/* *list is an array of *n, to be freed by the caller. */
enum seam_code seam_threads(seam_session *s, struct seam_thread_info **list,
			    size_t *n);
enum seam_code seam_locks(seam_session *s, struct seam_lock_info **list,
			  size_t *n);

/*
 * Events, as they happen: `each` is called from a thread of the session's.
 * Ends with seam_delete(id).
 */
struct seam_seen {
	uint64_t time; /* ns, CLOCK_MONOTONIC */
	uint64_t waited;
	const char *thread, *op, *object, *at;
	int result;
};
enum seam_code seam_log(seam_session *s, const char *id, const char *selector,
			void (*each)(const struct seam_seen *event, void *data),
			void *data);

/* Orders: events happen only in the sequence given. */

typedef struct seam_order seam_order;

/*
 * Checkpoints are ids of pauses, armed before; each may appear several
 * times.  Targets that have a checkpoint in the order do not run before the
 * first `next`.  Ends with seam_order_free (which lets all go).
 */
enum seam_code seam_order_new(seam_session *s, seam_order **order,
			      const char *const *checkpoints, size_t n);
/*
 * Runs to the next checkpoint: the one thread that reached it stands there,
 * all others of the order are parked.  SEAM_E_GONE with an empty stop->id
 * once the order is over.  SEAM_E_FAILED: it cannot come about; the message
 * names the awaited checkpoint and what everybody does instead.
 */
enum seam_code seam_next(seam_order *order, struct seam_stop *stop,
			 uint64_t timeout);
enum seam_code seam_next_to(seam_order *order, const char *checkpoint,
			    struct seam_stop *stop, uint64_t timeout);
/* Runs all to the end; never an error because nothing is left to do. */
enum seam_code seam_finish(seam_order *order, uint64_t timeout);
void seam_order_free(seam_order *order);

/* Holders: anything that enters and leaves, held while a test body runs. */

typedef struct seam_holder seam_holder;

/*
 * Runs enter(data) in a thread of its own and returns when it has returned:
 * 0 means entered.  The thread then waits, and runs leave(data) at
 * seam_holder_end.  An enter that fails, fails at once.
 */
enum seam_code seam_holder_begin(seam_holder **h, const char *name,
				 int (*enter)(void *), void (*leave)(void *),
				 void *data, uint64_t timeout);
/*
 * The same with a command as the holder: it has entered when it wrote a line
 * to its standard output, and leaves when its standard input ends.
 */
enum seam_code seam_holder_command(seam_holder **h, char *const *argv,
				   uint64_t timeout);
/*
 * Leaves and joins.  SEAM_E_TIMEOUT names the holder: "NAME has not ended
 * after 1 second".  timeout: SEAM_DEFAULT is 1000 here, 0 waits for ever.
 * Frees the holder in any case.
 */
enum seam_code seam_holder_end(seam_holder *h, uint64_t timeout);
/*
 * Ends all of this process's, each within a second, as exit() does by itself;
 * for what is about to call _exit.
 */
void seam_holders_end(void);

/* Concurrent calls */

struct seam_call_spec {
	char *const *argv;
	char *const *env;
	const char *dir;
	const char *input;
};
struct seam_call_options {
	const char *at;	   /* selector of the start gate; NULL: main */
	uint64_t timeout;  /* per call; 0: 30000 */
	size_t output_max; /* bytes kept of each stream; 0: 1 MiB */
	const char *preload;
};
struct seam_outcome {
	int status;	  /* as waitpid gives it */
	bool timed_out;	  /* killed for that */
	bool started;	  /* reached the gate */
	bool truncated;	  /* wrote more than is kept */
	uint64_t elapsed; /* µs from the gate to its end */
	char *out, *err;  /* NUL-terminated */
	size_t out_size, err_size;
};
/*
 * Runs n fresh processes lined up at a start gate and let go together;
 * outcomes in the order of the calls, in outcomes[n], to be freed by
 * seam_outcomes_free.  A call that dies, hangs or floods is a result, not an
 * error.
 */
enum seam_code seam_calls(const struct seam_call_spec *calls, size_t n,
			  const struct seam_call_options *options,
			  struct seam_outcome *outcomes);
/* n times the same. */
enum seam_code seam_call(const struct seam_call_spec *call, size_t n,
			 const struct seam_call_options *options,
			 struct seam_outcome *outcomes);
void seam_outcomes_free(struct seam_outcome *outcomes, size_t n);

/* Threads of a test */

/* From now on; earlier threads never count, even when they end meanwhile. */
uint64_t seam_mark(seam_session *s);
/* Threads started since the mark that still live. */
enum seam_code seam_left_behind(seam_session *s, uint64_t mark,
				struct seam_thread_info **list, size_t *n);
/*
 * Waits for them, up to `timeout` for each; SEAM_E_TIMEOUT names those that
 * are alive and where they were created.
 */
enum seam_code seam_join(seam_session *s, uint64_t mark, uint64_t timeout);
/*
 * Targets that crashed, aborted or called _exit with threads alive, since the
 * session began: SEAM_E_FAILED with thread, what it held, where it was.
 */
enum seam_code seam_crashes(seam_session *s);
/* A crash of this target is expected and not reported. */
enum seam_code seam_expect_crash(seam_session *s, const char *alias);

/* Exploring: as `seam explore` does, see seam-explore(1). */

/* The exit status is to be that of an undisturbed run. */
#define SEAM_STATUS_PLAIN (-1)

/* All may be zero. */
struct seam_explore_options {
	const char *test;     /* its name, for the replay file; NULL: the
				 program's */
	char *const *env;     /* "K=V" added to the caller's, NULL-terminated */
	const char *dir;      /* where it runs; NULL: where the caller does */
	const char *preload;  /* libseam.so; NULL: as for seam_open */
	const char *strategy; /* NULL: "auto" */
	const char *setup, *reset, *check; /* sh -c: once, before each run,
					      after each run */
	const char *replay; /* the replay file; NULL: ./seam-TEST.replay */
	uint64_t runs;	    /* at most; 0: 1000; or SEAM_NO_LIMIT */
	uint64_t budget;    /* of real time for all, ms; 0: no limit */
	uint64_t timeout;   /* the same for one run; 0: 10000 */
	uint64_t seed;	    /* 0: 1 */
	unsigned jobs;	    /* runs at a time, each on a core; 0: 1 */
	unsigned depth;	    /* of pct */
	unsigned bound;	    /* of preempt and delay */
	unsigned steps;	    /* a run is cut off there; 0: 100000 */
	int status;	    /* the exit status that is right */
	bool scratch;	    /* runs take place in the scratch directory */
	bool left_behind;   /* threads alive at exit are a failure */
	bool allow_misuse;  /* misuse of locks is none */
	bool marked;	    /* choices at seam_points only */
	bool no_minimise;   /* what was found is told of as it is */
	size_t message_max; /* bytes of `message`; 0: 4000 */
};

/* After SEAM_OK and SEAM_E_FAILED no string is NULL. */
struct seam_explored {
	bool found;	 /* a run failed */
	bool replayed;	 /* the one of SEAM_REPLAY, and nothing else, was run */
	bool skipped;	 /* SEAM_REPLAY is about another: nothing was run */
	bool exhaustive; /* all classes there are were run */
	uint64_t schedules, classes;
	double chance_of_new; /* that a further schedule were of a new class */
	double seconds;
	char *fault;	   /* "deadlock", as replay files have it; "" */
	char *message;	   /* what happened, the table, how to run it again */
	char *table;	   /* the run, a column a thread; as it was found, or
			      minimised */
	char *output;	   /* what it wrote */
	char *replay;	   /* the replay file's path; "" */
	char *blind_spots; /* what could not be controlled, a line each */
};

/*
 * Runs a command one thread at a time in many orders, until one fails, the
 * budget is spent, or there are no more.  argv[0] is looked up in PATH;
 * /proc/self/exe is the calling program.
 * options NULL: all defaults.  *result (may be NULL) is to be freed by
 * seam_explored_free in any case.
 *
 * SEAM_OK: no failure.  SEAM_E_FAILED: one was found, and seam_message is
 * result->message.  SEAM_E_SYNTAX: no such strategy, or SEAM_REPLAY's file is
 * malformed.  SEAM_E_GONE: stopped by SIGINT, SIGTERM or SIGHUP, which are
 * held back while it runs and raised before it returns.  SEAM_E_UNSUPPORTED:
 * could not start or control it; or a replay went another way.
 *
 * With SEAM_REPLAY=FILE in the environment, the call whose test, command and
 * additions to the environment are those of that file runs its schedule,
 * once; all others run nothing and are SEAM_OK, `skipped`.
 */
enum seam_code seam_explore(char *const *argv,
			    const struct seam_explore_options *options,
			    struct seam_explored *result);
void seam_explored_free(struct seam_explored *result);
/*
 * With SEAM_REPLAY: how many calls of seam_explore it was of, in this process
 * and in those that it forked; *others (may be NULL): and of how many not.
 * None of either: its tests were not run, or the file could not be read.
 */
unsigned seam_replayed(unsigned *others);

#ifdef __cplusplus
}
#endif

#endif
