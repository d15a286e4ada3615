/* SPDX-License-Identifier: MIT */
/* Locks before main, in atexit handlers, in destructors, and threads there. */
#include "promise.h"

#include <semaphore.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_once_t o = PTHREAD_ONCE_INIT;
static int once_ran;

static void
runs_once(void)
{
	once_ran++;
}

static void *
locks(void *arg)
{
	int error = pthread_mutex_lock(&m);

	pthread_cond_signal(&c);
	*(int *)arg = 1;
	return RESULT(error + pthread_mutex_unlock(&m));
}

static void
each(const char *when)
{
	char name[64];
	sem_t s;
	pthread_t t;
	int there = 0;

	snprintf(name, sizeof(name), "mutex %s", when);
	answers(name, pthread_mutex_lock(&m) + pthread_mutex_unlock(&m), 0);
	snprintf(name, sizeof(name), "rwlock %s", when);
	answers(name, pthread_rwlock_wrlock(&l) + pthread_rwlock_unlock(&l), 0);
	snprintf(name, sizeof(name), "semaphore %s", when);
	answers(name, sem_init(&s, 0, 0) + sem_post(&s) + sem_wait(&s), 0);
	snprintf(name, sizeof(name), "once %s", when);
	answers(name, pthread_once(&o, runs_once), 0);
	snprintf(name, sizeof(name), "thread and condition %s", when);
	pthread_mutex_lock(&m);
	must(pthread_create(&t, NULL, locks, &there) != 0);
	while (!there)
		pthread_cond_wait(&c, &m);
	pthread_mutex_unlock(&m);
	answers(name, pthread_join(t, NULL), 0);
	snprintf(name, sizeof(name), "file lock %s", when);
	FILE *f = tmpfile();
	must(f == NULL);
	answers(name, lockf(fileno(f), F_LOCK, 0), 0);
	fclose(f);
}

__attribute__((constructor(101))) static void
first(void)
{
	each("in an early constructor");
}

__attribute__((constructor)) static void
constructor(void)
{
	each("in a constructor");
}

__attribute__((destructor)) static void
destructor(void)
{
	each("in a destructor");
	if (broken)
		_exit(1);
}

static void
at_exit(void)
{
	each("in an atexit handler");
}

static void
on_exiting(int status, void *arg)
{
	is("on_exit's status", status, 0);
	is("on_exit's argument", (long)arg, 5);
	each("in an on_exit handler");
}

int
main(void)
{
	must(atexit(at_exit) != 0);
	must(on_exit(on_exiting, RESULT(5)) != 0);
	each("in main");
	is("once in all", once_ran, 1);
	return broken;
}
