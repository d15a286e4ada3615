/* SPDX-License-Identifier: MIT */
/* The controller's side of the arena: making it, ending it, its futexes. */
#ifndef SEAM_ARENA_CTL_H
#define SEAM_ARENA_CTL_H

#include <stdbool.h>
#include <sys/types.h>

#include "arena.h"

#define SEAM_FOREVER UINT64_MAX

/* 0 or a negative errno value.  The descriptor is sealed against resizing,
 * so that no target can make the controller fault. */
int seam_arena_new(struct seam_arena **arena, int *fd);
void seam_arena_free(struct seam_arena *arena, int fd);
/* What is wrong with its head, or NULL. */
const char *seam_arena_damage(struct seam_arena *a, pid_t controller);
/* Stores FREE and wakes everybody.  Async-signal-safe. */
void seam_arena_let_go(struct seam_arena *a);
/* Entry `proc` is zeroed, its memory given back. */
void seam_arena_zero_proc(struct seam_arena *a, int fd, unsigned proc);
/* Of an image that is gone: its filters, objects and site counters. */
void seam_arena_reset_proc(struct seam_arena *a, int fd, unsigned proc);

/* Zeroed memory that is committed when touched (malloc's calloc writes it as
 * soon as its blocks were used before).  NULL: none left. */
void *seam_pages_new(size_t bytes);
void seam_pages_free(void *pages, size_t bytes);

/* How many entries to look at: high-water marks, never beyond the tables.
 * Reading further would make the sparse file grow. */
unsigned seam_arena_procs(struct seam_arena *a);
unsigned seam_arena_threads(struct seam_arena *a);
unsigned seam_arena_objects(struct seam_arena *a);

/* Whether that process maps the file with this inode: -1 when its maps
 * cannot be read.  Async-signal-safe. */
int seam_maps_has(pid_t pid, ino_t inode);

/* Shared futexes; `until` in CLOCK_MONOTONIC ns, or SEAM_FOREVER. */
void seam_futex_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t until);
void seam_futex_wake(_Atomic uint32_t *word);

#endif
