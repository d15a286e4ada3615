/* SPDX-License-Identifier: MIT */
/* Functions, inlined instances and source lines, from DWARF. */
#include "symbols_int.h"

#include <dwarf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Deeper nesting is not believed. */
#define DEPTH_MAX 256

static int
add_cu(struct sym_module *m, size_t *cap, const Dwarf_Die *die,
       const Dwarf_Die *tree)
{
	size_t n = *cap ? *cap * 2 : 16;
	struct sym_cu *v;

	if (m->ncus == *cap) {
		v = reallocarray(m->cus, n, sizeof(*v));
		if (!v)
			return -ENOMEM;
		m->cus = v;
		*cap = n;
	}
	v = &m->cus[m->ncus++];
	memset(v, 0, sizeof(*v));
	v->die = *die;
	v->tree = tree->addr ? *tree : *die;
	return 0;
}

/* Adds the ranges of a DIE, as far as they are code of the module. */
static int
add_ranges(struct sym_module *m, Dwarf_Die *die, struct sym_items *items,
	   struct sym_item *item)
{
	Dwarf_Addr base, lo, hi;
	ptrdiff_t at = 0;
	int rc;

	while ((at = dwarf_ranges(die, at, &base, &lo, &hi)) > 0) {
		item->lo = lo + m->dwbias;
		item->hi = hi + m->dwbias;
		if (lo >= hi || !sym_module_exec(m, item->lo, item->hi))
			continue;
		rc = sym_items_add(items, item);
		if (rc)
			return rc;
	}
	return 0;
}

static int
read_units(struct sym_module *m)
{
	struct sym_item item;
	Dwarf_Die die, tree;
	Dwarf_CU *cu = NULL;
	size_t cap = 0;
	uint8_t type;
	int rc;

	for (;;) {
		memset(&tree, 0, sizeof(tree));
		if (dwarf_get_units(m->dw, cu, &cu, NULL, &type, &die, &tree))
			return 0;
		if (type == DW_UT_type || type == DW_UT_split_type ||
		    type == DW_UT_partial ||
		    dwarf_tag(&die) == DW_TAG_partial_unit)
			continue;
		item = (struct sym_item){ .cu = (uint32_t)m->ncus };
		rc = add_ranges(m, &die, &m->curanges, &item);
		if (rc == 0)
			rc = add_cu(m, &cap, &die, &tree);
		if (rc)
			return rc;
	}
}

/* Reads the list of compilation units; afterwards dw may still be NULL. */
int
sym_module_dwarf(struct sym_module *m)
{
	Dwarf_Addr bias;
	int rc;

	if (m->has_dwarf_read)
		return 0;
	m->has_dwarf_read = true;
	m->dw = dwfl_module_getdwarf(m->mod, &bias);
	if (!m->dw)
		return 0;
	m->dwbias += bias;
	rc = read_units(m);
	sym_items_sort(&m->curanges);
	return rc;
}

static const char *
die_string(Dwarf_Die *die, unsigned attr)
{
	Dwarf_Attribute a;

	return dwarf_formstring(dwarf_attr_integrate(die, attr, &a));
}

static const struct sym_name *
die_name(struct sym_module *m, Dwarf_Die *die)
{
	const char *s = die_string(die, DW_AT_linkage_name);

	if (!s)
		s = die_string(die, DW_AT_MIPS_linkage_name);
	if (!s)
		s = die_string(die, DW_AT_name);
	return s && *s ? sym_name(m->syms, s) : NULL;
}

/* A header that is not the program's own, as libstdc++'s or ours. */
static bool
is_system(const char *path)
{
	static const char *const places[] = { "/usr/include/", "/usr/lib/gcc",
					      "/usr/local/include/",
					      "/include/c++/",
					      "/seam/point.h" };
	size_t i;

	for (i = 0; path && i < sizeof(places) / sizeof(*places); i++)
		if (strstr(path, places[i]))
			return true;
	return false;
}

/* Where an inlined function was called, and whose it is. */
static int
set_call(struct sym_module *m, struct sym_cu *cu, Dwarf_Die *die,
	 struct sym_item *item)
{
	Dwarf_Attribute a;
	Dwarf_Word line, index;
	Dwarf_Files *files;
	const char *path;
	size_t n;

