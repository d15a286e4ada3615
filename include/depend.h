/* SPDX-License-Identifier: MIT */
/*
 * Which operations commute?  The relation that happens-before, the classes of
 * runs and the sleep sets are over; controller and preload share it.
 *
 * An operation *touches* at most two objects, each with an access.  Two
 * operations of different threads depend on each other if they touch one
 * object (and range) with accesses that conflict, or one makes, ends, awaits
 * or cancels the other's thread.  Where an operation's effect differs with
 * the object's state, it is judged by what it was (a failed try, a timeout);
 * of what is still pending, the most is assumed.
 *
 * The relation must be the same in whichever order the two come, or runs that
 * differ by a swap would be of two classes: so it says of a post and a wait
 * that they depend even where the semaphore had enough.
 */
#ifndef SEAM_DEPEND_H
#define SEAM_DEPEND_H

#include "ops.h"
#include "schedule.h"

enum seam_access {
	/* Everything conflicts with it: a lock's exclusive acquisition and
	 * release, a semaphore's decrement, birth and death. */
	SEAM_ACCESS_WRITE,
	/* Readers' acquisitions and releases commute with each other: neither
	 * order lets a writer in between. */
	SEAM_ACCESS_SHARE,
	/* A try that failed, a wait that expired: it has read that the object
	 * was busy, and changed nothing. */
	SEAM_ACCESS_FAIL,
	/* Posts commute: the count is a sum.  Signals do not, though two of
	 * them wake the same two: what comes before both would have to be
	 * looked for otherwise than by pairs.  A mutex orders most of them. */
	SEAM_ACCESS_GIVE,
	/* Entering a queue: its order decides who is woken first. */
	SEAM_ACCESS_QUEUE,
	/* Being out of the queue: because of a signal, or too early for it.
	 * Who enters at the other end does not matter. */
	SEAM_ACCESS_LEAVE,
	SEAM_ACCESSES
};

/* All points touch one object: they mark accesses to what is shared, and
 * nothing tells whether two of them mark the same.  So do all transfers:
 * nothing tells which descriptors are two ends of one thing, or what a poll
 * looks at; and handlings of a process's signals, as any thread may do that. */
#define SEAM_TOUCH_POINTS (UINT64_C(1) << 32)

struct seam_touch {
	uint64_t object;   /* sobject, index + 1; or as above */
	uint64_t off, len; /* len 0: to the end */
	uint8_t access;
};

static inline bool
seam_access_conflicts(unsigned a, unsigned b)
{
#define BIT(x) (1u << SEAM_ACCESS_##x)
	static const uint8_t with[SEAM_ACCESSES] = {
		[SEAM_ACCESS_WRITE] = 0x3f,
		[SEAM_ACCESS_SHARE] = BIT(WRITE) | BIT(FAIL),
		[SEAM_ACCESS_FAIL] =
		    BIT(WRITE) | BIT(SHARE) | BIT(GIVE) | BIT(QUEUE),
		[SEAM_ACCESS_GIVE] = BIT(WRITE) | BIT(FAIL),
		[SEAM_ACCESS_QUEUE] = BIT(WRITE) | BIT(FAIL) | BIT(QUEUE),
		[SEAM_ACCESS_LEAVE] = BIT(WRITE),
	};
#undef BIT
	return (with[a] >> b) & 1;
}

static inline bool
seam_touches_conflict(const struct seam_touch *a, const struct seam_touch *b)
{
	return a->object == b->object &&
	       seam_access_conflicts(a->access, b->access) &&
	       (!a->len || b->off < a->off + a->len) &&
	       (!b->len || a->off < b->off + b->len);
}

static inline bool
seam_op_is_try(const struct seam_op *op)
{
	switch (op->verb) {
	case SEAM_MUTEX_TRYLOCK:
	case SEAM_SPIN_TRYLOCK:
	case SEAM_RWLOCK_TRYRDLOCK:
	case SEAM_RWLOCK_TRYWRLOCK:
	case SEAM_SEM_TRYWAIT:
	case SEAM_FCNTL_SETLK:
	case SEAM_FLOCK_TRYLOCK:
	case SEAM_LOCKF_TRYLOCK:
		return true;
	default:
		return false;
	}
}

/* Its time was over, or it was a try and failed.  Told of a done one only. */
static inline bool
seam_op_failed(const struct seam_op *op)
{
	return op->how != SEAM_HOW_DONE ||
	       (seam_op_is_try(op) && (op->flags & SEAM_OP_YIELD));
}

