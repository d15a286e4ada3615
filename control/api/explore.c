/* SPDX-License-Identifier: MIT */
/* seam_explore. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explore_int.h"

#define RUNS 1000
#define STEPS 100000
#define TIMEOUT_MS 10000
#define JOBS_MAX 64

/* What is wanted. */

static uint64_t
otherwise(uint64_t given, uint64_t fallback)
{
	return given ? given : fallback;
}

static enum seam_code
find_strategy(struct exploring *x)
{
	const char *name = x->options->strategy ? x->options->strategy : "auto";

	x->config.strategy = explore_strategy_find(name, &x->err);
	return x->config.strategy ? SEAM_OK : x->err.code;
}

/* The exit status that is right. */
static enum seam_code
find_expected(struct exploring *x)
{
	struct oracle *o = &x->config.oracle;
	bool check_failed;
	const char *why;

	*o = (struct oracle){ .compare = true,
			      .expected = x->options->status,
			      .left_behind = x->options->left_behind };
	if (o->expected != SEAM_STATUS_PLAIN)
		return SEAM_OK;
	o->expected = campaign_native(&x->run, &check_failed, &why, &x->err);
	if (x->err.code || o->expected >= 0)
		return x->err.code;
	return sess_fail(&x->err, SEAM_E_UNSUPPORTED, 0,
			 "the undisturbed run tells no exit status: %s", why);
}

static void
take_options(struct exploring *x, char *const *argv)
{
	const struct seam_explore_options *o = x->options;
	const uint64_t runs =
	    o->runs == SEAM_NO_LIMIT ? 0 : otherwise(o->runs, RUNS);

	x->run = (struct runner_config){
		.argv = argv,
		.env = o->env,
		.dir = o->dir,
		.in_scratch = o->scratch,
		.setup = o->setup,
		.reset = o->reset,
		.check = o->check,
		.timeout_ms = otherwise(o->timeout, TIMEOUT_MS),
		.server = -1,
		.preload = o->preload,
	};
	x->config = (struct campaign_config){
		.run = &x->run,
		.params = { .seed = otherwise(o->seed, 1),
			    .budget = runs,
			    .depth = o->depth,
			    .bound = o->bound },
		.replicas = (unsigned)otherwise(o->jobs, 1),
		.runs = runs,
		.ms = o->budget,
		.max_steps = (uint32_t)otherwise(o->steps, STEPS),
		.flags = (o->allow_misuse ? 0u : SEAM_PLAN_MISUSE) |
			 (o->marked ? SEAM_PLAN_MARKED : 0u),
		.data = x,
	};
}

static enum seam_code
check_options(struct exploring *x)
{
	if (x->config.replicas > JOBS_MAX)
		return sess_fail(&x->err, SEAM_E_SYNTAX, 0,
				 "%u runs at a time: 1 to %d are possible",
				 x->config.replicas, JOBS_MAX);
	if (x->config.max_steps >= SEAM_STEPS)
		return sess_fail(&x->err, SEAM_E_SYNTAX, 0,
				 "%u steps: at most %u are possible",
				 x->config.max_steps, SEAM_STEPS - 1);
	return find_strategy(x);
}

/* A replay file needs to say which program that is. */
static bool
find_self(struct exploring *x)
{
	size_t n = 0;

	if (strcmp(x->run.argv[0], "/proc/self/exe") != 0)
		return true;
	while (x->run.argv[n])
		n++;
	x->argv = calloc(n + 1, sizeof(*x->argv));
	x->self = realpath("/proc/self/exe", NULL);
	if (!x->argv || !x->self)
		return false;
	memcpy(x->argv, x->run.argv, n * sizeof(*x->argv));
	x->argv[0] = x->self;
	x->run.argv = x->argv;
	return true;
}

static bool
name_test(struct exploring *x)
{
	const char *program = x->run.argv[0];
	const char *slash = strrchr(program, '/');

	program = slash && slash[1] ? slash + 1 : program;
	x->test = strdup(x->options->test ? x->options->test : program);
	return x->test;
}

/* Exploring. */

/* How to run it again, or why one cannot; NULL: no memory. */
static char *
keep(struct exploring *x, const struct campaign_find *find)
{
	char *again = explore_how_again(x->path), *note = NULL;
	struct seam_error err = { 0 };

	x->schedule = find->schedule;
	x->file = replay_of_find(&x->config, find);
	if (x->file && again && (x->file->test = strdup(x->test))) {
		if (!replay_write(x->file, x->path, find->text, &err)) {
			free(x->result->replay);
			x->result->replay = strdup(x->path);
		}
		if (asprintf(&note, "found in schedule %llu; %s%s",
			     (unsigned long long)find->schedule,
			     err.code ? err.text : "this one again: ",
			     err.code ? "" : again) < 0)
			note = NULL;
	}
	free(again);
	return note;
}

