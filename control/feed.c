/* SPDX-License-Identifier: MIT */
/* What goes into a target and comes out of it; signals. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "inner.h"

#define NS_PER_MS UINT64_C(1000000)
#define SEND_MS 5000

ssize_t
seam_write_quietly(int fd, const void *bytes, size_t n)
{
	const struct timespec none = { .tv_sec = 0 };
	sigset_t pipe, old, waiting;
	ssize_t r;
	int err;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &old);
	sigpending(&waiting);
	r = write(fd, bytes, n);
	err = errno;
	if (r < 0 && err == EPIPE && !sigismember(&waiting, SIGPIPE))
		sigtimedwait(&pipe, NULL, &none);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return r;
}

/* The lock is not held. */
static enum seam_code
send_all(int fd, const char *text, size_t n, struct seam_error *err)
{
	uint64_t until = seam_now() + SEND_MS * NS_PER_MS;
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	ssize_t r;

	while (n > 0) {
		r = seam_write_quietly(fd, text, n);
		if (r > 0) {
			text += r;
			n -= (size_t)r;
		} else if (errno == EPIPE) {
			return sess_fail(err, SEAM_E_GONE, 0,
					 "it has closed its input");
		} else if (errno != EAGAIN && errno != EINTR) {
			return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
					 "its input: %s", strerror(errno));
		} else if (seam_now() > until) {
			return sess_fail(err, SEAM_E_TIMEOUT, 0,
					 "it has not read its input for "
					 "%d ms",
					 SEND_MS);
		} else {
			poll(&pfd, 1, 100);
		}
	}
	return SEAM_OK;
}

enum seam_code
sess_send(struct seam_session *s, const char *proc, const char *text, bool eof,
	  struct seam_error *err)
{
	struct seam_process *p;
	enum seam_code code = SEAM_OK;
	int fd = -1;

	seam_lock(s);
	p = seam_process_find(s, proc, 0, err);
	if (!p)
		code = err ? err->code : SEAM_E_NO_SUCH_THREAD;
	else if (p->in < 0)
		code =
		    sess_fail(err, p->ended ? SEAM_E_GONE : SEAM_E_UNSUPPORTED,
			      0, "%s %s", proc,
			      p->ended ? "has ended" :
					 "has no input of ours, or it was "
					 "ended");
	else if ((fd = fcntl(p->in, F_DUPFD_CLOEXEC, 0)) < 0)
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0, "%s",
				 strerror(errno));
	if (fd >= 0)
		seam_may_block(s);
	seam_unlock(s);
	if (fd < 0)
		return code;
	code = send_all(fd, text ? text : "", text ? strlen(text) : 0, err);
	close(fd);
	if (!eof)
		return code;
	seam_lock(s);
	p = seam_process_find(s, proc, 0, NULL);
	if (p && p->in >= 0) {
		close(p->in);
		p->in = -1;
	}
	seam_unlock(s);
	return code;
}

static char *
read_all(int fd, size_t *len)
{
	struct stat st;
	char *text;
	ssize_t r;
	size_t n = 0;

	if (fstat(fd, &st) || !(text = malloc((size_t)st.st_size + 1)))
		return NULL;
	while (n < (size_t)st.st_size) {
		r = pread(fd, text + n, (size_t)st.st_size - n, (off_t)n);
		if (r <= 0)
			break;
		n += (size_t)r;
	}
	text[n] = '\0';
	*len = n;
	return text;
}

enum seam_code
sess_output(struct seam_session *s, const char *proc, char **text, size_t *len,
	    struct seam_error *err)
{
	struct seam_process *p;
	enum seam_code code = SEAM_OK;
	size_t n = 0;

	*text = NULL;
	seam_lock(s);
	p = seam_process_find(s, proc, 0, err);
	if (!p)
		code = err ? err->code : SEAM_E_NO_SUCH_THREAD;
	else if (p->out < 0)
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "the output of %s is not kept", proc);
	else if (!(*text = read_all(p->out, &n)))
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "the output of %s: %s", proc, strerror(errno));
	if (len)
		*len = n;
	seam_unlock(s);
	return code;
}

enum seam_code
seam_signal(struct seam_session *s, const char *proc, int sig,
	    struct seam_error *err)
{
	struct seam_process *p;
	enum seam_code code = SEAM_OK;

	seam_lock(s);
	p = seam_process_find(s, proc, 0, err);
	if (p && !p->ended && sig != SIGKILL && sig != SIGCONT)
		seam_settle(s, p);
	if (p)
		p->sent = sig;
	if (!p)
		code = err ? err->code : SEAM_E_NO_SUCH_THREAD;
	else if (p->ended || p->pidfd < 0)
		code = sess_fail(err, SEAM_E_GONE, 0, "%s has ended", proc);
	else if (pidfd_send_signal(p->pidfd, sig, NULL, 0))
		code =
		    sess_fail(err,
			      errno == ESRCH ? SEAM_E_GONE : SEAM_E_UNSUPPORTED,
			      0, "%s: %s", proc, strerror(errno));
	seam_unlock(s);
	return code;
}
