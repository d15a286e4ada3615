/* SPDX-License-Identifier: MIT */
/* Targets of an order: who belongs to one, and whether it moves. */
#include <stdio.h>
#include <string.h>

#include "inner.h"
#include "order.h"

#define STILL_NS UINT64_C(2000000)
#define SOON_NS UINT64_C(500000)

/* Who belongs to it. */

bool
seam_target_covers(struct seam_session *s, const struct order_target *g,
		   const struct seam_process *p)
{
	char pattern[SEAM_NAME_TEXT];

	if (!g->proc)
		return !g->thread ||
		       seam_thread_pattern(s, p, g->thread, pattern,
					   sizeof(pattern));
	return seam_process_is(s, p, g->proc) ||
	       (!g->thread && seam_process_below(s, p, g->proc));
}

static bool
is_called(struct seam_session *s, const struct seam_process *p,
	  const struct seam_thread *t, const char *pattern)
{
	char full[SEAM_NAME_TEXT], path[SEAM_PATH], name[SEAM_NAME];
	char nth[SEAM_NAME + 12];

	if (!seam_thread_pattern(s, p, pattern, full, sizeof(full)))
		return false;
	seam_arena_copy(t->path, SEAM_PATH, path, sizeof(path));
	seam_arena_copy(t->name, SEAM_NAME, name, sizeof(name));
	snprintf(nth, sizeof(nth), "%s.%u", name, t->name_ordinal);
	return seam_glob(full, path) ||
	       (*name && (seam_glob(full, name) || !strcmp(full, nth)));
}

bool
seam_target_has(struct seam_session *s, const struct order_target *g,
		const struct seam_thread *t)
{
	const struct seam_process *p = seam_process_at(s, t->proc);

	if (!p || !seam_target_covers(s, g, p))
		return false;
	return !g->thread || is_called(s, p, t, g->thread);
}

static struct seam_thread *
next_of(struct seam_session *s, const struct order_target *g, uint32_t *i)
{
	struct seam_thread *t;

	while ((t = seam_thread_next(s, i)))
		if (seam_target_has(s, g, t))
			return t;
	return NULL;
}

/* Ends. */

/* A child that is about to join. */
static bool
is_coming(struct seam_session *s)
{
	unsigned n = atomic_load(&s->arena->head.procs);
	uint32_t state;

	for (unsigned i = 0; i < n && i < SEAM_MAX_PROCS; i++) {
		state = atomic_load(&s->arena->proc[i].state);
		if (!s->process[i].used &&
		    (state == SEAM_PROC_CLAIMED || state == SEAM_PROC_JOINING))
			return true;
	}
	return false;
}

/* Its processes have been there, and are gone. */
static bool
has_left(struct seam_session *s, const struct sess_order *o,
	 const struct order_target *g)
{
	bool seen = false;

	for (unsigned i = 0; i < s->processes; i++) {
		const struct seam_process *p = &s->process[i];

		if (!p->used || !seam_target_covers(s, g, p))
			continue;
		if (!p->ended)
			return false;
		seen |= s->own->extra[i].ended > o->ends;
	}
	return seen && !is_coming(s);
}

bool
seam_target_over(struct seam_session *s, const struct sess_order *o,
		 const struct order_target *g)
{
	bool seen = g->was_there;
	struct seam_thread *t;
	uint32_t i = 0;

	if (has_left(s, o, g))
		return true;
	if (!g->thread)
		return false;
	while ((t = next_of(s, g, &i))) {
		if (atomic_load(&t->state) != SEAM_THREAD_EXITED)
			return false;
		seen |= t->born > o->births;
	}
	return seen;
}

/* A path is one thread's; names may be given to others yet. */
bool
seam_target_hopeless(struct seam_session *s, const struct sess_order *o,
		     const struct order_target *g)
{
	if (has_left(s, o, g))
		return true;
	return g->thread && strstr(g->thread, ".T") &&
	       !strpbrk(g->thread, "*?") && seam_target_over(s, o, g);
}

/* Standing still. */

enum motion { STANDS, SLEEPS, GOES };

static enum motion
motion_of(struct seam_session *s, const struct seam_thread *t, uint64_t *sum)
{
	const struct seam_process *p = seam_process_at(s, t->proc);
	struct seam_stand st;

	seam_stand(t, &st);
	if (st.parked || st.state == SEAM_THREAD_EXITED || !p || p->ended)
		return STANDS;
	seam_mix(sum, st.serial);
	switch (st.state) {
	case SEAM_THREAD_BLOCKED:
		return seam_task_state(p->pid, t->tid) == 'S' ? STANDS : GOES;
	case SEAM_THREAD_RUNNING:
		return seam_task_waits(p->pid, t->tid, sum) ? SLEEPS : GOES;
	default: /* let go and not yet awake, or not begun */
		return GOES;
	}
}

bool
seam_target_still(struct seam_session *s, struct sess_order *o,
		  const struct order_target *g, uint64_t *next_look)
{
	enum motion all = STANDS, one;
	uint64_t sum = 1, now = seam_now();
	struct seam_thread *t;
	uint32_t i = 0;

	while ((t = next_of(s, g, &i))) {
		one = motion_of(s, t, &sum);
		all = one > all ? one : all;
	}
	if (all == STANDS && !is_coming(s))
		return true;
	*next_look = now + SOON_NS;
	if (all != SLEEPS || sum != o->still) {
		o->still = all == SLEEPS ? sum : 0;
		o->still_since = now;
		return false;
	}
	return now - o->still_since >= STILL_NS;
}

bool
seam_target_waits(struct seam_session *s, const struct order_target *g)
{
	struct seam_thread *t;
	struct seam_stand st;
	bool some = false;
	uint32_t i = 0;

	while ((t = next_of(s, g, &i))) {
		seam_stand(t, &st);
		if (st.state == SEAM_THREAD_EXITED)
			continue;
		if (!st.parked && st.state != SEAM_THREAD_BLOCKED)
			return false;
		some = true;
	}
	return some;
}
