/* SPDX-License-Identifier: MIT */
/*
 * A run as a table: time goes down, each thread has a column, and a step
 * stands in that of its thread.  `*` marks a preemption: the thread above
 * could have gone on.
 */
#include "explore/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH 100
#define ROWS 40
#define COLUMN_MIN 26
#define CELL 512

struct table {
	FILE *f;
	const struct explore_trace *t;
	const struct explore_labels *l;
	const struct table_style *style;
	uint32_t *row;	      /* steps that are shown */
	uint32_t nrows;	      /* of them */
	uint16_t *column;     /* slot by column */
	unsigned ncolumns;    /* 0: a line a step */
	unsigned width;	      /* of a column */
	unsigned number;      /* width of the steps' numbers */
	unsigned thread_wide; /* a line a step: width of thread names */
};

struct table_style
table_style_of(FILE *f)
{
	struct table_style s = { .width = WIDTH, .rows = ROWS };
	const char *columns = getenv("COLUMNS"), *no = getenv("NO_COLOR");
	struct winsize size;

	if (isatty(fileno(f))) {
		s.rich = !no || !*no;
		if (!ioctl(fileno(f), TIOCGWINSZ, &size) && size.ws_col)
			s.width = size.ws_col;
	}
	if (columns && strtoul(columns, NULL, 10) >= 20)
		s.width = (unsigned)strtoul(columns, NULL, 10);
	return s;
}

bool
explore_is_preemption(const struct explore_trace *t, uint32_t step)
{
	const struct seam_step *now = &t->step[step];
	uint16_t before;

	if (!step)
		return false;
	before = t->step[step - 1].slot;
	return now->slot != before && before < SEAM_MASKED &&
	       ((now->enabled >> before) & 1);
}

/* Choosing what is shown. */

static bool
is_shown(const struct explore_trace *t, uint32_t step)
{
	const struct seam_op *op = &t->step[step].op;

	return !(op->flags & SEAM_OP_LOCAL) || op->verb == SEAM_THREAD_START ||
	       explore_is_preemption(t, step);
}

static bool
choose_rows(struct table *x)
{
	const struct explore_trace *t = x->t;

	x->row = calloc(t->nsteps + 1, sizeof(*x->row));
	for (uint32_t i = 0; x->row && i < t->nsteps; i++)
		if (is_shown(t, i))
			x->row[x->nrows++] = i;
	return x->row;
}

/* Of those that do something in what is shown. */
static bool
choose_columns(struct table *x)
{
	bool *seen = calloc(x->t->nthreads + 1, sizeof(*seen));
	unsigned left = x->style->width - x->number - 4;

	x->column = calloc(x->t->nthreads + 1, sizeof(*x->column));
	if (!seen || !x->column) {
		free(seen);
		return false;
	}
	for (uint32_t i = 0; i < x->nrows; i++)
		seen[x->t->step[x->row[i]].slot] = true;
	for (uint32_t i = 0; i < x->t->nthreads; i++) {
		size_t n = strlen(explore_thread_label(x->l, i));

		if (!seen[i])
			continue;
		x->column[x->ncolumns++] = (uint16_t)i;
		if (n > x->thread_wide)
			x->thread_wide = (unsigned)n;
	}
	free(seen);
	x->width = x->ncolumns ? left / x->ncolumns : 0;
	if (x->width < COLUMN_MIN)
		x->ncolumns = 0;
	return true;
}

/* Drawing. */

static const char *
bold(const struct table *x, bool on)
{
	if (!x->style->rich)
		return "";
	return on ? "\033[1m" : "\033[0m";
}

/* Cut to the width with dots, filled up with blanks. */
static void
put_cell(const struct table *x, const char *text, unsigned width, bool strong)
{
	unsigned n = (unsigned)strlen(text);

	fputs(strong ? bold(x, true) : "", x->f);
	if (n <= width)
		fprintf(x->f, "%-*s", (int)width, text);
	else
		fprintf(x->f, "%.*s..", (int)width - 2, text);
	fputs(strong ? bold(x, false) : "", x->f);
}

