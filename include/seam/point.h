/* SPDX-License-Identifier: MIT */
/*
 * Points and names, for code that wants to be driven by seam.
 *
 * This header is all there is: nothing to link.  The functions are what
 * libseam.so exports, referred to weakly: a program that does not run under
 * seam tests one pointer and goes on.
 *
 *	#include <seam/point.h>
 *
 *	seam_name(&q->lock, "queue");		events say "queue", so can rules
 *	...
 *	seam_point("between-check-and-use");	seam can pause a thread here
 *
 * void seam_point(const char *name)
 *	The calling thread is at the point `name`: an event, at which rules
 *	can pause it.  The string need not outlive the call.
 *
 * void seam_name(const void *object, const char *name)
 *	Calls the object (a mutex, a semaphore, ...) at this address `name`
 *	from here on, until it is destroyed or initialised again.
 *
 * Both leave errno as it is.
 *
 * Languages that cannot include a header call the exports themselves; in a
 * process with libseam.so preloaded they are plain global functions.  Python:
 *
 *	import ctypes
 *	point = getattr(ctypes.CDLL(None), "seam_point", None)
 *	if point:
 *		point(b"between-check-and-use")
 *
 * (CDLL lets other Python threads run while this one is paused at the point;
 * PyDLL would stop them.)
 */
#ifndef SEAM_POINT_H
#define SEAM_POINT_H

#if defined __x86_64__ && defined __ELF__

/*
 * In code that is not position-independent, the linker makes a null of a
 * weak reference to something it does not know, for good.  One that goes by
 * the GOT it leaves to the dynamic linker, and only assembler can insist on
 * that.
 */
#define SEAM_WEAK_(function, symbol)                                           \
	__asm__(".weak " symbol "\n\tmovq " symbol "@GOTPCREL(%%rip), %0"      \
		: "=r"(function))

/* Inlined always, so that the call site is the caller's line. */
static inline __attribute__((__always_inline__)) void
seam_point_(const char *name)
{
	void (*function)(const char *);

	SEAM_WEAK_(function, "seam_point");
	if (function)
		function(name);
}

static inline __attribute__((__always_inline__)) void
seam_name_(const void *object, const char *name)
{
	void (*function)(const void *, const char *);

	SEAM_WEAK_(function, "seam_name");
	if (function)
		function(object, name);
}

#undef SEAM_WEAK_

#else /* seam does not run here */

static inline void
seam_point_(const char *name)
{
	(void)name;
}

static inline void
seam_name_(const void *object, const char *name)
{
	(void)object;
	(void)name;
}

#endif

#define seam_point(name) seam_point_(name)
#define seam_name(object, name) seam_name_((object), (name))

#endif
