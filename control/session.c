/* SPDX-License-Identifier: MIT */
/* The life of a session; its lock and its bell. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "execs.h"
#include "inner.h"

#define INSTALLED_PRELOAD SEAM_PKGLIBDIR "/libseam.so"

#define RULES_BYTES (SEAM_MAX_RULES * sizeof(struct seam_armed))

uint64_t
seam_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void
seam_lock(struct seam_session *s)
{
	pthread_mutex_lock(&s->lock);
}

void
seam_unlock(struct seam_session *s)
{
	pthread_mutex_unlock(&s->lock);
}

/* The bell. */

static void
count_waiter(struct seam_session *s, bool more)
{
	s->waiters = more ? s->waiters + 1 : s->waiters - 1;
	atomic_store(&s->arena->head.bell_waiters, s->waiters);
}

void
seam_bell_want(struct seam_session *s)
{
	count_waiter(s, true);
}

void
seam_bell_unwant(struct seam_session *s)
{
	count_waiter(s, false);
}

bool
seam_is_sound(struct seam_session *s)
{
	const char *what;

	if (s->broken[0])
		return false;
	if (atomic_load(&s->stopping))
		return true;
	what = seam_arena_damage(s->arena, s->opener);
	if (what)
		seam_broken(s, "%s was overwritten", what);
	return !what;
}

void
seam_bell_wait(struct seam_session *s, uint32_t seen, uint64_t until)
{
	seam_may_block(s);
	seam_bell_want(s);
	seam_unlock(s);
	seam_futex_wait(&s->arena->head.bell, seen, until);
	seam_lock(s);
	seam_bell_unwant(s);
	seam_is_sound(s);
}

#define ASIDE_TRIES 3
#define ASIDE_NS UINT64_C(100000)
#define CROWDED_WAITS 16

bool
seam_stand_aside(struct seam_session *s, unsigned *tries)
{
	uint64_t before;

	if (*tries == 0 && s->own->crowded) {
		s->own->crowded--;
		*tries = ASIDE_TRIES;
	}
	if (*tries == ASIDE_TRIES)
		return false;
	seam_unlock(s);
	before = seam_now();
	sched_yield();
	seam_lock(s);
	++*tries;
	/* Others used it for something longer: sleepers get it sooner. */
	if (seam_now() - before > ASIDE_NS) {
		s->own->crowded = CROWDED_WAITS;
		*tries = ASIDE_TRIES;
	}
	return true;
}

bool
seam_ending(struct seam_session *s)
{
	return atomic_load(&s->stopping) || atomic_load(&s->own->stop) ||
	       s->broken[0];
}

void
seam_bell_ring(struct seam_session *s)
{
	atomic_fetch_add(&s->own->turn, 1);
	seam_futex_wake(&s->own->turn);
	atomic_fetch_add(&s->arena->head.bell, 1);
	seam_futex_wake(&s->arena->head.bell);
}

void
seam_broken(struct seam_session *s, const char *fmt, ...)
{
	char line[sizeof(s->broken) + 40];
	va_list ap;

	if (s->broken[0])
		return;
	va_start(ap, fmt);
	vsnprintf(s->broken, sizeof(s->broken), fmt, ap);
	va_end(ap);
	atomic_store(&s->own->is_broken, true);
	snprintf(line, sizeof(line), "arena damaged: %s", s->broken);
	seam_clients_tell(s, SEAM_E_GONE, line);
	seam_arena_let_go(s->arena);
	seam_server_poke(s);
	atomic_fetch_add(&s->own->turn, 1);
	seam_futex_wake(&s->own->turn);
}

const char *
seam_session_broken(struct seam_session *s)
{
	return atomic_load(&s->own->is_broken) ? s->broken : NULL;
}

/* Opening. */

