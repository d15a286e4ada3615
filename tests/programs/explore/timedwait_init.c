/* SPDX-License-Identifier: MIT */
/*
 * timedwait_init: one timed wait, by the monotonic clock, on a condition from
 * pthread_cond_init; prints "early" (nothing to wait for), "signalled" or
 * "timed out".
 */
#define WAIT_CLOCK CLOCK_MONOTONIC
#include "timedwait.h"

int
main(void)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	must(pthread_mutex_init(&lock, NULL));
	must(pthread_cond_init(&set, &attr));
	together(waiter, setter);
	say("%s", outcome);
	return 0;
}
