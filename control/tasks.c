/* SPDX-License-Identifier: MIT */
/* What the kernel says of a process's threads. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules_int.h"

static bool
read_task(pid_t pid, pid_t tid, const char *file, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	return true;
}

/* 'R', 'S', …; 0: it is not there any more. */
char
seam_task_state(pid_t pid, pid_t tid)
{
	char buf[512], *end;

	if (!read_task(pid, tid, "stat", buf, sizeof(buf)))
		return 0;
	end = strrchr(buf, ')');
	return end && end[1] == ' ' ? end[2] : 0;
}

/* CLOCK_BOOTTIME, ns, of a process that has not ended; else 0. */
uint64_t
seam_task_born(pid_t pid)
{
	unsigned long long ticks;
	char buf[512], *end;

	if (!read_task(pid, pid, "stat", buf, sizeof(buf)))
		return 0;
	end = strrchr(buf, ')');
	if (!end || end[1] != ' ' || end[2] == 'Z' || end[2] == 'X' ||
	    sscanf(end + 3,
		   " %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d"
		   " %*d %*d %*d %*d %llu",
		   &ticks) != 1)
		return 0;
	return ticks * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

uint64_t
seam_task_ran(pid_t pid, pid_t tid)
{
	char buf[128];

	if (!read_task(pid, tid, "schedstat", buf, sizeof(buf)))
		return 0;
	return strtoull(buf, NULL, 10);
}

/* The system call it sleeps in and its first three arguments; false when
 * that cannot be read, or it runs. */
bool
seam_task_call(pid_t pid, pid_t tid, long *nr, uint64_t arg[3])
{
	char buf[256], *p = buf;

	if (!read_task(pid, tid, "syscall", buf, sizeof(buf)))
		return false;
	if (*buf < '0' || *buf > '9')
		return false;
	*nr = strtol(p, &p, 10);
	for (int i = 0; i < 3; i++)
		arg[i] = strtoull(p, &p, 16);
	return true;
}

int
seam_tasks(pid_t pid, int (*each)(pid_t tid, void *data), void *data)
{
	struct dirent *e;
	char path[32];
	int r = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	if (!d)
		return 0;
	while (!r && (e = readdir(d)))
		if (e->d_name[0] != '.')
			r = each(atoi(e->d_name), data);
	closedir(d);
	return r;
}

struct seam_thread *
seam_thread_of_tid(struct seam_session *s, const struct seam_process *p,
		   int tid)
{
	struct seam_thread *t;
	uint32_t i = 0;

	while ((t = seam_thread_next(s, &i)))
		if (t->proc == p->index && t->tid == tid &&
		    atomic_load(&t->state) != SEAM_THREAD_EXITED)
			return t;
	return NULL;
}

/* What is shared may be owned by a thread of another process. */
struct seam_thread *
seam_thread_of_owner(struct seam_session *s, const struct seam_process *p,
		     int tid)
{
	struct seam_thread *t = seam_thread_of_tid(s, p, tid);

	for (unsigned i = 0; i < s->processes && !t; i++)
		if (seam_process_live(&s->process[i]))
			t = seam_thread_of_tid(s, &s->process[i], tid);
	return t;
}
