/* SPDX-License-Identifier: MIT */
/* Holders: entered before the body goes on, leaving always. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller.h"
#include "seam.h"
#include "suite.h"

/* What callbacks do, as they are told. */
struct deed {
	pthread_mutex_t lock;
	atomic_int entered, left;
	int refusal;
	sem_t *block_enter, *block_leave; /* waited for, unless NULL */
};

static int
enter(void *data)
{
	struct deed *d = data;

	if (d->block_enter)
		sem_wait(d->block_enter);
	if (d->refusal)
		return d->refusal;
	pthread_mutex_lock(&d->lock);
	atomic_fetch_add(&d->entered, 1);
	return 0;
}

static void
leave(void *data)
{
	struct deed *d = data;

	if (d->block_leave)
		sem_wait(d->block_leave);
	pthread_mutex_unlock(&d->lock);
	atomic_fetch_add(&d->left, 1);
}

static void
says(const char *text)
{
	ck_assert_msg(strstr(seam_message(), text), "'%s' is not in: %s", text,
		      seam_message());
}

START_TEST(entered_and_left)
{
	struct deed d = { .lock = PTHREAD_MUTEX_INITIALIZER };
	seam_holder *h;

	ck_assert_int_eq(seam_holder_begin(&h, "payer", enter, leave, &d,
					   SEAM_DEFAULT),
			 0);
	ck_assert_int_eq(d.entered, 1);
	ck_assert_int_eq(d.left, 0);
	ck_assert_int_eq(pthread_mutex_trylock(&d.lock), EBUSY);
	ck_assert_int_eq(seam_holder_end(h, SEAM_DEFAULT), 0);
	ck_assert_int_eq(d.left, 1);
	ck_assert_int_eq(pthread_mutex_trylock(&d.lock), 0);
}
END_TEST

/* At once: not after the timeout, of which there is none. */
START_TEST(entering_that_fails)
{
	struct deed d = { .refusal = 7 };
	seam_holder *h;

	ck_assert_int_eq(seam_holder_begin(&h, "payer", enter, leave, &d, 0),
			 SEAM_E_FAILED);
	ck_assert_ptr_null(h);
	says("payer could not enter: it returned 7");
	ck_assert_int_eq(d.left, 0);
	ck_assert_int_eq(seam_holder_end(h, 0), 0);
}
END_TEST

/* It leaves when it has entered at last. */
START_TEST(entering_too_late)
{
	sem_t late;
	struct deed d = { .lock = PTHREAD_MUTEX_INITIALIZER,
			  .block_enter = &late };
	seam_holder *h;

	sem_init(&late, 0, 0);
	ck_assert_int_eq(seam_holder_begin(&h, "payer", enter, leave, &d, 20),
			 SEAM_E_TIMEOUT);
	says("payer has not entered after 0.02 seconds");
	ck_assert_int_eq(d.entered, 0);
	sem_post(&late);
	while (!d.left)
		sched_yield();
	ck_assert_int_eq(d.entered, 1);
}
END_TEST

START_TEST(leaving_too_late)
{
	sem_t late;
	struct deed d = { .lock = PTHREAD_MUTEX_INITIALIZER,
			  .block_leave = &late };
	uint64_t since;
	seam_holder *h;

	sem_init(&late, 0, 0);
	ck_assert_int_eq(seam_holder_begin(&h, "payer", enter, leave, &d, 0),
			 0);
	since = now_ms();
	ck_assert_int_eq(seam_holder_end(h, SEAM_DEFAULT), SEAM_E_TIMEOUT);
	ck_assert_uint_ge(now_ms() - since, 1000);
	says("payer has not ended after 1 second");
	ck_assert_ptr_null(strstr(seam_message(), "seconds"));
	sem_post(&late);
	while (!d.left)
		sched_yield();
}
END_TEST

struct waiter {
	sem_t late;
	pid_t tid;
	atomic_bool begins;
};

static bool
sleeps(pid_t tid)
{
	char name[64], text[256] = "";
	const char *at;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/self/task/%d/stat", tid);
	f = fopen(name, "re");
	if (f && !fgets(text, sizeof(text), f))
		text[0] = '\0';
	if (f)
		fclose(f);
	at = strrchr(text, ')');
	return at && at[2] == 'S';
}

static void *
post_when_it_waits(void *data)
{
	struct waiter *w = data;

	while (!w->begins || !sleeps(w->tid))
		sched_yield();
	sem_post(&w->late);
	return NULL;
}

/* 0 is no timeout, and not one of no time. */
START_TEST(leaving_without_timeout)
{
	struct waiter w = { .tid = gettid() };
	struct deed d = { .lock = PTHREAD_MUTEX_INITIALIZER,
			  .block_leave = &w.late };
	pthread_t thread;
	seam_holder *h;

	sem_init(&w.late, 0, 0);
	ck_assert_int_eq(seam_holder_begin(&h, "payer", enter, leave, &d, 0),
			 0);
	pthread_create(&thread, NULL, post_when_it_waits, &w);
	w.begins = true;
	ck_assert_int_eq(seam_holder_end(h, 0), 0);
	ck_assert_int_eq(d.left, 1);
	pthread_join(thread, NULL);
}
END_TEST

