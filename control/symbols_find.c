/* SPDX-License-Identifier: MIT */
/* Names to addresses. */
#include "symbols_int.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A pattern, taken apart.  Strings are interned. */
struct pattern {
	const char *module; /* NULL: any */
	const char *file;   /* a source file and its line */
	int line;
	const struct sym_name *name; /* NULL unless a function's, object's */
	bool has_offset;
	uint64_t offset;
};

struct search {
	struct seam_map *map;
	struct pattern p;
	struct sym_file *file;
	uint64_t bias;
	struct seam_ranges *out;
	struct seam_ranges seen; /* objects given already */
	int (*each)(const struct seam_symbol *, void *);
	void *data;
};

static const char *
intern_n(struct seam_syms *syms, const char *s, size_t n)
{
	char *copy = strndup(s, n);
	const char *interned = copy ? sym_intern(syms, copy) : NULL;

	free(copy);
	return interned;
}

/* "lib.so!rest"; but operator! and operator!= are names. */
static const char *
split_module(const char *s)
{
	static const char op[] = "operator";
	const char *bang = strchr(s, '!');
	size_t n = sizeof(op) - 1;

	if (!bang || bang == s || !bang[1])
		return NULL;
	if ((size_t)(bang - s) >= n && memcmp(bang - n, op, n) == 0)
		return NULL;
	return bang;
}

static int
parse_name(struct seam_syms *syms, const char *s, struct pattern *p)
{
	const char *bang = split_module(s);

	memset(p, 0, sizeof(*p));
	if (bang) {
		p->module = intern_n(syms, s, (size_t)(bang - s));
		if (!p->module)
			return -ENOMEM;
		s = bang + 1;
	}
	if (!*s)
		return -EINVAL;
	p->name = sym_name(syms, s);
	return p->name ? 0 : -ENOMEM;
}

/* "module+0x1d2f5" */
static bool
parse_offset(const char *s, const char **plus, uint64_t *offset)
{
	char *end;

	*plus = strrchr(s, '+');
	if (!*plus || *plus == s || !strchr("0123456789", (*plus)[1]) ||
	    !(*plus)[1])
		return false;
	errno = 0;
	*offset = strtoull(*plus + 1, &end, 0);
	return !errno && !*end;
}

/* "file.c:42" */
static bool
parse_line(const char *s, const char **colon, int *line)
{
	unsigned long n;
	char *end;

	*colon = strrchr(s, ':');
	if (!*colon || *colon == s || (*colon)[-1] == ':' ||
	    !strchr("0123456789", (*colon)[1]) || !(*colon)[1])
		return false;
	errno = 0;
	n = strtoul(*colon + 1, &end, 10);
	if (errno || *end || n == 0 || n >= INT_MAX)
		return false;
	*line = (int)n;
	return true;
}

static int
parse_site(struct seam_syms *syms, const char *s, struct pattern *p)
{
	int rc = parse_name(syms, s, p);
	const char *rest, *end;

	if (rc)
		return rc;
	rest = p->name->raw;
	if (strncmp(rest, "./", 2) == 0)
		rest += 2;
	if (parse_line(rest, &end, &p->line)) {
		p->name = NULL;
		p->file = intern_n(syms, rest, (size_t)(end - rest));
		return p->file ? 0 : -ENOMEM;
	}
	if (!p->module && parse_offset(s, &end, &p->offset)) {
		p->name = NULL;
		p->has_offset = true;
		p->module = intern_n(syms, s, (size_t)(end - s));
		return p->module ? 0 : -ENOMEM;
	}
	return 0;
}

/* Calls `each` for every module that may match, wherever it is loaded. */
static int
each_module(struct search *s, int (*each)(struct search *))
{
	struct sym_file *f;
	size_t i;
	int rc;

	for (f = s->map->files; f; f = f->next) {
		if (!f->exec)
			continue;
		if (s->p.module && !sym_module_match(s->p.module, f->name))
			continue;
		if (sym_file_place(s->map, f))
			continue;
		for (i = 0; i < f->nbiases; i++) {
			s->file = f;
			s->bias = f->biases[i];
			rc = each(s);
			if (rc)
				return rc;
		}
	}
	return 0;
}

/* ------------------------------------------------------------- objects */

static int
take_copy(const struct sym_item *item, void *data)
{
	const struct sym_item **copy = data;

	*copy = item;
	return 1;
}

/* Where a library's variable really is, if the program has a copy of it. */
static void
follow_copy(struct search *s, const struct sym_name *name,
	    struct seam_symbol *symbol)
{
	const struct sym_item *copy;
	struct sym_file *f;

