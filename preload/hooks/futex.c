/* SPDX-License-Identifier: MIT */
/*
 * syscall(), for the sake of those who wait on futexes by hand: Rust's std,
 * std::atomic::wait, std::counting_semaphore.  Six longs are handed on as
 * they came, whatever the call is.
 */
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "hooks.h"

/* The verb of a futex operation; 0: neither waits nor wakes. */
static enum seam_verb
futex_verb(long op)
{
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return SEAM_FUTEX_WAIT;
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
	case FUTEX_WAKE_OP:
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI:
	case FUTEX_UNLOCK_PI:
		return SEAM_FUTEX_WAKE;
	default:
		return SEAM_VERB_NONE;
	}
}

/* FUTEX_WAIT counts from now, the others give a point in time. */
static void
futex_deadline(struct seam_call *c, const long *a)
{
	long command = a[1] & FUTEX_CMD_MASK;
	bool realtime =
	    (a[1] & FUTEX_CLOCK_REALTIME) || command == FUTEX_LOCK_PI;

	c->clock = realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	c->deadline = command != FUTEX_WAIT ? (const void *)a[3] : NULL;
}

static int
real_futex(struct seam_call *c)
{
	const long *a = seam_ptr(c->arg[0]);

	c->value = (int)seam_real.syscall(SYS_futex, a[0], a[1], a[2], a[3],
					  a[4], a[5]);
	return seam_error(c->value);
}

/* Answered by the kernel at once. */
static bool
refused(const long *a, enum seam_verb verb)
{
	const struct timespec *t = seam_ptr((uint64_t)a[3]);

	return (a[0] & 3) != 0 ||
	       (verb == SEAM_FUTEX_WAIT && t &&
		(t->tv_sec < 0 || !seam_time_valid(CLOCK_MONOTONIC, t)));
}

static long
futex(const long *a, enum seam_verb verb, uint64_t site)
{
	struct seam_call c = {
		.fn = SEAM_FN_syscall,
		.verb = (uint16_t)verb,
		.ptr = (void *)a[0],
		.site = site,
		.busy = EAGAIN,
		.arg[0] = seam_word(a),
		.real = real_futex,
	};
	if (verb == SEAM_FUTEX_WAIT) {
		c.eintr = true;
		futex_deadline(&c, a);
		c.mode = a[1] & FUTEX_PRIVATE_FLAG ? 'p' : 0;
	}
	int error;
	if (seam_is_scheduled()) {
		error = seam_sched_futex(&c, a);
	} else {
		if (verb == SEAM_FUTEX_WAIT)
			seam_count_raw_futex();
		error = seam_gate_call(&c);
	}
	return error != 0 ? seam_errno(error) : c.value;
}

SEAM_EXPORT long
syscall(long number, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (!SEAM_PASSIVE(FUTEX_WAIT)) {
		enum seam_verb verb =
		    number == SYS_futex ? futex_verb(a[1]) : SEAM_VERB_NONE;
		if (verb != SEAM_VERB_NONE && !refused(a, verb))
			return futex(a, verb, SEAM_SITE);
		seam_ready();
	}
	return seam_real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
