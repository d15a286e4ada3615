/* SPDX-License-Identifier: MIT */
#include "explore/as.h"

#include <stdlib.h>
#include <string.h>

#include "rules_int.h"

static enum seam_code
refuse(struct seam_error *err, const char *why)
{
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
			 "this cannot be told by pauses: %s", why);
}

static enum seam_code
is_tellable(const struct as_work *w, struct seam_error *err)
{
	if (w->fault == EXPLORE_NO_FAULT)
		return refuse(err, "the run does not fail");
	if (w->fault == EXPLORE_LEFT_BEHIND)
		return refuse(err, "threads that are alive at exit are gone "
				   "when a script could look");
	if (w->trace.nthreads > SEAM_MASKED)
		return refuse(err, "there are more than 64 threads");
	return SEAM_OK;
}

static enum seam_code
tell(struct as_work *w, enum as_form form, const char *name, FILE *f,
     struct seam_error *err)
{
	enum seam_code code = is_tellable(w, err);

	if (code)
		return code;
	if (!order_make(&w->order, &w->trace, UINT32_MAX))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	code = as_reduce(w, err);
	if (!code && w->strayed == AS_TRIES)
		code = refuse(err, "with all its events in the order in which "
				   "they came, it did not fail again");
	if (!code && form == AS_SCRIPT)
		as_put_script(f, w, name);
	else if (!code)
		as_put_check(f, w, name);
	return code;
}

enum seam_code
explore_as(struct rerun *again, const struct replay_file *file,
	   struct explore_labels *labels, enum as_form form, const char *name,
	   FILE *f, uint32_t *strayed, struct seam_error *err)
{
	struct as_work w = {
		.again = again,
		.file = file,
		.trace = again->result.trace,
		.labels = labels,
		.fault = again->fault,
	};
	enum seam_code code;

	w.explained = oracle_explain(&again->oracle, again->fault,
				     &again->result, labels);
	/* It is ours from here on. */
	memset(&again->result.trace, 0, sizeof(again->result.trace));
	code = tell(&w, form, name, f, err);
	*strayed = w.strayed;
	order_free(&w.order);
	as_plan_clear(&w.plan);
	explore_trace_clear(&w.trace);
	free(w.edge);
	free(w.explained);
	return code;
}
