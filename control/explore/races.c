/* SPDX-License-Identifier: MIT */
/*
 * Races: pairs of events whose order could be the other one.
 *
 * An event j races with an earlier one i of another thread if they depend on
 * each other by what they do alone, and j could come about before i: in the
 * state that i and all that depends on it are left out of.  Where j never
 * waits that is always so, and the latest such events are the races.  A
 * lock had to wait for the unlock before it, however; so the walk goes on
 * back to the lock that belongs to it.  What a state would be like is told
 * by what the trace shows of the object's events.
 *
 * Where that cannot be told, the race is taken for one, and so are those
 * behind it: a run too many, never one too few.
 */
#include <errno.h>

#include "depend.h"
#include "explore/order.h"

enum answer { NO, YES, PERHAPS };

bool
order_left_out(const struct order *o, const struct order_race *race,
	       uint32_t event)
{
	unsigned i;

	if (event >= race->first && order_precedes(o, race->first, event))
		return true;
	for (i = 0; i < race->others; i++)
		if (event >= race->other[i] &&
		    order_precedes(o, race->other[i], event))
			return true;
	return false;
}

/* The events of the state in question: those before j that do not depend on
 * what is left out (NULL: nothing). */
struct state {
	const struct order *o;
	const struct order_race *without;
	uint32_t until;
};

static bool
is_in(const struct state *s, uint32_t event)
{
	return event < s->until &&
	       !(s->without && order_left_out(s->o, s->without, event));
}

static uint32_t
latest_of(const struct order *o, uint64_t object)
{
	if (object > o->trace->nobjects && object != SEAM_TOUCH_POINTS)
		return ORDER_NONE;
	return o->latest[object == SEAM_TOUCH_POINTS ? 0 : object];
}

static bool
succeeded(const struct order *o, uint32_t event)
{
	int32_t result = o->trace->step[event].result;

	return !seam_op_failed(order_op(o, event)) &&
	       (result == 0 || result == EOWNERDEAD);
}

/* What an event does to who holds a lock: +1, -1, or -2: all is let go. */
static int
effect_on_lock(const struct order *o, uint32_t event, uint32_t object)
{
	const struct seam_op *op = order_op(o, event);

	if (!succeeded(o, event))
		return 0;
	if (op->verb == SEAM_COND_WAIT)
		return op->second == object ? -2 : 0;
	switch (op->verb) {
	case SEAM_MUTEX_LOCK:
	case SEAM_MUTEX_TRYLOCK:
	case SEAM_SPIN_LOCK:
	case SEAM_SPIN_TRYLOCK:
	case SEAM_RWLOCK_RDLOCK:
	case SEAM_RWLOCK_WRLOCK:
	case SEAM_RWLOCK_TRYRDLOCK:
	case SEAM_RWLOCK_TRYWRLOCK:
	case SEAM_COND_REACQUIRE:
		return op->object == object ? 1 : 0;
	case SEAM_MUTEX_UNLOCK:
	case SEAM_SPIN_UNLOCK:
	case SEAM_RWLOCK_UNLOCK:
		return op->object == object ? -1 : 0;
	default:
		return 0;
	}
}

static bool
reads(const struct seam_op *op)
{
	return op->verb == SEAM_RWLOCK_RDLOCK ||
	       op->verb == SEAM_RWLOCK_TRYRDLOCK;
}

/* Backwards, so that the first acquisition that nothing has let go yet is one
 * that is held. */