	for (f = s->map->files; f; f = f->next) {
		if (!f->exec || sym_file_place(s->map, f) || !f->nbiases ||
		    sym_module_copies(f->mod))
			continue;
		if (sym_items_each(&f->mod->copies, name, take_copy, &copy) <=
		    0)
			continue;
		symbol->module = f->name;
		symbol->addr = copy->lo + f->biases[0];
		symbol->size = copy->hi - copy->lo;
		return;
	}
}

static int
give_object(const struct sym_item *item, void *data)
{
	struct search *s = data;
	struct seam_symbol symbol = {
		.name = item->name->full,
		.module = s->file->name,
		.addr = item->lo + s->bias,
		.size = item->hi - item->lo,
	};
	size_t i;
	int rc;

	if (!(item->rank & SYM_LOCAL))
		follow_copy(s, item->name, &symbol);
	for (i = 0; i < s->seen.n; i++)
		if (s->seen.v[i].lo == symbol.addr)
			return 0;
	rc = seam_ranges_add(&s->seen, symbol.addr, symbol.addr);
	return rc ? rc : s->each(&symbol, s->data);
}

static int
module_objects(struct search *s)
{
	struct sym_module *m = s->file->mod;
	int rc = sym_module_symtab(m);

	if (rc)
		return rc;
	return sym_items_each(&m->data_by_key, s->p.name, give_object, s);
}

int
seam_map_find_object(struct seam_map *map, const char *name,
		     int (*each)(const struct seam_symbol *, void *),
		     void *data)
{
	struct search s = { .map = map, .each = each, .data = data };
	int rc = parse_name(map->syms, name, &s.p);

	if (rc)
		return rc;
	rc = each_module(&s, module_objects);
	if (rc == 0 && s.seen.n == 0)
		rc = -ENOENT;
	seam_ranges_free(&s.seen);
	return rc;
}

/* --------------------------------------------------------------- sites */

static int
give_function(const struct sym_item *item, void *data)
{
	struct search *s = data;

	if (item->hi <= item->lo)
		return 0;
	return seam_ranges_add(s->out, item->lo + s->bias + 1,
			       item->hi + s->bias + 1);
}

static int
module_functions(struct search *s)
{
	struct sym_module *m = s->file->mod;
	int rc = sym_module_index(m);

	if (rc)
		return rc;
	return sym_items_each(&m->funcs_by_key, s->p.name, give_function, s);
}

#if defined(__x86_64__) || defined(__i386__)
/* The bytes that follow a ModRM byte, or -1. */
static int
modrm_tail(const unsigned char *p, size_t n)
{
	unsigned mod, rm;
	int tail = 0;

	if (n < 2 || ((p[0] >> 3) & 7) != 2)
		return -1;
	mod = p[0] >> 6;
	rm = p[0] & 7;
	if (mod == 3)
		return 0;
	if (rm == 4) {
		tail = 1;
		rm = p[1] & 7;
	}
	if (mod == 1)
		return tail + 1;
	return mod == 2 || rm == 5 ? tail + 4 : tail;
}

static int
call_length(const unsigned char *p, size_t n)
{
	size_t i = 0;
	int tail;

	/* notrack, bnd, operand and address size, REX */
	while (i < n && i < 4 &&
	       (p[i] == 0x3e || p[i] == 0xf2 || p[i] == 0x66 || p[i] == 0x67 ||
		(p[i] & 0xf0) == 0x40))
		i++;
	if (i < n && p[i] == 0xe8)
		return (int)i + 5;
	if (i + 2 >= n || p[i] != 0xff)
		return -1;
	tail = modrm_tail(p + i + 1, n - i - 1);
	return tail < 0 ? -1 : (int)i + 2 + tail;
}
#else
/* Fixed-size instructions. */
static int
call_length(const unsigned char *p, size_t n)
{
	(void)p;
	return n < 4 ? -1 : 4;
}
#endif

/* The length of the call instruction at the file's address v, or -1. */
static int
call_at(const struct sym_module *m, uint64_t v)
{
	const struct sym_seg *seg = sym_module_seg(m, v);
	uint64_t at, n;
	Elf_Data *data;

	if (!seg || !seg->exec || v - seg->vaddr >= seg->filesz ||
	    seg->offset > INT64_MAX / 2)
		return -1;
	at = seg->offset + (v - seg->vaddr);
	n = seg->filesz - (v - seg->vaddr);
	data = elf_getdata_rawchunk(m->elf, (int64_t)at, n < 16 ? n : 16,
				    ELF_T_BYTE);
	return data ? call_length(data->d_buf, data->d_size) : -1;
}

