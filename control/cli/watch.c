/* SPDX-License-Identifier: MIT */
/* Signals and the time, minded by a thread. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

#define GRACE_MS 1000 /* from SIGTERM to SIGKILL */

/* A second one of these is meant for a command that does not end. */
static bool
ends(int sig)
{
	return sig == SIGINT || sig == SIGTERM || sig == SIGQUIT;
}

bool
cli_hands_on(int sig)
{
	return ends(sig) || sig == SIGHUP || sig == SIGUSR1 || sig == SIGUSR2 ||
	       sig == SIGALRM || (sig >= SIGRTMIN && sig <= SIGRTMAX);
}

/* Written by the handler: the signal, and whether a terminal sent it. */
struct word {
	unsigned char sig, from_tty;
};

/* Where the handler writes; -1: nobody minds. */
static volatile sig_atomic_t signal_fd = -1;

static void
on_signal(int sig, siginfo_t *info, void *context)
{
	struct word word = { (unsigned char)sig, info->si_code == SI_KERNEL };
	int saved = errno, fd = signal_fd;

	(void)context;
	if (fd >= 0 && write(fd, &word, sizeof(word)) < 0)
		errno = saved;
	errno = saved;
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
send_signal(struct cli_watch *w, int sig)
{
	struct seam_error err;

	if (w->target)
		seam_signal(w->session, w->target, sig, &err);
}

static void
finish_off(struct cli_watch *w)
{
	send_signal(w, SIGKILL);
	atomic_store(&w->stopped, true);
	seam_session_stop(w->session);
}

static void
take_signal(struct cli_watch *w, const struct word *word)
{
	w->signals++;
	w->endings += ends(word->sig);
	if (!w->target || w->endings > 1)
		finish_off(w);
	else if (!word->from_tty)
		send_signal(w, word->sig);
}

static void
take_timeout(struct cli_watch *w)
{
	char *state = sess_describe(w->session);

	w->timed_out = true;
	cli_warn("not done after %llu ms", (unsigned long long)w->timeout_ms);
	fputs(state ? state : "", stderr);
	free(state);
	atomic_store(&w->stopped, true);
	send_signal(w, SIGTERM);
}

/* In two steps: TERM at the deadline, KILL after a grace. */
static void *
mind(void *data)
{
	struct cli_watch *w = data;
	struct pollfd p = { .fd = w->pipe[0], .events = POLLIN };
	int64_t until = now_ms() + (int64_t)w->timeout_ms;
	bool timing = w->timeout_ms;
	struct word word;

	for (;;) {
		int64_t left = timing ? until - now_ms() : -1;
		int n = 0;

		if (!timing || left > 0)
			n = poll(&p, 1, (int)left);
		if (n > 0) {
			if (read(w->pipe[0], &word, sizeof(word)) !=
				(ssize_t)sizeof(word) ||
			    !word.sig)
				return NULL;
			take_signal(w, &word);
		} else if (!n && !w->timed_out) {
			take_timeout(w);
			until = now_ms() + GRACE_MS;
		} else if (!n) {
			finish_off(w);
			timing = false;
		}
	}
}

/* With no target, there is nobody who could mean something else by it. */
static bool
minds(const struct cli_watch *w, int sig)
{
	return w->target ? cli_hands_on(sig) : ends(sig) || sig == SIGHUP;
}

static void
handle(const struct cli_watch *w, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction sa = { .sa_sigaction = handler,
				.sa_flags = SA_SIGINFO | SA_RESTART };

	if (!handler) {
		sa.sa_flags = 0;
		sa.sa_handler = SIG_DFL;
	}
	sigemptyset(&sa.sa_mask);
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		struct sigaction old;

		if (!minds(w, sig))
			continue;
		/* nohup and shells' & have said what they want. */
		if (!sigaction(sig, NULL, &old) &&
		    !(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_IGN)
			continue;
		sigaction(sig, &sa, NULL);
	}
}

bool
cli_watch_start(struct cli_watch *w)
{
	if (pipe2(w->pipe, O_CLOEXEC)) {
		cli_warn("no pipe for signals");
		return false;
	}
	if (pthread_create(&w->thread, NULL, mind, w)) {
		cli_warn("no thread for signals");
		close(w->pipe[0]);
		close(w->pipe[1]);
		return false;
	}
	signal_fd = w->pipe[1];
	handle(w, on_signal);
	return true;
}

void
cli_watch_end(struct cli_watch *w)
{
	struct word word = { 0 };

	handle(w, NULL);
	signal_fd = -1;
	if (write(w->pipe[1], &word, sizeof(word)) == (ssize_t)sizeof(word))
		pthread_join(w->thread, NULL);
	close(w->pipe[0]);
	close(w->pipe[1]);
}
