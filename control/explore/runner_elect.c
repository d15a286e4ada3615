/* SPDX-License-Identifier: MIT */
/* A process died with the baton in its hand: the others go on. */
#include <stdatomic.h>

#include "arena_ctl.h"
#include "explore/runner.h"
#include "session_int.h"

static void
bury(struct seam_sched *s, uint32_t n, uint32_t proc)
{
	for (uint32_t i = 0; i < n; i++)
		if (s->slot[i].proc == proc)
			s->slot[i].state = SEAM_SLOT_GONE;
}

/* The next in the order of slots.  Whoever would have to wait after all finds
 * that out by itself, and hands on; but not one that waits for a signal. */
static bool
next_pending(const struct seam_sched *s, uint32_t n, uint32_t from,
	     uint32_t *next)
{
	for (uint32_t i = 1; i <= n; i++) {
		*next = (from + i) % n;
		if (s->slot[*next].state == SEAM_SLOT_PENDING &&
		    !s->slot[*next].queued)
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
	atomic_store(&s->slot[*next].knocks, 0);
	return true;
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
	s->slot[next].how = SEAM_HOW_DONE;
	atomic_store(&s->holder, next + 1);
	atomic_store_explicit(&s->slot[next].turn, 1, memory_order_release);
	seam_futex_wake(&s->slot[next].turn);
	return true;
}
