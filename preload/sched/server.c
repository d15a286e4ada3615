/* SPDX-License-Identifier: MIT */
/*
 * Running again without executing again: the process forks at a point where
 * it has one thread and has touched nothing outside, and each child is a
 * run.  What runs write in the arena is set back between them: the server
 * remembers the state at its point, and how much of each table was in use.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "sched.h"

#define FDS 1024

/* A memory of the point of forking. */
static struct {
	size_t run_size; /* of the run's scalars */
	unsigned char run[8192];
	uint32_t slots, sobjects;
	struct seam_slot *slot;
	struct seam_sobject *sobject;
	uint32_t objects, threads, rings, strings;
	struct seam_object *object;
	struct seam_thread *thread;
	uint64_t births;
	uint32_t children, started, strangers;
	struct seam_proc *proc; /* its counters of sites only */
} point;

/* Descriptors that were open when the program was started. */
static uint64_t inherited[FDS / 64];

#define RUN_BEGIN offsetof(struct seam_sched, holder)
#define RUN_END offsetof(struct seam_sched, slot)

static void *
keep(const void *from, size_t size)
{
	void *to = mmap(NULL, size ? size : 1, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (to == MAP_FAILED)
		return NULL;
	memcpy(to, from, size);
	return to;
}

static uint32_t
used(_Atomic uint32_t *counter, uint32_t max)
{
	uint32_t n = atomic_load(counter);

	return n < max ? n : max;
}

static bool
remember(void)
{
	struct seam_sched *s = seam_sched();
	struct seam_head *h = &seam_arena->head;

	_Static_assert(RUN_END - RUN_BEGIN <= sizeof(point.run), "scalars");
	memcpy(point.run, (char *)s + RUN_BEGIN, RUN_END - RUN_BEGIN);
	point.slots = seam_slots();
	point.sobjects = s->sobjects;
	point.objects = used(&h->objects, SEAM_MAX_OBJECTS);
	point.threads = used(&h->threads, SEAM_MAX_THREADS);
	point.rings = used(&h->rings, SEAM_MAX_RINGS);
	point.strings = atomic_load(&h->strings);
	point.births = atomic_load(&h->births);
	point.children = atomic_load(&seam_proc->children);
	point.started = atomic_load(&seam_proc->threads);
	point.strangers = atomic_load(&seam_proc->strangers);
	point.slot = keep(s->slot, point.slots * sizeof(*s->slot));
	point.sobject = keep(s->sobject, point.sobjects * sizeof(*s->sobject));
	point.object = keep(seam_arena->object,
			    point.objects * sizeof(struct seam_object));
	point.thread = keep(seam_arena->thread,
			    point.threads * sizeof(struct seam_thread));
	point.proc = keep(seam_proc->sites, sizeof(seam_proc->sites));
	return point.slot && point.sobject && point.object && point.thread &&
	       point.proc;
}

/* Entries came in at the heads of their buckets: out they go in reverse. */
static void
forget_sobjects(struct seam_sched *s)
{
	uint32_t i;

	for (i = s->sobjects; i > point.sobjects; i--) {
		struct seam_sobject *o = &s->sobject[i - 1];

		*seam_sobject_bucket(o) = o->next;
	}
	memcpy(s->sobject, point.sobject, point.sobjects * sizeof(*s->sobject));
}

static void
forget_objects(void)
{
	uint32_t n = used(&seam_arena->head.objects, SEAM_MAX_OBJECTS), i;

	for (i = n; i > point.objects; i--) {
		seam_object_unlink(&seam_arena->object[i - 1]);
		memset(&seam_arena->object[i - 1], 0,
		       sizeof(struct seam_object));
	}
	memcpy(seam_arena->object, point.object,
	       point.objects * sizeof(struct seam_object));
	atomic_store(&seam_arena->head.objects, point.objects);
	atomic_store(&seam_arena->head.strings, point.strings);
	memcpy(seam_proc->sites, point.proc, sizeof(seam_proc->sites));
}

static void
forget_threads(void)
{
	uint32_t n = used(&seam_arena->head.threads, SEAM_MAX_THREADS), i;

	for (i = point.threads; i < n; i++)
		memset(&seam_arena->thread[i], 0, sizeof(struct seam_thread));
	memcpy(seam_arena->thread, point.thread,
	       point.threads * sizeof(struct seam_thread));
	atomic_store(&seam_arena->head.threads, point.threads);
	atomic_store(&seam_arena->head.births, point.births);
}

static void
set_back(void)
{
	struct seam_sched *s = seam_sched();
	uint32_t slots = seam_slots();

	forget_sobjects(s);
	forget_objects();
	forget_threads();
	if (slots > point.slots)
		memset(&s->slot[point.slots], 0,
		       (slots - point.slots) * sizeof(*s->slot));
	memcpy(s->slot, point.slot, point.slots * sizeof(*s->slot));
	memcpy((char *)s + RUN_BEGIN, point.run, RUN_END - RUN_BEGIN);
	atomic_store(&seam_proc->children, point.children);
	atomic_store(&seam_proc->threads, point.started);
	atomic_store(&seam_proc->strangers, point.strangers);
	atomic_store(&seam_proc->exiting, 0);
}

void
seam_run_begin(void)
{
	struct seam_sched *s = seam_sched();

	s->random = s->plan.seed;
	s->entropy = s->plan.entropy ^ UINT64_C(0x5ea35ea35ea35ea3);
	s->sleeping = s->plan.sleep;
	s->sleeping_how = s->plan.sleep_how;
	/* The same moment in every run, of every session. */
	s->epoch[0] = UINT64_C(1700000000000000000);
	s->epoch[1] = UINT64_C(100000000000000);
	seam_strategy_begin(s);
}

/* The debugger's last look, with everybody as they stand.  It is told of what
 * is ignored, too; where there is none, nothing happens. */
static void
trap(unsigned verdict, const char *what)
{
	static const char *const names[] = {
		[SEAM_VERDICT_DEADLOCK] = "deadlock",
		[SEAM_VERDICT_LIVELOCK] = "livelock",
		[SEAM_VERDICT_LONG] = "too many steps",
		[SEAM_VERDICT_MISUSE] = "misuse",
		[SEAM_VERDICT_DIVERGED] = "it went another way",
		[SEAM_VERDICT_FULL] = "no more room",
	};
	const uint64_t set = UINT64_C(1) << (SIGTRAP - 1);
	const struct {
		void (*handler)(int);
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} ignore = { SIG_IGN, 0, NULL, 0 };
	const char *name =
	    verdict < sizeof(names) / sizeof(names[0]) && names[verdict] ?
		names[verdict] :
		"no more to be done";

	seam_say("the run ends here: %s%s%s", name, *what ? ": " : "", what);
	seam_raw4(SYS_rt_sigaction, SIGTRAP, &ignore, NULL, sizeof(set));
	seam_raw4(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, sizeof(set));
	seam_raw3(SYS_tgkill, seam_proc->pid, seam_raw0(SYS_gettid), SIGTRAP);
}

/* Everybody of the run ends here: the others first, which wait for a turn
 * that will not come. */
void
seam_run_end(unsigned verdict, const struct seam_slot *who, const char *fmt,
	     ...)
{
	struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->what, sizeof(s->what), fmt, ap);
	va_end(ap);
	s->at = s->steps;
	s->who = who ? seam_slot_index(who) + 1u : 0;
	s->verdict = verdict;
	if (s->plan.flags & SEAM_PLAN_DEBUG)
		trap(verdict, s->what);
	for (i = 0; i < n; i++) {
		const struct seam_slot *slot = &s->slot[i];
		int32_t pid;

		if (slot->proc >= SEAM_MAX_PROCS ||
		    slot->proc == seam_proc_index() ||
		    slot->state == SEAM_SLOT_GONE)
			continue;
		pid = seam_arena->proc[slot->proc].pid;
		if (pid > 1)
			seam_raw2(SYS_kill, pid, SIGKILL);
	}
	seam_bell();
	for (;;)
		seam_raw1(SYS_exit_group, 125);
}

