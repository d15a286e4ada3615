/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzers share: their entries, and what must hold.  By itself, with
 * libFuzzer, a target is called as that wants it; tests/check_fuzzed.c has
 * all of them, and calls fuzz_NAME.
 */
#ifndef SEAM_TESTS_FUZZ_H
#define SEAM_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef FUZZ_ALONE
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
#define FUZZ_TARGET(name) LLVMFuzzerTestOneInput
#else
#define FUZZ_TARGET(name) fuzz_##name
#define FUZZED(name, bytes, about)                                             \
	int fuzz_##name(const uint8_t *data, size_t size);
#include "targets.def"
#undef FUZZED
#endif

#define DEMAND(what)                                                           \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,     \
				#what);                                        \
			abort();                                               \
		}                                                              \
	} while (0)

/* Where what nobody reads is written. */
static inline FILE *
fuzz_null(void)
{
	static FILE *null;

	if (!null)
		null = fopen("/dev/null", "we");
	DEMAND(null);
	return null;
}

/* The input as a string of its own size, so that reading on is seen. */
static inline char *
fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	DEMAND(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

#endif
