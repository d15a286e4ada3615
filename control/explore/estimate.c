/* SPDX-License-Identifier: MIT */
/*
 * The unseen, estimated from what was seen rarely: Good and Turing (I. J.
 * Good, The population frequencies of species and the estimation of
 * population parameters, Biometrika 40, 1953), as Böhme proposes for testing
 * (STADS, TOSEM 2018).
 *
 * A class that one run alone has met would be new to it if it were the next:
 * so the share of such runs, of all N, is the chance of the last run to have
 * been new.  Its bias is below 1/N.  With several samplers the same holds for
 * each one's runs, where new is what nobody else has met either.
 */
#include "explore/estimate.h"

#include <math.h>

#define Z 1.959964 /* 95 %, of the normal distribution */

/*
 * The number of singletons less the missing mass, times N, is about normal,
 * with a variance of N m (1 - m) + 2 f2 (Esty, A normal limit law for a
 * nonparametric estimator of the coverage of a random sample, Annals of
 * Statistics 11, 1983).  Solved for m as Wilson (JASA 22, 1927) does for a
 * share, the interval is sound for few singletons or none, too.
 */
struct explore_chance
explore_unseen(uint64_t runs, uint64_t once, uint64_t twice)
{
	const double n = (double)runs, f1 = (double)once, f2 = (double)twice;
	const double a = 1 + Z * Z / n, b = 2 * f1 + Z * Z;
	double root;

	if (!runs)
		return (struct explore_chance){ 1, 0, 1 };
	root = sqrt(fmax(0, b * b - 4 * a * (f1 * f1 - 2 * Z * Z * f2)));
	return (struct explore_chance){
		.value = f1 / n,
		.low = fmax(0, (b - root) / (2 * a * n)),
		.high = fmin(1, (b + root) / (2 * a * n)),
	};
}

/* Each side of the interval from the squares of theirs (Zou & Donner,
 * Statistics in Medicine 27, 2008). */
struct explore_chance
explore_unseen_by_turns(const struct explore_chance *of, size_t n)
{
	struct explore_chance all = { 1, 0, 1 };
	double sum = 0, below = 0, above = 0;

	if (!n)
		return all;
	for (size_t i = 0; i < n; i++) {
		sum += of[i].value;
		below += pow(of[i].value - of[i].low, 2);
		above += pow(of[i].high - of[i].value, 2);
	}
	all.value = sum / (double)n;
	all.low = fmax(0, all.value - sqrt(below) / (double)n);
	all.high = fmin(1, all.value + sqrt(above) / (double)n);
	return all;
}

/* A. Chao, Nonparametric estimation of the number of classes in a population,
 * Scandinavian Journal of Statistics 11, 1984; the form without bias. */
double
explore_at_least(uint64_t runs, uint64_t classes, uint64_t once, uint64_t twice)
{
	const double f1 = (double)once, f2 = (double)twice;

	if (!runs || !once)
		return (double)classes;
	return (double)classes + (double)(runs - 1) / (double)runs * f1 *
				     (f1 - 1) / (2 * (f2 + 1));
}

/* PCT. */

/* Without room, those that went by the least are forgotten: they are the first
 * not to count any more. */
static struct pct_length *
least(struct explore_pct *p)
{
	struct pct_length *found = &p->by[0];

	for (size_t i = 1; i < p->n; i++)
		if (p->by[i].length < found->length)
			found = &p->by[i];
	return found;
}

void
explore_pct_add(struct explore_pct *p, uint32_t depth, uint32_t length,
		uint64_t runs)
{
	struct pct_length *l = p->by;

	if (!depth || depth > PCT_DEPTHS)
		return;
	while (l < p->by + p->n && l->length != length)
		l++;
	if (l == p->by + p->n) {
		if (p->n < PCT_LENGTHS)
			p->n++;
		else
			l = least(p);
		*l = (struct pct_length){ .length = length };
	}
	l->runs[depth - 1] += runs;
}

void
explore_pct_measure(struct explore_pct *p, uint32_t threads, uint32_t choices)
{
	if (threads > p->threads)
		p->threads = threads;
	if (choices > p->choices)
		p->choices = choices;
}

/* Without change points k does not matter. */
static bool
does_count(const struct explore_pct *p, const struct pct_length *l,
	   uint32_t depth)
{
	return depth == 1 || l->length >= p->choices;
}

uint64_t
explore_pct_runs(const struct explore_pct *p, uint32_t depth)
{
	uint64_t runs = 0;

	for (size_t i = 0; i < p->n; i++)
		for (uint32_t d = depth; d <= PCT_DEPTHS; d++)
			if (does_count(p, &p->by[i], d))
				runs += p->by[i].runs[d - 1];
	return runs;
}

double
explore_pct_bound(const struct explore_pct *p, uint32_t depth)
{
	double missed = 0; /* the logarithm of its chance */

	if (!p->threads)
		return 0;
	for (size_t i = 0; i < p->n; i++)
		for (uint32_t d = depth; d <= PCT_DEPTHS; d++) {
			double k = p->by[i].length ? p->by[i].length : 1;
			double hit = 1 / (p->threads * pow(k, d - 1));

			if (p->by[i].runs[d - 1] && does_count(p, &p->by[i], d))
				missed +=
				    (double)p->by[i].runs[d - 1] * log1p(-hit);
		}
	return 0 - expm1(missed);
}
