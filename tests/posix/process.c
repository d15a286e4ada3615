/* SPDX-License-Identifier: MIT */
/* fork and its handlers, vfork, exec, posix_spawn, system, popen, waiting. */
#include "promise.h"

#include <pty.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int
status_of(pid_t pid)
{
	int status = -1;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static char order[16];

static void
note(char c)
{
	size_t n = strlen(order);

	if (n + 1 < sizeof(order))
		order[n] = c;
}

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void
prepare_one(void)
{
	pthread_mutex_lock(&m);
	note('1');
}

static void
prepare_two(void)
{
	note('2');
}

static void
after_one(void)
{
	note('a');
	pthread_mutex_unlock(&m);
}

static void
after_two(void)
{
	note('b');
}

static int
child_order(void *arg)
{
	(void)arg;
	return strcmp(order, "21ab") != 0 || pthread_mutex_trylock(&m) != 0;
}

static void
forking(void)
{
	must(pthread_atfork(prepare_one, after_one, after_one) != 0);
	must(pthread_atfork(prepare_two, after_two, after_two) != 0);
	is("atfork handlers in the child", in_child(child_order, NULL), 0);
	verdict("atfork handlers in the parent", order, "21ab");
	memset(order, 0, sizeof(order));
	pid_t pid = _Fork();
	must(pid < 0);
	if (pid == 0)
		_exit(order[0] == '\0' ? 4 : 5);
	is("_Fork runs no handlers", status_of(pid), 4);
	pid = fork();
	if (pid == 0)
		_Exit(getppid() != getpid() ? 6 : 7);
	is("fork, _Exit", status_of(pid), 6);
	pid = fork();
	if (pid == 0) {
		raise(SIGKILL);
		_exit(0);
	}
	is("a child killed", status_of(pid), 128 + SIGKILL);
	pid = vfork();
	if (pid == 0)
		_exit(8);
	is("vfork, _exit", status_of(pid), 8);
	pid = vfork();
	if (pid == 0) {
		execl("/no/where", "where", NULL);
		_exit(errno == ENOENT ? 9 : 10);
	}
	is("vfork, exec that fails", status_of(pid), 9);
	pid = vfork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "exit 11", NULL);
		_exit(1);
	}
	is("vfork, exec", status_of(pid), 11);
}

static void *
forks(void *arg)
{
	(void)arg;
	return RESULT(in_child(child_order, NULL));
}

static int
thread_in_child(void *arg)
{
	pthread_t t;

	(void)arg;
	memset(order, 0, sizeof(order));
	must(pthread_create(&t, NULL, forks, NULL) != 0);
	join(t);
	return 12;
}

static char *const shell[] = {
	"sh", "-c", "exit $((X + $#))", "sh", "a", NULL
};
static char *const with_x[] = { "X=20", NULL };