/* Is there anything that forking would share with the runs? */

static bool
only_inherited_descriptors(void)
{
	int fd;

	for (fd = 0; fd < FDS; fd++)
		if (!((inherited[fd / 64] >> (fd % 64)) & 1) &&
		    seam_raw2(SYS_fcntl, fd, F_GETFD) >= 0)
			return false;
	return true;
}

void
seam_sched_note_descriptors(void)
{
	int fd;

	for (fd = 0; fd < FDS; fd++)
		if (seam_raw2(SYS_fcntl, fd, F_GETFD) >= 0)
			inherited[fd / 64] |= UINT64_C(1) << (fd % 64);
}

static bool
is_ours(uint64_t lo)
{
	return (lo >= (uint64_t)(uintptr_t)seam_arena &&
		lo < (uint64_t)(uintptr_t)(seam_arena + 1)) ||
	       lo == (uint64_t)(uintptr_t)&seam_gate;
}

static bool
shares_memory(void)
{
	char buf[8192], *line, *end;
	long fd = seam_raw3(SYS_open, "/proc/self/maps", O_RDONLY, 0), n;
	size_t have = 0;
	bool found = false;

	if (fd < 0)
		return true;
	while ((n = seam_raw3(SYS_read, fd, buf + have,
			      sizeof(buf) - 1 - have)) > 0) {
		have += (size_t)n;
		buf[have] = '\0';
		for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
			const char *perms = strchr(line, ' ');
			uint64_t lo = strtoul(line, NULL, 16);

			if (perms && perms[2] == 'w' && perms[4] == 's' &&
			    !is_ours(lo))
				found = true;
		}
		have = strlen(line);
		memmove(buf, line, have);
	}
	seam_raw1(SYS_close, fd);
	return found;
}

