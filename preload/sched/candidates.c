/* SPDX-License-Identifier: MIT */
/*
 * Whose operation can be done now?  The real object tells: its words are
 * read, as glibc lays them out on x86-64, wherever they are mapped here.
 * What another process stands at is judged by that process itself when it
 * comes to stand; later, by the object's version: something may have
 * changed, so it may try.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>

#include "sched.h"

/* Bits of struct __pthread_rwlock_arch_t's __readers (glibc). */
#define RW_WRLOCKED 2u
#define RW_READER_SHIFT 3

#define KIND_RECURSIVE 1
#define KIND_ERRORCHECK 2

static bool
mutex_ready(const pthread_mutex_t *m)
{
	int lock = __atomic_load_n(&m->__data.__lock, __ATOMIC_RELAXED);

	return !lock || ((uint32_t)lock & FUTEX_OWNER_DIED);
}

static bool
mutex_is_own(const pthread_mutex_t *m, int32_t tid)
{
	int type = m->__data.__kind & 3;

	return m->__data.__owner == tid && m->__data.__lock &&
	       (type == KIND_RECURSIVE || type == KIND_ERRORCHECK);
}

static bool
rwlock_ready(const pthread_rwlock_t *l, uint8_t mode)
{
	unsigned r = __atomic_load_n(&l->__data.__readers, __ATOMIC_RELAXED);

	return !(r & RW_WRLOCKED) && (mode == 'r' || !(r >> RW_READER_SHIFT));
}

static bool
sem_ready(const void *s)
{
	return *(const volatile uint32_t *)s != 0;
}

static bool
once_ready(const struct seam_call *c)
{
	const unsigned char *guard = c->ptr;
	const int *word = c->ptr;

	if (c->fn == SEAM_FN___cxa_guard_acquire)
		return (guard[0] & 1) || !(guard[1] & 1);
	return (*word & 3) != 1;
}

/* Of a process's lock requests, the first that waits. */
static const struct seam_slot *
waiting_for_range(int32_t pid)
{
	const struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();

	for (i = 0; i < n; i++) {
		const struct seam_slot *slot = &s->slot[i];

		if (slot->state == SEAM_SLOT_PENDING && slot->blocker &&
		    slot->proc < SEAM_MAX_PROCS &&
		    seam_arena->proc[slot->proc].pid == pid)
			return slot;
	}
	return NULL;
}

/* Whoever has the range waits for one that this process has, perhaps over
 * others: the kernel would not let it wait.  As far as it looks (fs/locks.c,
 * MAX_DEADLK_ITERATIONS). */
bool
seam_range_deadlock(int32_t blocker)
{
	const struct seam_slot *slot;
	int links;

	for (links = 0; blocker > 0 && links < 10; links++) {
		if (blocker == seam_proc->pid)
			return true;
		if (!(slot = waiting_for_range(blocker)))
			return false;
		blocker = slot->blocker;
	}
	return false;
}

/* Who is in the way; 0: nobody. */
int32_t
seam_range_blocker(const struct seam_call *c)
{
	const struct flock *want = (const void *)(uintptr_t)c->arg[1];
	int cmd = c->arg[0] == F_OFD_SETLKW ? F_OFD_GETLK : F_GETLK;
	struct flock l = { .l_type = F_WRLCK,
			   .l_whence = SEEK_SET,
			   .l_start = (off_t)c->off,
			   .l_len = (off_t)c->len };

	if (c->verb == SEAM_LOCKF_LOCK)
		cmd = F_GETLK;
	else
		l = *want;
	if (seam_raw3(SYS_fcntl, c->fd, cmd, &l) < 0 || l.l_type == F_UNLCK)
		return 0;
	return cmd == F_GETLK && l.l_pid > 0 ? l.l_pid : -1;
}

static bool
range_ready(struct seam_slot *slot, const struct seam_call *c)
{
	slot->blocker = seam_range_blocker(c);
	return !slot->blocker || seam_range_deadlock(slot->blocker);
}

bool
seam_is_own(const struct seam_call *c, int32_t tid)
{
	const pthread_rwlock_t *l = c->ptr;

	switch (c->verb) {
	case SEAM_MUTEX_LOCK:
		return mutex_is_own(c->ptr, tid);
	case SEAM_RWLOCK_RDLOCK:
	case SEAM_RWLOCK_WRLOCK:
		return l->__data.__cur_writer == tid;
	default:
		return false;
	}
}

/* By the words of the object; only in the slot's own process. */
static bool
looks_ready(struct seam_slot *slot)
{
	const struct seam_call *c = (const void *)(uintptr_t)slot->call;
	int32_t tid = seam_arena->thread[slot->thread].tid;

	if (!c)
		return true;
	if (c->ready)
		return c->ready(c);
	switch (slot->op.verb) {
	case SEAM_MUTEX_LOCK:
		return mutex_ready(c->ptr) || mutex_is_own(c->ptr, tid);
	case SEAM_COND_REACQUIRE:
		return mutex_ready((void *)(uintptr_t)c->arg[0]);
	case SEAM_RWLOCK_RDLOCK:
	case SEAM_RWLOCK_WRLOCK:
		return rwlock_ready(c->ptr, c->mode) || seam_is_own(c, tid);
	case SEAM_SPIN_LOCK:
		return *(const volatile int *)c->ptr == 1;
	case SEAM_SEM_WAIT:
		return sem_ready(c->ptr);
	case SEAM_ONCE:
		return once_ready(c);
	case SEAM_FCNTL_SETLKW:
	case SEAM_LOCKF_LOCK:
		return range_ready(slot, c);
	default:
		return true;
	}
}

