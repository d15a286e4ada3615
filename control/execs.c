/* SPDX-License-Identifier: MIT */
/*
 * Nobody waits for these notes, so they are looked at only when somebody asks
 * for the blind spots, when they become many, or when their process speaks.
 * By then it may have ended and its number may be another's, which the time
 * of the note tells.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "execs.h"
#include "inner.h"
#include "rules_int.h"

#define STRANGERS_MAX 100
#define HELLO_NS (SEAM_EXEC_LOOK_NS * SEAM_EXEC_LOOKS)

static const char never[] = "it never said hello";

struct stranger {
	char *who, *path, *why;
	unsigned times;
};

struct seam_strangers {
	struct stranger one[STRANGERS_MAX];
	unsigned n, others;
};

/* A note, read once: a target may write to it at any time. */
struct note {
	struct seam_exec *at;
	pid_t pid;
	uint32_t flags;
	uint64_t time;
	char who[SEAM_PATH];
	char path[sizeof(((struct seam_exec *)NULL)->path)];
};

static bool
read_note(struct seam_session *s, uint32_t i, struct note *n)
{
	struct seam_exec *e = &s->arena->exec[i];

	n->at = e;
	n->pid = atomic_load(&e->pid);
	if (n->pid <= 0) {
		/* Killed while writing: nothing came of it. */
		if (n->pid < 0 && n->pid != INT32_MIN && kill(-n->pid, 0) &&
		    errno == ESRCH)
			atomic_store(&e->pid, 0);
		return false;
	}
	n->flags = e->flags;
	n->time = e->time;
	seam_arena_copy(e->who, sizeof(e->who), n->who, sizeof(n->who));
	seam_arena_copy(e->path, sizeof(e->path), n->path, sizeof(n->path));
	return true;
}

static void
wipe(const struct note *n)
{
	int32_t pid = n->pid;

	atomic_compare_exchange_strong(&n->at->pid, &pid, 0);
}

static uint32_t
notes(struct seam_session *s)
{
	uint32_t n = atomic_load(&s->arena->head.execs);

	return n < SEAM_MAX_EXECS ? n : SEAM_MAX_EXECS;
}

/* What the program is. */

static char *
file_of(struct seam_session *s, const char *path)
{
	char *file = NULL;

	if (*path && !strchr(path, '/'))
		file = seam_search_path(s->cwd, path, getenv("PATH"));
	return file ? file : strdup(*path ? path : "?");
}

static const char *
why_file(const char *file)
{
	return access(file, R_OK) == 0 ? seam_exe_unhookable(file) : NULL;
}

/* Of a process that lives; NULL: there is no reason, or none yet. */
static const char *
why_running(const struct note *n, const char *file)
{
	char exe[40];

	snprintf(exe, sizeof(exe), "/proc/%d/exe", n->pid);
	if (access(exe, R_OK) == 0)
		return seam_exe_unhookable(exe);
	/* It has more rights than we: it is that program already. */
	return errno == EACCES ? why_file(file) : NULL;
}

/* What has become of it. */

/* The process ended, or its number is another's. */
static bool
is_over(const struct note *n)
{
	uint64_t born = seam_task_born(n->pid);

	return born == 0 || born > n->time;
}

static bool
is_late(const struct note *n)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec >
	       n->time + HELLO_NS;
}

/* A note of posix_spawn may come later than the hello. */
static bool
has_come(struct seam_session *s, const struct note *n)
{
	for (unsigned i = 0; i < s->processes; i++)
		if (s->process[i].used && s->own->extra[i].attached &&
		    s->arena->proc[i].pid == n->pid)
			return true;
	return false;
}

static bool
is_path_of(struct seam_session *s, const struct seam_process *p,
	   const struct note *n)
{
	char path[SEAM_PATH];

	seam_process_path(s, p, path);
	return strcmp(path, n->who) == 0;
}

static const struct seam_process *
owner_of(struct seam_session *s, const struct note *n)
{
	for (unsigned i = 0; i < s->processes; i++)
		if (s->process[i].used && !s->process[i].ended &&
		    is_path_of(s, &s->process[i], n))
			return &s->process[i];
	return NULL;
}

/* Its server has the entry, and goes on. */
static bool
is_of_run(struct seam_session *s, const struct seam_process *p,
	  const struct note *n)
{
	return p->pid == s->arena->sched.server_pid && n->pid != p->pid;
}

static struct stranger *
find_stranger(struct seam_strangers *x, const struct stranger *like)
{
	for (unsigned i = 0; i < x->n; i++)
		if (!strcmp(x->one[i].who, like->who) &&
		    !strcmp(x->one[i].path, like->path) &&
		    !strcmp(x->one[i].why, like->why))
			return &x->one[i];
	return NULL;
}

