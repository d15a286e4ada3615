/* SPDX-License-Identifier: MIT */
/* Commands that show what is. */
#include "command.h"

static seam_begin_fn begin_procs, begin_threads, begin_locks, begin_rules,
    begin_stats, begin_state, begin_record, begin_history;
static seam_parse_fn parse_record;

const struct seam_command seam_table_commands[] = {
	{ "procs", "procs", "the processes of the session", seam_parse_none,
	  begin_procs, NULL },
	{ "threads", "threads",
	  "every thread: what it does, on what object, where", seam_parse_none,
	  begin_threads, NULL },
	{ "locks", "locks", "the objects: owners, waiters, sites, counts",
	  seam_parse_none, begin_locks, NULL },
	{ "rules", "rules", "what is armed, and who stands there",
	  seam_parse_none, begin_rules, NULL },
	{ "stats", "stats", "counts, and what could not be controlled",
	  seam_parse_none, begin_stats, NULL },
	{ "state", "state",
	  "all of it for a person: who waits for what, held by whom, where",
	  seam_parse_none, begin_state, NULL },
	{ "record", "record on|off", "keep the last events, for `history`",
	  parse_record, begin_record, NULL },
	{ "history", "history",
	  "the last 256 recorded events, thread by thread", seam_parse_none,
	  begin_history, NULL },
	{ 0 },
};

static enum seam_code
parse_record(struct seam_job *job, size_t from, struct seam_error *err)
{
	enum seam_code code = seam_take_switch(job, &from, err);

	return code ? code : seam_take_end(job, from, err);
}

static enum seam_code
begin_record(struct seam_context *ctx, struct seam_job *job,
	     struct seam_reply *reply, struct seam_error *err)
{
	uint64_t seen = 0, lost;
	enum seam_code code =
	    seam_history_record(ctx->session, job->args.on, &seen, err);

	if (!code && !job->args.on) {
		seam_reply_add_number(reply, "events", (long long)seen);
		lost = seam_events_lost(ctx->session);
		seam_reply_add_number(reply, "lost", (long long)lost);
	}
	return code;
}

static enum seam_code
begin_history(struct seam_context *ctx, struct seam_job *job,
	      struct seam_reply *reply, struct seam_error *err)
{
	(void)job;
	(void)err;
	reply->text = seam_history_text(ctx->session);
	return SEAM_OK;
}

static enum seam_code
table(json_t *rows, struct seam_reply *reply)
{
	reply->rows = rows;
	return SEAM_OK;
}

#define BEGIN(name, rows)                                                      \
	static enum seam_code name(struct seam_context *ctx,                   \
				   struct seam_job *job,                       \
				   struct seam_reply *reply,                   \
				   struct seam_error *err)                     \
	{                                                                      \
		(void)job;                                                     \
		(void)err;                                                     \
		return table(rows(ctx->session), reply);                       \
	}
BEGIN(begin_procs, seam_table_procs)
BEGIN(begin_threads, seam_table_threads)
BEGIN(begin_locks, seam_table_locks)
BEGIN(begin_rules, seam_table_rules)

static enum seam_code
begin_stats(struct seam_context *ctx, struct seam_job *job,
	    struct seam_reply *reply, struct seam_error *err)
{
	json_t *stats = seam_stats(ctx->session);

	(void)job;
	(void)err;
	json_object_update(reply->fields, stats);
	reply->shown = true;
	json_decref(stats);
	return SEAM_OK;
}

static enum seam_code
begin_state(struct seam_context *ctx, struct seam_job *job,
	    struct seam_reply *reply, struct seam_error *err)
{
	(void)job;
	(void)err;
	reply->text = sess_describe(ctx->session);
	return SEAM_OK;
}
