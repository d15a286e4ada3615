/* SPDX-License-Identifier: MIT */
/*
 * The streams of concurrent calls.  Pipes that are always read, and not
 * files: a call that floods costs no more memory than is kept of it.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "call_int.h"

static bool
make_room(struct call_stream *st, size_t more)
{
	size_t size = st->size ? st->size : 512;
	char *text;

	while (size < st->n + more + 1)
		size *= 2;
	if (size == st->size)
		return true;
	text = realloc(st->text, size);
	if (!text)
		return false;
	st->text = text;
	st->size = size;
	return true;
}

void
call_stream_add(struct call_stream *st, const char *bytes, size_t n)
{
	size_t keep = n < st->max - st->n ? n : st->max - st->n;

	if (!make_room(st, keep))
		keep = 0;
	st->truncated |= keep < n;
	if (!st->text)
		return;
	memcpy(st->text + st->n, bytes, keep);
	st->n += keep;
	st->text[st->n] = '\0';
}

/* One read; false: nothing came. */
static bool
take(struct call_stream *st)
{
	char buf[16384];
	ssize_t n;

	if (st->fd < 0)
		return false;
	do {
		n = read(st->fd, buf, sizeof(buf));
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		call_stream_add(st, buf, (size_t)n);
		return true;
	}
	if (n < 0 && errno == EAGAIN)
		return false;
	close(st->fd);
	st->fd = -1;
	return false;
}

/* What was written before its end; somebody may go on writing. */
static void
finish(struct call_stream *st)
{
	for (int i = 0; i < 16 && take(st); i++)
		;
	if (st->fd >= 0)
		close(st->fd);
	st->fd = -1;
}

static struct call_stream *
stream(struct call_reader *r, size_t i)
{
	return i & 1 ? &r->v[i / 2].err : &r->v[i / 2].out;
}

static void *
run(void *reader)
{
	struct call_reader *r = reader;
	size_t n = 2 * r->n;
	struct pollfd *p = calloc(n + 1, sizeof(*p));

	while (p && !p[n].revents) {
		for (size_t i = 0; i < n; i++)
			p[i] = (struct pollfd){ stream(r, i)->fd, POLLIN, 0 };
		p[n] = (struct pollfd){ r->stop, POLLIN, 0 };
		poll(p, n + 1, -1);
		for (size_t i = 0; i < n; i++)
			if (p[i].revents)
				take(stream(r, i));
	}
	for (size_t i = 0; i < n; i++)
		finish(stream(r, i));
	free(p);
	return NULL;
}

bool
call_reader_start(struct call_reader *r, struct call_member *v, size_t n)
{
	r->v = v;
	r->n = n;
	r->stop = eventfd(0, EFD_CLOEXEC);
	if (r->stop >= 0 && !pthread_create(&r->thread, NULL, run, r))
		return true;
	if (r->stop >= 0)
		close(r->stop);
	return false;
}

void
call_reader_stop(struct call_reader *r)
{
	eventfd_write(r->stop, 1);
	pthread_join(r->thread, NULL);
	close(r->stop);
}
