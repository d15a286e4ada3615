/* SPDX-License-Identifier: MIT */
/*
 * Does anybody outside have the other end?  Threads that wait at pipes which
 * processes of the session alone have open wait for each other, and those
 * that wait for signals wait for each other's.  /proc tells; it is asked once,
 * at the end of a run that nobody goes on with.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "sched.h"

#define ENTRY_NAME 19 /* of struct linux_dirent64 */
#define ENTRY_SIZE 16

/* Calls `each` with the numbers that are names in a directory, until one says
 * false. */
static bool
each_number(const char *directory, bool (*each)(int number, const void *data),
	    const void *data)
{
	char buf[2048] __attribute__((aligned(8))) = "";
	long fd = seam_raw3(SYS_open, directory,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	bool go_on = true;
	long n, at;

	if (fd < 0)
		return true;
	while (go_on &&
	       (n = seam_raw3(SYS_getdents64, fd, buf, sizeof(buf))) > 0)
		for (at = 0; go_on && at < n;) {
			const char *name = buf + at + ENTRY_NAME;
			uint16_t size;

			if (*name >= '0' && *name <= '9')
				go_on = each(atoi(name), data);
			memcpy(&size, buf + at + ENTRY_SIZE, sizeof(size));
			at += size;
		}
	seam_raw1(SYS_close, fd);
	return go_on;
}

static bool
waits_at_pipe(const struct seam_slot *slot, uint64_t inode)
{
	const struct seam_sobject *o = seam_sobject_at(slot->op.object);

	return slot->state == SEAM_SLOT_PENDING &&
	       slot->op.flags & SEAM_OP_OUTSIDE && o && o->id2 == inode;
}

static bool
is_awaited(uint64_t inode)
{
	const struct seam_sched *s = seam_sched();
	uint32_t i;

	for (i = 0; i < seam_slots(); i++)
		if (waits_at_pipe(&s->slot[i], inode))
			return true;
	return false;
}

/* The inode of a pipe; 0: it is none. */
static uint64_t
pipe_at(int pid, int fd)
{
	char path[64], text[64];
	long n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	n = seam_raw3(SYS_readlink, path, text, sizeof(text) - 1);
	if (n < 6)
		return 0;
	text[n] = '\0';
	return strncmp(text, "pipe:[", 6) ? 0 : strtoull(text + 6, NULL, 10);
}

static bool
is_not_awaited_there(int fd, const void *data)
{
	uint64_t inode = pipe_at(*(const int *)data, fd);

	return !inode || !is_awaited(inode);
}

static bool
is_of_session(int pid)
{
	const struct seam_sched *s = seam_sched();
	uint32_t i;

	/* The server has what its runs have, and does nothing with it. */
	if (pid == s->server_pid)
		return true;
	for (i = 0; i < seam_slots(); i++)
		if (s->slot[i].state != SEAM_SLOT_NONE &&
		    s->slot[i].proc < SEAM_MAX_PROCS &&
		    seam_arena->proc[s->slot[i].proc].pid == pid)
			return true;
	return false;
}

static bool
has_none(int pid, const void *unused)
{
	char path[64];

	(void)unused;
	if (is_of_session(pid))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	return each_number(path, is_not_awaited_there, &pid);
}

/* This process has it open, and it is a pipe. */
static bool
is_pipe_here(uint64_t inode)
{
	char path[64], text[64], wanted[64];
	int fd;
	long n;

	snprintf(wanted, sizeof(wanted), "pipe:[%lu]", inode);
	for (fd = 0; fd < 1024; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = seam_raw3(SYS_readlink, path, text, sizeof(text) - 1);
		if (n <= 0)
			continue;
		text[n] = '\0';
		if (!strcmp(text, wanted))
			return true;
	}
	return false;
}

/* No signal of a timer's will end a wait: there are none, and no other
 * processes that could have some. */
static bool
has_no_timers(void)
{
	const struct seam_sched *s = seam_sched();
	struct itimerval real = { 0 };
	char byte;
	long fd, n;
	uint32_t i;

	for (i = 0; i < seam_slots(); i++)
		if (s->slot[i].proc != seam_proc_index() &&
		    s->slot[i].state != SEAM_SLOT_GONE)
			return false;
	seam_raw2(SYS_getitimer, ITIMER_REAL, &real);
	if (real.it_value.tv_sec || real.it_value.tv_usec)
		return false;
	fd = seam_raw3(SYS_open, "/proc/self/timers", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	n = seam_raw3(SYS_read, fd, &byte, 1);
	seam_raw1(SYS_close, fd);
	return n == 0;
}

bool
seam_waits_in_vain(bool certain)
{
	const struct seam_sched *s = seam_sched();
	unsigned pipes = 0, signals = 0;
	uint32_t i;

	for (i = 0; i < seam_slots(); i++) {
		const struct seam_slot *slot = &s->slot[i];
		const struct seam_sobject *o = seam_sobject_at(slot->op.object);

		if (slot->state != SEAM_SLOT_PENDING ||
		    !(slot->op.flags & SEAM_OP_OUTSIDE) ||
		    slot->op.verb == SEAM_PROCESS_WAIT)
			continue;
		if (slot->op.verb == SEAM_SIGNAL_WAIT) {
			signals++;
			continue;
		}
		if ((slot->op.verb != SEAM_IO_READ &&
		     slot->op.verb != SEAM_IO_WRITE) ||
		    !o || !is_pipe_here(o->id2))
			return false;
		pipes++;
	}
	return pipes + signals && (!certain || has_no_timers()) &&
	       (!pipes || each_number("/proc", has_none, NULL));
}
