/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a script, and each of its lines as a command: parsed, never
 * carried out.
 * clang -fsanitize=fuzzer,address,undefined -Iinclude -Icontrol \
 *	tests/fuzz/fuzz_command.c control/[a-z]*.c include/ops.c \
 *	-ldw -lelf -ljansson
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

#define DEMAND(what)                                                           \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "line %d: %s\n", __LINE__, #what);     \
			abort();                                               \
		}                                                              \
	} while (0)

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seam_vars vars = { 0 };
	struct seam_script *script;
	struct seam_error err;
	char *text = malloc(size + 1), *line, *rest = text;
	FILE *null = fopen("/dev/null", "w");

	DEMAND(text && null);
	memcpy(text, data, size);
	text[size] = '\0';
	if (!seam_script_new("fuzz", text, size, &script, &err)) {
		seam_script_check(script, NULL, null);
		seam_script_starts_main(script);
		seam_script_free(script);
	}
	seam_var_set(&vars, "known", "value");
	seam_var_set(&vars, "later", NULL);
	while ((line = strsep(&rest, "\n")))
		check_line(line, &vars);
	seam_vars_free(&vars);
	fclose(null);
	free(text);
	return 0;
}