static uint32_t
held_by(const struct state *s, uint32_t j, uint32_t object)
{
	const struct seam_op *want = order_op(s->o, j);
	uint32_t let_go[SEAM_MASKED] = { 0 }, at, event;
	uint16_t me = order_slot(s->o, j);

	for (at = latest_of(s->o, object); at != ORDER_NONE;
	     at = s->o->link[at]) {
		uint16_t slot = order_slot(s->o, event = at / 2);
		int effect;

		if (!is_in(s, event))
			continue;
		/* It got it, though it had it: a recursive one. */
		if (slot == me && j < s->o->n && succeeded(s->o, j))
			continue;
		effect = effect_on_lock(s->o, event, object);
		if (effect == -1)
			let_go[slot] += let_go[slot] != UINT32_MAX;
		else if (effect == -2)
			let_go[slot] = UINT32_MAX;
		else if (effect == 1 && let_go[slot])
			let_go[slot] -= let_go[slot] != UINT32_MAX;
		else if (effect == 1 &&
			 !(reads(want) && reads(order_op(s->o, event))))
			return event;
	}
	return ORDER_NONE;
}

/* The events of the state on one object, in their order. */
static uint32_t
collect(const struct state *s, uint32_t object)
{
	const struct order *o = s->o;
	uint32_t at, n = 0, i;

	for (at = latest_of(o, object); at != ORDER_NONE; at = o->link[at])
		if (is_in(s, at / 2))
			o->scratch[n++] = at / 2;
	for (i = 0; i < n / 2; i++) {
		uint32_t event = o->scratch[i];

		o->scratch[i] = o->scratch[n - 1 - i];
		o->scratch[n - 1 - i] = event;
	}
	return n;
}

struct queue {
	uint16_t slot[SEAM_MASKED];
	unsigned n;
};

static void
leave(struct queue *q, uint16_t slot)
{
	unsigned i, n = 0;

	for (i = 0; i < q->n; i++)
		if (q->slot[i] != slot)
			q->slot[n++] = q->slot[i];
	q->n = n;
}

/* Waiters are woken in the order in which they came. */
static bool
is_signalled(const struct state *s, uint32_t j, uint32_t cond)
{
	struct queue q = { .n = 0 };
	uint32_t n = collect(s, cond), i;
	uint16_t me = order_slot(s->o, j);

	for (i = 0; i < n; i++) {
		const struct seam_op *op = order_op(s->o, s->o->scratch[i]);
		uint16_t slot = order_slot(s->o, s->o->scratch[i]);

		switch (op->verb) {
		case SEAM_COND_WAIT:
			leave(&q, slot);
			q.slot[q.n++] = slot;
			break;
		case SEAM_COND_SIGNAL:
			if (q.n)
				leave(&q, q.slot[0]);
			break;
		case SEAM_COND_BROADCAST:
			q.n = 0;
			break;
		case SEAM_COND_REACQUIRE:
			leave(&q, slot);
			break;
		default:
			break;
		}
	}
	for (i = 0; i < q.n; i++)
		if (q.slot[i] == me)
			return false;
	return true;
}

static int
effect_on_sem(const struct order *o, uint32_t event)
{
	const struct seam_op *op = order_op(o, event);

	if (!succeeded(o, event))
		return 0;
	switch (op->verb) {
	case SEAM_SEM_POST:
		return 1;
	case SEAM_SEM_WAIT:
	case SEAM_SEM_TRYWAIT:
		return -1;
	default:
		return 0;
	}
}

/* The step before which a wait was seen not to be enabled, or ORDER_NONE:
 * there the count was 0. */
static uint32_t
seen_empty(const struct order *o, uint32_t wait)
{
	uint32_t since = o->before[wait] + 1, k = wait < o->n ? wait : o->n - 1;
	uint64_t bit = UINT64_C(1) << order_slot(o, wait);

	if (wait >= o->n && o->trace->verdict == SEAM_VERDICT_DEADLOCK)
		return o->n;
	if (wait < o->n && seam_op_failed(order_op(o, wait)))
		return wait;
	if (o->before[wait] == ORDER_NONE || since > k)
		return ORDER_NONE;
	for (; k >= since && k != ORDER_NONE; k--)
		if (!(o->trace->step[k].enabled & bit))
			return k;
	return ORDER_NONE;
}

