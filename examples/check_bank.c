/* SPDX-License-Identifier: MIT */
/*
 * No order of its threads breaks the bank: all are tried.  `./check_bank
 * naive` shows what a failure looks like.
 */
#include <seam_check.h>

static int naive;

START_TEST(transfers)
{
	const struct seam_explore_options options = { .strategy = "dpor" };

	if (naive)
		ck_seam_explore_with(&options, "./bank", "naive");
	else
		ck_seam_explore_with(&options, "./bank");
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("bank");
	TCase *tc = tcase_create("bank");
	SRunner *runner = srunner_create(suite);
	int failed;

	(void)argv;
	naive = argc > 1;
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, transfers);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
