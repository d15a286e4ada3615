/* SPDX-License-Identifier: MIT */
/* ELF symbol tables. */
#include "symbols_int.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct table {
	Elf *elf;
	Elf_Scn *scn;
	GElf_Shdr shdr;
	uint64_t bias;
};

static bool
find_table(Elf *elf, GElf_Word type, struct table *t)
{
	Elf_Scn *scn = NULL;

	while (elf && (scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &t->shdr) || t->shdr.sh_type != type)
			continue;
		t->elf = elf;
		t->scn = scn;
		return true;
	}
	return false;
}

/* The fullest: .symtab, that of the debug file, .dynsym. */
static bool
choose_table(struct sym_module *m, struct table *t)
{
	memset(t, 0, sizeof(*t));
	if (find_table(m->elf, SHT_SYMTAB, t))
		return true;
	if (sym_module_dwarf(m) == 0 && m->dw &&
	    find_table(dwarf_getelf(m->dw), SHT_SYMTAB, t)) {
		t->bias = m->dwbias;
		return true;
	}
	return find_table(m->elf, SHT_DYNSYM, t);
}

static const struct sym_name *
symbol_name(struct sym_module *m, const char *s)
{
	const char *at = strchr(s, '@');
	const struct sym_name *name;
	char *copy;

	if (!at || at == s)
		return sym_name(m->syms, s);
	copy = strndup(s, (size_t)(at - s));
	name = copy ? sym_name(m->syms, copy) : NULL;
	free(copy);
	return name;
}

static uint8_t
rank(const GElf_Sym *sym, const char *name)
{
	unsigned r = 0;

	if (GELF_ST_BIND(sym->st_info) == STB_LOCAL)
		r |= SYM_LOCAL;
	if (*name == '_' && strncmp(name, "_Z", 2) != 0 &&
	    strncmp(name, "_R", 2) != 0)
		r |= SYM_UNDERSCORE;
	if (!sym->st_size)
		r |= SYM_UNSIZED;
	return (uint8_t)r;
}

static int
add_symbol(struct sym_module *m, const struct table *t, const GElf_Sym *sym)
{
	int type = GELF_ST_TYPE(sym->st_info);
	bool func = type == STT_FUNC || type == STT_GNU_IFUNC;
	struct sym_item item = { .lo = sym->st_value + t->bias };
	const char *s;

	if (!func && type != STT_OBJECT && type != STT_COMMON)
		return 0;
	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS)
		return 0;
	s = elf_strptr(t->elf, t->shdr.sh_link, sym->st_name);
	if (!s || !*s || !sym_module_seg(m, item.lo))
		return 0;
	item.hi = item.lo + sym->st_size;
	if (item.hi < item.lo ||
	    (func && !sym_module_exec(m, item.lo, item.hi)))
		item.hi = item.lo;
	item.rank = rank(sym, s);
	item.name = symbol_name(m, s);
	if (!item.name)
		return -ENOMEM;
	return sym_items_add(func ? &m->funcs : &m->data, &item);
}

static int
read_table(struct sym_module *m, const struct table *t)
{
	Elf_Data *data = elf_getdata(t->scn, NULL);
	size_t size = gelf_fsize(t->elf, ELF_T_SYM, 1, EV_CURRENT), n, i;
	GElf_Sym sym;
	int rc;

	if (!data || !size)
		return 0;
	n = data->d_size / size;
	for (i = 1; i < n && i < INT32_MAX; i++) {
		if (!gelf_getsym(data, (int)i, &sym))
			continue;
		rc = add_symbol(m, t, &sym);
		if (rc)
			return rc;
	}
	return 0;
}

/* Assembly has functions without a size: they reach to the next one. */
static void
stretch(struct sym_module *m)
{
	struct sym_items *f = &m->funcs;
	const struct sym_seg *seg;
	size_t i, k;

	for (i = 0; i < f->n; i++) {
		if (f->v[i].hi > f->v[i].lo)
			continue;
		for (k = i + 1; k < f->n && f->v[k].lo == f->v[i].lo; k++)
			;
		seg = sym_module_seg(m, f->v[i].lo);
		f->v[i].hi = seg->vaddr + seg->filesz;
		if (k < f->n && f->v[k].lo < f->v[i].hi)
			f->v[i].hi = f->v[k].lo;
		if (f->v[i].hi < f->v[i].lo)
			f->v[i].hi = f->v[i].lo;
	}
}

