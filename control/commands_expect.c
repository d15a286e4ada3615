/* SPDX-License-Identifier: MIT */
/* Expectations: waits whose failing is the reply `err failed`. */
#include <stdlib.h>
#include <string.h>

#include "command.h"

static seam_parse_fn parse_exit, parse_output, parse_not;
static seam_begin_fn begin_parked, begin_not;
static seam_finish_fn finish_exit, finish, finish_not;

const struct seam_command seam_expect_commands[] = {
	{ "expect exit", "expect exit PROC STATUS [timeout=MS]",
	  "it ends with that exit status, or by that signal (SIGKILL)",
	  parse_exit, seam_begin_wait_exit, finish_exit },
	{ "expect output", "expect output ALIAS /REGEX/ [timeout=MS]",
	  "its output matches, now or in time", parse_output,
	  seam_begin_wait_output, finish },
	{ "expect blocked", "expect blocked THREAD [obj=OBJECT] [timeout=MS]",
	  "a thread waits in a call, now or in time", seam_parse_wait_blocked,
	  seam_begin_wait_blocked, finish },
	{ "expect parked", "expect parked ID [timeout=MS]",
	  "a thread stands at a rule, now or in time", seam_parse_waited,
	  begin_parked, finish },
	{ "expect not", "expect not COMMAND...",
	  "the command comes out as err; a wait is given 200 ms unless it "
	  "says otherwise",
	  parse_not, begin_not, finish_not },
	{ 0 },
};

/* Parsing. */

static enum seam_code
parse_status(struct seam_job *job, const struct seam_word *w, const char *text,
	     struct seam_error *err)
{
	struct seam_args *a = &job->args;
	int number;

	if (*text >= '0' && *text <= '9')
		return seam_number_parse(text, w->column, 0, 255, &a->number,
					 err);
	number = seam_signal_number(text);
	if (number < 1)
		return sess_fail(err, SEAM_E_SYNTAX, w->column,
				 "'%s' is neither an exit status nor a "
				 "signal such as SIGKILL",
				 seam_show(text).s);
	a->by_signal = true;
	a->number = (uint64_t)number;
	return SEAM_OK;
}

static enum seam_code
parse_exit(struct seam_job *job, size_t from, struct seam_error *err)
{
	enum seam_code code;
	const char *status;

	code = seam_take_word(job, &from, "a process", &job->args.what, err);
	if (!code)
		code =
		    seam_take_word(job, &from, "an exit status", &status, err);
	if (!code)
		code = parse_status(job, &job->words.v[from - 1], status, err);
	return code ? code :
		      seam_take_options(job, from, SEAM_OPT(TIMEOUT), err);
}

static enum seam_code
parse_output(struct seam_job *job, size_t from, struct seam_error *err)
{
	enum seam_code code;

	code = seam_take_word(job, &from, "an alias", &job->args.what, err);
	if (!code)
		code = seam_take_regex(job, &from, err);
	return code ? code :
		      seam_take_options(job, from, SEAM_OPT(TIMEOUT), err);
}

/* The words go to the inner job; one level only, as lines may be long. */
static enum seam_code
parse_not(struct seam_job *job, size_t from, struct seam_error *err)
{
	struct seam_words *w = &job->words;
	struct seam_job *inner;
	enum seam_code code;

	if (from >= w->n)
		return sess_fail(err, SEAM_E_SYNTAX, w->end,
				 "expected a command after `expect not`");
	if (from + 1 < w->n && !strcmp(w->v[from].text, "expect") &&
	    !strcmp(w->v[from + 1].text, "not"))
		return sess_fail(err, SEAM_E_SYNTAX, w->v[from].column,
				 "`expect not` twice");
	inner = job->inner = malloc(sizeof(*inner));
	if (!inner)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	code = seam_job_parse_words(w, from, inner, err);
	if (!inner->args.has_timeout) {
		inner->args.has_timeout = true;
		inner->args.timeout_ms = SEAM_NOT_MS;
	}
	return code;
}

/* Carrying out. */

static enum seam_code
begin_parked(struct seam_context *ctx, struct seam_job *job,
	     struct seam_reply *reply, struct seam_error *err)
{
	(void)ctx;
	(void)reply;
	(void)err;
	return seam_begin_wait(job, SEAM_WAIT_PARKED);
}

/* A name that means nothing stays what it is; the rest has failed. */
static enum seam_code
finish(struct seam_context *ctx, struct seam_job *job, enum seam_code code,
       struct seam_reply *reply, struct seam_error *err)
{
	(void)ctx;
	(void)job;
	(void)reply;
	if (code == SEAM_E_TIMEOUT || code == SEAM_E_GONE)
		err->code = code = SEAM_E_FAILED;
	return code;
}

/* How it ended, for a person; false: not as wanted. */
static bool
ended_so(const struct seam_args *a, json_t *reply, char *how, size_t size)
{
	const char *name = json_string_value(json_object_get(reply, "signal"));
	json_t *status = json_object_get(reply, "status");
	int sig = name ? seam_signal_number(name) : 0;

	if (name)
		snprintf(how, size, "by SIG%s",
			 strncmp(name, "SIG", 3) ? name : name + 3);
	else if (json_is_integer(status))
		snprintf(how, size, "with exit status %lld",
			 (long long)json_integer_value(status));
	else
		snprintf(how, size, "in an unknown way (not our child)");
	if (a->by_signal || name)
		return a->by_signal && name && sig == (int)a->number;
	return json_is_integer(status) &&
	       json_integer_value(status) == (json_int_t)a->number;
}

static enum seam_code
finish_exit(struct seam_context *ctx, struct seam_job *job, enum seam_code code,
	    struct seam_reply *reply, struct seam_error *err)
{
	const struct seam_args *a = &job->args;
	char how[128];

	if (code)
		return finish(ctx, job, code, reply, err);
	if (ended_so(a, reply->fields, how, sizeof(how)))
		return a->by_signal ?
			   sess_expect_crash(ctx->session, a->what, err) :
			   SEAM_OK;
	return sess_fail(err, SEAM_E_FAILED, 0, "%s ended %s; expected %s%s%d",
			 seam_show(a->what).s, how,
			 a->by_signal ? "an end by " : "",
			 a->by_signal ? "signal " : "exit status ",
			 (int)a->number);
}

static enum seam_code
begin_not(struct seam_context *ctx, struct seam_job *job,
	  struct seam_reply *reply, struct seam_error *err)
{
	enum seam_code code = seam_job_begin(job->inner, ctx, reply, err);

	if (code == SEAM_PENDING)
		job->wait = job->inner->wait;
	return code;
}

static enum seam_code
finish_not(struct seam_context *ctx, struct seam_job *job, enum seam_code code,
	   struct seam_reply *reply, struct seam_error *err)
{
	char *text;

	code = seam_job_finish(job->inner, ctx, code, reply, err);
	if (code) {
		seam_reply_free(reply);
		seam_reply_init(reply);
		seam_reply_add(reply, "code", seam_code_name(code));
		seam_reply_add(reply, "text", err->text);
		return SEAM_OK;
	}
	free(reply->text);
	reply->text = NULL;
	json_decref(reply->rows);
	reply->rows = NULL;
	text = seam_reply_format(reply, SEAM_OK, NULL, false);
	code = sess_fail(err, SEAM_E_FAILED, 0, "it came about: %s",
			 text ? text : "ok");
	free(text);
	return code;
}
