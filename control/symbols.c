/* SPDX-License-Identifier: MIT */
/* The cache and the maps themselves; addresses to names. */
#include "symbols_int.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAPS_MAX (UINT32_C(256) << 20)

int
seam_ranges_add(struct seam_ranges *r, uint64_t lo, uint64_t hi)
{
	size_t cap = r->cap ? r->cap * 2 : 8;
	struct seam_range *v;

	if (r->n == r->cap) {
		v = reallocarray(r->v, cap, sizeof(*v));
		if (!v)
			return -ENOMEM;
		r->v = v;
		r->cap = cap;
	}
	r->v[r->n++] = (struct seam_range){ lo, hi };
	return 0;
}

void
seam_ranges_free(struct seam_ranges *r)
{
	free(r->v);
	memset(r, 0, sizeof(*r));
}

struct seam_syms *
seam_syms_new(void)
{
	elf_version(EV_CURRENT);
	return calloc(1, sizeof(struct seam_syms));
}

void
seam_syms_free(struct seam_syms *syms)
{
	struct sym_module *m, *next;

	if (!syms)
		return;
	for (m = syms->modules; m; m = next) {
		next = m->next;
		sym_module_free(m);
	}
	sym_names_free(syms);
	free(syms);
}

/* The file's text, NUL-terminated, in *text. */
static int
read_all(int fd, char **text)
{
	size_t n = 0, cap = 0;
	char *buf = NULL, *p;
	ssize_t got = 1;

	while (got > 0 && n < MAPS_MAX) {
		if (cap - n < 4096) {
			cap = cap ? cap * 2 : 32768;
			p = realloc(buf, cap);
			if (!p) {
				free(buf);
				return -ENOMEM;
			}
			buf = p;
		}
		got = read(fd, buf + n, cap - n - 1);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	if (got) {
		n = got < 0 ? (size_t)errno : EFBIG;
		free(buf);
		return -(int)n;
	}
	buf[n] = '\0';
	*text = buf;
	return 0;
}

int
seam_map_refresh(struct seam_map *map)
{
	char path[64], *text = NULL;
	int fd, rc;

	snprintf(path, sizeof(path), "/proc/%d/maps", map->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	clock_gettime(CLOCK_REALTIME, &map->read_at);
	rc = read_all(fd, &text);
	close(fd);
	if (rc)
		return rc;
	rc = sym_maps_parse(map, text);
	free(text);
	return rc;
}

int
seam_map_new(struct seam_syms *syms, pid_t pid, struct seam_map **map)
{
	struct seam_map *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	m->syms = syms;
	m->pid = pid;
	rc = seam_map_refresh(m);
	if (rc) {
		seam_map_free(m);
		return rc;
	}
	*map = m;
	return 0;
}

void
seam_map_free(struct seam_map *map)
{
	struct sym_file *f, *next;

	if (!map)
		return;
	for (f = map->files; f; f = next) {
		next = f->next;
		free(f->biases);
		free(f);
	}
	free(map->v);
	free(map);
}

int
seam_map_site(struct seam_map *map, uint64_t ret, struct seam_site *site)
{
	struct sym_place place;
	int rc;

	memset(site, 0, sizeof(*site));
	rc = sym_place(map, ret - 1, &place);
	if (rc)
		return rc;
	if (place.mod && sym_module_site(place.mod, place.v, site))
		memset(site, 0, sizeof(*site));
	site->module = place.file->name;
	site->offset = place.v + 1;
	return 0;
}

int
seam_map_object(struct seam_map *map, uint64_t addr, struct seam_symbol *symbol)
{
	const struct sym_item *item, *best = NULL;
	struct sym_place place;
	size_t at;
	int rc = sym_place(map, addr, &place);

	if (rc == 0)
		rc = place.mod ? sym_module_symtab(place.mod) : -ENOENT;
	if (rc)
		return rc;
	at = place.mod->data.n;
	/* the last begun is the innermost */
	while ((item = sym_items_next(&place.mod->data, place.v, &at))) {
		if (best && item->lo < best->lo)
			break;
		if (!best || item->rank < best->rank ||
		    (item->rank == best->rank && item->hi < best->hi))
			best = item;
	}
	if (!best)
		return -ENOENT;
	*symbol = (struct seam_symbol){
		.name = best->name->full,
		.module = place.file->name,
		.addr = best->lo + place.bias,
		.size = best->hi - best->lo,
	};
	return 0;
}

char *
seam_map_describe(struct seam_map *map, uint64_t ret, char *buf, size_t size)
{
	const char *function, *gap;
	struct seam_site site;

	if (!size)
		return buf;
	if (seam_map_site(map, ret, &site)) {
		snprintf(buf, size, "0x%" PRIx64, ret);
		return buf;
	}
	function = site.function ? site.function : "";
	gap = site.function ? " " : "";
	if (site.file)
		snprintf(buf, size, "%s%s%s:%d", function, gap, site.file,
			 site.line);
	else
		snprintf(buf, size, "%s%s%s+0x%" PRIx64, function, gap,
			 site.module, site.offset);
	return buf;
}

const char *
seam_map_build_id(struct seam_map *map, uint64_t addr)
{
	struct sym_place place;

	if (sym_place(map, addr, &place) || !place.mod)
		return NULL;
	return place.mod->build_id;
}
