/* SPDX-License-Identifier: MIT */
/*
 * Names for addresses and addresses for names, through elfutils.
 *
 * A `seam_syms` caches what was read from ELF files (keyed by device, inode
 * and modification time), and is shared by all processes of a session.  A
 * `seam_map` is one process's address space: which file is mapped where.
 *
 * Functions return 0 or a negative errno value.  Nothing here is
 * thread-safe; the session's lock covers it.
 */
#ifndef SEAM_SYMBOLS_H
#define SEAM_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct seam_syms;
struct seam_map;

/* A half-open range of addresses in a process. */
struct seam_range {
	uint64_t lo, hi;
};

/* A growing list of ranges; zero-initialise, free with seam_ranges_free. */
struct seam_ranges {
	struct seam_range *v;
	size_t n, cap;
};

int seam_ranges_add(struct seam_ranges *r, uint64_t lo, uint64_t hi);
void seam_ranges_free(struct seam_ranges *r);

/*
 * What stands at an address.  Strings belong to the seam_syms and live as
 * long as it does; any of them may be NULL.
 */
struct seam_site {
	const char *function; /* innermost, inlined ones included; demangled */
	const char *file;     /* base name of the source file */
	const char *path;     /* of that file, as the compiler was told */
	int line;	      /* 0: unknown */
	const char *outer;    /* the function it was inlined into, or NULL */
	const char *module;   /* base name of the file mapped there */
	uint64_t offset;      /* in that file's own addresses */
};

/* A named datum (or function) covering an address. */
struct seam_symbol {
	const char *name; /* demangled */
	const char *module;
	uint64_t addr, size; /* in the process; size 0: unknown */
	bool function;
};

struct seam_syms *seam_syms_new(void);
void seam_syms_free(struct seam_syms *syms);

/* Reads /proc/PID/maps. */
int seam_map_new(struct seam_syms *syms, pid_t pid, struct seam_map **map);
int seam_map_refresh(struct seam_map *map);
void seam_map_free(struct seam_map *map);

/*
 * The call site whose return address is `ret` (so `ret - 1` is looked up).
 * Always fills in at least module and offset where the address is mapped
 * from a file; -ENOENT otherwise.
 */
int seam_map_site(struct seam_map *map, uint64_t ret, struct seam_site *site);

/* The object symbol that covers `addr`; -ENOENT when none does. */
int seam_map_object(struct seam_map *map, uint64_t addr,
		    struct seam_symbol *symbol);

/*
 * Writes "function file.c:42", "function module+0x1d2f5" or "module+0x…" to
 * buf, as far as known.  Returns buf.
 */
char *seam_map_describe(struct seam_map *map, uint64_t ret, char *buf,
			size_t size);

/* Calls `each` for every data object named `name` (also "lib.so!name"). */
int seam_map_find_object(struct seam_map *map, const char *name,
			 int (*each)(const struct seam_symbol *, void *),
			 void *data);

/*
 * Adds to `out` the address ranges a site pattern stands for: "func",
 * "file.c:42", "lib.so!func", "module+0x1d2f5" (both ends of the one call:
 * the range [offset, offset] shifted by one, so that return addresses match).
 * All ranges are in terms of return addresses: a return address r matches
 * when lo < r <= hi, given here as lo+1 <= r < hi+1.  Inlined instances of a
 * function are included.  `*` globs over function names.  -ENOENT when the
 * pattern matches nothing that is mapped now.
 */
int seam_map_find_site(struct seam_map *map, const char *pattern,
		       struct seam_ranges *out);

/* [lo, hi) of every mapped segment of the modules whose base name globs. */
int seam_map_find_module(struct seam_map *map, const char *glob,
			 struct seam_ranges *out);

/* Build id of the module mapped at `addr` as hex, or NULL. */
const char *seam_map_build_id(struct seam_map *map, uint64_t addr);

/*
 * What backs `addr` in the process: device, inode and offset in the file of
 * a shared mapping, to recognise one object in several processes.
 * -ENOENT for private memory.
 */
struct seam_backing {
	dev_t dev;
	ino_t ino;
	uint64_t offset;
};
int seam_map_backing(struct seam_map *map, uint64_t addr,
		     struct seam_backing *backing);
/* The inverse: where this process maps that byte, or 0. */
uint64_t seam_map_unbacking(struct seam_map *map,
			    const struct seam_backing *backing);

/*
 * Why a program cannot be preloaded, from its file alone: NULL when it can,
 * else a phrase as "statically linked", "setuid", "not an ELF program",
 * "for another machine (aarch64)".  Static storage.  Scripts ("#!") are
 * followed to their interpreter.
 */
const char *seam_exe_unhookable(const char *path);

#endif
