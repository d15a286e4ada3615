/* SPDX-License-Identifier: MIT */
/* Who goes on: choices, the baton, and what a step leaves in the trace. */
#include <string.h>

#include "depend.h"
#include "sched.h"

/* Real time that nobody can go on while somebody waits for the outside. */
#define STUCK_NS UINT64_C(2000000000)
#define STEP_NS 1000 /* virtual time that a step takes */

void
seam_baton_hand(struct seam_slot *to)
{
	struct seam_sched *s = seam_sched();

	atomic_store_explicit(&s->holder, seam_slot_index(to) + 1u,
			      memory_order_relaxed);
	atomic_store_explicit(&to->turn, 1, memory_order_release);
	seam_raw3(SYS_futex, &to->turn, FUTEX_WAKE, 1);
}

/* Until it is dead, whoever is to reap it. */
void
seam_wait_for_process(int32_t pid)
{
	struct {
		int fd;
		short events, revents;
	} p = { (int)seam_raw2(SYS_pidfd_open, pid, 0), 1, 0 };

	while (p.fd >= 0 && seam_raw3(SYS_poll, &p, 1, -1) == -EINTR)
		;
	if (p.fd >= 0)
		seam_raw1(SYS_close, p.fd);
}

/* Who handed on for good is no more before anybody else does anything: its
 * locks are dropped, and it can be joined without waiting. */
static void
wait_for_dying(struct seam_sched *s)
{
	int32_t tid = s->dying, pid = s->dying_process;
	_Atomic uint32_t *word = (_Atomic uint32_t *)(uintptr_t)s->dying_word;
	uint16_t i;

	if (SEAM_LIKELY(!tid && !pid))
		return;
	while (tid && word && pid == seam_proc->pid &&
	       (int32_t)atomic_load(word) == tid)
		if (seam_raw4(SYS_futex, word, FUTEX_WAIT, tid, NULL) ==
		    -EFAULT)
			break;
	if (!tid)
		seam_wait_for_process(pid);
	while (tid && pid != seam_proc->pid &&
	       seam_raw3(SYS_tgkill, pid, tid, 0) != -ESRCH)
		seam_raw0(SYS_sched_yield);
	for (i = 0; i < (uint16_t)seam_slots(); i++)
		if (s->slot[i].state == SEAM_SLOT_ENDING)
			s->slot[i].state = SEAM_SLOT_GONE;
	s->dying = s->dying_process = 0;
	s->dying_word = 0;
}

void
seam_baton_wait(struct seam_slot *slot)
{
	while (!atomic_load_explicit(&slot->turn, memory_order_acquire)) {
		seam_raw4(SYS_futex, &slot->turn, FUTEX_WAIT, 0, NULL);
		if (!seam_alive_hint())
			seam_raw1(SYS_exit_group, 125);
	}
	atomic_store_explicit(&slot->turn, 0, memory_order_relaxed);
	wait_for_dying(seam_sched());
}

struct pick {
	uint16_t slot;
	uint8_t how;
};
static struct pick choose(uint16_t current);

/* The turn of one that waits: it has been chosen, or is to choose. */
static void
wait_chosen(struct seam_slot *slot)
{
	uint16_t me = seam_slot_index(slot);
	struct pick p;

	seam_baton_wait(slot);
	while (slot->how == SEAM_HOW_ELECTED) {
		slot->state = SEAM_SLOT_PENDING;
		p = choose(me);
		slot->how = p.how;
		if (p.slot == me)
			break;
		slot->how = SEAM_HOW_DONE;
		seam_sched()->slot[p.slot].how = p.how;
		seam_baton_hand(&seam_sched()->slot[p.slot]);
		seam_baton_wait(slot);
	}
	slot->state = SEAM_SLOT_RUNNING;
}

/* Takes the baton if nobody has it. */
static bool
pick_up(const struct seam_slot *slot)
{
	uint32_t nobody = 0;

	return atomic_compare_exchange_strong(&seam_sched()->holder, &nobody,
					      seam_slot_index(slot) + 1u);
}

/* From nowhere, or from outside: whoever holds the baton will see us. */
static void
knock(struct seam_slot *slot)
{
	struct seam_sched *s = seam_sched();

	atomic_store(&slot->knocks, 1);
	atomic_fetch_add(&s->knocking, 1);
	seam_futex_wake(&s->knocking);
}

