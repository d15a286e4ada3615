/* SPDX-License-Identifier: MIT */
/* /proc/PID/maps. */
#include "symbols_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

struct line {
	struct sym_entry entry;
	dev_t dev;
	ino_t ino;
	char *path; /* in the text */
};

/* Reads a number that ends in `end`; moves *p behind that. */
static int
number(char **p, int base, char end, uint64_t *value)
{
	char *rest;

	if (**p == '\0' || strchr(" \t+-", **p))
		return -EINVAL;
	errno = 0;
	*value = strtoull(*p, &rest, base);
	if (errno || rest == *p || *rest != end)
		return -EINVAL;
	*p = rest + 1;
	return 0;
}

/* lo-hi perms offset major:minor inode [path] */
static int
parse_line(char *s, struct line *line)
{
	struct sym_entry *e = &line->entry;
	uint64_t major, minor, ino;

	memset(line, 0, sizeof(*line));
	if (number(&s, 16, '-', &e->lo) || number(&s, 16, ' ', &e->hi))
		return -EINVAL;
	if (e->lo >= e->hi || strcspn(s, " ") != 4)
		return -EINVAL;
	e->exec = s[2] == 'x';
	e->shared = s[3] == 's';
	s += 5;
	if (number(&s, 16, ' ', &e->offset) || number(&s, 16, ':', &major) ||
	    number(&s, 16, ' ', &minor))
		return -EINVAL;
	/* the inode may be the last word */
	if (!strchr(s, ' ')) {
		line->path = s + strlen(s);
		return number(&s, 10, '\0', &ino);
	}
	if (number(&s, 10, ' ', &ino))
		return -EINVAL;
	line->path = s + strspn(s, " ");
	line->dev = makedev((unsigned)major, (unsigned)minor);
	line->ino = (ino_t)ino;
	return 0;
}

static struct sym_file *
find_file(struct seam_map *map, const struct line *line, const char *path)
{
	struct sym_file *f;

	for (f = map->files; f; f = f->next)
		if (f->ino == line->ino && f->dev == line->dev &&
		    f->path == path)
			return f;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->dev = line->dev;
	f->ino = line->ino;
	f->path = path;
	f->name = sym_intern(map->syms, sym_base(path));
	if (!f->name) {
		free(f);
		return NULL;
	}
	f->next = map->files;
	map->files = f;
	return f;
}

static int
set_file(struct seam_map *map, struct line *line)
{
	static const char gone[] = " (deleted)";
	size_t len = strlen(line->path), n = sizeof(gone) - 1;
	struct sym_file *f;
	const char *path;
	bool deleted;

	if (line->path[0] != '/')
		return 0;
	deleted = len > n && strcmp(line->path + len - n, gone) == 0;
	if (deleted)
		line->path[len - n] = '\0';
	path = sym_intern(map->syms, line->path);
	f = path ? find_file(map, line, path) : NULL;
	if (!f)
		return -ENOMEM;
	f->deleted = deleted;
	if (!f->seen)
		f->exec = false;
	f->exec |= line->entry.exec;
	f->seen = true;
	f->placed = false;
	line->entry.file = f;
	return 0;
}

static int
parse(struct seam_map *map, char *text, struct sym_entry *v, size_t *n)
{
	uint64_t last = 0;
	struct line line;
	char *end;
	int rc;

	for (*n = 0; *text; text = end + 1) {
		end = strchr(text, '\n');
		if (!end)
			return -EINVAL;
		*end = '\0';
		rc = parse_line(text, &line);
		if (rc == 0 && line.entry.lo < last)
			rc = -EINVAL;
		if (rc == 0)
			rc = set_file(map, &line);
		if (rc)
			return rc;
		last = line.entry.hi;
		v[(*n)++] = line.entry;
	}
	return *n ? 0 : -ESRCH;
}

static void
drop_unseen(struct seam_map *map)
{
	struct sym_file **at = &map->files, *f;

	while ((f = *at)) {
		if (f->seen) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		free(f->biases);
		free(f);
	}
}

/* Replaces the map's contents; on failure they stay as they were. */
int
sym_maps_parse(struct seam_map *map, char *text)
{
	struct sym_entry *v;
	struct sym_file *f;
	size_t lines = 1, n;
	const char *p;
	int rc;

	for (p = text; (p = strchr(p, '\n')); p++)
		lines++;
	v = calloc(lines, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (f = map->files; f; f = f->next)
		f->seen = false;
	rc = parse(map, text, v, &n);
	if (rc) {
		free(v);
		return rc;
	}
	drop_unseen(map);
	free(map->v);
	map->v = v;
	map->n = n;
	return 0;
}

const struct sym_entry *
sym_map_entry(const struct seam_map *map, uint64_t addr)
{
	size_t lo = 0, hi = map->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (map->v[mid].hi <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < map->n && map->v[lo].lo <= addr ? &map->v[lo] : NULL;
}

int
seam_map_backing(struct seam_map *map, uint64_t addr,
		 struct seam_backing *backing)
{
	const struct sym_entry *e = sym_map_entry(map, addr);

	if (!e || !e->shared || !e->file)
		return -ENOENT;
	backing->dev = e->file->dev;
	backing->ino = e->file->ino;
	backing->offset = e->offset + (addr - e->lo);
	return 0;
}

uint64_t
seam_map_unbacking(struct seam_map *map, const struct seam_backing *backing)
{
	size_t i;

	for (i = 0; i < map->n; i++) {
		const struct sym_entry *e = &map->v[i];

		if (!e->shared || !e->file || e->file->ino != backing->ino ||
		    e->file->dev != backing->dev)
			continue;
		if (backing->offset >= e->offset &&
		    backing->offset - e->offset < e->hi - e->lo)
			return e->lo + (backing->offset - e->offset);
	}
	return 0;
}
