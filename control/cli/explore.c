/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exploring.h"
#include "outputs.h"
#include "rules_int.h"

#define KEEP_MS 10000 /* what is known is kept that often */

static int run(int argc, char **argv);

const struct cli_command cli_explore = {
	"explore",
	"seam explore [--strategy NAME] [-n RUNS] [-j N] [OPTION...] -- CMD "
	"[ARG...]\n"
	"       seam explore [--resume FILE] --merge FILE...",
	"run one thread at a time, in many orders, until one breaks the "
	"program",
	"  --strategy NAME         auto, random, pct, pos, surw, delay, "
	"preempt,\n"
	"                          exhaustive, dpor; default: auto\n"
	"  -n, --runs N            schedules at most; 0: no limit; default: "
	"1000\n"
	"  -j, --jobs N            so many at a time, each on a core; default: "
	"1\n"
	"  -s, --seed N            of all that is random; default: 1\n"
	"  --depth D, --bound B    of pct; of preempt and delay\n"
	"  --timeout MS            of real time for a run; default: 10000\n"
	"  --steps N               a run is cut off there; default: 100000\n"
	"  --setup, --reset, --check CMD\n"
	"                          once, before each run, after each run, in "
	"the\n"
	"                          scratch directory; a check that fails is a "
	"failure\n"
	"  --scratch               CMD runs in its scratch directory, too\n"
	"  -e, --env NAME=VALUE    for CMD\n"
	"  --expect STATUS         the exit status; default: that of a plain "
	"run\n"
	"  --left-behind           threads alive at exit are a failure\n"
	"  --allow-misuse          misuse of locks is none\n"
	"  --marked                choose at seam_point() only\n"
	"  --server none|early|late\n"
	"                          where runs are forked from\n"
	"  --keep-going            do not end at the first failure\n"
	"  --no-minimise           do not shrink what fails to what matters\n"
	"  -o, --output FILE       the replay file; default: "
	"./seam-NAME.replay\n"
	"  --no-predict            do not look for what runs let expect\n"
	"  --outputs               at the end, the distinct outputs and "
	"statuses\n"
	"  --coverage              which orders of operations were seen\n"
	"  --resume FILE           go on from what it has taught, and keep it "
	"there\n"
	"  --merge FILE            add what another one has; no CMD is needed\n"
	"  --shard I/N             of the runs that are drawn, each "
	"N-th\n" OUT_HELP
	"  --json                  a line of JSON for each thing that happens\n"
	"  -q, --quiet, -v, --verbose\n"
	"Exits with 0 if nothing failed, 1 if something did, 2 for bad usage, "
	"3 if\n"
	"it could not control.\n",
	run
};

static const struct option options[] = {
	{ "strategy", required_argument, NULL, EXPLORING_STRATEGY },
	{ "runs", required_argument, NULL, 'n' },
	{ "jobs", required_argument, NULL, 'j' },
	{ "seed", required_argument, NULL, 's' },
	{ "depth", required_argument, NULL, EXPLORING_DEPTH },
	{ "bound", required_argument, NULL, EXPLORING_BOUND },
	{ "timeout", required_argument, NULL, EXPLORING_TIMEOUT },
	{ "steps", required_argument, NULL, EXPLORING_STEPS },
	{ "setup", required_argument, NULL, EXPLORING_SETUP },
	{ "reset", required_argument, NULL, EXPLORING_RESET },
	{ "check", required_argument, NULL, EXPLORING_CHECK },
	{ "scratch", no_argument, NULL, EXPLORING_SCRATCH },
	{ "env", required_argument, NULL, 'e' },
	{ "expect", required_argument, NULL, EXPLORING_EXPECT },
	{ "left-behind", no_argument, NULL, EXPLORING_LEFT_BEHIND },
	{ "allow-misuse", no_argument, NULL, EXPLORING_ALLOW_MISUSE },
	{ "marked", no_argument, NULL, EXPLORING_MARKED },
	{ "server", required_argument, NULL, EXPLORING_SERVER },
	{ "keep-going", no_argument, NULL, EXPLORING_KEEP_GOING },
	{ "no-minimise", no_argument, NULL, EXPLORING_NO_MINIMISE },
	{ "output", required_argument, NULL, 'o' },
	{ "outputs", no_argument, NULL, EXPLORING_OUTPUTS },
	{ "coverage", no_argument, NULL, EXPLORING_COVERAGE },
	{ "resume", required_argument, NULL, EXPLORING_RESUME },
	{ "merge", required_argument, NULL, EXPLORING_MERGE },
	{ "shard", required_argument, NULL, EXPLORING_SHARD },
	OUT_OPTIONS,
	{ "no-predict", no_argument, NULL, EXPLORING_NO_PREDICT },
	{ "json", no_argument, NULL, EXPLORING_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ 0 },
};

