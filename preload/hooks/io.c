/* SPDX-License-Identifier: MIT */
/*
 * Calls that may wait for the other end of a pipe, a socket, a terminal.  In
 * a scheduled run such a call is enabled by readiness, which poll tells, so
 * that it does not wait once it is made.  Regular files never wait: they
 * pass.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "../raw.h"
#include "hooks.h"

/* libc declares these with a union of pointers. */
static inline __SOCKADDR_ARG
any_address(void *p)
{
	return (__SOCKADDR_ARG){ .__sockaddr__ = p };
}

static inline __CONST_SOCKADDR_ARG
const_address(void *p)
{
	return (__CONST_SOCKADDR_ARG){ .__sockaddr__ = p };
}

/* A signal has come that the call's own mask lets through. */
static bool
signal_ready(const struct seam_call *c)
{
	return c->mask && seam_signals_pending(~*c->mask);
}

/* c->arg[0]: the events to be ready for. */
static bool
descriptor_ready(const struct seam_call *c)
{
	struct pollfd p = { c->fd, (short)c->arg[0], 0 };

	return seam_raw3(SYS_poll, &p, 1, 0) != 0 || signal_ready(c);
}

/* Fills in who it is; false: nothing that could make a caller wait. */
static bool
may_wait(struct seam_call *c, int fd, short events)
{
	struct stat st = { 0 };
	long flags = seam_raw2(SYS_fcntl, fd, F_GETFL);

	if (seam_raw2(SYS_fstat, fd, &st) < 0 || S_ISREG(st.st_mode) ||
	    S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode) ||
	    (flags & O_ACCMODE) == (events & POLLIN ? O_WRONLY : O_RDONLY))
		return false;
	c->fd = fd;
	c->arg[0] = (uint64_t)events;
	c->off = st.st_dev;
	c->len = st.st_ino;
	c->cancel = true;
	c->eintr = true;
	if (!(flags & O_NONBLOCK))
		c->ready = descriptor_ready;
	return true;
}

/* The rest of the arguments. */
struct transfer {
	void *buf;
	size_t n;
	int flags;
	void *addr;
	socklen_t *addrlen;
	ssize_t result;
};

static struct transfer *
transfer(const struct seam_call *c)
{
	return seam_ptr(c->arg[1]);
}

static int
result_of(struct seam_call *c, ssize_t result)
{
	transfer(c)->result = result;
	return result < 0 ? errno : 0;
}

static ssize_t
transfer_by(struct seam_call *c, struct transfer *t,
	    int (*real)(struct seam_call *))
{
	c->arg[1] = seam_word(t);
	c->real = real;
	int error = seam_gate_call(c);
	return error ? seam_errno(error) : t->result;
}

/*
 * A transfer hook.  In parentheses: parameters; the real call's arguments;
 * what real_f calls, in terms of c and t; the transfer's fields.
 */
