/* SPDX-License-Identifier: MIT */
/* Connections to the control socket: who carries lines out, and waits. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"

/*
 * Whose lines this thread carries out.  What it answers meanwhile is kept and
 * sent at once: when no line is left, when a wait begins, before it sleeps.
 */
static _Thread_local struct seam_client *serving;

void
seam_clients_send(void)
{
	struct seam_client *c = serving;

	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	seam_client_flush(c);
	seam_client_ask(c);
	pthread_mutex_unlock(&c->lock);
}

/* The next line to be carried out; NULL: busy is over. */
static char *
next_line(struct seam_client *c, size_t *len)
{
	enum seam_line what;
	char *line = NULL;

	pthread_mutex_lock(&c->lock);
	if (c->out_len > SEAM_OUT_MAX)
		seam_client_flush(c);
	c->held = c->out_len > SEAM_OUT_MAX;
	while (!c->closing && !c->held) {
		what = seam_client_cut(c, &line, len);
		if (what == SEAM_LINE_WHOLE && !memchr(line, '\0', *len))
			break;
		if (what == SEAM_LINE_WHOLE)
			seam_client_refuse(c, SEAM_E_SYNTAX,
					   "NUL byte in the line");
		else if (what == SEAM_LINE_LONG)
			seam_client_refuse(c, SEAM_E_SYNTAX,
					   "line too long: 65536 bytes are "
					   "the limit");
		else if (!c->full || !seam_client_fill(c, true)) {
			line = NULL;
			break;
		}
		line = NULL;
	}
	if (c->closing)
		line = NULL;
	if (!line) {
		serving = NULL;
		seam_client_flush(c);
		c->busy = false;
		seam_client_settle(c);
	}
	pthread_mutex_unlock(&c->lock);
	return line;
}

static const struct seam_client_ops *
commands(struct seam_session *s, void **data)
{
	static const struct seam_client_ops none;
	const struct seam_client_ops *ops;

	seam_lock(s);
	ops = s->ops ? s->ops : &none;
	*data = s->ops_data;
	seam_unlock(s);
	return ops;
}

/* Who opened the session says only then what it serves. */
static void
await_commands(struct seam_session *s)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	seam_lock(s);
	for (; !s->ops && s->own->patience && !seam_ending(s);
	     s->own->patience--) {
		seam_unlock(s);
		nanosleep(&pause, NULL);
		seam_lock(s);
	}
	seam_unlock(s);
}

static void
give(struct seam_client *c, char *line, size_t len)
{
	struct seam_session *s = c->s;
	const struct seam_client_ops *ops;
	bool target = !c->begun && seam_is_hello(line);
	void *data;

	c->begun = true;
	if (len && line[len - 1] == '\r')
		line[len - 1] = '\0';
	if (target) {
		seam_attach(s, c->fd, line);
		seam_client_close(c);
		return;
	}
	await_commands(s);
	ops = commands(s, &data);
	if (ops->line)
		ops->line(c, line, data);
	else
		seam_client_write(c, "err unsupported no commands here\n", 33);
}

/* Waits. */

static enum seam_code
check(struct seam_session *s, struct sess_wait *w, json_t *reply,
      struct seam_error *err)
{
	if (s->broken[0])
		return sess_fail(err, SEAM_E_GONE, 0, "arena damaged: %s",
				 s->broken);
	if (atomic_load(&s->stopping))
		return sess_fail(err, SEAM_E_GONE, 0, "the session has ended");
	return seam_wait_check(s, w, reply, err);
}

static void
tell_waited(struct seam_client *c, struct sess_wait *w, enum seam_code code,
	    json_t *reply, struct seam_error *err)
{
	const struct seam_client_ops *ops;
	void *data;

	ops = commands(c->s, &data);
	if (ops->waited)
		ops->waited(c, w, code, reply, err, data);
}

/* The session's lock is held. */
static void
make_pending(struct seam_client *c)
{
	struct seam_session *s = c->s;
	enum seam_role role = seam_role_now(s);

	c->pending = true;
	atomic_fetch_add(&s->own->pending, 1);
	c->keeper = role == SEAM_ROLE_RINGER ? role : SEAM_ROLE_SERVER;
	if (role == SEAM_ROLE_NONE)
		seam_server_poke(s);
	if (!s->have_ringer)
		s->have_ringer =
		    !seam_thread_start(&s->ringer, seam_ringer_main, s);
}