	item->system = is_system(dwarf_decl_file(die));
	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &a), &line) ||
	    dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &a), &index) ||
	    line > INT_MAX || dwarf_getsrcfiles(&cu->die, &files, &n))
		return 0;
	path = index < n ? dwarf_filesrc(files, index, NULL, NULL) : NULL;
	if (!path)
		return 0;
	item->call_line = (int)line;
	item->call_file = sym_intern(m->syms, path);
	return item->call_file ? 0 : -ENOMEM;
}

static int
add_function(struct sym_module *m, struct sym_cu *cu, Dwarf_Die *die,
	     unsigned depth)
{
	struct sym_item item = {
		.depth = (uint16_t)depth,
		.inlined = dwarf_tag(die) == DW_TAG_inlined_subroutine,
	};

	if (!dwarf_hasattr(die, DW_AT_low_pc) &&
	    !dwarf_hasattr(die, DW_AT_ranges))
		return 0;
	item.name = die_name(m, die);
	if (!item.name)
		return 0;
	if (item.inlined && set_call(m, cu, die, &item))
		return -ENOMEM;
	return add_ranges(m, die, &cu->fns, &item);
}

/* What may have functions below it. */
static bool
is_scope(int tag)
{
	switch (tag) {
	case DW_TAG_subprogram:
	case DW_TAG_inlined_subroutine:
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
	case DW_TAG_with_stmt:
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		return true;
	default:
		return false;
	}
}

static int
walk(struct sym_module *m, struct sym_cu *cu, Dwarf_Die *parent, unsigned depth)
{
	Dwarf_Die die, next;
	int tag, rc = 0;

	if (depth > DEPTH_MAX || dwarf_child(parent, &die))
		return 0;
	for (;;) {
		tag = dwarf_tag(&die);
		if (tag == DW_TAG_subprogram ||
		    tag == DW_TAG_inlined_subroutine)
			rc = add_function(m, cu, &die, depth);
		if (rc == 0 && is_scope(tag))
			rc = walk(m, cu, &die, depth + 1);
		/* a sibling that stands before this one would be a loop */
		if (rc || dwarf_siblingof(&die, &next) ||
		    (char *)next.addr <= (char *)die.addr)
			return rc;
		die = next;
	}
}

int
sym_cu_walk(struct sym_module *m, struct sym_cu *cu)
{
	if (cu->walked)
		return 0;
	cu->walked = true;
	return walk(m, cu, &cu->tree, 0);
}

static int
add_all(struct sym_items *to, const struct sym_items *from)
{
	size_t i;
	int rc;

	for (i = 0; i < from->n; i++) {
		rc = sym_items_add(to, &from->v[i]);
		if (rc)
			return rc;
	}
	return 0;
}

/* Makes funcs_by_key, once: all functions by name. */
int
sym_module_index(struct sym_module *m)
{
	size_t i;
	int rc;

	if (m->has_index)
		return 0;
	rc = sym_module_dwarf(m);
	if (rc == 0)
		rc = sym_module_symtab(m);
	for (i = 0; rc == 0 && i < m->ncus; i++) {
		rc = sym_cu_walk(m, &m->cus[i]);
		if (rc == 0)
			rc = add_all(&m->funcs_by_key, &m->cus[i].fns);
	}
	if (rc == 0)
		rc = add_all(&m->funcs_by_key, &m->funcs);
	if (rc) {
		sym_items_free(&m->funcs_by_key);
		return rc;
	}
	sym_items_sort_by_key(&m->funcs_by_key);
	m->has_index = true;
	return 0;
}

/* The innermost function around v that is nested less deep than `depth`. */
static const struct sym_item *
around(const struct sym_cu *cu, uint64_t v, unsigned depth, bool concrete)
{
	const struct sym_item *best = NULL, *f;
	size_t i;

	for (i = 0; i < cu->fns.n; i++) {
		f = &cu->fns.v[i];
		if (v >= f->lo && v < f->hi && f->depth < depth &&
		    !(concrete && f->inlined) &&
		    (!best || f->depth >= best->depth))
			best = f;
	}
	return best;
}

/* Names are often relative to where the compiler ran. */
static const char *
source_path(struct sym_module *m, const struct sym_cu *cu, const char *file)
{
	Dwarf_Die die = cu->die;
	const char *path, *dir = NULL;
	char *full;

	if (*file != '/')
		dir = die_string(&die, DW_AT_comp_dir);
	if (!dir || asprintf(&full, "%s/%s", dir, file) < 0)
		return sym_intern(m->syms, file);
	path = sym_intern(m->syms, full);
	free(full);
	return path;
}