#define TRANSFER_HOOK(f, op, events, parameters, arguments, call, ...)         \
	static int real_##f(struct seam_call *c)                               \
	{                                                                      \
		const struct transfer *t = transfer(c);                        \
		(void)t;                                                       \
		return result_of(c, seam_real.f call);                         \
	}                                                                      \
	SEAM_EXPORT ssize_t f parameters                                       \
	{                                                                      \
		if (SEAM_PASSIVE(op)) {                                        \
			seam_ready();                                          \
			return seam_real.f arguments;                          \
		}                                                              \
		struct seam_call c = SEAM_CALL(f, op, NULL);                   \
		struct transfer t = __VA_ARGS__;                               \
		seam_ready();                                                  \
		int saved = errno;                                             \
		bool waits = may_wait(&c, fd, events);                         \
		errno = saved;                                                 \
		if (!waits)                                                    \
			return seam_real.f arguments;                          \
		if (t.flags & MSG_DONTWAIT)                                    \
			c.ready = NULL;                                        \
		return transfer_by(&c, &t, real_##f);                          \
	}

/* clang-format off */
TRANSFER_HOOK(read, IO_READ, POLLIN, (int fd, void *buf, size_t n),
	(fd, buf, n), (c->fd, t->buf, t->n), { .buf = buf, .n = n })
TRANSFER_HOOK(readv, IO_READ, POLLIN, (int fd, const struct iovec *v, int n),
	(fd, v, n), (c->fd, t->buf, (int)t->n),
	{ .buf = seam_ptr(seam_word(v)), .n = (size_t)n })
TRANSFER_HOOK(recv, IO_READ, POLLIN,
	(int fd, void *buf, size_t n, int flags), (fd, buf, n, flags),
	(c->fd, t->buf, t->n, t->flags),
	{ .buf = buf, .n = n, .flags = flags })
TRANSFER_HOOK(recvfrom, IO_READ, POLLIN,
	(int fd, void *restrict buf, size_t n, int flags,
	 __SOCKADDR_ARG addr, socklen_t *restrict addrlen),
	(fd, buf, n, flags, addr, addrlen),
	(c->fd, t->buf, t->n, t->flags, any_address(t->addr), t->addrlen),
	{ .buf = buf, .n = n, .flags = flags, .addr = addr.__sockaddr__,
	  .addrlen = addrlen })
TRANSFER_HOOK(recvmsg, IO_READ, POLLIN,
	(int fd, struct msghdr *msg, int flags), (fd, msg, flags),
	(c->fd, t->buf, t->flags), { .buf = msg, .flags = flags })
TRANSFER_HOOK(writev, IO_WRITE, POLLOUT,
	(int fd, const struct iovec *v, int n), (fd, v, n),
	(c->fd, t->buf, (int)t->n),
	{ .buf = seam_ptr(seam_word(v)), .n = (size_t)n })
TRANSFER_HOOK(send, IO_WRITE, POLLOUT,
	(int fd, const void *buf, size_t n, int flags), (fd, buf, n, flags),
	(c->fd, t->buf, t->n, t->flags),
	{ .buf = seam_ptr(seam_word(buf)), .n = n, .flags = flags })
TRANSFER_HOOK(sendto, IO_WRITE, POLLOUT,
	(int fd, const void *buf, size_t n, int flags,
	 __CONST_SOCKADDR_ARG addr, socklen_t addrlen),
	(fd, buf, n, flags, addr, addrlen),
	(c->fd, t->buf, t->n, t->flags, const_address(t->addr), (socklen_t)c->arg[2]),
	{ .buf = seam_ptr(seam_word(buf)), .n = n, .flags = flags,
	  .addr = seam_ptr(seam_word(addr.__sockaddr__)) }; c.arg[2] = addrlen)
TRANSFER_HOOK(sendmsg, IO_WRITE, POLLOUT,
	(int fd, const struct msghdr *msg, int flags), (fd, msg, flags),
	(c->fd, t->buf, t->flags),
	{ .buf = seam_ptr(seam_word(msg)), .flags = flags })
/* clang-format on */

/* A pipe that is ready takes PIPE_BUF bytes without waiting; so much is
 * written at a time, until all is, as a blocking write does. */
static int
real_write(struct seam_call *c)
{
	const struct transfer *t = transfer(c);

	return result_of(c, seam_real.write(c->fd, t->buf, t->n));
}

static ssize_t
write_in_parts(struct seam_call *c, const char *buf, size_t n)
{
	size_t done = 0;

	do {
		size_t part = n - done < PIPE_BUF ? n - done : PIPE_BUF;
		struct transfer t = { .buf = seam_ptr(seam_word(buf + done)),
				      .n = part };
		struct seam_call one = *c;
		ssize_t r = transfer_by(&one, &t, real_write);

		if (r < 0)
			return done ? (ssize_t)done : r;
		done += (size_t)r;
	} while (done < n);
	return (ssize_t)done;
}

SEAM_EXPORT ssize_t
write(int fd, const void *buf, size_t n)
{
	if (SEAM_PASSIVE(IO_WRITE)) {
		seam_ready();
		return seam_real.write(fd, buf, n);
	}
	struct seam_call c = SEAM_CALL(write, IO_WRITE, NULL);
	seam_ready();
	int saved = errno;
	bool waits = may_wait(&c, fd, POLLOUT);
	errno = saved;
	if (!waits)
		return seam_real.write(fd, buf, n);
	if (c.ready && seam_is_scheduled())
		return write_in_parts(&c, buf, n);
	struct transfer t = { .buf = seam_ptr(seam_word(buf)), .n = n };
	return transfer_by(&c, &t, real_write);
}

/* accept, connect */

static int
real_accept4(struct seam_call *c)
{
	c->value = seam_real.accept4(c->fd, any_address(seam_ptr(c->arg[1])),
				     seam_ptr(c->arg[2]), (int)c->arg[3]);
	return seam_error(c->value);
}

static int
accept_by(struct seam_call *c, int fd, __SOCKADDR_ARG addr, socklen_t *addrlen,
	  int flags)
{
	seam_ready();
	if (!may_wait(c, fd, POLLIN))
		return seam_real.accept4(fd, addr, addrlen, flags);
	c->arg[1] = seam_word(addr.__sockaddr__);
	c->arg[2] = seam_word(addrlen);
	c->arg[3] = (uint64_t)flags;
	c->real = real_accept4;
	int error = seam_gate_call(c);
	return error ? seam_errno(error) : c->value;
}

SEAM_EXPORT int
accept(int fd, __SOCKADDR_ARG addr, socklen_t *restrict addrlen)
{
	if (SEAM_PASSIVE(IO_ACCEPT)) {
		seam_ready();
		return seam_real.accept(fd, addr, addrlen);
	}
	struct seam_call c = SEAM_CALL(accept, IO_ACCEPT, NULL);
	return accept_by(&c, fd, addr, addrlen, 0);
}

SEAM_EXPORT int
accept4(int fd, __SOCKADDR_ARG addr, socklen_t *restrict addrlen, int flags)
{
	if (SEAM_PASSIVE(IO_ACCEPT)) {
		seam_ready();
		return seam_real.accept4(fd, addr, addrlen, flags);
	}
	struct seam_call c = SEAM_CALL(accept4, IO_ACCEPT, NULL);
	return accept_by(&c, fd, addr, addrlen, flags);
}

static int
real_connect(struct seam_call *c)
{
	return seam_error(seam_real.connect(c->fd,
					    const_address(seam_ptr(c->arg[1])),
					    (socklen_t)c->arg[2]));
}

/* A connection within the machine is made at once, or refused: no waiting. */
SEAM_EXPORT int
connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t addrlen)
{
	if (SEAM_PASSIVE(IO_CONNECT)) {
		seam_ready();
		return seam_real.connect(fd, addr, addrlen);
	}
	struct seam_call c = SEAM_CALL(connect, IO_CONNECT, NULL);
	seam_ready();
	if (!may_wait(&c, fd, POLLOUT))
		return seam_real.connect(fd, addr, addrlen);
	c.ready = NULL;
	c.arg[1] = seam_word(addr.__sockaddr__);
	c.arg[2] = addrlen;
	c.real = real_connect;
	return seam_errno(seam_gate_call(&c));
}

