/* SPDX-License-Identifier: MIT */
/* What the symbols_*.c files share; nobody else includes this. */
#ifndef SEAM_SYMBOLS_INT_H
#define SEAM_SYMBOLS_INT_H

#include "symbols.h"

#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <time.h>

/*
 * A symbol's name in the forms it is asked by.  All are interned, so that
 * equal strings are equal pointers:
 *   raw    as in the file, without version      _ZN5Cache3putIiEEvi.part.0
 *   full   demangled, as printed                void Cache::put<int>(int)
 *   plain  without result, unnamed namespaces   Cache::put<int>(int)
 *   key    without parameters, too              Cache::put<int>
 */
struct sym_name {
	const char *raw, *full, *plain, *key;
};

struct sym_str {
	struct sym_str *next;
	struct sym_name *name;
	uint32_t hash;
	char s[];
};

/* Lower is better: a global symbol, one without underscore, with a size. */
enum { SYM_UNSIZED = 1, SYM_UNDERSCORE = 2, SYM_LOCAL = 4 };

/* An interval of a file's own addresses, and what it is. */
struct sym_item {
	uint64_t lo, hi;
	uint64_t maxhi; /* of this and all before it, once sorted */
	const struct sym_name *name;
	uint32_t cu;
	uint16_t depth;
	uint8_t rank; /* among several names of one address, see SYM_LOCAL */
	bool inlined;
	bool system;	       /* inlined from a header of the system's */
	int call_line;	       /* where it was inlined */
	const char *call_file; /* path, or NULL */
};

struct sym_items {
	struct sym_item *v;
	size_t n, cap;
};

struct sym_seg {
	uint64_t vaddr, offset, filesz, memsz;
	bool exec;
};

struct sym_cu {
	Dwarf_Die die;	/* has the line table */
	Dwarf_Die tree; /* differs for split DWARF */
	struct sym_items fns;
	bool walked;
};

struct sym_cached {
	uint64_t v;
	struct seam_site site;
	bool used;
};

/* One ELF file, shared by all processes that map it. */
struct sym_module {
	struct sym_module *next;
	struct seam_syms *syms;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	const char *path; /* as the process sees it */
	const char *root; /* where that path begins for us */

	Dwfl *dwfl;
	Dwfl_Module *mod;
	Elf *elf;
	const char *build_id;
	struct sym_seg *segs;
	size_t nsegs;

	bool has_interp;
	bool has_dwarf_read, has_symtab_read, has_copies_read, has_index;
	Dwarf *dw;
	uint64_t dwbias; /* add to DWARF's addresses */
	struct sym_cu *cus;
	size_t ncus;
	struct sym_items curanges;
	struct sym_items data, data_by_key; /* objects */
	struct sym_items copies;	    /* of libraries' objects */
	struct sym_items funcs;		    /* from the symbol table */
	struct sym_items funcs_by_key;	    /* from DWARF as well */

	struct sym_cached *sites;
	size_t nsites, capsites;
};

struct seam_syms {
	struct sym_str **buckets;
	size_t nstr, nbuckets;
	struct sym_module *modules;
};

/* A file that one process maps. */
struct sym_file {
	struct sym_file *next;
	dev_t dev;
	ino_t ino;
	const char *path, *name; /* interned */
	bool deleted, exec, seen;
	bool opened, placed;
	struct sym_module *mod; /* NULL: not ELF, or out of reach */
	uint64_t *biases;	/* one for each time it is loaded */
	size_t nbiases;
};

struct sym_entry {
	uint64_t lo, hi, offset;
	struct sym_file *file; /* NULL: anonymous, vdso */
	uint64_t bias;
	bool exec, shared, biased;
};

struct seam_map {
	struct seam_syms *syms;
	pid_t pid;
	struct timespec read_at;
	struct sym_file *files;
	struct sym_entry *v;
	size_t n;
};

/* An address, as its file has it; mod is NULL where `v` is a file offset. */
struct sym_place {
	struct sym_file *file;
	struct sym_module *mod;
	uint64_t bias, v;
};

/* symbols_names.c */
const char *sym_intern(struct seam_syms *syms, const char *s);
const struct sym_name *sym_name(struct seam_syms *syms, const char *raw);
void sym_names_free(struct seam_syms *syms);
bool sym_glob(const char *pattern, const char *s);
bool sym_name_match(const struct sym_name *pattern,
		    const struct sym_name *name);
bool sym_module_match(const char *pattern, const char *name);
const char *sym_base(const char *path);

/* symbols_items.c */
int sym_items_add(struct sym_items *items, const struct sym_item *item);
void sym_items_free(struct sym_items *items);
void sym_items_sort(struct sym_items *items);
void sym_items_sort_by_key(struct sym_items *items);
/* The items that cover v, from the last begun; start with *at = items->n. */
const struct sym_item *sym_items_next(const struct sym_items *items, uint64_t v,
				      size_t *at);
int sym_items_each(const struct sym_items *by_key,
		   const struct sym_name *pattern,
		   int (*each)(const struct sym_item *, void *), void *data);

/* symbols_maps.c */
int sym_maps_parse(struct seam_map *map, char *text);
const struct sym_entry *sym_map_entry(const struct seam_map *map,
				      uint64_t addr);

/* symbols_module.c */
int sym_file_open(struct seam_map *map, struct sym_file *file);
struct sym_module *sym_module_open(struct seam_syms *syms, int fd,
				   const char *path, const char *root);
void sym_module_free(struct sym_module *mod);
const struct sym_seg *sym_module_seg(const struct sym_module *mod, uint64_t v);
bool sym_module_exec(const struct sym_module *mod, uint64_t lo, uint64_t hi);

/* symbols_place.c */
int sym_file_place(struct seam_map *map, struct sym_file *file);
int sym_place(struct seam_map *map, uint64_t addr, struct sym_place *place);

/* symbols_table.c */
int sym_module_symtab(struct sym_module *mod);
int sym_module_copies(struct sym_module *mod);

/* symbols_dwarf.c */
int sym_module_dwarf(struct sym_module *mod);
int sym_cu_walk(struct sym_module *mod, struct sym_cu *cu);
int sym_module_index(struct sym_module *mod);
int sym_module_site(struct sym_module *mod, uint64_t v, struct seam_site *site);

/* symbols_debuginfo.c */
extern const Dwfl_Callbacks sym_callbacks;

/* symbols_lines.c */
struct sym_lines {
	const char *file;
	int line;
	int best; /* the line found: this one or the next that has code */
	uint64_t bias;
	struct seam_ranges *out;
	size_t begin; /* where ours begin in out */
};
int sym_module_lines(struct sym_module *mod, struct sym_lines *lines);

#endif