static inline uint8_t
seam_access_of_file(const struct seam_op *op)
{
	if (op->verb == SEAM_FCNTL_GETLK || seam_op_failed(op))
		return SEAM_ACCESS_FAIL;
	return op->mode == 'r' ? SEAM_ACCESS_SHARE : SEAM_ACCESS_WRITE;
}

/* How it touches op->object. */
static inline uint8_t
seam_access_of(const struct seam_op *op)
{
	bool failed = seam_op_failed(op);

	switch (op->verb) {
	case SEAM_RWLOCK_RDLOCK:
	case SEAM_RWLOCK_TRYRDLOCK:
		return failed ? SEAM_ACCESS_FAIL : SEAM_ACCESS_SHARE;
	case SEAM_RWLOCK_UNLOCK:
		return op->mode == 'r' ? SEAM_ACCESS_SHARE : SEAM_ACCESS_WRITE;
	case SEAM_SEM_POST:
		return SEAM_ACCESS_GIVE;
	case SEAM_COND_WAIT:
		return SEAM_ACCESS_QUEUE;
	case SEAM_BARRIER_WAIT:
		return op->mode == 'l' ? SEAM_ACCESS_LEAVE : SEAM_ACCESS_QUEUE;
	case SEAM_FUTEX_WAIT:
		if (op->mode == 'l')
			return SEAM_ACCESS_LEAVE;
		return op->flags & SEAM_OP_YIELD ? SEAM_ACCESS_FAIL :
						   SEAM_ACCESS_QUEUE;
	default:
		return failed ? SEAM_ACCESS_FAIL : SEAM_ACCESS_WRITE;
	}
}

static inline bool
seam_op_is_file(const struct seam_op *op)
{
	return op->verb >= SEAM_FCNTL_SETLK && op->verb <= SEAM_FILE_CLOSE;
}

/* Commutes with all that is not global: nobody else sees it.  Time
 * is virtual, and who sleeps may wake up whenever it is chosen. */
static inline bool
seam_op_is_local(const struct seam_op *op)
{
	return (op->flags & SEAM_OP_LOCAL) || op->verb == SEAM_TIME_READ ||
	       op->verb == SEAM_TIME_SLEEP || op->verb == SEAM_TIME_YIELD;
}

/* Depends on everything, local steps too: it ends threads, whatever they
 * would still have done, or reaches who knows whom. */
static inline bool
seam_op_is_global(const struct seam_op *op)
{
	return op->verb == SEAM_PROCESS_EXIT || op->verb == SEAM_PROCESS_EXEC ||
	       op->verb == SEAM_PROCESS_FORK ||
	       (op->verb == SEAM_SIGNAL_SEND && !op->peer);
}

/* Fills in `touch`, and returns how many.  Not asked of local ones. */
static inline unsigned
seam_touches(const struct seam_op *op, struct seam_touch touch[2])
{
	unsigned n = 0;

	if (op->verb == SEAM_POINT || op->verb == SEAM_SIGNAL_HANDLE ||
	    (op->verb >= SEAM_IO_READ && op->verb <= SEAM_IO_POLL)) {
		touch[0] = (struct seam_touch){ .object = SEAM_TOUCH_POINTS };
		return 1;
	}
	if (op->verb == SEAM_COND_REACQUIRE) {
		/* Out of time, it leaves the queue and has no mutex yet. */
		if (op->how == SEAM_HOW_DONE && op->object)
			touch[n++] = (struct seam_touch){
				.object = op->object,
			};
		if (!(op->flags & SEAM_OP_RELOCKS) && op->second)
			touch[n++] = (struct seam_touch){
				.object = op->second,
				.access = SEAM_ACCESS_LEAVE,
			};
		return n;
	}
	if (op->object) {
		touch[n] = (struct seam_touch){ .object = op->object };
		if (seam_op_is_file(op))
			touch[n].access = seam_access_of_file(op);
		else
			touch[n].access = seam_access_of(op);
		/* To close drops all locks, wherever they are. */
		if (seam_op_is_file(op) && op->verb != SEAM_FILE_CLOSE) {
			touch[n].off = op->off;
			touch[n].len = op->len;
		}
		n++;
	}
	if (op->second) /* cond.wait lets its mutex go */
		touch[n++] = (struct seam_touch){ .object = op->second };
	return n;
}

/* Makes, awaits or cancels the thread of the slot: depends on all that this
 * one does.  A thread's end is no operation that could be named instead. */
static inline bool
seam_op_is_about(const struct seam_op *op, uint16_t slot)
{
	if (op->peer != slot + 1u || (op->flags & SEAM_OP_LOCAL))
		return false;
	switch (op->verb) {
	case SEAM_THREAD_CREATE:
	case SEAM_THREAD_JOIN:
	case SEAM_THREAD_CANCEL:
	case SEAM_PROCESS_FORK:
	case SEAM_PROCESS_WAIT:
	case SEAM_SIGNAL_SEND:
		return true;
	default:
		return false;
	}
}

