/* SPDX-License-Identifier: MIT */
/* What the subcommands share. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

const struct cli_command *
cli_find(const char *name)
{
	for (size_t i = 0; cli_commands[i]; i++)
		if (!strcmp(cli_commands[i]->name, name))
			return cli_commands[i];
	return NULL;
}

void
cli_warn(const char *fmt, ...)
{
	va_list ap;

	fputs("seam: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int
cli_usage(const struct cli_command *c, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "seam %s: ", c->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nusage: %s\n", c->usage);
	return SEAM_EXIT_USAGE;
}

int
cli_bad_option(const struct cli_command *c, int opt, char **argv)
{
	const char *word = argv[optind - 1];

	if (opt == ':')
		return cli_usage(c, "option %s needs a value", word);
	/* Of a bundle only the letter is known. */
	if (optopt > ' ' && optopt < 0x7f && strncmp(word, "--", 2))
		return cli_usage(c, "unknown option -%c", optopt);
	return cli_usage(c, "unknown option %s", seam_show(word).s);
}

bool
cli_ms(const char *text, uint64_t *ms)
{
	struct seam_error err;

	if (!seam_number_parse(text, 0, 1, SEAM_MS_MAX, ms, &err))
		return true;
	cli_warn("a number of milliseconds is expected: %s", err.text);
	return false;
}

bool
cli_on_death(const struct cli_command *c, const char *text, bool *kill)
{
	*kill = !strcmp(text, "kill");
	if (*kill || !strcmp(text, "release"))
		return true;
	cli_usage(c, "--on-death is release or kill, not '%s'",
		  seam_show(text).s);
	return false;
}

struct seam_session *
cli_open(const struct seam_options *options)
{
	struct seam_session *s;
	struct seam_error err;

	if (!seam_session_open(options, &s, &err))
		return s;
	cli_warn("%s", err.text);
	return NULL;
}

enum seam_code
cli_wait_exit(struct seam_session *s, const char *alias, int *status,
	      struct seam_error *err)
{
	json_t *reply = json_object();
	enum seam_code code;
	const char *name;

	do {
		struct sess_wait w = { .kind = SEAM_WAIT_EXIT,
				       .what = alias,
				       .timeout_ms = SEAM_MS_MAX };

		code = sess_wait(s, &w, reply, err);
	} while (code == SEAM_E_TIMEOUT);
	name = json_string_value(json_object_get(reply, "signal"));
	if (name)
		*status = 128 + seam_signal_number(name);
	else
		*status =
		    (int)json_integer_value(json_object_get(reply, "status"));
	json_decref(reply);
	return code;
}
