/* SPDX-License-Identifier: MIT */
/* syscall(), which programs call futex by, and everything else. */
#include "promise.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static _Atomic int word;

static long
wait_for(int value, const struct timespec *t)
{
	return syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, value,
		       t, NULL, 0);
}

static void *
changes(void *arg)
{
	atomic_store(&word, 1);
	syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL,
		NULL, 0);
	return arg;
}

static void *
waits(void *arg)
{
	while (atomic_load(&word) == 0)
		if (wait_for(0, NULL) != 0 && errno != EAGAIN && errno != EINTR)
			return RESULT(errno);
	return arg;
}

int
main(void)
{
	struct timespec span = { 0, NEAR * 1000000 };
	pthread_t a, b;
	void *result;

	fails("futex wait, another value", wait_for(1, NULL), EAGAIN);
	fails("futex wait, time is up", wait_for(0, &span), ETIMEDOUT);
	fails("futex wait, 1e9 ns", wait_for(0, &too_many), EINVAL);
	fails("futex wait, not aligned",
	      syscall(SYS_futex, (char *)&word + 1, FUTEX_WAIT, 0, NULL, NULL,
		      0),
	      EINVAL);
	fails("futex, no such operation",
	      syscall(SYS_futex, &word, 99, 0, NULL, NULL, 0), ENOSYS);
	gives("futex wake, nobody waits",
	      syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
	must(pthread_create(&a, NULL, waits, NULL) != 0);
	must(pthread_create(&b, NULL, changes, NULL) != 0);
	join(b);
	pthread_join(a, &result);
	is("futex wait and wake", (long)result, 0);
	is("syscall, gettid", syscall(SYS_gettid) == gettid(), 1);
	is("syscall, getpid", syscall(SYS_getpid) == getpid(), 1);
	fails("syscall, none", syscall(-1), ENOSYS);
	fails("syscall, close", syscall(SYS_close, -1), EBADF);
	is("syscall, six arguments",
	   syscall(SYS_mmap, NULL, 4096L, 0L, 0x22L, -1L, 0L) != -1, 1);
	return broken;
}
