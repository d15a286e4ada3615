/* SPDX-License-Identifier: MIT */
/* Where in a process a module lies, and where in a module an address. */
#include "symbols_int.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t
page_down(uint64_t v)
{
	return v & ~((uint64_t)sysconf(_SC_PAGESIZE) - 1);
}

/* Does segment `seg`, loaded at `bias`, make mapping `e`? */
static bool
makes(const struct sym_seg *seg, const struct sym_entry *e, uint64_t bias)
{
	uint64_t v = e->lo - bias;

	return v >= page_down(seg->vaddr) && v < seg->vaddr + seg->memsz &&
	       e->offset - seg->offset == v - seg->vaddr;
}

static int
add_bias(struct sym_file *file, uint64_t bias)
{
	uint64_t *v;
	size_t i;

	for (i = 0; i < file->nbiases; i++)
		if (file->biases[i] == bias)
			return 0;
	v = reallocarray(file->biases, file->nbiases + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v[file->nbiases++] = bias;
	file->biases = v;
	return 0;
}

/*
 * The biases follow from the executable mappings: the others may share a
 * page of the file with their neighbours.
 */
static int
find_biases(struct seam_map *map, struct sym_file *file)
{
	const struct sym_module *m = file->mod;
	size_t i, k;

	for (i = 0; i < map->n; i++) {
		const struct sym_entry *e = &map->v[i];

		if (e->file != file || e->exec != file->exec)
			continue;
		for (k = 0; k < m->nsegs; k++) {
			const struct sym_seg *seg = &m->segs[k];

			if (seg->exec == file->exec &&
			    e->offset >= page_down(seg->offset) &&
			    e->offset < seg->offset + seg->filesz)
				break;
		}
		if (k < m->nsegs &&
		    add_bias(file, e->lo - e->offset + m->segs[k].offset -
				       m->segs[k].vaddr))
			return -ENOMEM;
	}
	return 0;
}

static void
set_bias(struct sym_entry *e)
{
	const struct sym_file *file = e->file;
	size_t i, k;

	e->biased = false;
	for (i = 0; i < file->nbiases; i++) {
		for (k = 0; k < file->mod->nsegs; k++) {
			if (!makes(&file->mod->segs[k], e, file->biases[i]))
				continue;
			e->bias = file->biases[i];
			e->biased = true;
			return;
		}
	}
}

/* Opens the file, and finds where it is loaded. */
int
sym_file_place(struct seam_map *map, struct sym_file *file)
{
	int rc = sym_file_open(map, file);
	size_t i;

	if (rc || file->placed)
		return rc;
	file->nbiases = 0;
	rc = find_biases(map, file);
	if (rc)
		return rc;
	for (i = 0; i < map->n; i++)
		if (map->v[i].file == file)
			set_bias(&map->v[i]);
	file->placed = true;
	return 0;
}

/* Zeroed data behind a file's mapping is anonymous. */
static int
place_bss(struct seam_map *map, const struct sym_entry *e, uint64_t addr,
	  struct sym_place *place)
{
	while (e > map->v && !e->file && e[-1].hi == e->lo)
		e--;
	if (!e->file || sym_file_place(map, e->file) || !e->biased ||
	    !sym_module_seg(e->file->mod, addr - e->bias))
		return -ENOENT;
	place->file = e->file;
	place->mod = e->file->mod;
	place->bias = e->bias;
	place->v = addr - e->bias;
	return 0;
}

int
sym_place(struct seam_map *map, uint64_t addr, struct sym_place *place)
{
	const struct sym_entry *e = sym_map_entry(map, addr);

	if (!e)
		return -ENOENT;
	if (!e->file)
		return place_bss(map, e, addr, place);
	place->file = e->file;
	place->mod = NULL;
	place->bias = e->lo - e->offset;
	if (sym_file_place(map, e->file) == 0 && e->biased) {
		place->mod = e->file->mod;
		place->bias = e->bias;
	}
	place->v = addr - place->bias;
	return 0;
}
