/* SPDX-License-Identifier: MIT */
/*
 * A target says hello.
 *
 *	target:     attach 1 pid=<its getpid()> tid=<its gettid()>
 *	            unable pid=<its getpid()> why
 *	controller: ok proc=<index> size=<bytes>	with the arena's memfd
 *	            err CODE text
 *
 * The reply is the acknowledgement: before it is sent the process has its
 * entry, its maps are read, its rules compiled, its gate set.  Who it is, the
 * kernel tells (SO_PEERCRED); what the target says of itself is only noted.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "execs.h"
#include "inner.h"

static void
refuse(int fd, const struct seam_error *err)
{
	char line[sizeof(err->text) + 64];
	int n = snprintf(line, sizeof(line), "err %s %s\n",
			 seam_code_name(err->code), err->text);

	if (n > 0)
		send(fd, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool
welcome(struct seam_session *s, int fd, unsigned index)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char line[80];
	struct iovec iov = { .iov_base = line };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;

	iov.iov_len =
	    (size_t)snprintf(line, sizeof(line), "ok proc=%u size=%zu\n", index,
			     sizeof(struct seam_arena));
	msg.msg_control = control.buf;
	msg.msg_controllen = sizeof(control.buf);
	cm = CMSG_FIRSTHDR(&msg);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &s->arena_fd, sizeof(int));
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* A server's run is known by its server: it has that one's entry. */
static struct seam_process *
parent_of(struct seam_session *s, pid_t pid)
{
	const struct seam_sched *sched = &s->arena->sched;
	pid_t parent = seam_parent_of(pid);
	struct seam_process *p = seam_process_of_pid(s, parent);

	if (!p && parent > 1 && parent == atomic_load(&sched->run_pid))
		p = seam_process_of_pid(s, atomic_load(&sched->server_pid));
	return p;
}

/* Who is it: spawned by us, another program in a known process, or new? */
static struct seam_process *
entry_for(struct seam_session *s, pid_t pid, struct seam_error *err)
{
	struct seam_process *p = seam_process_of_pid(s, pid);
	int r;

	if (p && seam_process_is_over(p)) { /* its number is used again */
		seam_process_ended(s, p);
		p = NULL;
	}
	if (p) {
		if (s->own->extra[p->index].attached)
			seam_process_renew(s, p);
		free(p->unhooked);
		p->unhooked = NULL;
		return p;
	}
	p = seam_process_new(s, parent_of(s, pid));
	if (!p) {
		sess_fail(err, SEAM_E_UNSUPPORTED, 0,
			  "the session has no room for another process");
		return NULL;
	}
	r = seam_process_follow(s, p, pid);
	if (r == 0)
		return p;
	seam_process_drop(s, p);
	sess_fail(err, SEAM_E_GONE, 0, "process %d: %s", pid, strerror(-r));
	return NULL;
}

enum seam_code
seam_scheduled_apart(struct seam_session *s, pid_t pid, pid_t inside,
		     struct seam_error *err)
{
	if (pid == inside || !atomic_load(&s->arena->sched.on))
		return SEAM_OK;
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
			 "it is in another pid namespace; a run can be "
			 "scheduled by a seam in there only");
}

/* It runs on without us, which is a blind spot; one that we started is told of
 * by sess_start.  It has not seen its entry. */
static void
reject(struct seam_session *s, struct seam_process *p,
       const struct seam_error *err)
{
	seam_process_note_exe(p);
	free(p->unhooked);
	p->unhooked = strdup(err->text);
	seam_bell_ring(s);
}

struct hello {
	const char *unable; /* why it cannot be a target; NULL: it can */
	unsigned version;
	int inside, tid;
};

static enum seam_code
accept_target(struct seam_session *s, int fd, pid_t pid, struct hello *hello,
	      struct seam_process *p, struct seam_error *err)
{
	s->arena->proc[p->index].pid = hello->inside;
	seam_execs_hello(s, pid, hello->inside);
	if (hello->unable)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "%s",
				 hello->unable);
	if (seam_scheduled_apart(s, pid, hello->inside, err) != SEAM_OK)
		return err->code;
	if (seam_process_enliven(s, p, err) == SEAM_OK &&
	    !welcome(s, fd, p->index))
		sess_fail(err, SEAM_E_GONE, 0, "process %d went away", pid);
	return err->code;
}

static void
attach(struct seam_session *s, int fd, pid_t pid, struct hello *hello,
       struct seam_error *err)
{
	struct seam_process *p;

	if (s->broken[0] || atomic_load(&s->stopping)) {
		sess_fail(err, SEAM_E_GONE, 0, "the session has ended");
		return;
	}
	p = entry_for(s, pid, err);
	if (!p)
		return;
	if (accept_target(s, fd, pid, hello, p, err) == SEAM_OK)
		seam_bell_ring(s);
	else
		reject(s, p, err);
}

static void
read_hello(char *line, struct hello *hello, struct seam_error *err)
{
	int at = 0;

	if (sscanf(line, "unable pid=%d %n", &hello->inside, &at) == 1 && at)
		hello->unable = line + at;
	else if (sscanf(line, "attach %u pid=%d tid=%d", &hello->version,
			&hello->inside, &hello->tid) != 3)
		sess_fail(err, SEAM_E_SYNTAX, 0,
			  "attach VERSION pid=PID tid=TID is what targets say");
	else if (hello->version != SEAM_ARENA_VERSION)
		sess_fail(err, SEAM_E_UNSUPPORTED, 0,
			  "version %u of libseam.so; this is version %u",
			  hello->version, SEAM_ARENA_VERSION);
}

bool
seam_is_hello(const char *line)
{
	return !strncmp(line, "attach ", 7) || !strncmp(line, "unable ", 7);
}

void
seam_attach(struct seam_session *s, int fd, char *line)
{
	struct seam_error err = { .code = SEAM_OK };
	struct ucred cred = { .pid = 0 };
	socklen_t len = sizeof(cred);
	struct hello hello = { .unable = NULL };

	read_hello(line, &hello, &err);
	if (err.code == SEAM_OK &&
	    (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) ||
	     cred.pid <= 0))
		sess_fail(&err, SEAM_E_UNSUPPORTED, 0,
			  "a process outside of this pid namespace");
	if (err.code == SEAM_OK) {
		seam_lock(s);
		attach(s, fd, cred.pid, &hello, &err);
		seam_unlock(s);
	}
	if (err.code != SEAM_OK)
		refuse(fd, &err);
}
