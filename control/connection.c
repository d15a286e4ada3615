/* SPDX-License-Identifier: MIT */
/*
 * Connections to the control socket: bytes into lines, replies out, waits.
 *
 * Who does what.  Only the server reads, and only it frees a client.  Lines
 * are given out by whichever thread has set `busy`: the server when bytes
 * came, the ringer when a wait came about, a stray that had to sleep.  A
 * pending wait keeps `busy` set, so that later lines stay in the buffer; who
 * clears `pending` (under the session's lock) owns `busy` from then on.
 * Whoever has cleared `busy` does not touch the client any more, unless it
 * is the server.
 *
 * A client is finished when it has shut its side down (or the other was
 * asked to be closed), no line and no wait is left, and all is sent; or at
 * once when it went away.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "inner.h"

#define IN_MAX ((size_t)64 << 10)
#define OUT_MAX ((size_t)1 << 20)

struct seam_client {
	struct seam_session *s;
	struct seam_client *next; /* the session's lock covers the list */
	int fd;
	void *own;

	/* Of who is busy; `pending` is the session's lock's. */
	struct seam_wait *wait;
	bool pending;
	enum seam_role keeper; /* looks after its timeout */
	bool begun;	       /* its first line was seen */

	pthread_mutex_t lock; /* covers what follows */
	bool busy;
	bool eof;      /* no more bytes will come */
	bool gone;     /* nor can any be sent */
	bool closing;  /* no more lines are wanted */
	bool dead;     /* to be freed by the server */
	bool skipping; /* the rest of a line too long */
	bool full;     /* more may be there than there was room for */
	uint32_t events;
	size_t start, len; /* of what is not yet given out */
	char *out;
	size_t out_at, out_len, out_size;
	char in[IN_MAX + 1];
};

/* The client's lock is held in these. */

static void
ask_events(struct seam_client *c)
{
	struct epoll_event ev = { .data.ptr = c };

	if (c->gone)
		return;
	if (!c->eof && !c->closing && !c->full)
		ev.events |= EPOLLIN;
	if (c->out_len)
		ev.events |= EPOLLOUT;
	if (ev.events == c->events)
		return;
	c->events = ev.events;
	epoll_ctl(c->s->epoll, EPOLL_CTL_MOD, c->fd, &ev);
}

/* Nothing more can be done for it: no events, no output. */
static void
went_away(struct seam_client *c)
{
	if (c->gone)
		return;
	c->gone = c->eof = true;
	c->out_len = 0;
	epoll_ctl(c->s->epoll, EPOLL_CTL_DEL, c->fd, NULL);
}

/* Called whenever nobody is busy with it. */
static void
settle(struct seam_client *c)
{
	if (c->eof)
		c->closing = true;
	if (!c->dead && (c->gone || (c->closing && !c->out_len))) {
		c->dead = true;
		atomic_store(&c->s->own->graves, true);
		if (seam_role_now(c->s) != SEAM_ROLE_SERVER)
			seam_server_poke(c->s);
	}
	ask_events(c);
}

