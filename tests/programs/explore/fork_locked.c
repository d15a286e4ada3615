/* SPDX-License-Identifier: MIT */
/*
 * bug: A thread forks while another one has the log's mutex; in the child
 *      nobody will ever unlock it.
 * oracle: deadlock
 * preemptions: 1
 * critical: forker process.fork - before logger mutex.unlock log_lock
 * or: logger mutex.lock log_lock before forker process.fork -
 */
#include "explore.h"

#include <sys/wait.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int lines;

#ifdef FIXED
static void
before_fork(void)
{
	pthread_mutex_lock(&log_lock);
}

static void
after_fork(void)
{
	pthread_mutex_unlock(&log_lock);
}
#endif

static void *
logger(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&log_lock);
	lines++;
	pthread_mutex_unlock(&log_lock);
	return NULL;
}

static void *
forker(void *unused)
{
	pid_t child = fork();
	int status;

	(void)unused;
	if (child == 0) {
		pthread_mutex_lock(&log_lock);
		lines++;
		pthread_mutex_unlock(&log_lock);
		_exit(0);
	}
	must(child < 0);
	must(waitpid(child, &status, 0) != child || status != 0);
	return NULL;
}

int
main(void)
{
#ifdef FIXED
	pthread_atfork(before_fork, after_fork, after_fork);
#endif
	together(logger, forker);
	return verdict(lines == 1);
}