/* A body that fails and exits. */
START_TEST(leaving_at_exit)
{
	struct deed *d = mmap(NULL, sizeof(*d), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	pthread_mutex_init(&d->lock, NULL);
	pid = fork();
	if (!pid) {
		seam_holder *h;

		if (seam_holder_begin(&h, "payer", enter, leave, d, 0))
			_exit(9);
		exit(5);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 5);
	ck_assert_int_eq(d->entered, 1);
	ck_assert_int_eq(d->left, 1);
}
END_TEST

START_TEST(of_another_process)
{
	struct deed d = { .lock = PTHREAD_MUTEX_INITIALIZER };
	seam_holder *h;
	int status;
	pid_t pid;

	ck_assert_int_eq(seam_holder_begin(&h, "payer", enter, leave, &d, 0),
			 0);
	pid = fork();
	if (!pid)
		_exit(seam_holder_end(h, 0) == SEAM_E_GONE ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(d.left, 0);
	ck_assert_int_eq(seam_holder_end(h, 0), 0);
	ck_assert_int_eq(d.left, 1);
}
END_TEST

/* Commands. */

static char path[80];

static bool
is_locked(void)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool locked = flock(fd, LOCK_EX | LOCK_NB) != 0;

	close(fd);
	return locked;
}

static enum seam_code
begin(seam_holder **h, const char *command, uint64_t timeout)
{
	char *argv[] = { "sh", "-c", (char *)(uintptr_t)command, NULL };

	return seam_holder_command(h, argv, timeout);
}

START_TEST(command_holds)
{
	char command[160], dir[64];
	seam_holder *h;

	scratch_make(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	close(creat(path, 0600));
	snprintf(command, sizeof(command), "flock %s sh -c 'echo in; read _'",
		 path);
	ck_assert_int_eq(begin(&h, command, SEAM_DEFAULT), 0);
	ck_assert(is_locked());
	ck_assert_msg(seam_holder_end(h, SEAM_DEFAULT) == 0, "%s",
		      seam_message());
	ck_assert(!is_locked());
	scratch_remove(dir);
}
END_TEST

START_TEST(command_fails)
{
	char *const none[] = { "/no/such/command", NULL };
	seam_holder *h;

	ck_assert_int_eq(begin(&h, "exit 3", 0), SEAM_E_FAILED);
	says("exit 3 could not enter: it ended with status 3");
	ck_assert_ptr_null(h);
	ck_assert_int_eq(begin(&h, "printf unfinished; read _", 50),
			 SEAM_E_TIMEOUT);
	says("has not entered after 0.05 seconds");
	ck_assert_int_eq(seam_holder_command(&h, none, 0), SEAM_E_UNSUPPORTED);
	says("/no/such/command");
}
END_TEST

/* All that it began goes with it. */
START_TEST(command_does_not_leave)
{
	seam_holder *h;

	ck_assert_int_eq(begin(&h,
			       "trap '' TERM; echo in; tail -f /dev/null; "
			       "read _",
			       0),
			 0);
	ck_assert_int_eq(seam_holder_end(h, 100), SEAM_E_TIMEOUT);
	says("has not ended after 0.1 seconds");
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(command_leaves_early)
{
	seam_holder *h;
	siginfo_t info;

	ck_assert_int_eq(begin(&h, "echo in; exit 6", 0), 0);
	ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(seam_holder_end(h, SEAM_DEFAULT), SEAM_E_FAILED);
	says("did not stay: it ended with status 6");
}
END_TEST

/* More than a pipe holds, before and after. */
START_TEST(command_that_talks)
{
	seam_holder *h;

	ck_assert_int_eq(begin(&h, "echo in; head -c 300000 /dev/zero; read _",
			       0),
			 0);
	ck_assert_msg(seam_holder_end(h, 10000) == 0, "%s", seam_message());
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("holder");
	TCase *pair = tcase_create("callbacks"), *cmd = tcase_create("command");

	tcase_add_test(pair, entered_and_left);
	tcase_add_test(pair, entering_that_fails);
	tcase_add_test(pair, entering_too_late);
	tcase_add_test(pair, leaving_too_late);
	tcase_add_test(pair, leaving_without_timeout);
	tcase_add_test(pair, leaving_at_exit);
	tcase_add_test(pair, of_another_process);
	tcase_add_test(cmd, command_holds);
	tcase_add_test(cmd, command_fails);
	tcase_add_test(cmd, command_does_not_leave);
	tcase_add_test(cmd, command_leaves_early);
	tcase_add_test(cmd, command_that_talks);
	suite_add_tcase(suite, pair);
	suite_add_tcase(suite, cmd);
	return suite_run(suite);
}
