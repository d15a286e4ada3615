/* SPDX-License-Identifier: MIT */
/*
 * rdtsc_decides: the time stamp counter, which no preload sees, decides which
 * mutexes its threads take.
 */
#include "decides.h"

#include <x86intrin.h>

CALL_SITE static int
draw(void)
{
	return (int)(__rdtsc() >> 6 & 1);
}
