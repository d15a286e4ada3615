/* SPDX-License-Identifier: MIT */
#include "heap.h"

#include <stddef.h>
#include <string.h>

#include "arena_ctl.h"

#define PAGES (SEAM_HEAP_BYTES / SEAM_PAGE)
#define HEAP offsetof(struct seam_arena, heap)
#define CLASSES 17 /* 4 KB << 0 … 4 KB << 16 = the whole heap */

_Static_assert((size_t)SEAM_PAGE << (CLASSES - 1) == SEAM_HEAP_BYTES,
	       "the largest class is the heap");

enum block_state { BLOCK_NONE, BLOCK_USED, BLOCK_RETIRED };

/* Indexed by the block's first page. */
struct block {
	uint8_t state, class;
	uint32_t next; /* retired ones of a class: page; 0 ends */
};

struct seam_heap {
	struct seam_arena *arena;
	uint32_t fresh; /* pages from here on were never given out */
	uint32_t retired[CLASSES];
	struct block block[PAGES];
};

struct seam_heap *
seam_heap_new(struct seam_arena *arena)
{
	struct seam_heap *h = seam_pages_new(sizeof(*h));

	if (!h)
		return NULL;
	h->arena = arena;
	h->fresh = 1; /* 0 is no page */
	return h;
}

void
seam_heap_free(struct seam_heap *h)
{
	seam_pages_free(h, sizeof(*h));
}

static unsigned
class_of(size_t size)
{
	unsigned class = 0;

	while (class < CLASSES && ((size_t)SEAM_PAGE << class) < size)
		class ++;
	return class;
}

static unsigned char *
at_page(struct seam_heap *h, uint32_t page)
{
	return h->arena->heap + (size_t)page * SEAM_PAGE;
}

static _Atomic uint32_t *
readers(struct seam_heap *h, uint32_t page)
{
	return (_Atomic uint32_t *)(void *)at_page(h, page);
}

/*
 * A reader counts itself in, then looks again at gate.table; the controller
 * stores gate.table, then looks at the count.  Both are sequentially
 * consistent, so one of them sees the other.
 */
static uint32_t
take_retired(struct seam_heap *h, unsigned class)
{
	uint32_t *link = &h->retired[class], page;

	atomic_thread_fence(memory_order_seq_cst);
	for (; (page = *link) != 0; link = &h->block[page].next)
		if (atomic_load(readers(h, page)) == 0)
			break;
	if (page == 0)
		return 0;
	*link = h->block[page].next;
	memset(at_page(h, page) + sizeof(uint32_t), 0,
	       ((size_t)SEAM_PAGE << class) - sizeof(uint32_t));
	return page;
}

static uint32_t
take_fresh(struct seam_heap *h, unsigned class)
{
	uint32_t page = h->fresh, n = UINT32_C(1) << class;

	if (n > PAGES - page)
		return 0;
	h->fresh += n;
	h->block[page].class = (uint8_t) class;
	return page;
}

uint64_t
seam_heap_alloc(struct seam_heap *h, size_t size)
{
	unsigned class = class_of(size);
	uint32_t page;

	if (class >= CLASSES)
		return 0;
	page = take_retired(h, class);
	if (page == 0)
		page = take_fresh(h, class);
	/* Better a block too large than none. */
	while (page == 0 && ++class < CLASSES)
		page = take_retired(h, class);
	if (page == 0)
		return 0;
	h->block[page].state = BLOCK_USED;
	return HEAP + (uint64_t)page * SEAM_PAGE;
}

static struct block *
used_block(struct seam_heap *h, uint64_t offset)
{
	uint64_t at = offset - HEAP;

	if (offset < HEAP || at % SEAM_PAGE || at >= SEAM_HEAP_BYTES)
		return NULL;
	if (h->block[at / SEAM_PAGE].state != BLOCK_USED)
		return NULL;
	return &h->block[at / SEAM_PAGE];
}

static uint32_t
page_of(struct seam_heap *h, struct block *b)
{
	return (uint32_t)(b - h->block);
}

void
seam_heap_retire(struct seam_heap *h, uint64_t offset)
{
	struct block *b = used_block(h, offset);

	if (!b)
		return;
	b->state = BLOCK_RETIRED;
	b->next = h->retired[b->class];
	h->retired[b->class] = page_of(h, b);
}

void
seam_heap_unread(struct seam_heap *h, uint64_t offset)
{
	struct block *b = used_block(h, offset);

	if (b)
		atomic_store(readers(h, page_of(h, b)), 0);
}

void *
seam_heap_at(struct seam_heap *h, uint64_t offset)
{
	struct block *b = used_block(h, offset);

	return b ? at_page(h, page_of(h, b)) : NULL;
}

size_t
seam_heap_block_size(struct seam_heap *h, uint64_t offset)
{
	struct block *b = used_block(h, offset);

	return b ? (size_t)SEAM_PAGE << b->class : 0;
}
