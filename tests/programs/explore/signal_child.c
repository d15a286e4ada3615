/* SPDX-License-Identifier: MIT */
/* signal_child: children are reaped in the handler of SIGCHLD, which posts
 * a semaphore; a thread that is in pselect is told by a signal, too. */
#include "explore.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/wait.h>

#define CHILDREN 2

static sem_t reaped;
static volatile sig_atomic_t told;

static void
on_child(int sig)
{
	int saved = errno;

	(void)sig;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		sem_post(&reaped);
	errno = saved;
}

static void
on_signal(int sig)
{
	(void)sig;
	told = 1;
}

int
main(void)
{
	struct sigaction child = { .sa_handler = on_child,
				   .sa_flags = SA_RESTART },
			 told_by = { .sa_handler = on_signal };
	sigset_t set, before;
	int i;

	must(sem_init(&reaped, 0, 0) || sigaction(SIGCHLD, &child, NULL));
	must(sigaction(SIGUSR1, &told_by, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(pthread_sigmask(SIG_BLOCK, &set, &before));
	for (i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();

		must(pid < 0);
		if (pid)
			continue;
		if (i == 0)
			must(kill(getppid(), SIGUSR1));
		_exit(0);
	}
	while (!told)
		must(pselect(0, NULL, NULL, NULL, NULL, &before) >= 0 ||
		     errno != EINTR);
	for (i = 0; i < CHILDREN; i++)
		while (sem_wait(&reaped) && errno == EINTR)
			;
	return verdict(1);
}
