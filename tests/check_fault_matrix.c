/* SPDX-License-Identifier: MIT */
/*
 * What docs/faults.md has as a table: faults, and what the session was doing
 * when they came.  Nobody is left stuck, and nothing is left behind.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller.h"
#include "suite.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

enum doing { PASSIVE, PARKED, HELD, RECORDING, DOINGS };

static struct controller controller;
static struct client client, listener;
static struct joiner target;
static pid_t warden;

static void
setup(void)
{
	controller_start(&controller);
	client_open(&client, controller.path);
	client_open(&listener, controller.path);
	ask_ok(&client, "watch on");
	warden = controller_warden(&controller);
}

static void
teardown(void)
{
	client_close(&client);
	client_close(&listener);
	controller_finish(&controller);
	ck_assert_int_eq(controllers_failed, 0);
}

/* What the session does. */

/* The target's worker is about to lock, and cannot if something is armed. */
static void
stand(enum doing doing)
{
	if (doing == PASSIVE || doing == RECORDING)
		return;
	joiner_send(&target, "go");
	joiner_wait(&target, "go done\n");
	ask_ok(&client, doing == PARKED ? "wait p" : "wait blocked worker");
}

static void
begin(enum doing doing)
{
	joiner_start(&target, &controller, "faulty");
	joiner_wait(&target, "ready\n");
	if (doing == PARKED)
		ask_ok(&client, "pause mutex.lock obj=the_mutex as=p");
	else if (doing == HELD)
		ask_ok(&client, "hold the_mutex as=p");
	else if (doing == RECORDING)
		ask_ok(&listener, "log mutex.lock obj=the_mutex");
	stand(doing);
}

static bool
has_heard(const char *part)
{
	struct pollfd p = { .fd = listener.fd, .events = POLLIN };
	char bytes[4096];
	ssize_t n;

	while (poll(&p, 1, CONTROLLER_PATIENCE_MS) == 1 &&
	       (n = read(listener.fd, bytes, sizeof(bytes) - 1)) > 0) {
		bytes[n] = '\0';
		if (strstr(bytes, part))
			return true;
	}
	return false;
}

/* It did: what was armed holds still, and lets go when it is told to. */
static void
goes_on(enum doing doing)
{
	if (doing == PASSIVE || doing == RECORDING)
		joiner_send(&target, "go");
	else
		ask_ok(&client, "release p");
	joiner_wait(&target, "locked\n");
	joiner_send(&target, "join");
	joiner_wait(&target, "join done\n");
	if (doing == RECORDING)
		ck_assert(has_heard("mutex.lock"));
}

static void
quits(void)
{
	int status;

	joiner_send(&target, "quit");
	status = joiner_end(&target);
	ck_assert_msg(status == 0, "wait status %x after '%s'",
		      (unsigned)status, target.said);
}

static void
kill_controller(void)
{
	kill(controller.pid, SIGKILL);
	ck_assert_int_eq(waitpid(controller.pid, NULL, 0), controller.pid);
	controller.pid = 0;
}

static void
stop(pid_t pid)
{
	kill(pid, SIGSTOP);
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
}

/* The controller. */

START_TEST(controller_killed)
{
	begin((enum doing)_i);
	kill_controller();
	if (_i == PASSIVE || _i == RECORDING)
		joiner_send(&target, "go");
	joiner_wait(&target, "locked\n");
	quits();
	ck_assert(came_true(path_is_gone, controller.path));
	ck_assert(came_true(process_is_gone, &warden));
}
END_TEST

/* Whoever does not need it goes on, and nobody else. */
START_TEST(controller_stopped)
{
	begin((enum doing)_i);
	stop(controller.pid);
	joiner_send(&target, "descriptors");
	joiner_wait(&target, "descriptors done\n");
	ck_assert_ptr_null(strstr(target.said, "locked"));
	kill(controller.pid, SIGCONT);
	goes_on((enum doing)_i);
	quits();
	ask_ok(&client, "wait exit P1");
}
END_TEST

/* Nobody empties the ring while it gets more than it has room for: then they
 * wait, or it is told how many were lost. */
START_TEST(controller_slow)
{
	enum { EVENTS = 4000 };
	struct pollfd p;
	int lost;

	/* Whose rings are written over, from then on. */
	ask_ok(&listener, "record on");
	ask_ok(&listener, "record off");
	ask_ok(&listener, "log mutex.lock obj=other_mutex");
	joiner_start(&target, &controller, "faulty");
	joiner_wait(&target, "ready\n");
	for (int i = 0; i < 5; i++) {
		stop(controller.pid);
		joiner_send(&target, "events");
		p = (struct pollfd){ .fd = target.out, .events = POLLIN };
		poll(&p, 1, 20);
		kill(controller.pid, SIGCONT);
		/* Who does not read what was logged is cut off. */
		do
			ask_ok(&listener, "procs");
		while (poll(&p, 1, 0) == 0);
		target.n = 0;
		joiner_wait(&target, "events done\n");
	}
	quits();
	ask_ok(&client, "wait exit P1");
	ask_ok(&listener, "log off");
	ask_ok(&client, "stats");
	lost = atoi(reply_field(&client, "events_lost"));
	ck_assert_msg((int)listener.events + lost == 5 * EVENTS,
		      "%u events heard, %d lost: %s %s", listener.events, lost,
		      client.last, client.body);
}
END_TEST

