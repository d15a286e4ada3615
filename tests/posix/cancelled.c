/* SPDX-License-Identifier: MIT */
/* Which waits are cancellation points, and that a cancelled one took nothing.
 */
#include "waits.h"

static void
cancel(const struct waiter *w)
{
	struct standing s;
	void *result = NULL;
	char name[64];

	stand(&s, w);
	must(pthread_cancel(s.thread) != 0);
	pthread_join(s.thread, &result);
	snprintf(name, sizeof(name), "%s is a cancellation point", w->name);
	is(name, result == PTHREAD_CANCELED, 1);
}

/* Cancelled before it calls: what is no point of cancellation goes on. */
static void *
calls(void *arg)
{
	int (*f)(void) = *(int (**)(void))arg;

	pthread_cancel(pthread_self());
	int error = f();
	return RESULT(error + 1);
}

static pthread_mutex_t free_one = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t free_two = PTHREAD_RWLOCK_INITIALIZER;
static sem_t posted;

static int
mutex(void)
{
	return pthread_mutex_lock(&free_one) + pthread_mutex_unlock(&free_one);
}

static int
timed_mutex(void)
{
	return pthread_mutex_timedlock(&free_one, &far) +
	       pthread_mutex_unlock(&free_one);
}

static int
rwlock(void)
{
	return pthread_rwlock_wrlock(&free_two) +
	       pthread_rwlock_unlock(&free_two) +
	       pthread_rwlock_rdlock(&free_two) +
	       pthread_rwlock_unlock(&free_two);
}

static int
semaphore(void)
{
	return sem_wait(&posted);
}

static int
try_semaphore(void)
{
	return sem_trywait(&posted) + sem_post(&posted);
}

static int
signals(void)
{
	return pthread_cond_signal(&never) + pthread_cond_broadcast(&never) +
	       pthread_kill(pthread_self(), 0);
}

static int
yields(void)
{
	return sched_yield();
}

static int
no_wait(void)
{
	return poll(&one, 1, 0);
}

static int
writes(void)
{
	return write(empty[1], "", 0) != 0;
}

static int
closes(void)
{
	return close(dup(empty[0]));
}

static int
flocks(void)
{
	return flock(empty[0], LOCK_UN);
}

static void
pending(const char *name, int (*f)(void), int cancelled)
{
	is(name, in_thread(calls, &f) == (long)PTHREAD_CANCELED, cancelled);
}

int
main(void)
{
	prepare();
	sem_init(&posted, 0, 1);
	for (size_t i = 0; i < WAITERS; i++)
		if (waiters[i].cancelled)
			cancel(&waiters[i]);
	answers("the mutex of a cancelled wait is free",
		pthread_mutex_trylock(&mine), 0);
	is("a thread whose joiner was cancelled can be joined",
	   pthread_tryjoin_np(stays, NULL), EBUSY);
	pending("pthread_mutex_lock, cancel pending", mutex, 0);
	pending("pthread_mutex_timedlock, cancel pending", timed_mutex, 0);
	pending("pthread_rwlock, cancel pending", rwlock, 0);
	pending("sem_trywait, sem_post, cancel pending", try_semaphore, 0);
	pending("pthread_cond_signal, pthread_kill, cancel pending", signals,
		0);
	pending("sched_yield, cancel pending", yields, 0);
	pending("flock, cancel pending", flocks, 0);
	pending("sem_wait of 1, cancel pending", semaphore, 1);
	is("which took nothing", sem_trywait(&posted), 0);
	pending("poll that does not wait, cancel pending", no_wait, 1);
	pending("write, cancel pending", writes, 1);
	pending("close, cancel pending", closes, 1);
	clean_up();
	return broken;
}