/* Something that was found, for when the campaign is over. */
struct found {
	struct replay_file *file;
	char *path; /* NULL: it could not be written */
	char *told; /* the run as it was found */
	unsigned number;
	uint64_t schedule;
	struct found *next;
};

struct job {
	struct exploring x;
	struct campaign_config config;
	struct campaign *campaign;
	struct explore_known *known;
	bool tty, unwritten; /* some file could not be written */
	unsigned finds, ticks;
	struct found *found, **last;
	struct outputs *outputs; /* NULL: nobody asked */
	char *path;		 /* of replay files */
};

/* Something was found. */

/* A page is made of a run that nobody could write a file of, too; and anew of
 * what is left of it when it has been shrunk. */
static void
put_files(struct job *j, const struct campaign_find *find,
	  const struct replay_file *f, const char *path)
{
	struct out_run r = { .file = f,
			     .trace = &find->result->trace,
			     .labels = find->labels,
			     .text = find->text,
			     .output = find->output,
			     .output_len = find->output_len,
			     .path = path,
			     .schedule = find->schedule };

	if (f)
		out_files_run(&j->x.out, j->finds, &r);
}

static char *
replay_path(const struct job *j)
{
	char *path;
	int n;

	if (j->finds <= 1)
		return strdup(j->path);
	n = asprintf(&path, "%s.%u", j->path, j->finds);
	return n < 0 ? NULL : path;
}

static bool
write_replay(struct job *j, const struct campaign_find *find,
	     const struct replay_file *f, const char *path)
{
	struct seam_error err;

	if (f && !replay_write(f, path, find->text, &err))
		return true;
	cli_warn("%s", f ? err.text : "no memory for the replay file");
	j->unwritten = true;
	return false;
}

static void
clear_line(const struct job *j)
{
	if (j->tty)
		fputs("\r\033[K", stderr);
}

static void
found_json(const struct campaign_find *find, const char *path)
{
	const struct explore_trace *t = &find->result->trace;
	json_t *o = json_object();

	seam_json_put(o, "event", "found");
	seam_json_put(o, "fault", explore_fault_names[find->fault]);
	seam_json_put(o, "message", find->text);
	json_object_set_new(o, "schedule",
			    json_integer((json_int_t)find->schedule));
	if (find->directed)
		json_object_set_new(o, "directed",
				    json_integer((json_int_t)find->directed));
	json_object_set_new(o, "preemptions",
			    json_integer(explore_preemptions(t)));
	json_object_set_new(o, "switches", json_integer(t->switches));
	if (path)
		seam_json_put(o, "replay", path);
	seam_json_put(o, "output", find->output);
	json_object_set_new(o, "events",
			    exploring_json_events(t, find->labels));
	exploring_put_json(o);
}

static void
found_text(FILE *f, const struct campaign_find *find, const char *path)
{
	exploring_put_run(f, find->text, &find->result->trace, find->labels,
			  find->output, find->output_len);
	exploring_put_where(f, find);
	if (path)
		fprintf(f, "run it again: seam replay %s\n", path);
}

/* The same for later; NULL: no memory. */
static char *
found_told(const struct campaign_find *find, const char *path)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	found_text(f, find, path);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}

/* It is shrunk when the campaign is over; until then a line will do. */
static void
found_line(struct job *j, const struct campaign_find *find)
{
	clear_line(j);
	if (j->x.quiet || (!j->x.keep_going && !j->tty))
		return;
	fprintf(stderr, "schedule %llu: %.*s\n",
		(unsigned long long)find->schedule,
		(int)strcspn(find->text, "\n"), find->text);
}

