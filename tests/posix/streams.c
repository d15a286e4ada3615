/* SPDX-License-Identifier: MIT */
/* Reading, writing, sockets, and waiting for descriptors. */
#include "promise.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

/* Arguments that the compiler would warn of. */
static void *volatile nowhere = (void *)8;
static volatile int fewer = -1, more = 100000;

static const struct timespec ms5 = { 0, 5000000 }, none = { 0, 0 };

static void
pipes(void)
{
	int p[2];
	char buf[32] = "";
	struct iovec out[2] = { { (char[]){ "ab" }, 2 },
				{ (char[]){ "cde" }, 3 } };
	struct iovec in[2] = { { buf, 1 }, { buf + 10, 20 } };

	must(pipe(p) != 0);
	gives("write", write(p[1], "hello", 5), 5);
	gives("read less", read(p[0], buf, 2), 2);
	gives("read the rest", read(p[0], buf + 2, 30), 3);
	verdict("read", buf, "hello");
	gives("write nothing", write(p[1], "", 0), 0);
	gives("writev", writev(p[1], out, 2), 5);
	fails("readv, too many", readv(p[0], in, fewer), EINVAL);
	gives("readv", readv(p[0], in, 2), 5);
	is("readv: where it went", buf[0] == 'a' && buf[10] == 'b', 1);
	fails("writev, too many", writev(p[1], out, more), EINVAL);
	fails("read, no descriptor", read(-1, buf, 1), EBADF);
	fails("write, no descriptor", write(-1, buf, 1), EBADF);
	fails("read from the end for writing", read(p[1], buf, 1), EBADF);
	fails("write from nowhere", write(p[1], nowhere, 1), EFAULT);
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	fails("read, empty, not to wait", read(p[0], buf, 1), EAGAIN);
	/* A user with many pipes is given smaller ones: pipe(7). */
	static char much[1 << 20];
	int room = fcntl(p[1], F_GETPIPE_SZ);
	must(room <= 0 || room >= (int)sizeof(much));
	is("write, too much, not to wait",
	   write(p[1], much, sizeof(much)) == room, 1);
	fails("write, full, not to wait", write(p[1], much, 1), EAGAIN);
	is("read it all", read(p[0], much, sizeof(much)) == room, 1);
	close(p[1]);
	gives("read at the end", read(p[0], buf, 1), 0);
	close(p[0]);
	must(pipe(p) != 0);
	close(p[0]);
	fails("write, nobody reads", write(p[1], "x", 1), EPIPE);
	fails("writev, nobody reads", writev(p[1], out, 2), EPIPE);
	close(p[1]);
}

static void
files(void)
{
	FILE *f = tmpfile();
	char buf[8] = "";

	must(f == NULL);
	int fd = fileno(f);
	gives("write to a file", write(fd, "xyz", 3), 3);
	gives("read at its end", read(fd, buf, 3), 0);
	lseek(fd, 0, SEEK_SET);
	gives("read from a file", read(fd, buf, 8), 3);
	fails("send to a file", send(fd, "x", 1, 0), ENOTSOCK);
	fails("recv from a file", recv(fd, buf, 1, 0), ENOTSOCK);
	fails("accept of a file", accept(fd, NULL, NULL), ENOTSOCK);
	fclose(f);
}

static void
pairs(void)
{
	int s[2];
	char buf[32] = "";
	struct iovec io = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1 };

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s) != 0);
	gives("send", send(s[0], "hello", 5, 0), 5);
	gives("recv, to look", recv(s[1], buf, 32, MSG_PEEK), 5);
	gives("recv", recv(s[1], buf, 32, 0), 5);
	fails("recv, not to wait", recv(s[1], buf, 32, MSG_DONTWAIT), EAGAIN);
	gives("sendto", sendto(s[0], "ab", 2, 0, NULL, 0), 2);
	gives("recvfrom", recvfrom(s[1], buf, 32, 0, NULL, NULL), 2);
	io.iov_len = 3;
	gives("sendmsg", sendmsg(s[0], &msg, 0), 3);
	io.iov_len = 32;
	gives("recvmsg", recvmsg(s[1], &msg, 0), 3);
	fails("recvmsg, not to wait", recvmsg(s[1], &msg, MSG_DONTWAIT),
	      EAGAIN);
	shutdown(s[0], SHUT_WR);
	gives("recv at the end", recv(s[1], buf, 32, 0), 0);
	close(s[1]);
	fails("send, nobody there", send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	close(s[0]);

	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) != 0);
	gives("send a datagram", send(s[0], "hello", 5, 0), 5);
	msg.msg_flags = 0;
	io.iov_len = 2;
	gives("recvmsg, cut off", recvmsg(s[1], &msg, 0), 2);
	is("recvmsg says so", msg.msg_flags & MSG_TRUNC, MSG_TRUNC);
	close(s[0]);
	close(s[1]);
}

