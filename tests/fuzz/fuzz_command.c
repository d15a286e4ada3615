/* SPDX-License-Identifier: MIT */
/* Any bytes as lines of commands: parsed, never carried out. */
#include "command.h"
#include "fuzz.h"

/* Of syntax, or of a command that this version lacks; in the line. */
static void
check_error(const struct seam_error *err, enum seam_code code, size_t length)
{
	DEMAND(code == SEAM_E_SYNTAX || code == SEAM_E_UNKNOWN_OP ||
	       code == SEAM_E_UNSUPPORTED);
	DEMAND(err->code == code);
	DEMAND(err->column >= 1 && (size_t)err->column <= length + 1);
	DEMAND(err->text[0] && memchr(err->text, '\0', sizeof(err->text)));
}

static void
check_reply(enum seam_code code, const struct seam_error *err, bool json)
{
	struct seam_reply reply;
	char *text;

	seam_reply_init(&reply);
	text = seam_reply_format(&reply, code, err, json);
	/* One line, whatever was quoted back. */
	DEMAND(text && strchr(text, '\n') == text + strlen(text) - 1);
	free(text);
	seam_reply_free(&reply);
}

static void
check_line(const char *line, struct seam_vars *vars)
{
	struct seam_error err = { 0 };
	enum seam_code code;
	struct seam_job job;

	code = seam_job_parse(line, vars, &job, &err);
	if (code) {
		check_error(&err, code, strlen(line));
		check_reply(code, &err, false);
		check_reply(code, &err, true);
	} else if (job.args.sets) {
		DEMAND(seam_var_set(vars, job.args.sets, job.args.value));
	}
	DEMAND(!code || !job.open || !job.command);
	seam_job_free(&job);
	seam_job_free(&job);
}

int
FUZZ_TARGET(command)(const uint8_t *data, size_t size)
{
	struct seam_vars vars = { 0 };
	char *text = fuzz_text(data, size), *line, *rest = text;

	DEMAND(seam_var_set(&vars, "known", "value"));
	DEMAND(seam_var_set(&vars, "later", NULL));
	while ((line = strsep(&rest, "\n")))
		check_line(line, &vars);
	seam_vars_free(&vars);
	free(text);
	return 0;
}
