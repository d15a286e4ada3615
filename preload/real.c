/* SPDX-License-Identifier: MIT */
#include "real.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct seam_real seam_real;

static const struct {
	const char *symbol, *version;
	size_t at;
} table[] = {
#define FN(symbol, version, verb, form)                                        \
	{ #symbol, version, offsetof(struct seam_real, symbol) },
#include "ops.def"
};

static bool
same_object(const void *p, const void *q)
{
	Dl_info a, b;

	return dladdr(p, &a) && dladdr(q, &b) && a.dli_fbase == b.dli_fbase;
}

/* A sanitizer's runtime wraps functions too, without versions; passed over,
 * it would report what is not so. */
static void *
look_up(const char *symbol, const char *version)
{
	void *p = dlsym(RTLD_NEXT, symbol), *v = NULL;

	if (version)
		v = dlvsym(RTLD_NEXT, symbol, version);
	return v && (!p || same_object(p, v)) ? v : p;
}

void *
seam_resolve_late(const char *symbol)
{
	void *p = dlsym(RTLD_NEXT, symbol);
	void *library;

	if (p)
		return p;
	/* RTLD_NEXT does not see what came by dlopen. */
	library = seam_real.dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
	return library ? dlsym(library, symbol) : NULL;
}

void
seam_resolve(void)
{
	static _Atomic int done;
	size_t i;

	if (atomic_load_explicit(&done, memory_order_acquire))
		return;
	/* Two threads may do this at once: they store the same values. */
	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		void *p;

		if (table[i].version && !*table[i].version)
			continue;
		p = look_up(table[i].symbol, table[i].version);
		memcpy((char *)&seam_real + table[i].at, &p, sizeof(p));
	}
	atomic_store_explicit(&done, 1, memory_order_release);
}
