/* SPDX-License-Identifier: MIT */
/* signal_timer: an interval timer's handler is what ends a read, twice. */
#include "explore.h"

#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t rings;

static void
on_alarm(int sig)
{
	(void)sig;
	rings++;
}

static int
interrupted(int fd)
{
	char byte;

	return read(fd, &byte, 1) < 0 && errno == EINTR;
}

int
main(void)
{
	const struct itimerval twice = { { 0, 20000 }, { 0, 50000 } },
			       never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval left;
	int fds[2], both;

	must(pipe(fds) || sigaction(SIGALRM, &action, NULL));
	must(setitimer(ITIMER_REAL, &twice, NULL));
	both = interrupted(fds[0]) && interrupted(fds[0]);
	must(setitimer(ITIMER_REAL, &never, &left));
	must(left.it_interval.tv_usec != 20000);
	alarm(3);
	must(alarm(0) != 3);
	return verdict(both && rings == 2);
}