static bool
is_file(const struct seam_op *op)
{
	return seam_verbs[op->verb].kind == SEAM_KIND_FILE;
}

static bool
is_outside(const struct seam_op *op)
{
	return op->flags & SEAM_OP_OUTSIDE;
}

/* What it was found busy at has not changed since. */
static bool
unchanged(const struct seam_slot *slot)
{
	const struct seam_sobject *o = seam_sobject_at(slot->op.object);
	uint32_t now = o ? o->version : seam_sched()->steps;

	return slot->seen == now + 1;
}

bool
seam_is_ready(struct seam_slot *slot)
{
	const struct seam_sched *s = seam_sched();
	const struct seam_op *op = &slot->op;

	/* A wait on a condition leaves its queue, and then needs the mutex. */
	if ((slot->signals & SEAM_SIGNAL_CANCEL) && slot->cancellable &&
	    (slot->queued || op->verb != SEAM_COND_REACQUIRE))
		return true;
	if (slot->signals & (SEAM_SIGNAL_DUE | SEAM_SIGNAL_SHARED))
		return true;
	if ((slot->signals & SEAM_SIGNAL_SENT) &&
	    (op->verb == SEAM_SIGNAL_WAIT || op->verb == SEAM_IO_POLL))
		return true;
	if ((slot->signals & SEAM_SIGNAL_INTERRUPTED) && slot->interruptible)
		return true;
	if (slot->queued)
		return false;
	if (op->flags & SEAM_OP_LOCAL)
		return true;
	/* A try answers at once, and so does who would join itself, or one
	 * that is detached. */
	if (op->verb == SEAM_THREAD_JOIN && op->peer)
		return s->slot[op->peer - 1].state >= SEAM_SLOT_ENDING ||
		       s->slot[op->peer - 1].detached ||
		       op->fn == SEAM_FN_pthread_tryjoin_np ||
		       op->peer == seam_slot_index(slot) + 1u;
	if (op->verb == SEAM_TIME_SLEEP)
		return s->now >= slot->deadline;
	/* A file's locks are asked for by a system call: only when there is
	 * news.  Outside, there is always news. */
	if ((is_file(op) || slot->proc != seam_proc_index()) &&
	    !(is_outside(op) && slot->proc == seam_proc_index()) &&
	    unchanged(slot))
		return false;
	return slot->proc != seam_proc_index() || looks_ready(slot);
}

static bool
is_descendant(uint32_t proc, uint32_t of)
{
	for (int depth = 0; depth < SEAM_MAX_PROCS && proc < SEAM_MAX_PROCS;
	     depth++) {
		proc = seam_arena->proc[proc].parent - 1;
		if (proc == of)
			return true;
	}
	return false;
}

/* Waits for a child that is in the session, and can't go on itself: then
 * nothing comes from outside. */
static bool
awaits_session(const struct seam_slot *slot)
{
	const struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();

	if (slot->op.verb != SEAM_PROCESS_WAIT)
		return false;
	for (i = 0; i < n; i++)
		if (s->slot[i].state == SEAM_SLOT_PENDING &&
		    is_descendant(s->slot[i].proc, slot->proc))
			return true;
	return false;
}

/* Once it is woken, a wait on a condition needs the mutex, however long that
 * takes. */
static bool
may_time_out(const struct seam_slot *slot)
{
	return (slot->op.flags & SEAM_OP_TIMED) &&
	       (slot->queued || slot->op.verb != SEAM_COND_REACQUIRE);
}

static void
add(struct seam_candidates *to, uint64_t *mask, uint16_t slot)
{
	to->slot[to->n++] = slot;
	if (slot < SEAM_MASKED)
		*mask |= UINT64_C(1) << slot;
}

void
seam_candidates(struct seam_choice *out)
{
	struct seam_sched *s = seam_sched();
	uint16_t i, n = (uint16_t)seam_slots();

	out->done.n = out->timeouts.n = 0;
	out->enabled_mask = out->timeout_mask = 0;
	out->outside = false;
	for (i = 0; i < n; i++) {
		struct seam_slot *slot = &s->slot[i];

		if (slot->state != SEAM_SLOT_PENDING)
			continue;
		if (seam_is_ready(slot))
			add(&out->done, &out->enabled_mask, i);
		else if (may_time_out(slot))
			add(&out->timeouts, &out->timeout_mask, i);
		else
			out->outside |=
			    is_outside(&slot->op) && !awaits_session(slot);
	}
}