/* poll and its like: ready when a look says so. */

struct polling {
	struct pollfd *fds;
	nfds_t n;
	int epoll, max;
	struct epoll_event *events;
	fd_set *in, *out, *except;
	const sigset_t *mask;
};

static const struct polling *
polling(const struct seam_call *c)
{
	return seam_ptr(c->arg[1]);
}

/* Not if the time is 0, nor if it is none. */
static bool
waits_for(const struct timespec *span)
{
	return (span->tv_sec > 0 || (span->tv_sec == 0 && span->tv_nsec > 0)) &&
	       seam_time_valid(CLOCK_MONOTONIC, span);
}

/* A relative time; NULL: for ever. */
static int
poll_by(struct seam_call *c, struct polling *p, const struct timespec *span)
{
	struct timespec until;

	c->arg[1] = seam_word(p);
	c->arg[2] = seam_word(span);
	c->mask = (const void *)p->mask;
	c->cancel = true;
	c->eintr = true;
	c->timeout_error = 0;
	c->clock = CLOCK_MONOTONIC;
	if (!seam_is_scheduled() || (span && !waits_for(span))) {
		c->ready = NULL;
	} else if (span) {
		seam_time_after(&until, span);
		c->deadline = &until;
	}
	int error = seam_gate_call(c);
	return error ? seam_errno(error) : c->value;
}

