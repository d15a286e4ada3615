/* SPDX-License-Identifier: MIT */
/* What `seam replay` says of a run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay_as.h"
#include "replaying.h"
#include "rules_int.h"

static json_t *
new_json(const struct replaying *r, const char *result)
{
	json_t *o = json_object();

	seam_json_put(o, "event", "replayed");
	json_object_set_new(o, "version", json_integer(EXPLORING_JSON_VERSION));
	seam_json_put(o, "result", result);
	seam_json_put(o, "fault", explore_fault_names[r->again.fault]);
	json_object_set_new(o, "events",
			    exploring_json_events(&r->again.result.trace,
						  r->labels));
	return o;
}

/* Another build. */

static json_t *
pair_json(const char *const pair[2])
{
	json_t *o = json_object();

	seam_json_put(o, "was", pair[0]);
	seam_json_put(o, "is", pair[1]);
	return o;
}

static void
put_moved_json(const struct replaying *r, json_t *o)
{
	struct replay_moved m;

	replay_moved(r->match, &m);
	if (m.lines)
		json_object_set_new(o, "moved_line", pair_json(m.line));
	if (m.objects)
		json_object_set_new(o, "renamed_object", pair_json(m.object));
}

static void
tell_moved(const struct replaying *r)
{
	struct replay_moved m;

	if (r->same_build || r->quiet)
		return;
	replay_moved(r->match, &m);
	if (m.lines)
		fprintf(stderr, "seam: lines have moved: %s is %s now\n",
			m.line[0], m.line[1]);
	if (m.objects)
		fprintf(stderr,
			"seam: %zu object%s called otherwise: %s is %s now\n",
			m.objects, m.objects == 1 ? " is" : "s are",
			m.object[0], m.object[1]);
}

/* The first divergence. */

struct divergence {
	uint32_t at;
	char *expected, *actual; /* NULL: no memory */
	bool stopped;		 /* by what the plan wants; or it ended */
	char what[256];
	/* In a run that was let go on: */
	bool went_on, comes, had;
	struct replay_near near_run, near_file;
	char *instead; /* what came where nothing could */
};

static void
put_step(json_t *o, const char *key, const struct replay_near *near)
{
	json_object_set_new(o, key, json_integer(near->step + 1));
}

static void
put_divergence_json(const struct divergence *d, json_t *o)
{
	json_object_set_new(o, "step", json_integer(d->at + 1));
	seam_json_put(o, "expected", d->expected ? d->expected : "");
	seam_json_put(o, "actual", d->actual ? d->actual : "");
	if (d->instead)
		seam_json_put(o, "instead", d->instead);
	if (d->comes)
		put_step(o, "expected_comes_at", &d->near_run);
	if (d->had)
		put_step(o, "actual_expected_at", &d->near_file);
	exploring_put_json(o);
}

static void
print_near(const struct divergence *d, const struct replay_near *near)
{
	const char *result = near->result ? ", with another result" : "";

	if (near->step == d->at)
		printf("at this step%s\n", result);
	else
		printf("at step %u, %u %s%s\n", near->step + 1,
		       near->step > d->at ? near->step - d->at :
					    d->at - near->step,
		       near->step > d->at ? "later" : "earlier", result);
}

/* The first run alone has files. */
static void
put_files(struct replaying *r, bool diverged, const char *text,
	  const char *output, size_t len)
{
	struct out_run run = { .file = r->file,
			       .diverged = diverged,
			       .trace = &r->again.result.trace,
			       .labels = r->labels,
			       .text = text,
			       .output = output ? output : "",
			       .output_len = len,
			       .path = r->path };

	if (!r->same)
		out_files_run(&r->out, 1, &run);
}

static char *
divergence_text(const struct divergence *d)
{
	char *text;

	if (asprintf(&text,
		     "the run went another way at step %u\n"
		     "  expected: %s\n"
		     "  but was:  %s\n",
		     d->at + 1, d->expected ? d->expected : "?",
		     d->actual ? d->actual : "?") < 0)
		return NULL;
	return text;
}

static void
print_divergence(const struct divergence *d, const char *text)
{
	fputs(text, stdout);
	if (d->stopped && *d->what)
		printf("  (%s)\n", d->what);
	if (d->instead)
		printf("  let go on: %s\n", d->instead);
	if (!d->went_on)
		return;
	fputs("what was expected ", stdout);
	if (d->comes) {
		fputs("comes ", stdout);
		print_near(d, &d->near_run);
	} else {
		puts("does not come when the run goes on");
	}
	fputs("what came instead ", stdout);
	if (d->had) {
		fputs("is expected ", stdout);
		print_near(d, &d->near_file);
	} else {
		puts("is not in the file");
	}
}