static char *
cell_text(const struct table *x, uint32_t step, char *buf)
{
	const struct seam_step *s = &x->t->step[step];
	const char *result, *site = explore_site_label(x->l, step);
	char call[CELL / 2], number[16];

	result = explore_result_label(s, number, sizeof(number));
	explore_op_label(x->l, &s->op, call, sizeof(call));
	snprintf(buf, CELL, "%s%s%s%s%s", call, *result ? " = " : "", result,
		 *site ? "  " : "",
		 x->ncolumns ? explore_site_line(site) : site);
	return buf;
}

static void
end_line(const struct table *x, char *line)
{
	size_t n = strlen(line);

	while (n && line[n - 1] == ' ')
		n--;
	line[n] = '\0';
	fprintf(x->f, "%s\n", line);
}

static const char *
between(const struct table *x)
{
	return x->style->rich ? " \342\224\202 " : " | ";
}

/* The cells of all columns; only `mine` has a text. */
static void
put_columns(const struct table *x, uint16_t mine, const char *text, bool strong)
{
	for (unsigned i = 0; i < x->ncolumns; i++) {
		bool here = x->column[i] == mine;

		fputs(i ? between(x) : "", x->f);
		put_cell(x, here ? text : "", x->width - 3, here && strong);
	}
}

static void
put_header(const struct table *x)
{
	fprintf(x->f, "%*s   ", (int)x->number, "");
	for (unsigned i = 0; i < x->ncolumns; i++) {
		fputs(i ? between(x) : "", x->f);
		put_cell(x, explore_thread_label(x->l, x->column[i]),
			 x->width - 3, true);
	}
	fputc('\n', x->f);
}

static void
put_row(const struct table *x, uint32_t step)
{
	const uint16_t slot = x->t->step[step].slot;
	bool preempts = explore_is_preemption(x->t, step);
	char text[CELL];

	cell_text(x, step, text);
	fprintf(x->f, "%*u %s ", (int)x->number, step + 1,
		preempts ? "*" : " ");
	if (x->ncolumns) {
		put_columns(x, slot, text, preempts);
	} else {
		put_cell(x, explore_thread_label(x->l, slot), x->thread_wide,
			 preempts);
		fprintf(x->f, "  %s", text);
	}
	fputc('\n', x->f);
}

static void
put_fold(const struct table *x, uint32_t rows)
{
	fprintf(x->f, "%*s   ... %u more ...\n", (int)x->number, "", rows);
}

/* What lies before the end matters most. */
static void
put_rows(const struct table *x)
{
	uint32_t max = x->style->rows ? x->style->rows : ROWS;
	uint32_t head = x->nrows, tail = x->nrows;

	if (x->nrows > max) {
		head = max / 4;
		tail = x->nrows - (max - head);
	}
	for (uint32_t i = 0; i < head; i++)
		put_row(x, x->row[i]);
	if (tail > head)
		put_fold(x, tail - head);
	for (uint32_t i = tail; i < x->nrows; i++)
		put_row(x, x->row[i]);
}

/* Without the blanks that columns leave at the ends of lines. */
static void
put_trimmed(struct table *x, FILE *out)
{
	char *text = NULL, *line, *rest;
	size_t len;

	x->f = open_memstream(&text, &len);
	if (!x->f)
		return;
	if (x->ncolumns)
		put_header(x);
	put_rows(x);
	if (fclose(x->f)) {
		free(text);
		return;
	}
	x->f = out;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (rest)
			end_line(x, line);
	free(text);
}

void
explore_table(FILE *f, const struct explore_trace *t,
	      const struct explore_labels *l, const struct table_style *style)
{
	struct table_style s = *style;
	struct table x = { .t = t, .l = l, .style = &s };
	char number[16];

	if (!s.width)
		s.width = WIDTH;
	x.number = (unsigned)snprintf(number, sizeof(number), "%u", t->nsteps);
	if (s.width < x.number + 8)
		s.width = x.number + 8;
	if (choose_rows(&x) && choose_columns(&x))
		put_trimmed(&x, f);
	free(x.row);
	free(x.column);
}
