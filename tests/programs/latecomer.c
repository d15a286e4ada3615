/* SPDX-License-Identifier: MIT */
/*
 * latecomer: a child behind the back of libc, which becomes another program
 * only when it is told; both wait then.
 *   out: "forked"; in: a line; out: "joined"; in: a line; the end
 */
#include <sys/syscall.h>
#include <sys/wait.h>

#include "victim.h"

int
main(int argc, char **argv)
{
	char line[64];
	int status = 1;
	pid_t pid;

	(void)argv;
	if (argc > 1) {
		say("joined");
		return !wait_line(line, sizeof(line));
	}
	pid = (pid_t)syscall(SYS_fork);
	if (!pid) {
		say("forked");
		if (wait_line(line, sizeof(line)))
			execl("/proc/self/exe", "latecomer", "joined",
			      (char *)NULL);
		_exit(3);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("latecomer: %s", strerror(errno));
	return WEXITSTATUS(status);
}
