/* SPDX-License-Identifier: MIT */
/*
 * The warden: a tiny process that outlives the controller by a moment.
 *
 * It sleeps on the controller's pidfd and on a socket from it.  What comes
 * there says which semaphores are lent, with a descriptor of each, since its
 * name may be gone when it is to be given back; or that the session was closed
 * in order: then it just ends.  The pidfd says that the controller died; the
 * socket's end without that word, that it became another program.  Then the
 * warden kills the targets if the session says so, gives back what was taken
 * of named semaphores, lets go of those that live, and removes the control
 * socket, and the file that was kept free for a result.
 *
 * The pidfd is there because a fork of the controlling program (a test
 * runner's child, say) may keep the socket's other end open.  For the same
 * reason the warden shuts the listening socket down, which holds for all who
 * share it.
 *
 * It is made by a bare clone without an exit signal: the host program never
 * gets a SIGCHLD for it, nor its pid from wait().  Between clone and _exit
 * it makes system calls only: other threads' locks are in unknown state.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inner.h"

enum { WORDS, CONTROLLER, LISTENER, DESCRIPTORS };

/* `index`: of the loan whose semaphore comes with it. */
#define CLOSED UINT32_MAX
struct word {
	uint32_t index;
};

/* The three become 0, 1 and 2; all others are closed.  There may be no room
 * for more than those that are open. */
static void
keep_only(int fd[DESCRIPTORS])
{
	for (int i = 0; i < DESCRIPTORS; i++)
		if (fd[i] < DESCRIPTORS)
			fd[i] = fcntl(fd[i], F_DUPFD, DESCRIPTORS);
	for (int i = 0; i < DESCRIPTORS; i++)
		dup2(fd[i], i);
	syscall(SYS_close_range, DESCRIPTORS, ~0u, 0);
}

enum heard { HEARD, HEARD_CLOSED, HEARD_NOTHING, HEARD_END };

static enum heard
hear(struct seam_session *s)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct word word;
	struct iovec iov = { &word, sizeof(word) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	const int flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
	struct cmsghdr *cm;
	long n = syscall(SYS_recvmsg, WORDS, &msg, flags);
	int fd;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? HEARD_NOTHING :
							   HEARD_END;
	if (n != sizeof(word))
		return HEARD_END;
	if (word.index == CLOSED)
		return HEARD_CLOSED;
	cm = CMSG_FIRSTHDR(&msg);
	if (!cm || cm->cmsg_type != SCM_RIGHTS)
		return HEARD;
	memcpy(&fd, CMSG_DATA(cm), sizeof(fd));
	seam_loans_note(s->own->loans, word.index, fd);
	return HEARD;
}

/* True when the session was closed in order. */
static bool
watch(struct seam_session *s)
{
	struct pollfd pfd[] = {
		{ .fd = WORDS, .events = POLLIN },
		{ .fd = CONTROLLER, .events = POLLIN },
	};
	enum heard heard;

	for (;;) {
		while (syscall(SYS_ppoll, pfd, 2, NULL, NULL, 8) < 0)
			;
		/* What the dead have said counts. */
		do
			heard = hear(s);
		while (heard == HEARD);
		if (heard == HEARD_CLOSED)
			return true;
		if (heard == HEARD_END || pfd[1].revents)
			return false;
	}
}

static void
kill_one(struct seam_session *s, pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return;
	/* The number may be another's by now. */
	if (seam_maps_has(pid, s->own->arena_inode) == 1)
		syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	syscall(SYS_close, fd);
}

static void
kill_targets(struct seam_session *s)
{
	for (unsigned i = 0; i < seam_arena_procs(s->arena); i++) {
		struct seam_proc *p = &s->arena->proc[i];
		uint32_t state = atomic_load(&p->state);
		pid_t pid = p->pid_outside ? p->pid_outside : p->pid;

		if (state != SEAM_PROC_NONE && state != SEAM_PROC_GONE &&
		    pid > 1)
			kill_one(s, pid);
	}
}

static void
remove_empty(const char *path)
{
	struct stat st;

	if (!lstat(path, &st) && S_ISREG(st.st_mode) && st.st_size == 0)
		unlink(path);
}

static void __attribute__((noreturn))
warden(struct seam_session *s, int fd[DESCRIPTORS])
{
	keep_only(fd);
	syscall(SYS_setsid);
	prctl(PR_SET_NAME, "seam-warden");
	if (chdir("/"))
		errno = 0;
	if (!watch(s)) {
		if (s->options.kill_on_death)
			kill_targets(s);
		seam_loans_return(s->own->loans);
		seam_arena_let_go(s->arena);
		/* Who came meanwhile; who comes from now on sees that. */
		if (s->options.kill_on_death)
			kill_targets(s);
		shutdown(LISTENER, SHUT_RDWR);
		seam_unlink_socket(s);
		if (s->options.kept_free)
			remove_empty(s->options.kept_free);
	}
	syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}

int
seam_warden_start(struct seam_session *s)
{
	int end[2], fd[DESCRIPTORS], err = 0;
	sigset_t all, old;
	long pid = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end))
		return -errno;
	fd[WORDS] = end[0];
	fd[LISTENER] = s->listener;
	fd[CONTROLLER] = pidfd_open(getpid(), 0);
	if (fd[CONTROLLER] < 0) {
		err = errno;
		goto out;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = syscall(SYS_clone, 0L, NULL, NULL, NULL, 0L);
	if (pid == 0)
		warden(s, fd);
	err = pid < 0 ? errno : 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	close(fd[CONTROLLER]);
out:
	close(end[0]);
	if (err) {
		close(end[1]);
		return -err;
	}
	s->warden = end[1];
	s->own->warden = (pid_t)pid;
	return 0;
}

bool
seam_warden_lend(struct seam_session *s, uint32_t index, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct word word = { index };
	struct iovec iov = { &word, sizeof(word) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd, sizeof(int));
	do
		n = sendmsg(s->warden, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == sizeof(word);
}

void
seam_warden_dismiss(struct seam_session *s)
{
	const struct word closed = { CLOSED };

	if (s->own->warden <= 0)
		return;
	/* No SIGPIPE, should somebody have killed it: a signal would be
	 * taken in this thread, where it is blocked. */
	seam_write_quietly(s->warden, &closed, sizeof(closed));
	close(s->warden);
	while (waitpid(s->own->warden, NULL, (int)__WCLONE) < 0 &&
	       errno == EINTR)
		;
	s->warden = -1;
	s->own->warden = 0;
}