/* The target. */

START_TEST(target_killed)
{
	begin((enum doing)_i);
	kill(target.pid, SIGKILL);
	ck_assert(WIFSIGNALED(joiner_end(&target)));
	ask_ok(&client, "wait exit P1");
	ask_ok(&client, "threads");
	ck_assert_str_eq(reply_field(&client, "rows"), "0");
	ask_ok(&client, "delete all");
	/* The next one has all that it had. */
	begin((enum doing)_i);
	goes_on((enum doing)_i);
	quits();
}
END_TEST

/* It does not notice anything of what is done to it until it may go on. */
START_TEST(target_stopped)
{
	struct pollfd p;

	begin((enum doing)_i);
	stop(target.pid);
	if (_i == PASSIVE || _i == RECORDING)
		joiner_send(&target, "go");
	else
		ask_ok(&client, "release p");
	p = (struct pollfd){ .fd = target.out, .events = POLLIN };
	ck_assert_int_eq(poll(&p, 1, 20), 0);
	kill(target.pid, SIGCONT);
	joiner_wait(&target, "locked\n");
	quits();
}
END_TEST

/* Parked threads stay parked through SIGSTOP and SIGCONT. */
START_TEST(parked_stopped)
{
	begin((enum doing)_i);
	for (int i = 0; i < 5; i++) {
		stop(target.pid);
		kill(target.pid, SIGCONT);
		ck_assert_int_eq(waitpid(target.pid, NULL, WCONTINUED),
				 target.pid);
	}
	joiner_send(&target, "fork");
	joiner_wait(&target, "fork done\n");
	ck_assert_ptr_null(strstr(target.said, "locked"));
	goes_on((enum doing)_i);
	quits();
}
END_TEST

/* The session ends while a target of its own is stopped. */
START_TEST(ends_with_stopped)
{
	char pid[16];
	pid_t gone;

	ask_ok(&client, "start A -- %s/faulty",
	       needed_env("SEAM_TEST_PROGRAMS"));
	snprintf(pid, sizeof(pid), "%s", reply_field(&client, "pid"));
	ask_ok(&client, "signal A STOP");
	gone = (pid_t)atoi(pid);
	ck_assert_int_gt(gone, 1);
	ck_assert_int_eq(controller_end(&controller), 0);
	ck_assert(came_true(process_is_gone, &gone));
}
END_TEST

/* What a target does to itself. */

static const struct fault {
	const char *command;
	bool leaves; /* the process and its threads are others after it */
	bool root;   /* alone can do it */
} faults[] = {
	{ "fork", false, false },    { "exec", true, false },
	{ "daemon", true, false },   { "memory", false, false },
	{ "mount", false, true },    { "user", false, false },
	{ "pid", false, true },	     { "descriptors", false, false },
	{ "chroot .", false, true }, { "nobody", false, true },
};

START_TEST(suffered)
{
	const struct fault *fault = &faults[_i / DOINGS];
	const enum doing doing = (enum doing)(_i % DOINGS);
	char done[64];

	if (fault->root && geteuid())
		return;
	begin(doing);
	target.n = 0;
	joiner_send(&target, fault->command);
	snprintf(done, sizeof(done), "%s done\n", fault->command);
	joiner_wait(&target, done);
	if (fault->leaves)
		stand(doing);
	goes_on(doing);
	joiner_send(&target, "quit");
	ck_assert_int_eq(joiner_end(&target), 0);
}
END_TEST

/* And in each of several schedules, to the same end. */
START_TEST(suffered_explored)
{
	const struct fault *fault = &faults[_i];
	char command[1024], said[8192] = "";
	FILE *f;
	int status;

	if (fault->root && geteuid())
		return;
	snprintf(command, sizeof(command),
		 "cd '%s' && '%s' explore --strategy random -n 5 --expect 0 -- "
		 "'%s/faulty' %s '%s' %s join 2>&1",
		 controller.dir, needed_env("SEAM_COMMAND"),
		 needed_env("SEAM_TEST_PROGRAMS"), fault->leaves ? "" : "go",
		 fault->command, fault->leaves ? "go" : "");
	f = popen(command, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_gt(fread(said, 1, sizeof(said) - 1, f), 0);
	status = pclose(f);
	ck_assert_msg(status == 0, "wait status %x: %.3000s", (unsigned)status,
		      said);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault_matrix");
	const struct {
		const char *name;
		const TTest *test;
		int rows;
	} groups[] = {
		{ "controller_killed", controller_killed, DOINGS },
		{ "controller_stopped", controller_stopped, DOINGS },
		{ "controller_slow", controller_slow, 1 },
		{ "target_killed", target_killed, DOINGS },
		{ "target_stopped", target_stopped, DOINGS },
		{ "parked_stopped", parked_stopped, DOINGS },
		{ "ends_with_stopped", ends_with_stopped, 1 },
		{ "suffered", suffered, COUNT(faults) * DOINGS },
		{ "suffered_explored", suffered_explored, COUNT(faults) },
	};

	for (int i = 0; i < COUNT(groups); i++)
		tcase_add_checked_fixture(suite_add_rows(suite, groups[i].name,
							 groups[i].test,
							 groups[i].rows),
					  setup, teardown);
	return suite_run(suite);
}
