/* SPDX-License-Identifier: MIT */
/* What a session says of who is in it, and where. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "controller.h"
#include "suite.h"

#define ENDED 20

static struct controller controller;
static struct client client;

static void
setup(void)
{
	controller_start(&controller);
	client_open(&client, controller.path);
}

static void
teardown(void)
{
	client_close(&client);
	controller_finish(&controller);
	ck_assert_int_eq(controllers_failed, 0);
}

/* All that live, the last few that ended, and how many there were. */
static void
must_be_readable(const char *text)
{
	const char *lives = strstr(text, "P1.T0 ");
	char last[32], count[48];

	snprintf(last, sizeof(last), "(E%d) has ended", ENDED - 1);
	snprintf(count, sizeof(count), "and %d that ended before", ENDED - 4);
	ck_assert_msg(lives && strstr(lives, last) &&
			  strstr(lives, "(E16) has ended with status 1") &&
			  strstr(lives, count) && !strstr(text, "(E15)") &&
			  !strstr(text, "(E0)"),
		      "%s", text);
}

START_TEST(few_of_many_that_ended)
{
	ask_ok(&client, "start L -- cat");
	for (int i = 0; i < ENDED; i++) {
		ask_ok(&client, "start E%d -- false", i);
		ask_ok(&client, "expect exit E%d 1", i);
		if (i == 3) {
			ask_ok(&client, "state");
			ck_assert_ptr_nonnull(strstr(client.body, "(E0)"));
			ck_assert_ptr_null(strstr(client.body, "before"));
		}
	}
	must_be_readable(ask_err(&client, "timeout", "wait exit L timeout=30"));
	ask_ok(&client, "state");
	must_be_readable(client.body);
}
END_TEST

/* Where the point is, and not where seam/point.h has it. */
START_TEST(points_are_at_their_callers)
{
	static const char *const programs[] = { "points", "points_fixed" };

	ask_ok(&client, "pause point at=main as=p");
	for (int i = 0; i < 2; i++) {
		ask_ok(&client, "start A -- %s/%s",
		       needed_env("SEAM_TEST_PROGRAMS"), programs[i]);
		ask_ok(&client, "wait p");
		ck_assert_msg(!strncmp(reply_field(&client, "at"),
				       "main points", 11),
			      "%s", client.last);
		ask_ok(&client, "threads");
		ck_assert_msg(strstr(client.body, " main points") &&
				  !strstr(client.body, "point.h"),
			      "%s", client.body);
		ask_ok(&client, "release p");
		ask_ok(&client, "expect exit A 0");
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("messages");
	TCase *tc = tcase_create("messages");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, few_of_many_that_ended);
	tcase_add_test(tc, points_are_at_their_callers);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
