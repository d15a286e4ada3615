/* SPDX-License-Identifier: MIT */
/* What the suites share that drive a session of their own by seam.h. */
#ifndef SEAM_TESTS_DRIVER_H
#define SEAM_TESTS_DRIVER_H

#include <seam_check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SESSION seam_check_session()

static char place[64]; /* where targets run */

static inline void
place_setup(void)
{
	struct seam_config config = { .dir = place };

	strcpy(place, "/tmp/check-driver-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(place));
	seam_check_configure(&config);
	seam_check_setup();
}

static inline void
place_teardown(void)
{
	char command[100];

	seam_check_teardown();
	snprintf(command, sizeof(command), "rm -r %s", place);
	ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

static inline void
expect_message(const char *part)
{
	ck_assert_msg(strstr(seam_message(), part), "no '%s' in: %s", part,
		      seam_message());
}

#endif