static void
admit(struct seam_sched *s)
{
	const struct seam_strategy *strategy =
	    seam_strategy_of(s->plan.strategy);
	uint16_t i, n = (uint16_t)seam_slots();

	if (SEAM_LIKELY(
		!atomic_load_explicit(&s->knocking, memory_order_acquire)))
		return;
	atomic_store(&s->knocking, 0);
	for (i = 0; i < n; i++) {
		struct seam_slot *slot = &s->slot[i];

		if (!atomic_exchange(&slot->knocks, 0))
			continue;
		slot->state = SEAM_SLOT_PENDING;
		if (strategy->arrived)
			strategy->arrived(s, i);
	}
}

static bool
is_among(const struct seam_candidates *c, uint16_t slot)
{
	unsigned i;

	for (i = 0; i < c->n; i++)
		if (c->slot[i] == slot)
			return true;
	return false;
}

/* Only seam_points are chosen among: whoever stands at anything else goes
 * first. */
static void
prefer_unmarked(struct seam_sched *s, struct seam_candidates *c,
		uint16_t current)
{
	uint16_t first = SEAM_NOBODY;
	unsigned i;

	for (i = 0; i < c->n; i++) {
		uint16_t at = c->slot[i];

		if (s->slot[at].op.verb == SEAM_POINT)
			continue;
		if (first == SEAM_NOBODY || at == current)
			first = at;
	}
	if (first != SEAM_NOBODY) {
		c->n = 1;
		c->slot[0] = first;
	}
}

/* Asleep in the sense of sleep sets: its step would repeat another run. */
static void
leave_sleepers(struct seam_sched *s, struct seam_candidates *c, uint64_t asleep)
{
	unsigned i, n = 0;

	if (!(s->plan.flags & SEAM_PLAN_SLEEP) ||
	    s->steps < s->plan.sleep_from || !asleep)
		return;
	for (i = 0; i < c->n; i++)
		if (c->slot[i] >= SEAM_MASKED || !((asleep >> c->slot[i]) & 1))
			c->slot[n++] = c->slot[i];
	c->n = n;
}

/* Those that gave way let the others go first (fairness). */
static void
leave_yielders(struct seam_sched *s, struct seam_choice *c)
{
	unsigned i, n = 0;
	uint64_t enabled = c->enabled_mask;
	struct seam_candidates *d = &c->done;

	if (!s->fair || d->n < 2)
		return;
	for (i = 0; i < d->n; i++) {
		uint16_t at = d->slot[i];

		if (at >= SEAM_MASKED || !(s->slot[at].before & enabled))
			d->slot[n++] = at;
	}
	if (n)
		d->n = n;
}

static uint16_t
earliest(const struct seam_sched *s, const struct seam_candidates *c)
{
	uint16_t best = c->slot[0];
	unsigned i;

	for (i = 1; i < c->n; i++)
		if (s->slot[c->slot[i]].deadline < s->slot[best].deadline)
			best = c->slot[i];
	return best;
}

static bool
may_wake_up(const struct seam_slot *slot)
{
	return slot->queued && slot->op.verb == SEAM_COND_REACQUIRE;
}

/* What the plan wants here; NULL: nothing. */
static const struct seam_forced *
wanted(const struct seam_sched *s, uint16_t current)
{
	if (s->plan.flags & SEAM_PLAN_RELAXED)
		return seam_switch_at(s, current);
	if (s->steps >= s->plan.forced || s->steps >= SEAM_STEPS ||
	    !s->forced[s->steps].thread)
		return NULL;
	return &s->forced[s->steps];
}

/* False: it wants nothing, or nothing that can be. */
static bool
forced(struct seam_sched *s, const struct seam_choice *c, uint16_t current,
       struct pick *out)
{
	const struct seam_forced *f = wanted(s, current);
	const struct seam_candidates *among;
	uint16_t i, n = (uint16_t)seam_slots();
	uint32_t how;

