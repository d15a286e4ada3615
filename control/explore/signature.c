/* SPDX-License-Identifier: MIT */
#include "explore/signature.h"

#include <string.h>

#include "arena_ctl.h"
#include "rules_int.h"
#include "session_int.h"

#define CYCLE_MAX 64

/* By name, and without the numbers that tell objects of one place apart:
 * who meets them first depends on the order. */
static uint64_t
object_hash(struct rerun *r, uint32_t object)
{
	const struct explore_trace *t = &r->result.trace;
	struct seam_session *s = runner_session(r->runner);
	uint32_t entry;
	char name[SEAM_NAME_TEXT];

	if (!object)
		return 0;
	entry = s->arena->sched.sobject[object - 1].entry;
	seam_lock(s);
	snprintf(name, sizeof(name), "%s",
		 entry ? seam_object_text(s, entry - 1) : "");
	seam_unlock(s);
	name[strcspn(name, "#")] = '\0';
	return seam_stir(seam_key_of(name), t->object[object - 1].kind);
}

/* Those of a cycle, or what an ended thread has left locked. */
static uint64_t
deadlock_hash(struct rerun *r)
{
	const struct explore_trace *t = &r->result.trace;
	uint32_t slot[CYCLE_MAX];
	unsigned n = oracle_cycle(t, slot, CYCLE_MAX);
	uint64_t sum = n;

	for (unsigned i = 0; i < n; i++)
		sum += object_hash(r, t->thread[slot[i]].pending.object);
	for (uint32_t i = 0; !n && i < t->nthreads; i++) {
		int other = oracle_waits_for(t, i);

		if (other >= 0 && t->thread[other].state >= SEAM_SLOT_ENDING)
			return object_hash(r, t->thread[i].pending.object);
	}
	return sum;
}

/* Of several, the same one whatever their order. */
static uint64_t
forsaken_hash(struct rerun *r)
{
	const struct explore_trace *t = &r->result.trace;
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i < t->nthreads; i++) {
		const struct seam_op *op = &t->thread[i].pending;
		uint64_t h;

		if (!oracle_is_forsaken(t, i))
			continue;
		h = object_hash(r, op->second ? op->second : op->object);
		least = h < least ? h : least;
	}
	return least;
}

static uint64_t
last_site(const struct explore_trace *t, uint32_t slot)
{
	for (uint32_t i = t->nsteps; i-- > 0;)
		if (t->step[i].slot == slot)
			return t->step[i].site;
	return 0;
}

static uint64_t
crash_hash(struct rerun *r)
{
	const struct explore_trace *t = &r->result.trace;
	uint64_t h = (uint64_t)oracle_shell_status(t->status);

	return t->who ? seam_stir(h, last_site(t, t->who - 1u)) : h;
}

static uint64_t
misuse_hash(struct rerun *r)
{
	const struct explore_trace *t = &r->result.trace;
	uint32_t slot = t->who ? t->who - 1u : 0;

	if (t->at < t->nsteps && t->step[t->at].slot == slot)
		return seam_stir(t->misuse, t->step[t->at].site);
	return seam_stir(t->misuse,
			 slot < t->nthreads ? t->thread[slot].site : 0);
}

static uint64_t
place(struct rerun *r)
{
	switch (r->fault) {
	case EXPLORE_DEADLOCK:
		return deadlock_hash(r);
	case EXPLORE_LOST_WAKEUP:
		return forsaken_hash(r);
	case EXPLORE_CRASH:
		return crash_hash(r);
	case EXPLORE_STATUS:
		return (uint64_t)oracle_shell_status(r->result.trace.status);
	case EXPLORE_CHECK:
		return (uint64_t)r->result.check;
	case EXPLORE_MISUSE:
		return misuse_hash(r);
	default:
		return 0;
	}
}

uint64_t
failure_signature(struct rerun *r)
{
	return seam_stir(r->fault, place(r));
}
