/* SPDX-License-Identifier: MIT */
/* Slots' beginnings and ends: threads, processes. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "sched.h"

uint64_t seam_proc_key;

/* Where the kernel stores 0 when a thread has gone: the thread's number in
 * its descriptor, found once by looking for it there. */
static size_t tid_offset;

static void
find_tid_offset(void)
{
	const char *self = (const char *)pthread_self();
	int32_t tid = (int32_t)seam_raw0(SYS_gettid), there;
	size_t at;

	for (at = 512; at < 1024; at += sizeof(tid)) {
		memcpy(&there, self + at, sizeof(there));
		if (there == tid) {
			tid_offset = at;
			return;
		}
	}
}

static void
new_operation(struct seam_slot *slot, unsigned verb, uint64_t site)
{
	memset(&slot->op, 0, sizeof(slot->op));
	slot->op.verb = (uint8_t)verb;
	slot->op.flags = SEAM_OP_LOCAL;
	slot->op.peer = (uint16_t)(seam_slot_index(slot) + 1);
	slot->site = site;
}

struct seam_slot *
seam_slot_new(struct seam_thread *t)
{
	struct seam_sched *s = seam_sched();
	uint32_t i = atomic_fetch_add(&s->slots, 1);
	struct seam_slot *slot;

	if (i >= SEAM_SLOTS)
		seam_run_end(SEAM_VERDICT_FULL, NULL, "more than %u threads",
			     SEAM_SLOTS);
	slot = &s->slot[i];
	memset(slot, 0, sizeof(*slot));
	slot->thread = seam_thread_index(t);
	slot->proc = t->proc;
	slot->key = seam_key_of(t->path);
	t->slot = i + 1;
	new_operation(slot, SEAM_THREAD_START, t->create_site);
	return slot;
}

static void
announce(struct seam_slot *slot)
{
	const struct seam_strategy *strategy =
	    seam_strategy_of(seam_sched()->plan.strategy);

	slot->state = SEAM_SLOT_PENDING;
	if (strategy->arrived)
		strategy->arrived(seam_sched(), seam_slot_index(slot));
}

void
seam_sched_thread_prepared(struct seam_thread *t)
{
	struct seam_slot *slot = seam_slot_new(t);

	slot->parent = (uint16_t)seam_self.thread->slot;
	if (seam_self.slot) {
		slot->guarded = seam_self.slot->guarded;
		slot->mask = seam_self.slot->mask;
	}
	announce(slot);
}

void
seam_sched_thread_never(struct seam_thread *t)
{
	if (t->slot)
		seam_sched()->slot[t->slot - 1].state = SEAM_SLOT_GONE;
}

/* Its slot stands already: another thread has seen to that. */
static void
first_turn(struct seam_slot *slot)
{
	seam_self.busy++;
	seam_first_turn(slot);
	seam_step_done(slot, 0);
	seam_signals_settle(slot);
	seam_self.busy--;
}

void
seam_sched_thread_begins(struct seam_thread *t)
{
	struct seam_slot *slot = &seam_sched()->slot[t->slot - 1];

	seam_self.slot = slot;
	first_turn(slot);
}

void
seam_sched_thread_ends(void)
{
	struct seam_slot *slot = seam_self.slot;
	uint64_t word = 0;

	if (!slot)
		return;
	slot = seam_slot_self();
	seam_self.slot = NULL;
	if (tid_offset)
		word = (uint64_t)(uintptr_t)pthread_self() + tid_offset;
	seam_hand_for_good(slot, seam_proc->pid, (int32_t)seam_raw0(SYS_gettid),
			   word);
}

/* It slept in a call that we do not see, and others went on. */
static void
come_back(struct seam_slot *slot)
{
	seam_self.busy++;
	seam_return(slot);
	seam_step_done(slot, 0);
	seam_self.busy--;
}

