/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char all[64];

static void
make(char *path, size_t size, const char *name)
{
	const char *tmp = getenv("TMPDIR");
	int n = snprintf(path, size, "%s/%s-XXXXXX", tmp && *tmp ? tmp : "/tmp",
			 name);

	if (n < 0 || (size_t)n >= size || !mkdtemp(path)) {
		fprintf(stderr, "cannot make %s: %s\n", path, strerror(errno));
		exit(99);
	}
}

void
scratch_begin(void)
{
	make(all, sizeof(all), "suite");
	/* Some tests have targets of other users. */
	chmod(all, 0711);
	setenv("TMPDIR", all, 1);
}

void
scratch_end(void)
{
	scratch_remove(all);
}

void
scratch_make(char *path, size_t size)
{
	make(path, size, "check");
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return type == FTW_DP ? rmdir(path) : unlink(path);
}

void
scratch_remove(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
