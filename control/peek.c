/* SPDX-License-Identifier: MIT */
/*
 * The real state of an object, from the target's memory: glibc 2.36's
 * layouts on x86-64.  Only looked at: the object decides, not we.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sys/uio.h>

#include "session_int.h"

/* pthread_mutex_t and mtx_t */
struct mutex {
	int32_t lock;
	uint32_t count;
	int32_t owner;
	uint32_t nusers;
	int32_t kind;
};
#define KIND_ROBUST 16
#define KIND_PI 32
#define KIND_PP 64
#define PP_CEILING 0xfff80000u
#define OWNER_INCONSISTENT 0x7fffffff
#define OWNER_NOTRECOVERABLE 0x7ffffffe

/* pthread_rwlock_t; bits of `readers` */
struct rwlock {
	uint32_t readers, writers, wrphase_futex, writers_futex;
	uint32_t pad3, pad4;
	int32_t cur_writer, shared;
};
#define RW_WRPHASE 1
#define RW_WRLOCKED 2
#define RW_READER_SHIFT 3

/* sem_t: the value in the low half, the number of waiters in the high. */
struct sem {
	uint64_t data;
};

static int
read_target(const struct seam_process *p, uint64_t addr, void *to, size_t size)
{
	struct iovec here = { .iov_base = to, .iov_len = size };
	struct iovec there = { .iov_base = (void *)(uintptr_t)addr,
			       .iov_len = size };
	ssize_t n = process_vm_readv(p->pid, &here, 1, &there, 1, 0);

	if (n == (ssize_t)size)
		return 0;
	if (n >= 0)
		errno = EFAULT;
	return -1;
}

static enum seam_peek
mutex_state(const struct mutex *m, int *owner)
{
	uint32_t word = (uint32_t)m->lock;

	*owner = m->owner;
	if (m->kind & (KIND_ROBUST | KIND_PI)) {
		*owner = (int)(word & FUTEX_TID_MASK);
		return *owner ? SEAM_PEEK_TAKEN : SEAM_PEEK_FREE;
	}
	if (m->kind & KIND_PP)
		word &= ~PP_CEILING;
	if (*owner == OWNER_INCONSISTENT || *owner == OWNER_NOTRECOVERABLE)
		*owner = 0;
	if (!word)
		*owner = 0;
	return word ? SEAM_PEEK_TAKEN : SEAM_PEEK_FREE;
}

/* A writer that waits for readers to leave has WRLOCKED without WRPHASE; it
 * comes before readers that arrive now. */
static enum seam_peek
rwlock_state(const struct rwlock *l, int mode, int *owner)
{
	bool locked = l->readers & RW_WRLOCKED;
	bool read = !(l->readers & RW_WRPHASE) && l->readers >> RW_READER_SHIFT;

	*owner = locked ? l->cur_writer : 0;
	if (locked)
		return SEAM_PEEK_TAKEN;
	return read && mode != 'r' ? SEAM_PEEK_TAKEN : SEAM_PEEK_FREE;
}

static enum seam_peek
peek_mutex(const struct seam_process *p, uint64_t addr, int *owner)
{
	struct mutex m;

	if (read_target(p, addr, &m, sizeof(m)))
		return SEAM_PEEK_UNKNOWN;
	return mutex_state(&m, owner);
}

static enum seam_peek
peek_rwlock(const struct seam_process *p, uint64_t addr, int mode, int *owner)
{
	struct rwlock l;

	if (read_target(p, addr, &l, sizeof(l)))
		return SEAM_PEEK_UNKNOWN;
	return rwlock_state(&l, mode, owner);
}

/* 1 is free, anything below is locked. */
static enum seam_peek
peek_spin(const struct seam_process *p, uint64_t addr)
{
	int32_t lock;

	if (read_target(p, addr, &lock, sizeof(lock)))
		return SEAM_PEEK_UNKNOWN;
	return lock > 0 ? SEAM_PEEK_FREE : SEAM_PEEK_TAKEN;
}

static enum seam_peek
peek_sem(const struct seam_process *p, uint64_t addr)
{
	struct sem sem;

	if (read_target(p, addr, &sem, sizeof(sem)))
		return SEAM_PEEK_UNKNOWN;
	return (uint32_t)sem.data ? SEAM_PEEK_FREE : SEAM_PEEK_TAKEN;
}

/* UNKNOWN leaves errno: EPERM when we may not look, EFAULT when nothing is
 * mapped there, EINVAL for a kind that is never free or taken. */
enum seam_peek
seam_peek(struct seam_session *s, struct seam_process *p, int kind,
	  uint64_t addr, int mode, int *owner_tid)
{
	int none;

	(void)s;
	owner_tid = owner_tid ? owner_tid : &none;
	*owner_tid = 0;
	switch (kind) {
	case SEAM_KIND_MUTEX:
		return peek_mutex(p, addr, owner_tid);
	case SEAM_KIND_RWLOCK:
		return peek_rwlock(p, addr, mode, owner_tid);
	case SEAM_KIND_SPIN:
		return peek_spin(p, addr);
	case SEAM_KIND_SEM:
		return peek_sem(p, addr);
	default:
		errno = EINVAL;
		return SEAM_PEEK_UNKNOWN;
	}
}
