/* SPDX-License-Identifier: MIT */
/*
 * The server and the ringer.
 *
 * Both call commands, and a command may sleep (start, hold).  Roles can be
 * handed over: a thread about to sleep in the middle of a client's line
 * starts another for its role, goes on as a stray, and ends with that line.
 * So a quick command costs no hop between threads, and a slow one stops
 * nobody else, not even the attaching that it may be waiting for.
 *
 * Events are level-triggered: what a stray had fetched and not looked at,
 * its successor gets again.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "inner.h"

#define BATCH 16

static _Thread_local struct {
	struct seam_session *s;
	enum seam_role role;
} self;

enum seam_role
seam_role_now(struct seam_session *s)
{
	return self.s == s ? self.role : SEAM_ROLE_NONE;
}

/* The host program's signal handlers run in its own threads. */
int
seam_thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

void
seam_may_block(struct seam_session *s)
{
	enum seam_role role = seam_role_now(s);
	struct seam_stray *stray;
	pthread_t thread;

	seam_clients_send();
	if (role == SEAM_ROLE_NONE || atomic_load(&s->stopping))
		return;
	stray = malloc(sizeof(*stray));
	if (!stray)
		return;
	if (seam_thread_start(&thread,
			      role == SEAM_ROLE_SERVER ? seam_server_main :
							 seam_ringer_main,
			      s)) {
		free(stray);
		return;
	}
	if (role == SEAM_ROLE_SERVER)
		s->server = thread;
	else
		s->ringer = thread;
	stray->thread = pthread_self();
	stray->over = false;
	stray->next = s->own->strays;
	s->own->strays = stray;
	self.role = SEAM_ROLE_NONE;
}

/* The calling thread ends; the lock is held.  Strays that ended before it
 * are joined on the way. */
static void
end_role(struct seam_session *s)
{
	struct seam_stray **link = &s->own->strays, *stray;

	while ((stray = *link)) {
		if (pthread_equal(stray->thread, pthread_self())) {
			stray->over = true;
		} else if (stray->over) {
			*link = stray->next;
			pthread_join(stray->thread, NULL);
			free(stray);
			continue;
		}
		link = &stray->next;
	}
}

void
seam_strays_join(struct seam_session *s)
{
	struct seam_stray *stray;
	pthread_t thread;

	for (;;) {
		seam_lock(s);
		stray = s->own->strays;
		if (stray) {
			s->own->strays = stray->next;
			thread = stray->thread;
			free(stray);
		}
		seam_unlock(s);
		if (!stray)
			return;
		pthread_join(thread, NULL);
	}
}

void
seam_server_poke(struct seam_session *s)
{
	const uint64_t one = 1;

	if (s->wake >= 0 && write(s->wake, &one, sizeof(one)) < 0)
		errno = 0; /* it is full of pokes already */
}

/* Somebody connects. */

static int
accept_fd(struct seam_session *s)
{
	return accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void
turn_away(int fd, const char *refusal)
{
	send(fd, refusal, strlen(refusal), MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

/* One descriptor is kept for telling whoever cannot have one. */
static void
tell_full(struct seam_session *s)
{
	int fd;

	if (s->reserve >= 0)
		close(s->reserve);
	fd = accept_fd(s);
	if (fd >= 0)
		turn_away(fd, "err unsupported the controller has too many "
			      "open files\n");
	s->reserve = fcntl(s->wake, F_DUPFD_CLOEXEC, 3);
}

static void
accept_one(struct seam_session *s)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int fd = accept_fd(s);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		tell_full(s);
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) ||
	    (cred.uid != geteuid() && cred.uid != 0))
		turn_away(fd, "err unsupported another user\n");
	else
		seam_client_new(s, fd);
}

static void
process_event(struct seam_session *s, unsigned index)
{
	struct seam_process *p = &s->process[index];

	seam_lock(s);
	/* The entry may have been given to another meanwhile. */
	if (p->used && !p->ended && seam_process_is_over(p))
		seam_process_ended(s, p);
	seam_unlock(s);
}

static void
dispatch(struct seam_session *s, const struct epoll_event *ev)
{
	uint64_t count;

	if (ev->data.u64 >= SEAM_SOURCES)
		seam_client_event(ev->data.ptr, ev->events);
	else if (ev->data.u64 >= SEAM_SOURCE_PROC)
		process_event(s, (unsigned)(ev->data.u64 - SEAM_SOURCE_PROC));
	else if (ev->data.u64 == SEAM_SOURCE_LISTENER)
		accept_one(s);
	else if (read(s->wake, &count, sizeof(count)) < 0)
		errno = 0;
}

/* For epoll, rounded up; -1: for ever. */
static int
milliseconds_until(uint64_t until)
{
	uint64_t now, ms;

	if (until == SEAM_FOREVER)
		return -1;
	now = seam_now();
	if (until <= now)
		return 0;
	ms = (until - now + 999999) / 1000000;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void
serve_once(struct seam_session *s)
{
	struct epoll_event ev[BATCH];
	uint64_t until = seam_clients_until(s, SEAM_ROLE_SERVER);
	int n = epoll_wait(s->epoll, ev, BATCH, milliseconds_until(until));

	for (int i = 0; i < n; i++) {
		dispatch(s, &ev[i]);
		if (seam_role_now(s) != SEAM_ROLE_SERVER)
			return;
	}
	if (until != SEAM_FOREVER && seam_now() >= until) {
		seam_lock(s);
		seam_clients_ring(s);
		seam_unlock(s);
	}
	if (seam_role_now(s) == SEAM_ROLE_SERVER)
		seam_clients_bury(s);
}

void *
seam_server_main(void *session)
{
	struct seam_session *s = session;

	self.s = s;
	self.role = SEAM_ROLE_SERVER;
	pthread_setname_np(pthread_self(), "seam-server");
	while (!atomic_load(&s->stopping) &&
	       seam_role_now(s) == SEAM_ROLE_SERVER)
		serve_once(s);
	seam_lock(s);
	end_role(s);
	seam_unlock(s);
	return NULL;
}

/*
 * The ringer stays asleep on the bell between waits: targets do not wake it
 * then, since bell_waiters is 0.  Nobody needs to wake it for a new wait
 * either: whoever begins one has counted it in bell_waiters before looking
 * for the first time.
 */
void *
seam_ringer_main(void *session)
{
	struct seam_session *s = session;
	uint64_t until;
	uint32_t seen;

	self.s = s;
	self.role = SEAM_ROLE_RINGER;
	pthread_setname_np(pthread_self(), "seam-ringer");
	seam_lock(s);
	for (;;) {
		seen = atomic_load(&s->arena->head.bell);
		seam_is_sound(s);
		seam_clients_ring(s);
		if (atomic_load(&s->stopping) ||
		    seam_role_now(s) != SEAM_ROLE_RINGER)
			break;
		seam_unlock(s);
		until = seam_clients_until(s, SEAM_ROLE_RINGER);
		seam_futex_wait(&s->arena->head.bell, seen, until);
		seam_lock(s);
	}
	end_role(s);
	seam_unlock(s);
	return NULL;
}