/*
 * `a` has failed at what `b` would now try: it would fail, too, and has then
 * changed nothing either.  If b is known to have got it, somebody let go in
 * between, on whom both depend.
 */
static inline bool
seam_op_fails_like(const struct seam_op *a, const struct seam_op *b)
{
	bool reads;

	if (!seam_op_failed(a) || !seam_op_is_try(b) || seam_op_is_file(a) ||
	    a->object != b->object)
		return false;
	reads =
	    a->verb == SEAM_RWLOCK_RDLOCK || a->verb == SEAM_RWLOCK_TRYRDLOCK;
	return reads || b->verb != SEAM_RWLOCK_TRYRDLOCK;
}

/* `a` has been done (or would be first), `b` has been done or is pending. */
static inline bool
seam_dependent(const struct seam_op *a, uint16_t slot_a,
	       const struct seam_op *b, uint16_t slot_b)
{
	struct seam_touch ta[2], tb[2];
	unsigned i, j, na, nb;

	if (slot_a == slot_b || seam_op_is_about(a, slot_b) ||
	    seam_op_is_about(b, slot_a))
		return true;
	if (seam_op_is_global(a) || seam_op_is_global(b))
		return true;
	if (seam_op_is_local(a) || seam_op_is_local(b))
		return false;
	if (seam_op_fails_like(a, b))
		return false;
	na = seam_touches(a, ta);
	nb = seam_touches(b, tb);
	for (i = 0; i < na; i++)
		for (j = 0; j < nb; j++)
			if (seam_touches_conflict(&ta[i], &tb[j]))
				return true;
	return false;
}

/* May wait, and has no other ending than getting what it waits for. */
static inline bool
seam_op_blocks(const struct seam_op *op)
{
	if (op->how != SEAM_HOW_DONE || op->mode == 'l')
		return op->mode == 'l';
	if (op->verb == SEAM_COND_REACQUIRE)
		return true;
	if (op->flags & SEAM_OP_TIMED)
		return false;
	switch (op->verb) {
	case SEAM_MUTEX_LOCK:
	case SEAM_SPIN_LOCK:
	case SEAM_RWLOCK_RDLOCK:
	case SEAM_RWLOCK_WRLOCK:
	case SEAM_SEM_WAIT:
	case SEAM_FCNTL_SETLKW:
	case SEAM_FLOCK_LOCK:
	case SEAM_LOCKF_LOCK:
	case SEAM_THREAD_JOIN:
	case SEAM_PROCESS_WAIT:
		return true;
	default:
		return false;
	}
}

/* Lets others go on. */
static inline bool
seam_op_lets_go(const struct seam_op *op)
{
	switch (op->verb) {
	case SEAM_MUTEX_UNLOCK:
	case SEAM_SPIN_UNLOCK:
	case SEAM_RWLOCK_UNLOCK:
	case SEAM_SEM_POST:
	case SEAM_COND_WAIT:
	case SEAM_COND_SIGNAL:
	case SEAM_COND_BROADCAST:
	case SEAM_FUTEX_WAKE:
	case SEAM_FILE_UNLOCK:
	case SEAM_FILE_CLOSE:
		return true;
	default:
		return false;
	}
}

/*
 * `a` was done right before `b`, and they depend on each other: might b have
 * come first?  A lock against a lock may, never an unlock against a lock that
 * had to wait for it: that one was not enabled, and what to reverse instead
 * is who got the lock before.  An unlock against a try, or against what can
 * time out, may.  By the operations alone: a semaphore that had enough, or a
 * recursive lock, needs a look at the run (races.c).
 */
static inline bool
seam_reversible(const struct seam_op *a, uint16_t slot_a,
		const struct seam_op *b, uint16_t slot_b)
{
	if (slot_a == slot_b || !seam_dependent(a, slot_a, b, slot_b))
		return false;
	if (seam_op_is_about(a, slot_b))
		return a->verb != SEAM_THREAD_CREATE &&
		       a->verb != SEAM_PROCESS_FORK;
	if (seam_op_is_about(b, slot_a))
		return !seam_op_blocks(b);
	/* A signal that came too late for a wait with a timeout. */
	if (b->verb == SEAM_COND_REACQUIRE && (b->flags & SEAM_OP_TIMED) &&
	    (a->verb == SEAM_COND_SIGNAL || a->verb == SEAM_COND_BROADCAST))
		return true;
	return !(seam_op_lets_go(a) && seam_op_blocks(b));
}

#endif
