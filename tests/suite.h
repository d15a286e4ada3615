/* SPDX-License-Identifier: MIT */
/* What every suite's main does. */
#ifndef SEAM_TESTS_SUITE_H
#define SEAM_TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Runs it; gives the exit status. */
static inline int
suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
