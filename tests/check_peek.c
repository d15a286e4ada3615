/* SPDX-License-Identifier: MIT */
/* The state of real objects in a child, as seam_peek reads it. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "session_int.h"
#include "suite.h"

/* The child has its own copy at the same address; it answers on a pipe. */
static struct {
	pthread_mutex_t mutex;
	mtx_t mtx;
	pthread_rwlock_t rwlock;
	pthread_spinlock_t spin;
	sem_t sem;
} own;

static struct seam_process child;
static int say[2], heard[2];

static void
begin(void (*run)(void))
{
	char byte;

	ck_assert_int_eq(pipe(say), 0);
	ck_assert_int_eq(pipe(heard), 0);
	child.pid = fork();
	ck_assert_int_ge(child.pid, 0);
	if (!child.pid) {
		close(heard[1]);
		run();
		_exit(0);
	}
	close(heard[0]);
	ck_assert_int_eq(read(say[0], &byte, 1), 1);
}

/* In the child: let the test look, until it says go on. */
static void
look(void)
{
	char byte = 0;

	if (write(say[1], &byte, 1) != 1 || read(heard[0], &byte, 1) != 1)
		_exit(1);
}

static void
next(void)
{
	char byte = 0;

	ck_assert_int_eq(write(heard[1], &byte, 1), 1);
	ck_assert_int_eq(read(say[0], &byte, 1), 1);
}

static void
end(void)
{
	close(heard[1]);
	kill(child.pid, SIGKILL);
	waitpid(child.pid, NULL, 0);
	close(say[0]);
	close(say[1]);
}

static enum seam_peek
state(int kind, void *addr, int mode, int *owner)
{
	return seam_peek(NULL, &child, kind, (uint64_t)(uintptr_t)addr, mode,
			 owner);
}

static const struct {
	int type, robust, protocol;
} mutexes[] = {
	{ PTHREAD_MUTEX_NORMAL, 0, 0 },
	{ PTHREAD_MUTEX_RECURSIVE, 0, 0 },
	{ PTHREAD_MUTEX_ERRORCHECK, 0, 0 },
	{ PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0 },
	{ PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0 },
	{ PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ROBUST, 0 },
	{ PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_INHERIT },
	{ PTHREAD_MUTEX_ERRORCHECK, 0, PTHREAD_PRIO_INHERIT },
	{ PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT },
};
static int which;

static void
init_mutex(void)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, mutexes[which].type);
	pthread_mutexattr_setrobust(&a, mutexes[which].robust);
	pthread_mutexattr_setprotocol(&a, mutexes[which].protocol);
	if (pthread_mutex_init(&own.mutex, &a))
		_exit(1);
	pthread_mutexattr_destroy(&a);
}

static void
lock_mutex(void)
{
	init_mutex();
	look();
	pthread_mutex_lock(&own.mutex);
	look();
	pthread_mutex_unlock(&own.mutex);
	look();
}

START_TEST(mutex)
{
	int owner = -1;

	which = _i;
	begin(lock_mutex);
	ck_assert_int_eq(state(SEAM_KIND_MUTEX, &own.mutex, 0, &owner),
			 SEAM_PEEK_FREE);
	ck_assert_int_eq(owner, 0);
	next();
	ck_assert_int_eq(state(SEAM_KIND_MUTEX, &own.mutex, 0, &owner),
			 SEAM_PEEK_TAKEN);
	ck_assert_int_eq(owner, child.pid);
	next();
	ck_assert_int_eq(state(SEAM_KIND_MUTEX, &own.mutex, 0, &owner),
			 SEAM_PEEK_FREE);
	end();
}
END_TEST

static void *
lock_and_end(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&own.mutex);
	return NULL;
}

static void
die_with_mutex(void)
{
	pthread_t t;

	init_mutex();
	pthread_create(&t, NULL, lock_and_end, NULL);
	pthread_join(t, NULL);
	look();
	if (pthread_mutex_lock(&own.mutex) != EOWNERDEAD)
		_exit(1);
	look();
	look();
}

/* A robust mutex whose owner died can be had. */
START_TEST(owner_died)
{
	int owner;

	which = _i;
	begin(die_with_mutex);
	ck_assert_int_eq(state(SEAM_KIND_MUTEX, &own.mutex, 0, &owner),
			 SEAM_PEEK_FREE);
	next();
	ck_assert_int_eq(state(SEAM_KIND_MUTEX, &own.mutex, 0, &owner),
			 SEAM_PEEK_TAKEN);
	ck_assert_int_eq(owner, child.pid);
	end();
}
END_TEST

static void
lock_mtx(void)
{
	mtx_init(&own.mtx, mtx_timed | mtx_recursive);
	look();
	mtx_lock(&own.mtx);
	look();
	mtx_unlock(&own.mtx);
	look();
}

