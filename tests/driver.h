/* SPDX-License-Identifier: MIT */
/* What the suites share that drive a session of their own by seam.h. */
#ifndef SEAM_TESTS_DRIVER_H
#define SEAM_TESTS_DRIVER_H

#include <seam_check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"

#define SESSION seam_check_session()

static char place[64]; /* where targets run */

static inline void
place_setup(void)
{
	struct seam_config config = { .dir = place };

	scratch_make(place, sizeof(place));
	seam_check_configure(&config);
	seam_check_setup();
}

static inline void
place_teardown(void)
{
	seam_check_teardown();
	scratch_remove(place);
}

static inline void
expect_message(const char *part)
{
	ck_assert_msg(strstr(seam_message(), part), "no '%s' in: %s", part,
		      seam_message());
}

#endif
