/* SPDX-License-Identifier: MIT */
#include "holding.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"

/* By a command. */

static int
begin_command(struct cli_holding *h)
{
	char *argv[] = { "/bin/sh", "-c", (char *)(uintptr_t)h->command, NULL };
	uint64_t timeout = h->has_timeout ? h->timeout : SEAM_DEFAULT;

	if (!seam_holder_command(&h->holder, argv, timeout))
		return 0;
	cli_warn("%s", seam_message());
	return SEAM_EXIT_CONTROL;
}

/* As a line of the command language. */

static void
put_word(FILE *f, const char *text)
{
	size_t key = strcspn(text, "=");
	const char *value = text[key] ? text + key + 1 : text;

	if (text[key])
		fprintf(f, " %.*s=", (int)key, text);
	else
		fputc(' ', f);
	fputc('"', f);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', f);
		fputc(*value, f);
	}
	fputc('"', f);
}

/* The object first: a name with a '=' in it is none of the keys. */
static char *
hold_line(const struct cli_holding *h)
{
	char *line = NULL;
	size_t size;
	FILE *f = open_memstream(&line, &size);

	if (!f)
		return NULL;
	fputs("hold", f);
	for (size_t i = 0; i < h->words; i++)
		put_word(f, h->word[i]);
	fprintf(f, " timeout=%llu", (unsigned long long)h->timeout);
	return fclose(f) ? NULL : line;
}

/* In a session of our own: files and named semaphores, which are taken for
 * real. */

static bool
is_real(const struct seam_job *job, const char *word)
{
	const struct seam_object_name *o = &job->args.obj;
	char path[300];
	struct stat st;

	if (!o->is_file && !o->is_sem) {
		cli_warn("%s is known within a session only: say -S SOCK",
			 seam_show(word).s);
		return false;
	}
	if (o->is_file)
		return true;
	snprintf(path, sizeof(path), "/dev/shm/sem.%s",
		 o->name + (o->name[0] == '/'));
	if (!stat(path, &st))
		return true;
	cli_warn("there is no semaphore '%s'", seam_show(o->name).s);
	return false;
}

static int
hold_alone(struct cli_holding *h, const char *line)
{
	struct seam_options how = { .socket = NULL };
	struct seam_context ctx = { 0 };
	struct seam_reply reply;
	struct seam_error err;
	struct seam_job job;
	enum seam_code code;
	int status = SEAM_EXIT_CONTROL;

	seam_reply_init(&reply);
	code = seam_job_parse(line, NULL, &job, &err);
	if (code) {
		cli_warn("%s", err.text);
		status = SEAM_EXIT_USAGE;
	} else if (is_real(&job, h->word[0]) && (h->session = cli_open(&how))) {
		ctx.session = h->session;
		code = seam_job_run(&job, &ctx, &reply, &err);
		status = code ? SEAM_EXIT_CONTROL : SEAM_EXIT_OK;
		if (code)
			cli_warn("%s", err.text);
		seam_context_end(&ctx);
	}
	seam_job_free(&job);
	seam_reply_free(&reply);
	return status;
}

/* In another's session. */

static int
dial(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = -1;

	errno = ENAMETOOLONG;
	if (strlen(path) < sizeof(addr.sun_path)) {
		memcpy(addr.sun_path, path, strlen(path));
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	}
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	cli_warn("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Sends a line; its reply, without the newline, malloc'd. */
static char *
ask(int fd, const char *line)
{
	char *reply = NULL;
	size_t size = 0;
	FILE *f = fdopen(dup(fd), "r+e");

	if (!f)
		return NULL;
	fprintf(f, "%s\n", line);
	fflush(f);
	do {
		if (getline(&reply, &size, f) < 0) {
			free(reply);
			reply = NULL;
		}
	} while (reply && strncmp(reply, "ok", 2) && strncmp(reply, "err", 3));
	fclose(f);
	if (reply)
		reply[strcspn(reply, "\n")] = '\0';
	return reply;
}

static int
hold_there(struct cli_holding *h, const char *line)
{
	char *reply, *id;
	int status = SEAM_EXIT_CONTROL;

	h->fd = dial(h->socket);
	if (h->fd < 0)
		return status;
	reply = ask(h->fd, line);
	id = reply && !strncmp(reply, "ok", 2) ? strstr(reply, " id=") : NULL;
	if (id) {
		h->id = strndup(id + 4, strcspn(id + 4, " "));
		status = SEAM_EXIT_OK;
	} else {
		cli_warn("%s", reply ? reply : "the session is gone");
	}
	free(reply);
	return status;
}

static bool
leave_there(struct cli_holding *h)
{
	char *line = NULL, *reply = NULL;
	bool ok;

	if (h->id && asprintf(&line, "release %s", h->id) > 0)
		reply = ask(h->fd, line);
	ok = !h->id || (reply && !strncmp(reply, "ok", 2));
	if (!ok)
		cli_warn("%s was not held to the end: %s", h->word[0],
			 reply ? reply : "the session is gone");
	free(line);
	free(reply);
	close(h->fd);
	return ok;
}

int
cli_holding_begin(struct cli_holding *h)
{
	char *line;
	int status;

	if (h->command)
		return begin_command(h);
	line = hold_line(h);
	if (!line)
		return SEAM_EXIT_CONTROL;
	status = h->socket ? hold_there(h, line) : hold_alone(h, line);
	free(line);
	return status;
}

bool
cli_holding_end(struct cli_holding *h)
{
	uint64_t timeout = h->has_timeout ? h->timeout : SEAM_DEFAULT;
	bool ok = true;

	if (h->holder && seam_holder_end(h->holder, timeout)) {
		cli_warn("%s", seam_message());
		ok = false;
	}
	if (h->session)
		seam_session_close(h->session, false);
	if (h->fd >= 0)
		ok = leave_there(h);
	free(h->id);
	return ok;
}
