/* SPDX-License-Identifier: MIT */
/* ELF files: finding, opening and caching them. */
#include "symbols_int.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_regular(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 && (fstat(fd, st) || !S_ISREG(st->st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Is that the executable of the process? */
static bool
is_main(const struct seam_map *map, const struct sym_file *file)
{
	char link[64], path[PATH_MAX + 16];
	size_t len = strlen(file->path);
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", map->pid);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	if (strncmp(path, file->path, len) != 0)
		return false;
	return strcmp(path + len, file->deleted ? " (deleted)" : "") == 0;
}

static int
open_mapped(const struct seam_map *map, const struct sym_file *file)
{
	char path[96];
	struct stat st;
	size_t i;

	for (i = 0; i < map->n; i++)
		if (map->v[i].file == file)
			break;
	if (i == map->n)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", map->pid,
		 (unsigned long long)map->v[i].lo,
		 (unsigned long long)map->v[i].hi);
	return open_regular(path, &st);
}

/* Nobody wrote it since the map was read. */
static bool
is_older(const struct stat *st, const struct seam_map *map)
{
	if (st->st_ctim.tv_sec != map->read_at.tv_sec)
		return st->st_ctim.tv_sec < map->read_at.tv_sec;
	return st->st_ctim.tv_nsec < map->read_at.tv_nsec;
}

/*
 * The path itself, where /proc/PID/root failed.  For a process that is gone
 * it is taken unless it was changed since; while one lives in a file system
 * we cannot see, only the inode tells that it is the same file.  (The inode
 * alone would not do: overlayfs shows another one in maps.)
 */
static int
open_path(const struct seam_map *map, const struct sym_file *file)
{
	char proc[64];
	struct stat st;
	bool gone;
	int fd;

	fd = open_regular(file->path, &st);
	if (fd < 0 || st.st_ino == file->ino)
		return fd;
	snprintf(proc, sizeof(proc), "/proc/%d/root/", map->pid);
	gone = access(proc, F_OK) != 0;
	if (gone && !file->deleted && is_older(&st, map))
		return fd;
	close(fd);
	return -1;
}

static int
open_file(const struct seam_map *map, const struct sym_file *file, char *root,
	  size_t size)
{
	struct stat st;
	char *path;
	int fd;

	snprintf(root, size, "/proc/%d/exe", map->pid);
	fd = is_main(map, file) ? open_regular(root, &st) : -1;
	snprintf(root, size, "/proc/%d/root", map->pid);
	if (fd >= 0)
		return fd;
	if (asprintf(&path, "%s%s", root, file->path) < 0)
		return -1;
	fd = open_regular(path, &st);
	free(path);
	if (fd >= 0 && (!file->deleted || st.st_ino == file->ino))
		return fd;
	if (fd >= 0)
		close(fd);
	fd = open_path(map, file);
	if (fd >= 0)
		*root = '\0';
	return fd >= 0 ? fd : open_mapped(map, file);
}

int
sym_file_open(struct seam_map *map, struct sym_file *file)
{
	char root[64];
	int fd;

	if (file->opened)
		return file->mod ? 0 : -ENOENT;
	file->opened = true;
	fd = open_file(map, file, root, sizeof(root));
	if (fd >= 0)
		file->mod = sym_module_open(map->syms, fd, file->path, root);
	return file->mod ? 0 : -ENOENT;
}

static int
read_segments(struct sym_module *m)
{
	size_t n, i;
	GElf_Phdr ph;

	if (elf_getphdrnum(m->elf, &n) || n == 0 || n > 65536)
		return -ENOEXEC;
	m->segs = calloc(n, sizeof(*m->segs));
	if (!m->segs)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(m->elf, (int)i, &ph))
			return -ENOEXEC;
		m->has_interp |= ph.p_type == PT_INTERP;
		if (ph.p_type != PT_LOAD || ph.p_filesz > ph.p_memsz ||
		    ph.p_vaddr + ph.p_memsz < ph.p_vaddr ||
		    ph.p_offset + ph.p_filesz < ph.p_offset)
			continue;
		m->segs[m->nsegs++] = (struct sym_seg){
			.vaddr = ph.p_vaddr,
			.offset = ph.p_offset,
			.filesz = ph.p_filesz,
			.memsz = ph.p_memsz,
			.exec = ph.p_flags & PF_X,
		};
	}
	return m->nsegs ? 0 : -ENOEXEC;
}

