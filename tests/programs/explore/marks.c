/* SPDX-License-Identifier: MIT */
/*
 * marks N1 N2 ...: thread i passes Ni points "I.1", "I.2", ...; prints in
 * which order the threads passed them.
 */
#include "../../../include/seam/point.h"
#include "explore.h"

#include <stdatomic.h>

#define MOST_MARKS 4096

static long marks[MOST_THREADS];
static char passed[MOST_MARKS + 1];
static atomic_int n_passed;

static void *
walker(void *number)
{
	long i = (long)number;

	for (long k = 1; k <= marks[i]; k++) {
		char name[48];

		snprintf(name, sizeof(name), "%ld.%ld", i + 1, k);
		seam_point(name);
		passed[atomic_fetch_add(&n_passed, 1)] =
		    "0123456789abcdefghijklmnopqrstuvwxyz"[(i + 1) % 36];
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	long sum = 0;

	for (int i = 1; i < argc && i <= MOST_THREADS; i++) {
		marks[i - 1] = atol(argv[i]);
		if (marks[i - 1] < 0 || marks[i - 1] > MOST_MARKS)
			die("marks: %s?", argv[i]);
		sum += marks[i - 1];
	}
	if (argc < 2 || argc > MOST_THREADS || sum > MOST_MARKS)
		die("usage: marks N1 [N2...]");
	run_many(walker, argc - 1);
	say("%s", passed);
	return 0;
}
