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