static char *
preload_path(const struct seam_options *o)
{
	const char *path = o->preload;
	char *real;

	if (!path)
		path = getenv("SEAM_PRELOAD");
	if (!path || !*path)
		path = INSTALLED_PRELOAD;
	real = realpath(path, NULL);
	return real ? real : strdup(path);
}

static void
keep_signals(struct seam_own *own)
{
	struct sigaction sa;

	pthread_sigmask(SIG_SETMASK, NULL, &own->mask);
	sigemptyset(&own->defaults);
	for (int sig = 1; sig < NSIG; sig++)
		if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler != SIG_IGN)
			sigaddset(&own->defaults, sig);
}

static struct seam_session *
new_session(const struct seam_options *options)
{
	struct seam_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	s->arena_fd = s->warden = s->listener = s->epoll = s->wake = -1;
	s->reserve = -1;
	s->opener = getpid();
	if (options)
		s->options = *options;
	s->options.socket = s->options.preload = NULL;
	s->own = calloc(1, sizeof(*s->own));
	if (s->own)
		s->own->loans = seam_loans_new();
	s->rule = seam_pages_new(RULES_BYTES);
	s->cwd = getcwd(NULL, 0);
	s->preload = preload_path(options ? options : &s->options);
	s->syms = seam_syms_new();
	if (s->own && s->own->loans && s->rule && s->cwd && s->preload &&
	    s->syms) {
		keep_signals(s->own);
		if (s->options.mask)
			s->own->mask = *s->options.mask;
		s->options.mask = NULL;
		s->own->patience = 1000;
		return s;
	}
	seam_session_close(s, false);
	return NULL;
}

static enum seam_code
make_arena(struct seam_session *s, struct seam_error *err)
{
	struct stat st;
	int r = seam_arena_new(&s->arena, &s->arena_fd);

	if (r == 0 && fstat(s->arena_fd, &st))
		r = -errno;
	if (r == 0) {
		if (s->options.kill_on_death)
			s->arena->head.flags |= SEAM_HEAD_KILL;
		s->own->arena_inode = st.st_ino;
		s->heap = seam_heap_new(s->arena);
		if (!s->heap)
			r = -ENOMEM;
	}
	if (r)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot make the arena: %s", strerror(-r));
	return SEAM_OK;
}

static int
add_source(struct seam_session *s, int fd, enum seam_source source)
{
	struct epoll_event ev = { .events = EPOLLIN };

	ev.data.u64 = source;
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static enum seam_code
start_threads(struct seam_session *s, struct seam_error *err)
{
	int r;

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->epoll < 0 || s->wake < 0 ||
	    (s->reserve = fcntl(s->wake, F_DUPFD_CLOEXEC, 3)) < 0 ||
	    add_source(s, s->listener, SEAM_SOURCE_LISTENER) ||
	    add_source(s, s->wake, SEAM_SOURCE_WAKE))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "epoll: %s",
				 strerror(errno));
	r = -seam_warden_start(s);
	if (r)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot start the warden: %s", strerror(r));
	/* These fields are read under the lock by the threads themselves. */
	seam_lock(s);
	r = seam_thread_start(&s->porter, seam_porter_main, s);
	s->have_porter = r == 0;
	if (r == 0) {
		r = seam_thread_start(&s->server, seam_server_main, s);
		s->have_server = r == 0;
	}
	seam_unlock(s);
	if (r)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot start a thread: %s", strerror(r));
	return SEAM_OK;
}

enum seam_code
seam_session_open(const struct seam_options *options, struct seam_session **out,
		  struct seam_error *err)
{
	struct seam_session *s = new_session(options);
	enum seam_code code;

	*out = NULL;
	if (!s)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	code = make_arena(s, err);
	if (code == SEAM_OK)
		code = seam_listen(s, options ? options->socket : NULL, err);
	if (code == SEAM_OK)
		code = start_threads(s, err);
	if (code != SEAM_OK) {
		seam_session_close(s, false);
		return code;
	}
	if (s->options.watch)
		seam_watch(s, true);
	*out = s;
	return SEAM_OK;
}

