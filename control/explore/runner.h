/* SPDX-License-Identifier: MIT */
/*
 * A replica: a session of its own in which one program is run again and
 * again, each time under a plan.  It is used by one thread, which gives
 * itself to one core: targets inherit that and the fixed address layout from
 * the thread that starts them.
 */
#ifndef SEAM_EXPLORE_RUNNER_H
#define SEAM_EXPLORE_RUNNER_H

#include "explore/trace.h"
#include "session.h"

/* What is run; the same for all replicas. */
struct runner_config {
	char *const *argv;
	char *const *env;		   /* K=V additions; NULL: none */
	const char *dir;		   /* where; NULL: the caller's */
	bool in_scratch;		   /* or in the scratch directory */
	const char *setup, *reset, *check; /* sh -c; NULL: none */
	uint64_t timeout_ms;		   /* of real time, for a run */
	int server;	      /* enum seam_server, -1: as it comes out */
	const sigset_t *mask; /* the targets' signal mask; NULL: the thread's */
	const char *preload;  /* libseam.so; NULL: as sessions have it */
	const char *kept_free; /* as sessions have it */
};

/* What came of a run. */
struct runner_result {
	struct explore_trace trace;
	int check;	  /* --check's wait status; 0 without one */
	char *why;	  /* timed out: what each thread did; or NULL */
	uint32_t strays;  /* processes that outlived the run */
	uint32_t outside; /* threads that were found waiting outside */
};
void runner_result_clear(struct runner_result *r);

struct runner;
/* Replica `number` (from 0): makes its scratch directory, and pins the
 * calling thread. */
enum seam_code runner_open(const struct runner_config *config, unsigned number,
			   struct runner **out, struct seam_error *err);
void runner_close(struct runner *r);
/* One run.  SEAM_OK: it is over, *res (from an earlier run, or zero) filled
 * in, and the arena has its state until the next.  SEAM_E_GONE after
 * runner_stop. */
enum seam_code runner_run(struct runner *r, const struct seam_plan *plan,
			  const struct seam_forced *forced,
			  struct runner_result *res, struct seam_error *err);
/*
 * Instead: a debugger, which starts the program itself, as often as its user
 * wants; each is a run under that plan.  `launch` starts the debugger: its
 * pid, or -errno.  *res is the last run's, as far as it came; without steps if
 * there was none.  *status: the debugger's, from waitpid.  runner_debug.c.
 */
struct runner_debugged {
	char *const *argv;   /* the program's */
	const char *dir;     /* where; NULL: here */
	char *const *env;    /* whole, the debugger's, too */
	const char *preload; /* for the program: LD_PRELOAD, */
	const char *socket;  /* SEAM_SOCKET; SEAM_JOIN is "must"; and it */
	const char *token;   /* waits until it can rename this file, to */
	const char *taken;   /* this, with `wanted` made, for as long as */
	const char *wanted;  /* there is none */
};
typedef pid_t runner_launch(const struct runner_debugged *d, void *data);
enum seam_code runner_debug(struct runner *r, const struct seam_plan *plan,
			    const struct seam_forced *forced,
			    runner_launch *launch, void *data,
			    struct runner_result *res, int *status,
			    struct seam_error *err);
/* The next run is of a target that is started anew. */
void runner_renew(struct runner *r);
/* From any thread: the run that goes on is killed, no further one starts. */
void runner_stop(struct runner *r);
/* What the run wrote to its standard output and error; malloc'd. */
char *runner_output(struct runner *r, size_t *len);
struct seam_session *runner_session(struct runner *r);
/* enum seam_server that it has become; why not LATE ("" if it did). */
int runner_server(struct runner *r);
void runner_why_not(struct runner *r, char *buf, size_t size);

/*
 * Some process of the session has died while it had the baton: gives it to
 * another, to be chosen from the rest.  True: it did.  The session's lock is
 * held.  runner_elect.c.
 */
bool runner_elect(struct seam_session *s);
/* Likewise from one that sleeps in a call that is not seen.  To be called now
 * and then: it compares with the last time. */
struct runner_look {
	uint32_t holder, steps;
};
void runner_unstick(struct seam_session *s, struct runner_look *look);

/* shell.c: a program outside of the session, in `dir`; output to /dev/null
 * or, if it fails and `said` is given, there (malloc'd).  Its wait status, -1
 * with errno: it could not be started, ETIME: killed after that time. */
struct shell_how {
	char *const *argv;
	const char *dir;     /* NULL: here */
	const char *scratch; /* $SEAM_SCRATCH; NULL: not set */
	char *const *env;    /* K=V additions; NULL: none */
	uint64_t timeout_ms;
};
int shell_run(const struct shell_how *how, char **said);
int shell_command(const char *command, const char *scratch, uint64_t timeout_ms,
		  char **said);

/* scratch.c */
#define SCRATCH_PREFIX "seam-scratch."
char *scratch_new(unsigned number, const char **why); /* malloc'd path */
bool scratch_clear(const char *path); /* empties it; false: errno */
void scratch_free(char *path);	      /* and frees the path */
/* Removes those of controllers that are no more. */
void scratch_sweep(void);

#endif
