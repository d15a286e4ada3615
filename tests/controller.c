/* SPDX-License-Identifier: MIT */
#include "controller.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scratch.h"

uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

bool
came_true(bool (*is_true)(void *), void *data)
{
	uint64_t until = now_ms() + CONTROLLER_PATIENCE_MS;

	while (!is_true(data)) {
		if (now_ms() > until)
			return false;
		sched_yield();
	}
	return true;
}

bool
process_is_gone(void *pid)
{
	return kill(*(pid_t *)pid, 0) && errno == ESRCH;
}

bool
path_is_gone(void *path)
{
	struct stat st;

	return lstat(path, &st) && errno == ENOENT;
}

const char *
needed_env(const char *name)
{
	const char *value = getenv(name);

	ck_assert_msg(value && *value, "%s is not set", name);
	return value;
}

/* Controllers. */

pid_t
controller_spawn(const struct controller *c, const char *path)
{
	const char *command = needed_env("SEAM_COMMAND");
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = open("/dev/null", O_RDONLY);
	if (chdir(c->dir) || dup2(fd, 0) < 0)
		_exit(126);
	fd = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	execl(command, command, "serve", "-S", path, (char *)NULL);
	_exit(127);
}

static int
dial(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_uint_lt(strlen(path), sizeof(sa.sun_path));
	strcpy(sa.sun_path, path);
	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return fd;
	close(fd);
	return -1;
}

bool
path_answers(void *path)
{
	int fd = dial(path);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Listening is not yet serving. */
static bool
path_serves(void *path)
{
	struct client c = { .fd = dial(path) };
	bool serves = c.fd >= 0 &&
		      send(c.fd, "procs\n", 6, MSG_NOSIGNAL) == 6 &&
		      client_hear(&c) && !strncmp(c.last, "ok", 2);

	if (c.fd >= 0)
		client_close(&c);
	return serves;
}

void
controller_start(struct controller *c)
{
	scratch_make(c->dir, sizeof(c->dir));
	snprintf(c->path, sizeof(c->path), "%s/s", c->dir);
	c->pid = controller_spawn(c, c->path);
	ck_assert_int_gt(c->pid, 0);
	ck_assert_msg(came_true(path_serves, c->path), "nobody serves %s:\n%s",
		      c->path, controller_log(c));
}

int
controller_end(struct controller *c)
{
	int status = 0;

	if (c->pid <= 0)
		return 0;
	/* In this order: the leak checker stops those that exit, and would
	 * wait for ever if they were continued then. */
	kill(c->pid, SIGCONT);
	kill(c->pid, SIGTERM);
	ck_assert_int_eq(waitpid(c->pid, &status, 0), c->pid);
	c->pid = 0;
	return status;
}

void
controller_remove(struct controller *c)
{
	scratch_remove(c->dir);
}

char *
controller_log(const struct controller *c)
{
	char path[96], *text = calloc(1, 65536);
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", c->dir);
	f = fopen(path, "re");
	if (f && fread(text, 1, 65535, f) == 0)
		strcpy(text, "(it said nothing)\n");
	if (f)
		fclose(f);
	return text;
}

int controllers_failed;

void
controller_finish(struct controller *c)
{
	int status = controller_end(c);
	char *log = controller_log(c);

	if (status) {
		controllers_failed++;
		fprintf(stderr, "the controller ended with wait status %x\n%s",
			(unsigned)status, log);
	}
	free(log);
	controller_remove(c);
}

static bool
is_child_named(pid_t pid, pid_t parent, const char *name)
{
	char path[40], line[512], *end;
	bool is = false;
	int ppid;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	/* PID (NAME) STATE PPID */
	if (fgets(line, sizeof(line), f) && (end = strrchr(line, ')'))) {
		*end = '\0';
		is = sscanf(end + 1, " %*c %d", &ppid) == 1 && ppid == parent &&
		     !strcmp(strchr(line, '(') + 1, name);
	}
	fclose(f);
	return is;
}

pid_t
child_named(pid_t parent, const char *name)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (!found && (entry = readdir(proc))) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0 && is_child_named(pid, parent, name))
			found = pid;
	}
	closedir(proc);
	return found;
}

struct warden {
	pid_t of, pid;
};