static int
runs(int how)
{
	int fd = open("/bin/sh", O_RDONLY | O_CLOEXEC);
	int dir = open("/bin", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	setenv("X", "30", 1);
	switch (how) {
	case 0:
		return execve("/bin/sh", shell, with_x);
	case 1:
		return execv("/bin/sh", shell);
	case 2:
		return execvp("sh", shell);
	case 3:
		return execvpe("sh", shell, with_x);
	case 4:
		return execl("/bin/sh", "sh", "-c", "exit $((X + $#))", "sh",
			     "a", "b", NULL);
	case 5:
		return execle("/bin/sh", "sh", "-c", "exit $((X + $#))", "sh",
			      "a", "b", NULL, with_x);
	case 6:
		return execlp("sh", "sh", "-c", "exit $((X + $#))", "sh", "a",
			      "b", "c", NULL);
	case 7:
		return fexecve(fd, shell, with_x);
	default:
		return execveat(dir, "sh", shell, with_x, 0);
	}
}

static void
executing(void)
{
	static const char *const names[] = { "execve",	"execv",   "execvp",
					     "execvpe", "execl",   "execle",
					     "execlp",	"fexecve", "execveat" };
	static const int codes[] = { 21, 31, 31, 21, 32, 22, 33, 21, 21 };

	for (int i = 0; i < 9; i++) {
		pid_t pid = fork();

		must(pid < 0);
		if (pid == 0)
			_exit(runs(i) < 0 ? 99 : 98);
		is(names[i], status_of(pid), codes[i]);
	}
	fails("execve, no such file", execve("/no/where", shell, with_x),
	      ENOENT);
	fails("execv, a directory", execv("/", shell), EACCES);
	fails("execvp, not found", execvp("seam-no-such-thing", shell), ENOENT);
	fails("execvp, empty name", execvp("", shell), ENOENT);
	fails("execl, no program", execl("/dev/null", "null", NULL), EACCES);
	fails("fexecve, no descriptor", fexecve(-1, shell, with_x), EINVAL);
	fails("fexecve, no environment", fexecve(0, shell, NULL), EINVAL);
	fails("execveat, no such file",
	      execveat(AT_FDCWD, "/no/where", shell, with_x, 0), ENOENT);
	fails("execveat, empty path", execveat(0, "", shell, with_x, 0),
	      ENOENT);
}

static void
spawning(void)
{
	pid_t pid = -5;

	is_error("posix_spawn",
		 posix_spawn(&pid, "/bin/sh", NULL, NULL, shell, with_x), 0);
	is("posix_spawn: what came of it", status_of(pid), 21);
	pid = -5;
	is_error("posix_spawnp",
		 posix_spawnp(&pid, "sh", NULL, NULL, shell, with_x), 0);
	is("posix_spawnp: what came of it", status_of(pid), 21);
	pid = -5;
	is_error("posix_spawn, no such file",
		 posix_spawn(&pid, "/no/where", NULL, NULL, shell, with_x),
		 ENOENT);
	is_error("posix_spawnp, not found",
		 posix_spawnp(&pid, "seam-no-such-thing", NULL, NULL, shell,
			      with_x),
		 ENOENT);
	is_error("posix_spawn, no pid wanted",
		 posix_spawn(NULL, "/bin/sh", NULL, NULL, shell, with_x), 0);
	is("posix_spawn, no pid wanted: what came of it", wait(NULL) > 0, 1);
}

static void
shells(void)
{
	is("system", WEXITSTATUS(system("exit 3")), 3);
	is("system: no shell's own", system(NULL) != 0, 1);
	is("system: no such command",
	   WEXITSTATUS(system("exec /no/where 2>/dev/null")), 127);
	FILE *f = popen("read x; exit $x", "w");
	must(f == NULL);
	must(f == NULL);
	fputs("6\n", f);
	is("pclose, written to", WEXITSTATUS(pclose(f)), 6);
	errno = 0;
	is("popen, bad mode", popen("true", "x") == NULL, 1);
	is_error("popen, bad mode: why", errno, EINVAL);
}

static int
exits_with(void *code)
{
	return (int)(long)code;
}

static pid_t
child_of(int code)
{
	pid_t pid = fork();

	must(pid < 0);
	if (pid == 0)
		_exit(exits_with(RESULT(code)));
	return pid;
}

static void
waiting(void)
{
	siginfo_t info = { 0 };
	struct rusage usage;
	int status = 0;
	pid_t pid;

	fails("wait, no children", wait(&status), ECHILD);
	fails("waitpid, no children", waitpid(-1, &status, 0), ECHILD);
	fails("waitpid, not a child", waitpid(1, &status, 0), ECHILD);
	fails("waitpid, bad options", waitpid(-1, &status, 0x40000000 >> 4),
	      EINVAL);
	fails("waitid, no children", waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	fails("waitid, waits for nothing", waitid(P_ALL, 0, &info, 0), EINVAL);
	fails("wait3, no children", wait3(&status, 0, &usage), ECHILD);
	fails("wait4, no children", wait4(-1, &status, WNOHANG, &usage),
	      ECHILD);

	pid = child_of(1);
	is("wait", wait(&status) == pid, 1);
	is("wait: status", WEXITSTATUS(status), 1);
	pid = child_of(2);
	is("waitid, left there",
	   waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	is("waitid: code and status", info.si_code * 100 + info.si_status,
	   CLD_EXITED * 100 + 2);
	is("waitpid, WNOHANG, ended", waitpid(pid, &status, WNOHANG) == pid, 1);
	pid = child_of(3);
	is("wait3", wait3(&status, 0, &usage) == pid, 1);
	pid = child_of(4);
	is("wait4", wait4(pid, &status, 0, &usage) == pid, 1);
	is("wait4: status", WEXITSTATUS(status), 4);
	pid = child_of(5);
	is("waitpid of the group", waitpid(0, NULL, 0) == pid, 1);

	int gate[2];
	char c = 0;
	must(pipe(gate) != 0);
	pid = fork();
	if (pid == 0)
		_exit(read(gate[0], &c, 1) == 1 ? 6 : 7);
	gives("waitpid, WNOHANG, alive", waitpid(pid, &status, WNOHANG), 0);
	info.si_pid = 5;
	gives("waitid, WNOHANG, alive",
	      waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG), 0);
	is("waitid, WNOHANG, alive: nobody", info.si_pid, 0);
	must(write(gate[1], &c, 1) != 1);
	is("its end", status_of(pid), 6);
	close(gate[0]);
	close(gate[1]);
}

static void
stopping(void)
{
	int status = 0;
	pid_t pid = fork();

	must(pid < 0);
	if (pid == 0) {
		raise(SIGSTOP);
		_exit(9);
	}
	is("waitpid, WUNTRACED", waitpid(pid, &status, WUNTRACED) == pid, 1);
	is("a child stopped", WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP,
	   1);
	gives("kill to continue it", kill(pid, SIGCONT), 0);
	is("its end after that", status_of(pid), 9);
}

static char
what_became(void)
{
	char cwd[8] = "";
	struct stat null, st;

	if (getsid(0) != getpid())
		return 's';
	if (!getcwd(cwd, sizeof(cwd)) || strcmp(cwd, "/") != 0)
		return 'c';
	if (stat("/dev/null", &null) != 0)
		return '?';
	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) != 0 || st.st_rdev != null.st_rdev)
			return 'n';
	return 'd';
}

/* daemon's process tells by a pipe what it is. */
static void
daemons(const char *name, int stays)
{
	int tell[2];
	char c = 0;

	must(pipe(tell) != 0);
	pid_t pid = fork();
	must(pid < 0);
	if (pid == 0) {
		if (daemon(stays, stays) != 0)
			_exit(1);
		c = what_became();
		_exit(write(tell[1], &c, 1) != 1);
	}
	is("daemon: the caller's exit", status_of(pid), 0);
	close(tell[1]);
	gives("daemon goes on", read(tell[0], &c, 1), 1);
	is(name, c, stays ? 'c' : 'd');
	close(tell[0]);
}

static void
terminals(void)
{
	int master = -1;
	pid_t pid = forkpty(&master, NULL, NULL, NULL);

	must(pid < 0);
	if (pid == 0)
		_exit(isatty(0) && getsid(0) == getpid() ? 13 : 14);
	is("forkpty", status_of(pid), 13);
	gives("close of its master", close(master), 0);
}

int
main(void)
{
	forking();
	is("fork in a thread of a child", in_child(thread_in_child, NULL), 12);
	executing();
	spawning();
	shells();
	waiting();
	stopping();
	daemons("daemon stays where it is", 1);
	daemons("daemon leaves it all", 0);
	terminals();
	return broken;
}
