/* SPDX-License-Identifier: MIT */
/*
 * Programs outside of the session: --setup, --reset, --check, and the
 * undisturbed run that others are compared with.
 */
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

#include "explore/runner.h"

#define SAID_MAX 65536

extern char **environ;

/* The environment with what is added; NULL: no memory.  Strings of ours are
 * `added` and `own` alone. */
static char **
make_env(char *const *added, char *own)
{
	size_t n = 0, m = 0, k = 0;
	char **v;

	while (environ && environ[n])
		n++;
	while (added && added[m])
		m++;
	v = calloc(n + m + 2, sizeof(*v));
	if (!v)
		return NULL;
	/* The first of two is what getenv() finds. */
	if (own)
		v[k++] = own;
	for (size_t i = 0; i < m; i++)
		v[k++] = added[i];
	for (size_t i = 0; i < n; i++)
		v[k++] = environ[i];
	return v;
}

static int
spawn(const struct shell_how *how, char **env, int out, pid_t *pid)
{
	const short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
			    POSIX_SPAWN_SETSIGDEF;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, pipes;
	int r;

	sigemptyset(&none);
	sigemptyset(&pipes);
	sigaddset(&pipes, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_setflags(&attr, flags);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &pipes);
	r = how->dir ? posix_spawn_file_actions_addchdir_np(&fa, how->dir) : 0;
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&fa, 0, "/dev/null",
						     O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&fa, out, 1);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&fa, out, 2);
	if (r == 0)
		r = posix_spawnp(pid, how->argv[0], &fa, &attr, how->argv, env);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return r;
}

/* Its status; all of its group is gone then. */
static int
await(pid_t pid, uint64_t timeout_ms)
{
	int status = -1, fd = pidfd_open(pid, 0), n = 1;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd >= 0) {
		do
			n = poll(&p, 1, timeout_ms ? (int)timeout_ms : -1);
		while (n < 0 && errno == EINTR);
		close(fd);
	}
	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n)
		return status;
	errno = ETIME;
	return -1;
}

static char *
read_back(int fd)
{
	char *text = malloc(SAID_MAX + 1);
	ssize_t n = text ? pread(fd, text, SAID_MAX, 0) : -1;

	if (text)
		text[n > 0 ? n : 0] = '\0';
	return text;
}

int
shell_run(const struct shell_how *how, char **said)
{
	int out = memfd_create("seam-said", MFD_CLOEXEC), status = -1, r;
	char *own = NULL, **env = NULL;
	pid_t pid;

	if (said)
		*said = NULL;
	if (how->scratch && asprintf(&own, "SEAM_SCRATCH=%s", how->scratch) < 0)
		own = NULL;
	env = make_env(how->env, own);
	r = out < 0 || !env ? ENOMEM : spawn(how, env, out, &pid);
	if (r == 0) {
		status = await(pid, how->timeout_ms);
		r = errno;
		if (said && status)
			*said = read_back(out);
	}
	if (out >= 0)
		close(out);
	free(env);
	free(own);
	errno = r;
	return status;
}

int
shell_command(const char *command, const char *scratch, uint64_t timeout_ms,
	      char **said)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)command, NULL };
	const struct shell_how how = { .argv = argv,
				       .dir = scratch,
				       .scratch = scratch,
				       .timeout_ms = timeout_ms };

	return shell_run(&how, said);
}
