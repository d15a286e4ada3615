/* SPDX-License-Identifier: MIT */
/* The way of a failure through all phases; shrink.c has the shrinking. */
#include <stdlib.h>
#include <string.h>

#include "explore/minimise_int.h"
#include "explore/signature.h"
#include "explore/table.h"
#include "session_int.h"

#define NS_PER_MS UINT64_C(1000000)
#define VERIFY_MS 60000 /* at most, about: what hangs takes its time */

const char *const minimise_phase_names[MINIMISE_PHASES] = {
	[MINIMISE_AGAIN] = "running it again",
	[MINIMISE_SHRINK] = "shrinking",
	[MINIMISE_CRITICAL] = "looking for the order that decides",
	[MINIMISE_VERIFY] = "verifying",
};

bool
minimise_no_memory(struct minimise_work *w)
{
	if (!w->code)
		w->code = sess_fail(w->err, SEAM_E_UNSUPPORTED, 0, "no memory");
	return false;
}

/* Runs. */

bool
minimise_may_go_on(const struct minimise_work *w)
{
	return !w->code && !w->late && !w->stopped;
}

static bool
run(struct minimise_work *w)
{
	if (w->code || w->stopped)
		return false;
	w->code = rerun_run(&w->again, w->err);
	if (w->code)
		return false;
	w->state.replays++;
	w->late = w->late || w->state.replays >= w->max || seam_now() >= w->end;
	/* What was stopped need not have ended as it would have. */
	w->stopped = w->config->progress &&
		     !w->config->progress(&w->state, w->config->data);
	return !w->stopped;
}

bool
minimise_run(struct minimise_work *w, const struct explore_switches *s,
	     const bool *keep)
{
	w->again.plan = w->plan;
	explore_switches_plan(s, keep, &w->again.plan, w->again.forced);
	return run(w);
}

bool
minimise_fails(struct minimise_work *w)
{
	return w->again.fault && failure_signature(&w->again) == w->signature;
}

static struct minimise_size
size_of(const struct explore_trace *t)
{
	return (struct minimise_size){
		.steps = t->nsteps,
		.decisions = t->decisions,
		.switches = t->switches,
		.preemptions = explore_preemptions(t),
	};
}

void
minimise_keep(struct minimise_work *w)
{
	struct runner_result other = w->kept;
	struct minimise_size size;

	w->kept = w->again.result;
	w->again.result = other;
	size = size_of(&w->kept.trace);
	w->state.switches = size.switches;
	w->state.preemptions = size.preemptions;
}

/* The phases. */

static bool
run_as_it_was(struct minimise_work *w)
{
	struct explore_switches all;

	w->state.phase = MINIMISE_AGAIN;
	replay_plan(w->config->file, false, &w->again.plan, w->again.forced);
	w->plan = w->again.plan;
	w->plan.flags &= ~(uint32_t)SEAM_PLAN_STRICT;
	w->plan.forced = 0;
	if (!run(w))
		return false;
	if (!w->again.fault) {
		w->code = sess_fail(w->err, SEAM_E_GONE, 0,
				    w->again.result.trace.verdict ?
					"it goes another way than it did" :
					"it does not fail any more");
		return false;
	}
	w->signature = failure_signature(&w->again);
	w->out->fault = w->again.fault;
	w->out->before = size_of(&w->again.result.trace);
	minimise_keep(w);
	if (!explore_switches_of(&all, &w->kept.trace))
		return minimise_no_memory(w);
	minimise_try(w, &all, NULL, UINT32_MAX);
	explore_switches_clear(&all);
	return !w->code;
}

static const struct explore_trace *
swap_passes(void *arg, const struct explore_switches *s, bool *go_on)
{
	struct minimise_work *w = arg;
	bool passes = minimise_run(w, s, NULL) && !w->again.fault &&
		      !w->again.result.trace.verdict;

	*go_on = minimise_may_go_on(w);
	return passes ? &w->again.result.trace : NULL;
}

static void
find_pair(struct minimise_work *w)
{
	w->state.phase = MINIMISE_CRITICAL;
	if (minimise_may_go_on(w) &&
	    !critical_find(&w->kept.trace, swap_passes, w, &w->out->critical))
		minimise_no_memory(w);
}

/* The survivor, step by step. */
static void
plan_kept(struct minimise_work *w)
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
is_kept(const struct minimise_work *w)
{
	const struct explore_trace *t = &w->again.result.trace;

	return w->again.fault == w->out->fault &&
	       t->nsteps == w->kept.trace.nsteps &&
	       t->hash == w->kept.trace.hash;
}