static void
end_pending(struct seam_client *c)
{
	c->pending = false;
	c->wait = NULL;
	atomic_fetch_sub(&c->s->own->pending, 1);
	seam_bell_unwant(c->s);
}

static bool
is_gone(struct seam_client *c)
{
	bool gone;

	pthread_mutex_lock(&c->lock);
	gone = c->gone;
	pthread_mutex_unlock(&c->lock);
	return gone;
}

/* The line began a wait.  False: it is pending, and so is `busy`. */
static bool
begin_wait(struct seam_client *c)
{
	struct seam_session *s = c->s;
	struct sess_wait *w = c->wait;
	struct seam_error err = { .code = SEAM_OK };
	enum seam_code code = SEAM_OK;
	json_t *reply = json_object();
	unsigned tries = 0;
	bool gone = false;

	seam_clients_send();
	seam_lock(s);
	if (!w->deadline)
		code = seam_wait_prepare(s, w, &err);
	while (code == SEAM_OK &&
	       (code = check(s, w, reply, &err)) == SEAM_PENDING &&
	       w->kind == SEAM_WAIT_RULE && seam_stand_aside(s, &tries))
		code = SEAM_OK;
	seam_bell_want(s);
	if (code == SEAM_PENDING)
		code = check(s, w, reply, &err);
	if (code == SEAM_PENDING && !(gone = is_gone(c))) {
		serving = NULL;
		make_pending(c);
		seam_unlock(s);
		json_decref(reply);
		return false;
	}
	seam_bell_unwant(s);
	c->wait = NULL;
	seam_unlock(s);
	if (!gone)
		tell_waited(c, w, code, reply, &err);
	else
		seam_client_close(c);
	json_decref(reply);
	return true;
}

/* Lines as long as there are any; `busy` is ours, and given up at the end. */
static void
pump(struct seam_client *c)
{
	char *line;
	size_t len = 0;

	serving = c;
	for (;;) {
		while (c->wait)
			if (!begin_wait(c))
				return;
		line = next_line(c, &len);
		if (!line)
			return;
		give(c, line, len);
	}
}

/* The first whose wait has come about, not pending any more. */
static struct seam_client *
take_ready(struct seam_session *s, struct sess_wait **w, enum seam_code *code,
	   json_t *reply, struct seam_error *err)
{
	for (struct seam_client *c = s->clients; c; c = c->next) {
		if (!c->pending)
			continue;
		*w = c->wait;
		*code = check(s, *w, reply, err);
		if (*code == SEAM_PENDING)
			continue;
		end_pending(c);
		return c;
	}
	return NULL;
}

void
seam_clients_ring(struct seam_session *s)
{
	struct seam_error err = { .code = SEAM_OK };
	struct seam_client *c;
	struct sess_wait *w;
	enum seam_code code;
	json_t *reply;

	while (atomic_load(&s->own->pending)) {
		reply = json_object();
		c = take_ready(s, &w, &code, reply, &err);
		if (c) {
			seam_unlock(s);
			serving = c;
			tell_waited(c, w, code, reply, &err);
			pump(c);
			seam_lock(s);
		}
		json_decref(reply);
		if (!c)
			return;
	}
}

uint64_t
seam_clients_until(struct seam_session *s, enum seam_role role)
{
	uint64_t until = SEAM_FOREVER;

	if (!atomic_load(&s->own->pending))
		return until;
	seam_lock(s);
	for (struct seam_client *c = s->clients; c; c = c->next) {
		if (!c->pending || c->keeper != role)
			continue;
		if (c->wait->deadline < until)
			until = c->wait->deadline;
		if (c->wait->next_look && c->wait->next_look < until)
			until = c->wait->next_look;
	}
	seam_unlock(s);
	return until;
}

/* It went away while waiting; what it said after that is not carried out. */
static void
cancel_wait(struct seam_client *c)
{
	bool pending;

	seam_lock(c->s);
	pending = c->pending;
	if (pending)
		end_pending(c);
	seam_unlock(c->s);
	if (!pending)
		return;
	seam_client_close(c);
	pump(c);
}

