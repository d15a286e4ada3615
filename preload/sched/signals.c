/* SPDX-License-Identifier: MIT */
/*
 * Signals are delivered at events.  In a process that has handlers, a thread
 * blocks signals while it stands, and whoever holds the baton has none that
 * it did not block itself.  What has come meanwhile is handled when the
 * thread has its turn, which is a step of its own (signal.handle): handlers
 * run as the holder, and what they call makes steps like everything else.
 * Then the thread stands again at what it stood at.
 *
 * Who sends says to whom: a thread to whom a signal was sent that has a
 * handler, or ends the process, is a candidate, whatever it waits for.
 */
#include <signal.h>
#include <string.h>

#include "sched.h"

#define BIT(sig) (UINT64_C(1) << ((sig)-1))

/* Faults come at once; two are glibc's own: cancellation, setuid. */
#define NEVER_BLOCKED                                                          \
	(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGILL) |              \
	 BIT(SIGTRAP) | BIT(SIGSYS) | BIT(32) | BIT(33))

static void
set_mask(int how, uint64_t set, uint64_t *old)
{
	seam_raw4(SYS_rt_sigprocmask, how, &set, old, sizeof(set));
}

static uint64_t
pending_signals(void)
{
	uint64_t set = 0;

	seam_raw2(SYS_rt_sigpending, &set, sizeof(set));
	return set;
}

bool
seam_signals_pending(uint64_t set)
{
	return pending_signals() & set;
}

void
seam_signals_keep(struct seam_slot *slot)
{
	if (SEAM_LIKELY(!atomic_load_explicit(&seam_proc->caught,
					      memory_order_relaxed)) ||
	    slot->guarded)
		return;
	set_mask(SIG_BLOCK, ~NEVER_BLOCKED, &slot->mask);
	slot->guarded = 1;
}

void
seam_signals_let(struct seam_slot *slot)
{
	if (SEAM_LIKELY(!slot->guarded))
		return;
	slot->guarded = 0;
	set_mask(SIG_SETMASK, slot->mask, NULL);
}

bool
seam_signals_due(const struct seam_slot *slot)
{
	if (slot->signals & (SEAM_SIGNAL_DUE | SEAM_SIGNAL_SHARED))
		return true;
	return slot->guarded && (pending_signals() & ~slot->mask);
}

/* What the kernel keeps for rt_sigaction. */
struct action {
	uint64_t handler, flags, restorer, mask;
};

/* Does one of them interrupt a call that waits?  Some are never restarted
 * (signal(7)). */
static bool
interrupts(const struct seam_slot *slot, uint64_t due)
{
	bool never = slot->op.verb == SEAM_IO_POLL ||
		     slot->op.verb == SEAM_TIME_SLEEP ||
		     slot->op.verb == SEAM_SIGNAL_WAIT;
	struct action a = { 0 };
	int sig;

	for (sig = 1; sig <= 64; sig++)
		if ((due & BIT(sig)) &&
		    !seam_raw4(SYS_rt_sigaction, sig, NULL, &a,
			       sizeof(a.mask)) &&
		    a.handler > 1 && (never || !(a.flags & SA_RESTART)))
			return true;
	return false;
}

/* The process's signals are handled: its other threads need not look. */
static void
forget_shared(void)
{
	struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();

	for (i = 0; i < n; i++)
		if (s->slot[i].proc == seam_proc_index())
			s->slot[i].signals &= ~SEAM_SIGNAL_SHARED;
}

static void
run_handlers(struct seam_slot *slot)
{
	unsigned busy = seam_self.busy;

	seam_self.busy = 0;
	seam_signals_let(slot);
	seam_signals_keep(slot);
	seam_self.busy = busy;
}

/* What a slot says of the call that a handler comes in between. */
struct standing {
	struct seam_op op;
	uint64_t site, deadline, call;
	uint8_t how, cancellable, interruptible;
	int32_t blocker;
};

static struct standing
put_aside(const struct seam_slot *slot)
{
	return (struct standing){
		.op = slot->op,
		.site = slot->site,
		.deadline = slot->deadline,
		.call = slot->call,
		.how = slot->how,
		.cancellable = slot->cancellable,
		.interruptible = slot->interruptible,
		.blocker = slot->blocker,
	};
}

