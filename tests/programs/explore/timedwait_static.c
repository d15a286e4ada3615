/* SPDX-License-Identifier: MIT */
/*
 * timedwait_static: one timed wait on a statically initialised condition;
 * prints "early" (nothing to wait for), "signalled" or "timed out".
 */
#define WAIT_CLOCK CLOCK_REALTIME
#include "timedwait.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t set = PTHREAD_COND_INITIALIZER;

int
main(void)
{
	together(waiter, setter);
	say("%s", outcome);
	return 0;
}