/* Users copy either end of a call: what we print, or what objdump does. */
static int
module_offset(struct search *s)
{
	uint64_t addr = s->p.offset + s->bias;
	int len, rc;

	if (!sym_module_exec(s->file->mod, s->p.offset - 1, s->p.offset))
		return 0;
	rc = seam_ranges_add(s->out, addr, addr + 1);
	len = call_at(s->file->mod, s->p.offset);
	if (rc || len < 0)
		return rc;
	addr += (uint64_t)len;
	return seam_ranges_add(s->out, addr, addr + 1);
}

/* Where a file that is no ELF program is executed: by the file's offset. */
static int
plain_offset(struct search *s)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < s->map->n; i++) {
		const struct sym_entry *e = &s->map->v[i];
		uint64_t last = s->p.offset - 1;

		if (!e->file || !e->exec || e->biased ||
		    !sym_module_match(s->p.module, e->file->name) ||
		    last < e->offset || last - e->offset >= e->hi - e->lo)
			continue;
		last += e->lo - e->offset;
		rc = seam_ranges_add(s->out, last + 1, last + 2);
	}
	return rc;
}

static int
find_offset(struct search *s)
{
	int rc = each_module(s, module_offset);

	return rc ? rc : plain_offset(s);
}

/*
 * The line, or the next that has code: lines.best becomes smaller as better
 * ones are found, and what was found for worse ones is dropped.
 */
static int
find_line(struct search *s)
{
	struct sym_lines lines = {
		.file = s->p.file,
		.line = s->p.line,
		.best = INT_MAX,
		.out = s->out,
		.begin = s->out->n,
	};
	struct sym_file *f;
	size_t i;
	int rc = 0;

	for (f = s->map->files; f; f = f->next) {
		if (!f->exec ||
		    (s->p.module && !sym_module_match(s->p.module, f->name)))
			continue;
		if (sym_file_place(s->map, f))
			continue;
		for (i = 0; rc == 0 && i < f->nbiases; i++) {
			lines.bias = f->biases[i];
			rc = sym_module_lines(f->mod, &lines);
		}
		if (rc)
			break;
	}
	return rc;
}

static int
compare(const void *pa, const void *pb)
{
	const struct seam_range *a = pa, *b = pb;

	return a->lo < b->lo ? -1 : a->lo > b->lo;
}

/* Sorts and joins the ranges from `begin` on. */
static void
tidy(struct seam_ranges *r, size_t begin)
{
	struct seam_range *to;
	size_t i;

	if (r->n - begin < 2)
		return;
	qsort(r->v + begin, r->n - begin, sizeof(*r->v), compare);
	to = r->v + begin;
	for (i = begin + 1; i < r->n; i++) {
		if (r->v[i].lo > to->hi)
			*++to = r->v[i];
		else if (r->v[i].hi > to->hi)
			to->hi = r->v[i].hi;
	}
	r->n = (size_t)(to - r->v) + 1;
}

static int
finish(struct seam_ranges *out, size_t begin, int rc)
{
	if (rc) {
		out->n = begin;
		return rc;
	}
	tidy(out, begin);
	return out->n > begin ? 0 : -ENOENT;
}

int
seam_map_find_site(struct seam_map *map, const char *pattern,
		   struct seam_ranges *out)
{
	struct search s = { .map = map, .out = out };
	size_t begin = out->n;
	int rc = parse_site(map->syms, pattern, &s.p);

	if (rc)
		return rc;
	if (s.p.has_offset)
		rc = find_offset(&s);
	else if (s.p.file)
		rc = find_line(&s);
	else
		rc = each_module(&s, module_functions);
	return finish(out, begin, rc);
}

/* ------------------------------------------------------------- modules */

/* Zeroed data is no mapping of the file. */
static int
module_bss(struct search *s)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), lo, hi;
	const struct sym_module *m = s->file->mod;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < m->nsegs; i++) {
		const struct sym_seg *seg = &m->segs[i];

		lo = seg->vaddr + seg->filesz + s->bias;
		hi = seg->vaddr + seg->memsz + s->bias;
		lo = (lo + page - 1) & ~(page - 1);
		hi = (hi + page - 1) & ~(page - 1);
		if (lo < hi)
			rc = seam_ranges_add(s->out, lo, hi);
	}
	return rc;
}

int
seam_map_find_module(struct seam_map *map, const char *glob,
		     struct seam_ranges *out)
{
	struct search s = { .map = map, .out = out, .p.module = glob };
	size_t begin = out->n, i;
	int rc = 0;

	for (i = 0; rc == 0 && i < map->n; i++) {
		const struct sym_entry *e = &map->v[i];

		if (e->file && sym_module_match(glob, e->file->name))
			rc = seam_ranges_add(out, e->lo, e->hi);
	}
	if (rc == 0)
		rc = each_module(&s, module_bss);
	return finish(out, begin, rc);
}
