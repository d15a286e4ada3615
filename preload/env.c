/* SPDX-License-Identifier: MIT */
/*
 * What a child's environment must say: LD_PRELOAD with this object in it
 * (after what is there: libasan insists on being first), and the session's
 * variables.  Copies are made on the caller's stack: a vfork child must not
 * touch its parent's heap.
 */
#include <stdio.h>
#include <string.h>

#include "env.h"

static char library[PATH_MAX];
static char assignments[SEAM_ENV_VARS][PATH_MAX + 32];
static bool joined;

static const char *const names[SEAM_ENV_VARS] = { "SEAM_SOCKET", "SEAM_JOIN" };

static const char *
value_of(const char *entry, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(entry, name, n) && entry[n] == '=' ? entry + n + 1 :
							     NULL;
}

const char *
seam_env_get(char *const env[], const char *name)
{
	const char *v;

	for (; env && *env; env++)
		if ((v = value_of(*env, name)))
			return v;
	return NULL;
}

bool
seam_env_join_must(char *env[])
{
	for (; *env; env++) {
		if (strcmp(*env, "SEAM_JOIN=must") != 0)
			continue;
		strcpy(*env, "SEAM_JOIN=only");
		return true;
	}
	return false;
}

void
seam_env_remember(char *const env[], const char *path)
{
	unsigned i;

	snprintf(library, sizeof(library), "%s", path);
	for (i = 0; i < SEAM_ENV_VARS; i++) {
		const char *v = seam_env_get(env, names[i]);

		if (v)
			snprintf(assignments[i], sizeof(assignments[i]),
				 "%s=%s", names[i], v);
	}
	joined = true;
}

/* Is this object among the colon- or blank-separated names? */
static bool
preloads_us(const char *list)
{
	size_t n = strlen(library);
	const char *p = list;

	while ((p = strstr(p, library))) {
		bool begins = p == list || p[-1] == ':' || p[-1] == ' ';

		if (begins && (!p[n] || p[n] == ':' || p[n] == ' '))
			return true;
		p += n;
	}
	return false;
}

static bool
complete(char *const env[])
{
	const char *preload = seam_env_get(env, "LD_PRELOAD");
	unsigned i;

	if (!preload || !preloads_us(preload))
		return false;
	for (i = 0; i < SEAM_ENV_VARS; i++) {
		const char *v = seam_env_get(env, names[i]);

		if (*assignments[i] &&
		    (!v || strcmp(v, strchr(assignments[i], '=') + 1)))
			return false;
	}
	return true;
}

struct seam_env_need
seam_env_need(char *const env[])
{
	struct seam_env_need need = { 0, 0 };
	const char *preload;
	size_t n = 0;

	if (!joined || complete(env))
		return need;
	while (env && env[n])
		n++;
	preload = seam_env_get(env, "LD_PRELOAD");
	need.pointers = n + SEAM_ENV_VARS + 2;
	need.bytes = sizeof("LD_PRELOAD=:") + strlen(library) +
		     (preload ? strlen(preload) : 0) + 1;
	return need;
}

static bool
is_ours(const char *entry)
{
	unsigned i;

	for (i = 0; i < SEAM_ENV_VARS; i++)
		if (*assignments[i] && value_of(entry, names[i]))
			return true;
	return false;
}

char **
seam_env_complete(char *const env[], char **space, char *text)
{
	const char *preload = seam_env_get(env, "LD_PRELOAD");
	char **out = space;
	unsigned i;

	if (!joined || complete(env))
		return (char **)(uintptr_t)env;
	if (!preload || !*preload)
		sprintf(text, "LD_PRELOAD=%s", library);
	else if (preloads_us(preload))
		sprintf(text, "LD_PRELOAD=%s", preload);
	else
		sprintf(text, "LD_PRELOAD=%s:%s", preload, library);
	for (; env && *env; env++) {
		if (value_of(*env, "LD_PRELOAD")) {
			if (text)
				*out++ = text;
			text = NULL;
		} else if (!is_ours(*env)) {
			*out++ = *env;
		}
	}
	if (text)
		*out++ = text;
	for (i = 0; i < SEAM_ENV_VARS; i++)
		if (*assignments[i])
			*out++ = assignments[i];
	*out = NULL;
	return space;
}
