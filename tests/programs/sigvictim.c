/* SPDX-License-Identifier: MIT */
/*
 * sigvictim CALL [restart]: main waits in the call; SIGUSR1 has a handler
 * that prints "handler", with SA_RESTART if so asked.  What the call returned
 * is printed, and after EINTR it is called again.
 *
 * CALL: sem_wait sem_timedwait mutex rwlock cond setlkw flock lockf join
 * barrier.  A thread "owner" has what main waits for, until a line on stdin;
 * for the file locks the owner is a child process.
 */
#include "victim.h"

#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

sem_t sig_sem;
pthread_mutex_t sig_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t sig_rwlock = PTHREAD_RWLOCK_INITIALIZER;
pthread_cond_t sig_cond = PTHREAD_COND_INITIALIZER;
pthread_barrier_t sig_barrier;
static pthread_mutex_t cond_mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t owned;
static pthread_t owner;
static int released, fd;
static const char *call;

static int
is(const char *name)
{
	return strcmp(call, name) == 0;
}

static void
handler(int sig)
{
	int saved = errno;

	(void)sig;
	if (write(STDOUT_FILENO, "handler\n", 8) != 8)
		_exit(3);
	errno = saved;
}

/* As an errno value, whichever way the call tells it. */
static int
number(int r)
{
	return r == -1 ? errno : r;
}

CALL_SITE static int
wait_here(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_len = 1 };
	struct timespec ts = deadline(CLOCK_REALTIME, 60000);

	if (is("sem_wait"))
		return number(sem_wait(&sig_sem));
	if (is("sem_timedwait"))
		return number(sem_timedwait(&sig_sem, &ts));
	if (is("mutex"))
		return pthread_mutex_lock(&sig_mutex);
	if (is("rwlock"))
		return pthread_rwlock_wrlock(&sig_rwlock);
	if (is("setlkw"))
		return number(fcntl(fd, F_SETLKW, &fl));
	if (is("flock"))
		return number(flock(fd, LOCK_EX));
	if (is("lockf"))
		return number(lockf(fd, F_LOCK, 1));
	if (is("join"))
		return pthread_join(owner, NULL);
	if (is("barrier"))
		return pthread_barrier_wait(&sig_barrier) > 0 ? EINVAL : 0;
	die("sigvictim: no call %s", call);
}

CALL_SITE static int
wait_cond(void)
{
	int r = 0;

	pthread_mutex_lock(&cond_mutex);
	while (!released && r == 0)
		r = pthread_cond_wait(&sig_cond, &cond_mutex);
	pthread_mutex_unlock(&cond_mutex);
	return r;
}

static void
own(void)
{
	if (is("mutex"))
		pthread_mutex_lock(&sig_mutex);
	else if (is("rwlock"))
		pthread_rwlock_wrlock(&sig_rwlock);
}

static void
disown(void)
{
	if (is("mutex")) {
		pthread_mutex_unlock(&sig_mutex);
	} else if (is("rwlock")) {
		pthread_rwlock_unlock(&sig_rwlock);
	} else if (is("cond")) {
		pthread_mutex_lock(&cond_mutex);
		released = 1;
		pthread_cond_signal(&sig_cond);
		pthread_mutex_unlock(&cond_mutex);
	} else if (is("barrier")) {
		pthread_barrier_wait(&sig_barrier);
	} else {
		sem_post(&sig_sem);
	}
}

static void *
owner_main(void *unused)
{
	sigset_t set;

	(void)unused;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_setname_np(pthread_self(), "owner");
	own();
	sem_post(&owned);
	wait_line(NULL, 0);
	disown();
	return NULL;
}

/* The file's owner is a process, which ends with its stdin's line. */
static pid_t
own_file(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_len = 1 };
	int ready[2], own_fd;
	pid_t pid;
	char c = 0;

	if (pipe(ready))
		die("sigvictim: pipe");
	pid = fork();
	if (pid == 0) {
		signal(SIGUSR1, SIG_IGN);
		own_fd = open("sig.lock", O_RDWR | O_CREAT, 0600);
		if (is("flock") ? flock(own_fd, LOCK_EX) :
				  fcntl(own_fd, F_SETLK, &fl))
			_exit(1);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		wait_line(NULL, 0);
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		die("sigvictim: the owner failed");
	return pid;
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = handler };
	int file, r;
	pid_t pid = 0;

	if (argc < 2)
		die("usage: sigvictim CALL [restart]");
	call = argv[1];
	if (argc > 2)
		sa.sa_flags = SA_RESTART;
	sem_init(&sig_sem, 0, 0);
	sem_init(&owned, 0, 0);
	pthread_barrier_init(&sig_barrier, NULL, 2);
	file = is("setlkw") || is("flock") || is("lockf");
	if (file) {
		pid = own_file();
		fd = open("sig.lock", O_RDWR | O_CREAT, 0600);
	} else {
		pthread_create(&owner, NULL, owner_main, NULL);
		sem_wait(&owned);
	}
	sigaction(SIGUSR1, &sa, NULL);
	say("waiting");
	while ((r = is("cond") ? wait_cond() : wait_here()) == EINTR)
		say("ret=EINTR");
	say("ret=%s", errno_symbol(r));
	if (file)
		waitpid(pid, NULL, 0);
	else if (!is("join"))
		pthread_join(owner, NULL);
	return r != 0;
}