static void
take_up(struct seam_slot *slot, const struct standing *was)
{
	slot->op = was->op;
	slot->site = was->site;
	slot->deadline = was->deadline;
	slot->call = was->call;
	slot->how = was->how;
	slot->cancellable = was->cancellable;
	slot->interruptible = was->interruptible;
	slot->blocker = was->blocker;
}

static void
handle_step(struct seam_slot *slot, uint64_t due)
{
	memset(&slot->op, 0, sizeof(slot->op));
	slot->op.verb = SEAM_SIGNAL_HANDLE;
	slot->op.off = due ? (uint64_t)__builtin_ctzll(due) + 1 : 0;
	slot->how = SEAM_HOW_DONE;
	seam_step_done(slot, 0);
}

void
seam_signals_handle(struct seam_slot *slot)
{
	uint64_t due = slot->guarded ? pending_signals() & ~slot->mask : 0;
	const struct standing was = put_aside(slot);
	bool interrupted = slot->interruptible && interrupts(slot, due);
	int saved = errno;

	slot->signals &= ~(SEAM_SIGNAL_DUE | SEAM_SIGNAL_SHARED |
			   SEAM_SIGNAL_SENT | SEAM_SIGNAL_INTERRUPTED);
	/* What need not wait has not been interrupted: the signal came before
	 * the call. */
	interrupted = interrupted && !seam_is_ready(slot);
	handle_step(slot, due);
	forget_shared();
	run_handlers(slot);
	take_up(slot, &was);
	if (interrupted)
		slot->signals |= SEAM_SIGNAL_INTERRUPTED;
	errno = saved;
}

void
seam_signals_settle(struct seam_slot *slot)
{
	while (seam_signals_due(slot))
		seam_signals_handle(slot);
	seam_signals_let(slot);
}

/*
 * Calls in which handlers run before they return: a signal to oneself,
 * sigsuspend, pselect and its like.  The call is a step, then come those of
 * the handlers.
 */
int
seam_signals_call(struct seam_slot *slot, struct seam_call *c)
{
	const struct standing was = put_aside(slot);
	unsigned busy = seam_self.busy;
	int error;

	seam_step_done(slot, 0);
	c->stepped = true;
	seam_self.busy = 0;
	error = c->real(c);
	seam_self.busy = busy;
	take_up(slot, &was);
	return error;
}

static bool
is_own_process(const struct seam_call *c)
{
	int32_t pid = (int32_t)c->arg[0];

	return c->fn == SEAM_FN_kill && (pid <= 0 || pid == seam_proc->pid);
}

bool
seam_signals_in_call(const struct seam_slot *slot, const struct seam_call *c)
{
	if (!atomic_load_explicit(&seam_proc->caught, memory_order_relaxed))
		return false;
	switch (c->verb) {
	case SEAM_SIGNAL_SEND:
		return slot->op.peer ?
			   slot->op.peer - 1 == seam_slot_index(slot) :
			   is_own_process(c);
	case SEAM_SIGNAL_WAIT:
		return c->fn == SEAM_FN_sigsuspend;
	case SEAM_IO_POLL:
		return c->mask && (pending_signals() & ~*c->mask);
	default:
		return false;
	}
}

/* Whom a signal reaches. */

/* A handler will run, or the process will end. */
static bool
matters(const struct seam_proc *proc, int sig)
{
	uint64_t harmless = BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) |
			    BIT(SIGWINCH) | BIT(SIGSTOP) | BIT(SIGTSTP) |
			    BIT(SIGTTIN) | BIT(SIGTTOU);

	return sig >= 1 && sig <= 64 &&
	       ((atomic_load(&proc->caught) | ~harmless) & BIT(sig));
}

static void
sent_to(struct seam_slot *slot, int sig, uint32_t how)
{
	slot->signals |= SEAM_SIGNAL_SENT;
	if (slot->guarded && !(slot->mask & BIT(sig)) &&
	    matters(&seam_arena->proc[slot->proc], sig))
		slot->signals |= how;
}

