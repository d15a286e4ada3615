/* SPDX-License-Identifier: MIT */
#include "explore/rerun.h"

#include <string.h>

#include "arena_ctl.h"
#include "session_int.h"

void
rerun_of_file(struct rerun *r, const struct replay_file *f, char *const *argv)
{
	r->config = (struct runner_config){
		.argv = argv ? argv : f->argv,
		.env = f->env,
		.dir = f->dir,
		.in_scratch = f->in_scratch,
		.setup = f->setup,
		.reset = f->reset,
		.check = f->check,
		.timeout_ms = f->timeout_ms,
		.server = f->server,
	};
	r->oracle = (struct oracle){
		.compare = f->expected >= 0,
		.expected = f->expected,
		.left_behind = f->left_behind,
	};
}

enum seam_code
rerun_open(struct rerun *r, struct seam_error *err)
{
	r->forced = seam_pages_new(SEAM_STEPS * sizeof(*r->forced));
	if (!r->forced)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	return runner_open(&r->config, 0, &r->runner, err);
}

enum seam_code
rerun_run(struct rerun *r, struct seam_error *err)
{
	enum seam_code code =
	    runner_run(r->runner, &r->plan, r->forced, &r->result, err);

	if (code)
		return code;
	r->runs++;
	r->fault = oracle_judge(&r->oracle, &r->result);
	return SEAM_OK;
}

struct explore_labels *
rerun_labels(struct rerun *r)
{
	return explore_labels_take(runner_session(r->runner), &r->result.trace);
}

void
rerun_close(struct rerun *r)
{
	runner_result_clear(&r->result);
	runner_close(r->runner);
	seam_pages_free(r->forced, SEAM_STEPS * sizeof(*r->forced));
	r->runner = NULL;
	r->forced = NULL;
}
