/* SPDX-License-Identifier: MIT */
/* Replay files of tests: their names, and running one again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "explore/replay_compare.h"
#include "explore/rerun.h"
#include "explore_int.h"

#define FILES_MAX 99 /* of one name */

static bool
are_same(char *const *a, char *const *b)
{
	static char *const none[] = { NULL };

	a = a ? a : none;
	b = b ? b : none;
	for (; *a && *b && !strcmp(*a, *b); a++)
		b++;
	return !*a && !*b;
}

bool
explore_is_of(const struct exploring *x, const struct replay_file *f)
{
	return (!f->test || !strcmp(f->test, x->test)) &&
	       are_same(f->argv, x->run.argv) && are_same(f->env, x->run.env);
}

/* Names. */

/* Another test's; what cannot be read is nobody's. */
static bool
is_of_another(const struct exploring *x, const char *path)
{
	struct replay_file *f = NULL;
	struct seam_error err;
	bool another;

	if (access(path, F_OK))
		return false;
	another = !replay_read(path, &f, &err) && !explore_is_of(x, f);
	replay_free(f);
	return another;
}

/* ./seam-TEST.replay; ./seam-TEST.2.replay where that is of another test. */
static char *
default_path(const struct exploring *x)
{
	char *name = strdup(x->test), *path = NULL, number[8] = "";

	for (char *c = name; c && *c; c++)
		*c = *c == '/' ? '_' : *c;
	for (int i = 2; name && i <= FILES_MAX + 1; i++) {
		if (asprintf(&path, "./seam-%s%s.replay", name, number) < 0)
			path = NULL;
		if (!path || !is_of_another(x, path))
			break;
		free(path);
		path = NULL;
		snprintf(number, sizeof(number), ".%d", i);
	}
	free(name);
	return path;
}

bool
explore_name_file(struct exploring *x, bool *made)
{
	const char *wanted = x->options->replay;
	char *path = wanted ? strdup(wanted) : default_path(x);

	*made = path && replay_reserve(path);
	x->path = path ? realpath(path, NULL) : NULL;
	if (!x->path)
		x->path = path;
	else
		free(path);
	return x->path;
}

/* Libtool's wrappers stand a directory above what they run. */
static void
put_program(FILE *f)
{
	const char *name = program_invocation_name;
	const char *libtool = strstr(name, ".libs/lt-");

	if (libtool)
		fprintf(f, "%.*s%s", (int)(libtool - name), name, libtool + 9);
	else
		fputs(name, f);
}

/* As sh(1) takes it. */
static void
put_quoted(FILE *f, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-+,:@%";

	if (!text[strspn(text, plain)]) {
		fputs(text, f);
		return;
	}
	fputc('\'', f);
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", f);
		else
			fputc(*text, f);
	fputc('\'', f);
}

char *
explore_how_again(const char *path)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fputs("SEAM_REPLAY=", f);
	put_quoted(f, path);
	fputc(' ', f);
	put_program(f);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}

/* Counting: shared with the processes that are forked. */

struct counts {
	_Atomic unsigned ours, others;
};
static struct counts *counts;

__attribute__((constructor)) static void
begin_counts(void)
{
	void *page;

	if (!getenv("SEAM_REPLAY"))
		return;
	page = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	counts = page == MAP_FAILED ? NULL : page;
}

unsigned
seam_replayed(unsigned *others)
{
	if (others)
		*others = counts ? atomic_load(&counts->others) : 0;
	return counts ? atomic_load(&counts->ours) : 0;
}

static void
count(bool ours)
{
	if (counts)
		atomic_fetch_add(ours ? &counts->ours : &counts->others, 1);
}

/* Running one again. */

struct again {
	struct exploring *x;
	struct replay_file *file;
	const char *path;
	struct rerun run;
	struct explore_labels *labels;
	enum seam_code code;
};