static size_t
send_some(struct seam_client *c, const char *bytes, size_t n)
{
	ssize_t r = send(c->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (r >= 0)
		return (size_t)r;
	/* What it said before it went is still read. */
	if (errno != EAGAIN && errno != EINTR)
		return n;
	return 0;
}

static void
flush(struct seam_client *c)
{
	size_t n;

	if (!c->out_len)
		return;
	n = send_some(c, c->out + c->out_at, c->out_len);
	c->out_at += n;
	c->out_len -= n;
	if (!c->out_len)
		c->out_at = 0;
}

static bool
keep(struct seam_client *c, const char *bytes, size_t n)
{
	size_t size = c->out_size ? c->out_size : 4096;
	char *out;

	if (n > OUT_MAX - c->out_len)
		return false;
	if (c->out_at) {
		memmove(c->out, c->out + c->out_at, c->out_len);
		c->out_at = 0;
	}
	while (size < c->out_len + n)
		size *= 2;
	if (size > c->out_size) {
		out = realloc(c->out, size);
		if (!out)
			return false;
		c->out = out;
		c->out_size = size;
	}
	memcpy(c->out + c->out_len, bytes, n);
	c->out_len += n;
	return true;
}

static void
put(struct seam_client *c, const char *bytes, size_t n)
{
	size_t sent = 0;

	if (c->gone || c->dead)
		return;
	if (!c->out_len)
		sent = send_some(c, bytes, n);
	if (sent < n && !keep(c, bytes + sent, n - sent)) {
		/* It does not read.  The server hears of the hang-up. */
		shutdown(c->fd, SHUT_RDWR);
		c->closing = true;
		c->out_len = 0;
	}
	ask_events(c);
}

static void
put_text(struct seam_client *c, const char *text)
{
	put(c, text, strlen(text));
}

/* Reads what there is and what there is room for.  The bytes before `start`
 * are in use by who is busy. */
static bool
fill(struct seam_client *c, bool owner)
{
	size_t room;
	ssize_t r;

	if (c->start && (owner || !c->busy)) {
		memmove(c->in, c->in + c->start, c->len);
		c->start = 0;
	}
	room = IN_MAX - c->start - c->len;
	c->full = room == 0;
	if (room == 0 || c->eof)
		return false;
	r = recv(c->fd, c->in + c->start + c->len, room, MSG_DONTWAIT);
	if (r == 0)
		c->eof = true;
	else if (r < 0 && errno != EAGAIN && errno != EINTR)
		went_away(c);
	else if (r > 0)
		c->len += (size_t)r;
	c->full = r == (ssize_t)room;
	return r > 0;
}

/* Lines. */

enum line { LINE_NONE, LINE_WHOLE, LINE_LONG };

/* The next one, NUL-terminated in place. */
static enum line
cut_line(struct seam_client *c, char **line, size_t *len)
{
	char *begin = c->in + c->start;
	char *end = memchr(begin, '\n', c->len);
	bool skipped = c->skipping;

	if (!end) {
		if (c->len < IN_MAX - c->start && !skipped)
			return LINE_NONE;
		if (c->start && !skipped)
			return LINE_NONE; /* there will be room */
		c->start = c->len = 0;
		c->skipping = true;
		return skipped ? LINE_NONE : LINE_LONG;
	}
	*line = begin;
	*len = (size_t)(end - begin);
	*end = '\0';
	c->start += *len + 1;
	c->len -= *len + 1;
	c->skipping = false;
	return skipped ? cut_line(c, line, len) : LINE_WHOLE;
}

/* The next line to be carried out; NULL: busy is over. */
static char *
next_line(struct seam_client *c, size_t *len)
{
	enum line what;
	char *line = NULL;

	pthread_mutex_lock(&c->lock);
	while (!c->closing) {
		what = cut_line(c, &line, len);
		if (what == LINE_WHOLE && !memchr(line, '\0', *len))
			break;
		if (what == LINE_WHOLE)
			put_text(c, "err syntax NUL byte in the line\n");
		else if (what == LINE_LONG)
			put_text(c, "err syntax line too long: 65536 bytes "
				    "are the limit\n");
		else if (!c->full || !fill(c, true))
			break;
		line = NULL;
	}
	if (c->closing)
		line = NULL;
	if (!line) {
		c->busy = false;
		settle(c);
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

static void
give(struct seam_client *c, char *line, size_t len)
{
	struct seam_session *s = c->s;
	const struct seam_client_ops *ops;
	bool target = !c->begun && !strncmp(line, "attach ", 7);
	void *data;

	c->begun = true;
	if (len && line[len - 1] == '\r')
		line[len - 1] = '\0';
	if (target) {
		seam_attach(s, c->fd, line);
		seam_client_close(c);
		return;
	}
	ops = commands(s, &data);
	if (ops->line)
		ops->line(c, line, data);
	else
		seam_client_write(c, "err unsupported no commands here\n", 33);
}

/* Waits. */

static enum seam_code
check(struct seam_session *s, struct seam_wait *w, json_t *reply,
      struct seam_error *err)
{
	if (s->broken[0])
		return seam_fail(err, SEAM_E_GONE, 0, "arena damaged: %s",
				 s->broken);
	if (atomic_load(&s->stopping))
		return seam_fail(err, SEAM_E_GONE, 0, "the session has ended");
	return seam_wait_check(s, w, reply, err);
}

static void
tell_waited(struct seam_client *c, struct seam_wait *w, enum seam_code code,
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
	struct seam_wait *w = c->wait;
	struct seam_error err = { .code = SEAM_OK };
	enum seam_code code = SEAM_OK;
	json_t *reply = json_object();
	bool gone = false;

	if (!w->deadline)
		code = seam_wait_prepare(s, w, &err);
	seam_lock(s);
	seam_bell_want(s);
	if (code == SEAM_OK)
		code = check(s, w, reply, &err);
	if (code == SEAM_PENDING && !(gone = is_gone(c))) {
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
take_ready(struct seam_session *s, struct seam_wait **w, enum seam_code *code,
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
	struct seam_wait *w;
	enum seam_code code;
	json_t *reply;

	while (atomic_load(&s->own->pending)) {
		reply = json_object();
		c = take_ready(s, &w, &code, reply, &err);
		if (c) {
			seam_unlock(s);
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
		flush(c);
	if (events & EPOLLIN)
		fill(c, false);
	if (hup)
		went_away(c);
	if (!c->busy && !c->dead) {
		mine = c->len > 0;
		c->busy = mine;
	}
	if (c->busy)
		ask_events(c);
	else
		settle(c);
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
	/* A fork of this program may have it open, too. */
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
seam_clients_tell(struct seam_session *s, const char *line)
{
	for (struct seam_client *c = s->clients; c; c = c->next) {
		if (!c->pending && c->begun)
			seam_client_write(c, line, strlen(line));
		seam_client_close(c);
	}
}

void
seam_clients_free(struct seam_session *s)
{
	struct seam_error err;
	struct seam_client *c;
	struct seam_wait *w;

	while ((c = s->clients)) {
		s->clients = c->next;
		if (c->pending) {
			w = c->wait;
			seam_lock(s);
			end_pending(c);
			seam_unlock(s);
			seam_fail(&err, SEAM_E_GONE, 0,
				  "the session has ended");
			tell_waited(c, w, SEAM_E_GONE, NULL, &err);
		}
		flush(c);
		end_client(c);
	}
}

/* What commands use. */

void
seam_client_write(struct seam_client *c, const char *bytes, size_t n)
{
	pthread_mutex_lock(&c->lock);
	put(c, bytes, n);
	pthread_mutex_unlock(&c->lock);
}

void
seam_client_wait(struct seam_client *c, struct seam_wait *w)
{
	c->wait = w;
}

void
seam_client_close(struct seam_client *c)
{
	pthread_mutex_lock(&c->lock);
	c->closing = true;
	if (c->busy)
		ask_events(c);
	else
		settle(c);
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