static bool
keep_found(struct job *j, struct replay_file *f, char *path, char *told,
	   uint64_t schedule)
{
	struct found *new = calloc(1, sizeof(*new));

	if (!new)
		return false;
	*new = (struct found){ .file = f,
			       .path = path,
			       .told = told,
			       .number = j->finds,
			       .schedule = schedule };
	*j->last = new;
	j->last = &new->next;
	return true;
}

static void
tell_found(struct job *j, const struct campaign_find *find, const char *path)
{
	if (j->x.json) {
		found_json(find, path);
	} else if (j->x.no_minimise) {
		clear_line(j);
		found_text(stdout, find, path);
		fflush(stdout);
	} else {
		found_line(j, find);
	}
}

static void
on_found(const struct campaign_find *find, void *data)
{
	struct job *j = data;
	struct replay_file *f = replay_of_find(&j->config, find);
	char *path, *told;

	j->finds++;
	path = replay_path(j);
	if (!path || !write_replay(j, find, f, path)) {
		free(path);
		path = NULL;
	}
	put_files(j, find, f, path);
	tell_found(j, find, path);
	told = found_told(find, path);
	if (!j->x.no_minimise && keep_found(j, f, path, told, find->schedule))
		return;
	replay_free(f);
	free(path);
	free(told);
}

/* Shrinking what was found; how it was found, where that cannot be. */
static void
minimise_found(struct job *j, const struct found *found)
{
	const struct exploring_minimal how = { .json = j->x.json,
					       .path = found->path,
					       .name = found->path,
					       .out = &j->x.out,
					       .number = found->number,
					       .schedule = found->schedule };
	const struct minimise_config limits = { .replays = 0 };
	struct seam_error err;

	if (found->path && !exploring_interrupted()) {
		if (exploring_minimise(&how, found->file, &limits, &err))
			return;
		cli_warn("it could not be shrunk: %s", err.text);
	}
	if (!j->x.json && found->told)
		fputs(found->told, stdout);
}

static void
minimise_all(struct job *j)
{
	struct found *found, *next;

	for (found = j->found; found; found = next) {
		next = found->next;
		minimise_found(j, found);
		if (next && !j->x.json)
			putchar('\n');
		replay_free(found->file);
		free(found->path);
		free(found->told);
		free(found);
	}
	j->found = NULL;
	fflush(stdout);
}

static void
on_ran(const struct campaign_ran *ran, void *data)
{
	struct job *j = data;

	outputs_add(j->outputs, ran);
}

/* Progress. */

static void
put_progress(struct job *j, const struct campaign_state *s)
{
	clear_line(j);
	fprintf(stderr, "%llu schedules, %.0f/s, %zu classes, %s",
		(unsigned long long)s->schedules, exploring_rate(s), s->classes,
		s->said.state);
	if (s->failing)
		fprintf(stderr, ", %llu failing",
			(unsigned long long)s->failing);
	fflush(stderr);
}

static void
put_progress_json(const struct campaign_state *s)
{
	json_t *o = json_object();

	seam_json_put(o, "event", "progress");
	json_object_set_new(o, "schedules",
			    json_integer((json_int_t)s->schedules));
	json_object_set_new(o, "failing", json_integer((json_int_t)s->failing));
	json_object_set_new(o, "classes", json_integer((json_int_t)s->classes));
	json_object_set_new(o, "rate", json_real(exploring_rate(s)));
	seam_json_put(o, "state", s->said.state);
	exploring_put_json(o);
}

static void
on_progress(void *data)
{
	struct job *j = data;
	struct campaign_state s;

	if (!j->campaign)
		return;
	campaign_state(j->campaign, &s);
	j->ticks++;
	if (j->x.json && j->ticks % 5 == 0)
		put_progress_json(&s);
	else if (j->tty)
		put_progress(j, &s);
}

/* The end. */

static void
put_outputs(struct job *j, const struct campaign_state *s)
{
	clear_line(j);
	if (!s->schedules || !j->outputs)
		return;
	if (j->x.json)
		exploring_put_json(outputs_json(j->outputs));
	else
		outputs_print(j->outputs, stdout);
}

