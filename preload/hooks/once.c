/* SPDX-License-Identifier: MIT */
/*
 * pthread_once, call_once, and C++'s static locals.  The initialising
 * routine is the program's and runs inside the real call.  A caller waits
 * only while somebody else's routine runs; the try tells that from the
 * control word as glibc and the Itanium C++ ABI lay it out.
 */
#include "hooks.h"

/* glibc: bit 0 in progress, bit 1 done. */
static int
try_once(struct seam_call *c)
{
	const int *word = c->ptr;
	int state = __atomic_load_n(word, __ATOMIC_ACQUIRE);

	return (state & 3) == 1 ? EBUSY : c->real(c);
}

static int
real_pthread_once(struct seam_call *c)
{
	void (*routine)(void) = (void (*)(void))(uintptr_t)c->arg[0];

	return seam_real.pthread_once(c->ptr, routine);
}

SEAM_EXPORT int
pthread_once(pthread_once_t *once, void (*routine)(void))
{
	if (SEAM_PASS(ONCE, once))
		return seam_real.pthread_once(once, routine);
	struct seam_call c = SEAM_CALL(pthread_once, ONCE, once);
	c.arg[0] = (uint64_t)(uintptr_t)routine;
	c.try = try_once;
	c.real = real_pthread_once;
	return seam_gate_call(&c);
}

static int
real_call_once(struct seam_call *c)
{
	seam_real.call_once(c->ptr, (void (*)(void))(uintptr_t)c->arg[0]);
	return 0;
}

SEAM_EXPORT void
call_once(once_flag *once, void (*routine)(void))
{
	if (SEAM_PASS(ONCE, once)) {
		seam_real.call_once(once, routine);
		return;
	}
	struct seam_call c = SEAM_CALL(call_once, ONCE, once);
	c.arg[0] = (uint64_t)(uintptr_t)routine;
	c.try = try_once;
	c.real = real_call_once;
	seam_gate_call(&c);
}

/*
 * The C++ runtime may come with a library that was opened RTLD_LOCAL, or be
 * linked into the caller itself: then only the caller's own scope has it.
 */
static void *
guard_of_caller(uint64_t site)
{
	Dl_info info;
	void *handle, *found = NULL;

	if (!dladdr(seam_ptr(site), &info))
		return NULL;
	handle = seam_real.dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (handle != NULL) {
		found = dlsym(handle, "__cxa_guard_acquire");
		dlclose(handle);
	}
	return found;
}

/* Resolved when first called: a C program has none. */
static __typeof__(&__cxa_guard_acquire)
guard_acquire(uint64_t site)
{
	__typeof__(&__cxa_guard_acquire) real =
	    __atomic_load_n(&seam_real.__cxa_guard_acquire, __ATOMIC_RELAXED);
	void *found;

	if (SEAM_LIKELY(real != NULL))
		return real;
	seam_ready();
	found = seam_resolve_late("__cxa_guard_acquire");
	if (found == NULL)
		found = guard_of_caller(site);
	if (found == NULL) {
		seam_say("no __cxa_guard_acquire behind the wrapper");
		abort();
	}
	real = (__typeof__(&__cxa_guard_acquire))(uintptr_t)found;
	__atomic_store_n(&seam_real.__cxa_guard_acquire, real,
			 __ATOMIC_RELAXED);
	return real;
}

static int
real_guard_acquire(struct seam_call *c)
{
	c->value = guard_acquire(c->site)(c->ptr);
	return 0;
}

/* Byte 0 done, byte 1 in progress: in libstdc++ and in libc++abi. */
static int
try_guard_acquire(struct seam_call *c)
{
	const unsigned char *byte = c->ptr;
	bool done = __atomic_load_n(&byte[0], __ATOMIC_ACQUIRE) & 1;
	bool busy = __atomic_load_n(&byte[1], __ATOMIC_ACQUIRE) & 1;

	return busy && !done ? EBUSY : c->real(c);
}

/* 1: the caller must initialise; 0: it is done. */
SEAM_EXPORT int
__cxa_guard_acquire(uint64_t *guard)
{
	if (SEAM_PASS(ONCE, guard))
		return guard_acquire(SEAM_SITE)(guard);
	struct seam_call c = SEAM_CALL(__cxa_guard_acquire, ONCE, guard);
	c.try = try_guard_acquire;
	c.real = real_guard_acquire;
	seam_gate_call(&c);
	return c.value;
}
