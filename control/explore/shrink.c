/* SPDX-License-Identifier: MIT */
/* What of a failing run can be left out. */
#include <stdlib.h>

#include "explore/minimise_int.h"
#include "explore/table.h"

/* Order does not matter. */
static uint64_t
hash_of(const struct explore_switches *s, const bool *keep)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct explore_switch *sw = &s->v[i];
		uint64_t h = seam_stir(sw->from, sw->to);

		if (!keep || keep[i])
			sum += seam_stir(seam_stir(h, sw->at), sw->how);
	}
	return sum;
}

/* Does it fail with those alone, and with less than so many preemptions?
 * Then they are the least. */
bool
minimise_try(struct minimise_work *w, const struct explore_switches *s,
	     const bool *keep, uint32_t below)
{
	struct explore_switches less;

	if (!minimise_may_go_on(w) ||
	    explore_set_add(w->tried, hash_of(s, keep)))
		return false;
	if (!minimise_run(w, s, keep) || !minimise_fails(w) ||
	    explore_preemptions(&w->again.result.trace) >= below)
		return false;
	less.v = calloc(s->n + 1u, sizeof(*less.v));
	less.n = 0;
	if (!less.v)
		return minimise_no_memory(w);
	for (uint32_t i = 0; i < s->n; i++)
		if (!keep || keep[i])
			less.v[less.n++] = s->v[i];
	if (!explore_switches_used(&less, &w->again.result.trace)) {
		explore_switches_clear(&less);
		return minimise_no_memory(w);
	}
	explore_switches_clear(&w->least);
	w->least = less;
	minimise_keep(w);
	return true;
}

typedef bool may_go(const struct explore_switch *sw);

static bool
any(const struct explore_switch *sw)
{
	(void)sw;
	return true;
}

static bool
ends_otherwise(const struct explore_switch *sw)
{
	return sw->how != SEAM_HOW_DONE;
}

static bool
preempts(const struct explore_switch *sw)
{
	return sw->preempts;
}

static uint32_t
count(const struct minimise_work *w, may_go *may)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->least.n; i++)
		n += may(&w->least.v[i]);
	return n;
}

/* Without those from the `from`-th on, of those that may go. */
static bool
try_without(struct minimise_work *w, may_go *may, uint32_t from, uint32_t many)
{
	bool *keep = calloc(w->least.n + 1u, sizeof(*keep)), good;
	uint32_t k = 0;

	if (!keep)
		return minimise_no_memory(w);
	for (uint32_t i = 0; i < w->least.n; i++) {
		bool goes = may(&w->least.v[i]);

		keep[i] = !goes || k < from || k >= from + many;
		k += goes;
	}
	good = minimise_try(w, &w->least, keep, UINT32_MAX);
	free(keep);
	return good;
}

/* Zeller & Hildebrandt's ddmin, by complements: until none can be left out
 * alone. */
static void
leave_out(struct minimise_work *w, may_go *may)
{
	uint32_t size = count(w, may), n, from;
	bool any_went;

	while (size && minimise_may_go_on(w)) {
		any_went = false;
		for (from = 0;
		     from < (n = count(w, may)) && minimise_may_go_on(w);)
			if (try_without(w, may, from, size))
				any_went = true;
			else
				from += size;
		if (size > n)
			size = n;
		if (size == 1 && !any_went)
			break;
		size = size > 1 ? size / 2 : size;
	}
}

static struct explore_move
move_of(const struct seam_step *step)
{
	return (struct explore_move){
		.slot = step->slot,
		.how = step->op.how,
		.yields = step->op.flags & SEAM_OP_YIELD,
	};
}

/* Merging (Jalbert & Sen, FSE 2010): the thread that is preempted before step
 * `at` goes on, up to where it is left again, before those that came between;
 * or stands back for them earlier. */
static uint32_t
merge(const struct explore_trace *t, uint32_t at, bool stands_back,
      struct explore_move *move)
{
	const uint16_t slot = t->step[at - 1].slot;
	uint32_t begin = at, again = at, end, n = 0;

	while (begin && t->step[begin - 1].slot == slot)
		begin--;
	while (again < t->nsteps && t->step[again].slot != slot)
		again++;
	end = again;
	while (end < t->nsteps && t->step[end].slot == slot)
		end++;
	for (uint32_t k = 0; k < t->nsteps; k++) {
		uint32_t i = k;

		if (stands_back && k >= begin && k < again)
			i = k < begin + again - at ? k + at - begin :
						     k - (again - at);
		else if (!stands_back && k >= at && k < end)
			i = k < at + end - again ? k + again - at :
						   k - (end - again);
		move[n++] = move_of(&t->step[i]);
	}
	return n;
}

/* With a preemption less? */
static bool
try_merged(struct minimise_work *w, uint32_t at, bool stands_back,
	   struct explore_move *move)
{
	const struct explore_trace *t = &w->kept.trace;
	const uint32_t most = explore_preemptions(t);
	uint32_t n = merge(t, at, stands_back, move);
	struct explore_switches s;
	bool good;

	if (!explore_switches_of_moves(&s, t, move, n))
		return minimise_no_memory(w);
	good = minimise_try(w, &s, NULL, most);
	explore_switches_clear(&s);
	return good;
}

static bool
merge_once(struct minimise_work *w, struct explore_move *move)
{
	for (uint32_t i = 1; i < w->kept.trace.nsteps && minimise_may_go_on(w);
	     i++)
		if (explore_is_preemption(&w->kept.trace, i) &&
		    (try_merged(w, i, false, move) ||
		     try_merged(w, i, true, move)))
			return true;
	return false;
}

static void
merge_blocks(struct minimise_work *w)
{
	struct explore_move *move;
	bool again = true;

	while (again && minimise_may_go_on(w)) {
		move = calloc(w->kept.trace.nsteps + 1u, sizeof(*move));
		if (!move) {
			minimise_no_memory(w);
			return;
		}
		again = merge_once(w, move);
		free(move);
		if (again)
			leave_out(w, any);
	}
}

/* The chances to go on after what lets others go are steps of their own: are
 * they needed? */
static void
leave_out_after(struct minimise_work *w)
{
	const struct explore_trace *t = &w->kept.trace;
	struct explore_move *move = calloc(t->nsteps + 1u, sizeof(*move));
	struct explore_switches s;
	uint32_t n = 0;

	if (!move || !(w->plan.flags & SEAM_PLAN_AFTER)) {
		free(move);
		return;
	}
	for (uint32_t i = 0; i < t->nsteps; i++)
		if (!explore_is_after(&t->step[i].op))
			move[n++] = move_of(&t->step[i]);
	w->plan.flags &= ~(uint32_t)SEAM_PLAN_AFTER;
	if (!explore_switches_of_moves(&s, t, move, n))
		minimise_no_memory(w);
	else if (!minimise_try(w, &s, NULL, UINT32_MAX))
		w->plan.flags |= SEAM_PLAN_AFTER;
	explore_switches_clear(&s);
	free(move);
}

void
minimise_shrink(struct minimise_work *w)
{
	w->state.phase = MINIMISE_SHRINK;
	leave_out_after(w);
	leave_out(w, ends_otherwise);
	leave_out(w, preempts);
	leave_out(w, any);
	merge_blocks(w);
}
