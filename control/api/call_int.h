/* SPDX-License-Identifier: MIT */
/*
 * Concurrent calls: what call.c, member.c, stream.c and callgate.c share.
 *
 * Each call is a process of its own, a child of ours that joins a private
 * session by its environment, as any program can.  So its status is ours to
 * take, a program that cannot be controlled runs all the same, and its two
 * streams stay apart.
 */
#ifndef SEAM_CALL_INT_H
#define SEAM_CALL_INT_H

#include <pthread.h>

#include "session.h"

/* What comes out of a pipe; all of it is read, `max` bytes are kept. */
struct call_stream {
	int fd; /* -1: over */
	char *text;
	size_t n, size, max;
	bool truncated;
};

struct call_member {
	const struct seam_call_spec *call;
	pid_t pid; /* 0: could not be started, or reaped */
	int pidfd;
	bool cannot_come; /* to the gate: it is no target */
	bool arrived;	  /* at the gate */
	bool over;	  /* status is known */
	bool timed_out, killed;
	int status;
	uint64_t started, deadline, ended; /* ns */
	struct call_stream out, err;
};

struct call_reader {
	pthread_t thread;
	int stop; /* eventfd */
	struct call_member *v;
	size_t n;
};

/* stream.c */
void call_stream_add(struct call_stream *st, const char *bytes, size_t n);
/* A thread that reads all members' streams until it is told to stop; then
 * it takes what is there still.  False: none could be made. */
bool call_reader_start(struct call_reader *r, struct call_member *v, size_t n);
void call_reader_stop(struct call_reader *r);

/* member.c */
/* What cannot be started is over at once, and says why on its err. */
void call_member_start(struct seam_session *s, struct call_member *m);
/* It has ended: takes its status, and ends what it left in its group. */
void call_member_reap(struct call_member *m);
bool call_member_has_ended(const struct call_member *m);
/* SIGTERM at the deadline, SIGKILL a second later; when to look again. */
uint64_t call_member_mind(struct call_member *m, uint64_t now);

/* callgate.c */
enum seam_code call_gate_arm(struct seam_session *s, const char *at,
			     struct seam_error *err);
/* Waits until all who can come stand there, or nothing more will happen;
 * lets them go together and returns when that was. */
uint64_t call_gate_pass(struct seam_session *s, struct call_member *v, size_t n,
			uint64_t until);

#endif
