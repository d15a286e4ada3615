/* SPDX-License-Identifier: MIT */
/*
 * Places for files.  A suite has a directory of its own, which is TMPDIR for
 * its tests and for all that they start; it goes with all that is in it when
 * the suite has ended, whatever tests that failed have left there.
 */
#ifndef SEAM_TESTS_SCRATCH_H
#define SEAM_TESTS_SCRATCH_H

#include <stddef.h>

void scratch_begin(void);
void scratch_end(void);
/* A fresh directory there; path has at least 64 bytes. */
void scratch_make(char *path, size_t size);
/* Removes it early, with all that is in it. */
void scratch_remove(const char *path);

#endif
