/* SPDX-License-Identifier: MIT */
/* `seam replay --nearby`: what has become of a failure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/nearby.h"
#include "replaying.h"
#include "rules_int.h"

/* "P1.T0.1 mutex.lock current (debit abba.c:20)" of the pair. */
static void
put_event(FILE *f, const struct replaying *r, unsigned which)
{
	const struct replay_event *e =
	    replay_event_at(r->file, r->file->critical[which] - 1);

	fprintf(f, "%s %s%s%s (%s)", e->thread, e->verb,
		strcmp(e->object, "-") != 0 ? " " : "",
		strcmp(e->object, "-") != 0 ? e->object : "", e->site);
}

static void
put_order(FILE *f, const struct replaying *r)
{
	put_event(f, r, 0);
	fputs(" before ", f);
	put_event(f, r, 1);
}

static void
put_fixed(FILE *f, const struct replaying *r, const struct nearby *n)
{
	fprintf(f, "fixed: nothing failed in %llu runs around that schedule",
		(unsigned long long)n->runs);
	if (!n->pair) {
		fputs("; the file has no critical pair (seam minimise) whose "
		      "order they could have kept",
		      f);
	} else if (n->kept) {
		fprintf(f, ", %llu of them with the order that had decided:\n ",
			(unsigned long long)n->kept);
		put_order(f, r);
	} else {
		fputs("; the order that had decided never came about:\n ", f);
		put_order(f, r);
	}
}

static void
put_unreachable(FILE *f, const struct replaying *r, const struct nearby *n)
{
	fprintf(f,
		"no longer reachable: nothing failed in %llu runs around that "
		"schedule,\nand this does not come about any more:\n",
		(unsigned long long)n->runs);
	for (unsigned i = 0; i < 2; i++) {
		if (n->seen[i])
			continue;
		fputs("  ", f);
		put_event(f, r, i);
		fputs(n->seen[1] || i ? "" : "\n", f);
	}
}

/* malloc'd; NULL: no memory. */
static char *
verdict_text(const struct replaying *r, const struct nearby *n)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	if (n->verdict == NEARBY_FIXED)
		put_fixed(f, r, n);
	else if (n->verdict == NEARBY_UNREACHABLE)
		put_unreachable(f, r, n);
	else
		fprintf(f, "%s, in %llu of %llu runs around that schedule",
			n->verdict == NEARBY_SAME ?
			    "it still fails as it did" :
			    "moved: it fails at another place, or by another "
			    "order",
			(unsigned long long)n->failed,
			(unsigned long long)n->runs);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}

/* The run that failed, once more. */

static bool
run_failure(struct replaying *r, const struct nearby *n, struct seam_error *err)
{
	replay_plan(n->failure, true, &r->again.plan, r->again.forced);
	if (rerun_run(&r->again, err))
		return false;
	explore_labels_free(r->labels);
	r->labels = rerun_labels(&r->again);
	return r->labels;
}

static void
put_failure(struct replaying *r)
{
	char *text = oracle_explain(&r->again.oracle, r->again.fault,
				    &r->again.result, r->labels);
	size_t len = 0;
	char *output = runner_output(r->again.runner, &len);

	putchar('\n');
	exploring_put_run(stdout, text ? text : "", &r->again.result.trace,
			  r->labels, output ? output : "", len);
	free(output);
	free(text);
}

/* It is of the program that was run, not of the file's. */
static bool
write_failure(const struct replaying *r, struct replay_file *f)
{
	char *const *argv = r->again.config.argv;
	char *program = replay_find_program(argv[0], f->dir);
	struct seam_error err = { .text = "no memory" };
	size_t n = 0;
	bool good;

	while (f->argv[n])
		free(f->argv[n++]);
	free(f->argv);
	free(f->program_id);
	free(f->library_id);
	for (n = 0; argv[n];)
		n++;
	f->argv = calloc(n + 1, sizeof(*f->argv));
	for (size_t i = 0; f->argv && i < n; i++)
		f->argv[i] = strdup(argv[i]);
	f->program_id = replay_build_id(program);
	f->library_id = replay_library_id(NULL);
	if (program) {
		free(f->program);
		f->program = program;
	}
	good = f->argv && f->program_id && f->library_id &&
	       !replay_write(f, r->output, NULL, &err);
	if (!good)
		cli_warn("%s", err.text);
	return good;
}

static void
put_json(const struct replaying *r, const struct nearby *n, const char *text)
{
	json_t *o = json_object();

	seam_json_put(o, "event", "nearby");
	json_object_set_new(o, "version", json_integer(EXPLORING_JSON_VERSION));
	seam_json_put(o, "result", nearby_verdict_names[n->verdict]);
	seam_json_put(o, "message", text);
	json_object_set_new(o, "runs", json_integer((json_int_t)n->runs));
	json_object_set_new(o, "kept", json_integer((json_int_t)n->kept));
	json_object_set_new(o, "failing", json_integer((json_int_t)n->failed));
	if (n->failure)
		seam_json_put(o, "fault", n->failure->fault);
	if (n->failure && r->output)
		seam_json_put(o, "replay", r->output);
	exploring_put_json(o);
}

static int
status_of(const struct replaying *r, const struct nearby *n)
{
	if (r->expect_fail)
		return n->verdict == NEARBY_SAME ? SEAM_EXIT_OK :
						   SEAM_EXIT_FAILED;
	return n->failure ? SEAM_EXIT_FAILED : SEAM_EXIT_OK;
}

static bool
tell(struct replaying *r, const struct nearby *n, struct seam_error *err)
{
	char *text = verdict_text(r, n);
	bool good = !n->failure || !r->output || write_failure(r, n->failure);

	if (r->json)
		put_json(r, n, text ? text : "");
	else
		puts(text ? text : "");
	free(text);
	if (!r->json && !r->quiet && n->failure) {
		if (!run_failure(r, n, err))
			return false;
		put_failure(r);
	}
	return good;
}

int
replaying_nearby(struct replaying *r)
{
	struct seam_error err = { .code = SEAM_OK };
	struct nearby n = { .failure = NULL };
	int status = SEAM_EXIT_CONTROL;

	if (!nearby_explore(&r->again, r->file, r->nearby, &n, &err) &&
	    tell(r, &n, &err))
		status = status_of(r, &n);
	if (err.code)
		cli_warn("%s", err.text);
	replay_free(n.failure);
	return status;
}
