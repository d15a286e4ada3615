/* SPDX-License-Identifier: MIT */
/* Reading, checking and running scripts. */
#include "script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)64 << 20)

/* One line of the file, or several joined by a backslash at the end. */
struct statement {
	char *text;
	unsigned line;	/* its first one's number, from 1 */
	unsigned lines; /* how many */
};

struct seam_script {
	char *name;
	char *source;
	char **line; /* of source, NUL-terminated */
	size_t lines;
	struct statement *v;
	size_t n;
};

int
seam_exit_of(enum seam_code code)
{
	switch ((int)code) {
	case SEAM_OK:
		return SEAM_EXIT_OK;
	case SEAM_E_SYNTAX:
	case SEAM_E_UNKNOWN_OP:
		return SEAM_EXIT_USAGE;
	case SEAM_E_UNSUPPORTED:
		return SEAM_EXIT_CONTROL;
	default:
		return SEAM_EXIT_FAILED;
	}
}

/* Reading. */

void
seam_script_free(struct seam_script *script)
{
	if (!script)
		return;
	for (size_t i = 0; i < script->n; i++)
		free(script->v[i].text);
	free(script->v);
	free(script->line);
	free(script->source);
	free(script->name);
	free(script);
}

static bool
continues(const char *line)
{
	size_t n = strlen(line);

	return n && line[n - 1] == '\\';
}

/* The lines first..first+n-1 without their backslashes. */
static char *
join(char *const line[], size_t n)
{
	size_t size = 1;
	char *text, *to;

	for (size_t i = 0; i < n; i++)
		size += strlen(line[i]);
	text = to = malloc(size);
	if (!text)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(line[i]) - continues(line[i]);

		memcpy(to, line[i], len);
		to += len;
	}
	*to = '\0';
	return text;
}

static bool
split_lines(struct seam_script *s, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += s->source[i] == '\n';
	s->line = calloc(n, sizeof(*s->line));
	s->v = calloc(n, sizeof(*s->v));
	if (!s->line || !s->v)
		return false;
	for (char *p = s->source, *end = p + len; p < end; p++) {
		char *eol = memchr(p, '\n', (size_t)(end - p));

		s->line[s->lines++] = p;
		p = eol ? eol : end;
		*p = '\0';
		if (p > s->line[s->lines - 1] && p[-1] == '\r')
			p[-1] = '\0';
	}
	return true;
}

static bool
join_lines(struct seam_script *s)
{
	size_t n;

	for (size_t i = 0; i < s->lines; i += n) {
		struct statement *v = &s->v[s->n];

		for (n = 1; i + n < s->lines && continues(s->line[i + n - 1]);)
			n++;
		v->text = join(s->line + i, n);
		if (!v->text)
			return false;
		v->line = (unsigned)i + 1;
		v->lines = (unsigned)n;
		s->n++;
	}
	return true;
}

enum seam_code
seam_script_new(const char *name, const char *text, size_t len,
		struct seam_script **out, struct seam_error *err)
{
	struct seam_script *s;
	const char *nul = memchr(text, '\0', len);
	unsigned line = 1;

	if (nul) {
		for (const char *p = text; p < nul; p++)
			line += *p == '\n';
		return sess_fail(err, SEAM_E_SYNTAX, 0,
				 "%s:%u: a NUL byte: this is no script", name,
				 line);
	}
	s = calloc(1, sizeof(*s));
	if (s)
		s->name = strdup(name);
	if (s)
		s->source = malloc(len + 1);
	if (!s || !s->name || !s->source)
		goto no_memory;
	memcpy(s->source, text, len);
	s->source[len] = '\0';
	if (!split_lines(s, len) || !join_lines(s))
		goto no_memory;
	*out = s;
	return SEAM_OK;
no_memory:
	seam_script_free(s);
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
}

/* All of a file; malloc'd, NULL with errno. */
static char *
slurp(FILE *f, size_t *len)
{
	size_t size = 0, n;
	char *text = NULL, *more;

	*len = 0;
	do {
		if (*len == size) {
			size = size ? 2 * size : 4096;
			more = size > FILE_MAX ? NULL : realloc(text, size);
			if (!more) {
				free(text);
				errno = EFBIG;
				return NULL;
			}
			text = more;
		}
		n = fread(text + *len, 1, size - *len, f);
		*len += n;
	} while (n);
	if (!ferror(f))
		return text;
	free(text);
	return NULL;
}

enum seam_code
seam_script_read(const char *path, struct seam_script **out,
		 struct seam_error *err)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	enum seam_code code;
	char *text = NULL;
	size_t len;

	if (f)
		text = slurp(f, &len);
	if (!text)
		code = sess_fail(err, SEAM_E_SYNTAX, 0, "%s: %s", path,
				 strerror(errno));
	else
		code = seam_script_new(is_stdin ? "stdin" : path, text, len,
				       out, err);
	if (f && !is_stdin)
		fclose(f);
	free(text);
	return code;
}

/* Messages. */

/* From a column of the statement to the line of the file it is in. */
static unsigned
locate(const struct seam_script *s, const struct statement *v, int *column)
{
	unsigned i = v->line - 1, last = i + v->lines - 1;

	for (; i < last; i++) {
		int n = (int)strlen(s->line[i]) - continues(s->line[i]);

		if (*column <= n)
			break;
		*column -= n;
	}
	return i;
}

