/* SPDX-License-Identifier: MIT */
/*
 * Programs that targets became or started and that never say hello.  The
 * lock is held in all of these.
 */
#ifndef SEAM_EXECS_H
#define SEAM_EXECS_H

#include "session_int.h"

struct seam_strangers;

/* That process says hello: what was noted of it has come about. */
void seam_execs_hello(struct seam_session *s, pid_t pid, int32_t inside);
/* The target became another program, and is not hooked any more: fills in
 * what it is and, better than `why` if that can be told of its file, why. */
void seam_execs_became(struct seam_session *s, struct seam_process *p,
		       const char *why);
/* Makes room for notes. */
void seam_execs_settle(struct seam_session *s);

typedef void seam_exec_fn(const char *who, const char *path, const char *why,
			  unsigned times, void *data);
void seam_execs_tell(struct seam_session *s, seam_exec_fn *each, void *data);
void seam_execs_free(struct seam_strangers *x);

#endif
