/* SPDX-License-Identifier: MIT */
/* A thread that stands in a call, and calls to stand in. */
#ifndef WAITS_H
#define WAITS_H

#include "promise.h"

#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t mine = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t locked = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t none;
static pthread_t stays;
static int empty[2], listener, epoll, file, child;
static char path[] = "/tmp/seam-posix-XXXXXX";
static struct timespec far;

/* Each answers by an error number. */
#define WAIT(name, call)                                                       \
	static int do_##name(void)                                             \
	{                                                                      \
		return call;                                                   \
	}
#define ERRNO(call) ((call) < 0 ? errno : 0)

static char byte;
static struct pollfd one;
static struct epoll_event event;
static struct timespec left;

static int
select_one(void)
{
	fd_set r;

	FD_ZERO(&r);
	FD_SET(empty[0], &r);
	return ERRNO(select(empty[0] + 1, &r, NULL, NULL, NULL));
}

static int
lock_file(void)
{
	struct flock f = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return ERRNO(fcntl(file, F_SETLKW, &f));
}

static void
unlock(void *mutex)
{
	pthread_mutex_unlock(mutex);
}

static int
cond(int timed)
{
	pthread_mutex_lock(&mine);
	pthread_cleanup_push(unlock, &mine);
	do
		errno = timed ? pthread_cond_timedwait(&never, &mine, &far) :
				pthread_cond_wait(&never, &mine);
	while (errno == 0);
	pthread_cleanup_pop(1);
	return errno;
}

WAIT(mutex_lock, pthread_mutex_lock(&held))
WAIT(mutex_timedlock, pthread_mutex_timedlock(&held, &far))
WAIT(rwlock_rdlock, pthread_rwlock_rdlock(&locked))
WAIT(rwlock_wrlock, pthread_rwlock_wrlock(&locked))
WAIT(sem_wait, ERRNO(sem_wait(&none)))
WAIT(sem_timedwait, ERRNO(sem_timedwait(&none, &far)))
WAIT(cond_wait, cond(0))
WAIT(cond_timedwait, cond(1))
WAIT(join, pthread_join(stays, NULL))
WAIT(read, ERRNO(read(empty[0], &byte, 1)))
WAIT(accept, ERRNO(accept(listener, NULL, NULL)))
WAIT(poll, ERRNO(poll(&one, 1, -1)))
WAIT(ppoll, ERRNO(ppoll(&one, 1, NULL, NULL)))
WAIT(select, select_one())
WAIT(epoll_wait, ERRNO(epoll_wait(epoll, &event, 1, -1)))
WAIT(nanosleep, ERRNO(nanosleep(&(struct timespec){ 60, 0 }, &left)))
WAIT(pause, ERRNO(pause()))
WAIT(waitpid, ERRNO(waitpid(child, NULL, 0)))
WAIT(fcntl, lock_file())
WAIT(flock, ERRNO(flock(file, LOCK_EX)))

struct waiter {
	const char *name;
	int (*call)(void);
	int interrupted; /* by a handler without SA_RESTART */
	int restarted;	 /* by one with it */
	int cancelled;
};

static const struct waiter waiters[] = {
	{ "pthread_mutex_lock", do_mutex_lock, 0, 0, 0 },
	{ "pthread_mutex_timedlock", do_mutex_timedlock, 0, 0, 0 },
	{ "pthread_rwlock_rdlock", do_rwlock_rdlock, 0, 0, 0 },
	{ "pthread_rwlock_wrlock", do_rwlock_wrlock, 0, 0, 0 },
	{ "pthread_cond_wait", do_cond_wait, 0, 0, 1 },
	{ "pthread_cond_timedwait", do_cond_timedwait, 0, 0, 1 },
	{ "pthread_join", do_join, 0, 0, 1 },
	{ "sem_wait", do_sem_wait, EINTR, 0, 1 },
	{ "sem_timedwait", do_sem_timedwait, EINTR, EINTR, 1 },
	{ "read", do_read, EINTR, 0, 1 },
	{ "accept", do_accept, EINTR, 0, 1 },
	{ "poll", do_poll, EINTR, EINTR, 1 },
	{ "ppoll", do_ppoll, EINTR, EINTR, 1 },
	{ "select", do_select, EINTR, EINTR, 1 },
	{ "epoll_wait", do_epoll_wait, EINTR, EINTR, 1 },
	{ "nanosleep", do_nanosleep, EINTR, EINTR, 1 },
	{ "pause", do_pause, EINTR, EINTR, 1 },
	{ "waitpid", do_waitpid, EINTR, 0, 1 },
	{ "fcntl F_SETLKW", do_fcntl, EINTR, 0, 1 },
	{ "flock", do_flock, EINTR, 0, 0 },
};

#define WAITERS (sizeof(waiters) / sizeof(waiters[0]))

struct standing {
	const struct waiter *waiter;
	pthread_t thread;
	_Atomic pid_t tid;
	_Atomic int over;
	int error;
};

static void *
stands(void *arg)
{
	struct standing *s = arg;

	atomic_store(&s->tid, gettid());
	s->error = s->waiter->call();
	atomic_store(&s->over, 1);
	return NULL;
}

static char
state_of(pid_t tid)
{
	char name[64], line[256], *end;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/self/task/%d/stat", (int)tid);
	f = fopen(name, "r");
	if (!f)
		return 'X';
	end = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	return end ? end[2] : 'X';
}

/* Until it sleeps in its call: seen so several times in a row. */
static void
until_asleep(struct standing *s)
{
	for (int seen = 0; seen < 5;) {
		pid_t tid = atomic_load(&s->tid);

		if (atomic_load(&s->over))
			return;
		seen = tid && state_of(tid) == 'S' ? seen + 1 : 0;
		sched_yield();
	}
}

static void
stand(struct standing *s, const struct waiter *w)
{
	*s = (struct standing){ .waiter = w };
	must(pthread_create(&s->thread, NULL, stands, s) != 0);
	until_asleep(s);
}

static void *
stays_there(void *arg)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	for (;;)
		must(read(empty[0], &byte, 1) < 0);
	return arg;
}

/* Everything that there is to wait for, which never comes. */
static void
prepare(void)
{
	int there[2];

	must(pipe(empty) != 0 || pipe(there) != 0);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	must(bind(listener, &(struct sockaddr){ .sa_family = AF_UNIX },
		  sizeof(sa_family_t)) != 0 ||
	     listen(listener, 1) != 0);
	one = (struct pollfd){ empty[0], POLLIN, 0 };
	epoll = epoll_create1(0);
	event.events = EPOLLIN;
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, empty[0], &event) != 0);
	far = deadline(CLOCK_REALTIME, FAR);
	sem_init(&none, 0, 0);
	pthread_mutex_lock(&held);
	pthread_rwlock_wrlock(&locked);
	file = mkstemp(path);
	must(file < 0);
	child = fork();
	must(child < 0);
	if (child == 0) {
		int own = open(path, O_RDWR);

		must(lockf(own, F_LOCK, 0) != 0 || flock(own, LOCK_EX) != 0);
		must(write(there[1], "x", 1) != 1);
		for (;;)
			pause();
	}
	must(read(there[0], &byte, 1) != 1);
	must(pthread_create(&stays, NULL, stays_there, NULL) != 0);
}

static void
clean_up(void)
{
	unlink(path);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

#endif
