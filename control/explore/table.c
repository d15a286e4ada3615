/* SPDX-License-Identifier: MIT */
/*
 * A run as a table: time goes down, each thread has a column, and a step
 * stands in that of its thread.  `*` marks a preemption: the thread above
 * could have gone on, `>` the two events whose order decides.
 */
#include "explore/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rules_int.h"

#define WIDTH 100
#define ROWS 40
#define WAITING_MAX 8 /* threads that are all shown */
#define AROUND 3      /* rows beside what is marked */
#define COLUMN_MIN 12
#define CELL 512

struct column {
	uint16_t slot;
	unsigned width;
};

struct row {
	uint32_t step;
	uint32_t folded; /* rows before it that are not shown */
	bool preempts;
};

struct table {
	FILE *f;
	const struct explore_trace *t;
	const struct explore_labels *l;
	const struct table_style *style;
	struct row *row;       /* the steps that are shown */
	uint32_t nrows, rest;  /* rest: rows after these that are not */
	struct column *column; /* of threads that do something */
	unsigned ncolumns;
	bool columns;	 /* they fit; else a line a step */
	unsigned number; /* width of the steps' numbers */
	unsigned site;	 /* of the places */
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

static bool
could_go_on(const struct seam_step *s, uint16_t slot)
{
	return slot < SEAM_MASKED && ((s->enabled >> slot) & 1);
}

bool
explore_is_preemption(const struct explore_trace *t, uint32_t step)
{
	const struct seam_step *now = &t->step[step];

	return step && now->slot != now[-1].slot &&
	       could_go_on(now, now[-1].slot) &&
	       !(now[-1].op.flags & SEAM_OP_YIELD);
}

uint32_t
explore_preemptions(const struct explore_trace *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->nsteps; i++)
		n += explore_is_preemption(t, i);
	return n;
}

/* Choosing what is shown. */

/* Not that a thread goes on after what let others go. */
static bool
is_shown(const struct explore_trace *t, uint32_t step)
{
	const struct seam_op *op = &t->step[step].op;

	return !(op->flags & SEAM_OP_LOCAL) || op->verb == SEAM_THREAD_START;
}

/* As between the rows that are shown. */
static bool
preempts(const struct explore_trace *t, const struct row *row)
{
	const struct seam_step *now = &t->step[row->step];
	const struct seam_step *before = &t->step[row[-1].step];

	return now->slot != before->slot && could_go_on(now, before->slot) &&
	       !(before->op.flags & SEAM_OP_YIELD);
}

static bool
choose_rows(struct table *x)
{
	const struct explore_trace *t = x->t;

	x->row = calloc(t->nsteps + 1, sizeof(*x->row));
	for (uint32_t i = 0; x->row && i < t->nsteps; i++) {
		struct row *row = &x->row[x->nrows];

		if (!is_shown(t, i))
			continue;
		row->step = i;
		row->preempts = x->nrows && preempts(t, row);
		x->nrows++;
	}
	return x->row;
}

static bool
is_of_pair(const struct table *x, uint32_t event)
{
	const struct critical *pair = x->style->pair;

	return pair && pair->found &&
	       (event == pair->first || event == pair->second);
}

/* Reducing: rows that a person needs. */

static bool
is_marked(const struct table *x, uint32_t row)
{
	return x->row[row].preempts ||
	       (row + 1 < x->nrows && x->row[row + 1].preempts) ||
	       is_of_pair(x, x->row[row].step);
}

static bool
is_near_marked(const struct table *x, uint32_t row)
{
	uint32_t i = row > AROUND ? row - AROUND : 0;

	for (; i <= row + AROUND && i < x->nrows; i++)
		if (is_marked(x, i))
			return true;
	return false;
}

/* What is marked, and what the pair's threads do: all of it or, if there is no
 * room, what is near. */
static bool
is_needed(const struct table *x, uint32_t row, bool all)
{
	const uint16_t slot = x->t->step[x->row[row].step].slot;
	const struct critical *pair = x->style->pair;

	if (slot != critical_slot(x->t, pair->first) &&
	    slot != critical_slot(x->t, pair->second))
		return is_marked(x, row);
	return all || is_near_marked(x, row);
}

