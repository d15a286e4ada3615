/* SPDX-License-Identifier: MIT */
/* Commands about targets: starting, feeding, signalling, reading them. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static seam_parse_fn parse_start, parse_send, parse_signal;
static seam_begin_fn begin_start, begin_send, begin_signal, begin_kill,
    begin_output;

const struct seam_command seam_target_commands[] = {
	{ "start", "start ALIAS [env K=V]... [dir=PATH] -- CMD [ARG...]",
	  "start a target; its output is kept for `output` and `expect`; in "
	  "a script of `seam run`, `start main` starts the command line's",
	  parse_start, begin_start, NULL },
	{ "send", "send ALIAS \"TEXT\" [eof]  |  send ALIAS eof",
	  "write a line to a target's standard input, and close it", parse_send,
	  begin_send, NULL },
	{ "signal", "signal PROC SIGNAL", "send a signal, by name or number",
	  parse_signal, begin_signal, NULL },
	{ "kill", "kill PROC", "end a process with SIGKILL", seam_parse_what,
	  begin_kill, NULL },
	{ "output", "output PROC", "show what a target has written",
	  seam_parse_what, begin_output, NULL },
	{ 0 },
};

/* start */

/* The words `env` and K=V. */
static enum seam_code
take_env(struct seam_job *job, size_t *i, size_t n, struct seam_error *err)
{
	struct seam_words *w = &job->words;

	if (*i + 1 >= w->n || !w->v[*i + 1].value || !w->v[*i + 1].text[0])
		return sess_fail(err, SEAM_E_SYNTAX,
				 *i + 1 < w->n ? w->v[*i + 1].column : w->end,
				 "expected NAME=VALUE after env");
	job->args.env[n] = (char *)seam_word_whole(&w->v[*i + 1]);
	*i += 2;
	return SEAM_OK;
}

static bool
is_word(const struct seam_word *w, const char *text)
{
	return !w->quoted && !w->value && !strcmp(w->text, text);
}

/* Until "--". */
static enum seam_code
take_how(struct seam_job *job, size_t *i, struct seam_error *err)
{
	struct seam_words *w = &job->words;
	enum seam_code code = SEAM_OK;
	size_t n = 0;

	while (!code && *i < w->n && !is_word(&w->v[*i], "--")) {
		if (is_word(&w->v[*i], "env")) {
			code = take_env(job, i, n++, err);
			continue;
		}
		code = seam_take_option(job, *i, SEAM_OPT(DIR), err);
		if (code == SEAM_PENDING)
			return sess_fail(err, SEAM_E_SYNTAX, w->v[*i].column,
					 "expected `env K=V`, dir=PATH or "
					 "`--` and a command, met '%s'",
					 seam_show(w->v[*i].text).s);
		++*i;
	}
	return code;
}

static enum seam_code
parse_start(struct seam_job *job, size_t from, struct seam_error *err)
{
	struct seam_words *w = &job->words;
	struct seam_args *a = &job->args;
	enum seam_code code;
	size_t n = 0;

	code = seam_take_name(job, &from, "an alias", &a->what, err);
	if (code || (from == w->n && !strcmp(a->what, "main")))
		return code;
	a->env = calloc(w->n + 1, sizeof(*a->env));
	a->argv = calloc(w->n + 1, sizeof(*a->argv));
	if (!a->env || !a->argv)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	code = take_how(job, &from, err);
	if (code)
		return code;
	if (from + 1 >= w->n)
		return sess_fail(err, SEAM_E_SYNTAX, w->end,
				 "expected `--` and a command; usage: %s",
				 job->command->usage);
	while (++from < w->n)
		a->argv[n++] = (char *)seam_word_whole(&w->v[from]);
	if (!a->argv[0] || !a->argv[0][0])
		return sess_fail(err, SEAM_E_SYNTAX, w->v[w->n - n].column,
				 "the command is an empty word");
	return SEAM_OK;
}

