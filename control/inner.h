/* SPDX-License-Identifier: MIT */
/*
 * What session.c, process.c, lookup.c, attach.c, porter.c, spawn.c,
 * warden.c, listen.c, server.c and connection.c share, and nobody else
 * needs.
 *
 * Lock order: the session's lock, then a client's.  Neither is held while
 * commands are called.
 */
#ifndef SEAM_INNER_H
#define SEAM_INNER_H

#include <signal.h>
#include <sys/types.h>

#include "arena_ctl.h"
#include "heap.h"
#include "session_int.h"

#define SEAM_EXEC_LOOK_NS UINT64_C(300000000)
#define SEAM_EXEC_LOOKS 34 /* about ten seconds */
#define SEAM_PROCS_KEPT 200

/* Beside seam_process, by the same index. */
struct seam_extra {
	bool attached;	/* said hello */
	bool started;	/* by us, or by one that we started */
	uint64_t ended; /* in which order */
	uint64_t look;	/* EXECING: when to look at what it became */
	unsigned looks;
	pid_t group; /* its own process group, or 0 */
};

/* A thread that serves. */
enum seam_role { SEAM_ROLE_NONE, SEAM_ROLE_SERVER, SEAM_ROLE_RINGER };
struct seam_stray {
	pthread_t thread;
	bool over;
	struct seam_stray *next;
};

struct seam_own {
	struct seam_extra extra[SEAM_MAX_PROCS];
	uint64_t ends; /* processes that ended */
	bool had_target;
	_Atomic bool stop; /* seam_session_stop */
	unsigned patience; /* ms that early lines wait for commands, in all */
	_Atomic uint32_t turn; /* a futex: we rang the bell ourselves */
	unsigned crowded;      /* waits for which not to stand aside */

	sigset_t mask;	   /* of the thread that opened */
	sigset_t defaults; /* signals that were not ignored then */
	struct seam_strangers *strangers; /* execs.c; NULL: none */
	ino_t arena_inode;
	dev_t socket_dev;
	ino_t socket_inode;

	pid_t warden;
	struct seam_loans *loans;
	struct seam_stray *strays; /* gave their role to another */
	_Atomic unsigned pending;  /* clients that wait */
	_Atomic bool is_broken;	   /* session.broken is written */
	_Atomic bool graves;	   /* clients to be freed */
};

/* What epoll's data say; anything larger is a client's address. */
enum seam_source {
	SEAM_SOURCE_LISTENER,
	SEAM_SOURCE_WAKE,
	SEAM_SOURCE_PROC, /* + index */
	SEAM_SOURCES = SEAM_SOURCE_PROC + SEAM_MAX_PROCS
};

/* hold_sem.c */
struct seam_loans *seam_loans_new(void);
void seam_loans_free(struct seam_loans *loans);
/* The warden's, both async-signal-safe: which semaphore it is; closes fd. */
void seam_loans_note(struct seam_loans *loans, uint32_t index, int fd);
/* Everything back where it was taken. */
void seam_loans_return(struct seam_loans *loans);

/* process.c; the lock is held. */
struct seam_process *seam_process_of_pid(struct seam_session *s, pid_t pid);
/* A free entry, its arena side CLAIMED; the parent may be NULL. */
struct seam_process *seam_process_new(struct seam_session *s,
				      struct seam_process *parent);
/* The same of one that a fork's child has claimed and filled in. */
struct seam_process *seam_process_take(struct seam_session *s, unsigned i);
/* Takes it back: it never came to life. */
void seam_process_drop(struct seam_session *s, struct seam_process *p);
/* Its pid is known: watches over it. */
/* Which program it is, as far as can be told. */
void seam_process_note_exe(struct seam_process *p);
int seam_process_follow(struct seam_session *s, struct seam_process *p,
			pid_t pid);
/* Maps, rules, gate, LIVE; not yet the acknowledgement. */
enum seam_code seam_process_enliven(struct seam_session *s,
				    struct seam_process *p,
				    struct seam_error *err);
