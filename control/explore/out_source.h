/* SPDX-License-Identifier: MIT */
/* The lines around a place in a source file. */
#ifndef SEAM_EXPLORE_OUT_SOURCE_H
#define SEAM_EXPLORE_OUT_SOURCE_H

#include <jansson.h>

/* {"path", "first", "lines"}: lines around that of `place`, "cache.c:42"; a
 * relative path is one from `dir`.  null: the file cannot be read. */
json_t *out_source_json(const char *path, const char *place, const char *dir);

#endif
