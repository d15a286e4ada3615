/* SPDX-License-Identifier: MIT */
/*
 * dlopen.  It looks at its return address: the caller's object lends its
 * RPATH or RUNPATH to a search, and is what $ORIGIN in the name stands for.
 * Called from here, that would be libseam.so.
 *
 * So the passive way out must be a jump, which leaves the return address
 * alone (clang: musttail; gcc: sibling calls, which need optimisation, hence
 * the attribute).  Otherwise there is an event after the call, and we look
 * the file up as the caller would have: first among what is loaded, then in
 * those directories of the caller's search path which ours lacks, in order.
 *
 * Not imitated: glibc-hwcaps subdirectories of an RPATH or RUNPATH, the name
 * by which the library is known afterwards (with its directory), and, when a
 * file in such a directory cannot be loaded, its error: the search goes on.
 */
#include <limits.h>
#include <link.h>
#include <string.h>

#include "hooks.h"

#ifdef __clang__
#define JUMP_TO __attribute__((musttail)) return
#define JUMPS
#else
#define JUMP_TO return
#define JUMPS __attribute__((optimize("O2")))
#endif

/* Loaded objects */

static const char *
soname_of(const struct dl_phdr_info *o, const ElfW(Dyn) * d)
{
	ElfW(Addr) strings = 0, name = 0;

	for (; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_STRTAB)
			strings = d->d_un.d_ptr;
		else if (d->d_tag == DT_SONAME)
			name = d->d_un.d_val;
	}
	if (strings < o->dlpi_addr) /* the vDSO's is not relocated */
		strings += o->dlpi_addr;
	return name != 0 ? seam_ptr(strings + name) : NULL;
}

static int
has_soname(struct dl_phdr_info *o, size_t size, void *wanted)
{
	const char *name = NULL;

	(void)size;
	for (int i = 0; i < o->dlpi_phnum; i++)
		if (o->dlpi_phdr[i].p_type == PT_DYNAMIC)
			name = soname_of(o, seam_ptr(o->dlpi_addr +
						     o->dlpi_phdr[i].p_vaddr));
	return name != NULL && strcmp(name, wanted) == 0;
}

static struct link_map *
object_at(const void *address)
{
	void *map = NULL;
	Dl_info info;

	return dladdr1(address, &info, &map, RTLD_DL_LINKMAP) ? map : NULL;
}

/* Search paths: in glibc, an object's link_map is a handle of it. */

static size_t
path_size(struct link_map *map)
{
	Dl_serinfo info;

	return dlinfo(map, RTLD_DI_SERINFOSIZE, &info) == 0 ? info.dls_size : 0;
}

static bool
get_path(struct link_map *map, Dl_serinfo *path)
{
	return dlinfo(map, RTLD_DI_SERINFOSIZE, path) == 0 &&
	       dlinfo(map, RTLD_DI_SERINFO, path) == 0;
}

/* How many of a's directories come before the ending it shares with b. */
static unsigned
beyond(const Dl_serinfo *a, const Dl_serinfo *b)
{
	unsigned i = a->dls_cnt, j = b->dls_cnt;

	while (i > 0 && j > 0 &&
	       strcmp(a->dls_serpath[i - 1].dls_name,
		      b->dls_serpath[j - 1].dls_name) == 0)
		i--, j--;
	return i;
}

static bool
join(char *out, const char *directory, size_t n, const char *file)
{
	if (n + 1 + strlen(file) >= PATH_MAX)
		return false;
	memcpy(out, directory, n);
	out[n] = '/';
	strcpy(out + n + 1, file);
	return true;
}

static void *
open_in(const Dl_serinfo *path, unsigned n, const char *file, int flags)
{
	char name[PATH_MAX];
	void *handle = NULL;

	for (unsigned i = 0; i < n && handle == NULL; i++) {
		const char *directory = path->dls_serpath[i].dls_name;
		if (join(name, directory, strlen(directory), file) &&
		    access(name, R_OK) == 0)
			handle = seam_real.dlopen(name, flags);
	}
	return handle;
}

static void *
open_by_path(struct link_map *caller, const char *file, int flags)
{
	struct link_map *self = object_at(&seam_real);
	size_t theirs = path_size(caller), ours = path_size(self);
	_Alignas(Dl_serinfo) char space[theirs + 1], own_space[ours + 1];
	Dl_serinfo *path = (void *)space, *own = (void *)own_space;

	if (theirs == 0 || ours == 0 || !get_path(caller, path) ||
	    !get_path(self, own) ||
	    dl_iterate_phdr(has_soname, seam_ptr(seam_word(file))))
		return NULL;
	return open_in(path, beyond(path, own), file, flags);
}

/* $ORIGIN/rest or ${ORIGIN}/rest */
static void *
open_by_origin(struct link_map *caller, const char *file, int flags)
{
	char self[PATH_MAX], name[PATH_MAX];
	const char *object = caller->l_name, *rest = NULL;
	ssize_t n;

	if (strncmp(file, "$ORIGIN/", 8) == 0)
		rest = file + 8;
	else if (strncmp(file, "${ORIGIN}/", 10) == 0)
		rest = file + 10;
	if (rest == NULL)
		return NULL;
	if (*object == '\0') { /* the program itself */
		n = readlink("/proc/self/exe", self, sizeof(self) - 1);
		self[n < 0 ? 0 : n] = '\0';
		object = self;
	}
	const char *slash = strrchr(object, '/');
	if (slash == NULL ||
	    !join(name, object, (size_t)(slash - object), rest))
		return NULL;
	return seam_real.dlopen(name, flags);
}

static void *
open_as(uint64_t site, const char *file, int flags)
{
	struct link_map *caller;
	void *handle = NULL;
	int saved = errno;

	if (file != NULL && (caller = object_at(seam_ptr(site))) != NULL) {
		if (strchr(file, '$') != NULL)
			handle = open_by_origin(caller, file, flags);
		else if (*file != '\0' && strchr(file, '/') == NULL)
			handle = open_by_path(caller, file, flags);
		errno = saved;
	}
	return handle != NULL ? handle : seam_real.dlopen(file, flags);
}

_Atomic unsigned seam_modules_opening;

static __attribute__((noinline)) void *
armed_dlopen(const char *file, int flags, uint64_t site)
{
	struct seam_call c = {
		.fn = SEAM_FN_dlopen,
		.verb = SEAM_MODULE_OPEN,
		.site = site,
		.name = file,
	};
	seam_ready();
	int error = seam_gate_before(&c);
	if (error != 0) {
		errno = error;
		return NULL;
	}
	seam_modules_opening++;
	void *handle = open_as(site, file, flags);
	seam_modules_opening--;
	int saved = errno;
	if (handle != NULL && file != NULL && !(flags & RTLD_NOLOAD))
		seam_modules_changed();
	seam_gate_after(&c, handle != NULL ? 0 : ENOENT);
	errno = saved;
	return handle;
}

SEAM_EXPORT JUMPS void *
dlopen(const char *file, int flags)
{
	if (SEAM_PASSIVE(MODULE_OPEN))
		JUMP_TO seam_real.dlopen(file, flags);
	return armed_dlopen(file, flags, SEAM_SITE);
}
