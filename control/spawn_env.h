/* SPDX-License-Identifier: MIT */
#ifndef SEAM_SPAWN_ENV_H
#define SEAM_SPAWN_ENV_H

#include "session_int.h"

struct seam_env {
	char **v;
	size_t n, cap;
	bool failed;
};

/* False without memory; to be freed in any case. */
bool seam_env_make(struct seam_session *s, char *const *added,
		   struct seam_env *e);
const char *seam_env_value(const struct seam_env *e, const char *key);
void seam_env_free(struct seam_env *e);

#endif