/* The same again, but it goes on with what there is. */
static void
go_on(struct replaying *r, struct divergence *d)
{
	const struct explore_trace *t = &r->again.result.trace;
	bool nothing = d->at >= t->nsteps;
	struct explore_labels *labels = NULL;
	struct replay_match *m = NULL;
	struct seam_error err;
	uint32_t at;

	r->again.plan.flags &= ~(uint32_t)SEAM_PLAN_STRICT;
	if (!rerun_run(&r->again, &err) && (labels = rerun_labels(&r->again)))
		m = replay_match_new(r->file, t, labels, r->same_build);
	if (m && replay_differs(m, &at) && at == d->at) {
		d->went_on = true;
		d->comes = at < r->file->nevents &&
			   replay_near_in_run(m, at, &d->near_run);
		d->had =
		    at < t->nsteps && replay_near_in_file(m, at, &d->near_file);
		if (nothing && at < t->nsteps)
			d->instead = replay_actual(t, labels, at);
	}
	r->again.plan.flags |= SEAM_PLAN_STRICT;
	replay_match_free(m);
	explore_labels_free(labels);
}

int
replaying_tell_divergence(struct replaying *r, uint32_t at)
{
	const struct explore_trace *t = &r->again.result.trace;
	struct divergence d = {
		.at = at,
		.expected = replay_expected(r->file, at),
		.actual = replay_actual(t, r->labels, at),
		.stopped = t->verdict == SEAM_VERDICT_DIVERGED,
	};
	json_t *o = r->json ? new_json(r, "diverged") : NULL;
	char *said = divergence_text(&d);
	const char *text = said ? said : "the run went another way\n";

	put_files(r, true, text, NULL, 0);
	snprintf(d.what, sizeof(d.what), "%s", t->what);
	tell_moved(r);
	if (o)
		put_moved_json(r, o);
	if (r->file->nevents && !r->gdb)
		go_on(r, &d);
	if (o)
		put_divergence_json(&d, o);
	else
		print_divergence(&d, text);
	free(said);
	free(d.expected);
	free(d.actual);
	free(d.instead);
	return SEAM_EXIT_CONTROL;
}

/* As it should be. */

static void
put_pair_json(const struct replaying *r, json_t *o)
{
	const struct critical pair =
	    critical_told(&r->again.result.trace, r->file->critical);

	if (!r->file->because)
		return;
	json_object_set_new(o, "critical",
			    exploring_json_pair(&r->again.result.trace,
						r->labels, &pair));
	seam_json_put(o, "because", r->file->because);
}

static void
tell_failure(struct replaying *r)
{
	char *text = oracle_explain(&r->again.oracle, r->again.fault,
				    &r->again.result, r->labels);
	const struct critical pair =
	    critical_told(&r->again.result.trace, r->file->critical);
	size_t len = 0;
	char *output = runner_output(r->again.runner, &len);
	json_t *o;

	put_files(r, false, r->again.fault ? text : NULL, output, len);
	tell_moved(r);
	if (r->json) {
		o = new_json(r, r->again.fault ? "failed" : "passed");
		if (text)
			seam_json_put(o, "message", text);
		put_moved_json(r, o);
		put_pair_json(r, o);
		exploring_put_json(o);
	} else if (!r->quiet && r->again.fault) {
		exploring_put_pair(stdout, text ? text : "",
				   &r->again.result.trace, r->labels,
				   output ? output : "", len, &pair,
				   r->file->because);
	} else if (!r->quiet) {
		puts("the run did not fail");
	}
	free(output);
	free(text);
}

static int
tell(struct replaying *r)
{
	const char *wanted = r->file->fault;
	const char *got = explore_fault_names[r->again.fault];
	uint32_t at;

	if (replay_differs(r->match, &at))
		return replaying_tell_divergence(r, at);
	if (r->as)
		return cli_as(&r->again, r->file, r->labels, r->as, r->path,
			      r->output);
	tell_failure(r);
	if (r->expect_pass)
		return r->again.fault ? SEAM_EXIT_FAILED : SEAM_EXIT_OK;
	if (!strcmp(wanted, got))
		return r->expect_fail || !r->again.fault ? SEAM_EXIT_OK :
							   SEAM_EXIT_FAILED;
	/* An edited file may come to anything. */
	if (!r->file->nevents && !r->expect_fail)
		return r->again.fault ? SEAM_EXIT_FAILED : SEAM_EXIT_OK;
	cli_warn("the events were the expected ones, but this came of them: "
		 "%s; it should have been: %s",
		 got, wanted);
	return r->expect_fail ? SEAM_EXIT_FAILED : SEAM_EXIT_CONTROL;
}

bool
replaying_match(struct replaying *r)
{
	replay_match_free(r->match);
	explore_labels_free(r->labels);
	r->match = NULL;
	r->labels = rerun_labels(&r->again);
	if (r->labels)
		r->match = replay_match_new(r->file, &r->again.result.trace,
					    r->labels, r->same_build);
	if (!r->match)
		cli_warn("no memory");
	return r->match;
}

int
replaying_tell(struct replaying *r)
{
	return replaying_match(r) ? tell(r) : SEAM_EXIT_CONTROL;
}

void
replaying_tell_runs(const struct replaying *r)
{
	json_t *o;

	if (!r->json) {
		printf("\n%llu of %llu runs were the same\n",
		       (unsigned long long)r->same,
		       (unsigned long long)r->runs);
		return;
	}
	o = json_object();
	seam_json_put(o, "event", "ended");
	json_object_set_new(o, "runs", json_integer((json_int_t)r->runs));
	json_object_set_new(o, "same", json_integer((json_int_t)r->same));
	exploring_put_json(o);
}
