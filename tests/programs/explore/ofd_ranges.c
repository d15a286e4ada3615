/* SPDX-License-Identifier: MIT */
/*
 * bug: Two processes lock two ranges in opposite orders, with locks of the
 *      open file description, whose deadlocks the kernel does not see.
 * oracle: deadlock
 * preemptions: 1
 * critical: lock_record fcntl.setlkw /memfd:ledger (deleted), 0x0+1
 *      before lock_record fcntl.setlkw /memfd:ledger (deleted), 0x0+1
 * or: lock_record fcntl.setlkw /memfd:ledger (deleted), 0x1+1
 *      before lock_record fcntl.setlkw /memfd:ledger (deleted), 0x1+1
 */
#include "explore.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum record { FIRST, SECOND };

CALL_SITE static void
lock_record(int ledger, enum record record, short type)
{
	struct flock range = { .l_type = type,
			       .l_whence = SEEK_SET,
			       .l_start = record,
			       .l_len = 1 };

	must(fcntl(ledger, F_OFD_SETLKW, &range));
}

CALL_SITE static void
update(int ledger, enum record one, enum record other)
{
	lock_record(ledger, one, F_WRLCK);
	lock_record(ledger, other, F_WRLCK);
	lock_record(ledger, other, F_UNLCK);
	lock_record(ledger, one, F_UNLCK);
}

int
main(void)
{
	int mine = memfd_create("ledger", 0), its, status;
	char path[32];
	pid_t child;

	must(mine < 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", mine);
	its = open(path, O_RDWR);
	must(its < 0);
	child = fork();
	must(child < 0);
	if (child == 0) {
#ifdef FIXED
		update(its, FIRST, SECOND);
#else
		update(its, SECOND, FIRST);
#endif
		_exit(0);
	}
	update(mine, FIRST, SECOND);
	must(waitpid(child, &status, 0) != child);
	return verdict(status == 0);
}