static void
say(FILE *f, const struct seam_script *s, const struct statement *v,
    const struct seam_error *err)
{
	int column = err->column;
	unsigned i = v->line - 1;

	if (column)
		i = locate(s, v, &column);
	fprintf(f, "%s:%u:", s->name, i + 1);
	if (column)
		fprintf(f, "%d:", column);
	fprintf(f, " %s: %s\n", seam_code_name(err->code), err->text);
	if (column)
		seam_put_caret(f, s->line[i], column);
	else
		fprintf(f, "    %s\n", s->line[i]);
}

/* Checking. */

static bool
copy_vars(struct seam_vars *to, const struct seam_vars *from)
{
	for (size_t i = 0; from && i < from->n; i++)
		if (!seam_var_set(to, from->v[i].name, from->v[i].value))
			return false;
	return true;
}

enum seam_code
seam_script_check(const struct seam_script *script,
		  const struct seam_vars *from, FILE *f)
{
	enum seam_code code = SEAM_OK;
	struct seam_vars vars = { 0 };
	struct seam_error err = { 0 };
	struct seam_job job;

	if (!copy_vars(&vars, from))
		code = SEAM_E_UNSUPPORTED;
	for (size_t i = 0; i < script->n && !code; i++) {
		const struct seam_args *a = &job.args;

		code = seam_job_parse(script->v[i].text, &vars, &job, &err);
		if (code)
			say(f, script, &script->v[i], &err);
		else if (a->sets && !seam_var_set(&vars, a->sets,
						  job.open ? NULL : a->value))
			code = SEAM_E_UNSUPPORTED;
		seam_job_free(&job);
	}
	seam_vars_free(&vars);
	return code;
}

static bool
is_start_main(const struct seam_job *job)
{
	return job->command && !strcmp(job->command->name, "start") &&
	       !job->open && !job->args.argv;
}

static enum seam_code
parse_for(const struct statement *v, const struct seam_vars *vars,
	  struct seam_job *job)
{
	struct seam_error err;

	return seam_job_parse(v->text, vars, job, &err);
}

/* Variables do not matter to it. */
bool
seam_script_starts_main(const struct seam_script *script)
{
	bool found = false;

	for (size_t i = 0; i < script->n && !found; i++) {
		struct seam_job job;

		found = !parse_for(&script->v[i], NULL, &job) &&
			is_start_main(&job);
		seam_job_free(&job);
	}
	return found;
}

/* Running. */

/* Of the leading run: what prepares for a program that is to start. */
static bool
is_preparation(const struct seam_job *job)
{
	static const char *const names[] = {
		"pause", "hold", "fail", "set",	  "watch", "log",
		"sleep", "json", "gate", "order", "mark",  "expect crash",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!job->command || !strcmp(job->command->name, names[i]))
			return true;
	return false;
}

struct run {
	struct seam_script *script;
	struct seam_context *ctx;
	FILE *shown;
	bool main_started; /* or is none of ours */
	struct seam_error err;
};

/* Only what somebody asked to see; all of it if verbose. */
static void
show(struct run *r, const struct seam_reply *reply)
{
	char *text;

	if (!r->ctx->verbose && !reply->rows && !reply->text && !reply->shown)
		return;
	if (r->ctx->json || r->ctx->verbose) {
		text = seam_reply_format(reply, SEAM_OK, NULL, r->ctx->json);
		fputs(text ? text : "", r->shown);
		free(text);
	} else {
		seam_reply_show(r->shown, reply);
	}
	fflush(r->shown);
}

static enum seam_code
run_statement(struct run *r, const struct statement *v)
{
	struct seam_reply reply;
	struct seam_job job;
	enum seam_code code;

	if (r->ctx->stop && atomic_load(r->ctx->stop))
		return sess_fail(&r->err, SEAM_E_GONE, 0,
				 "interrupted before this line");
	if (r->ctx->verbose)
		fprintf(r->shown, "%s\n", v->text);
	seam_reply_init(&reply);
	code = seam_job_parse(v->text, &r->ctx->vars, &job, &r->err);
	if (!code && !r->main_started && !is_preparation(&job)) {
		r->main_started = true;
		code = r->ctx->start_main(r->ctx->data, &r->err);
	}
	if (!code)
		code = seam_job_run(&job, r->ctx, &reply, &r->err);
	if (!code && job.command)
		show(r, &reply);
	seam_job_free(&job);
	seam_reply_free(&reply);
	return code;
}

enum seam_code
seam_script_run(struct seam_script *script, struct seam_context *ctx,
		FILE *shown, FILE *f)
{
	struct run r = { .script = script, .ctx = ctx, .shown = shown };
	enum seam_code code = SEAM_OK;
	size_t i;
	char *state;

	r.main_started = !ctx->start_main || seam_script_starts_main(script);
	for (i = 0; i < script->n && !code && !ctx->quit; i++)
		code = run_statement(&r, &script->v[i]);
	if (!code && !r.main_started && ctx->start_main)
		code = ctx->start_main(ctx->data, &r.err);
	if (!code)
		return SEAM_OK;
	r.err.code = code;
	if (i)
		say(f, script, &script->v[i - 1], &r.err);
	else
		fprintf(f, "%s: %s\n", script->name, r.err.text);
	state = sess_describe(ctx->session);
	fputs(state ? state : "", f);
	free(state);
	return code;
}