static bool
is_sem_wait(const struct order *o, uint32_t event, uint32_t object)
{
	const struct seam_op *op = order_op(o, event);

	return op->object == object &&
	       (op->verb == SEAM_SEM_WAIT || op->verb == SEAM_SEM_TRYWAIT);
}

static int
sum_before(const struct order *o, const uint32_t *events, uint32_t n,
	   uint32_t step)
{
	int sum = 0;
	uint32_t i;

	for (i = 0; i < n && events[i] < step; i++)
		sum += effect_on_sem(o, events[i]);
	return sum;
}

/* What the count was in the beginning: exactly, or at least. */
static int
first_count(const struct order *o, uint32_t object, bool *exact)
{
	struct state whole = { o, NULL, o->n };
	uint32_t n = collect(&whole, object), i, step;
	int sum = 0, least = 0;

	*exact = true;
	for (i = 0; i < n; i++) {
		uint32_t event = o->scratch[i];

		if (order_op(o, event)->off)
			return (int)order_op(o, event)->off - 1 - sum;
		if (is_sem_wait(o, event, object) &&
		    (step = seen_empty(o, event)) != ORDER_NONE)
			return -sum_before(o, o->scratch, n, step);
		sum += effect_on_sem(o, event);
		if (sum < least)
			least = sum;
	}
	for (i = 0; i < o->threads; i++)
		if (order_pending(o, o->n, (uint16_t)i) != ORDER_NONE &&
		    is_sem_wait(o, o->n + i, object) &&
		    (step = seen_empty(o, o->n + i)) != ORDER_NONE)
			return -sum_before(o, o->scratch, n, step);
	*exact = false;
	return -least;
}

static enum answer
has_count(const struct state *s, uint32_t object)
{
	bool exact;
	int count = first_count(s->o, object, &exact);
	uint32_t n = collect(s, object);

	count += sum_before(s->o, s->o->scratch, n, ORDER_NONE);
	if (count > 0)
		return YES;
	return exact ? NO : PERHAPS;
}

/* If the thread stood there already, the masks tell. */
static enum answer
by_masks(const struct state *s, uint32_t j, uint8_t *how)
{
	const struct seam_step *step = &s->o->trace->step[s->without->first];
	uint64_t bit = UINT64_C(1) << order_slot(s->o, j);
	uint32_t before = s->o->before[j];

	*how = SEAM_HOWS;
	if ((before == ORDER_NONE || before < s->without->first) &&
	    ((step->enabled | step->timeouts) & bit))
		return YES;
	return PERHAPS;
}

static bool
is_timed(const struct seam_op *op)
{
	return (op->flags & SEAM_OP_TIMED) || op->how == SEAM_HOW_TIMEOUT;
}

/* How an operation ends that gets it, does not, or one does not know. */
static enum answer
ending(const struct seam_op *op, enum answer gets, struct order_race *race)
{
	bool waits = !is_timed(op) && !seam_op_is_try(op);

	race->how = SEAM_HOW_DONE;
	race->fails = gets == NO && seam_op_is_try(op);
	if (is_timed(op) && gets != YES)
		race->how = gets == NO ? SEAM_HOW_TIMEOUT : SEAM_HOWS;
	return waits ? gets : YES;
}

static bool
is_known(const struct order *o, uint32_t j, uint32_t event)
{
	uint16_t slot = order_slot(o, event);

	return slot == order_slot(o, j) ||
	       o->past[(size_t)j * o->threads + slot] > event;
}

/* Leaves out whoever else still has the lock, if that is possible. */
static enum answer
make_free(const struct state *s, uint32_t object, struct order_race *race)
{
	uint32_t holder;

	while ((holder = held_by(s, race->second, object)) != ORDER_NONE) {
		if (is_known(s->o, race->second, holder) ||
		    race->others == SEAM_MASKED)
			return NO;
		race->other[race->others++] = holder;
	}
	return YES;
}

