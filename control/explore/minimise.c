/* SPDX-License-Identifier: MIT */
#include "explore/minimise.h"

#include <stdlib.h>
#include <string.h>

#include "explore/signature.h"
#include "session_int.h"
#include "explore/table.h"

const char *const minimise_phase_names[MINIMISE_PHASES] = {
	[MINIMISE_AGAIN] = "running it again",
	[MINIMISE_SHRINK] = "shrinking",
	[MINIMISE_CRITICAL] = "looking for the pair that decides",
	[MINIMISE_VERIFY] = "verifying",
};

struct work {
	const struct minimise_config *config;
	struct minimised *out;
	struct rerun again;
	struct seam_plan plan; /* without what is forced */
	uint64_t signature;    /* of the failure */
	/* The least that fails: its switches, its run. */
	struct explore_switches least;
	struct runner_result kept;
	struct explore_set *tried;
	struct minimise_state state;
	uint64_t max, end; /* replays; ns */
	enum seam_code code;
	struct seam_error *err;
};

static bool
no_memory(struct work *w)
{
	if (!w->code)
		w->code = sess_fail(w->err, SEAM_E_UNSUPPORTED, 0, "no memory");
	return false;
}

/* Runs. */

static bool
may_go_on(const struct work *w)
{
	return !w->code && !w->out->stopped;
}

static bool
run(struct work *w)
{
	if (w->code)
		return false;
	w->code = rerun_run(&w->again, w->err);
	if (w->code)
		return false;
	w->state.replays++;
	if (w->config->progress &&
	    !w->config->progress(&w->state, w->config->data))
		w->out->stopped = true;
	if (w->state.replays >= w->max || seam_now() >= w->end)
		w->out->stopped = true;
	return true;
}

static bool
fails_so(struct work *w)
{
	return w->again.fault && failure_signature(&w->again) == w->signature;
}

static bool
run_switches(struct work *w, const struct explore_switches *s, const bool *keep)
{
	w->again.plan = w->plan;
	explore_switches_plan(s, keep, &w->again.plan, w->again.forced);
	return run(w);
}

/* The latest run is the one to keep. */
static void
keep_run(struct work *w)
{
	struct runner_result other = w->kept;

	w->kept = w->again.result;
	w->again.result = other;
	w->state.switches = w->kept.trace.switches;
	w->state.preemptions = w->kept.trace.preemptions;
}

/* Shrinking. */

/* Order does not matter. */
static uint64_t
hash_of(const struct explore_switches *s, const bool *keep)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct explore_switch *sw = &s->v[i];
		uint64_t h = seam_stir(sw->from, sw->to);

		if (!keep || keep[i])
			sum += seam_stir(seam_stir(h, sw->at), sw->how);
	}
	return sum;
}

/* Does it fail with those alone?  Then they are the least. */
static bool
try(struct work *w, const struct explore_switches *s, const bool *keep)
{
	struct explore_switches less;

	if (!may_go_on(w) || explore_set_add(w->tried, hash_of(s, keep)))
		return false;
	if (!run_switches(w, s, keep) || !fails_so(w))
		return false;
	less.v = calloc(s->n + 1u, sizeof(*less.v));
	less.n = 0;
	if (!less.v)
		return no_memory(w);
	for (uint32_t i = 0; i < s->n; i++)
		if (!keep || keep[i])
			less.v[less.n++] = s->v[i];
	if (!explore_switches_used(&less, &w->again.result.trace)) {
		explore_switches_clear(&less);
		return no_memory(w);
	}
	explore_switches_clear(&w->least);
	w->least = less;
	keep_run(w);
	return true;
}

typedef bool may_go(const struct explore_switch *sw);

static bool
any(const struct explore_switch *sw)
{
	(void)sw;
	return true;
}

static bool
ends_otherwise(const struct explore_switch *sw)
{
	return sw->how != SEAM_HOW_DONE;
}

static bool
preempts(const struct explore_switch *sw)
{
	return sw->preempts;
}

static uint32_t
count(const struct work *w, may_go *may)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->least.n; i++)
		n += may(&w->least.v[i]);
	return n;
}

/* Without those from the `from`-th on, of those that may go. */
static bool
try_without(struct work *w, may_go *may, uint32_t from, uint32_t many)
{
	bool *keep = calloc(w->least.n + 1u, sizeof(*keep)), good;
	uint32_t k = 0;

	if (!keep)
		return no_memory(w);
	for (uint32_t i = 0; i < w->least.n; i++) {
		bool goes = may(&w->least.v[i]);

		keep[i] = !goes || k < from || k >= from + many;
		k += goes;
	}
	good = try(w, &w->least, keep);
	free(keep);
	return good;
}

/* Zeller & Hildebrandt's ddmin, by complements: until none can be left out
 * alone. */
static void
leave_out(struct work *w, may_go *may)
{
	uint32_t size = count(w, may), n, from;
	bool any_went;

	while (size && may_go_on(w)) {
		any_went = false;
		for (from = 0; from < (n = count(w, may)) && may_go_on(w);)
			if (try_without(w, may, from, size))
				any_went = true;
			else
				from += size;
		if (size > n)
			size = n;
		if (size == 1 && !any_went)
			break;
		size = size > 1 ? size / 2 : size;
	}
}

static void
shrink(struct work *w)
{
	w->state.phase = MINIMISE_SHRINK;
	leave_out(w, ends_otherwise);
	leave_out(w, preempts);
	leave_out(w, any);
}

/* The beginning and the end. */