static bool
has_warden(void *data)
{
	struct warden *w = data;

	w->pid = child_named(w->of, "seam-warden");
	return w->pid != 0;
}

pid_t
controller_warden(const struct controller *c)
{
	struct warden w = { .of = c->pid };

	ck_assert_msg(came_true(has_warden, &w), "there is no warden");
	return w.pid;
}

/* Targets that join by themselves. */

static void
become_joiner(const struct controller *c, char *words)
{
	char *argv[32], *rest, path[512];
	int argc = 0;

	for (char *word = strtok_r(words, " ", &rest); word && argc < 31;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	snprintf(path, sizeof(path), "%s/%s", needed_env("SEAM_TEST_PROGRAMS"),
		 argv[0]);
	setenv("LD_PRELOAD", needed_env("SEAM_PRELOAD"), 1);
	setenv("SEAM_SOCKET", c->path, 1);
	if (!chdir(c->dir))
		execv(path, argv);
	_exit(127);
}

void
joiner_start(struct joiner *j, const struct controller *c, const char *words)
{
	char *copy = strdup(words);
	int in[2], out[2];

	*j = (struct joiner){ .n = 0 };
	ck_assert_int_eq(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	j->pid = fork();
	if (j->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		become_joiner(c, copy);
	}
	free(copy);
	close(in[0]);
	close(out[1]);
	j->in = in[1];
	j->out = out[0];
}

void
joiner_send(struct joiner *j, const char *line)
{
	ck_assert_int_eq(dprintf(j->in, "%s\n", line), (int)strlen(line) + 1);
}

/* More of what it says; false at the end. */
static bool
hear_more(struct joiner *j)
{
	struct pollfd p = { .fd = j->out, .events = POLLIN };
	ssize_t got;

	ck_assert_msg(poll(&p, 1, CONTROLLER_PATIENCE_MS) == 1,
		      "target %d says nothing more after '%s'", (int)j->pid,
		      j->said);
	got = read(j->out, j->said + j->n, sizeof(j->said) - 1 - j->n);
	if (got > 0)
		j->n += (size_t)got;
	j->said[j->n] = '\0';
	return got > 0;
}

void
joiner_wait(struct joiner *j, const char *text)
{
	while (!strstr(j->said, text))
		ck_assert_msg(hear_more(j), "target %d ended after '%s'",
			      (int)j->pid, j->said);
}

int
joiner_end(struct joiner *j)
{
	int status;

	while (hear_more(j))
		;
	ck_assert_int_eq(waitpid(j->pid, &status, 0), j->pid);
	close(j->in);
	close(j->out);
	return status;
}

/* Clients. */

bool
client_try(struct client *c, const char *path)
{
	*c = (struct client){ .fd = dial(path) };
	return c->fd >= 0;
}

void
client_open(struct client *c, const char *path)
{
	ck_assert_msg(client_try(c, path), "%s: %s", path, strerror(errno));
}

void
client_close(struct client *c)
{
	close(c->fd);
	free(c->in);
	free(c->body);
	free(c->last);
	*c = (struct client){ .fd = -1 };
}

void
client_send(struct client *c, const char *bytes, size_t n)
{
	while (n) {
		ssize_t done = send(c->fd, bytes, n, MSG_NOSIGNAL);

		ck_assert_msg(done > 0, "send: %s", strerror(errno));
		bytes += done;
		n -= (size_t)done;
	}
}

/* More bytes; false at the end. */
static bool
fill(struct client *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	ssize_t got;
	int ready = poll(&p, 1, CONTROLLER_PATIENCE_MS);

	ck_assert_msg(ready == 1, "no reply within %d ms; so far '%.*s'",
		      CONTROLLER_PATIENCE_MS, (int)c->n, c->in ? c->in : "");
	if (c->size - c->n < 65536) {
		c->size += 131072;
		c->in = realloc(c->in, c->size);
		ck_assert_ptr_nonnull(c->in);
	}
	got = read(c->fd, c->in + c->n, c->size - c->n);
	if (got <= 0)
		return false;
	c->n += (size_t)got;
	return true;
}

/* Takes one line into c->last; false: there is none any more. */
static bool
take_line(struct client *c)
{
	char *end;
	size_t n;

	while (!c->n || !(end = memchr(c->in, '\n', c->n)))
		if (!fill(c))
			return false;
	n = (size_t)(end - c->in);
	free(c->last);
	c->last = strndup(c->in, n);
	c->n -= n + 1;
	memmove(c->in, end + 1, c->n);
	return true;
}

static void
add_body(struct client *c, const char *line)
{
	size_t n = strlen(line);

	c->body = realloc(c->body, c->body_len + n + 2);
	memcpy(c->body + c->body_len, line, n);
	memcpy(c->body + c->body_len + n, "\n", 2);
	c->body_len += n + 1;
}

static bool
begins(const char *line, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(line, word, n) && (!line[n] || line[n] == ' ');
}

const char *
client_hear(struct client *c)
{
	c->body_len = 0;
	free(c->body);
	c->body = strdup("");
	while (take_line(c)) {
		if (begins(c->last, "ok") || begins(c->last, "err"))
			return c->last;
		if (c->last[0] == '!')
			c->events++;
		else
			add_body(c, c->last + (c->last[0] == ' '));
	}
	return NULL;
}

static char *
formatted(const char *format, va_list ap)
{
	char *line;

	ck_assert_int_ge(vasprintf(&line, format, ap), 0);
	return line;
}

static const char *
ask_line(struct client *c, const char *line)
{
	client_send(c, line, strlen(line));
	client_send(c, "\n", 1);
	return client_hear(c);
}

const char *
ask(struct client *c, const char *format, ...)
{
	const char *reply;
	char *line;
	va_list ap;

	va_start(ap, format);
	line = formatted(format, ap);
	va_end(ap);
	reply = ask_line(c, line);
	free(line);
	return reply;
}

/* Fails the test, with what the session looks like. */
static void
complain(struct client *c, const char *line, const char *wanted)
{
	char *reply = strdup(c->last ? c->last : "(nothing)");
	const char *state = ask_line(c, "state") ? c->body : "(it is gone)";

	/* Check takes messages of a few kilobytes only. */
	ck_abort_msg("'%.400s' answered '%.400s', not %s\n%.2500s", line, reply,
		     wanted, state);
}

const char *
ask_ok(struct client *c, const char *format, ...)
{
	const char *reply;
	char *line;
	va_list ap;

	va_start(ap, format);
	line = formatted(format, ap);
	va_end(ap);
	reply = ask_line(c, line);
	if (!reply || !begins(reply, "ok"))
		complain(c, line, "ok");
	free(line);
	return reply;
}

bool
reply_has_code(const char *reply, const char *codes)
{
	size_t len, n;

	if (!reply || !begins(reply, "err"))
		return false;
	reply += strlen("err ");
	len = strcspn(reply, " ");
	for (;; codes += n + 1) {
		n = strcspn(codes, "|");
		if (n == len && !strncmp(codes, reply, n))
			return true;
		if (!codes[n])
			return false;
	}
}

const char *
ask_err(struct client *c, const char *code, const char *format, ...)
{
	const char *reply;
	char *line;
	va_list ap;

	va_start(ap, format);
	line = formatted(format, ap);
	va_end(ap);
	reply = ask_line(c, line);
	if (!reply_has_code(reply, code))
		complain(c, line, code);
	free(line);
	return reply;
}

const char *
ask_output(struct client *c, const char *proc)
{
	size_t bytes;

	ask_ok(c, "output %s", proc);
	bytes = (size_t)atol(reply_field(c, "bytes"));
	ck_assert_uint_le(bytes, c->body_len);
	c->body[bytes] = '\0';
	return c->body;
}

const char *
reply_field(struct client *c, const char *key)
{
	static char value[4096];
	size_t len = strlen(key), n = 0;
	const char *at = c->last ? c->last : "";
	bool quoted;

	value[0] = '\0';
	do {
		at = strstr(at, key);
		if (!at)
			return value;
		at += len;
	} while (*at != '=' || at[-(ptrdiff_t)len - 1] != ' ');
	quoted = *++at == '"';
	for (at += quoted; *at && n < sizeof(value) - 1; at++) {
		if (quoted ? *at == '"' : *at == ' ')
			break;
		if (quoted && *at == '\\' && at[1])
			at++;
		value[n++] = *at;
	}
	value[n] = '\0';
	return value;
}
