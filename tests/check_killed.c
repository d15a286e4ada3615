/* SPDX-License-Identifier: MIT */
/*
 * Named semaphores that a session holds for real, when its controller is
 * killed: the warden gives back what was taken, and nothing else.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "controller.h"
#include "suite.h"

static struct controller controller;
static struct client client;
static pid_t warden;
static char name[32];
static sem_t *sem;

static sem_t *
new_sem(unsigned value)
{
	sem_t *s = sem_open(name, O_CREAT | O_EXCL, 0600, value);

	ck_assert_ptr_ne(s, SEM_FAILED);
	return s;
}

static void
setup(void)
{
	snprintf(name, sizeof(name), "/seam-killed-%d", (int)getpid());
	sem = new_sem(3);
	controller_start(&controller);
	client_open(&client, controller.path);
	ask_ok(&client, "watch on");
	warden = controller_warden(&controller);
}

static void
teardown(void)
{
	client_close(&client);
	controller_finish(&controller);
	sem_close(sem);
	sem_unlink(name);
	ck_assert_int_eq(controllers_failed, 0);
}

static int
value_of(sem_t *s)
{
	int value;

	ck_assert_int_eq(sem_getvalue(s, &value), 0);
	return value;
}

/* When this returns, the warden has done its work. */
static void
kill_controller(void)
{
	kill(controller.pid, SIGKILL);
	ck_assert_int_eq(waitpid(controller.pid, NULL, 0), controller.pid);
	controller.pid = 0;
	ck_assert(came_true(process_is_gone, &warden));
}

START_TEST(units_come_back)
{
	ask_ok(&client, "hold sem:%s as=h", name);
	ck_assert_int_eq(value_of(sem), 0);
	kill_controller();
	ck_assert_int_eq(value_of(sem), 3);
}
END_TEST

/* Those that the session itself had given back are not given twice. */
START_TEST(not_twice)
{
	ask_ok(&client, "hold sem:%s as=h", name);
	ask_ok(&client, "release h");
	ck_assert_int_eq(value_of(sem), 3);
	ask_ok(&client, "hold sem:%s as=again", name);
	ask_ok(&client, "delete again");
	kill_controller();
	ck_assert_int_eq(value_of(sem), 3);
}
END_TEST

/* In a process that the session knows nothing of. */
static pid_t
waiter(void)
{
	struct timespec until;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CONTROLLER_PATIENCE_MS / 1000;
	_exit(sem_timedwait(sem, &until) ? errno : 0);
}

START_TEST(who_waits_goes_on)
{
	pid_t pid[3];
	int status;

	ask_ok(&client, "hold sem:%s", name);
	for (int i = 0; i < 3; i++)
		pid[i] = waiter();
	kill_controller();
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(waitpid(pid[i], &status, 0), pid[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(value_of(sem), 0);
}
END_TEST

START_TEST(a_target_goes_on)
{
	char words[96];
	struct joiner j;

	snprintf(words, sizeof(words),
		 "acquire named-sem lock --name %s --stdin", name);
	joiner_start(&j, &controller, words);
	joiner_wait(&j, "ready\n");
	ask_ok(&client, "hold sem:%s", name);
	joiner_send(&j, "go");
	ask_ok(&client, "wait blocked worker");
	kill_controller();
	joiner_wait(&j, "ret=0");
	ck_assert_int_eq(joiner_end(&j), 0);
}
END_TEST

START_TEST(name_is_gone)
{
	ask_ok(&client, "hold sem:%s", name);
	sem_unlink(name);
	kill_controller();
	ck_assert_int_eq(value_of(sem), 3);
}
END_TEST

/* What bears that name meanwhile is somebody else's. */
START_TEST(another_of_that_name)
{
	sem_t *other;

	ask_ok(&client, "hold sem:%s", name);
	sem_unlink(name);
	other = new_sem(5);
	kill_controller();
	ck_assert_int_eq(value_of(other), 5);
	ck_assert_int_eq(value_of(sem), 3);
	sem_close(other);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("killed");
	TCase *tc = tcase_create("semaphores");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, units_come_back);
	tcase_add_test(tc, not_twice);
	tcase_add_test(tc, who_waits_goes_on);
	tcase_add_test(tc, a_target_goes_on);
	tcase_add_test(tc, name_is_gone);
	tcase_add_test(tc, another_of_that_name);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
