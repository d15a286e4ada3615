/* SPDX-License-Identifier: MIT */
/* Commands that gather threads, and that put them in order. */
#include <stdlib.h>
#include <string.h>

#include "command.h"

static seam_parse_fn parse_gate, parse_order, parse_next, parse_finish;
static seam_begin_fn begin_gate, begin_order, begin_next, begin_finish;

const struct seam_command seam_order_commands[] = {
	{ "gate", "gate N SELECTOR [as=ID]",
	  "park the threads that match; `wait` is over when N stand there, "
	  "`release` lets all go at once",
	  parse_gate, begin_gate, NULL },
	{ "order", "order ID...  |  order off",
	  "let events happen in this order only; each ID is a pause, and may "
	  "appear several times",
	  parse_order, begin_order, NULL },
	{ "next", "next [to=ID] [timeout=MS]",
	  "run to the next checkpoint of the order, or to that one", parse_next,
	  begin_next, NULL },
	{ "finish", "finish [timeout=MS]",
	  "run all that is in the order to the end", parse_finish, begin_finish,
	  NULL },
	{ 0 },
};

/* gate */

static enum seam_code
parse_gate(struct seam_job *job, size_t from, struct seam_error *err)
{
	enum seam_code code;
	const char *text;

	code = seam_take_word(job, &from, "a number of threads", &text, err);
	if (!code)
		code = seam_number_parse(text, job->words.v[from - 1].column, 1,
					 SEAM_GATE_MAX, &job->args.number, err);
	return code ? code : seam_take_selector(job, from, SEAM_OPT(AS), err);
}

static enum seam_code
begin_gate(struct seam_context *ctx, struct seam_job *job,
	   struct seam_reply *reply, struct seam_error *err)
{
	const struct seam_args *a = &job->args;
	const char *id = NULL;
	enum seam_code code;

	code = sess_gate(ctx->session, (unsigned)a->number, &a->sel, a->as, &id,
			 err);
	if (!code)
		seam_reply_add(reply, "id", id);
	return code;
}

/* order */

static enum seam_code
parse_order(struct seam_job *job, size_t from, struct seam_error *err)
{
	struct seam_args *a = &job->args;
	size_t n = job->words.n;
	enum seam_code code = SEAM_OK;
	const char *id;

	if (from + 1 == n && !strcmp(job->words.v[from].text, "off"))
		return SEAM_OK;
	a->on = true;
	a->argv = calloc(n + 1, sizeof(*a->argv));
	if (!a->argv)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	do {
		code =
		    seam_take_word(job, &from, "the id of a pause", &id, err);
		if (!code)
			a->argv[a->number++] = (char *)(uintptr_t)id;
	} while (!code && from < n);
	return code;
}

static enum seam_code
begin_order(struct seam_context *ctx, struct seam_job *job,
	    struct seam_reply *reply, struct seam_error *err)
{
	const struct seam_args *a = &job->args;
	enum seam_code code;
	char *targets;

	if (!a->on) {
		sess_order_end(ctx->session, 0);
		return SEAM_OK;
	}
	code = sess_order(ctx->session, (const char *const *)a->argv,
			  (size_t)a->number, NULL, err);
	if (code)
		return code;
	targets = sess_order_targets(ctx->session);
	seam_reply_add_number(reply, "checkpoints", (long long)a->number);
	seam_reply_add(reply, "targets", targets ? targets : "");
	free(targets);
	return SEAM_OK;
}

/* next, finish */

static enum seam_code
parse_next(struct seam_job *job, size_t from, struct seam_error *err)
{
	return seam_take_options(job, from, SEAM_OPT(TO) | SEAM_OPT(TIMEOUT),
				 err);
}

static enum seam_code
parse_finish(struct seam_job *job, size_t from, struct seam_error *err)
{
	return seam_take_options(job, from, SEAM_OPT(TIMEOUT), err);
}

static enum seam_code
begin_next(struct seam_context *ctx, struct seam_job *job,
	   struct seam_reply *reply, struct seam_error *err)
{
	(void)ctx;
	(void)reply;
	(void)err;
	return seam_begin_wait(job, SEAM_WAIT_ORDER);
}

static enum seam_code
begin_finish(struct seam_context *ctx, struct seam_job *job,
	     struct seam_reply *reply, struct seam_error *err)
{
	enum seam_code code = begin_next(ctx, job, reply, err);

	job->wait.to_end = true;
	return code;
}