static void
read_build_id(struct sym_module *m)
{
	static const char digits[] = "0123456789abcdef";
	const void *bits;
	const unsigned char *p;
	char hex[2 * 64 + 1];
	ssize_t n = dwelf_elf_gnu_build_id(m->elf, &bits), i;

	if (n <= 0 || n > 64)
		return;
	for (p = bits, i = 0; i < n; i++) {
		hex[2 * i] = digits[p[i] >> 4];
		hex[2 * i + 1] = digits[p[i] & 15];
	}
	hex[2 * n] = '\0';
	m->build_id = sym_intern(m->syms, hex);
}

/* Other files are mapped, too; libdwfl would try to uncompress them. */
static bool
is_program(int fd)
{
	unsigned char head[18];
	unsigned type;

	if (pread(fd, head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head, ELFMAG, SELFMAG) != 0)
		return false;
	type = head[EI_DATA] == ELFDATA2MSB ? head[17] : head[16];
	return type == ET_EXEC || type == ET_DYN;
}

/* Takes fd, also when it fails. */
static int
open_elf(struct sym_module *m, int fd)
{
	GElf_Addr bias;
	void **userdata;

	if (!is_program(fd) || !(m->dwfl = dwfl_begin(&sym_callbacks))) {
		close(fd);
		return -ENOEXEC;
	}
	dwfl_report_begin(m->dwfl);
	m->mod =
	    dwfl_report_elf(m->dwfl, sym_base(m->path), m->path, fd, 0, true);
	if (!m->mod) {
		close(fd);
		return -ENOEXEC;
	}
	dwfl_report_end(m->dwfl, NULL, NULL);
	dwfl_module_info(m->mod, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = m;
	m->elf = dwfl_module_getelf(m->mod, &bias);
	if (!m->elf)
		return -ENOEXEC;
	m->dwbias = 0 - bias;
	read_build_id(m);
	return read_segments(m);
}

static struct sym_module *
find_module(const struct seam_syms *syms, const struct stat *st)
{
	struct sym_module *m;

	for (m = syms->modules; m; m = m->next)
		if (m->ino == st->st_ino && m->dev == st->st_dev &&
		    m->size == st->st_size &&
		    m->mtime.tv_sec == st->st_mtim.tv_sec &&
		    m->mtime.tv_nsec == st->st_mtim.tv_nsec)
			return m;
	return NULL;
}

/*
 * The module of an open file; takes fd.  NULL when that is no ELF program;
 * this is remembered, too.
 */
struct sym_module *
sym_module_open(struct seam_syms *syms, int fd, const char *path,
		const char *root)
{
	struct sym_module *m;
	struct stat st;

	if (fstat(fd, &st)) {
		close(fd);
		return NULL;
	}
	m = find_module(syms, &st);
	if (m || !(m = calloc(1, sizeof(*m)))) {
		close(fd);
		return m && m->segs ? m : NULL;
	}
	m->syms = syms;
	m->dev = st.st_dev;
	m->ino = st.st_ino;
	m->size = st.st_size;
	m->mtime = st.st_mtim;
	m->path = sym_intern(syms, path);
	m->root = sym_intern(syms, root);
	m->next = syms->modules;
	syms->modules = m;
	if (!m->path || !m->root) {
		close(fd);
		return NULL;
	}
	if (open_elf(m, fd) == 0)
		return m;
	free(m->segs);
	m->segs = NULL;
	return NULL;
}

void
sym_module_free(struct sym_module *m)
{
	size_t i;

	for (i = 0; i < m->ncus; i++)
		sym_items_free(&m->cus[i].fns);
	free(m->cus);
	sym_items_free(&m->curanges);
	sym_items_free(&m->data);
	sym_items_free(&m->data_by_key);
	sym_items_free(&m->copies);
	sym_items_free(&m->funcs);
	sym_items_free(&m->funcs_by_key);
	free(m->sites);
	free(m->segs);
	if (m->dwfl)
		dwfl_end(m->dwfl);
	free(m);
}

const struct sym_seg *
sym_module_seg(const struct sym_module *m, uint64_t v)
{
	size_t i;

	for (i = 0; i < m->nsegs; i++)
		if (v >= m->segs[i].vaddr &&
		    v - m->segs[i].vaddr < m->segs[i].memsz)
			return &m->segs[i];
	return NULL;
}

/* Code that the linker left out has addresses near 0. */
bool
sym_module_exec(const struct sym_module *m, uint64_t lo, uint64_t hi)
{
	const struct sym_seg *seg = sym_module_seg(m, lo);

	return seg && seg->exec && hi >= lo && hi - seg->vaddr <= seg->memsz;
}
