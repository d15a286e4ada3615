/* SPDX-License-Identifier: MIT */
/* A command that is no target: run, and waited for. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "cli.h"
#include "holding.h"

extern char **environ;

static volatile sig_atomic_t child;

/* The terminal sends its own to the child as well. */
static void
hand_on(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	if (info->si_code != SI_KERNEL && child > 0)
		kill(child, sig);
	errno = saved;
}

/* Blocked until the child is known. */
static int
spawn(char *const *argv, pid_t *pid)
{
	posix_spawnattr_t attr;
	sigset_t set, old;
	int r;

	sigemptyset(&set);
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (cli_hands_on(sig))
			sigaddset(&set, sig);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &old);
	r = posix_spawnp(pid, argv[0], NULL, &attr, argv, environ);
	child = r ? 0 : *pid;
	posix_spawnattr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

static void
catch_signals(void)
{
	struct sigaction sa = { .sa_sigaction = hand_on,
				.sa_flags = SA_SIGINFO | SA_RESTART };

	sigemptyset(&sa.sa_mask);
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		struct sigaction old;

		if (!cli_hands_on(sig))
			continue;
		if (!sigaction(sig, NULL, &old) &&
		    !(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_IGN)
			continue;
		sigaction(sig, &sa, NULL);
	}
}

int
cli_run_plainly(char *const *argv)
{
	int status = 0, r;
	pid_t pid;

	catch_signals();
	r = spawn(argv, &pid);
	if (r) {
		cli_warn("cannot start %s: %s", seam_show(argv[0]).s,
			 strerror(r));
		return r == ENOENT ? 127 : 126;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	child = 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}
