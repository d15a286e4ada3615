/* SPDX-License-Identifier: MIT */
/* A run's copy out of the arena: each index is checked on the way. */
#include "explore/trace.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"

void
explore_trace_clear(struct explore_trace *t)
{
	free(t->step);
	free(t->thread);
	free(t->object);
	memset(t, 0, sizeof(*t));
}

static bool
make_room(void **array, uint32_t *room, uint32_t n, size_t size)
{
	uint32_t more = *room ? *room : 64;
	void *p;

	if (n <= *room)
		return true;
	while (more < n)
		more *= 2;
	p = reallocarray(*array, more, size);
	if (!p)
		return false;
	*array = p;
	*room = more;
	return true;
}

static void
copy_text(const char *from, size_t max, char *to, size_t size)
{
	size_t n = strnlen(from, max < size ? max : size - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

static bool
is_op_sound(const struct explore_trace *t, const struct seam_op *op)
{
	return op->verb < SEAM_VERBS && op->fn < SEAM_FNS &&
	       op->how < SEAM_HOWS && op->object <= t->nobjects &&
	       op->second <= t->nobjects && op->peer <= t->nthreads;
}

/* Of the slots that there are. */
static bool
is_mask_sound(const struct explore_trace *t, uint64_t slots)
{
	return t->nthreads >= SEAM_MASKED || !(slots >> t->nthreads);
}

static bool
copy_steps(const struct seam_sched *s, struct explore_trace *t)
{
	if (t->nsteps)
		memcpy(t->step, s->step, t->nsteps * sizeof(*t->step));
	for (uint32_t i = 0; i < t->nsteps; i++)
		if (t->step[i].slot >= t->nthreads ||
		    !is_mask_sound(t,
				   t->step[i].enabled | t->step[i].timeouts) ||
		    !is_op_sound(t, &t->step[i].op))
			return false;
	return true;
}

static bool
copy_objects(const struct seam_sched *s, struct explore_trace *t)
{
	for (uint32_t i = 0; i < t->nobjects; i++) {
		const struct seam_sobject *from = &s->sobject[i];
		struct explore_object *to = &t->object[i];

		*to = (struct explore_object){
			.key = from->key,
			.kind = from->kind,
			.owner = from->owner,
			.depth = from->depth,
			.waiters = from->waiters,
			.dead = from->dead,
			.acquired = from->acquired,
		};
		if (to->kind >= SEAM_KINDS || to->owner > t->nthreads)
			return false;
	}
	return true;
}

/* Numbered in the order met. */
static uint16_t
number_of(uint32_t *known, uint16_t *nknown, uint32_t proc)
{
	uint16_t i;

	for (i = 0; i < *nknown; i++)
		if (known[i] == proc)
			return i;
	if (i < SEAM_MAX_PROCS)
		known[(*nknown)++] = proc;
	return i;
}

/* Whether it could still go on is known of the last choice only. */
static bool
could_go_on(const struct seam_sched *s, const struct explore_trace *t,
	    uint32_t slot)
{
	const struct seam_step *last;

	if (s->verdict == SEAM_VERDICT_DEADLOCK || !t->nsteps ||
	    slot >= SEAM_MASKED)
		return false;
	last = &t->step[t->nsteps - 1];
	return last->slot != slot && ((last->enabled >> slot) & 1);
}

static void
copy_thread(struct seam_arena *a, const struct seam_slot *from,
	    struct explore_thread *to)
{
	*to = (struct explore_thread){
		.key = from->key,
		.parent = from->parent,
		.state = from->state,
		.steps = from->steps,
		.pending = from->op,
		.site = from->site,
		.queued = from->queued,
	};
	if (from->thread < SEAM_MAX_THREADS) {
		const struct seam_thread *th = &a->thread[from->thread];

		copy_text(th->path, SEAM_PATH, to->path, sizeof(to->path));
		copy_text(th->name, SEAM_NAME, to->name, sizeof(to->name));
	}
}

static bool
copy_threads(struct seam_arena *a, struct explore_trace *t)
{
	uint32_t known[SEAM_MAX_PROCS];
	uint16_t nknown = 0;

	for (uint32_t i = 0; i < t->nthreads; i++) {
		const struct seam_slot *from = &a->sched.slot[i];
		struct explore_thread *to = &t->thread[i];

		copy_thread(a, from, to);
		to->process = number_of(known, &nknown, from->proc);
		to->enabled = could_go_on(&a->sched, t, i);
		if (to->state > SEAM_SLOT_GONE || to->parent > t->nthreads)
			return false;
		if (!is_op_sound(t, &to->pending)) {
			if (to->state == SEAM_SLOT_PENDING)
				return false;
			to->pending = (struct seam_op){ 0 };
		}
	}
	return true;
}

static void
copy_rest(const struct seam_sched *s, struct explore_trace *t)
{
	t->decisions = s->decisions;
	t->switches = s->switches;
	t->preemptions = s->preemptions;
	t->verdict = s->verdict;
	t->misuse = s->misuse;
	t->at = s->at;
	t->who = s->who <= t->nthreads ? (uint16_t)s->who : 0;
	copy_text(s->what, sizeof(s->what), t->what, sizeof(t->what));
	t->hash = s->hash;
	t->now = s->now;
	t->entropy = s->plan.entropy;
	t->status = s->status;
	t->forced = s->plan.forced;
	t->timed_out = false;
}

bool
explore_trace_copy(struct seam_arena *a, struct explore_trace *t,
		   const char **why)
{
	const struct seam_sched *s = &a->sched;
	const uint32_t nsteps = s->steps, nthreads = s->slots,
		       nobjects = s->sobjects;

	*why = "the run's counts";
	if (nsteps > SEAM_STEPS || nthreads > SEAM_SLOTS ||
	    nobjects > SEAM_SOBJECTS)
		return false;
	*why = "no memory";
	if (!make_room((void **)&t->step, &t->room_steps, nsteps,
		       sizeof(*t->step)) ||
	    !make_room((void **)&t->thread, &t->room_threads, nthreads,
		       sizeof(*t->thread)) ||
	    !make_room((void **)&t->object, &t->room_objects, nobjects,
		       sizeof(*t->object)))
		return false;
	t->nsteps = nsteps;
	t->nthreads = nthreads;
	t->nobjects = nobjects;
	copy_rest(s, t);
	*why = "the run's steps";
	if (!copy_steps(s, t))
		return false;
	*why = "the run's threads";
	if (!copy_threads(a, t))
		return false;
	*why = "the run's objects";
	if (!copy_objects(s, t))
		return false;
	*why = NULL;
	return true;
}
