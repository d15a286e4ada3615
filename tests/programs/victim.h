/* SPDX-License-Identifier: MIT */
/* What the victims share: plain output, deadlines, lines from stdin. */
#ifndef VICTIM_H
#define VICTIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A function that keeps its name and its frame. */
#ifdef __clang__
#define CALL_SITE __attribute__((noinline, unused))
#else
#define CALL_SITE __attribute__((noipa, unused))
#endif

/*
 * After the marked call: keeps the compiler from turning it into a tail call,
 * which would take the function's name off the stack.
 */
#define HERE() __asm__ volatile("" ::: "memory")

/* One line, in one write, without stdio's lock. */
__attribute__((format(printf, 1, 2), unused)) static void
say(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(3);
}

/* An unexpected failure of the victim itself. */
__attribute__((format(printf, 1, 2), noreturn, unused)) static void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(3);
}

/* Waits for a line, byte by byte, so that a child's share is left to it. */
__attribute__((unused)) static int
wait_line(char *buf, size_t size)
{
	size_t n = 0;
	char c;

	for (;;) {
		ssize_t got = read(STDIN_FILENO, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return 0;
		if (c == '\n')
			break;
		if (buf && n + 1 < size)
			buf[n++] = c;
	}
	if (buf && size)
		buf[n] = '\0';
	return 1;
}

__attribute__((unused)) static struct timespec
deadline(clockid_t clock, long ms)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += ms % 1000 * 1000000L;
	if (ts.tv_nsec >= 1000000000L) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000L;
	}
	return ts;
}

#ifndef __cplusplus
__attribute__((unused)) static const char *
errno_symbol(int number)
{
	const char *name = strerrorname_np(number);

	return number == 0 ? "0" : name ? name : "?";
}
#endif

#endif
