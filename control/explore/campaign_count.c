/* SPDX-License-Identifier: MIT */
#include "explore/campaign.h"
#include "explore/labels.h"
#include "explore/sampler.h"

static void
more(uint32_t *most, uint32_t n)
{
	if (n > *most)
		*most = n;
}

static void
add_totals(struct explore_totals *s, const struct runner_result *res)
{
	const struct explore_trace *t = &res->trace;

	s->schedules++;
	s->too_long += t->verdict == SEAM_VERDICT_LONG;
	s->left += oracle_left_behind(t) > 0;
	s->strays += res->strays > 0 && !t->verdict && !t->timed_out;
	s->outside += res->outside > 0;
	more(&s->steps, t->nsteps);
	more(&s->threads, t->nthreads);
	more(&s->decisions, t->decisions);
}

static void
measure(struct explore_pct *p, const struct seam_plan *plan,
	const struct explore_trace *t)
{
	if (!sampler_usual(t))
		return;
	explore_pct_measure(p, t->nthreads, t->decisions);
	if (plan->strategy == SEAM_STRATEGY_PCT)
		explore_pct_add(p, plan->depth, plan->length, 1);
}

static void
cover(struct explore_coverage *c, const struct explore_trace *t,
      struct seam_session *session)
{
	struct explore_labels *l;

	if (explore_coverage_add(c, t))
		return;
	l = explore_labels_take(session, t);
	if (l)
		explore_coverage_name(c, t, l);
	explore_labels_free(l);
	explore_coverage_add(c, t);
}

void
campaign_totals(const struct explore_known *k, struct campaign_state *s)
{
	s->before = k->before;
	s->schedules = k->all.schedules;
	s->redundant = k->all.redundant;
	s->too_long = k->all.too_long;
	s->failing = k->all.failing;
	s->confirmed = k->all.confirmed;
	s->left = k->all.left;
	s->strays = k->all.strays;
	s->outside = k->all.outside;
	s->steps = k->all.steps;
	s->threads = k->all.threads;
	s->decisions = k->all.decisions;
	s->classes = explore_tally_classes(k->tally);
}

void
campaign_count(struct explore_known *k, const struct explore_strategy *by,
	       const struct seam_plan *plan, const struct runner_result *res,
	       struct seam_session *session)
{
	const struct explore_trace *t = &res->trace;
	unsigned number = explore_strategy_number(by);

	if (t->verdict == SEAM_VERDICT_ASLEEP) {
		k->all.redundant++;
		return;
	}
	add_totals(&k->all, res);
	explore_tally_add(k->tally, number, explore_class(t), 1);
	if (by->drawn)
		k->origin[0].runs[number]++;
	measure(&k->pct, plan, t);
	cover(k->coverage, t, session);
}
