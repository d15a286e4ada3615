/* SPDX-License-Identifier: MIT */
/* yield_flag: a thread yields until another sets a flag; it must end. */
#include "explore.h"

#include <sched.h>
#include <stdatomic.h>

static atomic_int go;

static void *
spinner(void *unused)
{
	(void)unused;
	while (!atomic_load(&go))
		sched_yield();
	return NULL;
}

static void *
setter(void *unused)
{
	(void)unused;
	atomic_store(&go, 1);
	return NULL;
}

int
main(void)
{
	together(spinner, setter);
	return verdict(1);
}
