/* SPDX-License-Identifier: MIT */
/*
 * The control socket's place: a directory that only we can write to, the
 * socket in mode 0600 from its first moment.  What is left of a controller
 * that was killed is removed; a live one's is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "inner.h"

#define LOCK_TRIES 100

static bool
is_ours_alone(const char *dir)
{
	struct stat st;

	return stat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid() && !(st.st_mode & 022);
}

static enum seam_code
make_directory(struct seam_session *s, struct seam_error *err)
{
	const char *base = getenv("XDG_RUNTIME_DIR");

	if (!base || base[0] != '/' || strlen(base) > 64 ||
	    !is_ours_alone(base))
		base = getenv("TMPDIR");
	if (!base || base[0] != '/' || strlen(base) > 64)
		base = "/tmp";
	if (asprintf(&s->dir, "%s/seam-XXXXXX", base) < 0)
		s->dir = NULL;
	if (!s->dir || !mkdtemp(s->dir))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot make a directory in %s: %s", base,
				 strerror(errno));
	s->own_dir = true;
	if (asprintf(&s->socket, "%s/control", s->dir) < 0)
		s->socket = NULL;
	return SEAM_OK;
}

static enum seam_code
check_directory(const char *dir, struct seam_error *err)
{
	struct stat st;

	if (stat(dir, &st))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "%s: %s", dir,
				 strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "%s is not a directory", dir);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "%s belongs to another user (uid %u), who "
				 "could put another socket there",
				 dir, st.st_uid);
	if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "%s is writable by others (mode %04o), who "
				 "could put another socket there",
				 dir, st.st_mode & 07777u);
	return SEAM_OK;
}

static enum seam_code
take_path(struct seam_session *s, const char *path, struct seam_error *err)
{
	char *copy;

	if (path[0] == '/')
		s->socket = strdup(path);
	else if (asprintf(&s->socket, "%s/%s", s->cwd, path) < 0)
		s->socket = NULL;
	copy = s->socket ? strdup(s->socket) : NULL;
	if (copy)
		s->dir = strdup(dirname(copy));
	free(copy);
	return s->dir ? check_directory(s->dir, err) : SEAM_OK;
}

/* Somebody's socket is in the way. */
static enum seam_code
clear_stale(const struct sockaddr_un *sa, struct seam_error *err)
{
	const char *path = sa->sun_path;
	struct stat st;
	int fd, r;

	if (lstat(path, &st))
		return errno == ENOENT ?
			   SEAM_OK :
			   sess_fail(err, SEAM_E_UNSUPPORTED, 0, "%s: %s", path,
				     strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "%s is there, and is no socket", path);
	if (st.st_uid != geteuid())
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "%s belongs to another user (uid %u)", path,
				 st.st_uid);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return SEAM_OK;
	r = connect(fd, (const struct sockaddr *)sa, sizeof(*sa));
	r = r ? errno : 0;
	close(fd);
	if (r == ECONNREFUSED && unlink(path) == 0)
		return SEAM_OK;
	if (r == 0 || r == EAGAIN)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "another controller serves %s", path);
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "%s is there: %s", path,
			 strerror(r));
}

static enum seam_code
bind_and_listen(struct seam_session *s, const struct sockaddr_un *sa,
		struct seam_error *err)
{
	struct stat st;

	/* What bind creates gets the mode of the socket itself. */
	if (fchmod(s->listener, 0600) ||
	    bind(s->listener, (const struct sockaddr *)sa, sizeof(*sa)) ||
	    listen(s->listener, SOMAXCONN) || lstat(sa->sun_path, &st))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot listen at %s: %s", sa->sun_path,
				 strerror(errno));
	s->own->socket_dev = st.st_dev;
	s->own->socket_inode = st.st_ino;
	return SEAM_OK;
}

/* One controller at a time looks at a directory's sockets, so that none
 * removes what another has just bound. */
static int
lock_directory(const char *dir)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		nanosleep(&nap, NULL);
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

enum seam_code
seam_listen(struct seam_session *s, const char *path, struct seam_error *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	enum seam_code code;
	int lock;

	code = path ? take_path(s, path, err) : make_directory(s, err);
	if (code != SEAM_OK)
		return code;
	if (!s->socket || !s->dir)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	if (strlen(s->socket) >= sizeof(sa.sun_path))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "the socket's path is %zu bytes long, and at "
				 "most %zu are possible: %s",
				 strlen(s->socket), sizeof(sa.sun_path) - 1,
				 s->socket);
	strcpy(sa.sun_path, s->socket);
	s->listener =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listener < 0)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "socket: %s",
				 strerror(errno));
	if (s->own_dir)
		return bind_and_listen(s, &sa, err);
	lock = lock_directory(s->dir);
	if (lock < 0)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "%s: cannot lock the directory", s->dir);
	code = clear_stale(&sa, err);
	if (code == SEAM_OK)
		code = bind_and_listen(s, &sa, err);
	close(lock);
	return code;
}

/* Removes it if it is still ours.  Async-signal-safe. */
void
seam_unlink_socket(struct seam_session *s)
{
	struct stat st;

	if (s->own->socket_inode && lstat(s->socket, &st) == 0 &&
	    st.st_ino == s->own->socket_inode &&
	    st.st_dev == s->own->socket_dev)
		unlink(s->socket);
	if (s->own_dir)
		rmdir(s->dir);
}

void
seam_unlisten(struct seam_session *s)
{
	if (s->listener >= 0)
		close(s->listener);
	s->listener = -1;
	seam_unlink_socket(s);
	s->own_dir = false;
	s->own->socket_inode = 0;
}