static struct sockaddr_storage address;
static socklen_t address_size;

static void *
connects(void *arg)
{
	int s = socket(address.ss_family, SOCK_STREAM, 0);
	char c = 'c';

	(void)arg;
	must(s < 0);
	errno = KEPT;
	int r = connect(s, (struct sockaddr *)&address, address_size);
	/* Who accepts must not wait for a peer that never comes. */
	if (r != 0)
		die("connect: %s", errno_symbol(errno));
	if (errno != KEPT)
		return RESULT(errno);
	r = send(s, &c, 1, 0) == 1 && recv(s, &c, 1, 0) == 1 && c == 's';
	close(s);
	return RESULT(r ? 0 : 1000);
}

static void
serve(const char *name, int listener, int flags)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	pthread_t t;
	void *result;
	char c = 0;

	must(pthread_create(&t, NULL, connects, NULL) != 0);
	int s = flags < 0 ?
		    accept(listener, (struct sockaddr *)&peer, &size) :
		    accept4(listener, (struct sockaddr *)&peer, &size, flags);
	is(name, s >= 0 && peer.ss_family == address.ss_family, 1);
	if (peer.ss_family == AF_INET) {
		is("whom it names",
		   size == sizeof(struct sockaddr_in) &&
		       ((struct sockaddr_in *)&peer)->sin_addr.s_addr ==
			   htonl(INADDR_LOOPBACK),
		   1);
	} else {
		is("an unnamed peer", size, sizeof(sa_family_t));
	}
	is("its flags", fcntl(s, F_GETFD), flags < 0 ? 0 : FD_CLOEXEC);
	is("what it sends", recv(s, &c, 1, 0) == 1 && c == 'c', 1);
	c = 's';
	is("what it is sent", send(s, &c, 1, 0), 1);
	pthread_join(t, &result);
	is("connect", (long)result, 0);
	close(s);
}

/* A socket that accepts, and one that connects, of a family. */
static void
family(const void *name, socklen_t size)
{
	struct sockaddr *a = (struct sockaddr *)&address;

	memcpy(&address, name, size);
	int listener = socket(address.ss_family, SOCK_STREAM, 0);
	int s = socket(address.ss_family, SOCK_STREAM, 0);
	char c;

	must(listener < 0 || s < 0);
	must(bind(listener, a, size) != 0);
	address_size = sizeof(address);
	must(getsockname(listener, a, &address_size) != 0);
	fails("connect, nobody listens", connect(s, a, address_size),
	      ECONNREFUSED);
	fails("accept, not listening", accept(listener, NULL, NULL), EINVAL);
	must(listen(listener, 5) != 0);
	serve("accept", listener, -1);
	serve("accept4", listener, SOCK_CLOEXEC);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	fails("accept4, bad flags", accept4(listener, NULL, NULL, 77), EINVAL);
	fails("accept, not to wait", accept(listener, NULL, NULL), EAGAIN);
	close(s);
	s = socket(address.ss_family, SOCK_STREAM, 0);
	fails("recv, not connected", recv(s, &c, 1, 0),
	      address.ss_family == AF_INET ? ENOTCONN : EINVAL);
	fails("connect, no descriptor", connect(-1, a, address_size), EBADF);
	fails("connect, short address", connect(s, a, 1), EINVAL);
	close(s);
	close(listener);
}

/* Whether packets come from this host to itself; not where "lo" is down. */
static int
has_loopback(const struct sockaddr_in *in)
{
	struct sockaddr_in to = *in;
	socklen_t size = sizeof(to);
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	int r = s >= 0 && bind(s, (struct sockaddr *)&to, size) == 0 &&
		getsockname(s, (struct sockaddr *)&to, &size) == 0 &&
		connect(s, (struct sockaddr *)&to, size) == 0;

	if (s >= 0)
		close(s);
	return r;
}

static void
sockets(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	/* Bound so, it is given a name that nobody has. */
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	family(&un, sizeof(sa_family_t));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (has_loopback(&in))
		family(&in, sizeof(in));
	fails("accept, no descriptor", accept(-1, NULL, NULL), EBADF);
	strcpy(un.sun_path, "/no/where");
	int u = socket(AF_UNIX, SOCK_STREAM, 0);
	fails("connect to no path",
	      connect(u, (struct sockaddr *)&un, sizeof(un)), ENOENT);
	close(u);
}

/* A number that no file is open as. */
static int
closed(void)
{
	int fd = dup(0);

	must(fd < 0);
	close(fd);
	return fd;
}

