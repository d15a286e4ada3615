/* SPDX-License-Identifier: MIT */
/* Waiting for children, and the ends that do not pass exit(). */
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../raw.h"
#include "hooks.h"

/* c->arg: the kind and number of waitid, and its options. */
static bool
child_ready(const struct seam_call *c)
{
	siginfo_t info = { 0 };
	long r = seam_raw5(SYS_waitid, c->arg[0], c->arg[1], &info,
			   c->arg[2] | WNOHANG | WNOWAIT, NULL);

	return r < 0 || info.si_pid != 0;
}

static void
describe(struct seam_call *c, pid_t pid, int options)
{
	c->arg[0] = pid == -1 ? P_ALL : pid <= 0 ? P_PGID : P_PID;
	c->arg[1] = (uint64_t)(pid < 0 ? -pid : pid);
	if (pid == 0)
		c->arg[1] = (uint64_t)getpgrp();
	c->arg[2] = (uint64_t)(WEXITED | (options & (WSTOPPED | WCONTINUED)));
	c->arg[3] = (uint64_t)options;
	c->cancel = true;
	c->eintr = true;
	if (!(options & WNOHANG))
		c->ready = child_ready;
}

struct waiting {
	pid_t pid;
	int *status;
	struct rusage *usage;
	siginfo_t *info;
};

static const struct waiting *
waiting(const struct seam_call *c)
{
	return (const struct waiting *)(const void *)c->name;
}

static int
real_wait4(struct seam_call *c)
{
	const struct waiting *w = waiting(c);

	c->value = seam_real.wait4(w->pid, w->status, (int)c->arg[3], w->usage);
	return seam_error(c->value);
}

static pid_t
wait_by(struct seam_call *c, const struct waiting *w, int options)
{
	describe(c, w->pid, options);
	c->name = (const char *)(const void *)w;
	c->real = real_wait4;
	int error = seam_gate_call(c);
	return error ? seam_errno(error) : c->value;
}

SEAM_EXPORT pid_t
wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	if (SEAM_PASS(PROCESS_WAIT, NULL)) {
		seam_ready();
		return seam_real.wait4(pid, status, options, usage);
	}
	struct seam_call c = SEAM_CALL(wait4, PROCESS_WAIT, NULL);
	struct waiting w = { pid, status, usage, NULL };
	return wait_by(&c, &w, options);
}

SEAM_EXPORT pid_t
wait3(int *status, int options, struct rusage *usage)
{
	if (SEAM_PASS(PROCESS_WAIT, NULL)) {
		seam_ready();
		return seam_real.wait3(status, options, usage);
	}
	struct seam_call c = SEAM_CALL(wait3, PROCESS_WAIT, NULL);
	struct waiting w = { -1, status, usage, NULL };
	return wait_by(&c, &w, options);
}

SEAM_EXPORT pid_t
waitpid(pid_t pid, int *status, int options)
{
	if (SEAM_PASS(PROCESS_WAIT, NULL)) {
		seam_ready();
		return seam_real.waitpid(pid, status, options);
	}
	struct seam_call c = SEAM_CALL(waitpid, PROCESS_WAIT, NULL);
	struct waiting w = { pid, status, NULL, NULL };
	return wait_by(&c, &w, options);
}

SEAM_EXPORT pid_t
wait(int *status)
{
	if (SEAM_PASS(PROCESS_WAIT, NULL)) {
		seam_ready();
		return seam_real.wait(status);
	}
	struct seam_call c = SEAM_CALL(wait, PROCESS_WAIT, NULL);
	struct waiting w = { -1, status, NULL, NULL };
	return wait_by(&c, &w, 0);
}

static int
real_waitid(struct seam_call *c)
{
	const struct waiting *w = waiting(c);

	return seam_error(seam_real.waitid((idtype_t)c->arg[0], (id_t)c->arg[1],
					   w->info, (int)c->arg[3]));
}

SEAM_EXPORT int
waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	if (SEAM_PASS(PROCESS_WAIT, NULL)) {
		seam_ready();
		return seam_real.waitid(type, id, info, options);
	}
	struct seam_call c = SEAM_CALL(waitid, PROCESS_WAIT, NULL);
	struct waiting w = { 0, NULL, NULL, info };
	c.arg[0] = type;
	c.arg[1] = id;
	c.arg[2] = (uint64_t)options;
	c.arg[3] = (uint64_t)options;
	c.name = (const char *)(const void *)&w;
	c.cancel = true;
	c.eintr = true;
	if (!(options & WNOHANG))
		c.ready = child_ready;
	c.real = real_waitid;
	return seam_errno(seam_gate_call(&c));
}

SEAM_EXPORT void
_exit(int status)
{
	seam_ready();
	seam_process_ending();
	seam_real._exit(status);
	__builtin_unreachable();
}

SEAM_EXPORT void
_Exit(int status)
{
	seam_ready();
	seam_process_ending();
	seam_real._Exit(status);
	__builtin_unreachable();
}
