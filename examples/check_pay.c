/* SPDX-License-Identifier: MIT */
/* The story of pay_mutex.seam as a Check test; argv[1] is the program. */
#include <check.h>
#include <seam.h>
#include <stdlib.h>

static const char *program;
static seam_session *session;

#define OK(call) ck_assert_msg((call) == SEAM_OK, "%s", seam_message())

static void
setup(void)
{
	OK(seam_open(&session, NULL));
	OK(seam_startl(session, "A", program, NULL));
}

static void
teardown(void)
{
	seam_close(session);
}

static void
pay(const char *line, const char *answer)
{
	OK(seam_send(session, "A", line));
	OK(seam_wait_output(session, "A", answer, NULL, SEAM_DEFAULT));
}

START_TEST(refused_while_another_pays)
{
	pay("Anna\n", "Anna is paid");
	OK(seam_hold(session, "another", "paying", SEAM_DEFAULT));
	pay("Bert\n", "Bert is refused");
	OK(seam_release(session, "another"));
	pay("Carl\n", "Carl is paid");
	OK(seam_send(session, "A", NULL));
	OK(seam_expect_exit(session, "A", 0, SEAM_DEFAULT));
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("pay");
	TCase *tc = tcase_create("pay");
	SRunner *runner = srunner_create(suite);
	int failed;

	program = argc > 1 ? argv[1] : "./pay_mutex";
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, refused_while_another_pays);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
