/* SPDX-License-Identifier: MIT */
/*
 * The way to the controller.  Where nobody listens, `seam serve` is started,
 * unless SEAM_JOIN says that a controller of another kind was there.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "env.h"

#ifndef SEAM_BINDIR
#define SEAM_BINDIR "/usr/local/bin"
#endif

#define SERVE_MS 5000
#define LOOK_MS 2
#define SERVERS 3

static int
dial(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd;
	long r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	strcpy(sa.sun_path, path);
	fd = (int)seam_raw3(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	do
		r = seam_raw3(SYS_connect, fd, &sa, sizeof(sa));
	while (r == -EINTR);
	if (r < 0) {
		seam_raw1(SYS_close, fd);
		return (int)r;
	}
	return fd;
}

/* The command that serves: SEAM_COMMAND, or the installed one. */
static const char *
server_command(char *const env[])
{
	const char *command = seam_env_get(env, "SEAM_COMMAND");

	return command ? command : SEAM_BINDIR "/seam";
}

/* Returns only when it fails. */
static long
exec_server(char *const env[], const char *path)
{
	const char *argv[] = {
		server_command(env), "serve", "--once", "-S", path, NULL
	};
	char *clean[256], **out = clean;

	/* The server itself is no target. */
	for (; *env && out < clean + 255; env++)
		if (strncmp(*env, "LD_PRELOAD=", 11) != 0 &&
		    strncmp(*env, "SEAM_SOCKET=", 12) != 0)
			*out++ = *env;
	*out = NULL;
	return seam_raw3(SYS_execve, argv[0], argv, clean);
}

/* Who reads the target's output shall not wait for the server's end. */
static void
leave_streams(bool quiet)
{
	long null = seam_raw3(SYS_open, "/dev/null", O_RDWR, 0);

	seam_raw2(SYS_dup2, null, 0);
	seam_raw2(SYS_dup2, null, 1);
	if (quiet)
		seam_raw2(SYS_dup2, null, 2);
	if (null > 2)
		seam_raw1(SYS_close, null);
}

/* Keeps that one, its number changed, and the streams. */
static int
keep_only(int fd)
{
	fd = (int)seam_raw3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3);
	if (fd > 3)
		seam_raw3(SYS_close_range, 3, fd - 1, 0);
	seam_raw3(SYS_close_range, fd + 1, ~0u, 0);
	return fd;
}

/* What the server's process says before it is the server: first its pid, and
 * then, if it cannot be executed, also why. */
struct started {
	int32_t pid, error;
};

static void
become_server(char *const env[], const char *path, int report, bool quiet)
{
	struct started s = { .pid = (int32_t)seam_raw0(SYS_getpid) };

	report = keep_only(report);
	leave_streams(quiet);
	seam_raw3(SYS_write, report, &s, sizeof(s));
	s.error = (int32_t)-exec_server(env, path);
	seam_raw3(SYS_write, report, &s, sizeof(s));
}

/* The pipe ends with exec. */
static struct started
hear_of_server(int report)
{
	struct started s = { .error = EAGAIN }, heard = { 0 };
	long n;

	while ((n = seam_raw3(SYS_read, report, &heard, sizeof(heard))) ==
		   sizeof(heard) ||
	       n == -EINTR)
		if (n > 0)
			s = heard;
	return s;
}

/* Twice forked: the target gets no child that it does not know of. */
static struct started
start_server(char *const env[], const char *path, bool quiet)
{
	struct started s = { 0 };
	int report[2] = { -1, -1 };
	long pid = seam_raw2(SYS_pipe2, report, O_CLOEXEC);

	if (pid == 0)
		pid = seam_raw0(SYS_fork);
	if (pid == 0) {
		seam_raw0(SYS_setsid);
		if (seam_raw0(SYS_fork) == 0)
			become_server(env, path, report[1], quiet);
		seam_raw1(SYS_exit_group, 0);
	}
	seam_raw1(SYS_close, report[1]);
	while (pid > 0 && seam_raw4(SYS_wait4, pid, NULL, 0, NULL) == -EINTR)
		;
	if (pid > 0)
		s = hear_of_server(report[0]);
	else
		s.error = (int32_t)-pid;
	seam_raw1(SYS_close, report[0]);
	return s;
}

/* Until it listens, or another one does, or it has ended. */
static int
dial_server(const char *path, int32_t pid, bool *ended)
{
	uint64_t until = seam_nanoseconds() + (uint64_t)SERVE_MS * 1000000;
	struct pollfd server = { .events = POLLIN };
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000 };
	struct timespec left;
	int fd;

	*ended = false;
	server.fd = (int)seam_raw2(SYS_pidfd_open, pid, 0);
	while ((fd = dial(path)) < 0 && !*ended && seam_nanoseconds() < until) {
		left = look;
		*ended = server.fd < 0 ||
			 seam_raw5(SYS_ppoll, &server, 1, &left, NULL, 0) == 1;
	}
	if (server.fd >= 0)
		seam_raw1(SYS_close, server.fd);
	return fd;
}

static bool
is_nobody(int fd)
{
	return fd == -ECONNREFUSED || fd == -ENOENT;
}

int
seam_dial(char *const env[], const char *path)
{
	const char *join = seam_env_get(env, "SEAM_JOIN");
	int fd = dial(path);
	struct started s = { 0 };
	bool ended = !join;

	/* One that found another serving has ended; so may have, since, the
	 * other.  What is wrong with a server, the first one says. */
	for (int i = 0; i < SERVERS && ended && !s.error && is_nobody(fd);
	     i++) {
		s = start_server(env, path, i > 0);
		fd = s.error ? dial(path) : dial_server(path, s.pid, &ended);
	}
	if (fd < 0 && s.error)
		seam_say("not controlled: cannot start %s: %s; SEAM_COMMAND "
			 "says which command serves",
			 server_command(env), strerrordesc_np(s.error));
	else if (fd < 0 && s.pid && ended)
		seam_say("not controlled: %s serve -S %s has ended",
			 server_command(env), path);
	else if (fd < 0 && (!join || !is_nobody(fd)))
		seam_say("not controlled: cannot reach %s: %s", path,
			 strerrordesc_np(-fd));
	return fd;
}
