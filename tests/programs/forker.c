/* SPDX-License-Identifier: MIT */
/*
 * forker MODE [ARG]: makes a process in one of many ways.  What is executed
 * is forker itself with mode "child", which locks child_lock in child_work()
 * and prints "child done".  The parent prints "parent done" after it.
 *
 * "daemon FILE" and "daemon-late FILE" write what they come to into FILE.
 * Other modes execute ARG instead of forker, where it is given.
 */
#include "victim.h"

#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

pthread_mutex_t child_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t parent_lock = PTHREAD_MUTEX_INITIALIZER;
static char self[PATH_MAX];
static const char *argument;
static char *no_env[] = { NULL };
static char *child_argv[] = { self, "child", NULL };

CALL_SITE static void
child_work(void)
{
	/* at: child lock */
	pthread_mutex_lock(&child_lock);
	say("child done");
	pthread_mutex_unlock(&child_lock);
	HERE();
}

CALL_SITE static void
parent_work(void)
{
	pthread_mutex_lock(&parent_lock);
	say("parent done");
	pthread_mutex_unlock(&parent_lock);
	HERE();
}

static int
wait_for(pid_t pid)
{
	int status;

	if (pid < 0)
		die("forker: %s", strerror(errno));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("forker: waitpid: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static int
do_child(void)
{
	child_work();
	return 0;
}

/* fork without exec: the child is the same program. */
static int
do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		child_work();
		exit(0);
	}
	return wait_for(pid);
}

static void *
fork_main(void *status)
{
	pthread_setname_np(pthread_self(), "forking");
	*(int *)status = do_fork();
	return NULL;
}

static int
do_fork_thread(void)
{
	pthread_t thread;
	int status = 100;

	pthread_create(&thread, NULL, fork_main, &status);
	pthread_join(thread, NULL);
	return status;
}

static int
do_fork_exec(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execv(self, child_argv);
		_exit(101);
	}
	return wait_for(pid);
}

static int
do_vfork_exec(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execv(self, child_argv);
		_exit(101);
	}
	return wait_for(pid);
}

/* The child cannot execute anything: parent and child go on all the same. */
static int
do_vfork_fail(void)
{
	static char *argv[] = { "/nonexistent", NULL };
	pid_t pid = vfork();

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(101);
	}
	return wait_for(pid) == 101 ? 0 : 1;
}

static int
spawn(char **env)
{
	pid_t pid;
	int r = posix_spawn(&pid, self, NULL, NULL, child_argv, env);

	if (r)
		die("forker: posix_spawn: %s", strerror(r));
	return wait_for(pid);
}

static int
do_spawn(void)
{
	return spawn(environ);
}

static int
do_spawn_empty(void)
{
	return spawn(no_env);
}

static int
do_system(void)
{
	char command[PATH_MAX + 16];
	int status;

	snprintf(command, sizeof(command), "'%s' child", self);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static int
do_popen(void)
{
	char command[PATH_MAX + 16], line[128];
	FILE *f;

	snprintf(command, sizeof(command), "'%s' child", self);
	f = popen(command, "r");
	if (!f)
		die("forker: popen");
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		say("popen: %s", line);
	}
	return pclose(f) ? 1 : 0;
}

/* These replace the program: nothing comes after them. */
static int
do_execve(void)
{
	execve(self, child_argv, environ);
	return 101;
}

static int
do_execve_empty(void)
{
	execve(self, child_argv, no_env);
	return 101;
}

static int
do_execve_null(void)
{
	execve(self, child_argv, NULL);
	return 101;
}

static int
do_execv(void)
{
	execv(self, child_argv);
	return 101;
}

static int
do_execvp(void)
{
	execvp(self, child_argv);
	return 101;
}

static int
do_execvpe_empty(void)
{
	execvpe(self, child_argv, no_env);
	return 101;
}

static int
do_execl(void)
{
	execl(self, self, "child", (char *)NULL);
	return 101;
}

static int
do_execlp(void)
{
	execlp(self, self, "child", (char *)NULL);
	return 101;
}

static int
do_execle_empty(void)
{
	execle(self, self, "child", (char *)NULL, no_env);
	return 101;
}

static int
do_fexecve_empty(void)
{
	int fd = open(self, O_RDONLY | O_CLOEXEC);

	fexecve(fd, child_argv, no_env);
	return 101;
}

