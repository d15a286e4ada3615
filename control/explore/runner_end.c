/* SPDX-License-Identifier: MIT */
/* The end of a run: what its threads do, and that nothing of it stays. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>

#include "explore/runner_int.h"
#include "inner.h"

#define TEXT_MAX 16384
#define AGAIN_MS 50 /* what was forked meanwhile */

/* Who they are. */

/* The pid of the process with that index, as far as this run goes: what the
 * server forked goes by the server's entry. */
static pid_t
pid_of(struct runner *r, uint32_t proc)
{
	struct seam_process *p = seam_process_at(r->session, proc);
	pid_t pid = atomic_load(&runner_sched(r)->run_pid);

	if (!p)
		return 0;
	if (p->index != r->main || !r->serves)
		return p->ended ? 0 : p->pid;
	/* The arena may lie, and the number be another's by now. */
	return pid > 1 && seam_parent_of(pid) == p->pid ? pid : 0;
}

static const char *
call_name(long nr)
{
	static const struct {
		long nr;
		const char *name;
	} calls[] = {
		{ SYS_read, "read" },
		{ SYS_write, "write" },
		{ SYS_poll, "poll" },
		{ SYS_ppoll, "ppoll" },
		{ SYS_select, "select" },
		{ SYS_pselect6, "pselect" },
		{ SYS_epoll_wait, "epoll_wait" },
		{ SYS_epoll_pwait, "epoll_wait" },
		{ SYS_accept, "accept" },
		{ SYS_accept4, "accept" },
		{ SYS_connect, "connect" },
		{ SYS_recvfrom, "recv" },
		{ SYS_recvmsg, "recvmsg" },
		{ SYS_sendto, "send" },
		{ SYS_futex, "futex" },
		{ SYS_wait4, "wait" },
		{ SYS_waitid, "wait" },
		{ SYS_pause, "pause" },
		{ SYS_rt_sigsuspend, "sigsuspend" },
		{ SYS_rt_sigtimedwait, "sigwait" },
		{ SYS_nanosleep, "sleep" },
		{ SYS_clock_nanosleep, "sleep" },
		{ SYS_open, "open" },
		{ SYS_openat, "open" },
		{ SYS_fcntl, "fcntl" },
		{ SYS_flock, "flock" },
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].nr == nr)
			return calls[i].name;
	return NULL;
}

static void
add_running(struct seam_text *text, pid_t pid, pid_t tid)
{
	uint64_t arg[3];
	const char *name;
	long nr;

	if (seam_task_call(pid, tid, &nr, arg)) {
		name = call_name(nr);
		if (name)
			seam_text_add(text, " waits outside, in %s()", name);
		else
			seam_text_add(text, " waits outside, in call %ld", nr);
	} else if (seam_task_state(pid, tid) == 'R') {
		seam_text_add(text,
			      " runs without making a call: a busy loop?");
	} else {
		seam_text_add(text, " runs");
	}
}

static void
add_op(struct runner *r, struct seam_text *text, const struct seam_slot *slot)
{
	struct seam_session *s = r->session;
	struct seam_sched *sched = runner_sched(r);
	uint32_t object = slot->op.object, entry = 0;
	const char *site, *name;

	if (object && object <= SEAM_SOBJECTS)
		entry = sched->sobject[object - 1].entry;
	name = entry ? seam_object_text(s, entry - 1) : "";
	site =
	    seam_process_at(s, slot->proc) ?
		seam_site_text(s, seam_process_at(s, slot->proc), slot->site) :
		"";
	seam_text_add(text, " %s%s%s%s%s", seam_verb_name(slot->op.verb),
		      *name ? " of " : "", name, *site ? " at " : "", site);
}