void
seam_signals_to_process(int32_t pid, int sig)
{
	struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();

	if (sig < 1 || sig > 64)
		return;
	/* The caller's own process: it may have been handled already. */
	if (pid == seam_proc->pid && !seam_signals_pending(BIT(sig)))
		return;
	for (i = 0; i < n; i++) {
		struct seam_slot *slot = &s->slot[i];

		/* Groups: any process may belong to it. */
		if (slot->proc < SEAM_MAX_PROCS &&
		    slot->state == SEAM_SLOT_PENDING &&
		    (pid <= 0 || seam_arena->proc[slot->proc].pid == pid))
			sent_to(slot, sig, SEAM_SIGNAL_SHARED);
	}
}

void
seam_signals_sent(const struct seam_slot *slot, const struct seam_call *c)
{
	int sig;

	if (slot->op.peer) {
		sig = (int)c->arg[0];
		if (sig >= 1 && sig <= 64)
			sent_to(&seam_sched()->slot[slot->op.peer - 1], sig,
				SEAM_SIGNAL_DUE);
	} else if (c->fn == SEAM_FN_kill) {
		seam_signals_to_process((int32_t)c->arg[0], (int)c->arg[1]);
	}
}

void
seam_signals_child_died(int32_t pid)
{
	const struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();

	for (i = 0; i < n; i++) {
		uint32_t proc = s->slot[i].proc, parent;

		if (proc >= SEAM_MAX_PROCS || seam_arena->proc[proc].pid != pid)
			continue;
		parent = seam_arena->proc[proc].parent;
		if (parent && parent <= SEAM_MAX_PROCS)
			seam_signals_to_process(
			    seam_arena->proc[parent - 1].pid, SIGCHLD);
		return;
	}
}

/* Dispositions: a bit for each signal that has a handler.  A program's first
 * may come before there is a session. */

static uint64_t caught;

void
seam_signal_caught(int sig, bool yes)
{
	if (sig < 1 || sig > 64)
		return;
	if (yes)
		__atomic_fetch_or(&caught, BIT(sig), __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&caught, ~BIT(sig), __ATOMIC_RELAXED);
	seam_signals_publish();
}

void
seam_signals_publish(void)
{
	if (seam_proc)
		atomic_store(&seam_proc->caught,
			     __atomic_load_n(&caught, __ATOMIC_RELAXED));
}

/* Interval timers (ITIMER_REAL), in virtual time: a process's is in the slot
 * of the thread that set it. */

static struct seam_slot *
own_alarm(void)
{
	struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();

	for (i = 0; s->alarms && i < n; i++)
		if (s->slot[i].alarm_at && s->slot[i].proc == seam_proc_index())
			return &s->slot[i];
	return NULL;
}

bool
seam_virtual_alarm(const uint64_t set[2], uint64_t left[2])
{
	struct seam_sched *s = seam_sched();
	struct seam_slot *slot = seam_slot_self(), *old;

	if (!slot)
		return false;
	old = own_alarm();
	left[0] = left[1] = 0;
	if (old) {
		left[0] = old->alarm_at > s->now ? old->alarm_at - s->now : 1;
		left[1] = old->alarm_every;
	}
	if (!set)
		return true;
	if (old) {
		old->alarm_at = old->alarm_every = 0;
		s->alarms--;
	}
	if (set[0]) {
		slot->alarm_at = s->now + set[0];
		slot->alarm_every = set[1];
		s->alarms++;
	}
	return true;
}

uint64_t
seam_next_alarm(void)
{
	const struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();
	uint64_t next = UINT64_MAX;

	for (i = 0; s->alarms && i < n; i++)
		if (s->slot[i].alarm_at && s->slot[i].alarm_at < next)
			next = s->slot[i].alarm_at;
	return next;
}

static void
ring(struct seam_sched *s, struct seam_slot *slot)
{
	int32_t pid =
	    slot->proc < SEAM_MAX_PROCS ? seam_arena->proc[slot->proc].pid : 0;

	if (pid <= 1 || seam_raw2(SYS_kill, pid, SIGALRM) < 0 ||
	    !slot->alarm_every) {
		slot->alarm_at = 0;
		s->alarms--;
	} else {
		slot->alarm_at = s->now + slot->alarm_every;
	}
	if (pid > 1)
		seam_signals_to_process(pid, SIGALRM);
}

void
seam_ring_alarms(void)
{
	struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();

	for (i = 0; s->alarms && i < n; i++)
		if (s->slot[i].alarm_at && s->slot[i].alarm_at <= s->now)
			ring(s, &s->slot[i]);
}
