/* SPDX-License-Identifier: MIT */
/* All interleavings of the sessions' steps. */
#include <stdlib.h>
#include <string.h>

#include "permute.h"

#define ORDERS_MAX 10000

struct making {
	struct permute *p;
	size_t *order; /* as far as it is made */
	size_t n;
	bool *used; /* by step */
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
add(struct making *m)
{
	struct permute *p = m->p;
	struct permute_order *v =
	    realloc(p->order, (p->orders + 1) * sizeof(*v));
	size_t *step = malloc((m->n + 1) * sizeof(*step));

	if (v)
		p->order = v;
	if (!v || !step) {
		free(step);
		return false;
	}
	memcpy(step, m->order, m->n * sizeof(*step));
	p->order[p->orders++] = (struct permute_order){ step, m->n };
	return true;
}

static bool
extend(struct making *m)
{
	struct permute *p = m->p;
	bool ok = true;

	if (m->n == p->steps)
		return p->orders < ORDERS_MAX && add(m);
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

enum seam_code
permute_add_all(struct permute *p, struct seam_error *err)
{
	struct making m = { .p = p };
	bool ok;

	m.order = calloc(p->steps + 1, sizeof(*m.order));
	m.used = calloc(p->steps + 1, sizeof(*m.used));
	ok = m.order && m.used && extend(&m);
	free(m.order);
	free(m.used);
	if (ok)
		return SEAM_OK;
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
			 "more than %d permutations: name those to run",
			 ORDERS_MAX);
}
