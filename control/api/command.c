/* SPDX-License-Identifier: MIT */
/* Lines of the command language. */
#include <stdlib.h>
#include <string.h>

#include "api.h"

static bool
copy_vars(struct seam_vars *to, const struct seam_vars *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (!seam_var_set(to, from->v[i].name, from->v[i].value))
			return false;
	return true;
}

/* A context of its own, so that lines of several threads may wait at the
 * same time; what it set is kept. */
static bool
begin(struct seam_session *s, struct seam_context *ctx)
{
	struct api *api = api_of(s);
	bool ok = true;

	*ctx = (struct seam_context){ .session = s };
	if (!api)
		return true;
	seam_lock(s);
	ctx->json = api->ctx.json;
	ok = copy_vars(&ctx->vars, &api->ctx.vars);
	seam_unlock(s);
	return ok;
}

static bool
end(struct seam_session *s, struct seam_context *ctx)
{
	struct api *api = api_of(s);
	bool ok = true;

	if (api) {
		seam_lock(s);
		api->ctx.json = ctx->json;
		ok = copy_vars(&api->ctx.vars, &ctx->vars);
		seam_unlock(s);
	}
	seam_context_end(ctx);
	return ok;
}

static void
set_timeout(const struct seam_session *s, struct seam_args *a)
{
	if (a->has_timeout)
		return;
	a->has_timeout = true;
	a->timeout_ms = api_timeout(s, SEAM_DEFAULT);
}

static enum seam_code
run(struct seam_context *ctx, const char *line, char **text,
    struct seam_error *err)
{
	struct seam_reply reply;
	struct seam_job job;
	enum seam_code code;

	seam_reply_init(&reply);
	code = seam_job_parse(line, &ctx->vars, &job, err);
	if (!code) {
		set_timeout(ctx->session, &job.args);
		code = seam_job_run(&job, ctx, &reply, err);
	}
	if (job.command || code)
		*text = seam_reply_format(&reply, code, err, ctx->json);
	else
		*text = strdup("");
	seam_job_free(&job);
	seam_reply_free(&reply);
	return code;
}

enum seam_code
seam_command(seam_session *s, const char *line, char **reply)
{
	struct seam_error err;
	struct seam_context ctx;
	char *text = NULL, *last;
	enum seam_code code = api_enter(s, &err);

	if (reply)
		*reply = NULL;
	if (!code)
		code = api_need(line, "line", &err);
	if (code)
		return api_leave(code, &err);
	if (begin(s, &ctx))
		code = run(&ctx, line, &text, &err);
	if (!end(s, &ctx) || !text) {
		free(text);
		sess_fail(&err, SEAM_E_UNSUPPORTED, 0, "out of memory");
		return api_leave(SEAM_E_UNSUPPORTED, &err);
	}
	api_logs_deliver(s);
	last = text + strlen(text);
	if (last > text && last[-1] == '\n')
		last[-1] = '\0';
	if (reply)
		*reply = text;
	else
		free(text);
	return api_leave_at(code, &err, line);
}
