/* SPDX-License-Identifier: MIT */
/*
 * bug: Two processes read a counter under a shared flock and make it an
 *      exclusive one to write; the change is not atomic, and one's increment
 *      is lost.
 * oracle: exit
 * preemptions: 1
 * critical: read_shared flock.lock /memfd:counter (deleted)
 *      before upgrade flock.lock /memfd:counter (deleted)
 */
#include "explore.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>

CALL_SITE static int
read_counter(int fd)
{
	int value;

	must(pread(fd, &value, sizeof(value), 0) != sizeof(value));
	return value;
}

CALL_SITE static int
read_shared(int fd)
{
	must(flock(fd, LOCK_SH));
	return read_counter(fd);
}

CALL_SITE static void
upgrade(int fd)
{
	must(flock(fd, LOCK_EX));
}

CALL_SITE static void
increment(int fd)
{
	int value = read_shared(fd);

	upgrade(fd);
#ifdef FIXED
	value = read_counter(fd);
#endif
	value++;
	must(pwrite(fd, &value, sizeof(value), 0) != sizeof(value));
	must(flock(fd, LOCK_UN));
}

int
main(void)
{
	int mine = memfd_create("counter", 0), its, status, zero = 0;
	char path[32];
	pid_t child;

	must(mine < 0);
	must(pwrite(mine, &zero, sizeof(zero), 0) != sizeof(zero));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", mine);
	its = open(path, O_RDWR);
	must(its < 0);
	child = fork();
	must(child < 0);
	if (child == 0) {
		increment(its);
		_exit(0);
	}
	increment(mine);
	must(waitpid(child, &status, 0) != child);
	return verdict(status == 0 && read_counter(mine) == 2);
}