	if (!f)
		return false;
	for (i = 0; i < n; i++)
		if (s->slot[i].key == f->thread &&
		    s->slot[i].state == SEAM_SLOT_PENDING)
			break;
	how = f->how;
	if (how == SEAM_HOWS)
		how = is_among(&c->done, i) ? SEAM_HOW_DONE : SEAM_HOW_TIMEOUT;
	among = how == SEAM_HOW_DONE ? &c->done : &c->timeouts;
	if (how == SEAM_HOW_SPURIOUS ? i < n && may_wake_up(&s->slot[i]) :
				       i < n && is_among(among, i)) {
		*out = (struct pick){ i, (uint8_t)how };
		s->taken = s->steps + 1;
		return true;
	}
	if (s->plan.flags & SEAM_PLAN_STRICT)
		seam_run_end(SEAM_VERDICT_DIVERGED, i < n ? &s->slot[i] : NULL,
			     i < n ? "the thread cannot go on here" :
				     "there is no such thread here");
	return false;
}

static struct pick
choose_among(struct seam_sched *s, struct seam_choice *c, uint16_t current)
{
	const struct seam_strategy *strategy;
	struct pick p = { SEAM_NOBODY, SEAM_HOW_DONE };
	uint32_t one_in = s->plan.timeout_one_in;

	if (forced(s, c, current, &p))
		return p;
	strategy = seam_strategy_of(s->plan.strategy);
	/* First those that gave way: if those who are to come first all sleep,
	 * what gives way to them would go on for ever. */
	leave_yielders(s, c);
	leave_sleepers(s, &c->done, s->sleeping);
	leave_sleepers(s, &c->timeouts, s->sleeping_how);
	if (!c->done.n && !c->timeouts.n)
		seam_run_end(SEAM_VERDICT_ASLEEP, NULL, "%s", "");
	if (!c->done.n) {
		p.slot = earliest(s, &c->timeouts);
		p.how = SEAM_HOW_TIMEOUT;
	} else if (c->timeouts.n && one_in &&
		   strategy != &seam_strategy_follow &&
		   !seam_random_below(&s->random, one_in)) {
		p.slot =
		    c->timeouts
			.slot[seam_random_below(&s->random, c->timeouts.n)];
		p.how = SEAM_HOW_TIMEOUT;
	} else if (c->done.n == 1) {
		p.slot = c->done.slot[0];
	} else {
		p.slot = strategy->pick(s, &c->done, current);
	}
	return p;
}