/* Who has a lock that knows its owner is known by its thread's number, which
 * a forked child's thread does not have. */
static bool
holds_a_lock(void)
{
	const struct seam_sched *s = seam_sched();
	uint32_t i;

	for (i = 0; i < s->sobjects; i++)
		if (s->sobject[i].owner &&
		    (s->sobject[i].kind == SEAM_KIND_MUTEX ||
		     s->sobject[i].kind == SEAM_KIND_RWLOCK))
			return true;
	return false;
}

static const char *
why_not(void)
{
	if (seam_slots() > 1 || atomic_load(&seam_proc->strangers))
		return "other threads or processes had been started";
	if (!only_inherited_descriptors())
		return "a descriptor had been opened";
	if (shares_memory())
		return "memory was shared with other processes";
	if (holds_a_lock())
		return "a lock was held";
	if (seam_modules_opening)
		return "a library was being opened";
	return NULL;
}

/* How many there were. */
static uint32_t
kill_children(void)
{
	char path[64], text[512] = "", *end;
	long fd, n, pid = 0;
	uint32_t killed = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/children",
		 seam_raw0(SYS_gettid));
	fd = seam_raw3(SYS_open, path, O_RDONLY | O_CLOEXEC, 0);
	while (fd >= 0 && (n = seam_raw3(SYS_read, fd, text, sizeof(text))) > 0)
		for (end = text; end < text + n; end++) {
			if (*end >= '0' && *end <= '9') {
				pid = pid * 10 + *end - '0';
				continue;
			}
			if (pid > 1 && !seam_raw2(SYS_kill, pid, SIGKILL))
				killed++;
			pid = 0;
		}
	if (fd >= 0)
		seam_raw1(SYS_close, fd);
	return killed;
}

/* The run is over when its first process is; whoever is left is ended.  What
 * these have begun meanwhile becomes ours when they are dead. */
static void
reap(struct seam_sched *s, long pid)
{
	long r;

	do
		r = seam_raw4(SYS_wait4, pid, &s->status, 0, NULL);
	while (r == -EINTR);
	s->strays = 0;
	while ((r = seam_raw4(SYS_wait4, -1, NULL, WNOHANG, NULL)) != -ECHILD) {
		if (r)
			continue;
		s->strays += kill_children();
		seam_raw4(SYS_wait4, -1, NULL, 0, NULL);
	}
}

static void
become_run(struct seam_sched *s)
{
	seam_raw2(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	seam_process_again();
	seam_signals_publish();
	seam_run_begin();
	atomic_store(&s->run_pid, seam_proc->pid);
}

static void
serve(struct seam_sched *s)
{
	uint32_t carried = atomic_load(&s->finished), order;
	long pid;

	for (;;) {
		while ((order = atomic_load(&s->order)) == carried) {
			seam_futex_wait_ms(&s->order, order, SEAM_LOOK_MS);
			if (!seam_alive())
				seam_raw1(SYS_exit_group, 0);
		}
		set_back();
		pid = seam_real._Fork();
		if (pid == 0) {
			become_run(s);
			return;
		}
		if (pid < 0) {
			s->status = 127 << 8;
			s->verdict = SEAM_VERDICT_FULL;
			snprintf(s->what, sizeof(s->what), "cannot fork");
		} else {
			atomic_store(&s->run_pid, (int32_t)pid);
			reap(s, pid);
		}
		carried = order;
		atomic_store(&s->run_pid, 0);
		atomic_store(&s->finished, carried);
		seam_bell();
	}
}

void
seam_sched_serve(unsigned where)
{
	struct seam_sched *s = seam_sched();
	static bool asked;
	const char *why;

	if (asked || s->plan.server != where || !seam_self.slot ||
	    seam_slot_index(seam_self.slot) != 0)
		return;
	asked = true;
	why = where == SEAM_SERVER_LATE ? why_not() : NULL;
	if (!why && !remember())
		why = "there is no memory";
	if (why) {
		atomic_store(&s->why_not, seam_keep_string(why));
		return;
	}
	seam_raw2(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
	s->server_pid = seam_proc->pid;
	atomic_store(&s->serves, where);
	seam_bell();
	serve(s);
}
