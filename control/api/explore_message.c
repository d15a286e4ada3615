/* SPDX-License-Identifier: MIT */
/* The message of an exploration that failed: no longer than is wanted. */
#include <stdlib.h>
#include <string.h>

#include "explore/tell.h"
#include "explore_int.h"

#define MESSAGE_MAX 4000
#define OUTPUT_MAX 600 /* bytes of the program's that are shown */

static char *
draw_table(const struct explored_run *run, unsigned rows)
{
	const struct table_style style = { .rows = rows, .pair = run->pair };
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	explore_table(f, run->trace, run->labels, &style);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}

static char *
draw_message(const struct explored_run *run, const char *table)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "%s\n%s", run->text, table);
	explore_put_output(f, run->output, run->output_len, OUTPUT_MAX);
	if (run->because)
		fprintf(f, "\nthe order that decides (>):\n  %s\n",
			run->because);
	fprintf(f, "\n%s", run->note);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}

/* What comes before the note gives way to it. */
static void
cut(char *message, size_t max, const char *note)
{
	static const char dots[] = "...\n";
	size_t n = strlen(note) + 1, keep;

	if (max < n + sizeof(dots)) {
		message[max] = '\0';
		return;
	}
	keep = max - n - sizeof(dots);
	while (keep && message[keep - 1] != '\n')
		keep--;
	memcpy(message + keep, dots, sizeof(dots) - 1);
	memcpy(message + keep + sizeof(dots) - 1, note, n);
}

/* The table is folded until all fits. */
static char *
fit(const struct explored_run *run, size_t max)
{
	static const unsigned rows[] = { 40, 28, 20, 14, 10, 6 };
	char *message = NULL, *table;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		free(message);
		table = draw_table(run, rows[i]);
		message = table ? draw_message(run, table) : NULL;
		free(table);
		if (!message || strlen(message) < max)
			return message;
	}
	cut(message, max, run->note);
	return message;
}

bool
explore_fill_in(struct exploring *x, const struct explored_run *run)
{
	struct seam_explored *r = x->result;
	size_t max = x->options->message_max;

	free(r->fault);
	free(r->table);
	free(r->output);
	free(r->message);
	r->fault = strdup(run->fault);
	r->table = draw_table(run, 0);
	r->output = strndup(run->output, run->output_len);
	r->message = fit(run, max ? max : MESSAGE_MAX);
	return r->fault && r->table && r->output && r->message;
}
