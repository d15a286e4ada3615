/* SPDX-License-Identifier: MIT */
/* signal_process: a child's signal ends a read whose other end is our own;
 * with SA_RESTART it does not, and the handler's byte is what is read. */
#include "explore.h"

#include <signal.h>
#include <sys/wait.h>

static int fds[2];
static volatile sig_atomic_t signals;

static void
on_first(int sig)
{
	(void)sig;
	signals++;
}

static void
on_second(int sig)
{
	(void)sig;
	signals++;
	must(write(fds[1], "x", 1) != 1);
}

int
main(void)
{
	struct sigaction first = { .sa_handler = on_first },
			 second = { .sa_handler = on_second,
				    .sa_flags = SA_RESTART };
	sigset_t set, before;
	char byte;
	pid_t pid;

	must(pipe(fds) || sigaction(SIGUSR1, &first, NULL) ||
	     sigaction(SIGUSR2, &second, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(pthread_sigmask(SIG_BLOCK, &set, &before));
	pid = fork();
	must(pid < 0);
	if (!pid) {
		must(kill(getppid(), SIGUSR1) || kill(getppid(), SIGUSR2));
		_exit(0);
	}
	must(read(fds[0], &byte, 1) != 1);
	must(sigsuspend(&before) != -1 || errno != EINTR);
	must(waitpid(pid, NULL, 0) != pid);
	return verdict(signals == 2);
}
