/* SPDX-License-Identifier: MIT */
/*
 * An arena as a target may leave it: a sound one, over which an input writes.
 *
 * The input is a row of writes: which area, where in it (two bytes, little
 * end first), how many bytes as a power of two, and these.  Afterwards all
 * areas are as they were.
 */
#ifndef SEAM_TESTS_FUZZ_OVERLAY_H
#define SEAM_TESTS_FUZZ_OVERLAY_H

#include "fuzz.h"

#define OVERLAY_WRITES 64

struct overlay_area {
	void *at;
	size_t size;
	void *sound; /* a copy; made by overlay_keep */
};

static inline void
overlay_keep(struct overlay_area *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		v[i].sound = malloc(v[i].size);
		DEMAND(v[i].sound);
		memcpy(v[i].sound, v[i].at, v[i].size);
	}
}

static inline void
overlay_restore(const struct overlay_area *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		memcpy(v[i].at, v[i].sound, v[i].size);
}

static inline void
overlay_write(const struct overlay_area *v, size_t n, const uint8_t *data,
	      size_t size)
{
	for (int i = 0; i < OVERLAY_WRITES && n && size >= 4; i++) {
		const struct overlay_area *a = &v[data[0] % n];
		size_t bytes = (size_t)1 << (data[3] & 3);
		size_t at = data[1] | (size_t)data[2] << 8;

		at = (a->size ? at % a->size : 0) & ~(bytes - 1);
		data += 4;
		size -= 4;
		if (bytes > size || bytes > a->size - at)
			return;
		memcpy((char *)a->at + at, data, bytes);
		data += bytes;
		size -= bytes;
	}
}

#endif