static void
polling(int readable, int writable, int quiet)
{
	struct pollfd p[3] = { { readable, POLLIN, 0 },
			       { quiet, POLLIN, 0 },
			       { -1, POLLIN, 77 } };

	gives("poll", poll(p, 3, -1), 1);
	is("poll: what for", p[0].revents * 100 + p[1].revents + p[2].revents,
	   POLLIN * 100);
	p[1] = (struct pollfd){ writable, POLLOUT, 0 };
	gives("poll for two", poll(p, 3, FAR), 2);
	p[0].fd = quiet;
	gives("poll, time is up", poll(p, 1, NEAR), 0);
	gives("poll, no time", poll(p, 1, 0), 0);
	p[0].fd = closed();
	gives("poll, no such descriptor", poll(p, 1, -1), 1);
	is("poll says so", p[0].revents, POLLNVAL);
	gives("poll for nothing", poll(NULL, 0, NEAR), 0);
	fails("poll, nowhere", poll(nowhere, 1, 0), EFAULT);
	p[0].fd = readable;
	gives("ppoll", ppoll(p, 1, NULL, NULL), 1);
	p[0].fd = quiet;
	struct timespec t = ms5;
	gives("ppoll, time is up", ppoll(p, 1, &t, NULL), 0);
	is("ppoll leaves the time alone", t.tv_nsec, ms5.tv_nsec);
	gives("ppoll, no time", ppoll(p, 1, &none, NULL), 0);
	fails("ppoll, 1e9 ns", ppoll(p, 1, &too_many, NULL), EINVAL);
}

static void
selecting(int readable, int writable, int quiet)
{
	fd_set r, w;
	struct timeval tv = { 0, 5000 };

	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(readable, &r);
	FD_SET(quiet, &r);
	FD_SET(writable, &w);
	gives("select", select(100, &r, &w, NULL, NULL), 2);
	is("select: what for",
	   FD_ISSET(readable, &r) && !FD_ISSET(quiet, &r) &&
	       FD_ISSET(writable, &w),
	   1);
	FD_ZERO(&r);
	FD_SET(quiet, &r);
	gives("select, time is up", select(100, &r, NULL, NULL, &tv), 0);
	is("select tells the time left", tv.tv_sec + tv.tv_usec, 0);
	is("select empties the sets", FD_ISSET(quiet, &r), 0);
	gives("select for nothing", select(0, NULL, NULL, NULL, &tv), 0);
	FD_SET(closed(), &r);
	fails("select, no such descriptor", select(100, &r, NULL, NULL, &tv),
	      EBADF);
	fails("select, negative", select(-1, &r, NULL, NULL, &tv), EINVAL);
	tv.tv_sec = -1;
	fails("select, negative time", select(0, NULL, NULL, NULL, &tv),
	      EINVAL);
	FD_ZERO(&r);
	FD_SET(quiet, &r);
	struct timespec t = ms5;
	gives("pselect, time is up", pselect(100, &r, NULL, NULL, &t, NULL), 0);
	is("pselect leaves the time alone", t.tv_nsec, ms5.tv_nsec);
	FD_SET(readable, &r);
	gives("pselect", pselect(100, &r, NULL, NULL, NULL, NULL), 1);
	fails("pselect, 1e9 ns", pselect(0, NULL, NULL, NULL, &too_many, NULL),
	      EINVAL);
}

static void
epolling(int readable, int quiet)
{
	int e = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN }, got[4];
	sigset_t mask;

	must(e < 0);
	sigemptyset(&mask);
	ev.data.u32 = 1;
	must(epoll_ctl(e, EPOLL_CTL_ADD, quiet, &ev) != 0);
	gives("epoll_wait, time is up", epoll_wait(e, got, 4, NEAR), 0);
	gives("epoll_wait, no time", epoll_wait(e, got, 4, 0), 0);
	gives("epoll_pwait, time is up", epoll_pwait(e, got, 4, NEAR, &mask),
	      0);
	ev.data.u32 = 2;
	must(epoll_ctl(e, EPOLL_CTL_ADD, readable, &ev) != 0);
	gives("epoll_wait", epoll_wait(e, got, 4, -1), 1);
	is("epoll_wait: what for", got[0].data.u32, 2);
	gives("epoll_pwait", epoll_pwait(e, got, 4, FAR, &mask), 1);
	fails("epoll_wait, for none", epoll_wait(e, got, 0, 0), EINVAL);
	fails("epoll_wait, no epoll", epoll_wait(quiet, got, 1, 0), EINVAL);
	fails("epoll_wait, no descriptor", epoll_wait(-1, got, 1, 0), EBADF);
	close(e);
}

int
main(void)
{
	int full[2], empty[2];

	signal(SIGPIPE, SIG_IGN);
	pipes();
	files();
	pairs();
	sockets();
	must(pipe(full) != 0 || pipe(empty) != 0);
	must(write(full[1], "x", 1) != 1);
	polling(full[0], full[1], empty[0]);
	selecting(full[0], full[1], empty[0]);
	epolling(full[0], empty[0]);
	return broken;
}