static uint64_t
real_ns(void)
{
	struct timespec ts = { 0 };

	seam_raw2(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static const struct seam_slot *
any_pending(const struct seam_sched *s)
{
	uint16_t i, n = (uint16_t)seam_slots();

	for (i = 0; i < n; i++)
		if (s->slot[i].state == SEAM_SLOT_PENDING)
			return &s->slot[i];
	return NULL;
}

static bool
any_outside(const struct seam_sched *s)
{
	uint16_t i, n = (uint16_t)seam_slots();

	for (i = 0; i < n; i++)
		if (s->slot[i].state == SEAM_SLOT_OUTSIDE)
			return true;
	return false;
}

/* At what may have changed outside: other processes look for themselves. */
static void
look_again(struct seam_sched *s)
{
	uint16_t i, n = (uint16_t)seam_slots();

	for (i = 0; i < n; i++)
		if ((s->slot[i].op.flags & SEAM_OP_OUTSIDE) &&
		    s->slot[i].proc != seam_proc_index())
			s->slot[i].seen = 0;
}

/* Nobody can go on.  If nobody waits for the outside world, nobody ever will;
 * else a while is given to it. */
static void
wait_outside(struct seam_sched *s, const struct seam_choice *c)
{
	uint32_t knocking = atomic_load(&s->knocking);

	if (!c->outside && !any_outside(s) && !knocking)
		seam_run_end(SEAM_VERDICT_DEADLOCK, any_pending(s), "%s", "");
	if (!s->idle_since) {
		s->idle_since = real_ns();
		if (!any_outside(s) && !knocking && seam_waits_in_vain(true))
			seam_run_end(SEAM_VERDICT_DEADLOCK, any_pending(s),
				     "%s", "");
	}
	if (!(s->plan.flags & SEAM_PLAN_DEBUG) && !any_outside(s) &&
	    real_ns() - s->idle_since > STUCK_NS)
		seam_run_end(seam_waits_in_vain(false) ? SEAM_VERDICT_DEADLOCK :
							 SEAM_VERDICT_STUCK,
			     any_pending(s), "%s", "");
	if (!knocking)
		seam_futex_wait_ms(&s->knocking, knocking, 1);
	look_again(s);
	if (!seam_alive_hint())
		seam_raw1(SYS_exit_group, 125);
}

static void
note_choice(struct seam_sched *s, const struct seam_choice *c)
{
	s->chosen_enabled = c->enabled_mask;
	s->chosen_timeouts = c->timeout_mask;
	s->chosen_among = c->done.n + c->timeouts.n;
}

/* Counts what was continuously enabled since a slot's last yield. */
static void
keep_fairness(struct seam_sched *s, uint64_t enabled)
{
	uint16_t i, n = (uint16_t)seam_slots();

	if (!s->fair)
		return;
	for (i = 0; i < n && i < SEAM_MASKED; i++)
		s->slot[i].enabled &= enabled;
}

/* Nobody can go on, and a timer rings before anybody's time is over. */
static bool
time_to_ring(struct seam_sched *s, const struct seam_choice *c)
{
	uint64_t next = seam_next_alarm();

	if (c->timeouts.n && s->slot[earliest(s, &c->timeouts)].deadline < next)
		return false;
	seam_time_reaches(next);
	return true;
}

/*
 * The scratch space of a choice is big, and the holder is one: static.  A
 * process has its own, which is not shared.
 */
static struct seam_choice scratch;

static struct pick
choose(uint16_t current)
{
	struct seam_sched *s = seam_sched();
	struct seam_choice *c = &scratch;
	struct pick p;

	for (;;) {
		admit(s);
		if (s->alarms)
			seam_ring_alarms();
		seam_candidates(c);
		if (s->plan.flags & SEAM_PLAN_MARKED)
			prefer_unmarked(s, &c->done, current);
		if (c->done.n)
			break;
		if (s->alarms && time_to_ring(s, c))
			continue;
		if (c->timeouts.n)
			break;
		wait_outside(s, c);
	}
	note_choice(s, c);
	keep_fairness(s, c->enabled_mask);
	p = choose_among(s, c, current);
	if (s->chosen_among > 1)
		s->decisions++;
	if (p.slot != current) {
		s->switches++;
		if (current < SEAM_MASKED && ((c->enabled_mask >> current) & 1))
			s->preemptions++;
	}
	return p;
}

static unsigned
go(struct seam_slot *slot)
{
	struct seam_sched *s = seam_sched();
	uint16_t me = seam_slot_index(slot);
	struct pick p = choose(me);

	if (p.slot != me) {
		struct seam_slot *to = &s->slot[p.slot];

		to->how = p.how;
		seam_baton_hand(to);
		wait_chosen(slot);
	} else {
		slot->how = p.how;
		slot->state = SEAM_SLOT_RUNNING;
	}
	return slot->how;
}

/* What processes share, each has to judge for itself. */
static void
judge(struct seam_slot *slot)
{
	const struct seam_sobject *o = seam_sobject_at(slot->op.object);

	if (o && !o->proc && o->kind != SEAM_KIND_POINT && !seam_is_ready(slot))
		slot->seen = o->version + 1;
}

static unsigned
stand(struct seam_slot *slot, struct seam_call *c)
{
	struct seam_sched *s = seam_sched();
	const struct seam_strategy *strategy;

	slot->call = (uint64_t)(uintptr_t)c;
	slot->seen = 0;
	if (atomic_load_explicit(&s->holder, memory_order_relaxed) !=
	    seam_slot_index(slot) + 1u) {
		knock(slot);
		if (pick_up(slot)) {
			wait_for_dying(s);
			return go(slot);
		}
		wait_chosen(slot);
		return slot->how;
	}
	slot->state = SEAM_SLOT_PENDING;
	judge(slot);
	strategy = seam_strategy_of(s->plan.strategy);
	if (strategy->arrived)
		strategy->arrived(s, seam_slot_index(slot));
	return go(slot);
}

void
seam_first_turn(struct seam_slot *slot)
{
	seam_signals_keep(slot);
	wait_chosen(slot);
}

/* Chosen: but what has been sent to it comes first. */
static unsigned
settle(struct seam_slot *slot, struct seam_call *c, unsigned how)
{
	while (seam_signals_due(slot)) {
		seam_signals_handle(slot);
		how = stand(slot, c);
	}
	seam_signals_let(slot);
	return how;
}

unsigned
seam_stand(struct seam_slot *slot, struct seam_call *c)
{
	seam_signals_keep(slot);
	return settle(slot, c, stand(slot, c));
}

unsigned
seam_stand_busy(struct seam_slot *slot, struct seam_call *c)
{
	const struct seam_sobject *o = seam_sobject_at(slot->op.object);

	seam_signals_keep(slot);
	slot->call = (uint64_t)(uintptr_t)c;
	slot->seen = (o ? o->version : seam_sched()->steps) + 1;
	slot->state = SEAM_SLOT_PENDING;
	return settle(slot, c, go(slot));
}

void
seam_stand_after(struct seam_slot *slot, struct seam_call *c)
{
	struct seam_sched *s = seam_sched();

	/* Alone there is no choice, whatever the plan: what a server does
	 * before it serves is the same for all of its runs. */
	if (seam_slots() < 2 || s->plan.flags & SEAM_PLAN_MARKED ||
	    (s->plan.strategy == SEAM_STRATEGY_FOLLOW &&
	     !(s->plan.flags & SEAM_PLAN_AFTER)))
		return;
	slot->op.flags = SEAM_OP_LOCAL;
	seam_stand(slot, c);
	seam_step_done(slot, 0);
}

/*
 * A yield: what was enabled all along, or disabled by it, and has not run
 * since its last one comes first from now on.  Of the first there is nothing
 * to count from, and every second counts: what a program does after a few
 * expired waits in a row is to be seen, too.
 */
#define YIELDS_COUNT 2
static void
yielded(struct seam_sched *s, struct seam_slot *slot)
{
	s->fair = 1;
	if (++slot->yields % YIELDS_COUNT)
		return;
	slot->before |= (slot->enabled | slot->disabled) & ~slot->scheduled;
	slot->before &= ~(UINT64_C(1) << (seam_slot_index(slot) % 64));
	slot->enabled = s->chosen_enabled;
	slot->disabled = slot->scheduled = 0;
}

static void
scheduled(struct seam_sched *s, const struct seam_slot *slot)
{
	uint16_t i, n = (uint16_t)seam_slots(), me = seam_slot_index(slot);
	uint64_t bit;

	if (!s->fair || me >= SEAM_MASKED)
		return;
	bit = UINT64_C(1) << me;
	for (i = 0; i < n && i < SEAM_MASKED; i++) {
		s->slot[i].before &= ~bit;
		s->slot[i].scheduled |= bit;
	}
}

/* What it will do next. */
static struct seam_op
next_op(const struct seam_slot *slot)
{
	struct seam_op op = slot->op;

	if (slot->signals & (SEAM_SIGNAL_DUE | SEAM_SIGNAL_SHARED))
		op = (struct seam_op){ .verb = SEAM_SIGNAL_HANDLE };
	op.how = SEAM_HOW_DONE;
	return op;
}

/* Sleepers whose step depends on this one wake up; see include/depend.h. */
static void
wake_sleepers(struct seam_sched *s, const struct seam_step *step)
{
	uint64_t all = s->sleeping | s->sleeping_how;
	struct seam_op op;
	uint16_t i;

	if (SEAM_LIKELY(!all) || s->steps < s->plan.sleep_from)
		return;
	for (i = 0; i < SEAM_MASKED; i++) {
		uint64_t bit = UINT64_C(1) << i;

		if (!(all & bit))
			continue;
		op = next_op(&s->slot[i]);
		if (seam_dependent(&step->op, step->slot, &op, i))
			s->sleeping &= ~bit;
		op.how = SEAM_HOW_TIMEOUT;
		if (seam_dependent(&step->op, step->slot, &op, i))
			s->sleeping_how &= ~bit;
	}
}

static uint64_t
hash_of(const struct seam_slot *slot, const struct seam_op *op, int result)
{
	const struct seam_sobject *o = seam_sobject_at(op->object);
	uint64_t h = seam_stir(slot->key, op->verb);

	h = seam_stir(h, o ? o->key : 0);
	h = seam_stir(h, (uint64_t)op->how << 32 | op->flags);
	h = seam_stir(h, op->off);
	h = seam_stir(h, op->len);
	return seam_stir(h, (uint64_t)(uint32_t)result);
}

/* The step has been made: it is the last of the trace. */
static void
check_expected(struct seam_sched *s, const struct seam_slot *slot, uint64_t own)
{
	const struct seam_forced *f = &s->forced[s->steps - 1];

	if (s->steps > s->plan.forced || !f->event ||
	    !(s->plan.flags & SEAM_PLAN_STRICT) || f->event == (uint32_t)own)
		return;
	seam_run_end(SEAM_VERDICT_DIVERGED, slot,
		     "the event is not the expected one");
}

static void
check_length(struct seam_sched *s, const struct seam_slot *slot)
{
	if (s->steps >= SEAM_STEPS - 1 ||
	    (s->plan.max_steps && s->steps >= s->plan.max_steps))
		seam_run_end(s->yields >= s->steps / 4 ? SEAM_VERDICT_LIVELOCK :
							 SEAM_VERDICT_LONG,
			     slot, "%u steps", s->steps);
}

void
seam_step_done(struct seam_slot *slot, int result)
{
	struct seam_sched *s = seam_sched();
	struct seam_step *step = &s->step[s->steps];
	const struct seam_strategy *strategy =
	    seam_strategy_of(s->plan.strategy);
	uint64_t own;

	slot->op.how = slot->how;
	own = hash_of(slot, &slot->op, result);
	s->hash = seam_stir(s->hash, own);
	step->op = slot->op;
	step->site = slot->site;
	step->enabled = s->chosen_enabled;
	step->timeouts = s->chosen_timeouts;
	step->candidates = (uint16_t)s->chosen_among;
	step->hash = s->hash;
	step->event = (uint32_t)own;
	step->result = result;
	step->slot = seam_slot_index(slot);
	slot->steps++;
	s->now += STEP_NS;
	s->idle_since = 0;
	scheduled(s, slot);
	if (slot->op.flags & SEAM_OP_YIELD) {
		s->yields++;
		yielded(s, slot);
	}
	wake_sleepers(s, step);
	s->steps++;
	check_expected(s, slot, own);
	if (strategy->done)
		strategy->done(s, step);
	check_length(s, slot);
}

/* The holder goes on without the baton, or not at all. */
static void
hand_on(struct seam_slot *slot)
{
	struct seam_sched *s = seam_sched();
	struct pick p = choose(seam_slot_index(slot));

	s->slot[p.slot].how = p.how;
	seam_baton_hand(&s->slot[p.slot]);
}

/* Nobody is there to hand it to: whoever comes takes it. */
static void
lay_down(struct seam_slot *slot)
{
	struct seam_sched *s = seam_sched();

	atomic_store(&s->holder, 0);
	/* One that came in between has found a holder, and waits. */
	if (atomic_load(&s->knocking) && pick_up(slot))
		hand_on(slot);
}

/* As long as somebody is outside, nobody has to be able to go on. */
static void
hand_on_or_lay_down(struct seam_slot *slot)
{
	struct seam_sched *s = seam_sched();

	admit(s);
	look_again(s);
	seam_candidates(&scratch);
	if (scratch.done.n || scratch.timeouts.n)
		hand_on(slot);
	else
		lay_down(slot);
}

void
seam_hand_for_good(struct seam_slot *slot, int32_t pid, int32_t tid,
		   uint64_t word)
{
	struct seam_sched *s = seam_sched();

	slot->state = SEAM_SLOT_ENDING;
	s->dying = tid;
	s->dying_process = pid;
	s->dying_word = word;
	/* It will be dead before anybody goes on. */
	if (!tid)
		seam_signals_child_died(pid);
	/* Who waits outside may wait for this very end. */
	if (any_outside(s))
		hand_on_or_lay_down(slot);
	else if (any_pending(s) || atomic_load(&s->knocking))
		hand_on(slot);
	else
		lay_down(slot);
}

void
seam_leave(struct seam_slot *slot)
{
	struct seam_sched *s = seam_sched();

	slot->state = SEAM_SLOT_OUTSIDE;
	s->outside++;
	hand_on_or_lay_down(slot);
}

void
seam_return(struct seam_slot *slot)
{
	slot->op.flags |= SEAM_OP_LOCAL;
	seam_stand(slot, NULL);
}
