/* SPDX-License-Identifier: MIT */
/* Lists of address intervals, searched by address or by name. */
#include "symbols_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
sym_items_add(struct sym_items *items, const struct sym_item *item)
{
	size_t cap = items->cap ? items->cap * 2 : 16;
	struct sym_item *v;

	if (items->n == items->cap) {
		v = reallocarray(items->v, cap, sizeof(*v));
		if (!v)
			return -ENOMEM;
		items->v = v;
		items->cap = cap;
	}
	items->v[items->n++] = *item;
	return 0;
}

void
sym_items_free(struct sym_items *items)
{
	free(items->v);
	memset(items, 0, sizeof(*items));
}

static int
compare(const void *pa, const void *pb)
{
	const struct sym_item *a = pa, *b = pb;

	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	if (a->hi != b->hi)
		return a->hi > b->hi ? -1 : 1;
	return a->rank - b->rank;
}

static uint64_t
item_end(const struct sym_item *item)
{
	/* one without a size covers its first byte */
	return item->hi > item->lo ? item->hi : item->lo + 1;
}

void
sym_items_sort(struct sym_items *items)
{
	uint64_t max = 0;
	size_t i;

	if (items->n)
		qsort(items->v, items->n, sizeof(*items->v), compare);
	for (i = 0; i < items->n; i++) {
		if (item_end(&items->v[i]) > max)
			max = item_end(&items->v[i]);
		items->v[i].maxhi = max;
	}
}

static int
compare_keys(const void *pa, const void *pb)
{
	const struct sym_item *a = pa, *b = pb;
	uintptr_t ka = (uintptr_t)a->name->key, kb = (uintptr_t)b->name->key;

	if (ka != kb)
		return ka < kb ? -1 : 1;
	return compare(pa, pb);
}

void
sym_items_sort_by_key(struct sym_items *items)
{
	if (items->n)
		qsort(items->v, items->n, sizeof(*items->v), compare_keys);
}

const struct sym_item *
sym_items_next(const struct sym_items *items, uint64_t v, size_t *at)
{
	size_t lo = 0, hi = items->n, mid;

	if (*at == items->n) {
		while (lo < hi) {
			mid = lo + (hi - lo) / 2;
			if (items->v[mid].lo <= v)
				lo = mid + 1;
			else
				hi = mid;
		}
		*at = lo;
	}
	while (*at > 0 && items->v[*at - 1].maxhi > v) {
		--*at;
		if (item_end(&items->v[*at]) > v)
			return &items->v[*at];
	}
	return NULL;
}

static size_t
first_of(const struct sym_items *items, const char *key)
{
	size_t lo = 0, hi = items->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if ((uintptr_t)items->v[mid].name->key < (uintptr_t)key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
sym_items_each(const struct sym_items *by_key, const struct sym_name *pattern,
	       int (*each)(const struct sym_item *, void *), void *data)
{
	bool glob = strchr(pattern->raw, '*'), match = false;
	size_t i = glob ? 0 : first_of(by_key, pattern->key);
	const struct sym_name *last = NULL;
	int rc;

	for (; i < by_key->n; i++) {
		const struct sym_item *item = &by_key->v[i];

		if (!glob && item->name->key != pattern->key)
			break;
		if (item->name != last)
			match = sym_name_match(pattern, item->name);
		last = item->name;
		if (match && (rc = each(item, data)))
			return rc;
	}
	return 0;
}
