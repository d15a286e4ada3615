/* SPDX-License-Identifier: MIT */
/*
 * robust_owner: a robust process-shared mutex in a shared mapping.  The child
 * takes it and is killed by SIGKILL while it has it; the parent's lock then
 * returns EOWNERDEAD, and after pthread_mutex_consistent 0.  With "lost" the
 * parent unlocks without it: then ENOTRECOVERABLE.
 */
#include "victim.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

struct shared {
	pthread_mutex_t lock;
};
static struct shared *shared;

CALL_SITE static int
parent_lock(void)
{
	/* at: parent lock */
	int r = pthread_mutex_lock(&shared->lock);
	HERE();
	return r;
}

CALL_SITE static int
child_lock(void)
{
	/* at: child lock */
	int r = pthread_mutex_lock(&shared->lock);
	HERE();
	return r;
}

int
main(int argc, char **argv)
{
	int lost = argc > 1 && strcmp(argv[1], "lost") == 0;
	pthread_mutexattr_t a;
	int ready[2], r;
	pid_t pid;
	char c;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || pipe(ready))
		die("robust_owner: mmap, pipe");
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&shared->lock, &a);
	pid = fork();
	if (pid == 0) {
		if (child_lock() || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(ready[0], &c, 1) != 1)
		die("robust_owner: the child failed");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	r = parent_lock();
	say("ret=%s", errno_symbol(r));
	if (r != EOWNERDEAD)
		return 1;
	if (!lost)
		say("consistent=%s",
		    errno_symbol(pthread_mutex_consistent(&shared->lock)));
	pthread_mutex_unlock(&shared->lock);
	r = parent_lock();
	say("again=%s", errno_symbol(r));
	return r == (lost ? ENOTRECOVERABLE : 0) ? 0 : 1;
}