static int
status_of(const struct job *j, const struct campaign_state *s)
{
	if (s->end == CAMPAIGN_ERROR || j->unwritten)
		return SEAM_EXIT_CONTROL;
	return s->failing || s->confirmed ? SEAM_EXIT_FAILED : SEAM_EXIT_OK;
}

static void
on_keep(struct campaign *c, void *data)
{
	struct job *j = data;

	if (!exploring_known_keep(&j->x, c, j->known))
		j->unwritten = true;
}

static void
keep_all(struct job *j, const struct campaign_state *s)
{
	if (campaign_is_exhaustive(s) && !j->known->exhausted)
		j->known->exhausted = strdup(s->said.state);
	on_keep(j->campaign, j);
}

/* The beginning. */

/* The exit status that is compared with; false: it cannot be started. */
static bool
find_expected(struct job *j, struct seam_error *err)
{
	struct oracle *o = &j->config.oracle;
	bool check_failed;
	const char *why;
	int status;

	o->left_behind = j->x.left_behind;
	if (j->x.expect_given) {
		o->compare = true;
		o->expected = (int)j->x.expected;
		return true;
	}
	status = campaign_native(&j->x.run, &check_failed, &why, err);
	if (err->code) {
		cli_warn("%s", err->text);
		return false;
	}
	o->compare = status >= 0;
	o->expected = status;
	if (status < 0)
		cli_warn("the undisturbed run tells no exit status to compare "
			 "with: %s",
			 why);
	else if (status && !j->x.quiet)
		cli_warn("the undisturbed run exits with status %d, which is "
			 "what is expected (--expect)",
			 status);
	if (check_failed)
		cli_warn("the check fails after the undisturbed run, too");
	return true;
}

static void
put_start_json(const struct job *j)
{
	const struct oracle *oracle = &j->config.oracle;
	json_t *o = json_object(), *command = json_array();

	for (char *const *a = j->x.run.argv; *a; a++) {
		json_t *word = json_string(*a);

		json_array_append_new(command, word ? word : json_string("?"));
	}
	seam_json_put(o, "event", "started");
	json_object_set_new(o, "version", json_integer(EXPLORING_JSON_VERSION));
	json_object_set_new(o, "command", command);
	seam_json_put(o, "strategy", j->config.strategy->name);
	json_object_set_new(o, "seed", json_integer((json_int_t)j->x.seed));
	json_object_set_new(o, "runs", json_integer((json_int_t)j->x.runs));
	json_object_set_new(o, "jobs", json_integer((json_int_t)j->x.jobs));
	if (oracle->compare)
		json_object_set_new(o, "expected",
				    json_integer(oracle->expected));
	exploring_put_json(o);
}

/* Its results, as a test's. */
static bool
put_verdict(struct job *j, const struct campaign_state *s)
{
	const bool error = s->end == CAMPAIGN_ERROR;
	struct out_verdict v = { .verb = "explore",
				 .command = j->x.run.argv,
				 .message = error ? s->err.text : NULL,
				 .error = error,
				 .each = j->x.keep_going,
				 .seconds = s->seconds };
	char *many = NULL;
	bool good;

	if (s->failing && j->x.keep_going && !error &&
	    asprintf(&many, "%llu of %llu schedules failed, in %llu ways\n",
		     (unsigned long long)s->failing,
		     (unsigned long long)s->schedules,
		     (unsigned long long)s->distinct) < 0)
		many = NULL;
	if (many)
		v.message = many;
	good = out_files_end(&j->x.out, &v);
	free(many);
	return good;
}

static int
explore(struct job *j)
{
	struct campaign_state s = { .end = CAMPAIGN_ERROR };
	int status;

	if (!find_expected(j, &s.err)) {
		put_verdict(j, &s);
		return SEAM_EXIT_CONTROL;
	}
	if (j->x.json)
		put_start_json(j);
	j->campaign = campaign_new(&j->config);
	if (!j->campaign) {
		cli_warn("no memory");
		return SEAM_EXIT_CONTROL;
	}
	if (!exploring_known_resume(&j->x, j->campaign, j->known)) {
		campaign_free(j->campaign);
		return SEAM_EXIT_USAGE;
	}
	campaign_run(j->campaign);
	campaign_state(j->campaign, &s);
	keep_all(j, &s);
	put_outputs(j, &s);
	clear_line(j);
	minimise_all(j);
	exploring_put_end(&j->x, j->campaign, j->known, &s);
	j->unwritten |= !put_verdict(j, &s);
	status = status_of(j, &s);
	campaign_free(j->campaign);
	return status;
}

