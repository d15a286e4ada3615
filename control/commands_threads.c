/* SPDX-License-Identifier: MIT */
/* Commands that account for threads, and for crashes. */
#include <stdlib.h>
#include <string.h>

#include "command.h"

static seam_parse_fn parse_since, parse_join;
static seam_begin_fn begin_mark, begin_left, begin_join, begin_crashes,
    begin_expected, begin_no_crash;
static seam_finish_fn finish_join;

const struct seam_command seam_thread_commands[] = {
	{ "mark", "mark", "count threads from here on", seam_parse_none,
	  begin_mark, NULL },
	{ "left-behind", "left-behind [since=MARK]",
	  "the threads started since the mark that still live", parse_since,
	  begin_left, NULL },
	{ "join", "join [since=MARK] [check=yes|no] [timeout=MS]",
	  "wait for each of them to end; who does not is an error, or with "
	  "check=no shown",
	  parse_join, begin_join, finish_join },
	{ "crashes", "crashes",
	  "who died by a signal, or called _exit with threads alive",
	  seam_parse_none, begin_crashes, NULL },
	{ "expect crash", "expect crash PROC",
	  "that it crashes is no news, whenever it does", seam_parse_what,
	  begin_expected, NULL },
	{ "expect no-crash", "expect no-crash",
	  "nobody has crashed who was not expected to", seam_parse_none,
	  begin_no_crash, NULL },
	{ 0 },
};

static enum seam_code
parse_since(struct seam_job *job, size_t from, struct seam_error *err)
{
	job->args.since = SEAM_LAST_MARK;
	return seam_take_options(job, from, SEAM_OPT(SINCE), err);
}

static enum seam_code
parse_join(struct seam_job *job, size_t from, struct seam_error *err)
{
	job->args.since = SEAM_LAST_MARK;
	return seam_take_options(job, from,
				 SEAM_OPT(SINCE) | SEAM_OPT(CHECK) |
				     SEAM_OPT(TIMEOUT),
				 err);
}

static enum seam_code
begin_mark(struct seam_context *ctx, struct seam_job *job,
	   struct seam_reply *reply, struct seam_error *err)
{
	(void)job;
	(void)err;
	seam_reply_add_number(reply, "mark",
			      (long long)sess_mark(ctx->session));
	return SEAM_OK;
}

static enum seam_code
begin_left(struct seam_context *ctx, struct seam_job *job,
	   struct seam_reply *reply, struct seam_error *err)
{
	(void)err;
	reply->rows = seam_table_left(ctx->session, job->args.since);
	return SEAM_OK;
}

static enum seam_code
begin_join(struct seam_context *ctx, struct seam_job *job,
	   struct seam_reply *reply, struct seam_error *err)
{
	(void)ctx;
	(void)reply;
	(void)err;
	seam_begin_wait(job, SEAM_WAIT_JOIN);
	job->wait.since = job->args.since;
	return SEAM_PENDING;
}

static enum seam_code
finish_join(struct seam_context *ctx, struct seam_job *job, enum seam_code code,
	    struct seam_reply *reply, struct seam_error *err)
{
	(void)err;
	if (code != SEAM_E_TIMEOUT || !job->args.unchecked)
		return code;
	reply->rows = seam_table_left(ctx->session, job->args.since);
	return SEAM_OK;
}

static enum seam_code
begin_crashes(struct seam_context *ctx, struct seam_job *job,
	      struct seam_reply *reply, struct seam_error *err)
{
	(void)job;
	(void)err;
	reply->rows = seam_table_crashes(ctx->session);
	return SEAM_OK;
}

static enum seam_code
begin_expected(struct seam_context *ctx, struct seam_job *job,
	       struct seam_reply *reply, struct seam_error *err)
{
	(void)reply;
	return sess_expect_crash(ctx->session, job->args.what, err);
}

static enum seam_code
begin_no_crash(struct seam_context *ctx, struct seam_job *job,
	       struct seam_reply *reply, struct seam_error *err)
{
	char *text = sess_crashes(ctx->session);

	(void)job;
	(void)reply;
	if (!text)
		return SEAM_OK;
	sess_fail(err, SEAM_E_FAILED, 0, "%.*s", (int)strlen(text) - 1, text);
	free(text);
	return SEAM_E_FAILED;
}
