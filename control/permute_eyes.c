/* SPDX-License-Identifier: MIT */
#include "permute_eyes.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inner.h"
#include "ops.h"
#include "rules_int.h"
#include "schedule.h"

#define PIDS 64	  /* processes of a session that are looked at */
#define ADDRS 256 /* objects in memory, of a step */
#define FILES 64  /* that are locked */

enum salt { SALT_PATH = 1, SALT_LOCK, SALT_MEMORY, SALT_OUTSIDE };

struct permute_eyes {
	struct seam_session *s;
	const struct permute_talk *talk;
	size_t sessions;
	struct permute_watch_files *files;
	bool recording;
	unsigned readers; /* what events of shared locks have for a rule */
	/* Since the last time; the session's lock guards it. */
	struct permute_interval now;
	uint64_t locking; /* sessions that did something to locks of files */
	struct {
		size_t session;
		uint64_t addr;
	} memory[ADDRS];
	size_t memories;
	/* Files, and the sessions that ever locked them for themselves: what
	 * they let go of may be that. */
	struct {
		uint64_t file, sessions;
	} written[FILES];
	size_t writtens;
};

/* Touches. */

void
permute_touch_add(struct permute_interval *i, const struct permute_touch *touch)
{
	struct permute_touch *v;
	size_t room;

	for (size_t k = 0; k < i->touches; k++) {
		v = &i->touch[k];
		if (v->what == touch->what && v->from == touch->from &&
		    v->to == touch->to) {
			v->writes |= touch->writes;
			return;
		}
	}
	if (i->touches == i->room) {
		room = i->room ? 2 * i->room : 16;
		v = reallocarray(i->touch, room, sizeof(*v));
		if (!v) {
			i->unknown = true;
			return;
		}
		i->touch = v;
		i->room = room;
	}
	i->touch[i->touches++] = *touch;
}

static void
touch(struct permute_interval *i, enum salt salt, uint64_t what, bool writes)
{
	const struct permute_touch t = { seam_stir(salt, what), 0, UINT64_MAX,
					 writes };

	permute_touch_add(i, &t);
}

void
permute_touch_path(struct permute_interval *i, const char *path, bool writes)
{
	touch(i, SALT_PATH, seam_key_of(path), writes);
}

static bool
meet(const struct permute_touch *a, const struct permute_touch *b)
{
	return a->what == b->what && (a->writes || b->writes) &&
	       a->from <= b->to && b->from <= a->to;
}

bool
permute_commute(const struct permute_interval *a,
		const struct permute_interval *b)
{
	if (a->active & b->active || a->unknown || b->unknown)
		return false;
	/* Nothing shows that somebody asks whether a file is there. */
	if ((a->names || b->names) && !(a->guarded && b->guarded))
		return false;
	for (size_t i = 0; i < a->touches; i++)
		for (size_t k = 0; k < b->touches; k++)
			if (meet(&a->touch[i], &b->touch[k]))
				return false;
	return true;
}

/* The gate's events; the session's lock is held. */

/* By the thread's path, which begins with those of its process and of its
 * ancestors, and is there when they have ended.  sessions: of none. */
static size_t
session_of(const struct permute_eyes *e, const char *thread)
{
	for (size_t i = 0; i < e->sessions; i++) {
		const struct seam_process *p =
		    seam_process_find(e->s, e->talk[i].session->name, 0, NULL);
		char path[SEAM_PATH];
		size_t n;

		if (!p)
			continue;
		n = strlen(seam_process_path(e->s, p, path));
		if (!strncmp(path, thread, n) && thread[n] == '.')
			return i;
	}
	return e->sessions;
}

static void
touch_memory(struct permute_eyes *e, size_t session, uint64_t addr)
{
	for (size_t i = 0; i < e->memories; i++)
		if (e->memory[i].session == session &&
		    e->memory[i].addr == addr)
			return;
	if (e->memories == ADDRS) {
		e->now.unknown = true;
		return;
	}
	e->memory[e->memories].session = session;
	e->memory[e->memories++].addr = addr;
}

/* Has that session ever had the file for itself? */
static bool
has_written(struct permute_eyes *e, uint64_t file, size_t session, bool now)
{
	size_t i = 0;

	while (i < e->writtens && e->written[i].file != file)
		i++;
	if (i == FILES)
		return true;
	if (i == e->writtens) {
		e->written[i].file = file;
		e->written[e->writtens++].sessions = 0;
	}
	if (now)
		e->written[i].sessions |= UINT64_C(1) << session;
	return e->written[i].sessions >> session & 1;
}

/* Nobody else is let in by it. */
static bool
excludes(const struct permute_eyes *e, const struct seam_event *event)
{
	return event->rule != e->readers &&
	       strcmp(event->verb, "file.unlock") != 0 &&
	       strcmp(event->verb, "file.close") != 0;
}

/* Ranges end where off + len does; 0: at the end of the file. */
static void
touch_file(struct permute_eyes *e, const struct seam_event *event,
	   size_t session)
{
	struct permute_touch t = {
		.what = seam_stir(seam_stir(SALT_LOCK, event->device),
				  event->inode),
		.from = event->off,
		.to = event->len ? event->off + event->len - 1 : UINT64_MAX,
	};

	if (t.to < t.from)
		t.to = UINT64_MAX;
	t.writes = has_written(e, t.what, session, excludes(e, event));
	permute_touch_add(&e->now, &t);
}

