/* SPDX-License-Identifier: MIT */
/* Threads of a file beside those of a run, each by itself. */
#include <stdlib.h>
#include <string.h>

#include "explore/nearby.h"
#include "explore/switches.h"

#define NEVER UINT32_MAX
#define AHEAD 64 /* events of a thread that may be new */

struct align {
	const struct replay_file *f;
	const struct replay_match *m;
	const struct explore_trace *t;
	/* By event of the file: how many steps its thread has done in the run
	 * when it stands at it; NEVER: it does not come. */
	uint32_t *before;
	uint32_t *count; /* by event: of its thread before it, in the file */
};

static uint32_t
slot_of(const struct align *a, const char *thread)
{
	uint32_t i = 0;

	while (i < a->t->nthreads && strcmp(a->t->thread[i].path, thread) != 0)
		i++;
	return i;
}

/* One event after another, each where the run first has it behind the one
 * before. */
static void
align_thread(struct align *a, const char *thread)
{
	const uint32_t n = a->t->nsteps, slot = slot_of(a, thread);
	uint32_t next = 0, done = 0;

	for (size_t e = 0; e < a->f->nevents + a->f->nstanding; e++) {
		uint32_t ahead = 0, at = next, steps = done;

		if (strcmp(replay_event_at(a->f, e)->thread, thread) != 0)
			continue;
		a->before[e] = NEVER;
		for (; at < n && ahead < AHEAD; at++) {
			if (a->t->step[at].slot != slot)
				continue;
			if (replay_is_like(a->m, e, at, false))
				break;
			ahead++;
			steps++;
		}
		if (at == n || ahead == AHEAD)
			continue;
		a->before[e] = steps;
		done = steps + 1;
		next = at + 1;
	}
}

/* As the file counts. */
static void
count(struct align *a)
{
	const size_t n = a->f->nevents + a->f->nstanding;

	for (size_t e = 0; e < n; e++) {
		const char *thread = replay_event_at(a->f, e)->thread;

		a->count[e] = 0;
		for (size_t i = e; i-- > 0;)
			if (!strcmp(replay_event_at(a->f, i)->thread, thread)) {
				a->count[e] = a->count[i] + 1;
				break;
			}
		a->before[e] = a->count[e];
	}
}

static void
align_all(struct align *a)
{
	for (size_t e = 0; e < a->f->nevents; e++)
		if (!a->count[e])
			align_thread(a, a->f->event[e].thread);
}

/* Where the thread of event e leaves off: before its next event. */
static uint32_t
leaves_at(const struct align *a, size_t e)
{
	const size_t n = a->f->nevents + a->f->nstanding;
	const char *thread = a->f->event[e].thread;
	size_t next = e + 1, last = e;

	while (next < n && strcmp(replay_event_at(a->f, next)->thread, thread))
		next++;
	if (next < n && a->before[next] != NEVER)
		return a->before[next];
	for (;; last--) {
		if (!strcmp(a->f->event[last].thread, thread) &&
		    a->before[last] != NEVER)
			return a->before[last] + 1;
		if (!last)
			return 0;
	}
}

static void
put_switches(const struct align *a, struct explore_switches *out)
{
	const struct replay_file *f = a->f;
	size_t e = 0;

	for (size_t b = 0; b < f->nblocks; b++) {
		for (uint32_t i = 0; i < f->block[b].count && e < f->nevents;
		     i++, e++) {
			const char *to = f->event[e].thread;

			if (!e || (!strcmp(f->event[e - 1].thread, to) &&
				   f->block[b].how == SEAM_HOW_DONE))
				continue;
			out->v[out->n++] = (struct explore_switch){
				.from = seam_key_of(f->event[e - 1].thread),
				.to = seam_key_of(to),
				.at = leaves_at(a, e - 1),
				.how = f->block[b].how,
			};
		}
	}
}

bool
nearby_switches(const struct replay_file *f, const struct replay_match *m,
		const struct explore_trace *t, struct explore_switches *out)
{
	const size_t n = f->nevents + f->nstanding + 1;
	struct align a = { .f = f, .m = m, .t = t };

	out->n = 0;
	out->v = calloc(n, sizeof(*out->v));
	a.before = calloc(n, sizeof(*a.before));
	a.count = calloc(n, sizeof(*a.count));
	if (out->v && a.before && a.count) {
		count(&a);
		if (m)
			align_all(&a);
		put_switches(&a, out);
	}
	free(a.before);
	free(a.count);
	if (!a.before || !a.count)
		explore_switches_clear(out);
	return out->v;
}
