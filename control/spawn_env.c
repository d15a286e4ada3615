/* SPDX-License-Identifier: MIT */
/* A target's environment: the controller's, what is added, and what makes it
 * a target. */
#include "spawn_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

const char *
seam_env_value(const struct seam_env *e, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; e->v && i < e->n; i++)
		if (e->v[i] && !strncmp(e->v[i], key, len) &&
		    e->v[i][len] == '=')
			return e->v[i] + len + 1;
	return NULL;
}

/* Takes over `text`. */
static void
env_put(struct seam_env *e, char *text)
{
	size_t len = text ? strcspn(text, "=") : 0;

	for (size_t i = 0; text && i < e->n; i++) {
		if (!e->v[i] || strncmp(e->v[i], text, len) ||
		    e->v[i][len] != '=')
			continue;
		free(e->v[i]);
		e->v[i] = text;
		return;
	}
	if (text && e->n + 1 < e->cap)
		e->v[e->n++] = text;
	else
		e->failed = true;
}

void
seam_env_free(struct seam_env *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i]);
	free(e->v);
}

static char *
preload_text(const struct seam_env *e, const char *ours)
{
	const char *users = seam_env_value(e, "LD_PRELOAD");
	char *text;

	if (users && strstr(users, ours))
		return asprintf(&text, "LD_PRELOAD=%s", users) < 0 ? NULL :
								     text;
	return asprintf(&text, "LD_PRELOAD=%s%s%s", users ? users : "",
			users && *users ? ":" : "", ours) < 0 ?
		   NULL :
		   text;
}

bool
seam_env_make(struct seam_session *s, char *const *added, struct seam_env *e)
{
	size_t n = 0, m = 0;
	char *text;

	while (environ && environ[n])
		n++;
	while (added && added[m])
		m++;
	e->cap = n + m + 4;
	e->v = calloc(e->cap, sizeof(*e->v));
	if (!e->v)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strchr(environ[i], '=') &&
		    !(e->v[e->n++] = strdup(environ[i])))
			return false;
	for (size_t i = 0; i < m; i++)
		if (strchr(added[i], '='))
			env_put(e, strdup(added[i]));
	env_put(e, preload_text(e, s->preload));
	env_put(e,
		asprintf(&text, "SEAM_SOCKET=%s", s->socket) < 0 ? NULL : text);
	env_put(e, strdup("SEAM_JOIN=must"));
	return !e->failed;
}
