/* SPDX-License-Identifier: MIT */
/* What is said of a run in scripts and tests made of it. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "explore/as.h"
#include "explore/critical.h"
#include "rules_int.h"

char *
as_thread_path(const struct as_work *w, uint32_t slot)
{
	const char *path = w->trace.thread[slot].path;
	unsigned first =
	    1u + (w->file->setup != NULL) + (w->file->reset != NULL);
	char *text;

	/* Each that is started is numbered. */
	if (!strncmp(path, "P1.", 3))
		return asprintf(&text, "P%u.%s", first, path + 3) < 0 ? NULL :
									text;
	return strdup(path);
}

/* Nothing of it ends a comment, nor the line. */
static void
put_plain(FILE *f, const char *text)
{
	for (; *text; text++)
		if (text[0] == '*' && text[1] == '/')
			fputc(' ', f);
		else
			fputc((unsigned char)*text < 0x20 ? ' ' : *text, f);
}

static void
put_lines(FILE *f, const char *lead, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		char *line = strndup(text, n);

		fputs(lead, f);
		put_plain(f, line ? line : "");
		fputc('\n', f);
		free(line);
		text += n + (text[n] == '\n');
	}
}

/* The lines that a person reads first; the table is for replays. */
static void
put_explained(FILE *f, const char *lead, const struct as_work *w)
{
	if (w->explained)
		put_lines(f, lead, w->explained);
	else
		put_lines(f, lead, explore_fault_names[w->fault]);
}

static void
put_critical(FILE *f, const char *lead, const struct as_work *w)
{
	const struct critical pair =
	    critical_told(&w->trace, w->file->critical);
	char *text[2];

	if (!pair.found)
		return;
	text[0] = as_event_text(w, pair.first);
	text[1] = as_event_text(w, pair.second);
	fprintf(f, "%sIt decides that this comes first:\n%s  ", lead, lead);
	put_plain(f, text[0] ? text[0] : "");
	fprintf(f, "\n%sand this second:\n%s  ", lead, lead);
	put_plain(f, text[1] ? text[1] : "");
	fputc('\n', f);
	if (w->file->because)
		put_lines(f, lead, w->file->because);
	free(text[0]);
	free(text[1]);
}

static bool
has_expired(const struct as_work *w)
{
	for (uint32_t i = 0; i < w->trace.nsteps; i++)
		if (w->trace.step[i].op.how == SEAM_HOW_TIMEOUT &&
		    w->trace.step[i].op.verb != SEAM_TIME_SLEEP)
			return true;
	return false;
}

/* What is not quite as it was. */
static void
put_doubts(FILE *f, const char *lead, const char *blank,
	   const struct as_work *w)
{
	if (w->strayed)
		fprintf(f,
			"%s\n%sNOT CERTAIN: in %u of %u schedules that keep "
			"to these pauses it did not\n%sfail so.\n",
			blank, lead, w->strayed, AS_TRIES, lead);
	if (has_expired(w))
		fprintf(f,
			"%s\n%sSome wait of the program has to run out of time "
			"here, which takes as long\n%sas it says.\n",
			blank, lead, lead);
	if (w->fault == EXPLORE_MISUSE)
		fprintf(f,
			"%s\n%sNobody looks for misuse here: what it leads to "
			"is up to the C library.\n",
			blank, lead);
}

void
as_put_about(FILE *f, const char *lead, const struct as_work *w,
	     const char *name, const char *option)
{
	char blank[8];

	snprintf(blank, sizeof(blank), "%.*s", (int)strlen(lead) - 1, lead);
	fprintf(f, "%sMade from ", lead);
	put_plain(f, name);
	fprintf(f, " by seam replay --as %s.\n%s\n", option, blank);
	put_explained(f, lead, w);
	put_critical(f, lead, w);
	put_doubts(f, lead, blank, w);
	fprintf(f,
		"%s\n%sThe expectation at the end fails while the fault is "
		"there, and holds when it is\n%smended.  If a wait fails "
		"instead, the program does not come to that event any\n"
		"%smore.\n",
		blank, lead, lead, lead);
}

void
as_put_point(FILE *f, const struct as_work *w, const struct as_point *p)
{
	char *thread = as_thread_path(w, order_slot(&w->order, p->event));
	char *text = as_event_text(w, p->event);

	fprintf(f, "%s parks %s ", thread ? thread : "?",
		as_parks_after(p) ? "after" : "before");
	put_plain(f, text ? text : "?");
	free(thread);
	free(text);
}

static const char *
is_over(const struct as_point *p)
{
	return as_parks_after(p) ? "is past" : "is at";
}

void
as_put_act(FILE *f, const struct as_work *w, const struct as_act *a)
{
	const struct as_point *p = &w->plan.point[a->point];
	char *thread, *text;

	if (a->kind == AS_QUIET) {
		fputs("whatever can still happen has happened", f);
		return;
	}
	thread = as_thread_path(w, order_slot(&w->order, p->event));
	text = as_event_text(w, p->event);
	fprintf(f, "%s ", thread ? thread : "?");
	if (a->kind == AS_WAIT && p->stop == AS_STANDS)
		fputs("waits in ", f);
	else if (a->kind == AS_WAIT)
		fprintf(f, "%s ", is_over(p));
	else
		fputs(as_parks_after(p) ? "goes on after " : "goes on: ", f);
	put_plain(f, text ? text : "?");
	free(thread);
	free(text);
}

void
as_put_end(FILE *f, const struct as_work *w)
{
	int status = w->trace.status;

	switch (w->fault) {
	case EXPLORE_CRASH:
		if (WIFSIGNALED(status))
			fprintf(f, "SIG%s",
				seam_signal_name(WTERMSIG(status)).s);
		else
			fputs("it crashes", f);
		break;
	case EXPLORE_STATUS:
		fprintf(f, "status %d", oracle_shell_status(status));
		break;
	case EXPLORE_CHECK:
		fputs("the check fails, below", f);
		break;
	case EXPLORE_MISUSE:
		fputs("misuse, whatever comes of it", f);
		break;
	default:
		fputs("it never ends", f);
		break;
	}
}

/* Such commands find the directory in which all this is run where `seam
 * explore` has its scratch directory. */
char *
as_shell_text(const struct as_work *w, const char *command)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fputs("SEAM_SCRATCH=$PWD; export SEAM_SCRATCH; cd '", f);
	for (const char *c = w->file->dir; *c; c++)
		if (*c == '\'')
			fputs("'\\''", f);
		else
			fputc(*c, f);
	fprintf(f, "' || exit; %s", command);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

uint32_t
as_awaited(const struct as_work *w, uint32_t event)
{
	const struct seam_op *op = order_op(&w->order, event);

	return op->verb == SEAM_COND_REACQUIRE ? op->second : op->object;
}
