/* SPDX-License-Identifier: MIT */
/*
 * Children of targets that have not joined yet: forked and not yet awake, or
 * on their way to a new program's main.  Nothing in the arena tells of them.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "inner.h"
#include "rules_int.h"
#include "symbols.h"

/* Who has not joined by then will not. */
#define YOUNG_NS UINT64_C(3000000000)

/* Time since its start; UINT64_MAX: it has ended. */
static uint64_t
age(pid_t pid)
{
	unsigned long long ticks;
	char text[512];
	const char *state = seam_proc_stat(pid, text, sizeof(text));
	struct timespec ts;
	uint64_t now, born;

	if (!state || *state == 'Z' || *state == 'X' ||
	    sscanf(state + 1,
		   " %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d"
		   " %*d %*d %*d %*d %llu",
		   &ticks) != 1)
		return UINT64_MAX;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	born = ticks * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
	return now > born ? now - born : 0;
}

static bool
is_new(struct seam_session *s, pid_t pid)
{
	char path[40];

	if (seam_process_of_pid(s, pid) || age(pid) > YOUNG_NS)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return !seam_exe_unhookable(path);
}

struct parent {
	struct seam_session *s;
	pid_t pid;
};

/* 1: one of the children of that thread is. */
static int
look_at(pid_t tid, void *data)
{
	const struct parent *p = data;
	char path[64];
	int child, any = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", p->pid, tid);
	f = fopen(path, "re");
	while (f && !any && fscanf(f, "%d", &child) == 1)
		any = is_new(p->s, child);
	if (f)
		fclose(f);
	return any;
}

bool
seam_any_newcomer(struct seam_session *s)
{
	struct parent parent = { .s = s };
	bool any = false;

	for (unsigned i = 0; i < s->processes && !any; i++) {
		const struct seam_process *p = &s->process[i];

		parent.pid = p->pid;
		if (seam_process_live(p))
			any = seam_tasks(p->pid, look_at, &parent);
	}
	return any;
}
