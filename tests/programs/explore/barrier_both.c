/* SPDX-License-Identifier: MIT */
/*
 * barrier_both: two threads meet twice at a barrier; prints which of them was
 * the serial one each time, as in "first second".
 */
#include "explore.h"

static pthread_barrier_t barrier;
static const char *serial[2];

static void *
walker(void *number)
{
	for (int round = 0; round < 2; round++) {
		int result = pthread_barrier_wait(&barrier);

		must(result != 0 && result != PTHREAD_BARRIER_SERIAL_THREAD);
		if (result)
			serial[round] = number ? "second" : "first";
	}
	return NULL;
}

int
main(void)
{
	must(pthread_barrier_init(&barrier, NULL, 2));
	run_many(walker, 2);
	must(pthread_barrier_destroy(&barrier));
	say("%s %s", serial[0], serial[1]);
	return 0;
}
