/* SPDX-License-Identifier: MIT */
/* What every suite's main does. */
#ifndef SEAM_TESTS_SUITE_H
#define SEAM_TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

#include "scratch.h"

/* A group of one test, once for every row of its table. */
static inline TCase *
suite_add_rows(Suite *suite, const char *name, const TTest *test, int rows)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test, 0, rows);
	suite_add_tcase(suite, tc);
	return tc;
}

static inline TCase *
suite_add_tests(Suite *suite, const char *name, const TTest *const *tests,
		size_t n)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 60);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	return tc;
}

/* Runs it; gives the exit status. */
static inline int
suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	scratch_begin();
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	scratch_end();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
