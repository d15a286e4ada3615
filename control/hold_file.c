/* SPDX-License-Identifier: MIT */
/*
 * Holds on files are real locks of ours: an open file description lock for
 * fcntl and lockf, and without a range flock, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "rules_int.h"

#define LOOK_NS UINT64_C(20000000)

static struct flock
whole(const struct seam_armed *r, short type)
{
	return (struct flock){ .l_type = type,
			       .l_whence = SEEK_SET,
			       .l_start = (off_t)r->how.range.off,
			       .l_len = (off_t)r->how.range.len };
}

static bool
try_lock(struct seam_armed *r)
{
	bool read = r->how.mode == 'r';
	struct flock fl = whole(r, read ? F_RDLCK : F_WRLCK);

	if (fcntl(r->fd, F_OFD_SETLK, &fl))
		return false;
	if (r->how.range.given ||
	    !flock(r->fd, (read ? LOCK_SH : LOCK_EX) | LOCK_NB))
		return true;
	fl = whole(r, F_UNLCK);
	fcntl(r->fd, F_OFD_SETLK, &fl);
	errno = EAGAIN;
	return false;
}

/* Is the line of /proc/locks about that file, and whose is it? */
static bool
lock_line(const char *line, const struct stat *st, char *type, int *pid)
{
	unsigned major, minor;
	unsigned long long inode;

	return sscanf(line, "%*d: %15s %*s %*s %d %x:%x:%llu", type, pid,
		      &major, &minor, &inode) == 5 &&
	       major == major(st->st_dev) && minor == minor(st->st_dev) &&
	       inode == st->st_ino;
}

/* Of a lock that stands in our way: its pid, -1 for one that belongs to an
 * open file, 0 when it is not to be seen. */
static int
locker(const struct seam_armed *r, char type[16])
{
	struct flock fl = whole(r, r->how.mode == 'r' ? F_RDLCK : F_WRLCK);
	char line[256];
	struct stat st;
	int pid = 0;
	FILE *f;

	strcpy(type, "fcntl");
	if (!fcntl(r->fd, F_OFD_GETLK, &fl) && fl.l_type != F_UNLCK)
		return fl.l_pid;
	f = fstat(r->fd, &st) ? NULL : fopen("/proc/locks", "re");
	while (f && !pid && fgets(line, sizeof(line), f)) {
		if (!lock_line(line, &st, type, &pid) || strcmp(type, "FLOCK"))
			pid = 0;
	}
	if (f)
		fclose(f);
	strcpy(type, "flock");
	return pid;
}

static void
add_process(struct seam_session *s, struct seam_text *t, int pid)
{
	char path[SEAM_PATH], text[400];
	struct seam_thread *th;
	uint32_t i = 0;

	for (unsigned k = 0; k < s->processes; k++) {
		struct seam_process *p = &s->process[k];

		if (!seam_process_live(p) || p->pid != pid)
			continue;
		seam_text_add(t, ", which is %s%s%s",
			      seam_process_path(s, p, path),
			      p->alias ? " " : "", p->alias ? p->alias : "");
		while ((th = seam_thread_next(s, &i))) {
			if (th->proc != p->index)
				continue;
			seam_doing_describe(s, th, text, sizeof(text));
			seam_text_add(t, "; %s", text);
		}
		return;
	}
	seam_text_add(t, ", which is not of this session");
}

static enum seam_code
not_granted(struct seam_session *s, struct seam_armed *r,
	    struct seam_error *err)
{
	char buf[700] = "", type[16] = "";
	struct seam_text t = { .buf = buf, .size = sizeof(buf) };
	int pid = locker(r, type);

	if (pid > 0) {
		seam_text_add(&t, "locked by process %d (%s)", pid, type);
		add_process(s, &t, pid);
	} else if (pid < 0) {
		seam_text_add(&t, "locked through an open file (OFD lock)");
	} else {
		seam_text_add(&t, "locked by somebody who is not to be seen");
	}
	return sess_fail(err, SEAM_E_TIMEOUT, r->sel.obj.column,
			 "after %llu ms still %s",
			 (unsigned long long)r->how.timeout_ms, buf);
}

static char *
full_path(const struct seam_session *s, const char *name)
{
	char *path = NULL;

	if (*name == '/' || !s->cwd)
		return strdup(name);
	if (asprintf(&path, "%s/%s", s->cwd, name) < 0)
		return NULL;
	return path;
}

static enum seam_code
open_file(struct seam_session *s, struct seam_armed *r, struct seam_error *err)
{
	char *path = full_path(s, r->sel.obj.name);
	const int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int e;

	if (!path)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	r->fd = open(path, O_RDWR | flags);
	if (r->fd < 0 && r->how.mode == 'r' && errno != ENOENT)
		r->fd = open(path, O_RDONLY | flags);
	e = errno;
	free(path);
	if (r->fd >= 0)
		return SEAM_OK;
	return sess_fail(err,
			 e == ENOENT || e == ENOTDIR ? SEAM_E_NO_SUCH_OBJECT :
						       SEAM_E_UNSUPPORTED,
			 r->sel.obj.column, "cannot open '%s' for %s: %s",
			 seam_show(r->sel.obj.name).s,
			 r->how.mode == 'r' ? "reading" : "writing",
			 strerror(e));
}

static enum seam_code
await(struct seam_session *s, struct seam_armed *r, struct seam_error *err)
{
	uint64_t now = seam_now(), until = now + r->how.timeout_ms * 1000000;
	uint32_t birth = r->birth, bell;

	for (;;) {
		if (!r->used || r->birth != birth)
			return sess_fail(err, SEAM_E_GONE, 0,
					 "the hold was deleted meanwhile");
		bell = atomic_load(&s->arena->head.bell);
		if (try_lock(r))
			return SEAM_OK;
		if (errno != EAGAIN && errno != EACCES)
			return sess_fail(err, SEAM_E_UNSUPPORTED,
					 r->sel.obj.column,
					 "cannot lock '%s': %s",
					 seam_show(r->sel.obj.name).s,
					 strerror(errno));
		now = seam_now();
		if (now >= until || seam_ending(s))
			return not_granted(s, r, err);
		seam_bell_wait(s, bell,
			       now + LOOK_NS < until ? now + LOOK_NS : until);
	}
}

enum seam_code
seam_hold_file(struct seam_session *s, const struct seam_object_name *obj,
	       const struct seam_hold_how *how, const char *as, const char **id,
	       struct seam_error *err)
{
	struct seam_armed *r = seam_rule_new(s, SEAM_RULE_HOLD, as, err);
	enum seam_code code;
	uint32_t birth;

	if (!r)
		return err->code;
	birth = r->birth;
	r->how = *how;
	r->how.proc = NULL;
	r->sel.has_obj = true;
	r->held_kind = SEAM_KIND_FILE;
	if (seam_copy_object_name(&r->sel.obj, obj))
		code = open_file(s, r, err);
	else
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	if (!code)
		code = await(s, r, err);
	if (!code) {
		r->granted = true;
		if (id)
			*id = r->id;
	} else if (r->used && r->birth == birth) {
		seam_rule_drop(s, r);
	}
	return code;
}

void
seam_hold_end(struct seam_armed *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	seam_hold_sem_give(r);
}
