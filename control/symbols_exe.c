/* SPDX-License-Identifier: MIT */
/* Can a program be preloaded? */
#include "symbols_int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* As many as the kernel follows. */
#define SCRIPTS_MAX 5

static const struct {
	unsigned machine;
	int class;
	const char *text;
} machines[] = {
	{ EM_X86_64, ELFCLASS64, "for another machine (x86_64)" },
	{ EM_X86_64, ELFCLASS32, "for another machine (x32)" },
	{ EM_386, ELFCLASS32, "for another machine (i386)" },
	{ EM_AARCH64, ELFCLASS64, "for another machine (aarch64)" },
	{ EM_ARM, ELFCLASS32, "for another machine (arm)" },
	{ EM_RISCV, ELFCLASS64, "for another machine (riscv64)" },
	{ EM_PPC64, ELFCLASS64, "for another machine (ppc64)" },
	{ EM_S390, ELFCLASS64, "for another machine (s390x)" },
	{ EM_LOONGARCH, ELFCLASS64, "for another machine (loongarch64)" },
};

static const char *
machine_text(const GElf_Ehdr *eh)
{
	size_t i;

	for (i = 0; i < sizeof(machines) / sizeof(*machines); i++)
		if (machines[i].machine == eh->e_machine &&
		    machines[i].class == eh->e_ident[EI_CLASS])
			return machines[i].text;
	return "for another machine";
}

static bool
same_machine(const GElf_Ehdr *eh)
{
	bool same = true;
	GElf_Ehdr own;
	Elf *elf;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return true;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && gelf_getehdr(elf, &own))
		same = own.e_machine == eh->e_machine &&
		       own.e_ident[EI_CLASS] == eh->e_ident[EI_CLASS] &&
		       own.e_ident[EI_DATA] == eh->e_ident[EI_DATA];
	elf_end(elf);
	close(fd);
	return same;
}

/* The dynamic linker ignores LD_PRELOAD with a path in it for these. */
static const char *
check_secure(int fd, const struct stat *st)
{
	struct statvfs vfs;

	if (fstatvfs(fd, &vfs) == 0 && (vfs.f_flag & ST_NOSUID))
		return NULL;
	if ((st->st_mode & S_ISUID) && st->st_uid != geteuid())
		return "setuid";
	/* without execution for the group it means mandatory locking */
	if ((st->st_mode & S_ISGID) && (st->st_mode & S_IXGRP) &&
	    st->st_gid != getegid())
		return "setgid";
	if (geteuid() && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return "with file capabilities";
	return NULL;
}

/* The dynamic linker's path is in the file at ph. */
static const char *
check_interp(int fd, const GElf_Phdr *ph)
{
#ifdef __GLIBC__
	char path[256] = "";
	size_t n =
	    ph->p_filesz < sizeof(path) ? ph->p_filesz : sizeof(path) - 1;

	if (ph->p_offset > INT64_MAX ||
	    pread(fd, path, n, (off_t)ph->p_offset) != (ssize_t)n)
		return "a damaged ELF program";
	path[sizeof(path) - 1] = '\0';
	if (strncmp(sym_base(path), "ld-musl", 7) == 0)
		return "linked with another C library (musl)";
#else
	(void)fd, (void)ph;
#endif
	return NULL;
}

static const char *
check_headers(int fd, Elf *elf)
{
	const char *damaged = "a damaged ELF program";
	size_t n, i;
	GElf_Ehdr eh;
	GElf_Phdr ph;

	if (!gelf_getehdr(elf, &eh))
		return damaged;
	if (!same_machine(&eh))
		return machine_text(&eh);
	if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
		return "not an ELF program";
	if (elf_getphdrnum(elf, &n) || n == 0 || n > INT_MAX)
		return damaged;
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &ph))
			return damaged;
		if (ph.p_type == PT_INTERP)
			return check_interp(fd, &ph);
	}
	return "statically linked";
}

static const char *
check_elf(int fd, const struct stat *st)
{
	const char *why;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		why = "not an ELF program";
	else
		why = check_headers(fd, elf);
	elf_end(elf);
	return why ? why : check_secure(fd, st);
}

/* Replaces path by the interpreter's, if that is a script. */
static bool
read_script(int fd, char *path, size_t size)
{
	char line[256];
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
	char *s;

	if (n < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	s = line + 2 + strspn(line + 2, " \t");
	s[strcspn(s, " \t")] = '\0';
	if (strlen(s) >= size)
		return false;
	memcpy(path, s, strlen(s) + 1);
	return true;
}

/* One step: sets *script when path was replaced by an interpreter. */
static const char *
check_file(char *path, size_t size, bool *script)
{
	const char *why = NULL;
	struct stat st;
	int fd;

	*script = false;
	if (stat(path, &st))
		return errno == EACCES ? "out of reach" : "missing";
	if (!S_ISREG(st.st_mode))
		return "not an ELF program";
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == EACCES ? "not readable" :
					 strerrordesc_np(errno);
	*script = read_script(fd, path, size);
	if (!*script)
		why = check_elf(fd, &st);
	close(fd);
	return why;
}

const char *
seam_exe_unhookable(const char *path)
{
	char next[PATH_MAX];
	const char *why;
	bool script;
	int i;

	if (strlen(path) >= sizeof(next))
		return "missing";
	strcpy(next, path);
	for (i = 0; i < SCRIPTS_MAX; i++) {
		why = check_file(next, sizeof(next), &script);
		if (!script)
			return why;
	}
	return "a script of too many scripts";
}
