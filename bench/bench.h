/* SPDX-License-Identifier: MIT */
/*
 * What the benchmarks share: times, medians, rows of the table, and lines
 * sent to a session's socket.
 */
#ifndef SEAM_BENCH_H
#define SEAM_BENCH_H

#include <err.h>
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static inline double
bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static inline int
bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts them. */
static inline double
bench_median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), bench_compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* The n-th processor that this process may use, counted round. */
static inline int
bench_cpu(unsigned n)
{
	cpu_set_t set;
	size_t i;
	int cpu = -1;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		err(1, "sched_getaffinity");
	n %= (unsigned)CPU_COUNT(&set);
	for (i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set) && n-- == 0)
			cpu = (int)i;
	return cpu;
}

/* The calling thread, and what it will start. */
static inline void
bench_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		err(1, "sched_setaffinity");
}

/* Forks a process onto a core; it dies with its parent.  0 in the child. */
static inline pid_t
bench_fork(int cpu)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	bench_pin(cpu);
	return 0;
}

/*
 * A row of the table of scripts/bench: what, seam's figure, what it is
 * compared with, their ratio, the target for it (0: none), the verdict.
 */
static inline void
bench_row(const char *what, const char *unit, double raw, double seam,
	  double ratio, double target)
{
	printf("| %s | %.2f %s | %.2f %s | %.2f | ", what, seam, unit, raw,
	       unit, ratio);
	if (target <= 0)
		printf("| |\n");
	else if (ratio <= target)
		printf("≤ %.2f | met |\n", target);
	else
		printf("≤ %.2f | **missed** by %.0f %% |\n", target,
		       (ratio / target - 1) * 100);
	fflush(stdout);
}

/* A connection to a session, and what has been read beyond a line. */
struct bench_client {
	int fd;
	size_t have;
	char buf[65536];
};

static inline void
bench_dial(struct bench_client *c, const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timespec nap = { .tv_nsec = 5000000 };
	int tries = 1000;

	c->have = 0;
	if (strlen(path) >= sizeof(sa.sun_path))
		errx(1, "%s: too long for a socket's name", path);
	strcpy(sa.sun_path, path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		err(1, "socket");
	/* It is bound before it listens. */
	while (connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		if (errno != ECONNREFUSED || --tries == 0 ||
		    nanosleep(&nap, NULL) != 0)
			err(1, "%s", path);
}

static inline void
bench_write(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, text, n);

		if (w < 0)
			err(1, "write");
		text += w;
		n -= (size_t)w;
	}
}

/* Takes one line out of the buffer, reading until there is one. */
static inline void
bench_read_line(struct bench_client *c, char *line, size_t size)
{
	char *end;
	size_t n;

	while (!(end = memchr(c->buf, '\n', c->have))) {
		ssize_t r =
		    read(c->fd, c->buf + c->have, sizeof(c->buf) - c->have);

		if (r <= 0)
			errx(1, "the controller closed the connection");
		c->have += (size_t)r;
	}
	n = (size_t)(end - c->buf);
	snprintf(line, size, "%.*s", (int)n, c->buf);
	c->have -= n + 1;
	memmove(c->buf, end + 1, c->have);
}

/* Reads replies until `n` commands have been answered; all must be ok. */
static inline void
bench_replies(struct bench_client *c, unsigned n)
{
	char line[4096];

	while (n > 0) {
		bench_read_line(c, line, sizeof(line));
		if (!strncmp(line, "err ", 4))
			errx(1, "the controller answers: %s", line);
		if (!strncmp(line, "ok", 2))
			n--;
	}
}

static inline void
bench_command(struct bench_client *c, const char *line)
{
	bench_write(c->fd, line, strlen(line));
	bench_write(c->fd, "\n", 1);
	bench_replies(c, 1);
}

static inline void
wait_word(_Atomic uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static inline void
wake_word(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

#endif
