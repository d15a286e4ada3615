/* SPDX-License-Identifier: MIT */
/* Commands about the conversation itself. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"

static seam_parse_fn parse_log, parse_sleep, parse_set, parse_json, parse_help;
static seam_begin_fn begin_log, begin_sleep, begin_set, begin_json, begin_help,
    begin_quit;

const struct seam_command seam_misc_commands[] = {
	{ "log", "log SELECTOR|off",
	  "show matching events as they happen, as lines beginning with !",
	  parse_log, begin_log, NULL },
	{ "set", "set NAME VALUE", "give a variable a value, for $NAME",
	  parse_set, begin_set, NULL },
	{ "sleep", "sleep MS", "do nothing for a while", parse_sleep,
	  begin_sleep, NULL },
	{ "json", "json on|off", "reply in JSON, one object a line", parse_json,
	  begin_json, NULL },
	{ "help", "help [COMMAND|operations]", "what there is to type",
	  parse_help, begin_help, NULL },
	{ "quit", "quit", "end the connection, or the script", seam_parse_none,
	  begin_quit, NULL },
	{ 0 },
};

/* log */

static enum seam_code
parse_log(struct seam_job *job, size_t from, struct seam_error *err)
{
	const struct seam_words *w = &job->words;

	if (from < w->n && !w->v[from].value && !strcmp(w->v[from].text, "off"))
		return seam_take_end(job, from + 1, err);
	job->args.on = true;
	return seam_take_selector(job, from, 0, err);
}

static enum seam_code
log_off(struct seam_context *ctx, struct seam_error *err)
{
	enum seam_code code = SEAM_OK;

	for (; ctx->n_logs; ctx->n_logs--) {
		char *id = ctx->logs[ctx->n_logs - 1];

		/* `delete` may have taken it already. */
		sess_delete(ctx->session, id, err);
		free(id);
	}
	return code;
}

static enum seam_code
begin_log(struct seam_context *ctx, struct seam_job *job,
	  struct seam_reply *reply, struct seam_error *err)
{
	enum seam_code code;
	const char *id;
	char **logs;

	if (!job->args.on)
		return log_off(ctx, err);
	if (!ctx->event)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "there is nowhere to show events here");
	logs = realloc(ctx->logs, (ctx->n_logs + 1) * sizeof(*logs));
	if (!logs)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	ctx->logs = logs;
	code = sess_log(ctx->session, &job->args.sel, ctx->event,
			ctx->event_data, &id, err);
	if (code)
		return code;
	logs[ctx->n_logs] = strdup(id);
	ctx->n_logs += !!logs[ctx->n_logs];
	seam_reply_add(reply, "id", id);
	return SEAM_OK;
}

/* set */

static enum seam_code
parse_set(struct seam_job *job, size_t from, struct seam_error *err)
{
	struct seam_words *w = &job->words;
	struct seam_args *a = &job->args;
	enum seam_code code;
	size_t n;

	code = seam_take_word(job, &from, "a name", &a->what, err);
	if (code)
		return code;
	n = seam_var_name(a->what);
	if (!n || a->what[n])
		return sess_fail(err, SEAM_E_SYNTAX, w->v[from - 1].column,
				 "'%s' can't be a variable: letters, digits "
				 "and '_'",
				 seam_show(a->what).s);
	if (from >= w->n)
		return sess_fail(err, SEAM_E_SYNTAX, w->end,
				 "expected a value; an empty one is \"\"");
	a->sets = a->what;
	a->value = seam_word_whole(&w->v[from]);
	return seam_take_end(job, from + 1, err);
}

static enum seam_code
begin_set(struct seam_context *ctx, struct seam_job *job,
	  struct seam_reply *reply, struct seam_error *err)
{
	(void)reply;
	if (seam_var_set(&ctx->vars, job->args.sets, job->args.value))
		return SEAM_OK;
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
}

/* sleep */

static enum seam_code
parse_sleep(struct seam_job *job, size_t from, struct seam_error *err)
{
	enum seam_code code;
	const char *text;

	code = seam_take_word(job, &from, "milliseconds", &text, err);
	if (!code)
		code = seam_number_parse(text, job->words.v[from - 1].column, 0,
					 SEAM_MS_MAX, &job->args.number, err);
	return code ? code : seam_take_end(job, from, err);
}

static enum seam_code
begin_sleep(struct seam_context *ctx, struct seam_job *job,
	    struct seam_reply *reply, struct seam_error *err)
{
	uint64_t ms = job->args.number;
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000),
			       .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)reply;
	(void)err;
	if (ctx->sleep)
		ctx->sleep(ctx->data, ms);
	else
		while (nanosleep(&ts, &ts))
			;
	return SEAM_OK;
}

/* json, help, quit */

static enum seam_code
parse_json(struct seam_job *job, size_t from, struct seam_error *err)
{
	enum seam_code code = seam_take_switch(job, &from, err);

	return code ? code : seam_take_end(job, from, err);
}

static enum seam_code
begin_json(struct seam_context *ctx, struct seam_job *job,
	   struct seam_reply *reply, struct seam_error *err)
{
	(void)reply;
	(void)err;
	ctx->json = job->args.on;
	return SEAM_OK;
}

static enum seam_code
parse_help(struct seam_job *job, size_t from, struct seam_error *err)
{
	if (from < job->words.n)
		return seam_parse_what(job, from, err);
	return SEAM_OK;
}

static enum seam_code
begin_help(struct seam_context *ctx, struct seam_job *job,
	   struct seam_reply *reply, struct seam_error *err)
{
	const char *name = job->args.what;
	bool found = true;
	size_t size;
	FILE *f = open_memstream(&reply->text, &size);

	(void)ctx;
	if (!f)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	if (name && !strcmp(name, "operations"))
		seam_help_operations(f);
	else
		found = seam_help_commands(f, name);
	fclose(f);
	if (found)
		return SEAM_OK;
	return sess_fail(err, SEAM_E_SYNTAX, job->words.v[0].column,
			 "there is no command '%s'", seam_show(name).s);
}

static enum seam_code
begin_quit(struct seam_context *ctx, struct seam_job *job,
	   struct seam_reply *reply, struct seam_error *err)
{
	(void)job;
	(void)reply;
	(void)err;
	ctx->quit = true;
	return SEAM_OK;
}