static bool
run_as_it_was(struct work *w)
{
	struct explore_switches all;

	replay_plan(w->config->file, false, &w->again.plan, w->again.forced);
	w->plan = w->again.plan;
	w->plan.flags &= ~(uint32_t)SEAM_PLAN_STRICT;
	w->plan.forced = 0;
	w->state.phase = MINIMISE_AGAIN;
	if (!run(w))
		return false;
	if (!w->again.fault) {
		w->code = sess_fail(w->err, SEAM_E_GONE, 0,
				    "it does not fail any more");
		return false;
	}
	w->signature = failure_signature(&w->again);
	w->out->fault = w->again.fault;
	w->out->before = (struct minimise_size){
		.steps = w->again.result.trace.nsteps,
		.switches = w->again.result.trace.switches,
		.preemptions = w->again.result.trace.preemptions,
	};
	keep_run(w);
	if (!explore_switches_of(&all, &w->kept.trace))
		return no_memory(w);
	try(w, &all, NULL);
	explore_switches_clear(&all);
	return !w->code;
}

static const struct explore_trace *
swap_passes(void *arg, const struct explore_switches *s, bool *go_on)
{
	struct work *w = arg;
	bool passes = run_switches(w, s, NULL) && !w->again.fault &&
		      !w->again.result.trace.verdict;

	*go_on = may_go_on(w);
	return passes ? &w->again.result.trace : NULL;
}

/* The survivor, step by step. */
static void
plan_kept(struct work *w)
{
	const struct explore_trace *t = &w->kept.trace;

	w->again.plan = w->plan;
	w->again.plan.flags |= SEAM_PLAN_STRICT;
	w->again.plan.forced = t->nsteps;
	for (uint32_t i = 0; i < t->nsteps; i++)
		w->again.forced[i] = (struct seam_forced){
			.thread = t->thread[t->step[i].slot].key,
			.how = t->step[i].op.how,
			.event = t->step[i].event,
		};
}

static bool
is_kept(const struct work *w)
{
	const struct explore_trace *t = &w->again.result.trace;

	return w->again.fault == w->out->fault &&
	       t->nsteps == w->kept.trace.nsteps &&
	       t->hash == w->kept.trace.hash;
}

/* Half of them in a target that was started anew. */
static void
verify(struct work *w)
{
	struct minimised *out = w->out;

	w->state.phase = MINIMISE_VERIFY;
	plan_kept(w);
	for (int i = 0; i < MINIMISE_VERIFIED && !w->code; i++) {
		if (i == MINIMISE_VERIFIED / 2)
			runner_renew(w->again.runner);
		if (!run(w))
			return;
		out->verified += is_kept(w);
	}
}

static void
take_last(struct work *w)
{
	struct minimised *out = w->out;

	out->labels = rerun_labels(&w->again);
	if (!out->labels) {
		no_memory(w);
		return;
	}
	out->text = oracle_explain(&w->again.oracle, w->again.fault,
				   &w->again.result, out->labels);
	out->output = runner_output(w->again.runner, &out->output_len);
	if (!out->text || !out->output)
		no_memory(w);
}

void debug_pairs(const struct explore_trace *t, const struct explore_labels *l);
extern uint32_t dbg[1000][3], ndbg;
uint32_t dbg[1000][3], ndbg;
void debug_pairs(const struct explore_trace *t, const struct explore_labels *l)
{
	char a[300], b[300];
	for (uint32_t i = 0; i < t->nsteps; i++) {
		fprintf(stderr, "  %3u%s %s %s %s\n", i, i && t->step[i].slot!=t->step[i-1].slot? explore_is_preemption(t,i)?"*":"-":" ", explore_thread_label(l,t->step[i].slot), explore_op_label(l, &t->step[i].op,a,sizeof a), explore_site_label(l,i));
	}
	for (uint32_t i = 0; i < ndbg; i++) {
		uint32_t x = dbg[i][1], y = dbg[i][2];
		explore_op_label(l, critical_op(t,x), a, sizeof a);
		explore_op_label(l, critical_op(t,y), b, sizeof b);
#define SITE(e) (e < t->nsteps ? explore_site_label(l,e) : l->at[e-t->nsteps])
		fprintf(stderr, "PASS rest=%u %u-%u: %.*s %s before %.*s %s\n", dbg[i][0], x, y, (int)strcspn(SITE(x)," "),SITE(x), a, (int)strcspn(SITE(y)," "),SITE(y), b);
	}
}

enum seam_code
minimise(const struct minimise_config *config, struct minimised *out,
	 struct seam_error *err)
{
	const uint64_t ms = config->ms ? config->ms : MINIMISE_MS;
	struct work w = { .config = config, .out = out, .err = err };
	uint64_t begun = seam_now();

	memset(out, 0, sizeof(*out));
	w.max = config->replays ? config->replays : MINIMISE_REPLAYS;
	w.end = begun + ms * 1000000;
	w.tried = explore_set_new();
	rerun_of_file(&w.again, config->file, config->argv);
	if (!w.tried)
		no_memory(&w);
	else
		w.code = rerun_open(&w.again, err);
	if (!w.code && run_as_it_was(&w)) {
		shrink(&w);
		fprintf(stderr, "%u/%u -> %u/%u in %lu (n %u)\n", out->before.preemptions, out->before.switches, w.kept.trace.preemptions, w.kept.trace.switches, w.state.replays, w.least.n);
		critical_find(&w.kept.trace, swap_passes, &w, &out->critical);
		fprintf(stderr, "replays %lu\n", w.state.replays);
		verify(&w);
		take_last(&w);
		if (out->verified != 10) fprintf(stderr, "VERIFIED %u\n", out->verified);
		debug_pairs(&w.kept.trace, out->labels);
	}
	rerun_close(&w.again);
	return w.code;
}
