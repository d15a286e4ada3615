/* SPDX-License-Identifier: MIT */
/* Start gates: a number of threads gather, and are let go together. */
#include <stdlib.h>

#include "arena_ctl.h"
#include "rules_int.h"

enum seam_code
sess_gate(struct seam_session *s, unsigned n, const struct seam_selector *sel,
	  const char *as, const char **id, struct seam_error *err)
{
	enum seam_code code = SEAM_E_UNSUPPORTED;
	struct seam_armed *r;

	if (n < 1 || n > SEAM_MAX_THREADS)
		return sess_fail(err, SEAM_E_SYNTAX, 0,
				 "a gate is for 1 to %d threads, not %u",
				 SEAM_MAX_THREADS, n);
	seam_lock(s);
	r = seam_rule_from(s, SEAM_RULE_GATE, sel, as, err);
	if (r) {
		r->gate = n;
		seam_rule_of(s, r)->action = SEAM_ACTION_PARK;
		code = seam_rule_arm(s, r, err);
	} else if (err) {
		code = err->code;
	}
	if (r && code == SEAM_OK && id)
		*id = r->id;
	seam_unlock(s);
	return code;
}

unsigned
seam_standing(struct seam_session *s, const struct seam_armed *r)
{
	struct seam_thread *t;
	struct seam_stand st;
	unsigned n = 0;
	uint32_t i = 0;

	while ((t = seam_thread_next(s, &i))) {
		seam_stand(t, &st);
		n += seam_stands_at(&st, r->index + 1);
	}
	return n;
}

uint32_t *
seam_standings(struct seam_session *s)
{
	uint32_t *n = calloc(SEAM_MAX_RULES, sizeof(*n)), i = 0;
	struct seam_thread *t;
	struct seam_stand st;

	while (n && (t = seam_thread_next(s, &i))) {
		seam_stand(t, &st);
		if (st.doing.rule && st.doing.rule <= SEAM_MAX_RULES &&
		    seam_stands_at(&st, st.doing.rule))
			n[st.doing.rule - 1]++;
	}
	return n;
}

/* Every word is stored before the first wake, so that nobody's start has to
 * wait for somebody else's wake. */
unsigned
seam_let_all_go(struct seam_session *s, const struct seam_armed *r)
{
	uint32_t i = 0, woken = 0;
	struct seam_thread *t;
	struct seam_stand st;
	unsigned n = 0;

	while ((t = seam_thread_next(s, &i))) {
		seam_stand(t, &st);
		if (!seam_stands_at(&st, r->index + 1))
			continue;
		seam_room(s)->stepped[i - 1] = 0;
		atomic_store(&t->step, 0);
		atomic_store(&t->park, 0);
		n++;
	}
	/* Who was woken and stands elsewhere looks at its word, which is 1. */
	while (n && (t = seam_thread_next(s, &woken))) {
		seam_stand(t, &st);
		if (st.state == SEAM_THREAD_PARKED ||
		    st.state == SEAM_THREAD_HELD)
			seam_futex_wake(&t->park);
	}
	return n;
}

unsigned
seam_gate_open(struct seam_session *s, struct seam_armed *r)
{
	atomic_fetch_add(&seam_rule_of(s, r)->released, 1);
	return seam_let_all_go(s, r);
}
