/* SPDX-License-Identifier: MIT */
#ifndef SEAM_ENV_H
#define SEAM_ENV_H

#include "core.h"

#define SEAM_ENV_VARS 2

const char *seam_env_get(char *const env[], const char *name);
/*
 * What SEAM_JOIN says: "only" an existing controller is joined, or it "must"
 * be, because that controller is just starting this process.  A "must" is
 * made an "only" in place: it is not for children.
 */
bool seam_env_join_must(char *env[]);
/* From now on children get `path` and the session's variables of env. */
void seam_env_remember(char *const env[], const char *path);

/* dial.c: a connection to the controller, which is started where nobody
 * listens; negative: there is none, and that was said. */
int seam_dial(char *const env[], const char *path);

#endif