static enum answer
would_lock(const struct state *s, struct order_race *race)
{
	const struct seam_op *op = order_op(s->o, race->second);

	if (is_timed(op) || seam_op_is_try(op))
		return ending(op,
			      held_by(s, race->second, op->object) ==
				      ORDER_NONE ?
				  YES :
				  NO,
			      race);
	return make_free(s, op->object, race);
}

static enum answer
would_reacquire(const struct state *s, struct order_race *race)
{
	const struct seam_op *op = order_op(s->o, race->second);
	enum answer answer;

	if (!(op->flags & SEAM_OP_RELOCKS) && op->second &&
	    !is_signalled(s, race->second, op->second))
		return ending(op, NO, race);
	answer = make_free(s, op->object, race);
	/* With the holder, the signal may have gone. */
	if (answer == YES && !(op->flags & SEAM_OP_RELOCKS) && op->second &&
	    !is_signalled(s, race->second, op->second))
		return ending(op, NO, race);
	return answer;
}

/* The earliest is the first. */
static void
sort_out(struct order_race *race)
{
	unsigned i;

	for (i = 0; i < race->others; i++)
		if (race->other[i] < race->first) {
			uint32_t later = race->first;

			race->first = race->other[i];
			race->other[i] = later;
		}
}

/* Could j come about without race->first and what depends on it? */
static enum answer
would_come(const struct order *o, struct order_race *race)
{
	uint32_t j = race->second;
	struct state s = { o, race, j < o->n ? j : o->n };
	const struct seam_op *op = order_op(o, j);

	race->how = SEAM_HOW_DONE;
	race->fails = false;
	switch (op->verb) {
	case SEAM_MUTEX_LOCK:
	case SEAM_MUTEX_TRYLOCK:
	case SEAM_SPIN_LOCK:
	case SEAM_SPIN_TRYLOCK:
	case SEAM_RWLOCK_RDLOCK:
	case SEAM_RWLOCK_WRLOCK:
	case SEAM_RWLOCK_TRYRDLOCK:
	case SEAM_RWLOCK_TRYWRLOCK:
		return would_lock(&s, race);
	case SEAM_SEM_WAIT:
	case SEAM_SEM_TRYWAIT:
		return ending(op, has_count(&s, op->object), race);
	case SEAM_COND_REACQUIRE:
		return would_reacquire(&s, race);
	case SEAM_THREAD_JOIN:
		if (order_slot(o, race->first) + 1u != op->peer)
			return YES;
		if (op->fn == SEAM_FN_pthread_tryjoin_np)
			return YES;
		return ending(op, NO, race);
	case SEAM_FCNTL_SETLKW:
	case SEAM_FLOCK_LOCK:
	case SEAM_LOCKF_LOCK:
	case SEAM_PROCESS_WAIT:
	case SEAM_SIGNAL_WAIT:
	case SEAM_IO_READ:
	case SEAM_IO_WRITE:
	case SEAM_IO_ACCEPT:
	case SEAM_IO_CONNECT:
	case SEAM_IO_POLL:
		return by_masks(&s, j, &race->how);
	case SEAM_BARRIER_WAIT:
	case SEAM_FUTEX_WAIT:
		return op->mode == 'l' ? by_masks(&s, j, &race->how) : YES;
	default:
		return YES;
	}
}

struct seam_op
order_reversed(const struct order *o, const struct order_race *race)
{
	struct seam_op op = *order_op(o, race->second);

	if (race->how != SEAM_HOWS)
		op.how = race->how;
	if (seam_op_is_try(&op)) {
		op.flags &= (uint8_t)~SEAM_OP_YIELD;
		if (race->fails)
			op.flags |= SEAM_OP_YIELD;
	}
	return op;
}

/* Candidates for the first of a race with j, from the latest to the first:
 * five lists of which the latest heads are taken. */