/* What the session calls it, from its row in the table of processes. */
static void
add_process(struct seam_session *s, const char *alias, struct seam_reply *reply)
{
	json_t *rows = seam_table_procs(s), *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *name =
		    json_string_value(json_object_get(row, "alias"));

		if (!name || strcmp(name, alias))
			continue;
		json_object_set(reply->fields, "proc",
				json_object_get(row, "proc"));
		json_object_set(reply->fields, "pid",
				json_object_get(row, "pid"));
	}
	json_decref(rows);
}

static enum seam_code
begin_start(struct seam_context *ctx, struct seam_job *job,
	    struct seam_reply *reply, struct seam_error *err)
{
	struct seam_args *a = &job->args;
	struct sess_start how = { .alias = a->what,
				  .argv = a->argv,
				  .env = a->env,
				  .dir = a->dir,
				  .stdio = SEAM_CAPTURE };
	enum seam_code code;
	unsigned proc;

	if (a->argv)
		code = sess_start(ctx->session, &how, &proc, err);
	else if (ctx->start_main)
		code = ctx->start_main(ctx->data, err);
	else
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "`start main` is for the script of `seam "
				 "run`; elsewhere a command belongs after --");
	if (!code)
		add_process(ctx->session, a->what, reply);
	return code;
}

/* send */

static enum seam_code
parse_send(struct seam_job *job, size_t from, struct seam_error *err)
{
	struct seam_words *w = &job->words;
	struct seam_args *a = &job->args;
	enum seam_code code;

	code = seam_take_word(job, &from, "an alias", &a->what, err);
	if (code)
		return code;
	if (from >= w->n)
		return sess_fail(err, SEAM_E_SYNTAX, w->end,
				 "expected a \"line\" or eof");
	if (!is_word(&w->v[from], "eof"))
		a->text = seam_word_whole(&w->v[from++]);
	if (from < w->n && is_word(&w->v[from], "eof")) {
		a->eof = true;
		from++;
	}
	if (from < w->n)
		return sess_fail(err, SEAM_E_SYNTAX, w->v[from].column,
				 "unexpected '%s'; a line with blanks is "
				 "quoted",
				 seam_show(w->v[from].text).s);
	return SEAM_OK;
}

static enum seam_code
begin_send(struct seam_context *ctx, struct seam_job *job,
	   struct seam_reply *reply, struct seam_error *err)
{
	struct seam_args *a = &job->args;
	enum seam_code code;
	char *line = NULL;

	(void)reply;
	if (a->text && asprintf(&line, "%s\n", a->text) < 0)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	code = sess_send(ctx->session, a->what, line, a->eof, err);
	free(line);
	return code;
}

/* signal, kill */

static enum seam_code
parse_signal(struct seam_job *job, size_t from, struct seam_error *err)
{
	enum seam_code code;
	const char *name;
	int number;

	code = seam_take_word(job, &from, "a process", &job->args.what, err);
	if (!code)
		code = seam_take_word(job, &from, "a signal", &name, err);
	if (code)
		return code;
	number = seam_signal_number(name);
	if (number < 1)
		return sess_fail(err, SEAM_E_SYNTAX,
				 job->words.v[from - 1].column,
				 "'%s' is no signal, such as TERM or 15",
				 seam_show(name).s);
	job->args.number = (uint64_t)number;
	return seam_take_end(job, from, err);
}

static enum seam_code
begin_signal(struct seam_context *ctx, struct seam_job *job,
	     struct seam_reply *reply, struct seam_error *err)
{
	(void)reply;
	return seam_signal(ctx->session, job->args.what, (int)job->args.number,
			   err);
}

static enum seam_code
begin_kill(struct seam_context *ctx, struct seam_job *job,
	   struct seam_reply *reply, struct seam_error *err)
{
	(void)reply;
	return seam_signal(ctx->session, job->args.what, SIGKILL, err);
}

/* output */

static enum seam_code
begin_output(struct seam_context *ctx, struct seam_job *job,
	     struct seam_reply *reply, struct seam_error *err)
{
	enum seam_code code;
	size_t len;

	code =
	    sess_output(ctx->session, job->args.what, &reply->text, &len, err);
	if (!code)
		seam_reply_add_number(reply, "bytes", (long long)len);
	return code;
}
