/* SPDX-License-Identifier: MIT */
/*
 * The clients of the session's socket: their lines through the table.  The
 * server gives a client's next line when the last one is through, so that a
 * connection needs no lock of its own.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "session_int.h"

struct seam_commands {
	struct seam_session *session;
	pthread_mutex_t lock; /* of ending: ends what sleeps */
	pthread_cond_t changed;
	bool ending;
};

struct connection {
	struct seam_client *client;
	struct seam_context ctx;
	struct seam_job job;
	struct seam_reply reply;
};

static void
show_event(const struct seam_event *e, void *data)
{
	struct connection *c = data;
	char *text = seam_event_format(e, c->ctx.json);

	if (text)
		seam_client_write(c->client, text, strlen(text));
	free(text);
}

/* Another thread serves meanwhile. */
static void
sleep_aside(void *data, uint64_t ms)
{
	struct seam_commands *owner = data;
	struct timespec until;

	seam_lock(owner->session);
	seam_may_block(owner->session);
	seam_unlock(owner->session);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&owner->lock);
	while (!owner->ending &&
	       pthread_cond_timedwait(&owner->changed, &owner->lock, &until) !=
		   ETIMEDOUT)
		;
	pthread_mutex_unlock(&owner->lock);
}

static struct connection *
connection_of(struct seam_client *client, struct seam_commands *owner)
{
	struct connection *c = seam_client_data(client);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->client = client;
	c->ctx = (struct seam_context){ .session = owner->session,
					.event = show_event,
					.event_data = c,
					.sleep = sleep_aside,
					.data = owner };
	seam_client_set_data(client, c);
	return c;
}

/* Answers, and is done with the job. */
static void
answer(struct connection *c, enum seam_code code, const struct seam_error *err)
{
	char *text = NULL;

	if (c->job.command || code)
		text = seam_reply_format(&c->reply, code, err, c->ctx.json);
	seam_reply_free(&c->reply);
	seam_job_free(&c->job);
	seam_client_set_json(c->client, c->ctx.json);
	if (text)
		seam_client_write(c->client, text, strlen(text));
	free(text);
	if (c->ctx.quit)
		seam_client_close(c->client);
}

/* After seam_client_wait the connection may be another thread's. */
static void
on_line(struct seam_client *client, char *text, void *data)
{
	struct connection *c = connection_of(client, data);
	struct seam_error err; /* large: not cleared for each line */
	enum seam_code code;

	err.code = SEAM_OK;
	err.column = 0;
	err.text[0] = '\0';
	if (!c) {
		seam_client_close(client);
		return;
	}
	seam_reply_init(&c->reply);
	code = seam_job_parse(text, &c->ctx.vars, &c->job, &err);
	if (code) {
		answer(c, code, &err);
		return;
	}
	code = seam_job_begin(&c->job, &c->ctx, &c->reply, &err);
	if (code == SEAM_PENDING) {
		seam_client_wait(client, &c->job.wait);
		return;
	}
	code = seam_job_finish(&c->job, &c->ctx, code, &c->reply, &err);
	answer(c, code, &err);
}

static void
on_waited(struct seam_client *client, struct sess_wait *w, enum seam_code code,
	  json_t *reply, struct seam_error *err, void *data)
{
	struct connection *c = seam_client_data(client);

	(void)w;
	(void)data;
	if (reply && json_object_size(c->reply.fields) == 0) {
		json_decref(c->reply.fields);
		c->reply.fields = json_incref(reply);
	} else if (reply) {
		json_object_update(c->reply.fields, reply);
	}
	code = seam_job_finish(&c->job, &c->ctx, code, &c->reply, err);
	answer(c, code, err);
}

static void
on_closed(struct seam_client *client, void *data)
{
	struct connection *c = seam_client_data(client);

	(void)data;
	if (!c)
		return;
	seam_client_set_data(client, NULL);
	seam_context_end(&c->ctx);
	seam_job_free(&c->job);
	seam_reply_free(&c->reply);
	free(c);
}

static const struct seam_client_ops ops = { .line = on_line,
					    .waited = on_waited,
					    .closed = on_closed };

struct seam_commands *
seam_commands_serve(struct seam_session *s)
{
	struct seam_commands *owner = calloc(1, sizeof(*owner));
	pthread_condattr_t attr;

	if (!owner)
		return NULL;
	owner->session = s;
	pthread_mutex_init(&owner->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&owner->changed, &attr);
	pthread_condattr_destroy(&attr);
	seam_serve_clients(s, &ops, owner);
	return owner;
}

void
seam_commands_close(struct seam_commands *owner, bool leave)
{
	pthread_mutex_lock(&owner->lock);
	owner->ending = true;
	pthread_cond_broadcast(&owner->changed);
	pthread_mutex_unlock(&owner->lock);
	seam_session_close(owner->session, leave);
	pthread_cond_destroy(&owner->changed);
	pthread_mutex_destroy(&owner->lock);
	free(owner);
}
