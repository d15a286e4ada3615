/* SPDX-License-Identifier: MIT */
/* The code of one source line. */
#include "symbols_int.h"

#include <errno.h>
#include <string.h>

/* A base name, or the last parts of the path. */
static bool
path_matches(const char *pattern, const char *path)
{
	size_t n = strlen(pattern), len = strlen(path);

	if (n > len || strcmp(path + len - n, pattern) != 0)
		return false;
	return n == len || *pattern == '/' || path[len - n - 1] == '/';
}

static int
add_line(struct sym_module *m, struct sym_lines *lines, int n, uint64_t lo,
	 uint64_t hi)
{
	lo += m->dwbias;
	hi += m->dwbias;
	if (!sym_module_exec(m, lo, hi))
		return 0;
	if (n < lines->best) {
		lines->out->n = lines->begin;
		lines->best = n;
	}
	return seam_ranges_add(lines->out, lo + lines->bias + 1,
			       hi + lines->bias + 1);
}

static int
cu_lines(struct sym_module *m, struct sym_cu *cu, struct sym_lines *lines)
{
	const char *path, *last = NULL;
	bool match = false, end;
	Dwarf_Addr lo, hi;
	Dwarf_Lines *v;
	size_t count, i;
	int n, rc;

	if (dwarf_getsrclines(&cu->die, &v, &count))
		return 0;
	for (i = 0; i + 1 < count; i++) {
		Dwarf_Line *line = dwarf_onesrcline(v, i);

		if (dwarf_lineno(line, &n) || n < lines->line ||
		    n > lines->best || dwarf_lineendsequence(line, &end) ||
		    end || dwarf_lineaddr(line, &lo) ||
		    dwarf_lineaddr(dwarf_onesrcline(v, i + 1), &hi) || lo >= hi)
			continue;
		path = dwarf_linesrc(line, NULL, NULL);
		if (path && path != last)
			match = path_matches(lines->file, path);
		last = path;
		if (!path || !match)
			continue;
		rc = add_line(m, lines, n, lo, hi);
		if (rc)
			return rc;
	}
	return 0;
}

/* What was inlined from a system header counts as code of the calling line. */
static int
cu_calls(struct sym_module *m, struct sym_cu *cu, struct sym_lines *lines)
{
	const struct sym_item *f;
	size_t i;
	int rc = sym_cu_walk(m, cu);

	for (i = 0; rc == 0 && i < cu->fns.n; i++) {
		f = &cu->fns.v[i];
		if (f->system && f->call_file && f->call_line >= lines->line &&
		    f->call_line <= lines->best &&
		    path_matches(lines->file, f->call_file))
			rc = add_line(m, lines, f->call_line, f->lo - m->dwbias,
				      f->hi - m->dwbias);
	}
	return rc;
}

int
sym_module_lines(struct sym_module *m, struct sym_lines *lines)
{
	int rc = sym_module_dwarf(m);
	size_t i;

	for (i = 0; rc == 0 && i < m->ncus; i++)
		if (!(rc = cu_lines(m, &m->cus[i], lines)))
			rc = cu_calls(m, &m->cus[i], lines);
	return rc;
}