/*
 * Objects by name.  clang calls a function's static `f.lock`, where gcc says
 * `lock.0`: that is to be found as `lock`, too.
 */
static int
index_data(struct sym_module *m)
{
	struct sym_item item;
	const char *dot;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < m->data.n; i++) {
		item = m->data.v[i];
		rc = sym_items_add(&m->data_by_key, &item);
		dot = strrchr(item.name->raw, '.');
		if (rc || !dot || dot == item.name->raw ||
		    !(isalpha((unsigned char)dot[1]) || dot[1] == '_'))
			continue;
		item.name = sym_name(m->syms, dot + 1);
		rc =
		    item.name ? sym_items_add(&m->data_by_key, &item) : -ENOMEM;
	}
	sym_items_sort_by_key(&m->data_by_key);
	return rc;
}

int
sym_module_symtab(struct sym_module *m)
{
	struct table t;
	int rc;

	if (m->has_symtab_read)
		return 0;
	m->has_symtab_read = true;
	if (!choose_table(m, &t))
		return 0;
	rc = read_table(m, &t);
	if (rc)
		return rc;
	sym_items_sort(&m->funcs);
	stretch(m);
	sym_items_sort(&m->funcs);
	sym_items_sort(&m->data);
	return index_data(m);
}

static bool
is_copy(const GElf_Ehdr *eh, uint64_t info)
{
	static const struct {
		unsigned machine, type;
	} copies[] = { { EM_X86_64, R_X86_64_COPY },
		       { EM_386, R_386_COPY },
		       { EM_AARCH64, R_AARCH64_COPY },
		       { EM_RISCV, R_RISCV_COPY } };
	size_t i;

	for (i = 0; i < sizeof(copies) / sizeof(*copies); i++)
		if (copies[i].machine == eh->e_machine)
			return GELF_R_TYPE(info) == copies[i].type;
	return false;
}

static int
add_copy(struct sym_module *m, const struct table *symbols, uint64_t addr,
	 size_t index)
{
	struct sym_item item = { .lo = addr };
	Elf_Data *data = elf_getdata(symbols->scn, NULL);
	const char *s;
	GElf_Sym sym;

	if (index > INT32_MAX || !gelf_getsym(data, (int)index, &sym))
		return 0;
	s = elf_strptr(m->elf, symbols->shdr.sh_link, sym.st_name);
	if (!s || !*s || !sym_module_seg(m, addr) || addr + sym.st_size < addr)
		return 0;
	item.hi = addr + sym.st_size;
	item.name = symbol_name(m, s);
	return item.name ? sym_items_add(&m->copies, &item) : -ENOMEM;
}

static int
read_relocs(struct sym_module *m, const struct table *symbols, Elf_Scn *scn,
	    const GElf_Shdr *shdr)
{
	bool rela = shdr->sh_type == SHT_RELA;
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n, i, size;
	GElf_Ehdr eh;
	GElf_Rela r;
	GElf_Rel rel;
	int rc = 0;

	size = gelf_fsize(m->elf, rela ? ELF_T_RELA : ELF_T_REL, 1, EV_CURRENT);
	if (!data || !size || !gelf_getehdr(m->elf, &eh))
		return 0;
	n = data->d_size / size;
	for (i = 0; rc == 0 && i < n && i < INT32_MAX; i++) {
		if (rela && gelf_getrela(data, (int)i, &r))
			rel = (GElf_Rel){ r.r_offset, r.r_info };
		else if (rela || !gelf_getrel(data, (int)i, &rel))
			continue;
		if (is_copy(&eh, rel.r_info))
			rc = add_copy(m, symbols, rel.r_offset,
				      GELF_R_SYM(rel.r_info));
	}
	return rc;
}

/*
 * Libraries' variables that live in the program, by copy relocations: the
 * library's own instance of them is dead.
 */
int
sym_module_copies(struct sym_module *m)
{
	struct table symbols;
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	int rc = 0;

	if (m->has_copies_read)
		return 0;
	m->has_copies_read = true;
	if (!m->has_interp || !find_table(m->elf, SHT_DYNSYM, &symbols))
		return 0;
	while (rc == 0 && (scn = elf_nextscn(m->elf, scn))) {
		if (gelf_getshdr(scn, &shdr) &&
		    (shdr.sh_type == SHT_RELA || shdr.sh_type == SHT_REL))
			rc = read_relocs(m, &symbols, scn, &shdr);
	}
	sym_items_sort_by_key(&m->copies);
	return rc;
}
