/* SPDX-License-Identifier: MIT */
/* A run as a script of seam's own language. */
#include <stdlib.h>
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
put_point(FILE *f, const struct as_work *w, const struct as_point *p)
{
	char *selector = as_point_selector(w, p);

	if (p->stop == AS_STANDS)
		return;
	fputs("# ", f);
	as_put_point(f, w, p);
	fprintf(f, "\npause %s as=%s\n", selector ? selector : "", p->id);
	free(selector);
}

static void
put_shell(FILE *f, const struct as_work *w, const char *alias,
	  const char *command)
{
	char *text = command ? as_shell_text(w, command) : NULL;

	if (!text)
		return;
	fprintf(f, "start %s -- sh -c ", alias);
	put_word(f, text);
	fprintf(f, "\nexpect exit %s 0 timeout=$patience\n", alias);
	free(text);
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
put_wait(FILE *f, const struct as_work *w, const struct as_point *p)
{
	uint32_t object;
	char *thread;

	if (p->stop != AS_STANDS) {
		fprintf(f, "wait %s timeout=$patience\n", p->id);
		return;
	}
	thread = as_thread_path(w, order_slot(&w->order, p->event));
	object = as_awaited(w, p->event);
	fprintf(f, "wait blocked %s", thread ? thread : "");
	if (*as_object_name(w, object)) {
		fputs(" obj=", f);
		put_word(f, as_object_name(w, object));
	}
	fprintf(f, "%s timeout=$patience\n", as_object_place(w, object));
	free(thread);
}

static void
put_act(FILE *f, const struct as_work *w, const struct as_act *a)
{
	const struct as_point *p = &w->plan.point[a->point];

	fputs("# ", f);
	as_put_act(f, w, a);
	fputc('\n', f);
	switch (a->kind) {
	case AS_WAIT:
		put_wait(f, w, p);
		break;
	case AS_RELEASE:
		fprintf(f, "release %s\n", p->id);
		break;
	case AS_QUIET:
		fputs("wait quiescent timeout=$patience\n", f);
		break;
	case AS_DELETE:
		fprintf(f, "delete %s\n", p->id);
		break;
	}
}

void
as_put_script(FILE *f, const struct as_work *w, const char *name)
{
	as_put_about(f, "# ", w, name, "script");
	fputs("\n# For a thread to come to an event, and for all to end.\n"
	      "set patience 30000\nset limit 5000\n\n",
	      f);
	put_shell(f, w, "setup", w->file->setup);
	put_shell(f, w, "reset", w->file->reset);
	for (size_t i = 0; i < w->plan.npoints; i++)
		put_point(f, w, &w->plan.point[i]);
	put_start(f, w);
	for (size_t i = 0; i < w->plan.nacts; i++)
		put_act(f, w, &w->plan.act[i]);
	fputs("# all goes well; with the fault: ", f);
	as_put_end(f, w);
	fprintf(f, "\nexpect exit main %d timeout=$limit\n", as_status(w));
	put_shell(f, w, "check", w->file->check);
}
