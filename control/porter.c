/* SPDX-License-Identifier: MIT */
/*
 * The porter: opens to those who ring at the door.  Forked children that
 * wait to be acknowledged, libraries that were opened, rings half full;
 * and, while there are any, processes that became another program and have
 * not said hello from there.
 */
#include <dirent.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "execs.h"
#include "inner.h"

void
seam_door_ring(struct seam_session *s)
{
	atomic_fetch_add(&s->arena->head.door, 1);
	seam_futex_wake(&s->arena->head.door);
}

static void
acknowledge(struct seam_proc *a, uint32_t wants)
{
	atomic_store(&a->ack, wants);
	seam_futex_wake(&a->ack);
}

/* Who a child is, if it sees itself in another pid namespace than we. */

/* Its pid as it sees it itself: the last of NSpid. */
static long
inner_pid(pid_t pid)
{
	char path[40], line[256], *last;
	long inner = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (inner < 0 && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "NSpid:", 6) != 0)
			continue;
		last = strrchr(line, '\t');
		inner = last ? strtol(last, NULL, 10) : -1;
	}
	fclose(f);
	return inner;
}

/* It says so in the arena, which it might have damaged: what we follow, and
 * may kill one day, must have our arena mapped. */
static bool
is_member(struct seam_session *s, pid_t pid, uint32_t parent)
{
	struct seam_process *up = seam_process_at(s, parent - 1);
	int maps;

	if (pid <= 1 || seam_process_of_pid(s, pid))
		return false;
	maps = seam_maps_has(pid, s->own->arena_inode);
	if (maps >= 0)
		return maps == 1;
	return up && up->pid > 1 && seam_parent_of(pid) == up->pid;
}

static pid_t
search_proc(struct seam_session *s, long inner, uint32_t parent)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;
	pid_t pid, found = 0;

	while (dir && !found && (d = readdir(dir))) {
		pid = (pid_t)strtol(d->d_name, NULL, 10);
		if (pid > 0 && inner_pid(pid) == inner &&
		    is_member(s, pid, parent))
			found = pid;
	}
	if (dir)
		closedir(dir);
	return found;
}

static pid_t
pid_of_child(struct seam_session *s, struct seam_proc *a)
{
	pid_t inner = a->pid;

	if (is_member(s, inner, a->parent))
		return inner;
	return search_proc(s, inner, a->parent);
}

static void
join_child(struct seam_session *s, unsigned i)
{
	struct seam_proc *a = &s->arena->proc[i];
	struct seam_process *p = seam_process_take(s, i);
	uint32_t wants = atomic_load(&a->wants);
	pid_t pid = pid_of_child(s, a);
	struct seam_error err;

	if (pid == 0 || seam_process_follow(s, p, pid)) {
		/* It was killed, or we can't see it: not ours to watch. */
		p->unhooked = strdup("not to be found in /proc");
		seam_process_ended(s, p);
	} else if (a->gateless) {
		p->unhooked = strdup("it could not map its gate");
		atomic_store(&a->state, SEAM_PROC_LIVE);
	} else if (seam_scheduled_apart(s, pid, a->pid, &err) != SEAM_OK ||
		   seam_process_enliven(s, p, &err) != SEAM_OK) {
		p->unhooked = strdup(err.text);
		atomic_store(&a->state, SEAM_PROC_LIVE);
	}
	acknowledge(a, wants ? wants : 1);
	seam_bell_ring(s);
}

/* A library was opened or closed. */
static void
refresh(struct seam_session *s, struct seam_process *p, struct seam_proc *a)
{
	uint32_t wants = atomic_load(&a->wants);
	struct seam_error err;

	p->maps_seen = atomic_load(&a->maps);
	if (p->map && seam_map_refresh(p->map) == 0 &&
	    seam_rules_compile(s, p, &err) == SEAM_OK)
		seam_gate_refresh(s, p);
	acknowledge(a, wants);
}

