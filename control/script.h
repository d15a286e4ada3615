/* SPDX-License-Identifier: MIT */
/*
 * Scripts: commands of a file, one a line, carried out in order until one
 * fails.  All lines are parsed before the first is carried out.
 */
#ifndef SEAM_SCRIPT_H
#define SEAM_SCRIPT_H

#include "command.h"

struct seam_script;

/* Exit codes of the shell's commands. */
enum seam_exit {
	SEAM_EXIT_OK,
	SEAM_EXIT_FAILED, /* a bug, a failed expectation */
	SEAM_EXIT_USAGE,
	SEAM_EXIT_CONTROL, /* could not control */
};
int seam_exit_of(enum seam_code code);

/* Reads a file; "-" is the standard input. */
enum seam_code seam_script_read(const char *path, struct seam_script **out,
				struct seam_error *err);
/* The same of text in memory; name: as messages have it. */
enum seam_code seam_script_new(const char *name, const char *text, size_t len,
			       struct seam_script **out,
			       struct seam_error *err);
void seam_script_free(struct seam_script *script);

/* Parses every line, with the variables there will be; says on f what the
 * first bad one is, as `file:line:column: …`, the line and a caret. */
enum seam_code seam_script_check(const struct seam_script *script,
				 const struct seam_vars *vars, FILE *f);
/* There is a line `start main`. */
bool seam_script_starts_main(const struct seam_script *script);

/*
 * Carries the lines out; what they show goes to `shown`, and on failure the
 * message and the session's state to `f`.  Where ctx->start_main is set and
 * no line says `start main`, it is called after the leading run of lines
 * that arm rules.
 */
enum seam_code seam_script_run(struct seam_script *script,
			       struct seam_context *ctx, FILE *shown, FILE *f);

#endif
