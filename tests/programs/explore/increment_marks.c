/* SPDX-License-Identifier: MIT */
/*
 * increment_marks: two threads increment a counter without a lock, with a
 * point before the read and one before the write.  Prints what came out.
 */
#include "../../../include/seam/point.h"
#include "explore.h"

#include <stdatomic.h>

/* Atomic, so that what is lost is the increment, and nothing undefined. */
static atomic_int counter;

static void *
incrementer(void *unused)
{
	int value;

	(void)unused;
	seam_point("read");
	value = atomic_load(&counter);
	seam_point("write");
	atomic_store(&counter, value + 1);
	return NULL;
}

int
main(void)
{
	together(incrementer, incrementer);
	say("%d", atomic_load(&counter));
	return 0;
}