static void
add_slot(struct runner *r, struct seam_text *text, const struct seam_slot *slot)
{
	struct seam_session *s = r->session;
	struct seam_thread *t = seam_thread_at(s, slot->thread);
	char who[SEAM_NAME_TEXT];
	pid_t pid = pid_of(r, slot->proc);

	if (!t || slot->state == SEAM_SLOT_NONE ||
	    slot->state == SEAM_SLOT_GONE)
		return;
	seam_text_add(text, "%s", seam_thread_describe(s, t, who, sizeof(who)));
	if (slot->state == SEAM_SLOT_PENDING) {
		seam_text_add(text, " stands at");
		add_op(r, text, slot);
	} else {
		add_running(text, pid, t->tid);
		if (slot->op.verb) {
			seam_text_add(text, ", since");
			add_op(r, text, slot);
		}
	}
	seam_text_add(text, "\n");
}

char *
runner_describe(struct runner *r)
{
	struct seam_sched *sched = runner_sched(r);
	struct seam_text text = { .buf = malloc(TEXT_MAX), .size = TEXT_MAX };
	uint32_t n = sched->slots;

	if (!text.buf)
		return NULL;
	*text.buf = '\0';
	for (uint32_t i = 0; i < n && i < SEAM_SLOTS; i++)
		add_slot(r, &text, &sched->slot[i]);
	if (!text.n) {
		seam_text_add(&text, "P1.T0");
		add_running(&text, runner_main(r)->pid, runner_main(r)->pid);
		seam_text_add(&text, "\n");
	}
	return text.buf;
}

/* Killing. */

/* All that the server has for children: the run, and those whose parents have
 * gone before them, whether they ever said hello or not. */
static void
kill_run(struct runner *r)
{
	const pid_t server = runner_main(r)->pid;
	char path[64];
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", server,
		 server);
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &pid) == 1)
		if (pid > 1 && seam_parent_of(pid) == server)
			kill(pid, SIGKILL);
	if (f)
		fclose(f);
}

/* Every process but one that serves on; how many there were. */
static unsigned
kill_processes(struct runner *r)
{
	struct seam_session *s = r->session;
	const bool keep = r->serves && !r->used;
	unsigned n = 0;

	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];

		if (!p->used || p->ended || (keep && i == r->main))
			continue;
		if (p->pidfd >= 0)
			pidfd_send_signal(p->pidfd, SIGKILL, NULL, 0);
		n++;
	}
	return n;
}

static bool
is_over(struct runner *r)
{
	struct seam_sched *s = runner_sched(r);

	return !r->serves || r->used || runner_main(r)->ended ||
	       atomic_load(&s->finished) == atomic_load(&s->order);
}

/* The session may not yet have heard that it is. */
static bool
has_exited(const struct seam_process *p)
{
	struct pollfd end = { .fd = p->pidfd, .events = POLLIN };

	return p->ended || poll(&end, 1, 0) > 0;
}

/* Those that outlived the first. */
static uint32_t
count_strays(struct runner *r)
{
	struct seam_session *s = r->session;
	uint32_t n = 0;

	if (r->serves && is_over(r))
		return runner_sched(r)->strays;
	for (unsigned i = 0; i < s->processes; i++)
		n += s->process[i].used && i != r->main &&
		     !has_exited(&s->process[i]);
	return n;
}

bool
runner_kill(struct runner *r, uint32_t *strays)
{
	struct seam_session *s = r->session;
	uint64_t until = seam_now() + RUNNER_GRACE_MS * RUNNER_NS_PER_MS;
	unsigned n;
	uint32_t seen;

	if (!s->broken[0])
		seam_porter_attend(s);
	*strays = count_strays(r);
	for (;;) {
		seen = atomic_load(&s->arena->head.bell);
		/* Forked at the last moment. */
		n = kill_processes(r);
		if (!is_over(r))
			kill_run(r);
		else if (!n)
			return true;
		if (seam_now() >= until)
			return false;
		seam_bell_wait(s, seen,
			       seam_now() + AGAIN_MS * RUNNER_NS_PER_MS);
	}
}