/* The files alone. */
static int
add_up(struct job *j)
{
	struct campaign_state s = { .end = CAMPAIGN_DONE };

	campaign_totals(j->known, &s);
	s.before = 0;
	if (j->known->exhausted) {
		s.said.exhaustive = true;
		snprintf(s.said.state, sizeof(s.said.state), "%s",
			 j->known->exhausted);
	}
	on_keep(NULL, j);
	exploring_put_end(&j->x, NULL, j->known, &s);
	return status_of(j, &s);
}

/* Exit status, or -1. */
static int
refuse(const struct job *j)
{
	const struct explore_strategy *s = j->config.strategy;
	const struct exploring *x = &j->x;

	if (x->resume && !s->save)
		return cli_usage(&cli_explore,
				 "%s cannot go on from a file (--resume)",
				 s->name);
	if (x->shards && !s->drawn && s != explore_strategies[0])
		return cli_usage(&cli_explore,
				 "%s cannot be cut up: its runs are not "
				 "drawn (--shard)",
				 s->name);
	return -1;
}

static char *
default_path(const char *program)
{
	const char *slash = strrchr(program, '/');
	char *path;

	if (asprintf(&path, "./seam-%s.replay", slash ? slash + 1 : program) <
	    0)
		return NULL;
	return path;
}

static int
run(int argc, char **argv)
{
	struct job j = { .x = { .command = &cli_explore,
				.strategy = "auto",
				.runs = 1000 } };
	struct exploring *x = &j.x;
	struct seam_error err;
	bool reserved;
	char *whole;
	int status =
	    exploring_options(x, argc, argv, "+:n:j:s:o:e:qv", options);

	if (status >= 0)
		return status;
	if (optind == argc && !x->nmerge)
		return cli_usage(&cli_explore, "which command?");
	x->run.argv = optind == argc ? NULL : argv + optind;
	j.last = &j.found;
	j.config = (struct campaign_config){
		.run = &x->run,
		.strategy = explore_strategy_find(x->strategy, &err),
		.params = { .seed = x->seed,
			    .budget = x->runs,
			    .depth = (unsigned)x->depth,
			    .bound = (unsigned)x->bound,
			    .shard = x->shard,
			    .shards = x->shards },
		.replicas = (unsigned)x->jobs,
		.runs = x->runs,
		.max_steps = (uint32_t)x->steps,
		.flags = exploring_flags(x),
		.keep_going = x->keep_going,
		.predict = !x->no_predict,
		.found = on_found,
		.progress = on_progress,
		.keep = x->resume ? on_keep : NULL,
		.keep_ms = KEEP_MS,
		.data = &j,
	};
	if (!j.config.strategy)
		return cli_usage(&cli_explore, "%s", err.text);
	if (x->json && x->out.tap && !strcmp(x->out.tap, "-"))
		return cli_usage(&cli_explore,
				 "--json and --tap - both want standard "
				 "output");
	if (!out_files_begin(&x->out))
		return SEAM_EXIT_CONTROL;
	status = refuse(&j);
	if (status < 0)
		status = exploring_known_open(x, &j.known);
	if (status >= 0)
		return status;
	j.config.known = j.known;
	if (!x->run.argv) {
		status = add_up(&j);
		explore_known_free(j.known);
		return status;
	}
	j.tty = !x->json && !x->quiet && isatty(STDERR_FILENO);
	if (x->outputs && (j.outputs = outputs_new()))
		j.config.ran = on_ran;
	j.path = x->output ? strdup(x->output) : default_path(x->run.argv[0]);
	reserved = j.path && replay_reserve(j.path);
	whole = reserved ? realpath(j.path, NULL) : NULL;
	x->run.kept_free = whole;
	status = j.path ? explore(&j) : SEAM_EXIT_CONTROL;
	if (reserved)
		replay_unreserve(j.path);
	explore_known_free(j.known);
	outputs_free(j.outputs);
	free(whole);
	free(j.path);
	return status;
}
