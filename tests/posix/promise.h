/* SPDX-License-Identifier: MIT */
/*
 * What the programs here share.  Each prints a line for each promise of POSIX
 * or of the glibc manual: "ok NAME", or "not ok NAME: got X, promised Y".
 * Nothing in it depends on addresses, numbers of processes, or the time.
 */
#ifndef PROMISE_H
#define PROMISE_H

#include "../programs/victim.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

/* An errno that no call sets. */
#define KEPT ENOTUNIQ

/* Far enough for whatever must not time out; near, for what must. */
#define FAR 60000
#define NEAR 5

static int broken;

static void
verdict(const char *name, const char *got, const char *promised)
{
	if (strcmp(got, promised) == 0) {
		say("ok %s", name);
	} else {
		say("not ok %s: got %s, promised %s", name, got, promised);
		broken = 1;
	}
}

/* A number that means nothing but itself. */
__attribute__((unused)) static void
is(const char *name, long got, long promised)
{
	char one[32], two[32];

	snprintf(one, sizeof(one), "%ld", got);
	snprintf(two, sizeof(two), "%ld", promised);
	verdict(name, one, two);
}

__attribute__((unused)) static void
is_error(const char *name, int got, int promised)
{
	verdict(name, errno_symbol(got), errno_symbol(promised));
}

__attribute__((unused)) static void
answered(const char *name, int got, int error, int promised)
{
	char text[80];

	snprintf(text, sizeof(text), "%s%s%s", errno_symbol(got),
		 error == KEPT ? "" : " and errno ",
		 error == KEPT ? "" : errno_symbol(error));
	verdict(name, text, errno_symbol(promised));
}

__attribute__((unused)) static void
returned(const char *name, long got, int error, long value, int promised)
{
	char one[80], two[80];

	snprintf(one, sizeof(one), "%ld, errno %s", got, errno_symbol(error));
	snprintf(two, sizeof(two), "%ld, errno %s", value,
		 errno_symbol(promised));
	verdict(name, one, two);
}

/* The call answers by an error number, and leaves errno alone. */
#define answers(name, call, promised)                                          \
	do {                                                                   \
		errno = KEPT;                                                  \
		int got_ = (call);                                             \
		answered(name, got_, errno, promised);                         \
	} while (0)

/* The call answers by a value, and leaves errno alone. */
#define gives(name, call, value)                                               \
	do {                                                                   \
		errno = KEPT;                                                  \
		long got_ = (long)(call);                                      \
		returned(name, got_, errno, value, KEPT);                      \
	} while (0)

/* The call answers by -1 and errno. */
#define fails(name, call, promised)                                            \
	do {                                                                   \
		errno = KEPT;                                                  \
		long got_ = (long)(call);                                      \
		returned(name, got_, errno, -1, promised);                     \
	} while (0)

/* What the program itself needs, and promises nobody. */
#define must(call)                                                             \
	do {                                                                   \
		if (call)                                                      \
			die("%s:%d: %s", __FILE__, __LINE__, #call);           \
	} while (0)

__attribute__((unused)) static void
join(pthread_t thread)
{
	must(pthread_join(thread, NULL) != 0);
}

/* What f comes to in a thread of its own. */
__attribute__((unused)) static long
in_thread(void *(*f)(void *), void *arg)
{
	pthread_t thread;
	void *result;

	must(pthread_create(&thread, NULL, f, arg) != 0);
	must(pthread_join(thread, &result) != 0);
	return (long)result;
}

#define RESULT(n) ((void *)(long)(n))

/* The status that a child exits with: what f comes to there. */
__attribute__((unused)) static int
in_child(int (*f)(void *), void *arg)
{
	pid_t pid = fork();
	int status;

	must(pid < 0);
	if (pid == 0)
		_exit(f(arg));
	while (waitpid(pid, &status, 0) < 0)
		must(errno != EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Times that have nothing wrong but to be over, and wrong ones. */
static const struct timespec past = { 1, 0 };
static const struct timespec before_epoch = { -1, 0 };
static const struct timespec too_many = { 1, 1000000000 };
static const struct timespec too_few = { 1, -1 };

__attribute__((unused)) static void
unused_times(void)
{
	(void)past, (void)before_epoch, (void)too_many, (void)too_few;
}

__attribute__((unused)) static struct timespec
soon(clockid_t clock)
{
	return deadline(clock, NEAR);
}

__attribute__((unused)) static struct timespec
later(clockid_t clock)
{
	return deadline(clock, FAR);
}

/* Whether the clock has come to a time. */
__attribute__((unused)) static int
is_past(clockid_t clock, const struct timespec *t)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec > t->tv_sec ||
	       (now.tv_sec == t->tv_sec && now.tv_nsec >= t->tv_nsec);
}

#endif
