/* SPDX-License-Identifier: MIT */
/* shell_out: main and a thread run shell commands, with a lock held that the
 * other one waits for; one of the commands is killed, and another one's end is
 * waited for by pclose. */
#include "explore.h"

#include <sys/wait.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *
run(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	must(system("exit 0"));
	pthread_mutex_unlock(&lock);
	return NULL;
}

int
main(void)
{
	pthread_t thread;
	FILE *to;

	must(pthread_create(&thread, NULL, run, NULL));
	must(pthread_tryjoin_np(thread, NULL) != EBUSY);
	pthread_mutex_lock(&lock);
	must(WTERMSIG(system("kill -9 $$")) != SIGKILL);
	to = popen("read word; test $word = hello", "w");
	must(!to || fputs("hello\n", to) < 0 || pclose(to));
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	return verdict(pthread_join(pthread_self(), NULL) == EDEADLK);
}