/* Two children, one of the other: P1.1 and P1.1.1. */
static int
do_double_fork(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pid = fork();
		if (pid == 0) {
			child_work();
			exit(0);
		}
		exit(wait_for(pid));
	}
	return wait_for(pid);
}

/* Several children: P1.1, P1.2, P1.3. */
static int
do_fork_many(void)
{
	int bad = 0;

	for (int i = 0; i < 3; i++)
		bad |= do_fork();
	return bad;
}

/* Both alive at once; the child's lock is its own. */
static int
do_fork_lock(void)
{
	pid_t pid;

	pthread_mutex_lock(&parent_lock);
	pid = fork();
	if (pid == 0) {
		child_work();
		exit(0);
	}
	pthread_mutex_unlock(&parent_lock);
	return wait_for(pid);
}

static void
write_result(const char *text)
{
	int fd = open(argument, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		_exit(102);
	close(fd);
}

/*
 * The classical daemon: every descriptor closed, the numbers used again.
 * `ready` tells the parent that the result is written.
 */
static int
daemonise(int before)
{
	pid_t pid;

	if (before)
		closefrom(3);
	pid = fork();
	if (pid == 0) {
		setsid();
		if (fork() > 0)
			_exit(0);
		closefrom(0);
		for (int i = 0; i < 32; i++)
			if (open("/dev/null", O_RDWR) != i)
				_exit(103);
		pthread_mutex_lock(&child_lock);
		write_result("daemon done\n");
		pthread_mutex_unlock(&child_lock);
		_exit(0);
	}
	return wait_for(pid);
}

static int
do_daemon(void)
{
	return daemonise(1);
}

static int
do_daemon_late(void)
{
	return daemonise(0);
}

/* libc's own; the parent leaves by _exit within it. */
static int
do_libc_daemon(void)
{
	if (daemon(1, 0))
		return 101;
	child_work();
	write_result("daemon done\n");
	return 0;
}

static int
do_close_range(void)
{
	close_range(3, ~0U, 0);
	child_work();
	return 0;
}

/* The number of a descriptor of ours may be taken with dup2. */
static int
do_dup2_all(void)
{
	for (int fd = 3; fd < 1024; fd++)
		if (dup2(STDERR_FILENO, fd) < 0)
			break;
	child_work();
	return 0;
}

static const struct {
	const char *mode;
	int (*run)(void);
} table[] = {
	{ "child", do_child },
	{ "fork", do_fork },
	{ "fork-thread", do_fork_thread },
	{ "fork-exec", do_fork_exec },
	{ "fork-lock", do_fork_lock },
	{ "fork-many", do_fork_many },
	{ "double-fork", do_double_fork },
	{ "vfork-exec", do_vfork_exec },
	{ "vfork-fail", do_vfork_fail },
	{ "posix_spawn", do_spawn },
	{ "spawn-empty-env", do_spawn_empty },
	{ "system", do_system },
	{ "popen", do_popen },
	{ "execve", do_execve },
	{ "execve-empty-env", do_execve_empty },
	{ "execve-null-env", do_execve_null },
	{ "execv", do_execv },
	{ "execvp", do_execvp },
	{ "execvpe-empty-env", do_execvpe_empty },
	{ "execl", do_execl },
	{ "execlp", do_execlp },
	{ "execle-empty-env", do_execle_empty },
	{ "fexecve-empty-env", do_fexecve_empty },
	{ "daemon", do_daemon },
	{ "daemon-late", do_daemon_late },
	{ "libc-daemon", do_libc_daemon },
	{ "close-range", do_close_range },
	{ "dup2-all", do_dup2_all },
};

int
main(int argc, char **argv)
{
	size_t row = 0;
	int status;

	if (argc < 2)
		die("usage: forker MODE [ARG]");
	if (argc > 2)
		argument = argv[2];
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		die("forker: /proc/self/exe");
	while (strcmp(table[row].mode, argv[1]) != 0)
		if (++row == sizeof(table) / sizeof(table[0]))
			die("forker: no mode %s", argv[1]);
	if (strstr(table[row].mode, "daemon") && !argument)
		die("usage: forker %s FILE", table[row].mode);
	if (!strstr(table[row].mode, "daemon") && argument)
		snprintf(self, sizeof(self), "%s", argument);
	status = table[row].run();
	if (status == 0 && strcmp(argv[1], "child") != 0)
		parent_work();
	return status;
}
