/* SPDX-License-Identifier: MIT */
/*
 * What a replay file's objects are called in a run of another build.  An
 * object is known by its role: whatever stands first in the place of an old
 * name is that object from then on, and no other is.  A name that both sides
 * have stays itself, unless it tells of a line (queue.c:88#2) or of an offset
 * (pool+0x40): these move.
 */
#ifndef SEAM_EXPLORE_REPLAY_NAMES_H
#define SEAM_EXPLORE_REPLAY_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct replay_names;
/* At most so many old and new ones; NULL: no memory. */
struct replay_names *replay_names_new(size_t old, size_t now);
void replay_names_free(struct replay_names *n);

/* Numbers, from 1: of a name that the file has, of an object that the run has,
 * by its name; 0: no memory.  Texts are kept by the caller.  All of both sides
 * are to be known before any are compared. */
uint32_t replay_names_of_file(struct replay_names *n, const char *text);
uint32_t replay_names_of_run(struct replay_names *n, const char *text);

/* As far as is known, these two are one object. */
bool replay_names_are(const struct replay_names *n, uint32_t was, uint32_t is);
/* They are; false: they cannot be.  `made`: by making it, where an address may
 * have been another object's before. */
bool replay_names_learn(struct replay_names *n, uint32_t was, uint32_t is,
			bool made);

/* How many have got another name; the first of them. */
size_t replay_names_changed(const struct replay_names *n, const char **was,
			    const char **is);
#endif
