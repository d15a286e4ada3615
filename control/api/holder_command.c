/* SPDX-License-Identifier: MIT */
/*
 * A command as the holder: it has entered when it wrote a line to its
 * standard output, and leaves when its standard input ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api.h"
#include "holder_int.h"

extern char **environ;

struct command {
	struct seam_holder base;
	pid_t pid;
	int pidfd, in, out; /* in: its standard input */
};

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
free_command(struct command *c)
{
	shut(&c->in);
	shut(&c->out);
	shut(&c->pidfd);
	free(c->base.name);
	free(c);
}

/* Ends it the hard way, unless it has ended, and what it left in its group;
 * its wait status. */
static int
reap(struct command *c)
{
	int status = 0;

	kill(-c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static const char *
describe(int status, char buf[static 64])
{
	if (WIFSIGNALED(status))
		snprintf(buf, 64, "was killed by SIG%s",
			 seam_signal_name(WTERMSIG(status)).s);
	else
		snprintf(buf, 64, "ended with status %d", WEXITSTATUS(status));
	return buf;
}

static int
spawn(struct command *c, char *const *argv, int in, int out)
{
	const short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
			    POSIX_SPAWN_SETPGROUP;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t set;
	int r;

	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_setflags(&attr, flags);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attr, &set);
	sigaddset(&set, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &set);
	r = posix_spawn_file_actions_adddup2(&fa, in, 0);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&fa, out, 1);
	if (!r)
		r = posix_spawnp(&c->pid, argv[0], &fa, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return r;
}

static int
start(struct command *c, char *const *argv)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, r = 0;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		r = errno;
	if (!r)
		r = spawn(c, argv, in[0], out[1]);
	shut(&in[0]);
	shut(&out[1]);
	c->in = in[1];
	c->out = out[0];
	if (r)
		return r;
	c->pidfd = pidfd_open(c->pid, 0);
	if (c->pidfd >= 0)
		return 0;
	r = errno;
	reap(c);
	return r;
}

/* 1: something came, 0: the time is over, -1: it has closed its output.
 * What it wrote is of no interest but for a line's end. */
static int
hear(struct command *c, uint64_t until, bool *line)
{
	struct pollfd p = { .fd = c->out, .events = POLLIN };
	uint64_t now = now_ms();
	char buf[4096];
	ssize_t n;

	if (now >= until && until)
		return 0;
	n = poll(&p, 1, until ? (int)(until - now) : -1);
	if (n <= 0)
		return 1; /* the time tells */
	n = read(c->out, buf, sizeof(buf));
	if (n <= 0)
		return n < 0 && errno == EINTR ? 1 : -1;
	*line |= memchr(buf, '\n', (size_t)n) != NULL;
	return 1;
}

static enum seam_code
await_entry(struct command *c, uint64_t timeout)
{
	uint64_t until = timeout ? now_ms() + timeout : 0;
	bool line = false;
	char buf[64];
	int r = 1;

	while (r > 0 && !line)
		r = hear(c, until, &line);
	if (line)
		return SEAM_OK;
	if (!r) {
		reap(c);
		return holder_fail(SEAM_E_TIMEOUT,
				   "%s has not entered after %s", c->base.name,
				   holder_seconds(timeout, buf));
	}
	shut(&c->in);
	poll(&(struct pollfd){ c->pidfd, POLLIN, 0 }, 1, 1000);
	return holder_fail(SEAM_E_FAILED, "%s could not enter: it %s",
			   c->base.name, describe(reap(c), buf));
}

static bool
has_ended(const struct command *c, int ms)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

/* Reads on, so that it is not stuck writing. */
static bool
await_end(struct command *c, uint64_t timeout)
{
	struct pollfd p[2] = { { c->pidfd, POLLIN, 0 }, { c->out, POLLIN, 0 } };
	uint64_t until = timeout ? now_ms() + timeout : 0, now;
	bool line;

	while (!has_ended(c, 0)) {
		now = now_ms();
		if (until && now >= until)
			return false;
		poll(p, 2, until ? (int)(until - now) : -1);
		if (p[1].revents && hear(c, now + 1, &line) < 0)
			p[1].fd = -1;
	}
	return true;
}

/* How it ends is its own affair (`read` fails at the end of its input), if
 * it does not die and was there until now. */
static enum seam_code
end_command(struct seam_holder *h, uint64_t timeout)
{
	struct command *c = (struct command *)h;
	bool early = has_ended(c, 0), ended;
	enum seam_code code = SEAM_OK;
	char buf[64];
	int status;

	shut(&c->in);
	ended = await_end(c, timeout);
	status = reap(c);
	if (!ended)
		code = holder_fail(SEAM_E_TIMEOUT, "%s has not ended after %s",
				   h->name, holder_seconds(timeout, buf));
	else if (early)
		code =
		    holder_fail(SEAM_E_FAILED,
				"%s did not stay: it %s before it was to leave",
				h->name, describe(status, buf));
	else if (WIFSIGNALED(status))
		code = holder_fail(SEAM_E_FAILED, "%s %s", h->name,
				   describe(status, buf));
	free_command(c);
	return code;
}

static char *
name_of(char *const *argv)
{
	bool shell = argv[1] && argv[2] && !strcmp(argv[1], "-c");

	return strdup(argv[shell ? 2 : 0]);
}

enum seam_code
holder_command(struct seam_holder **h, char *const *argv, uint64_t timeout)
{
	struct command *c;
	enum seam_code code;
	int r;

	*h = NULL;
	if (!argv || !argv[0])
		return holder_fail(SEAM_E_SYNTAX, "no command is named");
	c = calloc(1, sizeof(*c));
	if (!c || !(c->base.name = name_of(argv))) {
		free(c);
		return holder_fail(SEAM_E_UNSUPPORTED, "out of memory");
	}
	c->base.end = end_command;
	c->pidfd = c->in = c->out = -1;
	r = start(c, argv);
	if (r)
		code = holder_fail(SEAM_E_UNSUPPORTED, "cannot start %s: %s",
				   argv[0], strerror(r));
	else
		code = await_entry(c, timeout);
	if (code)
		free_command(c);
	else
		*h = &c->base;
	return code;
}
