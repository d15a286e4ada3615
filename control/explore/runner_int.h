/* SPDX-License-Identifier: MIT */
/* What the runner's files share. */
#ifndef SEAM_EXPLORE_RUNNER_INT_H
#define SEAM_EXPLORE_RUNNER_INT_H

#include <pthread.h>

#include "explore/runner.h"
#include "rules_int.h"

#define RUNNER_NS_PER_MS UINT64_C(1000000)
#define RUNNER_GRACE_MS 5000 /* from SIGKILL to the news of it */

struct runner {
	const struct runner_config *config;
	unsigned number;
	char *scratch, *model; /* model: what --setup left, or NULL */
	char *program;	       /* argv[0], found from anywhere */
	char **argv;
	pthread_mutex_t guard; /* of `session`, against runner_stop */
	struct seam_session *session;
	unsigned main; /* index of the target that was started */
	int wanted;    /* enum seam_server of the next start */
	int serves;    /* enum seam_server that the target has become */
	bool used;     /* that target cannot be run again */
	bool set_up;
	off_t prefix; /* bytes written before the server forked */
	char why_not[256];
	_Atomic bool stop;
};

/* runner.c */
#define RUNNER_ENV 64
struct runner_env { /* additions */
	char own[4200], *v[RUNNER_ENV + 2];
};
/* Points into the runner and its configuration. */
enum seam_code runner_make_env(struct runner *r, struct runner_env *env,
			       struct seam_error *err);
const char *runner_dir(const struct runner *r); /* the target's; NULL: ours */
/* The socket is there; NULL: at a fresh place. */
enum seam_code runner_open_session(struct runner *r, const char *socket,
				   struct seam_error *err);
void runner_close_session(struct runner *r);
void runner_put_plan(struct runner *r, const struct seam_plan *plan,
		     const struct seam_forced *forced);
enum seam_code runner_renew_scratch(struct runner *r, struct seam_error *err);
/* The session's lock is held. */
enum seam_code runner_take_trace(struct runner *r, bool timed_out,
				 struct runner_result *res,
				 struct seam_error *err);

/* runner_end.c; the session's lock is held. */

/* What each thread does, a line each; malloc'd. */
char *runner_describe(struct runner *r);
/* Kills the run's processes, and waits until they are gone; how many there
 * were besides the first.  False: some would not go. */
bool runner_kill(struct runner *r, uint32_t *strays);

static inline struct seam_process *
runner_main(const struct runner *r)
{
	return &r->session->process[r->main];
}

static inline struct seam_sched *
runner_sched(const struct runner *r)
{
	return &r->session->arena->sched;
}

#endif