static void
give_up(struct minimise_work *w, int runs)
{
	if (w->stopped)
		w->code = sess_fail(w->err, SEAM_E_GONE, 0, "stopped");
	else
		w->code =
		    sess_fail(w->err, SEAM_E_GONE, 0,
			      "the shrunk run does not always fail: it did "
			      "%u of %d times",
			      w->out->verified, runs);
}

/* Half of them in a target that was started anew.  What was stopped is shown
 * all the same: once more. */
static void
verify(struct minimise_work *w)
{
	struct minimised *out = w->out;
	const uint64_t end = seam_now() + VERIFY_MS * NS_PER_MS;

	out->stopped = w->stopped || w->late;
	w->stopped = false;
	w->state.phase = MINIMISE_VERIFY;
	plan_kept(w);
	for (int i = 0; i < MINIMISE_VERIFIED && (!i || seam_now() < end);
	     i++) {
		if (i == MINIMISE_VERIFIED / 2)
			runner_renew(w->again.runner);
		if (!run(w) && (w->code || i))
			break;
		if (!is_kept(w)) {
			give_up(w, i + 1);
			break;
		}
		out->verified++;
	}
	out->stopped = out->stopped || w->stopped;
}

/* What came of it. */

/* It may have been built anew since. */
static bool
take_builds(struct replay_file *f, const char *preload)
{
	char *program = replay_find_program(f->argv[0], f->dir);

	free(f->program_id);
	free(f->library_id);
	f->program_id = replay_build_id(program);
	f->library_id = replay_library_id(preload);
	free(program);
	return f->program_id && f->library_id;
}

static bool
make_file(struct minimise_work *w)
{
	struct minimised *out = w->out;
	struct replay_file *f = replay_copy(w->config->file);

	out->file = f;
	if (!f || !replay_take(f, &out->result.trace, out->labels))
		return minimise_no_memory(w);
	f->after = w->plan.flags & SEAM_PLAN_AFTER;
	if (!take_builds(f, w->config->preload))
		return minimise_no_memory(w);
	if (!out->critical.found)
		return true;
	f->critical[0] = out->critical.first + 1;
	f->critical[1] = out->critical.second + 1;
	f->because = strdup(out->because);
	return f->because || minimise_no_memory(w);
}

/* The latest run is the survivor's. */
static bool
take_run(struct minimise_work *w)
{
	struct minimised *out = w->out;

	out->labels = rerun_labels(&w->again);
	if (!out->labels)
		return minimise_no_memory(w);
	out->text = oracle_explain(&w->again.oracle, w->again.fault,
				   &w->again.result, out->labels);
	out->output = runner_output(w->again.runner, &out->output_len);
	out->result = w->again.result;
	memset(&w->again.result, 0, sizeof(w->again.result));
	if (out->critical.found)
		out->because = critical_because(&out->result.trace, out->labels,
						&out->critical);
	if (!out->text || !out->output ||
	    (out->critical.found && !out->because))
		return minimise_no_memory(w);
	return make_file(w);
}

static void
go_through(struct minimise_work *w)
{
	if (!run_as_it_was(w))
		return;
	minimise_shrink(w);
	w->out->after = size_of(&w->kept.trace);
	find_pair(w);
	if (!w->code)
		verify(w);
	if (!w->code)
		take_run(w);
}

enum seam_code
minimise(const struct minimise_config *config, struct minimised *out,
	 struct seam_error *err)
{
	const uint64_t begun = seam_now();
	struct minimise_work w = {
		.config = config,
		.out = out,
		.err = err,
		.max = config->replays ? config->replays : MINIMISE_REPLAYS,
		.end =
		    begun + (config->ms ? config->ms : MINIMISE_MS) * NS_PER_MS,
	};

	*out = (struct minimised){ .fault = EXPLORE_NO_FAULT };
	rerun_of_file(&w.again, config->file, NULL);
	w.again.config.preload = config->preload;
	w.tried = explore_set_new();
	if (!w.tried)
		minimise_no_memory(&w);
	else
		w.code = rerun_open(&w.again, err);
	if (!w.code)
		go_through(&w);
	if (!w.code && w.stopped && !out->file)
		w.code = sess_fail(err, SEAM_E_GONE, 0, "stopped");
	out->replays = w.state.replays;
	out->seconds = (double)(seam_now() - begun) / 1e9;
	rerun_close(&w.again);
	runner_result_clear(&w.kept);
	explore_switches_clear(&w.least);
	if (w.tried)
		explore_set_free(w.tried);
	if (w.code)
		minimised_clear(out);
	return w.code;
}

void
minimised_clear(struct minimised *m)
{
	runner_result_clear(&m->result);
	explore_labels_free(m->labels);
	free(m->text);
	free(m->output);
	free(m->because);
	replay_free(m->file);
	m->labels = NULL;
	m->text = m->output = m->because = NULL;
	m->file = NULL;
	memset(&m->result, 0, sizeof(m->result));
}
