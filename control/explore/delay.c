/* SPDX-License-Identifier: MIT */
/*
 * Delay bounding is systematic: no delay, one, two ..., each time under every
 * base order, at all ascending positions.  No length is needed beforehand: a
 * run that made fewer decisions than the number of its i-th delay never came
 * there, nor would it with a later i-th, so the (i-1)-th moves on.  When a
 * whole round reached nothing, there is nothing more.
 *
 * All runs have one seed, since those with equal first delays must begin in
 * the same way, timeouts included.
 */
#include <stdio.h>
#include <string.h>

#include "explore/sampler.h"
#include "explore/strategies.h"

#define BASES 4
#define OUT 64 /* runs that are out at a time, at most */

struct delayed {
	uint64_t ticket;
	uint32_t base, points;
	uint32_t point[SEAM_POINTS];
};

struct delay {
	struct sampler sampler;
	struct delayed at; /* the next plan, if base < BASES */
	uint32_t width;	   /* most candidates of a step */
	uint32_t nout;
	struct delayed out[OUT];
	bool reached; /* some run of this round made all its delays */
	bool over;
};

/* Delays at one decision: as many as give each candidate its turn. */
static bool
room(const struct delay *s, uint32_t i)
{
	uint32_t n = s->width > 2 ? s->width - 1 : 1;

	return i < n || s->at.point[i - n] != s->at.point[i - 1];
}

/* The first positions from the i-th on, after those before it. */
static void
settle(struct delay *s, uint32_t i)
{
	for (; i < s->at.points; i++) {
		if (!i)
			s->at.point[i] = 0;
		else
			s->at.point[i] = s->at.point[i - 1] + !room(s, i);
	}
}

static uint32_t
first_base(const struct delay *s)
{
	return s->sampler.params.base ? s->sampler.params.base - 1 : 0;
}

static bool
more_bases(const struct delay *s)
{
	if (s->sampler.params.base)
		return s->at.base == first_base(s);
	return s->at.base < BASES;
}

static void
next_base(struct delay *s)
{
	s->at.base++;
	settle(s, 0);
}

/* The last position that is not past the i-th moves on. */
static void
advance(struct delay *s, uint32_t i)
{
	if (!i) {
		next_base(s);
		return;
	}
	s->at.point[i - 1]++;
	settle(s, i);
}

static bool
next_round(struct delay *s)
{
	uint32_t bound = s->sampler.params.bound;

	if (!s->reached || s->at.points == SEAM_POINTS ||
	    (bound && s->at.points >= bound))
		return false;
	s->reached = false;
	s->at.points++;
	s->at.base = first_base(s);
	settle(s, 0);
	return true;
}

static void
give(struct delay *s, struct seam_plan *plan, uint64_t ticket)
{
	plan->seed = sampler_seed(s->sampler.params.seed, 0);
	plan->base = s->at.base;
	plan->points = s->at.points;
	memcpy(plan->point, s->at.point, sizeof(plan->point));
	s->at.ticket = ticket;
	s->out[s->nout++] = s->at;
	advance(s, s->at.points);
}

static enum explore_next
fill(struct explore_search *search, struct seam_plan *plan, uint64_t ticket)
{
	struct delay *s = (struct delay *)search;

	if (s->over)
		return EXPLORE_DONE;
	if (s->nout == OUT)
		return EXPLORE_WAIT;
	if (!more_bases(s)) {
		if (s->nout)
			return EXPLORE_WAIT;
		s->over = !next_round(s);
		if (s->over)
			return EXPLORE_DONE;
	}
	give(s, plan, ticket);
	return EXPLORE_PLAN;
}

/* Its first delay that was not reached; d->points: it made them all. */
static uint32_t
unreached(const struct delayed *d, uint32_t decisions)
{
	uint32_t i;

	for (i = 0; i < d->points && d->point[i] < decisions; i++)
		;
	return i;
}

static void
prune(struct delay *s, const struct delayed *d, uint32_t i)
{
	if (d->points == s->at.points && d->base == s->at.base &&
	    memcmp(d->point, s->at.point, i * sizeof(d->point[0])) == 0 &&
	    s->at.point[i] >= d->point[i])
		advance(s, i);
}

static void
widen(struct delay *s, const struct explore_trace *t)
{
	uint32_t i;

	for (i = 0; i < t->nsteps; i++)
		if (t->step[i].candidates > s->width)
			s->width = t->step[i].candidates;
}

static void
learn(struct explore_search *search, uint64_t ticket,
      const struct explore_trace *t)
{
	struct delay *s = (struct delay *)search;
	struct delayed *d;
	uint32_t i;

	widen(s, t);
	for (i = 0; i < s->nout && s->out[i].ticket != ticket; i++)
		;
	if (i == s->nout)
		return;
	d = &s->out[i];
	i = unreached(d, t->decisions);
	if (i == d->points)
		s->reached = true;
	else
		prune(s, d, i);
	*d = s->out[--s->nout];
}

static void
say(const struct explore_search *search, char *state, size_t size)
{
	const struct delay *s = (const struct delay *)search;

	snprintf(state, size, " D=%u", s->at.points);
}

static bool
save(const struct explore_search *search, json_t *state)
{
	const struct delay *s = (const struct delay *)search;
	json_t *points = json_array();

	for (uint32_t i = 0; i < s->at.points; i++)
		json_array_append_new(points, json_integer(s->at.point[i]));
	return json_object_update_new(state,
				      json_pack("{sI sI sb sb so}", "base",
						(json_int_t)s->at.base, "width",
						(json_int_t)s->width, "reached",
						s->reached, "over", s->over,
						"points", points)) == 0;
}

static bool
load(struct explore_search *search, const json_t *state)
{
	struct delay *s = (struct delay *)search;
	json_int_t base, width;
	json_t *points, *point;
	int reached, over;
	size_t i;

	if (json_unpack((json_t *)state, "{sI sI sb sb so}", "base", &base,
			"width", &width, "reached", &reached, "over", &over,
			"points", &points) ||
	    base < 0 || base > BASES || width < 0 || width > SEAM_SLOTS ||
	    !json_is_array(points) || json_array_size(points) > SEAM_POINTS)
		return false;
	s->at.base = (uint32_t)base;
	s->width = (uint32_t)width;
	s->reached = reached;
	s->over = over;
	s->at.points = (uint32_t)json_array_size(points);
	json_array_foreach(points, i, point) s->at.point[i] =
	    (uint32_t)json_integer_value(point);
	return true;
}

static bool
begin(struct explore_search *search)
{
	struct delay *s = (struct delay *)search;

	s->at.base = first_base(s);
	return true;
}

static const struct sampler_kind delay_kind = {
	.strategy = SEAM_STRATEGY_DELAY,
	.size = sizeof(struct delay),
	.open = begin,
	.fill = fill,
	.learn = learn,
	.say = say,
	.save = save,
	.load = load,
};

static struct explore_search *
open_delay(const struct explore_params *p)
{
	return sampler_open(&explore_delay, &delay_kind, p);
}

const struct explore_strategy explore_delay = {
	.name = "delay",
	.summary = "at most D delays of a round robin, D = 0, 1, 2 ...",
	.open = open_delay,
	SAMPLER_METHODS,
};