static int
real_ppoll(struct seam_call *c)
{
	const struct polling *p = polling(c);

	c->value = seam_real.ppoll(p->fds, p->n, seam_ptr(c->arg[2]), p->mask);
	return seam_error(c->value);
}

static bool
poll_ready(const struct seam_call *c)
{
	const struct polling *p = polling(c);
	nfds_t i;

	for (i = 0; i < p->n; i++) {
		struct pollfd one = { p->fds[i].fd, p->fds[i].events, 0 };

		if (one.fd >= 0 && seam_raw3(SYS_poll, &one, 1, 0) != 0)
			return true;
	}
	return signal_ready(c);
}

static struct timespec
of_milliseconds(int ms)
{
	return (struct timespec){ ms / 1000, (long)(ms % 1000) * 1000000 };
}

SEAM_EXPORT int
poll(struct pollfd *fds, nfds_t n, int ms)
{
	struct timespec span = of_milliseconds(ms);

	if (SEAM_PASSIVE(IO_POLL)) {
		seam_ready();
		return seam_real.poll(fds, n, ms);
	}
	struct seam_call c = SEAM_CALL(poll, IO_POLL, NULL);
	struct polling p = { .fds = fds, .n = n };
	c.ready = poll_ready;
	c.real = real_ppoll;
	return poll_by(&c, &p, ms < 0 ? NULL : &span);
}

SEAM_EXPORT int
ppoll(struct pollfd *fds, nfds_t n, const struct timespec *span,
      const sigset_t *mask)
{
	if (SEAM_PASSIVE(IO_POLL)) {
		seam_ready();
		return seam_real.ppoll(fds, n, span, mask);
	}
	struct seam_call c = SEAM_CALL(ppoll, IO_POLL, NULL);
	struct polling p = { .fds = fds, .n = n, .mask = mask };
	c.ready = poll_ready;
	c.real = real_ppoll;
	return poll_by(&c, &p, span);
}

static int
real_pselect(struct seam_call *c)
{
	const struct polling *p = polling(c);

	c->value = seam_real.pselect(p->max, p->in, p->out, p->except,
				     seam_ptr(c->arg[2]), p->mask);
	return seam_error(c->value);
}

/* Tells what is left of the time. */
static int
real_select(struct seam_call *c)
{
	const struct polling *p = polling(c);

	c->value = seam_real.select(p->max, p->in, p->out, p->except,
				    seam_ptr(c->arg[3]));
	return seam_error(c->value);
}

static bool
select_ready(const struct seam_call *c)
{
	const struct polling *p = polling(c);
	int fd;

	for (fd = 0; fd < p->max && fd < FD_SETSIZE; fd++) {
		struct pollfd one = { fd, 0, 0 };

		if (p->in && FD_ISSET(fd, p->in))
			one.events |= POLLIN;
		if (p->out && FD_ISSET(fd, p->out))
			one.events |= POLLOUT;
		if (p->except && FD_ISSET(fd, p->except))
			one.events |= POLLPRI;
		if (one.events && seam_raw3(SYS_poll, &one, 1, 0) != 0)
			return true;
	}
	return signal_ready(c);
}

