/* SPDX-License-Identifier: MIT */
/*
 * What `seam explore` and its like are tried on: `explored MODE`.
 *
 *	abba		two threads, two mutexes, opposite orders
 *	ordered		the same in one order
 *	lost		an update under two critical sections: exits with 1
 *	waiter		a signal that may come before the wait
 *	crash		a thread that dies if it comes second, holding a mutex
 *	leaver		main returns without joining
 *	file		writes "ab" or "ba" into ./order
 *	spin		a thread that spins without a call
 *	outside		a thread that waits for what never comes; SIGTERM is
 *			ignored
 *	child		a process that outlives the first
 *	clock rdtsc	threads that decide by the time
 *	prefix		says something before the first thread
 *	inherited KIND	main has a lock that knows its owner when it makes its
 *			first thread, and lets it go afterwards
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "victim.h"

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int count, turn;
static volatile int never;

static void
take(pthread_mutex_t *a, pthread_mutex_t *b)
{
	pthread_mutex_lock(a);
	pthread_mutex_lock(b);
	count++;
	pthread_mutex_unlock(b);
	pthread_mutex_unlock(a);
}

static void *
forward(void *unused)
{
	(void)unused;
	take(&first, &second);
	return NULL;
}

static void *
backward(void *unused)
{
	(void)unused;
	take(&second, &first);
	return NULL;
}

static void *
add(void *unused)
{
	int seen;

	(void)unused;
	pthread_mutex_lock(&first);
	seen = count;
	pthread_mutex_unlock(&first);
	pthread_mutex_lock(&first);
	count = seen + 1;
	pthread_mutex_unlock(&first);
	return NULL;
}

static void *
wait_for_it(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&first);
	pthread_cond_wait(&changed, &first);
	pthread_mutex_unlock(&first);
	return NULL;
}

static void *
signal_it(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&first);
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&first);
	return NULL;
}

static void *
die_second(void *mine)
{
	pthread_mutex_lock(&first);
	if (turn++ == 1 && mine)
		abort();
	pthread_mutex_unlock(&first);
	return NULL;
}

static void *
write_letter(void *letter)
{
	int fd = open("order", O_WRONLY | O_CREAT | O_APPEND, 0600);

	pthread_mutex_lock(&first);
	if (write(fd, letter, 1) != 1)
		abort();
	pthread_mutex_unlock(&first);
	close(fd);
	return NULL;
}

static void *
spin(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&first);
	while (!never)
		;
	return NULL;
}

static void *
decide_by_clock(void *unused)
{
	struct timespec now;

	(void)unused;
	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_nsec / 100 & 1)
		take(&first, &second);
	return NULL;
}

static void *
decide_by_counter(void *unused)
{
	(void)unused;
	if (__rdtsc() >> 6 & 1)
		take(&first, &second);
	return NULL;
}

static void
both(void *(*a)(void *), void *x, void *(*b)(void *), void *y)
{
	pthread_t thread[2];

	pthread_create(&thread[0], NULL, a, x);
	pthread_create(&thread[1], NULL, b, y);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
}

/* Nothing is written into the pipe, by anybody, ever. */
static void
wait_outside(void)
{
	int end[2];
	char byte;

	signal(SIGTERM, SIG_IGN);
	if (!pipe(end) && read(end[0], &byte, 1) < 0)
		abort();
}

static void
outlive(void)
{
	if (fork() == 0) {
		pause();
		_exit(0);
	}
}

static void *
nothing(void *unused)
{
	return unused;
}

static int
hold_meanwhile(int type, int protocol, int robustness)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t mutex;
	pthread_t thread;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	pthread_mutexattr_setprotocol(&attr, protocol);
	pthread_mutexattr_setrobust(&attr, robustness);
	pthread_mutex_init(&mutex, &attr);
	pthread_mutex_lock(&mutex);
	if (pthread_create(&thread, NULL, nothing, NULL) == 0)
		pthread_join(thread, NULL);
	return pthread_mutex_unlock(&mutex);
}

static int
write_meanwhile(void)
{
	pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
	pthread_t thread;

	pthread_rwlock_wrlock(&lock);
	if (pthread_create(&thread, NULL, nothing, NULL) == 0)
		pthread_join(thread, NULL);
	pthread_rwlock_unlock(&lock);
	/* Had it been taken for a reader's, there would be a writer still. */
	return pthread_rwlock_trywrlock(&lock);
}

/* The first thread that a process makes is the one that matters. */
static int
inherit(const char *kind)
{
	switch (*kind) {
	case 'r':
		return hold_meanwhile(PTHREAD_MUTEX_RECURSIVE, 0, 0);
	case 'e':
		return hold_meanwhile(PTHREAD_MUTEX_ERRORCHECK, 0, 0);
	case 'i':
		return hold_meanwhile(0, PTHREAD_PRIO_INHERIT, 0);
	case 'b':
		return hold_meanwhile(0, 0, PTHREAD_MUTEX_ROBUST);
	default:
		return write_meanwhile();
	}
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	char a[] = "a", b[] = "b";
	pthread_t thread;

	if (!strcmp(mode, "abba"))
		both(forward, NULL, backward, NULL);
	else if (!strcmp(mode, "ordered"))
		both(forward, NULL, forward, NULL);
	else if (!strcmp(mode, "lost"))
		both(add, NULL, add, NULL);
	else if (!strcmp(mode, "waiter"))
		both(wait_for_it, NULL, signal_it, NULL);
	else if (!strcmp(mode, "crash"))
		both(die_second, a, die_second, NULL);
	else if (!strcmp(mode, "leaver"))
		pthread_create(&thread, NULL, forward, NULL);
	else if (!strcmp(mode, "file"))
		both(write_letter, a, write_letter, b);
	else if (!strcmp(mode, "spin"))
		both(spin, NULL, forward, NULL);
	else if (!strcmp(mode, "outside"))
		wait_outside();
	else if (!strcmp(mode, "child"))
		outlive();
	else if (!strcmp(mode, "clock"))
		both(decide_by_clock, NULL, decide_by_clock, NULL);
	else if (!strcmp(mode, "rdtsc"))
		both(decide_by_counter, NULL, decide_by_counter, NULL);
	else if (!strcmp(mode, "inherited"))
		return inherit(argc > 2 ? argv[2] : "");
	else if (!strcmp(mode, "prefix")) {
		say("before");
		both(forward, NULL, backward, NULL);
	} else
		return 2;
	return !strcmp(mode, "lost") && count != 2;
}