static void
on_event(const struct seam_event *event, void *data)
{
	struct permute_eyes *e = data;
	size_t session = session_of(e, event->thread);

	if (session == e->sessions) {
		e->now.unknown = true;
		return;
	}
	/* All else may be what somebody does who is done with the step. */
	if (event->inode) {
		e->locking |= UINT64_C(1) << session;
		e->now.active |= UINT64_C(1) << session;
		touch_file(e, event, session);
	} else if (event->addr) {
		touch_memory(e, session, event->addr);
	}
}

/* What processes have open; the lock is held. */

static void
look_at_link(struct permute_eyes *e, struct permute_interval *to,
	     const char *link, const struct stat *st, bool reads)
{
	if (!strncmp(link, "socket:", 7))
		touch(to, SALT_OUTSIDE, 0, true);
	if (*link != '/' || !S_ISREG(st->st_mode) || !st->st_nlink)
		return;
	if (reads)
		permute_touch_path(to, link, false);
	permute_watch_beside(e->files, link);
}

static void
look_at_open(struct permute_eyes *e, struct permute_interval *to, pid_t pid,
	     bool reads)
{
	char path[300], link[PATH_MAX];
	struct dirent *entry;
	struct stat st;
	DIR *dir;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid,
			 entry->d_name);
		n = readlink(path, link, sizeof(link) - 1);
		if (n <= 0 || stat(path, &st))
			continue;
		link[n] = '\0';
		look_at_link(e, to, link, &st, reads);
	}
	if (dir)
		closedir(dir);
}

static bool
has_touched(const struct permute_eyes *e, size_t session, uint64_t from,
	    uint64_t end)
{
	for (size_t i = 0; i < e->memories; i++)
		if (e->memory[i].session == session &&
		    e->memory[i].addr >= from && e->memory[i].addr < end)
			return true;
	return false;
}

/* Objects that lie in memory which others may have, too. */
static void
look_at_memory(struct permute_eyes *e, struct permute_interval *to, pid_t pid,
	       size_t session)
{
	char path[64], line[PATH_MAX + 200], mode[8];
	uint64_t from, end;
	unsigned long inode;
	unsigned major, minor;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %7s %*s %x:%x %lu", &from, &end, mode,
			   &major, &minor, &inode) != 6 ||
		    mode[3] != 's' || !has_touched(e, session, from, end))
			continue;
		to->active |= UINT64_C(1) << session;
		touch(to, SALT_MEMORY, seam_stir(inode, major << 16 | minor),
		      true);
	}
	if (f)
		fclose(f);
}

/* Who is not known to look under locks only may read what it has open in any
 * way: as memory, above all. */
static void
look_at_session(struct permute_eyes *e, struct permute_interval *to, size_t i)
{
	const struct permute_talk *t = &e->talk[i];
	const bool reads = !t->session->guarded || e->locking >> i & 1;
	pid_t pid[PIDS];
	size_t n = permute_talk_pids(e->s, t, pid, PIDS);

	to->unknown |= n == PIDS;
	for (size_t k = 0; e->memories && k < n; k++)
		look_at_memory(e, to, pid[k], i);
	if (!(to->active >> i & 1))
		return;
	to->guarded &= t->session->guarded;
	for (size_t k = 0; k < n; k++)
		look_at_open(e, to, pid[k], reads);
}

void
permute_eyes_take(struct permute_eyes *e, struct permute_interval *to)
{
	struct permute_interval seen;

	seam_drain(e->s);
	seam_lock(e->s);
	seen = e->now;
	seen.step = to->step;
	seen.active |= to->active;
	seen.ended = to->ended;
	seen.done = to->done;
	seen.waits = to->waits;
	seen.guarded = true;
	for (size_t i = 0; i < e->sessions; i++)
		look_at_session(e, &seen, i);
	permute_watch_take(e->files, &seen);
	seen.unknown |= !e->recording || seam_events_lost_locked(e->s) > 0;
	e->now = (struct permute_interval){ .step = 0 };
	e->locking = 0;
	e->memories = 0;
	seam_unlock(e->s);
	*to = seen;
}

/* A rule that does nothing but to tell shared locks.  Without it they count
 * as others. */
static void
tell_readers(struct permute_eyes *e)
{
	struct seam_selector sel = { 0 };
	struct seam_armed *rule = NULL;
	struct seam_words words;
	struct seam_error err;
	const char *id;

	if (seam_split("any mode=rd", &words, &err))
		return;
	if (!seam_selector_parse(&words, 0, NULL, &sel, &err) &&
	    !sess_log(e->s, &sel, NULL, NULL, &id, &err)) {
		seam_lock(e->s);
		rule = seam_rule_find(e->s, id);
		e->readers = rule ? rule->index + 1 : UINT_MAX;
		seam_unlock(e->s);
	}
	seam_selector_free(&sel);
	seam_words_free(&words);
}

struct permute_eyes *
permute_eyes_open(struct seam_session *s, const struct permute_talk *talk,
		  size_t sessions)
{
	struct permute_eyes *e = calloc(1, sizeof(*e));
	struct permute_interval before = { .active = UINT64_MAX };
	struct seam_error err;

	if (!e)
		return NULL;
	*e = (struct permute_eyes){
		.s = s, .talk = talk, .sessions = sessions, .readers = UINT_MAX
	};
	e->files = permute_watch_open();
	if (!e->files) {
		free(e);
		return NULL;
	}
	e->recording = !seam_record(s, false, on_event, e, &err);
	tell_readers(e);
	permute_eyes_take(e, &before);
	free(before.touch);
	return e;
}

void
permute_eyes_close(struct permute_eyes *e)
{
	struct seam_error err;

	if (!e)
		return;
	if (e->recording)
		seam_record(e->s, false, NULL, NULL, &err);
	permute_watch_close(e->files);
	free(e->now.touch);
	free(e);
}
