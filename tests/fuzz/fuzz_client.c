/* SPDX-License-Identifier: MIT */
/*
 * What a client of the control socket sends, in pieces of the first byte's
 * size: put together to lines as the server does it, carried out if they only
 * look or arm rules, and answered, in JSON if the first line begins with a
 * brace.
 */
#include <sys/socket.h>

#include "command.h"
#include "connection.h"
#include "fuzz.h"
#include "session.h"

static struct seam_session *session;

static bool
is_harmless(const struct seam_job *job)
{
	static const char *const names[] = { "procs", "threads",    "locks",
					     "rules", "pause",	    "gate",
					     "fail",  "delete",	    "release",
					     "mark",  "left-behind" };
	const char *name = job->command ? job->command->name : "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static void
answer(struct seam_client *c, enum seam_code code, struct seam_reply *reply,
       const struct seam_error *err)
{
	char *text = seam_reply_format(reply, code, err, c->json);

	DEMAND(text && *text && text[strlen(text) - 1] == '\n');
	pthread_mutex_lock(&c->lock);
	seam_client_put(c, text, strlen(text));
	pthread_mutex_unlock(&c->lock);
	free(text);
}

static void
carry_out(struct seam_client *c, const char *line)
{
	struct seam_context ctx = { .session = session };
	struct seam_error err = { .code = SEAM_OK };
	struct seam_reply reply;
	enum seam_code code;
	struct seam_job job;

	seam_reply_init(&reply);
	code = seam_job_parse(line, &ctx.vars, &job, &err);
	if (!code && is_harmless(&job))
		code = seam_job_begin(&job, &ctx, &reply, &err);
	if (code != SEAM_PENDING)
		answer(c, code, &reply, &err);
	seam_reply_free(&reply);
	seam_job_free(&job);
	seam_vars_free(&ctx.vars);
}

static void
take_lines(struct seam_client *c)
{
	enum seam_line what;
	size_t len = 0;
	char *line;

	while ((what = seam_client_cut(c, &line, &len)) != SEAM_LINE_NONE) {
		if (what == SEAM_LINE_LONG || memchr(line, '\0', len)) {
			seam_client_refuse(c, SEAM_E_SYNTAX, "no line");
			continue;
		}
		DEMAND(line >= c->in && line + len < c->in + sizeof(c->in));
		seam_client_set_json(c, *line == '{');
		carry_out(c, line + (*line == '{'));
	}
}

static void
send_pieces(int fd, struct seam_client *c, const uint8_t *data, size_t size,
	    size_t piece)
{
	char dump[4096];

	while (size && !c->gone) {
		size_t n = size < piece ? size : piece;

		DEMAND(send(fd, data, n, MSG_DONTWAIT) == (ssize_t)n);
		pthread_mutex_lock(&c->lock);
		DEMAND(seam_client_fill(c, true));
		pthread_mutex_unlock(&c->lock);
		take_lines(c);
		while (recv(fd, dump, sizeof(dump), MSG_DONTWAIT) > 0)
			;
		data += n;
		size -= n;
	}
}

static void
make_session(void)
{
	struct seam_thread *t;

	session = fuzz_session();
	fuzz_process(session, 0, "P1", true);
	t = session->arena->thread;
	strcpy(t->path, "P1.T0");
	atomic_store(&t->state, SEAM_THREAD_RUNNING);
	atomic_store(&session->arena->head.threads, 1);
}

int
FUZZ_TARGET(client)(const uint8_t *data, size_t size)
{
	static struct seam_client c;
	static int fd[2];
	struct seam_error err;

	if (!session) {
		make_session();
		pthread_mutex_init(&c.lock, NULL);
		DEMAND(!socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	}
	if (size < 2)
		return 0;
	c.s = session;
	c.fd = fd[0];
	c.start = c.len = c.out_at = c.out_len = 0;
	c.skipping = c.full = c.eof = c.gone = c.closing = false;
	send_pieces(fd[1], &c, data + 1, size - 1, (size_t)*data % 64 + 1);
	sess_delete(session, "all", &err);
	free(c.out);
	c.out = NULL;
	c.out_size = 0;
	return 0;
}
