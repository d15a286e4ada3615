/* SPDX-License-Identifier: MIT */
/* One of several concurrent calls: a process, from its start to its end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call_int.h"
#include "inner.h"
#include "spawn_env.h"

#define GRACE_NS UINT64_C(1000000000) /* from SIGTERM to SIGKILL */

enum { IN, OUT, ERR, STREAMS };

struct starting {
	struct seam_session *s;
	const struct seam_call_spec *call;
	struct seam_env env;
	int fd[STREAMS];   /* the process's */
	int ours[STREAMS]; /* of OUT and ERR */
};

static int
open_input(const char *text)
{
	size_t n = text ? strlen(text) : 0;
	int fd;

	if (!text)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	fd = memfd_create("seam-input", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	for (size_t i = 0; i < n;) {
		ssize_t done = write(fd, text + i, n - i);

		if (done <= 0)
			break;
		i += (size_t)done;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static bool
open_output(struct starting *st, int which)
{
	int end[2];

	if (pipe2(end, O_CLOEXEC))
		return false;
	st->ours[which] = end[0];
	st->fd[which] = end[1];
	return !fcntl(end[0], F_SETFL, O_NONBLOCK);
}

/* In a group of its own, with the signals of who opened the session. */
static int
spawn(const struct starting *st, pid_t *pid)
{
	const short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
			    POSIX_SPAWN_SETPGROUP;
	posix_spawn_file_actions_t fa;
	sigset_t defaults = st->s->own->defaults;
	posix_spawnattr_t attr;
	int r = 0;

	sigaddset(&defaults, SIGPIPE); /* what drives us may ignore it */
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_setflags(&attr, flags);
	posix_spawnattr_setsigmask(&attr, &st->s->own->mask);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	if (st->call->dir)
		r = posix_spawn_file_actions_addchdir_np(&fa, st->call->dir);
	for (int i = 0; i < STREAMS && !r; i++)
		r = posix_spawn_file_actions_adddup2(&fa, st->fd[i], i);
	if (!r)
		r = posix_spawnp(pid, st->call->argv[0], &fa, &attr,
				 st->call->argv, st->env.v);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return r;
}

static int
start(struct starting *st, pid_t *pid)
{
	if (!seam_env_make(st->s, st->call->env, &st->env))
		return ENOMEM;
	st->fd[IN] = open_input(st->call->input);
	if (st->fd[IN] < 0 || !open_output(st, OUT) || !open_output(st, ERR))
		return errno;
	return spawn(st, pid);
}

/* As a shell has it. */
static void
not_started(struct call_member *m, int error)
{
	const char *name =
	    m->call->argv && m->call->argv[0] ? m->call->argv[0] : "(nothing)";
	char text[512];
	int n = snprintf(text, sizeof(text), "seam: cannot start %s: %s\n",
			 seam_show(name).s, strerror(error));

	if (n > 0)
		call_stream_add(&m->err, text, strlen(text));
	m->status = W_EXITCODE(error == ENOENT ? 127 : 126, 0);
	m->over = true;
	m->ended = seam_now();
}

/* Its pid is ours until we reap it. */
static void
look_at(struct call_member *m)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/exe", m->pid);
	m->cannot_come = seam_exe_unhookable(path) != NULL;
	m->pidfd = pidfd_open(m->pid, 0);
}

void
call_member_start(struct seam_session *s, struct call_member *m)
{
	struct starting st = { .s = s,
			       .call = m->call,
			       .fd = { -1, -1, -1 },
			       .ours = { -1, -1, -1 } };
	int error = EINVAL;

	m->started = seam_now();
	m->pidfd = -1;
	if (m->call->argv && m->call->argv[0])
		error = start(&st, &m->pid);
	m->out.fd = st.ours[OUT];
	m->err.fd = st.ours[ERR];
	for (int i = 0; i < STREAMS; i++)
		if (st.fd[i] >= 0)
			close(st.fd[i]);
	seam_env_free(&st.env);
	if (error)
		not_started(m, error);
	else
		look_at(m);
	if (!error && m->pidfd < 0)
		call_member_reap(m);
}

bool
call_member_has_ended(const struct call_member *m)
{
	struct pollfd p = { .fd = m->pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

void
call_member_reap(struct call_member *m)
{
	m->ended = seam_now();
	/* Before its number can be another's. */
	kill(-m->pid, SIGKILL);
	while (waitpid(m->pid, &m->status, 0) < 0 && errno == EINTR)
		;
	if (m->pidfd >= 0)
		close(m->pidfd);
	m->pidfd = -1;
	m->pid = 0;
	m->over = true;
}

uint64_t
call_member_mind(struct call_member *m, uint64_t now)
{
	if (m->killed)
		return now + GRACE_NS;
	if (now < m->deadline)
		return m->deadline;
	if (!m->timed_out) {
		m->timed_out = true;
		kill(-m->pid, SIGTERM);
		kill(-m->pid, SIGCONT);
		m->deadline = now + GRACE_NS;
		return m->deadline;
	}
	m->killed = true;
	kill(-m->pid, SIGKILL);
	return now + GRACE_NS;
}