/* It left for another program, which should have said hello by now. */
static void
look_at_exec(struct seam_session *s, struct seam_process *p)
{
	struct seam_extra *x = &s->own->extra[p->index];
	uint64_t now = seam_now();
	const char *why;
	char path[40];

	if (x->look == 0) {
		x->look = now + SEAM_EXEC_LOOK_NS;
		x->looks = 0;
	}
	if (now < x->look)
		return;
	snprintf(path, sizeof(path), "/proc/%d/exe", p->pid);
	why = seam_exe_unhookable(path);
	if (!why && ++x->looks >= SEAM_EXEC_LOOKS)
		why = "it never said hello";
	x->look = now + SEAM_EXEC_LOOK_NS;
	if (!why || seam_process_is_over(p))
		return;
	seam_execs_became(s, p, why);
	seam_bell_ring(s);
}

/* Returns when to look at it again. */
static uint64_t
attend(struct seam_session *s, unsigned i)
{
	struct seam_process *p = &s->process[i];
	struct seam_proc *a = &s->arena->proc[i];
	uint32_t state = atomic_load(&a->state);

	if (!p->used && state == SEAM_PROC_JOINING)
		join_child(s, i);
	else if (!p->used && state == SEAM_PROC_GONE)
		seam_arena_zero_proc(s->arena, s->arena_fd, i);
	if (!p->used || p->ended)
		return SEAM_FOREVER;
	if (state == SEAM_PROC_EXECING && !p->unhooked) {
		look_at_exec(s, p);
		return p->unhooked ? SEAM_FOREVER : s->own->extra[i].look;
	}
	s->own->extra[i].look = 0;
	if (atomic_load(&a->wants) != atomic_load(&a->ack) ||
	    atomic_load(&a->maps) != p->maps_seen)
		refresh(s, p, a);
	return SEAM_FOREVER;
}

uint64_t
seam_porter_attend(struct seam_session *s)
{
	uint64_t until = SEAM_FOREVER, again;

	for (unsigned i = 0; i < seam_arena_procs(s->arena); i++) {
		again = attend(s, i);
		if (again < until)
			until = again;
	}
	if (atomic_load(&s->arena->head.rings))
		seam_drain_locked(s);
	if (atomic_exchange(&s->arena->head.execs_crowded, 0))
		seam_execs_settle(s);
	return until;
}

/* That we are no more, the kernel shall tell: this thread's list of robust
 * futexes, of which it has no other, gets one in the arena.  The list itself
 * is out of the targets' reach. */
struct notice {
	struct robust_list_head head, *before;
	struct robust_list one;
};

static void
leave_notice(struct seam_session *s, struct notice *n)
{
	char *word = (char *)&s->arena->head.porter;
	size_t size;

	if (syscall(SYS_get_robust_list, 0, &n->before, &size))
		n->before = NULL;
	n->one.next = &n->head.list;
	n->head = (struct robust_list_head){
		.list = { &n->one },
		.futex_offset = word - (char *)&n->one,
	};
	atomic_store(&s->arena->head.porter, (uint32_t)gettid());
	syscall(SYS_set_robust_list, &n->head, sizeof(n->head));
}

static void
take_notice_back(struct notice *n)
{
	syscall(SYS_set_robust_list, n->before, sizeof(n->head));
}

void *
seam_porter_main(void *session)
{
	struct seam_session *s = session;
	struct notice notice;
	uint64_t until;
	uint32_t seen;

	leave_notice(s, &notice);
	pthread_setname_np(pthread_self(), "seam-porter");
	seam_lock(s);
	atomic_store(&s->arena->head.door_waiters, 1);
	while (!atomic_load(&s->stopping)) {
		seen = atomic_load(&s->arena->head.door);
		until = seam_is_sound(s) ? seam_porter_attend(s) : SEAM_FOREVER;
		seam_unlock(s);
		seam_futex_wait(&s->arena->head.door, seen, until);
		seam_lock(s);
	}
	seam_unlock(s);
	take_notice_back(&notice);
	return NULL;
}