static void
reduce(struct table *x)
{
	const uint32_t max = x->style->rows ? x->style->rows : ROWS;
	uint32_t n = 0, needed = 0;
	struct row *kept;

	if (!x->style->pair || !x->style->pair->found)
		return;
	kept = calloc(x->nrows + 1, sizeof(*kept));
	if (!kept)
		return;
	for (uint32_t i = 0; i < x->nrows; i++)
		needed += is_needed(x, i, true);
	for (uint32_t i = 0; i < x->nrows; i++) {
		if (!is_needed(x, i, needed <= max)) {
			x->rest++;
			continue;
		}
		kept[n] = x->row[i];
		kept[n++].folded = x->rest;
		x->rest = 0;
	}
	free(x->row);
	x->row = kept;
	x->nrows = n;
}

static char *
cell_text(const struct table *x, uint32_t step, char *buf)
{
	const struct seam_step *s = &x->t->step[step];
	const char *result;
	char call[CELL / 2], number[16];

	if (s->op.peer == s->slot + 1)
		snprintf(call, sizeof(call), "%s", seam_verb_name(s->op.verb));
	else
		explore_op_label(x->l, &s->op, call, sizeof(call));
	result = explore_result_label(s, number, sizeof(number));
	snprintf(buf, CELL, "%s%s%s", call, *result ? " = " : "", result);
	return buf;
}

static void
at_least(unsigned *width, const char *text)
{
	size_t n = strlen(text);

	if (n > *width)
		*width = (unsigned)n;
}

/* Where a thread stands when nothing can go on; NULL: it does not. */
static char *
pending_text(const struct table *x, uint32_t slot, char *buf)
{
	const struct explore_thread *th = &x->t->thread[slot];
	char call[CELL / 2];

	if (x->t->verdict != SEAM_VERDICT_DEADLOCK ||
	    th->state != SEAM_SLOT_PENDING)
		return NULL;
	explore_op_label(x->l, &th->pending, call, sizeof(call));
	snprintf(buf, CELL, "waits: %s", call);
	return buf;
}

/* In a reduced table of many that wait, only those of the pair. */
static bool
is_wanted(const struct table *x, uint32_t slot)
{
	const struct critical *pair = x->style->pair;

	if (!pair || !pair->found || x->t->nthreads <= WAITING_MAX)
		return true;
	return slot == critical_slot(x->t, pair->first) ||
	       slot == critical_slot(x->t, pair->second);
}

/* Each as wide as what stands in it. */
static void
measure(struct table *x, unsigned *wide)
{
	char text[CELL];

	for (uint32_t i = 0; i < x->nrows; i++) {
		uint32_t step = x->row[i].step;

		at_least(&wide[x->t->step[step].slot],
			 cell_text(x, step, text));
		at_least(&x->site,
			 explore_site_line(explore_site_label(x->l, step)));
	}
	for (uint32_t i = 0; i < x->t->nthreads; i++) {
		if (is_wanted(x, i) && pending_text(x, i, text)) {
			at_least(&wide[i], text);
			at_least(&x->site, explore_site_line(x->l->at[i]));
		}
		if (!wide[i])
			continue;
		at_least(&wide[i], explore_thread_label(x->l, i));
		x->column[x->ncolumns++] =
		    (struct column){ (uint16_t)i, wide[i] };
	}
}

static struct column *
widest(struct table *x)
{
	struct column *c = &x->column[0];

	for (unsigned i = 1; i < x->ncolumns; i++)
		if (x->column[i].width > c->width)
			c = &x->column[i];
	return c;
}

/* The widest give way, as far as they can. */
static void
fit(struct table *x)
{
	unsigned need = x->number + 4 + x->site, room = x->style->width;

	if (!x->ncolumns)
		return;
	for (unsigned i = 0; i < x->ncolumns; i++)
		need += x->column[i].width + 3;
	for (; need > room; need--) {
		struct column *c = widest(x);

		if (c->width <= COLUMN_MIN)
			return;
		c->width--;
	}
	x->columns = true;
}

