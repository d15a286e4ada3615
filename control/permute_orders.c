/* SPDX-License-Identifier: MIT */
/* All interleavings of the sessions' steps. */
#include <stdlib.h>
#include <string.h>

#include "permute.h"

#define ORDERS_MAX 10000

struct making {
	const struct permute *p;
	size_t *order; /* as far as it is made */
	size_t n;
	bool *used; /* by step */
	permute_each_fn *each;
	void *data;
};

/* The first of that session that is not used; steps: none. */
static size_t
next_of(const struct making *m, size_t session)
{
	size_t i = 0;

	while (i < m->p->steps &&
	       (m->used[i] || m->p->step[i].session != session))
		i++;
	return i;
}

static bool
extend(struct making *m)
{
	const struct permute *p = m->p;
	bool ok = true;

	if (m->n == p->steps)
		return m->each(m->order, m->data);
	for (size_t s = 0; ok && s < p->sessions; s++) {
		size_t i = next_of(m, s);

		if (i == p->steps)
			continue;
		m->used[i] = true;
		m->order[m->n++] = i;
		ok = extend(m);
		m->n--;
		m->used[i] = false;
	}
	return ok;
}

bool
permute_each_order(const struct permute *p, permute_each_fn *each, void *data)
{
	struct making m = { .p = p, .each = each, .data = data };
	bool ok;

	m.order = calloc(p->steps + 1, sizeof(*m.order));
	m.used = calloc(p->steps + 1, sizeof(*m.used));
	ok = m.order && m.used && extend(&m);
	free(m.order);
	free(m.used);
	return ok;
}

static bool
add(const size_t *order, void *data)
{
	struct permute *p = data;
	struct permute_order *v;
	size_t *step;

	if (p->orders == ORDERS_MAX)
		return false;
	v = realloc(p->order, (p->orders + 1) * sizeof(*v));
	step = malloc(p->steps * sizeof(*step));
	if (v)
		p->order = v;
	if (!v || !step) {
		free(step);
		return false;
	}
	memcpy(step, order, p->steps * sizeof(*step));
	p->order[p->orders++] = (struct permute_order){ step, p->steps };
	return true;
}

enum seam_code
permute_add_all(struct permute *p, struct seam_error *err)
{
	if (permute_each_order(p, add, p))
		return SEAM_OK;
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
			 "more than %d permutations: name those to run, or "
			 "let `permutations auto` choose",
			 ORDERS_MAX);
}
