/* SPDX-License-Identifier: MIT */
/* random_decides: random bytes decide which mutexes its threads take. */
#include "decides.h"

#include <sys/random.h>

CALL_SITE static int
draw(void)
{
	unsigned char byte;

	must(getrandom(&byte, 1, 0) != 1);
	return byte & 1;
}