/* A thread that no hook created, or a process that nobody prepared. */
struct seam_slot *
seam_slot_self(void)
{
	struct seam_thread *t;
	struct seam_slot *slot;

	if (SEAM_LIKELY(seam_self.slot != NULL)) {
		if (seam_self.slot->state == SEAM_SLOT_OUTSIDE)
			come_back(seam_self.slot);
		return seam_self.slot;
	}
	t = seam_thread_self();
	if (!t || seam_self.over)
		return NULL;
	slot = seam_slot_new(t);
	seam_self.slot = slot;
	seam_self.busy++;
	seam_stand(slot, NULL);
	seam_step_done(slot, 0);
	seam_self.busy--;
	return slot;
}

/* The other threads of this process went with the program that it was. */
static void
forget_threads(const struct seam_slot *but)
{
	struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();

	for (i = 0; i < n; i++)
		if (s->slot[i].proc == seam_proc_index() &&
		    &s->slot[i] != but && s->slot[i].state)
			s->slot[i].state = SEAM_SLOT_GONE;
}

static void
take_over(struct seam_slot *slot)
{
	struct seam_thread *t = seam_self.thread;

	slot->thread = seam_thread_index(t);
	slot->proc = t->proc;
	t->slot = seam_slot_index(slot) + 1u;
	seam_self.slot = slot;
	new_operation(slot, SEAM_THREAD_START, 0);
}

/* The program of this process became another one, which is still the holder:
 * its slot is known by the thread's number. */
static struct seam_slot *
slot_before_exec(void)
{
	struct seam_sched *s = seam_sched();
	uint32_t holder = atomic_load(&s->holder);

	if (!holder || holder > SEAM_SLOTS ||
	    s->slot[holder - 1].execs != seam_proc->pid)
		return NULL;
	return &s->slot[holder - 1];
}

void
seam_sched_attached(void)
{
	struct seam_sched *s = seam_sched();
	struct seam_slot *slot;

	find_tid_offset();
	seam_sobjects_init();
	seam_proc_key = seam_key_of(seam_proc->path);
	seam_signals_publish();
	seam_self.busy++;
	if ((slot = slot_before_exec())) {
		slot->execs = 0;
		take_over(slot);
		forget_threads(slot);
		seam_stand(slot, NULL);
		seam_step_done(slot, 0);
	} else if (!atomic_exchange(&s->begun, 1)) {
		slot = seam_slot_new(seam_self.thread);
		seam_self.slot = slot;
		slot->state = SEAM_SLOT_RUNNING;
		atomic_store(&s->holder, seam_slot_index(slot) + 1u);
		seam_run_begin();
		seam_step_done(slot, 0);
	} else {
		seam_slot_self();
	}
	seam_self.busy--;
}

void
seam_sched_exec_begins(void)
{
	if (seam_self.slot)
		seam_self.slot->execs = seam_proc->pid;
}

void
seam_sched_exec_failed(void)
{
	if (seam_self.slot)
		seam_self.slot->execs = 0;
}

/* fork: the child's slot is the parent's work, so that it stands in its place
 * before anything else happens. */

enum { STANDS = 1, HAS_LEFT };

static struct seam_slot *child_slot;

void
seam_sched_forks(void)
{
	struct seam_sched *s = seam_sched();
	struct seam_slot *slot;
	uint32_t i;

	child_slot = NULL;
	if (!seam_self.slot)
		return;
	i = atomic_fetch_add(&s->slots, 1);
	if (i >= SEAM_SLOTS)
		seam_run_end(SEAM_VERDICT_FULL, NULL, "more than %u threads",
			     SEAM_SLOTS);
	slot = child_slot = &s->slot[i];
	memset(slot, 0, sizeof(*slot));
	slot->parent = (uint16_t)(seam_slot_index(seam_self.slot) + 1);
	/* Where it is to come to life, it is not known yet: nobody's. */
	slot->proc = SEAM_MAX_PROCS;
	new_operation(slot, SEAM_THREAD_START, seam_self.slot->site);
}

/* Dead, or not to be found any more; whoever reaps it may still do so. */
static bool
child_is_over(int32_t pid)
{
	siginfo_t info = { 0 };
	long r = seam_raw5(SYS_waitid, P_PID, pid, &info,
			   WEXITED | WNOHANG | WNOWAIT | __WALL, NULL);

	return r < 0 ? r != -EINTR : info.si_pid == pid;
}

