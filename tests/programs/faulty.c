/* SPDX-License-Identifier: MIT */
/*
 * faulty [COMMAND...]: commands from the command line, or from standard input,
 * a line each; says "COMMAND done" when that has happened to it.
 *
 * go: a thread named "worker" locks the_mutex, and says "locked"; join waits
 * for it.  events: locks other_mutex 4000 times.  chain: 100 processes, each
 * the child of another, that do not end.  killed, stopped: by a signal of its
 * own.  quit.
 *
 * All others end with a lock of other_mutex.  fork: by a child of its own.
 * exec: begins anew, with the commands that are left.  daemon: goes on as a
 * child of init.  memory, descriptors: when it has all that it may have.
 * chroot DIR, nobody: with another root, or as another user.  mount, user,
 * pid: by a child in a namespace of its own.
 */
#include "victim.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

pthread_mutex_t the_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t other_mutex = PTHREAD_MUTEX_INITIALIZER;

static pthread_t worker;
static char **rest; /* of the commands; NULL: they come from stdin */
static char *self;

static void *
work(void *unused)
{
	pthread_setname_np(pthread_self(), "worker");
	pthread_mutex_lock(&the_mutex);
	say("locked");
	pthread_mutex_unlock(&the_mutex);
	return unused;
}

static void
lock_other(void)
{
	pthread_mutex_lock(&other_mutex);
	pthread_mutex_unlock(&other_mutex);
}

static int
wait_for(pid_t pid)
{
	int status;

	return pid < 0 || waitpid(pid, &status, 0) != pid || status ? 1 : 0;
}

/* A child does that: its own child, if it is to be in other namespaces. */
static void
child(int namespaces)
{
	pid_t pid = fork();

	if (pid == 0 && namespaces) {
		if (unshare(namespaces))
			die("faulty: unshare: %s", strerror(errno));
		pid = fork();
		if (pid)
			_exit(wait_for(pid));
	}
	if (pid == 0) {
		lock_other();
		_exit(0);
	}
	if (wait_for(pid))
		die("faulty: the child failed");
}

static void
daemonise(void)
{
	if (fork())
		_exit(0);
	setsid();
	if (fork())
		_exit(0);
}

static void
all_memory(void)
{
	const struct rlimit none = { 0, RLIM_INFINITY };
	struct rlimit old;
	void *p;

	getrlimit(RLIMIT_AS, &old);
	if (setrlimit(RLIMIT_AS, &none))
		die("faulty: %s", strerror(errno));
	do
		p = malloc(64);
	while (p);
	lock_other();
	setrlimit(RLIMIT_AS, &old);
}

static void
all_descriptors(void)
{
	const struct rlimit few = { 64, 64 };

	if (setrlimit(RLIMIT_NOFILE, &few))
		die("faulty: %s", strerror(errno));
	while (open("/dev/null", O_RDONLY) >= 0)
		;
	lock_other();
}

static void
begin_anew(void)
{
	char *none[] = { self, NULL };
	char **argv = none;

	if (rest) {
		*--rest = none[0];
		argv = rest;
	}
	execv("/proc/self/exe", argv);
	die("faulty: exec: %s", strerror(errno));
}

static void
do_command(const char *line)
{
	if (!strcmp(line, "go")) {
		if (pthread_create(&worker, NULL, work, NULL))
			die("faulty: no thread");
	} else if (!strcmp(line, "join")) {
		pthread_join(worker, NULL);
	} else if (!strcmp(line, "fork")) {
		child(0);
	} else if (!strcmp(line, "exec")) {
		say("exec done");
		begin_anew();
	} else if (!strcmp(line, "daemon")) {
		daemonise();
	} else if (!strcmp(line, "memory")) {
		all_memory();
	} else if (!strcmp(line, "descriptors")) {
		all_descriptors();
	} else if (!strncmp(line, "chroot ", 7)) {
		if (chroot(line + 7) || chdir("/"))
			die("faulty: chroot: %s", strerror(errno));
		lock_other();
	} else if (!strcmp(line, "nobody")) {
		if (setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
		    setresuid(65534, 65534, 65534))
			die("faulty: setresuid: %s", strerror(errno));
		lock_other();
		child(0);
	} else if (!strcmp(line, "mount")) {
		child(CLONE_NEWNS);
	} else if (!strcmp(line, "user")) {
		child(CLONE_NEWUSER);
	} else if (!strcmp(line, "pid")) {
		child(CLONE_NEWPID);
	} else if (!strcmp(line, "events")) {
		for (int i = 0; i < 4000; i++)
			lock_other();
	} else if (!strcmp(line, "chain")) {
		for (int i = 0; i < 100 && fork() == 0; i++)
			;
		for (;;)
			pause();
	} else if (!strcmp(line, "killed")) {
		raise(SIGKILL);
	} else if (!strcmp(line, "stopped")) {
		raise(SIGSTOP);
	} else if (!strcmp(line, "quit")) {
		exit(0);
	} else {
		die("faulty: %s?", line);
	}
	say("%s done", line);
}

int
main(int argc, char **argv)
{
	char line[256];

	self = argv[0];
	if (argc > 1) {
		rest = argv + 1;
		while (*rest)
			do_command(*rest++);
		return 0;
	}
	say("ready");
	while (wait_line(line, sizeof(line)))
		do_command(line);
	return 0;
}
