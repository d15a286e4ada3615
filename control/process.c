/* SPDX-License-Identifier: MIT */
/* The registry of processes: entries made, followed, renewed, ended. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "accounting.h"
#include "execs.h"
#include "inner.h"

static struct seam_proc *
entry(struct seam_session *s, const struct seam_process *p)
{
	return &s->arena->proc[p->index];
}

struct seam_process *
seam_process_of_pid(struct seam_session *s, pid_t pid)
{
	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];

		if (p->used && !p->ended && p->pid == pid && pid > 0)
			return p;
	}
	return NULL;
}

bool
seam_any_alive(struct seam_session *s)
{
	for (unsigned i = 0; i < s->processes; i++)
		if (s->process[i].used && !s->process[i].ended)
			return true;
	return false;
}

static bool
is_awaited_parent(struct seam_session *s, unsigned index)
{
	for (unsigned i = 0; i < seam_arena_procs(s->arena); i++) {
		struct seam_proc *a = &s->arena->proc[i];
		uint32_t state = atomic_load(&a->state);

		if ((state == SEAM_PROC_CLAIMED ||
		     state == SEAM_PROC_JOINING) &&
		    a->parent == index + 1)
			return true;
	}
	return false;
}

static void
forget_index(struct seam_session *s, unsigned index)
{
	struct seam_arena *a = s->arena;

	for (unsigned i = 0; i < seam_arena_procs(a); i++)
		if (a->proc[i].parent == index + 1)
			a->proc[i].parent = 0;
	for (unsigned i = 0; i < seam_arena_threads(a); i++)
		if (a->thread[i].proc == index &&
		    atomic_load(&a->thread[i].state) == SEAM_THREAD_EXITED)
			a->thread[i].proc = SEAM_MAX_PROCS;
}

/* Its objects, other than files, are nobody's any more. */
static void
bury_objects(struct seam_session *s, unsigned index)
{
	for (unsigned i = 0; i < seam_arena_objects(s->arena); i++) {
		struct seam_object *o = &s->arena->object[i];

		if (o->proc == index && o->kind != SEAM_KIND_FILE)
			atomic_store(&o->dead, 1);
	}
}

void
seam_process_release(struct seam_session *s, struct seam_process *p)
{
	if (p->pidfd >= 0)
		close(p->pidfd);
	if (p->in >= 0)
		close(p->in);
	if (p->out >= 0)
		close(p->out);
	seam_map_free(p->map);
	free(p->alias);
	free(p->exe);
	free(p->unhooked);
	memset(&s->own->extra[p->index], 0, sizeof(s->own->extra[0]));
	memset(p, 0, sizeof(*p));
}

static void
recycle(struct seam_session *s, struct seam_process *p)
{
	unsigned index = p->index;

	bury_objects(s, index);
	forget_index(s, index);
	seam_process_release(s, p);
	seam_arena_zero_proc(s->arena, s->arena_fd, index);
}

/* The one that ended first goes when too many are kept. */
static void
keep_room(struct seam_session *s)
{
	const struct seam_extra *x = s->own->extra;
	struct seam_process *oldest = NULL;
	unsigned used = 0;

	for (unsigned i = 0; i < s->processes; i++)
		used += s->process[i].used;
	if (used <= SEAM_PROCS_KEPT)
		return;
	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];

		if (!p->used || !p->ended || is_awaited_parent(s, i))
			continue;
		if (!oldest || x[i].ended < x[oldest->index].ended)
			oldest = p;
	}
	if (oldest)
		recycle(s, oldest);
}

static bool
claim(struct seam_session *s, unsigned i)
{
	uint32_t none = SEAM_PROC_NONE, n;
	struct seam_head *h = &s->arena->head;

	if (s->process[i].used ||
	    !atomic_compare_exchange_strong(&s->arena->proc[i].state, &none,
					    SEAM_PROC_CLAIMED))
		return false;
	n = atomic_load(&h->procs);
	while (n < i + 1 && !atomic_compare_exchange_weak(&h->procs, &n, i + 1))
		;
	return true;
}

static void
begin_entry(struct seam_session *s, struct seam_process *p, unsigned i)
{
	p->used = true;
	p->index = i;
	p->pidfd = p->in = p->out = -1;
	if (s->processes < i + 1)
		s->processes = i + 1;
}

static void
name_entry(struct seam_session *s, unsigned i, struct seam_process *parent)
{
	struct seam_proc *a = &s->arena->proc[i];
	char up[SEAM_PATH - 12] = "";

	if (parent) {
		struct seam_proc *pa = entry(s, parent);

		a->parent = parent->index + 1;
		a->ordinal = atomic_fetch_add(&pa->children, 1) + 1;
		seam_arena_copy(pa->path, SEAM_PATH, up, sizeof(up));
		snprintf(a->path, SEAM_PATH, "%s.%u", up, a->ordinal);
	} else {
		a->ordinal = atomic_fetch_add(&s->arena->head.next_proc, 1) + 1;
		snprintf(a->path, SEAM_PATH, "P%u", a->ordinal);
	}
}

struct seam_process *
seam_process_new(struct seam_session *s, struct seam_process *parent)
{
	keep_room(s);
	for (unsigned i = 0; i < SEAM_MAX_PROCS; i++) {
		if (!claim(s, i))
			continue;
		begin_entry(s, &s->process[i], i);
		name_entry(s, i, parent);
		s->own->extra[i].started =
		    parent && s->own->extra[parent->index].started;
		return &s->process[i];
	}
	atomic_fetch_add(&s->arena->head.procs_lost, 1);
	return NULL;
}

