/* SPDX-License-Identifier: MIT */
/* Commands that arm rules, and that let go. */
#include "command.h"

static seam_parse_fn parse_pause, parse_hold, parse_fail, parse_watch;
static seam_begin_fn begin_pause, begin_hold, begin_fail, begin_release,
    begin_step, begin_delete, begin_watch;

const struct seam_command seam_rule_commands[] = {
	{ "pause", "pause SELECTOR [as=ID]",
	  "park the threads that match, until they are released", parse_pause,
	  begin_pause, NULL },
	{ "hold",
	  "hold OBJECT [mode=rd|wr] [range=OFF+LEN] [proc=PROC] [as=ID] "
	  "[timeout=MS]",
	  "own an object in the session's name, once it is free", parse_hold,
	  begin_hold, NULL },
	{ "fail", "fail SELECTOR errno=NAME [times=N] [as=ID]",
	  "make matching calls return that error without taking effect",
	  parse_fail, begin_fail, NULL },
	{ "release", "release ID|THREAD|all",
	  "let parked threads go on; end a hold", seam_parse_what,
	  begin_release, NULL },
	{ "step", "step THREAD",
	  "let a parked thread go, to park at its next event", seam_parse_what,
	  begin_step, NULL },
	{ "delete", "delete ID|all", "disarm a rule, and let go",
	  seam_parse_what, begin_delete, NULL },
	{ "watch", "watch on|off",
	  "keep track of objects, owners and waits even when nothing is armed",
	  parse_watch, begin_watch, NULL },
	{ 0 },
};

static enum seam_code
parse_pause(struct seam_job *job, size_t from, struct seam_error *err)
{
	return seam_take_selector(job, from, SEAM_OPT(AS), err);
}

static enum seam_code
parse_fail(struct seam_job *job, size_t from, struct seam_error *err)
{
	enum seam_code code;

	code =
	    seam_take_selector(job, from,
			       SEAM_OPT(ERRNO) | SEAM_OPT(TIMES) | SEAM_OPT(AS),
			       err);
	if (!code && !job->args.number)
		code = sess_fail(err, SEAM_E_SYNTAX, job->words.end,
				 "fail needs an error: errno=EBUSY, say");
	return code;
}

static enum seam_code
parse_hold(struct seam_job *job, size_t from, struct seam_error *err)
{
	struct seam_args *a = &job->args;
	enum seam_code code;
	const char *name;

	code = seam_take_word(job, &from, "an object", &name, err);
	if (!code)
		code = seam_object_parse(name, job->words.v[from - 1].column,
					 &a->obj, err);
	if (!code)
		code = seam_take_options(job, from,
					 SEAM_OPT(MODE) | SEAM_OPT(RANGE) |
					     SEAM_OPT(PROC) | SEAM_OPT(AS) |
					     SEAM_OPT(TIMEOUT),
					 err);
	if (!code && a->range.given && a->obj.kind &&
	    a->obj.kind != SEAM_KIND_FILE)
		code = sess_fail(err, SEAM_E_SYNTAX, job->words.v[from].column,
				 "range= is for files only");
	return code;
}

static enum seam_code
parse_watch(struct seam_job *job, size_t from, struct seam_error *err)
{
	enum seam_code code = seam_take_switch(job, &from, err);

	return code ? code : seam_take_end(job, from, err);
}

static enum seam_code
armed(enum seam_code code, const char *id, struct seam_reply *reply)
{
	if (!code)
		seam_reply_add(reply, "id", id);
	return code;
}

static enum seam_code
begin_pause(struct seam_context *ctx, struct seam_job *job,
	    struct seam_reply *reply, struct seam_error *err)
{
	const char *id = NULL;
	enum seam_code code;

	code = sess_pause(ctx->session, &job->args.sel, job->args.as, &id, err);
	return armed(code, id, reply);
}

static enum seam_code
begin_hold(struct seam_context *ctx, struct seam_job *job,
	   struct seam_reply *reply, struct seam_error *err)
{
	struct seam_args *a = &job->args;
	struct seam_hold_how how = { .mode = a->mode,
				     .range = a->range,
				     .proc = a->proc,
				     .timeout_ms = a->has_timeout ?
						       a->timeout_ms :
						       SEAM_WAIT_MS };
	const char *id = NULL;
	enum seam_code code;

	code = sess_hold(ctx->session, &a->obj, &how, a->as, &id, err);
	return armed(code, id, reply);
}

static enum seam_code
begin_fail(struct seam_context *ctx, struct seam_job *job,
	   struct seam_reply *reply, struct seam_error *err)
{
	struct seam_args *a = &job->args;
	const char *id = NULL;
	enum seam_code code;

	code = seam_fault(ctx->session, &a->sel, (int)a->number,
			  (uint32_t)a->times, a->as, &id, err);
	return armed(code, id, reply);
}

static enum seam_code
begin_release(struct seam_context *ctx, struct seam_job *job,
	      struct seam_reply *reply, struct seam_error *err)
{
	enum seam_code code;
	unsigned count = 0;

	code = sess_release(ctx->session, job->args.what, &count, err);
	if (!code)
		seam_reply_add_number(reply, "released", count);
	return code;
}

static enum seam_code
begin_step(struct seam_context *ctx, struct seam_job *job,
	   struct seam_reply *reply, struct seam_error *err)
{
	(void)reply;
	return sess_step(ctx->session, job->args.what, err);
}

static enum seam_code
begin_delete(struct seam_context *ctx, struct seam_job *job,
	     struct seam_reply *reply, struct seam_error *err)
{
	(void)reply;
	return sess_delete(ctx->session, job->args.what, err);
}

static enum seam_code
begin_watch(struct seam_context *ctx, struct seam_job *job,
	    struct seam_reply *reply, struct seam_error *err)
{
	(void)reply;
	(void)err;
	seam_watch(ctx->session, job->args.on);
	return SEAM_OK;
}