static bool
choose_columns(struct table *x)
{
	unsigned *wide = calloc(x->t->nthreads + 1, sizeof(*wide));

	x->column = calloc(x->t->nthreads + 1, sizeof(*x->column));
	if (wide && x->column) {
		measure(x, wide);
		fit(x);
	}
	free(wide);
	return wide && x->column;
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
		bool here = x->column[i].slot == mine;

		put_cell(x, here ? text : "", x->column[i].width,
			 here && strong);
		fputs(between(x), x->f);
	}
}

static void
put_header(const struct table *x)
{
	fprintf(x->f, "%*s    ", (int)x->number, "");
	for (unsigned i = 0; i < x->ncolumns; i++) {
		put_cell(x, explore_thread_label(x->l, x->column[i].slot),
			 x->column[i].width, true);
		fputs(between(x), x->f);
	}
	fputc('\n', x->f);
}

static unsigned
thread_width(const struct table *x)
{
	unsigned width = 0;

	for (unsigned i = 0; i < x->ncolumns; i++)
		at_least(&width, explore_thread_label(x->l, x->column[i].slot));
	return width;
}

/* What a thread does, and where. */
static void
put_cells(const struct table *x, uint16_t slot, const char *text,
	  const char *site, bool strong)
{
	if (x->columns) {
		put_columns(x, slot, text, strong);
		fprintf(x->f, "%s\n", explore_site_line(site));
		return;
	}
	put_cell(x, explore_thread_label(x->l, slot), thread_width(x), strong);
	fprintf(x->f, "  %s%s%s\n", text, *site ? "  " : "", site);
}

static void
put_row(const struct table *x, uint32_t row)
{
	const uint32_t step = x->row[row].step;
	const uint16_t slot = x->t->step[step].slot;
	const char *site = explore_site_label(x->l, step);
	const bool strong = x->row[row].preempts;
	const bool of_pair = is_of_pair(x, step);
	char text[CELL];

	cell_text(x, step, text);
	fprintf(x->f, "%*u %s%s ", (int)x->number, step + 1, strong ? "*" : " ",
		of_pair ? ">" : " ");
	put_cells(x, slot, text, site, strong || of_pair);
}

static void
put_pending(const struct table *x)
{
	uint32_t others = 0;
	char text[CELL];

	for (uint32_t i = 0; i < x->t->nthreads; i++) {
		if (!pending_text(x, i, text))
			continue;
		if (!is_wanted(x, i)) {
			others++;
			continue;
		}
		fprintf(x->f, "%*s  %s ", (int)x->number, "",
			is_of_pair(x, x->t->nsteps + i) ? ">" : " ");
		put_cells(x, (uint16_t)i, text, x->l->at[i], true);
	}
	if (others)
		fprintf(x->f, "%*s    ... %u more wait ...\n", (int)x->number,
			"", others);
}

static void
put_fold(const struct table *x, uint32_t rows)
{
	if (!rows)
		return;
	fprintf(x->f, "%*s    ... %u more ...\n", (int)x->number, "", rows);
}

/* What lies before the end matters most. */
static void
put_rows(const struct table *x)
{
	uint32_t max = x->style->rows ? x->style->rows : ROWS;
	uint32_t head = x->nrows, tail = x->nrows, away = 0;

	if (x->nrows > max) {
		head = max / 4;
		tail = x->nrows - (max - head);
	}
	for (uint32_t i = 0; i < x->nrows; i++) {
		if (i >= head && i < tail) {
			away += 1 + x->row[i].folded;
			continue;
		}
		put_fold(x, x->row[i].folded + away);
		away = 0;
		put_row(x, i);
	}
	put_fold(x, x->rest);
	put_pending(x);
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
	if (x->columns)
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
	if (s.width < x.number + 9)
		s.width = x.number + 9;
	if (choose_rows(&x)) {
		reduce(&x);
		if (choose_columns(&x))
			put_trimmed(&x, f);
	}
	free(x.row);
	free(x.column);
}