static void
on_found(const struct campaign_find *find, void *data)
{
	struct exploring *x = data;
	struct explored_run run = { .fault = explore_fault_names[find->fault],
				    .text = find->text,
				    .trace = &find->result->trace,
				    .labels = find->labels,
				    .output = find->output,
				    .output_len = find->output_len };
	char *note = keep(x, find);

	x->result->found = true;
	run.note = note;
	if (!note || !explore_fill_in(x, &run))
		sess_fail(&x->err, SEAM_E_UNSUPPORTED, 0, "no memory");
	free(note);
}

static enum seam_code
take_state(struct exploring *x, struct campaign *c)
{
	struct seam_explored *r = x->result;
	struct campaign_state s;

	campaign_state(c, &s);
	r->exhaustive = campaign_is_exhaustive(&s);
	r->schedules = s.schedules;
	r->classes = s.classes;
	r->chance_of_new = campaign_chance_of_new(&s);
	r->seconds = s.seconds;
	free(r->blind_spots);
	r->blind_spots = campaign_blind_text(campaign_blind(c), &s);
	if (s.end == CAMPAIGN_ERROR) {
		x->err = s.err;
		return s.err.code;
	}
	if (r->found)
		return x->err.code ? x->err.code : SEAM_E_FAILED;
	if (s.end != CAMPAIGN_STOPPED)
		return SEAM_OK;
	kill(getpid(), s.signal);
	return sess_fail(&x->err, SEAM_E_GONE, 0, "stopped by SIG%s",
			 sigabbrev_np(s.signal));
}

static enum seam_code
run_campaign(struct exploring *x)
{
	enum seam_code code = find_expected(x);
	struct campaign *c;

	if (code)
		return code;
	x->config.found = on_found;
	c = campaign_new(&x->config);
	if (!c)
		return sess_fail(&x->err, SEAM_E_UNSUPPORTED, 0, "no memory");
	campaign_run(c);
	code = take_state(x, c);
	campaign_free(c);
	return code;
}

static enum seam_code
explore(struct exploring *x)
{
	bool made;
	enum seam_code code;

	if (!explore_name_file(x, &made))
		return sess_fail(&x->err, SEAM_E_UNSUPPORTED, 0, "no memory");
	x->run.kept_free = made ? x->path : NULL;
	code = run_campaign(x);
	if (code == SEAM_E_FAILED && !x->options->no_minimise)
		explore_minimise(x);
	if (made)
		replay_unreserve(x->path);
	return code;
}

/* What came of it. */

static bool
begin_result(struct seam_explored *r)
{
	char **const strings[] = { &r->fault,  &r->message, &r->table,
				   &r->output, &r->replay,  &r->blind_spots };
	bool ok = true;

	*r = (struct seam_explored){ .chance_of_new = 1 };
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		ok &= (*strings[i] = calloc(1, 1)) != NULL;
	return ok;
}

void
seam_explored_free(struct seam_explored *r)
{
	if (!r)
		return;
	free(r->fault);
	free(r->message);
	free(r->table);
	free(r->output);
	free(r->replay);
	free(r->blind_spots);
	r->fault = r->message = r->table = r->output = r->replay = NULL;
	r->blind_spots = NULL;
}

static enum seam_code
explore_or_replay(struct exploring *x, char *const *argv)
{
	const char *replay = getenv("SEAM_REPLAY");
	enum seam_code code;

	code = api_need(argv, "command", &x->err);
	if (!code)
		code = api_need(argv[0], "command", &x->err);
	if (code)
		return code;
	take_options(x, argv);
	code = check_options(x);
	if (code)
		return code;
	if (!begin_result(x->result) || !find_self(x) || !name_test(x))
		return sess_fail(&x->err, SEAM_E_UNSUPPORTED, 0, "no memory");
	return replay && *replay ? explore_replay(x, replay) : explore(x);
}

enum seam_code
seam_explore(char *const *argv, const struct seam_explore_options *options,
	     struct seam_explored *result)
{
	static const struct seam_explore_options none;
	struct seam_explored own = { 0 };
	struct exploring x = { .options = options ? options : &none,
			       .result = result ? result : &own };
	enum seam_code code;

	*x.result = own;
	code = explore_or_replay(&x, argv);
	if (code == SEAM_E_FAILED)
		api_fail(code, "%s", x.result->message);
	else
		api_leave(code, &x.err);
	replay_free(x.file);
	free(x.argv);
	free(x.self);
	free(x.test);
	free(x.path);
	seam_explored_free(&own);
	return code;
}