/* The server's side. */

void
seam_client_new(struct seam_session *s, int fd)
{
	struct seam_client *c = malloc(sizeof(*c));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	if (!c) {
		close(fd);
		return;
	}
	memset(c, 0, offsetof(struct seam_client, in));
	c->s = s;
	c->fd = fd;
	c->events = EPOLLIN;
	pthread_mutex_init(&c->lock, NULL);
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev)) {
		close(fd);
		free(c);
		return;
	}
	seam_lock(s);
	c->next = s->clients;
	s->clients = c;
	seam_unlock(s);
}

void
seam_client_event(struct seam_client *c, uint32_t events)
{
	const bool hup = events & (EPOLLHUP | EPOLLERR);
	bool mine = false;

	pthread_mutex_lock(&c->lock);
	if (events & EPOLLOUT)
		seam_client_flush(c);
	if (events & EPOLLIN)
		seam_client_fill(c, false);
	if (hup)
		seam_client_gone(c);
	if (!c->busy && !c->dead) {
		mine = c->held ? c->out_len <= SEAM_OUT_MAX : c->len > 0;
		c->busy = mine;
	}
	if (c->busy)
		seam_client_ask(c);
	else
		seam_client_settle(c);
	pthread_mutex_unlock(&c->lock);
	if (mine)
		pump(c);
	else if (hup)
		cancel_wait(c);
}

static void
end_client(struct seam_client *c)
{
	const struct seam_client_ops *ops;
	void *data;

	ops = commands(c->s, &data);
	if (ops->closed)
		ops->closed(c, data);
	/* A fork of this program may have it open, too: closing it is not
	 * enough for epoll to forget it, nor for the client to hear of it. */
	if (!c->gone)
		epoll_ctl(c->s->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	shutdown(c->fd, SHUT_RDWR);
	close(c->fd);
	pthread_mutex_destroy(&c->lock);
	free(c->out);
	free(c);
}

/* Takes the first dead one off the list; the session's lock is held. */
static struct seam_client *
take_dead(struct seam_session *s)
{
	struct seam_client **link, *c;
	bool dead;

	for (link = &s->clients; (c = *link); link = &c->next) {
		pthread_mutex_lock(&c->lock);
		dead = c->dead;
		pthread_mutex_unlock(&c->lock);
		if (!dead)
			continue;
		*link = c->next;
		return c;
	}
	return NULL;
}

void
seam_clients_bury(struct seam_session *s)
{
	struct seam_client *c;

	if (!atomic_exchange(&s->own->graves, false))
		return;
	do {
		seam_lock(s);
		c = take_dead(s);
		seam_unlock(s);
		if (c)
			end_client(c);
	} while (c);
}

void
seam_clients_free(struct seam_session *s)
{
	struct seam_error err;
	struct seam_client *c;
	struct sess_wait *w;

	while ((c = s->clients)) {
		s->clients = c->next;
		if (c->pending) {
			w = c->wait;
			seam_lock(s);
			end_pending(c);
			seam_unlock(s);
			sess_fail(&err, SEAM_E_GONE, 0,
				  "the session has ended");
			tell_waited(c, w, SEAM_E_GONE, NULL, &err);
		}
		seam_client_flush(c);
		end_client(c);
	}
}

/* What commands use. */

void
seam_client_write(struct seam_client *c, const char *bytes, size_t n)
{
	pthread_mutex_lock(&c->lock);
	if (serving != c || !seam_client_keep(c, bytes, n))
		seam_client_put(c, bytes, n);
	pthread_mutex_unlock(&c->lock);
}

void
seam_client_wait(struct seam_client *c, struct sess_wait *w)
{
	c->wait = w;
}

void
seam_client_close(struct seam_client *c)
{
	pthread_mutex_lock(&c->lock);
	c->closing = true;
	if (c->busy)
		seam_client_ask(c);
	else
		seam_client_settle(c);
	pthread_mutex_unlock(&c->lock);
}

void
seam_client_set_data(struct seam_client *c, void *own)
{
	c->own = own;
}

void *
seam_client_data(struct seam_client *c)
{
	return c->own;
}

struct seam_session *
seam_client_session(struct seam_client *c)
{
	return c->s;
}