struct walk {
	const struct order *o;
	uint32_t object[2]; /* link entries */
	uint32_t global, about, peer, all;
};

static uint32_t
below(uint32_t head, const uint32_t *link, uint32_t j)
{
	while (head != ORDER_NONE && head >= j)
		head = link[head];
	return head;
}

static void
begin(struct walk *w, const struct order *o, uint32_t j)
{
	const struct seam_op *op = order_op(o, j);
	uint16_t peer = (uint16_t)(op->peer - 1);
	struct seam_touch touch[2];
	unsigned i, n = 0;

	*w = (struct walk){ o,		{ ORDER_NONE, ORDER_NONE },
			    ORDER_NONE, ORDER_NONE,
			    ORDER_NONE, ORDER_NONE };
	w->about = below(o->about[order_slot(o, j)], o->abouts, j);
	if (op->peer && peer < o->threads && seam_op_is_about(op, peer) &&
	    o->clock[(size_t)j * o->threads + peer])
		w->peer = o->clock[(size_t)j * o->threads + peer] - 1;
	if (seam_op_is_global(op)) {
		w->all = (j < o->n ? j : o->n) - 1; /* ORDER_NONE: none */
		return;
	}
	w->global = below(o->global, o->globals, j);
	if (!seam_op_is_local(op))
		n = seam_touches(op, touch);
	for (i = 0; i < n; i++)
		w->object[i] = j < o->n ? o->link[2 * j + i] :
					  latest_of(o, touch[i].object);
}

static uint32_t
later(uint32_t a, uint32_t b)
{
	if (a == ORDER_NONE || b == ORDER_NONE)
		return a == ORDER_NONE ? b : a;
	return a > b ? a : b;
}

static uint32_t
next(struct walk *w)
{
	const struct order *o = w->o;
	uint32_t best = later(w->global, w->about);
	unsigned i;

	best = later(later(best, w->peer), w->all);
	for (i = 0; i < 2; i++)
		if (w->object[i] != ORDER_NONE)
			best = later(best, w->object[i] / 2);
	if (best == ORDER_NONE)
		return best;
	for (i = 0; i < 2; i++)
		while (w->object[i] != ORDER_NONE && w->object[i] / 2 == best)
			w->object[i] = o->link[w->object[i]];
	if (w->global == best)
		w->global = o->globals[best];
	if (w->about == best)
		w->about = o->abouts[best];
	if (w->peer == best)
		w->peer = ORDER_NONE;
	if (w->all == best)
		w->all--;
	return best;
}

void
order_races(const struct order *o, uint32_t j, order_found *found, void *arg)
{
	const struct seam_op *op = order_op(o, j);
	uint32_t covered[SEAM_MASKED] = { 0 }, i, s;
	uint64_t left = UINT64_MAX >> (64 - o->threads);
	uint16_t me = order_slot(o, j);
	struct walk w;

	if (!o->n)
		return;
	for (s = 0; s < o->threads; s++)
		covered[s] = o->past[(size_t)j * o->threads + s];
	begin(&w, o, j);
	left &= ~(UINT64_C(1) << me);
	while (left && (i = next(&w)) != ORDER_NONE) {
		uint16_t slot = order_slot(o, i);
		struct order_race race = { .first = i, .second = j };
		enum answer answer;

		if (i < covered[slot])
			left &= ~(UINT64_C(1) << slot);
		if (slot == me || i < covered[slot] ||
		    !seam_dependent(order_op(o, i), slot, op, me))
			continue;
		answer = would_come(o, &race);
		if (answer == NO)
			continue;
		sort_out(&race);
		found(arg, &race);
		/* Nearer ones may do alone what took several. */
		for (s = 0; s < o->threads && answer == YES && !race.others;
		     s++) {
			uint32_t c = o->clock[(size_t)i * o->threads + s];

			if (c > covered[s])
				covered[s] = c;
		}
	}
}
