/* SPDX-License-Identifier: MIT */
/* What the two kinds of holders share. */
#ifndef SEAM_HOLDER_INT_H
#define SEAM_HOLDER_INT_H

#include <pthread.h>

#include "seam.h"

struct seam_holder {
	char *name;
	pthread_t thread;
	pid_t owner; /* the process that began it */
	struct seam_holder *next;
	/* Leaves, waits for that, and frees it. */
	enum seam_code (*end)(struct seam_holder *h, uint64_t timeout);
};

/* holder_command.c; timeout 0: none. */
enum seam_code holder_command(struct seam_holder **h, char *const *argv,
			      uint64_t timeout);
/* For seam_message; returns code. */
enum seam_code holder_fail(enum seam_code code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "1 second", "1.5 seconds" */
const char *holder_seconds(uint64_t ms, char buf[static 48]);

#endif
