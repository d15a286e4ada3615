/* SPDX-License-Identifier: MIT */
/*
 * By which signal a process died that is not our child: /proc tells of those
 * that nobody has reaped yet, and a pidfd of the others, since Linux 6.15.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "inner.h"

/* As linux/pidfd.h has it, which is of 6.15 here and there only. */
#define INFO_EXIT (UINT64_C(1) << 3)

struct info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid, id[8];
	int32_t exit_code;
};

#define GET_INFO _IOWR(0xff, 11, struct info)

static bool
of_zombie(pid_t pid, int *status)
{
	char text[1024];
	const char *state = seam_proc_stat(pid, text, sizeof(text)), *last;
	unsigned long code;

	if (!state || *state != 'Z')
		return false;
	last = strrchr(state, ' ');
	if (!last || sscanf(last, " %lu", &code) != 1)
		return false;
	*status = (int)code;
	return true;
}

static bool
of_reaped(int pidfd, int *status)
{
	struct info info = { .mask = INFO_EXIT };

	if (ioctl(pidfd, GET_INFO, &info) || !(info.mask & INFO_EXIT))
		return false;
	*status = info.exit_code;
	return true;
}

int
seam_end_signal(const struct seam_process *p)
{
	int status;

	/* While the pidfd finds it, the number is its own. */
	if (p->pidfd < 0 || ((!of_zombie(p->pid, &status) ||
			      pidfd_send_signal(p->pidfd, 0, NULL, 0)) &&
			     !of_reaped(p->pidfd, &status)))
		return 0;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

bool
seam_is_crash(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGILL ||
	       sig == SIGFPE || sig == SIGABRT || sig == SIGSYS ||
	       sig == SIGTRAP;
}
