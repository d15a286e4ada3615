/* SPDX-License-Identifier: MIT */
/* Connections to the control socket: bytes in, bytes out, lines. */
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

void
seam_client_ask(struct seam_client *c)
{
	struct epoll_event ev = { .data.ptr = c };

	if (c->gone)
		return;
	if (!c->eof && !c->closing && !c->full)
		ev.events |= EPOLLIN;
	if (c->out_len || c->held)
		ev.events |= EPOLLOUT;
	if (ev.events == c->events)
		return;
	c->events = ev.events;
	epoll_ctl(c->s->epoll, EPOLL_CTL_MOD, c->fd, &ev);
}

void
seam_client_gone(struct seam_client *c)
{
	if (c->gone)
		return;
	c->gone = c->eof = true;
	c->out_len = 0;
	epoll_ctl(c->s->epoll, EPOLL_CTL_DEL, c->fd, NULL);
}

void
seam_client_settle(struct seam_client *c)
{
	if (c->eof && !c->held)
		c->closing = true;
	if (!c->dead && (c->gone || (c->closing && !c->out_len))) {
		c->dead = true;
		atomic_store(&c->s->own->graves, true);
		if (seam_role_now(c->s) != SEAM_ROLE_SERVER)
			seam_server_poke(c->s);
	}
	seam_client_ask(c);
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

void
seam_client_flush(struct seam_client *c)
{
	size_t n;

	if (!c->out_len)
		return;
	n = send_some(c, c->out + c->out_at, c->out_len);
	c->out_at += n;
	c->out_len -= n;
	if (c->out_len)
		return;
	c->out_at = 0;
	if (c->out_size > SEAM_OUT_MAX) {
		free(c->out);
		c->out = NULL;
		c->out_size = 0;
	}
}

static bool
keep(struct seam_client *c, const char *bytes, size_t n)
{
	size_t size = c->out_size ? c->out_size : 4096;
	char *out;

	if (c->out_len > SEAM_OUT_MAX)
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

void
seam_client_put(struct seam_client *c, const char *bytes, size_t n)
{
	size_t sent = 0;

	if (c->gone || c->dead)
		return;
	seam_client_flush(c);
	if (!c->out_len)
		sent = send_some(c, bytes, n);
	if (sent < n && !keep(c, bytes + sent, n - sent)) {
		/* It does not read.  The server hears of the hang-up. */
		shutdown(c->fd, SHUT_RDWR);
		c->closing = true;
		c->out_len = 0;
	}
	seam_client_ask(c);
}

bool
seam_client_keep(struct seam_client *c, const char *bytes, size_t n)
{
	return !c->gone && !c->dead && n + c->out_len <= SEAM_OUT_KEPT &&
	       keep(c, bytes, n);
}

bool
seam_client_fill(struct seam_client *c, bool owner)
{
	size_t room;
	ssize_t r;

	if (c->start && (owner || !c->busy)) {
		memmove(c->in, c->in + c->start, c->len);
		c->start = 0;
	}
	room = SEAM_IN_MAX - c->start - c->len;
	c->full = room == 0;
	if (room == 0 || c->eof)
		return false;
	r = recv(c->fd, c->in + c->start + c->len, room, MSG_DONTWAIT);
	if (r == 0)
		c->eof = true;
	else if (r < 0 && errno != EAGAIN && errno != EINTR)
		seam_client_gone(c);
	else if (r > 0)
		c->len += (size_t)r;
	c->full = r == (ssize_t)room;
	return r > 0;
}

enum seam_line
seam_client_cut(struct seam_client *c, char **line, size_t *len)
{
	char *begin = c->in + c->start;
	char *end = memchr(begin, '\n', c->len);
	bool skipped = c->skipping;

	if (!end) {
		if (c->len < SEAM_IN_MAX - c->start && !skipped)
			return SEAM_LINE_NONE;
		if (c->start && !skipped)
			return SEAM_LINE_NONE; /* there will be room */
		c->start = c->len = 0;
		c->skipping = true;
		return skipped ? SEAM_LINE_NONE : SEAM_LINE_LONG;
	}
	*line = begin;
	*len = (size_t)(end - begin);
	*end = '\0';
	c->start += *len + 1;
	c->len -= *len + 1;
	c->skipping = false;
	return skipped ? seam_client_cut(c, line, len) : SEAM_LINE_WHOLE;
}