static void
free_stranger(struct stranger *one)
{
	free(one->who);
	free(one->path);
	free(one->why);
}

static void
count_stranger(struct seam_session *s, const char *who, const char *path,
	       const char *why)
{
	struct stranger one = { strdup(who), strdup(path), strdup(why), 1 };
	struct seam_strangers *x = s->own->strangers;
	struct stranger *known;

	if (!x)
		x = s->own->strangers = calloc(1, sizeof(*x));
	if (!x || !one.who || !one.path || !one.why) {
		free_stranger(&one);
		return;
	}
	known = find_stranger(x, &one);
	if (!known && x->n < STRANGERS_MAX) {
		x->one[x->n++] = one;
		return;
	}
	if (known)
		known->times++;
	else
		x->others++;
	free_stranger(&one);
}

/* It cannot say hello any more; or only once it became yet another. */
static void
settle_child(struct seam_session *s, const struct note *n)
{
	bool elsewhere = n->flags & SEAM_EXEC_ELSEWHERE;
	bool over = elsewhere ? is_late(n) : is_over(n);
	char *file = file_of(s, n->path);
	const char *why = NULL;

	if (file && (over || elsewhere))
		why = why_file(file);
	else if (file)
		why = why_running(n, file);
	if (over || why) {
		count_stranger(s, n->who, file ? file : n->path,
			       why ? why : never);
		wipe(n);
	}
	free(file);
}

void
seam_execs_settle(struct seam_session *s)
{
	const struct seam_process *owner;
	struct note n;

	for (uint32_t i = 0; i < notes(s); i++) {
		if (!read_note(s, i, &n))
			continue;
		if (n.flags & SEAM_EXEC_OWN) {
			owner = owner_of(s, &n);
			if (!owner)
				wipe(&n);
			else if (is_of_run(s, owner, &n) && is_over(&n))
				settle_child(s, &n);
		} else if (has_come(s, &n)) {
			wipe(&n);
		} else {
			settle_child(s, &n);
		}
	}
}

void
seam_execs_hello(struct seam_session *s, pid_t pid, int32_t inside)
{
	struct note n;

	for (uint32_t i = 0; i < notes(s); i++) {
		if (atomic_load(&s->arena->exec[i].pid) != inside ||
		    !read_note(s, i, &n) ||
		    !(n.flags & SEAM_EXEC_ELSEWHERE) != (pid == inside))
			continue;
		if (!(n.flags & SEAM_EXEC_OWN) && pid == inside && is_over(&n))
			settle_child(s, &n);
		else
			wipe(&n);
	}
}

void
seam_execs_became(struct seam_session *s, struct seam_process *p,
		  const char *why)
{
	const char *better = NULL;
	struct note n;
	char *file;

	for (uint32_t i = 0; i < notes(s); i++) {
		if (!read_note(s, i, &n) || !(n.flags & SEAM_EXEC_OWN) ||
		    n.pid != s->arena->proc[p->index].pid ||
		    !is_path_of(s, p, &n))
			continue;
		file = file_of(s, n.path);
		if (file) {
			free(p->exe);
			p->exe = file;
			better = why_file(file);
		}
		wipe(&n);
	}
	free(p->unhooked);
	if (better)
		why = better;
	p->unhooked = strdup(why ? why : never);
}

/* It lives, and has not come in all that time; it still may. */
static void
tell_late(struct seam_session *s, seam_exec_fn *each, void *data)
{
	struct note n;

	for (uint32_t i = 0; i < notes(s); i++)
		if (read_note(s, i, &n) && !(n.flags & SEAM_EXEC_OWN) &&
		    is_late(&n))
			each(n.who, n.path, "it has not said hello", 1, data);
}

void
seam_execs_tell(struct seam_session *s, seam_exec_fn *each, void *data)
{
	const struct seam_strangers *x;
	char others[40];

	seam_execs_settle(s);
	x = s->own->strangers;
	for (unsigned i = 0; x && i < x->n; i++)
		each(x->one[i].who, x->one[i].path, x->one[i].why,
		     x->one[i].times, data);
	if (x && x->others) {
		snprintf(others, sizeof(others), "%u others", x->others);
		each("the session", others, "too many to list", 1, data);
	}
	tell_late(s, each, data);
}

void
seam_execs_free(struct seam_strangers *x)
{
	for (unsigned i = 0; x && i < x->n; i++)
		free_stranger(&x->one[i]);
	free(x);
}