/*
 * What was inlined from system headers (std::mutex::lock) is not where the
 * user's code calls: the line is that of the call.
 */
static void
set_function(struct sym_module *m, const struct sym_cu *cu, uint64_t v,
	     struct seam_site *site)
{
	const struct sym_item *in = around(cu, v, UINT_MAX, false), *out;

	while (in && in->inlined && in->system && in->call_file) {
		out = around(cu, v, in->depth, false);
		if (!out)
			break;
		site->file = sym_intern(m->syms, sym_base(in->call_file));
		site->path = source_path(m, cu, in->call_file);
		site->line = in->call_line;
		in = out;
	}
	if (!in)
		return;
	site->function = in->name->full;
	out = in->inlined ? around(cu, v, UINT_MAX, true) : NULL;
	if (out)
		site->outer = out->name->full;
}

static void
set_line(struct sym_module *m, struct sym_cu *cu, uint64_t v,
	 struct seam_site *site)
{
	Dwarf_Line *line = dwarf_getsrc_die(&cu->die, v - m->dwbias);
	const char *file;
	int n;

	if (site->file || !line || dwarf_lineno(line, &n) || n <= 0)
		return;
	file = dwarf_linesrc(line, NULL, NULL);
	if (!file)
		return;
	site->file = sym_intern(m->syms, sym_base(file));
	site->path = source_path(m, cu, file);
	site->line = site->file ? n : 0;
}

static int
fill_from_dwarf(struct sym_module *m, uint64_t v, struct seam_site *site)
{
	size_t at = m->curanges.n;
	const struct sym_item *item;
	int rc;

	while ((item = sym_items_next(&m->curanges, v, &at))) {
		struct sym_cu *cu = &m->cus[item->cu];

		rc = sym_cu_walk(m, cu);
		if (rc)
			return rc;
		set_function(m, cu, v, site);
		set_line(m, cu, v, site);
		if (site->function || site->file)
			break;
	}
	return 0;
}

static int
fill_from_symbols(struct sym_module *m, uint64_t v, struct seam_site *site)
{
	const struct sym_item *item, *best = NULL;
	size_t at;
	int rc = sym_module_symtab(m);

	if (rc)
		return rc;
	at = m->funcs.n;
	while ((item = sym_items_next(&m->funcs, v, &at))) {
		if (best && item->lo < best->lo)
			break;
		if (!best || item->rank < best->rank)
			best = item;
	}
	if (best)
		site->function = best->name->full;
	return 0;
}

static struct sym_cached *
slot(struct sym_module *m, uint64_t v)
{
	size_t i = (size_t)(v * UINT64_C(0x9e3779b97f4a7c15) >> 20);

	for (;; i++) {
		i &= m->capsites - 1;
		if (!m->sites[i].used || m->sites[i].v == v)
			return &m->sites[i];
	}
}

static int
grow_sites(struct sym_module *m)
{
	struct sym_cached *old = m->sites;
	size_t cap = m->capsites, i;

	m->sites = calloc(cap ? cap * 2 : 64, sizeof(*m->sites));
	if (!m->sites) {
		m->sites = old;
		return -ENOMEM;
	}
	m->capsites = cap ? cap * 2 : 64;
	for (i = 0; i < cap; i++)
		if (old[i].used)
			*slot(m, old[i].v) = old[i];
	free(old);
	return 0;
}

/* What stands at the file's address v; cached. */
int
sym_module_site(struct sym_module *m, uint64_t v, struct seam_site *site)
{
	struct sym_cached *c;
	int rc;

	if (2 * m->nsites >= m->capsites && grow_sites(m))
		return -ENOMEM;
	c = slot(m, v);
	if (c->used) {
		*site = c->site;
		return 0;
	}
	memset(site, 0, sizeof(*site));
	rc = sym_module_dwarf(m);
	if (rc == 0)
		rc = fill_from_dwarf(m, v, site);
	if (rc == 0 && !site->function)
		rc = fill_from_symbols(m, v, site);
	if (rc)
		return rc;
	*c = (struct sym_cached){ .v = v, .site = *site, .used = true };
	m->nsites++;
	return 0;
}
