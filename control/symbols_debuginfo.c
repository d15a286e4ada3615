/* SPDX-License-Identifier: MIT */
/*
 * Finding separate debug files: by build id and .gnu_debuglink, on this
 * machine only.  dwfl_standard_find_debuginfo would go on to ask debuginfod
 * over the network.
 */
#include "symbols_int.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint32_t
crc32_add(uint32_t crc, const unsigned char *p, size_t n)
{
	static uint32_t table[256];
	uint32_t c;
	unsigned i, k;

	for (i = 0; !table[255] && i < 256; i++) {
		for (c = i, k = 0; k < 8; k++)
			c = (c >> 1) ^ (c & 1 ? 0xedb88320u : 0);
		table[i] = c;
	}
	crc = ~crc;
	while (n--)
		crc = (crc >> 8) ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}

static bool
crc_matches(int fd, uint32_t wanted)
{
	unsigned char buf[16384];
	uint32_t crc = 0;
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		crc = crc32_add(crc, buf, (size_t)n);
		at += n;
	}
	return n == 0 && crc == wanted;
}

/* 1: same build id, 0: another one, -1: it cannot be told */
static int
same_build(Dwfl_Module *mod, int fd)
{
	const unsigned char *ours;
	const void *theirs;
	GElf_Addr where;
	int len = dwfl_module_build_id(mod, &ours, &where), rc = -1;
	Elf *elf;

	if (len <= 0)
		return -1;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return -1;
	if (dwelf_elf_gnu_build_id(elf, &theirs) > 0)
		rc = dwelf_elf_gnu_build_id(elf, &theirs) == len &&
		     memcmp(ours, theirs, (size_t)len) == 0;
	elf_end(elf);
	return rc;
}

static int
try_file(Dwfl_Module *mod, const char *path, GElf_Word crc, char **name)
{
	struct stat st;
	int fd, same;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		goto no;
	/* dwz files come without a checksum; libdwfl compares build ids */
	same = crc ? same_build(mod, fd) : 1;
	if (same == 0 || (same < 0 && !crc_matches(fd, crc)))
		goto no;
	*name = strdup(path);
	if (*name)
		return fd;
no:
	close(fd);
	return -1;
}

static int
find_by_link(Dwfl_Module *mod, const struct sym_module *m, const char *link,
	     GElf_Word crc, char **name)
{
	const char *roots[2] = { m->root, "" };
	int dirlen = (int)(sym_base(m->path) - m->path), fd, i, k;
	static const char *const forms[] = { "%s%.*s%s", "%s%.*s.debug/%s",
					     "%s/usr/lib/debug%.*s%s" };
	char *path;

	for (i = *m->root ? 0 : 1; i < 2; i++) {
		for (k = 0; k < 3; k++) {
			if (*link == '/')
				dirlen = 0;
				/* forms[] are literals above */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			if (asprintf(&path, forms[k], roots[i], dirlen, m->path,
				     link) < 0)
				return -1;
#pragma GCC diagnostic pop
			fd = try_file(mod, path, crc, name);
			free(path);
			if (fd >= 0)
				return fd;
		}
	}
	return -1;
}

static int
find_debuginfo(Dwfl_Module *mod, void **userdata, const char *modname,
	       Dwarf_Addr base, const char *file, const char *link,
	       GElf_Word crc, char **name)
{
	const struct sym_module *m = *userdata;
	int fd;

	fd = dwfl_build_id_find_debuginfo(mod, userdata, modname, base, file,
					  link, crc, name);
	if (fd >= 0 || !link || !*link || !m)
		return fd;
	return find_by_link(mod, m, link, crc, name);
}

/* Never needed: files are reported open. */
static int
find_elf(Dwfl_Module *mod, void **userdata, const char *modname,
	 Dwarf_Addr base, char **name, Elf **elf)
{
	(void)mod, (void)userdata, (void)modname;
	(void)base, (void)name, (void)elf;
	return -1;
}

const Dwfl_Callbacks sym_callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debuginfo,
};
