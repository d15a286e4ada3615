/* SPDX-License-Identifier: MIT */
/* Commands that wait until something has come about. */
#include "command.h"

static seam_parse_fn parse_quiescent, parse_output;
static seam_begin_fn begin_rule, begin_quiescent, begin_step;
static seam_finish_fn finish_output;

const struct seam_command seam_wait_commands[] = {
	{ "wait", "wait ID [timeout=MS]",
	  "until a thread has parked at a rule, and say which and where",
	  seam_parse_waited, begin_rule, NULL },
	{ "wait quiescent", "wait quiescent [timeout=MS]",
	  "until nothing more happens by itself", parse_quiescent,
	  begin_quiescent, NULL },
	{ "wait exit", "wait exit PROC [timeout=MS]",
	  "until a process has ended, and say how", seam_parse_waited,
	  seam_begin_wait_exit, NULL },
	{ "wait blocked", "wait blocked THREAD [obj=OBJECT] [timeout=MS]",
	  "until a thread waits in a call for somebody else",
	  seam_parse_wait_blocked, seam_begin_wait_blocked, NULL },
	{ "wait output", "wait output ALIAS /REGEX/ [as=NAME] [timeout=MS]",
	  "until a target's output matches; $NAME is then the first group, "
	  "or the whole match",
	  parse_output, seam_begin_wait_output, finish_output },
	{ "wait step", "wait step THREAD [timeout=MS]",
	  "until a stepped thread has parked again, or ended",
	  seam_parse_waited, begin_step, NULL },
	{ 0 },
};

static enum seam_code
parse_quiescent(struct seam_job *job, size_t from, struct seam_error *err)
{
	return seam_take_options(job, from, SEAM_OPT(TIMEOUT), err);
}

enum seam_code
seam_parse_waited(struct seam_job *job, size_t from, struct seam_error *err)
{
	enum seam_code code;

	code = seam_take_word(job, &from, "a name", &job->args.what, err);
	return code ? code : parse_quiescent(job, from, err);
}

enum seam_code
seam_parse_wait_blocked(struct seam_job *job, size_t from,
			struct seam_error *err)
{
	enum seam_code code;

	code = seam_take_word(job, &from, "a thread", &job->args.what, err);
	return code ? code :
		      seam_take_options(job, from,
					SEAM_OPT(TIMEOUT) | SEAM_OPT(OBJ), err);
}

static enum seam_code
parse_output(struct seam_job *job, size_t from, struct seam_error *err)
{
	enum seam_code code;

	code = seam_take_word(job, &from, "an alias", &job->args.what, err);
	if (!code)
		code = seam_take_regex(job, &from, err);
	return code ?
		   code :
		   seam_take_options(job, from,
				     SEAM_OPT(TIMEOUT) | SEAM_OPT(AS_VARIABLE),
				     err);
}

enum seam_code
seam_begin_wait(struct seam_job *job, enum seam_wait_kind kind)
{
	struct seam_args *a = &job->args;

	job->wait = (struct sess_wait){
		.kind = kind,
		.what = a->what,
		.obj = a->has_obj ? &a->obj : NULL,
		.timeout_ms = a->has_timeout ? a->timeout_ms : SEAM_WAIT_MS,
	};
	if (kind == SEAM_WAIT_ORDER)
		job->wait.what = a->to;
	if (kind == SEAM_WAIT_OUTPUT) {
		job->wait.what = a->text;
		job->wait.arg = a->what;
	}
	return SEAM_PENDING;
}

#define BEGIN(name, kind)                                                      \
	enum seam_code name(struct seam_context *ctx, struct seam_job *job,    \
			    struct seam_reply *reply, struct seam_error *err)  \
	{                                                                      \
		(void)ctx;                                                     \
		(void)reply;                                                   \
		(void)err;                                                     \
		return seam_begin_wait(job, kind);                             \
	}
static BEGIN(begin_rule, SEAM_WAIT_RULE) static BEGIN(begin_quiescent,
						      SEAM_WAIT_QUIESCENT)
    BEGIN(seam_begin_wait_exit, SEAM_WAIT_EXIT)
	BEGIN(seam_begin_wait_blocked, SEAM_WAIT_BLOCKED)
	    BEGIN(seam_begin_wait_output,
		  SEAM_WAIT_OUTPUT) static BEGIN(begin_step, SEAM_WAIT_THREAD)

		static enum seam_code
    finish_output(struct seam_context *ctx, struct seam_job *job,
		  enum seam_code code, struct seam_reply *reply,
		  struct seam_error *err)
{
	const char *match =
	    json_string_value(json_object_get(reply->fields, "match"));
	const char *name = job->args.sets;

	if (!code && name && match && !seam_var_set(&ctx->vars, name, match))
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	return code;
}