/* In the parent: waits until the child stands, so that what it is called does
 * not depend on who is faster. */
void
seam_sched_forked(int32_t pid)
{
	struct seam_slot *slot = child_slot;

	if (!slot)
		return;
	child_slot = NULL;
	if (pid < 0) {
		slot->state = SEAM_SLOT_GONE;
		return;
	}
	while (!atomic_load(&slot->stands) && seam_alive_hint()) {
		seam_futex_wait_ms(&slot->stands, 0, 20);
		if (child_is_over(pid))
			break;
	}
	if (atomic_load(&slot->stands) == STANDS) {
		seam_self.slot->op.peer = (uint16_t)(seam_slot_index(slot) + 1);
		announce(slot);
	} else {
		slot->state = SEAM_SLOT_GONE;
	}
}

void
seam_sched_child_attached(void)
{
	struct seam_slot *slot = child_slot;
	struct seam_thread *t = seam_self.thread;

	seam_self.slot = NULL;
	seam_proc_key = seam_key_of(seam_proc->path);
	child_slot = NULL;
	if (!slot || !t)
		return;
	slot->key = seam_key_of(t->path);
	slot->thread = seam_thread_index(t);
	slot->proc = t->proc;
	t->slot = seam_slot_index(slot) + 1u;
	seam_self.slot = slot;
	seam_signals_publish();
	seam_signals_keep(slot);
	atomic_store(&slot->stands, STANDS);
	seam_futex_wake(&slot->stands);
	first_turn(slot);
}

/* It is in another pid namespace, where the numbers of the run's processes are
 * those of others: it must not kill any, nor wait for them. */
void
seam_sched_child_leaves(void)
{
	struct seam_slot *slot = child_slot;

	child_slot = NULL;
	seam_self.slot = NULL;
	if (!slot)
		return;
	atomic_store(&slot->stands, HAS_LEFT);
	seam_futex_wake(&slot->stands);
}

/* Its threads are no more: their locks have been dropped. */
static void
bury_process(uint32_t proc)
{
	struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();
	uint32_t k;

	for (i = 0; i < n; i++) {
		struct seam_slot *slot = &s->slot[i];

		if (slot->proc != proc || !slot->state)
			continue;
		if (slot->queued && slot->op.second)
			seam_queue_leave(seam_sobject_at(slot->op.second),
					 slot);
		else if (slot->queued)
			seam_queue_leave(seam_sobject_at(slot->op.object),
					 slot);
		slot->state = SEAM_SLOT_GONE;
	}
	for (k = 0; k < s->sobjects; k++)
		s->sobject[k].version++;
}

void
seam_wait_for_killed(const struct seam_call *c)
{
	const struct seam_sched *s = seam_sched();
	int32_t pid = (int32_t)c->arg[0];
	uint16_t i, n = (uint16_t)seam_slots();

	if (c->fn != SEAM_FN_kill || c->arg[1] != SIGKILL || pid <= 0 ||
	    pid == seam_proc->pid)
		return;
	for (i = 0; i < n; i++) {
		uint32_t proc = s->slot[i].proc;

		if (proc < SEAM_MAX_PROCS && s->slot[i].state &&
		    s->slot[i].state < SEAM_SLOT_GONE &&
		    seam_arena->proc[proc].pid == pid) {
			seam_wait_for_process(pid);
			bury_process(proc);
			return;
		}
	}
}

/* exit(), _exit(): the process goes when nobody else is to go first. */
void
seam_sched_process_ends(void)
{
	struct seam_slot *slot = seam_self.slot;
	struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();
	bool others = false;

	if (!slot)
		return;
	seam_self.busy++;
	new_operation(slot, SEAM_PROCESS_EXIT, 0);
	slot->op.flags = 0;
	seam_stand(slot, NULL);
	seam_step_done(slot, 0);
	for (i = 0; i < n; i++)
		others |= s->slot[i].proc != slot->proc && s->slot[i].state &&
			  s->slot[i].state < SEAM_SLOT_ENDING;
	seam_self.slot = NULL;
	if (others) {
		forget_threads(slot);
		seam_hand_for_good(slot, seam_proc->pid, 0, 0);
	}
}
