/* SPDX-License-Identifier: MIT */
/*
 * bug: Two processes lock two ranges of a file in opposite orders; the kernel
 *      answers EDEADLK to one of them.
 * oracle: exit
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

static int ledger;

/* Returns whether it went well. */
CALL_SITE static int
lock_record(enum record record, short type)
{
	struct flock range = { .l_type = type,
			       .l_whence = SEEK_SET,
			       .l_start = record,
			       .l_len = 1 };

	return fcntl(ledger, F_SETLKW, &range) == 0;
}

CALL_SITE static int
update(enum record one, enum record other)
{
	int well = lock_record(one, F_WRLCK) && lock_record(other, F_WRLCK);

	lock_record(other, F_UNLCK);
	lock_record(one, F_UNLCK);
	return well;
}

int
main(void)
{
	pid_t child;
	int status, well;

	ledger = memfd_create("ledger", 0);
	must(ledger < 0);
	child = fork();
	must(child < 0);
	if (child == 0) {
#ifdef FIXED
		_exit(update(FIRST, SECOND) ? 0 : 1);
#else
		_exit(update(SECOND, FIRST) ? 0 : 1);
#endif
	}
	well = update(FIRST, SECOND);
	must(waitpid(child, &status, 0) != child);
	return verdict(well && status == 0);
}
