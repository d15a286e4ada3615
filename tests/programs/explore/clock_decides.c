/* SPDX-License-Identifier: MIT */
/* clock_decides: the clock decides which mutexes its threads take. */
#include "decides.h"

CALL_SITE static int
draw(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)(now.tv_nsec / 64 & 1);
}
