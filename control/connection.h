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
 * What is answered while lines are carried out goes out in one piece when no
 * line is left, a wait begins, or the thread is about to sleep.
 *
 * A client is finished when it has shut its side down (or the other was
 * asked to be closed), no line and no wait is left, and all is sent; or at
 * once when it went away.
 */
#ifndef SEAM_CONNECTION_H
#define SEAM_CONNECTION_H

#include "inner.h"

#define SEAM_IN_MAX ((size_t)64 << 10)
/* Of what a client has not read yet: with more, no line of its is carried
 * out, and nothing is added to it. */
#define SEAM_OUT_MAX ((size_t)1 << 20)
#define SEAM_OUT_KEPT ((size_t)16 << 10)

struct seam_client {
	struct seam_session *s;
	struct seam_client *next; /* the session's lock covers the list */
	int fd;
	void *own;

	/* Of who is busy; `pending` is the session's lock's. */
	struct sess_wait *wait;
	bool pending;
	enum seam_role keeper; /* looks after its timeout */
	bool begun;	       /* its first line was seen */
	_Atomic bool json;     /* how it wants to be told of errors */

	pthread_mutex_t lock; /* covers what follows */
	bool busy;
	bool eof;      /* no more bytes will come */
	bool gone;     /* nor can any be sent */
	bool closing;  /* no more lines are wanted */
	bool dead;     /* to be freed by the server */
	bool skipping; /* the rest of a line too long */
	bool full;     /* more may be there than there was room for */
	bool held;     /* lines may be there, but it has to read first */
	uint32_t events;
	size_t start, len; /* of what is not yet given out */
	char *out;
	size_t out_at, out_len, out_size;
	char in[SEAM_IN_MAX + 1];
};

/* connection_io.c: bytes.  The client's lock is held in all of these. */
/* Tells epoll what to look for. */
void seam_client_ask(struct seam_client *c);
/* Nothing more can be done for it: no events, no output. */
void seam_client_gone(struct seam_client *c);
/* Called whenever nobody is busy with it: is it finished? */
void seam_client_settle(struct seam_client *c);
void seam_client_flush(struct seam_client *c);
void seam_client_put(struct seam_client *c, const char *bytes, size_t n);
/* To be sent later, with more; false: it is too much for that. */
bool seam_client_keep(struct seam_client *c, const char *bytes, size_t n);
/* Reads what there is and what there is room for.  The bytes before `start`
 * are in use by who is busy. */
bool seam_client_fill(struct seam_client *c, bool owner);

enum seam_line { SEAM_LINE_NONE, SEAM_LINE_WHOLE, SEAM_LINE_LONG };
/* The next one, NUL-terminated in place. */
enum seam_line seam_client_cut(struct seam_client *c, char **line, size_t *len);

/* refusal.c: an error's line, with the client's lock held. */
void seam_client_refuse(struct seam_client *c, enum seam_code code,
			const char *text);

#endif
