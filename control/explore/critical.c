/* SPDX-License-Identifier: MIT */
/* Which pair it is; what is said of it is in because.c. */
#include "explore/critical.h"

#include <stdlib.h>
#include <string.h>

#include "depend.h"
#include "explore/order.h"

extern uint32_t dbg[1000][3], ndbg;
struct pair {
	uint32_t first, second;
	bool passes;
};

struct search {
	const struct explore_trace *t;
	struct order o;
	struct pair *pair;
	size_t n, room;
	struct explore_move *move;
	bool no_memory;
};

const struct seam_op *
critical_op(const struct explore_trace *t, uint32_t event)
{
	return event < t->nsteps ? &t->step[event].op :
				   &t->thread[event - t->nsteps].pending;
}

uint16_t
critical_slot(const struct explore_trace *t, uint32_t event)
{
	return event < t->nsteps ? t->step[event].slot :
				   (uint16_t)(event - t->nsteps);
}

/* Candidates: the races of the run. */

static void
add_pair(void *arg, const struct order_race *race)
{
	struct search *s = arg;
	struct pair *more;

	for (size_t i = s->n; i-- > 0 && s->pair[i].second == race->second;)
		if (s->pair[i].first == race->first)
			return;
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		more = reallocarray(s->pair, s->room, sizeof(*more));
		if (!more) {
			s->no_memory = true;
			s->room = s->n;
			return;
		}
		s->pair = more;
	}
	s->pair[s->n++] =
	    (struct pair){ .first = race->first, .second = race->second };
}

static bool
is_event(const struct explore_trace *t, uint32_t event)
{
	const struct explore_thread *th;

	if (event < t->nsteps)
		return true;
	th = &t->thread[event - t->nsteps];
	return th->state == SEAM_SLOT_PENDING && th->pending.verb;
}

static bool
is_acquiring(const struct seam_op *op)
{
	const uint8_t class = seam_verbs[op->verb].class;

	return class == SEAM_CLASS_ACQUIRE || class == SEAM_CLASS_TRY;
}

static void
find_pairs(struct search *s)
{
	const uint32_t n = s->t->nsteps + s->t->nthreads;

	for (uint32_t j = 0; j < n; j++) {
		const struct seam_op *op;
		if (!is_event(s->t, j))
			continue;
		order_races(&s->o, j, add_pair, s);
		op = critical_op(s->t, j);
		for (uint32_t i = 0; i < j && i < s->t->nsteps; i++) {
			struct order_race r = { .first = i, .second = j };
			if (is_acquiring(op) && is_acquiring(critical_op(s->t, i)) && seam_reversible(critical_op(s->t, i), critical_slot(s->t, i), op, critical_slot(s->t, j)))
				add_pair(s, &r);
		}
	}
}

/* The run with the two exchanged. */

static void
move(struct search *s, uint32_t *n, uint32_t event)
{
	const struct seam_op *op = critical_op(s->t, event);

	s->move[(*n)++] = (struct explore_move){
		.slot = critical_slot(s->t, event),
		.how = op->how,
		.yields = op->flags & SEAM_OP_YIELD,
	};
}

/*
 * What comes before the first stays; then whatever does not depend on it, and
 * the second; then the first, and all that was left out, in its order.
 */
/* Until it has let go of what it took by the second. */
static uint32_t
section(const struct search *s, uint32_t second)
{
	const struct seam_op *op = critical_op(s->t, second);
	uint32_t i;

	if (!is_acquiring(op) || !op->object)
		return second;
	for (i = second + 1; i < s->t->nsteps; i++)
		if (s->t->step[i].slot == critical_slot(s->t, second) &&
		    seam_op_lets_go(&s->t->step[i].op) &&
		    (s->t->step[i].op.object == op->object ||
		     s->t->step[i].op.second == op->object))
			return i;
	return second;
}

static uint32_t
swapped(struct search *s, const struct pair *p, bool rest)
{
	const uint32_t steps = s->t->nsteps;
	const uint32_t end = section(s, p->second);
	const uint16_t slot = critical_slot(s->t, p->second);
	uint32_t n = 0;

#define GOES_FIRST(i) ((i < p->second && !order_precedes(&s->o, p->first, i)) || (i <= end && critical_slot(s->t, i) == slot))
	for (uint32_t i = 0; i < p->first; i++)
		move(s, &n, i);
	for (uint32_t i = p->first + 1; i < steps && i <= end; i++)
		if (GOES_FIRST(i))
			move(s, &n, i);
	if (p->second >= steps)
		move(s, &n, p->second);
	move(s, &n, p->first);
	for (uint32_t i = p->first + 1; rest && i < steps; i++)
		if (!GOES_FIRST(i))
			move(s, &n, i);
	return n;
}

static uint32_t
number_of(const struct explore_trace *t, uint32_t event)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < event && i < t->nsteps; i++)
		n += t->step[i].slot == critical_slot(t, event);
	return n;
}

/* The step that is the thread's with that number. */
static uint32_t
numbered(const struct explore_trace *t, uint64_t key, uint32_t number)
{
	for (uint32_t i = 0; i < t->nsteps; i++)
		if (t->thread[t->step[i].slot].key == key && !number--)
			return i;
	return ORDER_NONE;
}

static bool
was_swapped(const struct search *s, const struct pair *p, const struct explore_trace *t)
{
	uint32_t i = numbered(t, s->t->thread[critical_slot(s->t, p->first)].key, number_of(s->t, p->first));
	uint32_t j = numbered(t, s->t->thread[critical_slot(s->t, p->second)].key, number_of(s->t, p->second));

	return j < i && j != ORDER_NONE && i != ORDER_NONE;
}

static bool
try(struct search *s, struct pair *p, bool rest, critical_passes *passes,
    void *arg)
{
	struct explore_switches switches;
	uint32_t n = swapped(s, p, rest);
	bool go_on = true;

	if (!explore_switches_of_moves(&switches, s->t, s->move, n)) {
		s->no_memory = true;
		return false;
	}
	const struct explore_trace *t = passes(arg, &switches, &go_on);
	p->passes = t && was_swapped(s, p, t);
	explore_switches_clear(&switches);
	return go_on;
}

bool
critical_find(const struct explore_trace *t, critical_passes *passes, void *arg,
	      struct critical *out)
{
	struct search s = { .t = t };
	bool rest = true;

	*out = (struct critical){ .found = false };
	if (t->nthreads > SEAM_MASKED)
		return true;
	if (!order_make(&s.o, t, t->nsteps))
		return false;
	s.move = calloc(t->nsteps + 4u, sizeof(*s.move));
	s.no_memory = !s.move;
	if (s.move)
		find_pairs(&s);
	for (int k = 0; k < 2; k++, rest = false) {
	for (size_t i = s.n; i-- > 0 && !s.no_memory;)
		if (!try(&s, &s.pair[i], rest, passes, arg))
			break;
	for (size_t i = s.n; i-- > 0;)
		if (s.pair[i].passes) {
			if (!out->found) *out = (struct critical){ true, s.pair[i].first,
						  s.pair[i].second };
			{ dbg[ndbg][0]=rest; dbg[ndbg][1]=s.pair[i].first; dbg[ndbg++][2]=s.pair[i].second; }
		}
	}
	free(s.pair);
	free(s.move);
	order_free(&s.o);
	return !s.no_memory;
}