/* Another program runs in it now. */
void seam_process_renew(struct seam_session *s, struct seam_process *p);
/* The pidfd says that it ended; or: whether it does. */
void seam_process_ended(struct seam_session *s, struct seam_process *p);
bool seam_process_is_over(const struct seam_process *p);
/* endsignal.c: what killed a process that is not our child; 0: nothing, or
 * the kernel does not say. */
int seam_end_signal(const struct seam_process *p);
/* One that programs bring upon themselves. */
bool seam_is_crash(int sig);
void seam_process_release(struct seam_session *s, struct seam_process *p);
bool seam_any_alive(struct seam_session *s);
pid_t seam_parent_of(pid_t pid);
/* /proc/PID/stat from its state on, read into buf; NULL: there is none. */
const char *seam_proc_stat(pid_t pid, char *buf, size_t size);

/* session.c; the lock is held. */
void seam_bell_want(struct seam_session *s); /* counts in bell_waiters */
void seam_bell_unwant(struct seam_session *s);
/* Looks at the arena's head; calls seam_broken if need be. */
bool seam_is_sound(struct seam_session *s);

/* porter.c */
void *seam_porter_main(void *session);
void seam_door_ring(struct seam_session *s);
/* One round; returns when another is due.  The lock is held. */
uint64_t seam_porter_attend(struct seam_session *s);

/* ending.c; the lock is held, and let go while waiting.  TERM to all that
 * were started here; then: a second's wait, KILL, until they are gone. */
void seam_term_targets(struct seam_session *s);
void seam_end_targets(struct seam_session *s);
/* spawn.c: the program's file, malloc'd; `path` is a PATH or NULL. */
char *seam_search_path(const char *dir, const char *name, const char *path);
/* feed.c: write() without SIGPIPE. */
ssize_t seam_write_quietly(int fd, const void *bytes, size_t n);

/* warden.c */
int seam_warden_start(struct seam_session *s);
/* The semaphore in that file is to be given back what the loan of that index
 * says. */
bool seam_warden_lend(struct seam_session *s, uint32_t index, int fd);
void seam_warden_dismiss(struct seam_session *s);

/* listen.c */
enum seam_code seam_listen(struct seam_session *s, const char *path,
			   struct seam_error *err);
void seam_unlisten(struct seam_session *s);
void seam_unlink_socket(struct seam_session *s); /* async-signal-safe */

/* server.c */
int seam_thread_start(pthread_t *thread, void *(*run)(void *), void *arg);
void *seam_server_main(void *session);
void *seam_ringer_main(void *session);
void seam_server_poke(struct seam_session *s);
/* The role of the calling thread in this session, still its own? */
enum seam_role seam_role_now(struct seam_session *s);
void seam_strays_join(struct seam_session *s);

/* attach.c: a target's hello on that socket; answers it. */
void seam_attach(struct seam_session *s, int fd, char *line);
bool seam_is_hello(const char *line);
/* In a scheduled run processes wait for, and end, one another by number. */
enum seam_code seam_scheduled_apart(struct seam_session *s, pid_t pid,
				    pid_t inside, struct seam_error *err);

/* connection.c */
void seam_client_new(struct seam_session *s, int fd);
void seam_client_event(struct seam_client *c, uint32_t events);
/* Answers what has come about; the lock is held, and let go meanwhile. */
void seam_clients_ring(struct seam_session *s);
/* When to look again without a bell, for the waits this role looks after;
 * takes the lock. */
uint64_t seam_clients_until(struct seam_session *s, enum seam_role role);
void seam_clients_bury(struct seam_session *s);
/* refusal.c: a last error to everybody; then they are closed.  The lock is
 * held. */
void seam_clients_tell(struct seam_session *s, enum seam_code code,
		       const char *text);
/* The calling thread will sleep: what it has answered so far is sent. */
void seam_clients_send(void);
/* No thread serves any more. */
void seam_clients_free(struct seam_session *s);

#endif
