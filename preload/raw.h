/* SPDX-License-Identifier: MIT */
/*
 * System calls of the preload's own: they touch neither errno nor
 * cancellation, and do not pass our own hooks.  They return a negative errno
 * value on failure.
 */
#ifndef SEAM_RAW_H
#define SEAM_RAW_H

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

static inline long
seam_raw(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define seam_raw0(n) seam_raw((n), 0, 0, 0, 0, 0, 0)
#define seam_raw1(n, a) seam_raw((n), (long)(a), 0, 0, 0, 0, 0)
#define seam_raw2(n, a, b) seam_raw((n), (long)(a), (long)(b), 0, 0, 0, 0)
#define seam_raw3(n, a, b, c)                                                  \
	seam_raw((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define seam_raw4(n, a, b, c, d)                                               \
	seam_raw((n), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define seam_raw5(n, a, b, c, d, e)                                            \
	seam_raw((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define seam_raw6(n, a, b, c, d, e, f)                                         \
	seam_raw((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e),   \
		 (long)(f))

/* Words of the arena are shared between processes: no private futexes. */
static inline void
seam_futex_wake(_Atomic uint32_t *word)
{
	seam_raw3(SYS_futex, word, FUTEX_WAKE, INT_MAX);
}

/* Waits while *word == value, at most `ms` milliseconds. */
static inline long
seam_futex_wait_ms(_Atomic uint32_t *word, uint32_t value, unsigned ms)
{
	struct timespec ts = { .tv_sec = ms / 1000,
			       .tv_nsec = (long)(ms % 1000) * 1000000 };

	return seam_raw4(SYS_futex, word, FUTEX_WAIT, value, &ts);
}

#endif