/* Closing. */

static void
stop_threads(struct seam_session *s)
{
	seam_server_poke(s);
	seam_door_ring(s);
	seam_bell_ring(s);
	if (s->have_server)
		pthread_join(s->server, NULL);
	if (s->have_porter)
		pthread_join(s->porter, NULL);
	if (s->have_ringer)
		pthread_join(s->ringer, NULL);
	seam_strays_join(s);
}

static void
free_session(struct seam_session *s)
{
	const int fd[] = { s->listener, s->epoll, s->wake, s->reserve,
			   s->warden };

	for (unsigned i = 0; i < s->processes; i++)
		if (s->process[i].used)
			seam_process_release(s, &s->process[i]);
	for (size_t i = 0; i < sizeof(fd) / sizeof(fd[0]); i++)
		if (fd[i] >= 0)
			close(fd[i]);
	seam_heap_free(s->heap);
	free(s->history);
	seam_arena_free(s->arena, s->arena_fd);
	if (s->syms)
		seam_syms_free(s->syms);
	free(s->socket);
	free(s->dir);
	free(s->preload);
	free(s->cwd);
	seam_pages_free(s->rule, RULES_BYTES);
	if (s->own) {
		seam_loans_free(s->own->loans);
		seam_execs_free(s->own->strangers);
	}
	free(s->own);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* Targets get their TERM before they are let go: one that dies of it does
 * not get past what it was parked at. */
static void
end_session(struct seam_session *s, bool leave)
{
	seam_lock(s);
	atomic_store(&s->stopping, true);
	if (!leave && seam_is_sound(s))
		seam_porter_attend(s);
	if (!leave)
		seam_term_targets(s);
	s->arena->head.flags &= ~(uint32_t)SEAM_HEAD_KILL;
	seam_arena_let_go(s->arena);
	if (!leave)
		seam_end_targets(s);
	seam_unlock(s);
	stop_threads(s);
	seam_clients_free(s);
	seam_lock(s);
	seam_rules_end(s);
	seam_unlock(s);
}

void
seam_session_close(struct seam_session *s, bool leave)
{
	if (!s)
		return;
	/* In a fork's child everything but its memory is the parent's. */
	if (s->opener == getpid() && s->own) {
		if (s->arena)
			end_session(s, leave);
		if (s->socket)
			seam_unlisten(s);
		seam_warden_dismiss(s);
	}
	free_session(s);
}

const char *
seam_session_socket(const struct seam_session *s)
{
	return s->socket;
}

/* Running. */

static bool
is_run_over(struct seam_session *s, uint64_t first)
{
	if (atomic_load(&s->own->stop) || s->broken[0])
		return true;
	if (!s->options.end_with_last || seam_any_alive(s))
		return false;
	return s->own->had_target || seam_now() >= first;
}

void
seam_session_run(struct seam_session *s)
{
	/* Started by a target which then never came. */
	uint64_t first = seam_now() + SEAM_ACK_MS * UINT64_C(1000000);
	uint64_t until;
	uint32_t seen;

	/* Not on the bell: each ring of a target's would wake this thread. */
	seam_lock(s);
	for (;;) {
		seen = atomic_load(&s->own->turn);
		if (is_run_over(s, first))
			break;
		until = s->options.end_with_last && !s->own->had_target ?
			    first :
			    SEAM_FOREVER;
		seam_unlock(s);
		seam_futex_wait(&s->own->turn, seen, until);
		seam_lock(s);
		seam_is_sound(s);
	}
	seam_unlock(s);
}

void
seam_session_stop(struct seam_session *s)
{
	atomic_store(&s->own->stop, true);
	seam_bell_ring(s);
}

void
seam_serve_clients(struct seam_session *s, const struct seam_client_ops *ops,
		   void *data)
{
	seam_lock(s);
	s->ops = ops;
	s->ops_data = data;
	seam_unlock(s);
}
