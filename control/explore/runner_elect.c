/* SPDX-License-Identifier: MIT */
/* A process died with the baton in its hand, or sleeps with it: the others go
 * on. */
#include <stdatomic.h>

#include "arena_ctl.h"
#include "explore/runner.h"
#include "inner.h"
#include "session_int.h"

static void
bury(struct seam_sched *s, uint32_t n, uint32_t proc)
{
	for (uint32_t i = 0; i < n; i++)
		if (s->slot[i].proc == proc)
			s->slot[i].state = SEAM_SLOT_GONE;
}

/* The next in the order of slots, one that stands or has come: it chooses who
 * goes on. */
static bool
next_pending(const struct seam_sched *s, uint32_t n, uint32_t from,
	     uint32_t *next)
{
	for (uint32_t i = 1; i <= n; i++) {
		*next = (from + i) % n;
		if (s->slot[*next].state == SEAM_SLOT_PENDING ||
		    atomic_load(&s->slot[*next].knocks))
			return true;
	}
	return false;
}

/* Somebody who came while the dead one had the baton, and waits for it; who
 * comes from now on takes it up. */
static bool
next_knocking(struct seam_sched *s, uint32_t n, uint32_t *next)
{
	uint32_t nobody = 0;

	atomic_store(&s->holder, 0);
	for (*next = 0; *next < n; ++*next)
		if (atomic_load(&s->slot[*next].knocks))
			break;
	if (*next == n ||
	    !atomic_compare_exchange_strong(&s->holder, &nobody, *next + 1))
		return false;
	return true;
}

/* The elected one wakes up as the holder, and chooses. */
static void
hand_to(struct seam_sched *s, uint32_t next)
{
	atomic_store(&s->slot[next].knocks, 0);
	s->slot[next].how = SEAM_HOW_ELECTED;
	atomic_store_explicit(&s->slot[next].turn, 1, memory_order_release);
	seam_futex_wake(&s->slot[next].turn);
}

bool
runner_elect(struct seam_session *session)
{
	struct seam_sched *s = &session->arena->sched;
	uint32_t holder = atomic_load(&s->holder), n = s->slots, next;
	struct seam_process *p;

	/* Whoever says that the run is over dies of that. */
	if (s->verdict || !holder || n > SEAM_SLOTS || holder > n)
		return false;
	p = seam_process_at(session, s->slot[holder - 1].proc);
	if (!p || !p->ended)
		return false;
	bury(s, n, p->index);
	if (!next_pending(s, n, holder - 1, &next) &&
	    !next_knocking(s, n, &next))
		return false;
	atomic_store(&s->holder, next + 1);
	hand_to(s, next);
	return true;
}

static bool
is_asleep(struct seam_session *session, const struct seam_slot *slot)
{
	char text[512];
	const char *state;
	int32_t tid;

	if (slot->thread >= SEAM_MAX_THREADS)
		return false;
	tid = session->arena->thread[slot->thread].tid;
	state = tid > 0 ? seam_proc_stat(tid, text, sizeof(text)) : NULL;
	return state && (*state == 'S' || *state == 'T');
}

/*
 * The holder has made no step for a while, does not pass the gate, and sleeps
 * or is stopped: in a call that is not seen, which may wait for somebody who
 * waits for the baton.  It is outside from now on, and another goes on.
 */
void
runner_unstick(struct seam_session *session, struct runner_look *look)
{
	struct seam_sched *s = &session->arena->sched;
	uint32_t holder = atomic_load(&s->holder), n = s->slots, next;
	struct seam_slot *slot;

	if (look->holder != holder || look->steps != s->steps) {
		*look = (struct runner_look){ holder, s->steps };
		return;
	}
	if (s->verdict || !holder || n > SEAM_SLOTS || holder > n ||
	    s->plan.flags & SEAM_PLAN_DEBUG)
		return;
	slot = &s->slot[holder - 1];
	if (slot->state != SEAM_SLOT_RUNNING || slot->inside ||
	    !is_asleep(session, slot) ||
	    !next_pending(s, n, holder - 1, &next) ||
	    !atomic_compare_exchange_strong(&s->holder, &holder, next + 1))
		return;
	slot->state = SEAM_SLOT_OUTSIDE;
	s->outside++;
	hand_to(s, next);
}
