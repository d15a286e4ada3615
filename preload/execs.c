/* SPDX-License-Identifier: MIT */
/*
 * Notes of programs that are about to run, for those that never say hello:
 * static ones, setuid ones.  A vfork child comes by here in its parent's
 * memory; it writes to the arena only.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core.h"

static uint64_t
boot_time(void)
{
	struct timespec ts = { 0 };

	seam_raw2(SYS_clock_gettime, CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void
count_up_to(_Atomic uint32_t *high, uint32_t n)
{
	uint32_t now = atomic_load(high);

	while (now < n && !atomic_compare_exchange_weak(high, &now, n))
		;
}

static void
ask_for_room(void)
{
	if (!atomic_exchange(&seam_arena->head.execs_crowded, 1))
		seam_door();
}

static struct seam_exec *
claim(int32_t pid)
{
	for (uint32_t i = 0; i < SEAM_MAX_EXECS; i++) {
		struct seam_exec *e = &seam_arena->exec[i];
		int32_t none = 0;

		if (!atomic_compare_exchange_strong(&e->pid, &none, -pid))
			continue;
		count_up_to(&seam_arena->head.execs, i + 1);
		if (i >= SEAM_MAX_EXECS / 2)
			ask_for_room();
		return e;
	}
	atomic_fetch_add(&seam_arena->head.execs_lost, 1);
	ask_for_room();
	return NULL;
}

/* The directory's path and a slash into buf; 0: not known. */
static size_t
put_directory(int dir, char *buf, size_t size)
{
	char link[40];
	long n;

	if (dir == AT_FDCWD)
		strcpy(link, "/proc/self/cwd");
	else
		snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = seam_raw3(SYS_readlink, link, buf, size - 1);
	if (n <= 0 || buf[0] != '/')
		return 0;
	buf[n] = '/';
	return (size_t)n + 1;
}

static void
put_path(struct seam_exec *e, int dir, const char *path)
{
	size_t at = 0;

	if (path[0] != '/' && (dir != AT_FDCWD || strchr(path, '/')))
		at = put_directory(dir, e->path, sizeof(e->path));
	while (at && path[0] == '.' && path[1] == '/')
		path += 2;
	if (at && !path[0]) /* the descriptor is the program's own */
		at--;
	snprintf(e->path + at, sizeof(e->path) - at, "%s", path);
}

/* Returns the number + 1, or 0. */
static uint32_t
write_note(int32_t pid, uint32_t flags, int dir, const char *path)
{
	struct seam_exec *e = claim(pid);

	if (!e)
		return 0;
	e->flags =
	    flags | (seam_proc->blind_to_controller ? SEAM_EXEC_ELSEWHERE : 0);
	e->time = boot_time();
	memcpy(e->who, seam_proc->path, sizeof(e->who));
	put_path(e, dir, path ? path : "");
	atomic_store(&e->pid, pid);
	return (uint32_t)(e - seam_arena->exec) + 1;
}

uint32_t
seam_exec_begins(int dir, const char *path)
{
	bool own = !seam_in_vfork();
	uint32_t note;

	if (!seam_arena || !seam_alive_hint())
		return 0;
	note = write_note((int32_t)seam_raw0(SYS_getpid),
			  own ? SEAM_EXEC_OWN : 0, dir, path);
	if (own) {
		if (seam_scheduled())
			seam_sched_exec_begins();
		atomic_store(&seam_proc->state, SEAM_PROC_EXECING);
		seam_door();
	}
	return note;
}

void
seam_exec_failed(uint32_t note)
{
	if (note)
		atomic_store(&seam_arena->exec[note - 1].pid, 0);
	if (!seam_arena || seam_in_vfork())
		return;
	atomic_store(&seam_proc->state, SEAM_PROC_LIVE);
	if (seam_scheduled())
		seam_sched_exec_failed();
}

void
seam_exec_spawned(pid_t pid, const char *path)
{
	if (seam_arena && seam_alive_hint())
		write_note(pid, 0, AT_FDCWD, path);
}
