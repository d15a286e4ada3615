/* SPDX-License-Identifier: MIT */
/* Sending, waiting for, and handling signals. */
#include "promise.h"

#include <sys/time.h>

static volatile sig_atomic_t handled, last, value;

static void
handler(int sig)
{
	handled++;
	last = sig;
}

static void
informed(int sig, siginfo_t *info, void *context)
{
	(void)context;
	handled++;
	last = sig;
	value = info->si_code == SI_TKILL || info->si_code == SI_USER ?
		    info->si_pid == getpid() :
		    info->si_value.sival_int;
}

static void
dispositions(void)
{
	struct sigaction act = { .sa_sigaction = informed,
				 .sa_flags = SA_SIGINFO },
			 old;

	gives("sigaction", sigaction(SIGUSR1, &act, &old), 0);
	is("sigaction: the one before", old.sa_handler == SIG_DFL, 1);
	gives("sigaction, to ask", sigaction(SIGUSR1, NULL, &old), 0);
	is("sigaction: what was set",
	   old.sa_sigaction == informed && (old.sa_flags & SA_SIGINFO), 1);
	fails("sigaction, SIGKILL", sigaction(SIGKILL, &act, NULL), EINVAL);
	fails("sigaction, no such signal", sigaction(99, &act, NULL), EINVAL);
	is("signal: the one before", signal(SIGUSR2, handler) == SIG_DFL, 1);
	is("signal: again", signal(SIGUSR2, SIG_IGN) == handler, 1);
	signal(SIGUSR2, handler);
	sigaction(SIGUSR2, NULL, &old);
	is("signal restarts", (old.sa_flags & SA_RESTART) != 0, 1);
	is("sysv_signal", sysv_signal(SIGUSR2, handler) == handler, 1);
	sigaction(SIGUSR2, NULL, &old);
	is("sysv_signal is for once", (old.sa_flags & SA_RESETHAND) != 0, 1);
	errno = 0;
	is("signal, SIGKILL", signal(SIGKILL, handler) == SIG_ERR, 1);
	is_error("signal, SIGKILL: why", errno, EINVAL);
}

static void
sending(void)
{
	handled = 0;
	value = 0;
	gives("kill oneself", kill(getpid(), SIGUSR1), 0);
	is("kill oneself: handled before it returns",
	   handled * 100 + (last == SIGUSR1) * 10 + value, 111);
	answers("pthread_kill oneself", pthread_kill(pthread_self(), SIGUSR1),
		0);
	is("pthread_kill oneself: handled before it returns", handled, 2);
	gives("raise", raise(SIGUSR1), 0);
	is("raise: handled before it returns", handled, 3);
	gives("kill with 0", kill(getpid(), 0), 0);
	answers("pthread_kill with 0", pthread_kill(pthread_self(), 0), 0);
	fails("kill, no such signal", kill(getpid(), 99), EINVAL);
	answers("pthread_kill, no such signal",
		pthread_kill(pthread_self(), 99), EINVAL);
	answers("pthread_kill, glibc's own", pthread_kill(pthread_self(), 32),
		EINVAL);
	fails("kill, no such process", kill(0x7ffffffe, 0), ESRCH);
	is("none of which is handled", handled, 3);
	raise(SIGUSR2);
	raise(SIGUSR1);
	struct sigaction old;
	sigaction(SIGUSR2, NULL, &old);
	is("sysv_signal's handler is gone", old.sa_handler == SIG_DFL, 1);
}

