/* SPDX-License-Identifier: MIT */
/* The oracles. */
#include "explore/oracle.h"

#include <stdlib.h>
#include <sys/wait.h>

const char *const explore_fault_names[EXPLORE_FAULTS] = {
	[EXPLORE_NO_FAULT] = "none",
	[EXPLORE_DEADLOCK] = "deadlock",
	[EXPLORE_LOST_WAKEUP] = "lost-wakeup",
	[EXPLORE_CRASH] = "crash",
	[EXPLORE_STATUS] = "status",
	[EXPLORE_CHECK] = "check",
	[EXPLORE_LIVELOCK] = "livelock",
	[EXPLORE_MISUSE] = "misuse",
	[EXPLORE_STUCK] = "stuck",
	[EXPLORE_TIMED_OUT] = "timed-out",
	[EXPLORE_LEFT_BEHIND] = "left-behind",
};

int
oracle_shell_status(int status)
{
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

uint32_t
oracle_left_behind(const struct explore_trace *t)
{
	uint32_t n = 0;

	if (t->verdict || t->timed_out || WIFSIGNALED(t->status))
		return 0;
	for (uint32_t i = 0; i < t->nthreads; i++) {
		const struct explore_thread *th = &t->thread[i];

		if ((th->state == SEAM_SLOT_PENDING ||
		     th->state == SEAM_SLOT_OUTSIDE) &&
		    th->pending.verb != SEAM_PROCESS_EXIT)
			n++;
	}
	return n;
}

/* Nothing can go on, and nobody stands in anybody's way: some wait for what
 * will not come. */
static bool
is_lost_wakeup(const struct explore_trace *t)
{
	uint32_t slot[2];
	bool forsaken = false;

	if (oracle_cycle(t, slot, 2))
		return false;
	for (uint32_t i = 0; i < t->nthreads; i++)
		if (oracle_is_forsaken(t, i))
			forsaken = true;
	return forsaken;
}

static enum explore_fault
judge_verdict(const struct explore_trace *t)
{
	switch (t->verdict) {
	case SEAM_VERDICT_DEADLOCK:
		return is_lost_wakeup(t) ? EXPLORE_LOST_WAKEUP :
					   EXPLORE_DEADLOCK;
	case SEAM_VERDICT_LIVELOCK:
		return EXPLORE_LIVELOCK;
	case SEAM_VERDICT_MISUSE:
		return EXPLORE_MISUSE;
	case SEAM_VERDICT_STUCK:
		return EXPLORE_STUCK;
	default:
		return EXPLORE_NO_FAULT;
	}
}

enum explore_fault
oracle_judge(const struct oracle *o, const struct runner_result *r)
{
	const struct explore_trace *t = &r->trace;

	if (t->timed_out)
		return EXPLORE_TIMED_OUT;
	if (t->verdict)
		return judge_verdict(t);
	if (o->compare ? oracle_shell_status(t->status) != o->expected :
			 WIFSIGNALED(t->status))
		return WIFSIGNALED(t->status) ? EXPLORE_CRASH : EXPLORE_STATUS;
	if (t->misuse)
		return EXPLORE_MISUSE;
	if (r->check)
		return EXPLORE_CHECK;
	if (o->left_behind && oracle_left_behind(t))
		return EXPLORE_LEFT_BEHIND;
	return EXPLORE_NO_FAULT;
}
