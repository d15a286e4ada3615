/* SPDX-License-Identifier: MIT */
/* Scratch directories: one a replica, emptied before each run. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explore/runner.h"

static const char *
parent(void)
{
	const char *tmp = getenv("TMPDIR");

	return tmp && *tmp ? tmp : "/tmp";
}

/* Of the same length always: it comes into targets' environments. */
char *
scratch_new(unsigned number, const char **why)
{
	char *path;

	*why = "no memory";
	if (asprintf(&path, "%s/" SCRATCH_PREFIX "%08d.%02u.XXXXXX", parent(),
		     (int)getpid(), number) < 0)
		return NULL;
	if (mkdtemp(path))
		return path;
	*why = strerror(errno);
	free(path);
	return NULL;
}

/* What a target made unreadable for itself, it may still remove. */
static int
open_below(int dir, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, name, flags);

	if (fd >= 0 || errno != EACCES)
		return fd;
	fchmodat(dir, name, 0700, 0);
	return openat(dir, name, flags);
}

static bool clear_fd(int fd);

static bool
clear_entry(int dir, const char *name)
{
	int fd;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return true;
	if (!unlinkat(dir, name, 0) || errno == ENOENT)
		return true;
	fd = open_below(dir, name);
	if (fd < 0)
		return false;
	if (!clear_fd(fd))
		return false;
	return !unlinkat(dir, name, AT_REMOVEDIR) || errno == ENOENT;
}

/* Closes fd. */
static bool
clear_fd(int fd)
{
	DIR *dir = fdopendir(fd);
	bool good = dir;
	struct dirent *d;

	if (!dir)
		close(fd);
	while (good && (d = readdir(dir)))
		good = clear_entry(dirfd(dir), d->d_name);
	if (dir)
		closedir(dir);
	return good;
}

bool
scratch_clear(const char *path)
{
	int fd = open_below(AT_FDCWD, path);

	return fd >= 0 && clear_fd(fd);
}

void
scratch_free(char *path)
{
	if (path && scratch_clear(path))
		rmdir(path);
	free(path);
}

/* A controller that was killed could not remove its own. */
void
scratch_sweep(void)
{
	DIR *dir = opendir(parent());
	struct dirent *d;
	struct stat st;

	while (dir && (d = readdir(dir))) {
		pid_t pid;
		char *path;

		if (strncmp(d->d_name, SCRATCH_PREFIX,
			    sizeof(SCRATCH_PREFIX) - 1) != 0)
			continue;
		pid = (pid_t)strtol(d->d_name + sizeof(SCRATCH_PREFIX) - 1,
				    NULL, 10);
		if (pid <= 1 || kill(pid, 0) == 0 || errno != ESRCH ||
		    fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    st.st_uid != geteuid() || !S_ISDIR(st.st_mode) ||
		    asprintf(&path, "%s/%s", parent(), d->d_name) < 0)
			continue;
		scratch_free(path);
	}
	if (dir)
		closedir(dir);
}