START_TEST(c11_mutex)
{
	int owner;

	begin(lock_mtx);
	ck_assert_int_eq(state(SEAM_KIND_MUTEX, &own.mtx, 0, NULL),
			 SEAM_PEEK_FREE);
	next();
	ck_assert_int_eq(state(SEAM_KIND_MUTEX, &own.mtx, 0, &owner),
			 SEAM_PEEK_TAKEN);
	ck_assert_int_eq(owner, child.pid);
	end();
}
END_TEST

static void
lock_rwlock(void)
{
	pthread_rwlock_init(&own.rwlock, NULL);
	look();
	pthread_rwlock_rdlock(&own.rwlock);
	pthread_rwlock_rdlock(&own.rwlock);
	look();
	pthread_rwlock_unlock(&own.rwlock);
	pthread_rwlock_unlock(&own.rwlock);
	look();
	pthread_rwlock_wrlock(&own.rwlock);
	look();
	pthread_rwlock_unlock(&own.rwlock);
	look();
}

static void
assert_rwlock(enum seam_peek read, enum seam_peek write, int by)
{
	int owner = -1;

	ck_assert_int_eq(state(SEAM_KIND_RWLOCK, &own.rwlock, 'r', &owner),
			 read);
	ck_assert_int_eq(state(SEAM_KIND_RWLOCK, &own.rwlock, 0, &owner),
			 write);
	ck_assert_int_eq(owner, by);
}

START_TEST(rwlock)
{
	begin(lock_rwlock);
	assert_rwlock(SEAM_PEEK_FREE, SEAM_PEEK_FREE, 0);
	next();
	assert_rwlock(SEAM_PEEK_FREE, SEAM_PEEK_TAKEN, 0);
	next();
	assert_rwlock(SEAM_PEEK_FREE, SEAM_PEEK_FREE, 0);
	next();
	assert_rwlock(SEAM_PEEK_TAKEN, SEAM_PEEK_TAKEN, child.pid);
	next();
	assert_rwlock(SEAM_PEEK_FREE, SEAM_PEEK_FREE, 0);
	end();
}
END_TEST

static void
lock_spin(void)
{
	pthread_spin_init(&own.spin, 0);
	look();
	pthread_spin_lock(&own.spin);
	look();
	pthread_spin_unlock(&own.spin);
	look();
}

START_TEST(spin)
{
	void *addr = (void *)(uintptr_t)&own.spin;

	begin(lock_spin);
	ck_assert_int_eq(state(SEAM_KIND_SPIN, addr, 0, NULL), SEAM_PEEK_FREE);
	next();
	ck_assert_int_eq(state(SEAM_KIND_SPIN, addr, 0, NULL), SEAM_PEEK_TAKEN);
	next();
	ck_assert_int_eq(state(SEAM_KIND_SPIN, addr, 0, NULL), SEAM_PEEK_FREE);
	end();
}
END_TEST

static void
use_sem(void)
{
	sem_init(&own.sem, 1, 2);
	look();
	sem_wait(&own.sem);
	look();
	sem_wait(&own.sem);
	look();
	sem_post(&own.sem);
	look();
}

START_TEST(semaphore)
{
	begin(use_sem);
	ck_assert_int_eq(state(SEAM_KIND_SEM, &own.sem, 0, NULL),
			 SEAM_PEEK_FREE);
	next();
	ck_assert_int_eq(state(SEAM_KIND_SEM, &own.sem, 0, NULL),
			 SEAM_PEEK_FREE);
	next();
	ck_assert_int_eq(state(SEAM_KIND_SEM, &own.sem, 0, NULL),
			 SEAM_PEEK_TAKEN);
	next();
	ck_assert_int_eq(state(SEAM_KIND_SEM, &own.sem, 0, NULL),
			 SEAM_PEEK_FREE);
	end();
}
END_TEST

START_TEST(unknown)
{
	begin(lock_mutex);
	ck_assert_int_eq(state(SEAM_KIND_MUTEX, NULL, 0, NULL),
			 SEAM_PEEK_UNKNOWN);
	ck_assert_int_eq(errno, EFAULT);
	ck_assert_int_eq(state(SEAM_KIND_COND, &own.mutex, 0, NULL),
			 SEAM_PEEK_UNKNOWN);
	ck_assert_int_eq(errno, EINVAL);
	end();
}
END_TEST

static Suite *
peek_suite(void)
{
	Suite *suite = suite_create("peek");
	TCase *tc = tcase_create("objects of a child");

	tcase_add_loop_test(tc, mutex, 0,
			    (int)(sizeof(mutexes) / sizeof(mutexes[0])));
	tcase_add_loop_test(tc, owner_died, 4, 6);
	tcase_add_loop_test(tc, owner_died, 8, 9);
	tcase_add_test(tc, c11_mutex);
	tcase_add_test(tc, rwlock);
	tcase_add_test(tc, spin);
	tcase_add_test(tc, semaphore);
	tcase_add_test(tc, unknown);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_run(peek_suite());
}