/* One that a fork's child has claimed and filled in by itself. */
struct seam_process *
seam_process_take(struct seam_session *s, unsigned i)
{
	struct seam_process *parent;

	begin_entry(s, &s->process[i], i);
	parent = seam_process_at(s, s->arena->proc[i].parent - 1);
	s->own->extra[i].started =
	    parent && s->own->extra[parent->index].started;
	return &s->process[i];
}

void
seam_process_drop(struct seam_session *s, struct seam_process *p)
{
	unsigned index = p->index;

	seam_process_release(s, p);
	seam_arena_zero_proc(s->arena, s->arena_fd, index);
}

int
seam_process_follow(struct seam_session *s, struct seam_process *p, pid_t pid)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = pidfd_open(pid, 0), err;

	if (fd < 0)
		return -errno;
	ev.data.u64 = SEAM_SOURCE_PROC + p->index;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev)) {
		err = errno;
		close(fd);
		return -err;
	}
	p->pidfd = fd;
	p->pid = pid;
	entry(s, p)->pid_outside = pid;
	return 0;
}

void
seam_process_note_exe(struct seam_process *p)
{
	char link[40], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", p->pid);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return;
	path[n] = '\0';
	free(p->exe);
	p->exe = strdup(path);
}

enum seam_code
seam_process_enliven(struct seam_session *s, struct seam_process *p,
		     struct seam_error *err)
{
	struct seam_proc *a = entry(s, p);
	struct seam_map *map;
	enum seam_code code;
	int r;

	p->maps_seen = atomic_load(&a->maps);
	r = seam_map_new(s->syms, p->pid, &map);
	if (r < 0)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot read the maps of process %d: %s",
				 p->pid, strerror(-r));
	seam_map_free(p->map);
	p->map = map;
	seam_process_note_exe(p);
	code = seam_rules_compile(s, p, err);
	if (code != SEAM_OK)
		return code;
	seam_gate_refresh(s, p);
	s->own->had_target = true;
	s->own->extra[p->index].attached = true;
	atomic_store(&a->state, SEAM_PROC_LIVE);
	return SEAM_OK;
}

static void
end_threads(struct seam_session *s, unsigned index)
{
	for (unsigned i = 0; i < seam_arena_threads(s->arena); i++) {
		struct seam_thread *t = &s->arena->thread[i];
		uint32_t state = atomic_load(&t->state);

		if (state == SEAM_THREAD_NONE || t->proc != index)
			continue;
		atomic_store(&t->park, 0);
		atomic_store(&t->state, SEAM_THREAD_EXITED);
		atomic_fetch_add(&t->serial, 1);
	}
}

void
seam_process_renew(struct seam_session *s, struct seam_process *p)
{
	struct seam_proc *a = entry(s, p);

	end_threads(s, p->index);
	bury_objects(s, p->index);
	seam_heap_unread(s->heap, p->table);
	seam_arena_reset_proc(s->arena, s->arena_fd, p->index);
	atomic_store(&a->threads, 0);
	atomic_store(&a->main, 0);
	atomic_store(&a->exiting, 0);
	atomic_store(&a->maps, 0);
	atomic_store(&a->wants, 0);
	atomic_store(&a->ack, 0);
	s->own->extra[p->index].look = 0;
	free(p->unhooked);
	p->unhooked = NULL;
}

bool
seam_process_is_over(const struct seam_process *p)
{
	struct pollfd pfd = { .fd = p->pidfd, .events = POLLIN };

	return p->pidfd >= 0 && poll(&pfd, 1, 0) == 1;
}

void
seam_process_ended(struct seam_session *s, struct seam_process *p)
{
	int status;

	if (!p->used || p->ended)
		return;
	if (atomic_load(&entry(s, p)->state) == SEAM_PROC_EXECING &&
	    !p->unhooked)
		seam_execs_became(s, p, NULL);
	if (p->ours && waitpid(p->pid, &status, WNOHANG) == p->pid) {
		p->status = status;
		p->status_known = true;
	}
	p->died_of = p->status_known ? 0 : seam_end_signal(p);
	p->ended = true;
	s->own->extra[p->index].ended = ++s->own->ends;
	if (p->pidfd >= 0) {
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, p->pidfd, NULL);
		close(p->pidfd);
	}
	if (p->in >= 0)
		close(p->in);
	p->pidfd = p->in = -1;
	seam_note_end(s, p);
	atomic_store(&entry(s, p)->state, SEAM_PROC_GONE);
	end_threads(s, p->index);
	seam_heap_unread(s->heap, p->table);
	seam_rules_process_gone(s, p);
	keep_room(s);
	seam_bell_ring(s);
}

const char *
seam_proc_stat(pid_t pid, char *buf, size_t size)
{
	char path[40], *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	buf[fread(buf, 1, size - 1, f)] = '\0';
	fclose(f);
	at = strrchr(buf, ')');
	return at && at[1] == ' ' ? at + 2 : NULL;
}

pid_t
seam_parent_of(pid_t pid)
{
	char buf[512];
	const char *at = seam_proc_stat(pid, buf, sizeof(buf));
	int ppid;

	return at && sscanf(at, "%*c %d", &ppid) == 1 ? ppid : 0;
}