static void
waiting(void)
{
	sigset_t set, old;
	siginfo_t info;
	struct timespec t = { 0, 5000000 };
	int sig = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(pthread_sigmask(SIG_BLOCK, &set, &old) != 0);
	handled = 0;
	kill(getpid(), SIGUSR1);
	is("a blocked signal is not handled", handled, 0);
	answers("sigwait", sigwait(&set, &sig), 0);
	is("sigwait: which", sig == SIGUSR1 && handled == 0, 1);
	sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 77 });
	gives("sigwaitinfo", sigwaitinfo(&set, &info), SIGUSR1);
	is("sigwaitinfo: its value", info.si_value.sival_int, 77);
	fails("sigtimedwait, time is up", sigtimedwait(&set, &info, &t),
	      EAGAIN);
	t.tv_nsec = 0;
	fails("sigtimedwait, no time", sigtimedwait(&set, NULL, &t), EAGAIN);
	fails("sigtimedwait, 1e9 ns", sigtimedwait(&set, NULL, &too_many),
	      EINVAL);
	raise(SIGUSR1);
	gives("sigtimedwait", sigtimedwait(&set, &info, &t), SIGUSR1);
	raise(SIGUSR1);
	fails("sigsuspend", sigsuspend(&old), EINTR);
	is("sigsuspend: handled", handled, 1);
	sigpending(&set);
	is("sigsuspend: and is not pending", sigismember(&set, SIGUSR1), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	is("sigsuspend: the mask is back", sigismember(&set, SIGUSR1), 1);
	raise(SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	is("unblocked, it is handled", handled, 2);
}

static sigset_t usr1;

static void *
waits(void *arg)
{
	int sig = 0;

	(void)arg;
	int error = sigwait(&usr1, &sig);
	return RESULT(error ? error : sig == SIGUSR1 ? 0 : 1000);
}

/* A thread's signal and a process's, to one that waits for it. */
static void
another(void)
{
	pthread_t t;
	void *result;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	must(pthread_create(&t, NULL, waits, NULL) != 0);
	answers("pthread_kill another", pthread_kill(t, SIGUSR1), 0);
	pthread_join(t, &result);
	is("sigwait for pthread_kill", (long)result, 0);
	must(pthread_create(&t, NULL, waits, NULL) != 0);
	gives("kill the process", kill(getpid(), SIGUSR1), 0);
	pthread_join(t, &result);
	is("sigwait for kill", (long)result, 0);
	pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
}

static int
dies(void *sig)
{
	signal((int)(long)sig, SIG_DFL);
	raise((int)(long)sig);
	return 0;
}

static int
pauses(void *arg)
{
	struct itimerval t = { { 0, 0 }, { 0, 5000 } };

	(void)arg;
	setitimer(ITIMER_REAL, &t, NULL);
	pause();
	return 0;
}

/* What a handler may call, it calls: in the midst of a call that locks. */
static int tell[2];

static void
busy_handler(int sig)
{
	int saved = errno, status;
	char c = 'h';

	(void)sig;
	pid_t pid = fork();
	if (pid == 0)
		_exit(4);
	waitpid(pid, &status, 0);
	struct sigaction act;
	sigaction(SIGUSR2, NULL, &act);
	int fd = dup(tell[1]);
	c = (char)(write(fd, &c, 1) == 1 && close(fd) == 0 &&
			   WEXITSTATUS(status) == 4 ?
		       'y' :
		       'n');
	if (write(tell[1], &c, 1) != 1)
		_exit(5);
	alarm(0);
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	kill(getpid(), 0);
	errno = saved;
}

static void
in_handler(void)
{
	struct sigaction act = { .sa_handler = busy_handler };
	char c[2];

	must(pipe(tell) != 0);
	sigaction(SIGUSR1, &act, NULL);
	errno = KEPT;
	kill(getpid(), SIGUSR1);
	is_error("a handler that keeps errno", errno, KEPT);
	is("fork, waitpid, dup, write, close in a handler",
	   read(tell[0], c, 2) == 2 && c[1] == 'y', 1);
}

int
main(void)
{
	dispositions();
	sending();
	waiting();
	another();
	is("death by SIGTERM", in_child(dies, RESULT(SIGTERM)), 128 + SIGTERM);
	is("death by SIGABRT", in_child(dies, RESULT(SIGABRT)), 128 + SIGABRT);
	is("pause until an alarm kills", in_child(pauses, NULL), 128 + SIGALRM);
	in_handler();
	return broken;
}
