/* SPDX-License-Identifier: MIT */
/*
 * Blocks in arena.heap, for tables.  The session's lock covers it.
 *
 * An offset counts from the beginning of the arena, as gate.table does, and
 * is never 0.  All bookkeeping lies in the controller's own memory: whatever
 * a target writes into the heap, blocks do not overlap and stay within it.
 *
 * A block is a power of two of pages and keeps its size for ever.  Its first
 * word is `readers`, which targets count; the heap reads it, and clears it
 * only in seam_heap_unread.
 */
#ifndef SEAM_HEAP_H
#define SEAM_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct seam_arena;
struct seam_heap;

struct seam_heap *seam_heap_new(struct seam_arena *arena); /* NULL: ENOMEM */
void seam_heap_free(struct seam_heap *h);
/* A block of at least `size` bytes, zeroed but for `readers`; 0: no room. */
uint64_t seam_heap_alloc(struct seam_heap *h, size_t size);
/* Given back, after gate.table points elsewhere; reused when its readers
 * have gone.  0 is allowed. */
void seam_heap_retire(struct seam_heap *h, uint64_t offset);
/* All who could read it are dead. */
void seam_heap_unread(struct seam_heap *h, uint64_t offset);
/* NULL when no block in use begins there. */
void *seam_heap_at(struct seam_heap *h, uint64_t offset);
size_t seam_heap_block_size(struct seam_heap *h, uint64_t offset);

#endif
