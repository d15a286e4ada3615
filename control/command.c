/* SPDX-License-Identifier: MIT */
/* From a line to a job, and from a job to its reply. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

const struct seam_command *const seam_command_groups[] = {
	seam_target_commands, seam_rule_commands,  seam_wait_commands,
	seam_expect_commands, seam_table_commands, seam_order_commands,
	seam_thread_commands, seam_misc_commands,  NULL,
};

/* The next entry of all groups' tables; *group and *i begin at 0. */
static const struct seam_command *
next_command(size_t *group, size_t *i)
{
	for (; seam_command_groups[*group]; ++*group, *i = 0)
		if (seam_command_groups[*group][*i].name)
			return &seam_command_groups[*group][(*i)++];
	return NULL;
}

/* Looking up. */

/* How many of the words are the command's name; 0: they are not. */
static size_t
matches(const struct seam_command *c, const char *first, const char *second)
{
	size_t n;

	if (c->name[0] != first[0])
		return 0;
	n = strcspn(c->name, " ");
	if (strncmp(c->name, first, n) || first[n])
		return 0;
	if (!c->name[n])
		return 1;
	return second && !strcmp(c->name + n + 1, second) ? 2 : 0;
}

static const struct seam_command *
find(const char *first, const char *second, size_t *taken)
{
	const struct seam_command *c, *best = NULL;
	size_t group = 0, i = 0, n;

	*taken = 0;
	while ((c = next_command(&group, &i))) {
		n = matches(c, first, second);
		if (n > *taken) {
			*taken = n;
			best = c;
		}
	}
	return best;
}

/* The first word alone is no command: what may follow it, if it begins one. */
static bool
list_forms(const char *first, char *buf, size_t size)
{
	const struct seam_command *c;
	size_t group = 0, i = 0, len = strlen(first), n = 0;

	buf[0] = '\0';
	while ((c = next_command(&group, &i)))
		if (!strncmp(c->name, first, len) && c->name[len] == ' ' &&
		    n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%s",
					      n ? ", " : "", c->name + len + 1);
	return n > 0;
}

static enum seam_code
no_such_command(const struct seam_words *w, size_t from, struct seam_error *err)
{
	const struct seam_word *first = &w->v[from];
	struct seam_near near = { .word = first->text };
	const struct seam_command *c;
	size_t group = 0, i = 0;
	char forms[256];

	if (list_forms(first->text, forms, sizeof(forms)))
		return sess_fail(err, SEAM_E_SYNTAX,
				 from + 1 < w->n ? w->v[from + 1].column :
						   w->end,
				 "after '%s' there may be: %s", first->text,
				 forms);
	while ((c = next_command(&group, &i)))
		if (!strchr(c->name, ' '))
			seam_near_try(&near, c->name);
	return sess_fail(err, SEAM_E_SYNTAX, first->column,
			 "unknown command '%s'%s%s%s; `help` lists them",
			 seam_show(first->text).s,
			 near.best ? ", did you mean '" : "",
			 near.best ? near.best : "", near.best ? "'?" : "");
}

/* Parsing. */

enum seam_code
seam_job_parse_words(struct seam_words *words, size_t from,
		     struct seam_job *job, struct seam_error *err)
{
	const char *second;
	size_t taken;

	*job = (struct seam_job){ .words = *words };
	*words = (struct seam_words){ .end = 1 };
	words = &job->words;
	if (from >= words->n)
		return SEAM_OK;
	second = from + 1 < words->n ? words->v[from + 1].text : NULL;
	job->command = find(seam_word_whole(&words->v[from]), second, &taken);
	if (!job->command)
		return no_such_command(words, from, err);
	return job->command->parse(job, from + taken, err);
}

enum seam_code
seam_job_parse(const char *line, const struct seam_vars *vars,
	       struct seam_job *job, struct seam_error *err)
{
	struct seam_words words;
	enum seam_code code;
	bool open = false;

	*job = (struct seam_job){ .words.end = 1 };
	code = seam_split(line, &words, err);
	if (code)
		return code;
	code = seam_vars_expand(vars, &words, &open, err);
	if (!code)
		code = seam_job_parse_words(&words, 0, job, err);
	/* A variable without its value: all but the command must wait. */
	job->open = open;
	if (open && job->command)
		code = SEAM_OK;
	seam_words_free(&words);
	return code;
}

void
seam_job_free(struct seam_job *job)
{
	if (job->inner)
		seam_job_free(job->inner);
	free(job->inner);
	free(job->args.argv);
	free(job->args.env);
	seam_selector_free(&job->args.sel);
	seam_object_name_free(&job->args.obj);
	seam_words_free(&job->words);
	*job = (struct seam_job){ .words.end = 1 };
}

/* Carrying out. */

enum seam_code
seam_job_begin(struct seam_job *job, struct seam_context *ctx,
	       struct seam_reply *reply, struct seam_error *err)
{
	const char *broken;

	if (!job->command)
		return SEAM_OK;
	broken = seam_session_broken(ctx->session);
	if (broken)
		return sess_fail(err, SEAM_E_GONE, 0,
				 "the session has ended: %s", broken);
	return job->command->begin(ctx, job, reply, err);
}

enum seam_code
seam_job_finish(struct seam_job *job, struct seam_context *ctx,
		enum seam_code code, struct seam_reply *reply,
		struct seam_error *err)
{
	if (!job->command || !job->command->finish)
		return code;
	return job->command->finish(ctx, job, code, reply, err);
}

enum seam_code
seam_job_run(struct seam_job *job, struct seam_context *ctx,
	     struct seam_reply *reply, struct seam_error *err)
{
	enum seam_code code = seam_job_begin(job, ctx, reply, err);

	if (code == SEAM_PENDING)
		code = sess_wait(ctx->session, &job->wait, reply->fields, err);
	return seam_job_finish(job, ctx, code, reply, err);
}

void
seam_context_end(struct seam_context *ctx)
{
	struct seam_error err;

	for (size_t i = 0; i < ctx->n_logs; i++) {
		sess_delete(ctx->session, ctx->logs[i], &err);
		free(ctx->logs[i]);
	}
	free(ctx->logs);
	ctx->logs = NULL;
	ctx->n_logs = 0;
	seam_vars_free(&ctx->vars);
}

/* Help. */

static void
help_line(FILE *f, const struct seam_command *c)
{
	fprintf(f, "%s\n", c->usage);
	fprintf(f, "        %s\n", c->meaning);
}

bool
seam_help_commands(FILE *f, const char *name)
{
	const struct seam_command *c;
	size_t group = 0, i = 0, n = name ? strlen(name) : 0;
	bool found = false;

	while ((c = next_command(&group, &i))) {
		if (!c->begin || (name && (strncmp(c->name, name, n) ||
					   (c->name[n] && c->name[n] != ' '))))
			continue;
		help_line(f, c);
		found = true;
	}
	return found;
}

void
seam_help_operations(FILE *f)
{
	for (unsigned v = 1; v < SEAM_VERBS; v++) {
		fprintf(f, "%s\n        %s:", seam_verbs[v].name,
			seam_verbs[v].meaning);
		for (unsigned i = 1; i < SEAM_FNS; i++)
			if (seam_fns[i].verb == v)
				fprintf(f, " %s", seam_fns[i].name);
		fputc('\n', f);
	}
}
