/* SPDX-License-Identifier: MIT */
/* A run as a script of seam's own language. */
#include <string.h>

#include "explore/as.h"

static void
put_word(FILE *f, const char *text)
{
	bool plain = *text && *text != '#';

	for (const char *c = text; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9') && !strchr("_.:+@%,-/", *c))
			plain = false;
	/* A slash at its beginning makes it a regular expression. */
	if (plain && *text != '/') {
		fputs(text, f);
		return;
	}
	fputc('"', f);
	for (; *text; text++)
		if (*text == '\n' || *text == '\t')
			fputs(*text == '\n' ? "\\n" : "\\t", f);
		else
			fprintf(f, "%s%c",
				*text == '"' || *text == '\\' ? "\\" :
				*text == '$'		      ? "$" :
								"",
				*text);
	fputc('"', f);
}

static void
put_shell(FILE *f, const char *alias, const char *text)
{
	fprintf(f, "start %s -- sh -c ", alias);
	put_word(f, text);
	fprintf(f, "\nexpect exit %s 0 timeout=$patience\n", alias);
}

static void
put_pause(FILE *f, const char *selector, const char *id)
{
	fprintf(f, "pause %s as=%s\n", selector, id);
}

static void
put_start(FILE *f, const struct as_work *w)
{
	const struct replay_file *file = w->file;

	fputs("\nstart main", f);
	for (char **env = file->env; env && *env; env++) {
		size_t n = strcspn(*env, "=");

		fprintf(f, " env %.*s=", (int)n, *env);
		put_word(f, *env + n + ((*env)[n] == '='));
	}
	if (!file->in_scratch) {
		fputs(" dir=", f);
		put_word(f, file->dir);
	}
	fputs(" --", f);
	for (char *const *word = w->again->config.argv; *word; word++) {
		fputc(' ', f);
		put_word(f, *word);
	}
	fputs("\n\n", f);
}

static void
put_wait(FILE *f, const char *id)
{
	fprintf(f, "wait %s timeout=$patience\n", id);
}

static void
put_wait_blocked(FILE *f, const char *thread, const char *object,
		 const char *place)
{
	fprintf(f, "wait blocked %s", thread);
	if (*object) {
		fputs(" obj=", f);
		put_word(f, object);
	}
	fprintf(f, "%s timeout=$patience\n", place);
}

static void
put_act(FILE *f, enum as_kind kind, const char *id)
{
	if (kind == AS_RELEASE)
		fprintf(f, "release %s\n", id);
	else if (kind == AS_DELETE)
		fprintf(f, "delete %s\n", id);
	else
		fputs("wait quiescent timeout=$patience\n", f);
}

static void
put_expect_exit(FILE *f, int status)
{
	fprintf(f, "expect exit main %d timeout=$limit\n", status);
}

void
as_put_script(FILE *f, const struct as_work *w, const char *name)
{
	static const struct as_language language = {
		.comment = "# ",
		.comment_end = "\n",
		.shell = put_shell,
		.pause = put_pause,
		.start = put_start,
		.wait = put_wait,
		.wait_blocked = put_wait_blocked,
		.act = put_act,
		.expect_exit = put_expect_exit,
	};

	as_put_about(f, "# ", w, name, "script");
	fputs("\n# For a thread to come to an event, and for all to end.\n"
	      "set patience 30000\nset limit 5000\n\n",
	      f);
	as_put_steps(f, w, &language);
}