/* What a call by its timeout, which is not made, answers. */
static void
clear_sets(const struct polling *p)
{
	int fd;

	for (fd = 0; fd < p->max && fd < FD_SETSIZE; fd++) {
		if (p->in)
			FD_CLR(fd, p->in);
		if (p->out)
			FD_CLR(fd, p->out);
		if (p->except)
			FD_CLR(fd, p->except);
	}
}

SEAM_EXPORT int
select(int max, fd_set *restrict in, fd_set *restrict out,
       fd_set *restrict except, struct timeval *restrict span)
{
	struct timespec t;

	if (SEAM_PASSIVE(IO_POLL)) {
		seam_ready();
		return seam_real.select(max, in, out, except, span);
	}
	struct seam_call c = SEAM_CALL(select, IO_POLL, NULL);
	struct polling p = {
		.max = max, .in = in, .out = out, .except = except
	};
	if (span)
		t = (struct timespec){ span->tv_sec, span->tv_usec * 1000 };
	c.arg[3] = seam_word(span);
	c.ready = select_ready;
	c.real = real_select;
	int r = poll_by(&c, &p, span ? &t : NULL);
	if (!r && c.ready && span) {
		clear_sets(&p);
		span->tv_sec = span->tv_usec = 0;
	}
	return r;
}

SEAM_EXPORT int
pselect(int max, fd_set *restrict in, fd_set *restrict out,
	fd_set *restrict except, const struct timespec *restrict span,
	const sigset_t *restrict mask)
{
	if (SEAM_PASSIVE(IO_POLL)) {
		seam_ready();
		return seam_real.pselect(max, in, out, except, span, mask);
	}
	struct seam_call c = SEAM_CALL(pselect, IO_POLL, NULL);
	struct polling p = {
		.max = max, .in = in, .out = out, .except = except, .mask = mask
	};
	c.ready = select_ready;
	c.real = real_pselect;
	int r = poll_by(&c, &p, span);
	if (!r && c.ready && span)
		clear_sets(&p);
	return r;
}

static int
real_epoll_pwait(struct seam_call *c)
{
	const struct polling *p = polling(c);
	const struct timespec *t = seam_ptr(c->arg[2]);
	int ms = t ? (int)(t->tv_sec * 1000 + t->tv_nsec / 1000000) : -1;

	c->value =
	    seam_real.epoll_pwait(p->epoll, p->events, p->max, ms, p->mask);
	return seam_error(c->value);
}

static int
epoll_by(struct seam_call *c, int epoll, struct epoll_event *events, int max,
	 int ms, const sigset_t *mask)
{
	struct timespec span = of_milliseconds(ms);
	struct polling p = {
		.epoll = epoll, .events = events, .max = max, .mask = mask
	};

	seam_ready();
	may_wait(c, epoll, POLLIN);
	c->ready = descriptor_ready;
	c->real = real_epoll_pwait;
	return poll_by(c, &p, ms < 0 ? NULL : &span);
}

SEAM_EXPORT int
epoll_wait(int epoll, struct epoll_event *events, int max, int ms)
{
	if (SEAM_PASSIVE(IO_POLL)) {
		seam_ready();
		return seam_real.epoll_wait(epoll, events, max, ms);
	}
	struct seam_call c = SEAM_CALL(epoll_wait, IO_POLL, NULL);
	return epoll_by(&c, epoll, events, max, ms, NULL);
}

SEAM_EXPORT int
epoll_pwait(int epoll, struct epoll_event *events, int max, int ms,
	    const sigset_t *mask)
{
	if (SEAM_PASSIVE(IO_POLL)) {
		seam_ready();
		return seam_real.epoll_pwait(epoll, events, max, ms, mask);
	}
	struct seam_call c = SEAM_CALL(epoll_pwait, IO_POLL, NULL);
	return epoll_by(&c, epoll, events, max, ms, mask);
}
