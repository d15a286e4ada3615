/* SPDX-License-Identifier: MIT */
/* Files of output: whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explore/out_run.h"
#include "rules_int.h"

/* A device or a pipe is written to as it is. */
static bool
is_other_kind(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

/* 0 or errno.  Closes fd. */
static int
put_fd(int fd, bool (*put)(FILE *f, void *data), void *data, bool sync)
{
	FILE *f = fdopen(fd, "w");
	int why = 0;

	if (!f) {
		why = errno;
		close(fd);
		return why;
	}
	errno = 0;
	if (!put(f, data) && !ferror(f))
		why = ENOMEM;
	if (!why && (ferror(f) || fflush(f) || (sync && fsync(fd))))
		why = errno ? errno : EIO;
	if (fclose(f) && !why)
		why = errno;
	return why;
}

static int
put_beside(const char *path, bool (*put)(FILE *f, void *data), void *data)
{
	char *name;
	int fd, why;

	if (asprintf(&name, "%s.XXXXXX", path) < 0)
		return ENOMEM;
	fd = mkostemp(name, O_CLOEXEC);
	why = fd < 0 ? errno : 0;
	if (!why && fchmod(fd, 0644))
		errno = 0;
	if (!why)
		why = put_fd(fd, put, data, true);
	if (!why && rename(name, path))
		why = errno;
	if (why && fd >= 0)
		unlink(name);
	free(name);
	return why;
}

enum seam_code
out_write(const char *path, bool (*put)(FILE *f, void *data), void *data,
	  struct seam_error *err)
{
	int fd, why;

	if (is_other_kind(path)) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		why = fd < 0 ? errno : put_fd(fd, put, data, false);
	} else {
		why = put_beside(path, put, data);
	}
	return why ? sess_fail(err, SEAM_E_UNSUPPORTED, 0,
			       "cannot write %s: %s", path, strerror(why)) :
		     SEAM_OK;
}
