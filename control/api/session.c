/* SPDX-License-Identifier: MIT */
/* Opening and closing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api.h"

/* Where targets run; *dir NULL: the caller's. */
static enum seam_code
find_dir(const struct seam_config *config, char **dir, struct seam_error *err)
{
	*dir = NULL;
	if (!config->dir)
		return SEAM_OK;
	*dir = realpath(config->dir, NULL);
	if (*dir)
		return SEAM_OK;
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "%s: %s", config->dir,
			 strerror(errno));
}

static enum seam_code
equip(struct seam_session *s, const struct seam_config *config,
      struct seam_error *err)
{
	struct api *api = calloc(1, sizeof(*api));

	if (!api)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	s->spare[API_SPARE] = api;
	api->timeout = config->timeout ? config->timeout : SEAM_WAIT_MS;
	if (api->timeout > SEAM_MS_MAX)
		api->timeout = SEAM_MS_MAX;
	api->ctx.session = s;
	api->commands = seam_commands_serve(s);
	if (!api->commands)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	return SEAM_OK;
}

static enum seam_code
open_session(struct seam_session **s, const struct seam_config *config,
	     struct seam_error *err)
{
	struct seam_options options = { .socket = config->socket,
					.preload = config->preload,
					.kill_on_death =
					    !config->release_on_death,
					.watch = true };
	enum seam_code code;
	char *dir;

	code = find_dir(config, &dir, err);
	if (!code)
		code = seam_session_open(&options, s, err);
	if (!code && access((*s)->preload, R_OK))
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot read libseam.so at %s: %s; "
				 "SEAM_PRELOAD says where it is",
				 (*s)->preload, strerror(errno));
	if (!code && dir) {
		free((*s)->cwd);
		(*s)->cwd = dir;
		dir = NULL;
	}
	free(dir);
	return code ? code : equip(*s, config, err);
}

enum seam_code
seam_open(seam_session **out, const struct seam_config *config)
{
	static const struct seam_config defaults;
	struct seam_session *s = NULL;
	struct seam_error err;
	enum seam_code code;

	*out = NULL;
	code = open_session(&s, config ? config : &defaults, &err);
	if (code)
		seam_close(s);
	else
		*out = s;
	return api_leave(code, &err);
}

void
seam_close(seam_session *s)
{
	struct api *api = s ? api_of(s) : NULL;

	if (api && s->opener == getpid()) {
		api_logs_stop(s);
		if (api->commands)
			seam_commands_close(api->commands, false);
		else
			seam_session_close(s, false);
	} else {
		/* In a fork's child: its memory, nothing else. */
		seam_session_close(s, false);
	}
	if (!api)
		return;
	api_logs_free(api);
	seam_vars_free(&api->ctx.vars);
	free(api);
}

const char *
seam_socket(const seam_session *s)
{
	return s ? seam_session_socket(s) : "";
}
