/* SPDX-License-Identifier: MIT */
/* What a step does to files, by inotify(7). */
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "permute_eyes.h"

#define DIRS_MAX 1024
#define READS ((uint32_t)IN_OPEN | IN_ACCESS)
#define NAMES ((uint32_t)IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define WRITES (NAMES | IN_MODIFY | IN_ATTRIB)

struct permute_watch_files {
	int fd;
	bool blind; /* not all could be watched */
	struct {
		int wd;
		char *path;
	} dir[DIRS_MAX];
	size_t dirs;
};

static void
watch_dir(struct permute_watch_files *w, const char *path)
{
	int wd = inotify_add_watch(w->fd, path, READS | WRITES | IN_ONLYDIR);
	char *copy;

	for (size_t i = 0; i < w->dirs; i++)
		if (w->dir[i].wd == wd)
			return;
	copy = wd >= 0 && w->dirs < DIRS_MAX ? strdup(path) : NULL;
	if (!copy) {
		w->blind |= wd >= 0 || errno != ENOENT;
		return;
	}
	w->dir[w->dirs].wd = wd;
	w->dir[w->dirs++].path = copy;
}

/* nftw(3) has no argument for it. */
static _Thread_local struct permute_watch_files *walking;

static int
walk(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_D)
		watch_dir(walking, path);
	return 0;
}

static void
watch_below(struct permute_watch_files *w, const char *path)
{
	walking = w;
	if (nftw(path, walk, 16, FTW_PHYS))
		w->blind = true;
}

void
permute_watch_beside(struct permute_watch_files *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path)) : NULL;

	if (dir)
		watch_dir(w, *dir ? dir : "/");
	free(dir);
}

static const char *
dir_of(const struct permute_watch_files *w, int wd)
{
	for (size_t i = 0; i < w->dirs; i++)
		if (w->dir[i].wd == wd)
			return w->dir[i].path;
	return NULL;
}

/* The names in a directory are a thing of their own beside itself. */
static void
touch_listing(struct permute_interval *to, const char *dir, bool writes)
{
	char text[PATH_MAX + 2];

	snprintf(text, sizeof(text), "%s/", dir);
	permute_touch_path(to, text, writes);
}

static void
take_event(struct permute_watch_files *w, const struct inotify_event *e,
	   struct permute_interval *to)
{
	const char *dir = dir_of(w, e->wd);
	char path[PATH_MAX + NAME_MAX + 2];

	if (e->mask & IN_Q_OVERFLOW)
		to->unknown = true;
	if (!dir)
		return;
	permute_touch_path(to, dir, false);
	if (!e->len) {
		if (e->mask & READS)
			touch_listing(to, dir, false);
		return;
	}
	snprintf(path, sizeof(path), "%s/%s", dir, e->name);
	permute_touch_path(to, path, e->mask & WRITES);
	if (e->mask & NAMES) {
		to->names = true;
		touch_listing(to, dir, true);
	}
	if (e->mask & (IN_CREATE | IN_MOVED_TO) && e->mask & IN_ISDIR)
		watch_below(w, path);
}

void
permute_watch_take(struct permute_watch_files *w, struct permute_interval *to)
{
	char buf[16384] __attribute__((aligned(8)));
	ssize_t n;

	while ((n = read(w->fd, buf, sizeof(buf))) > 0)
		for (char *at = buf; at < buf + n;) {
			struct inotify_event e;

			memcpy(&e, at, sizeof(e));
			take_event(w, (const struct inotify_event *)at, to);
			at += sizeof(e) + e.len;
		}
	to->unknown |= w->blind;
}

struct permute_watch_files *
permute_watch_open(void)
{
	struct permute_watch_files *w = calloc(1, sizeof(*w));
	char here[PATH_MAX];

	if (!w)
		return NULL;
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd < 0 || !getcwd(here, sizeof(here)))
		w->blind = true;
	else
		watch_below(w, here);
	return w;
}

void
permute_watch_close(struct permute_watch_files *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	for (size_t i = 0; i < w->dirs; i++)
		free(w->dir[i].path);
	free(w);
}
