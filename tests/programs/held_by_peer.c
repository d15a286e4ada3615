/* SPDX-License-Identifier: MIT */
/*
 * held_by_peer KIND: main takes the object, the thread "worker" blocks on it,
 * main lets go upon a line on stdin.  KIND: mutex rwlock sem spin mtx fcntl
 * flock chain.  "chain" makes two workers wait, one on the other's lock.
 */
#include "victim.h"

#include <fcntl.h>
#include <semaphore.h>
#include <sys/file.h>
#include <threads.h>

pthread_mutex_t the_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t second_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t the_rwlock = PTHREAD_RWLOCK_INITIALIZER;
pthread_spinlock_t the_spin;
sem_t the_sem;
mtx_t the_mtx;
static const char *path = "peer.lock";
static int fds[2];

CALL_SITE static int
take_mutex(int who)
{
	(void)who;
	/* at: mutex */
	int r = pthread_mutex_lock(&the_mutex);
	HERE();
	return r;
}

CALL_SITE static int
drop_mutex(int who)
{
	(void)who;
	return pthread_mutex_unlock(&the_mutex);
}

CALL_SITE static int
take_rwlock(int who)
{
	(void)who;
	/* at: rwlock */
	int r = pthread_rwlock_wrlock(&the_rwlock);
	HERE();
	return r;
}

CALL_SITE static int
drop_rwlock(int who)
{
	(void)who;
	return pthread_rwlock_unlock(&the_rwlock);
}

CALL_SITE static int
take_sem(int who)
{
	(void)who;
	/* at: sem */
	int r = sem_wait(&the_sem);
	HERE();
	return r;
}

CALL_SITE static int
drop_sem(int who)
{
	(void)who;
	return sem_post(&the_sem);
}

CALL_SITE static int
take_spin(int who)
{
	(void)who;
	/* at: spin */
	int r = pthread_spin_lock(&the_spin);
	HERE();
	return r;
}

CALL_SITE static int
drop_spin(int who)
{
	(void)who;
	return pthread_spin_unlock(&the_spin);
}

CALL_SITE static int
take_mtx(int who)
{
	(void)who;
	/* at: mtx */
	int r = mtx_lock(&the_mtx);
	HERE();
	return r;
}

CALL_SITE static int
drop_mtx(int who)
{
	(void)who;
	return mtx_unlock(&the_mtx);
}

/* Within one process only open file descriptions conflict. */
CALL_SITE static int
take_ofd(int who)
{
	struct flock fl = { .l_type = F_WRLCK, .l_len = 10 };
	/* at: fcntl */
	int r = fcntl(fds[who], F_OFD_SETLKW, &fl);
	HERE();
	return r;
}

CALL_SITE static int
drop_ofd(int who)
{
	struct flock fl = { .l_type = F_UNLCK, .l_len = 10 };

	return fcntl(fds[who], F_OFD_SETLK, &fl);
}

CALL_SITE static int
take_flock(int who)
{
	/* at: flock */
	int r = flock(fds[who], LOCK_EX);
	HERE();
	return r;
}

CALL_SITE static int
drop_flock(int who)
{
	return flock(fds[who], LOCK_UN);
}

static const struct {
	const char *kind;
	int (*take)(int who), (*drop)(int who);
} table[] = {
	{ "mutex", take_mutex, drop_mutex },
	{ "chain", take_mutex, drop_mutex },
	{ "rwlock", take_rwlock, drop_rwlock },
	{ "sem", take_sem, drop_sem },
	{ "spin", take_spin, drop_spin },
	{ "mtx", take_mtx, drop_mtx },
	{ "fcntl", take_ofd, drop_ofd },
	{ "flock", take_flock, drop_flock },
};
static size_t row;

static void *
worker_main(void *unused)
{
	int r;

	(void)unused;
	pthread_setname_np(pthread_self(), "worker");
	r = table[row].take(1);
	say("worker ret=%d", r);
	table[row].drop(1);
	return NULL;
}

/* The chain's middle: has the second mutex, wants the first. */
static pthread_barrier_t both;

static void *
middle_main(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "middle");
	pthread_mutex_lock(&second_mutex);
	pthread_barrier_wait(&both);
	take_mutex(0);
	say("middle");
	drop_mutex(0);
	pthread_mutex_unlock(&second_mutex);
	return NULL;
}

static void *
last_main(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "last");
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&second_mutex);
	say("last");
	pthread_mutex_unlock(&second_mutex);
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_t threads[2];
	int n = 0;

	if (argc != 2)
		die("usage: held_by_peer KIND");
	while (strcmp(table[row].kind, argv[1]) != 0)
		if (++row == sizeof(table) / sizeof(table[0]))
			die("held_by_peer: no kind %s", argv[1]);
	pthread_spin_init(&the_spin, PTHREAD_PROCESS_PRIVATE);
	sem_init(&the_sem, 0, 1);
	mtx_init(&the_mtx, mtx_plain);
	pthread_barrier_init(&both, NULL, 2);
	for (int i = 0; i < 2; i++)
		fds[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (table[row].take(0))
		die("held_by_peer: take");
	if (strcmp(argv[1], "chain") == 0) {
		pthread_create(&threads[n++], NULL, middle_main, NULL);
		pthread_create(&threads[n++], NULL, last_main, NULL);
	} else {
		pthread_create(&threads[n++], NULL, worker_main, NULL);
	}
	say("taken");
	wait_line(NULL, 0);
	say("dropping");
	table[row].drop(0);
	while (n > 0)
		pthread_join(threads[--n], NULL);
	return 0;
}