static enum seam_code
tell_divergence(struct again *a, uint32_t at)
{
	struct exploring *x = a->x;
	char *expected = replay_expected(a->file, at);
	char *actual = replay_actual(&a->run.result.trace, a->labels, at);

	sess_fail(&x->err, SEAM_E_UNSUPPORTED, 0,
		  "%s: the run went another way at step %u\n"
		  "  expected: %s\n"
		  "  but was:  %s\n"
		  "without SEAM_REPLAY it is explored anew",
		  a->path, at + 1, expected ? expected : "?",
		  actual ? actual : "?");
	free(expected);
	free(actual);
	return x->err.code;
}

static enum seam_code
tell_failure(struct again *a)
{
	struct explored_run run = { .fault = explore_fault_names[a->run.fault],
				    .trace = &a->run.result.trace,
				    .labels = a->labels };
	struct critical pair = critical_told(run.trace, a->file->critical);
	char *text = oracle_explain(&a->run.oracle, a->run.fault,
				    &a->run.result, a->labels);
	char *output = runner_output(a->run.runner, &run.output_len), *note;
	bool ok = false;

	a->x->result->found = true;
	run.text = text;
	run.output = output ? output : "";
	if (asprintf(&note, "this was the schedule of %s", a->path) < 0)
		note = NULL;
	run.note = note;
	run.pair = &pair;
	run.because = pair.found ? a->file->because : NULL;
	if (text && note)
		ok = explore_fill_in(a->x, &run);
	free(note);
	free(output);
	free(text);
	return ok ? SEAM_E_FAILED :
		    sess_fail(&a->x->err, SEAM_E_UNSUPPORTED, 0, "no memory");
}

static enum seam_code
tell(struct again *a, bool same_build)
{
	struct replay_match *m = NULL;
	uint32_t at;
	bool differs;

	a->labels = rerun_labels(&a->run);
	if (a->labels)
		m = replay_match_new(a->file, &a->run.result.trace, a->labels,
				     same_build);
	if (!m)
		return sess_fail(&a->x->err, SEAM_E_UNSUPPORTED, 0,
				 "no memory");
	differs = replay_differs(m, &at);
	replay_match_free(m);
	if (differs)
		return tell_divergence(a, at);
	return a->run.fault ? tell_failure(a) : SEAM_OK;
}

/* Commands are the test's, conditions and schedule the file's. */
static void
prepare(struct again *a)
{
	const struct runner_config *own = &a->x->run;
	struct runner_config *config = &a->run.config;

	rerun_of_file(&a->run, a->file, own->argv);
	config->dir = own->dir;
	config->preload = own->preload;
	config->setup = own->setup;
	config->reset = own->reset;
	config->check = own->check;
}

/* A thread of its own, since it gives itself to a core. */
static void *
run_again(void *data)
{
	struct again *a = data;
	struct exploring *x = a->x;
	bool same = !replay_built_anew(a->file, x->run.argv[0], x->run.preload);

	prepare(a);
	a->code = rerun_open(&a->run, &x->err);
	if (!a->code) {
		replay_plan(a->file, same, &a->run.plan, a->run.forced);
		a->code = rerun_run(&a->run, &x->err);
	}
	if (!a->code) {
		x->result->schedules = 1;
		a->code = tell(a, same);
	}
	explore_labels_free(a->labels);
	rerun_close(&a->run);
	return NULL;
}

enum seam_code
explore_replay(struct exploring *x, const char *path)
{
	struct again a = { .x = x, .path = path };
	enum seam_code code = replay_read(path, &a.file, &x->err);
	pthread_t thread;

	if (!code)
		count(explore_is_of(x, a.file));
	if (!code && !explore_is_of(x, a.file)) {
		x->result->skipped = true;
	} else if (!code && pthread_create(&thread, NULL, run_again, &a)) {
		code = sess_fail(&x->err, SEAM_E_UNSUPPORTED, 0,
				 "cannot start a thread");
	} else if (!code) {
		x->result->replayed = true;
		pthread_join(thread, NULL);
		code = a.code;
	}
	replay_free(a.file);
	return code;
}
