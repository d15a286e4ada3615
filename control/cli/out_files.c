/* SPDX-License-Identifier: MIT */
/* Files of output for machines and eyes. */
#include "out_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "rules_int.h"

bool
out_files_option(struct out_files *o, int opt, const char *arg)
{
	switch (opt) {
	case OUT_HTML:
		o->html = arg;
		return true;
	case OUT_TRACE:
		o->trace = arg;
		return true;
	case OUT_TAP:
		o->tap = arg;
		return true;
	case OUT_JUNIT:
		o->junit = arg;
		return true;
	default:
		return false;
	}
}

/* From here, wherever the command goes. */
static bool
fix_path(const char **path, char **own)
{
	char *here;
	int n;

	if (!*path || **path == '/' || !strcmp(*path, "-"))
		return true;
	here = getcwd(NULL, 0);
	n = here ? asprintf(own, "%s/%s", here, *path) : -1;
	free(here);
	if (n < 0)
		*own = NULL;
	else
		*path = *own;
	return *own;
}

/* TAP is for programs that read all of standard output. */
bool
out_files_begin(struct out_files *o)
{
	o->tap_fd = -1;
	if (!fix_path(&o->html, &o->own[0]) ||
	    !fix_path(&o->trace, &o->own[1]) ||
	    !fix_path(&o->tap, &o->own[2]) ||
	    !fix_path(&o->junit, &o->own[3])) {
		cli_warn("cannot tell where we are: %s", strerror(errno));
		return false;
	}
	if (!o->tap || strcmp(o->tap, "-") != 0)
		return true;
	o->tap_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (o->tap_fd >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
		return true;
	cli_warn("standard output: %s", strerror(errno));
	return false;
}

/* Runs. */

static bool
put_page(FILE *f, void *data)
{
	return out_page_put(f, data);
}

static bool
put_trace(FILE *f, void *data)
{
	json_t *trace = out_trace_json(data);
	bool good = trace && !json_dumpf(trace, f, JSON_COMPACT);

	fputc('\n', f);
	json_decref(trace);
	return good;
}

/* "run.html", "run.2.html": browsers go by the ending.  NULL: no memory. */
static char *
numbered(const char *path, unsigned n)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash + 1 : path, '.');
	const int stem = (int)(dot ? (size_t)(dot - path) : strlen(path));
	char *name;

	if (n <= 1)
		return strdup(path);
	if (asprintf(&name, "%.*s.%u%s", stem, path, n, dot ? dot : "") < 0)
		return NULL;
	return name;
}

static bool
write_run(const char *path, unsigned number, bool (*put)(FILE *f, void *data),
	  json_t *run)
{
	struct seam_error err = { .code = SEAM_OK };
	char *name = numbered(path, number);

	if (name)
		out_write(name, put, run, &err);
	else
		sess_fail(&err, SEAM_E_UNSUPPORTED, 0, "no memory for %s",
			  path);
	free(name);
	if (err.code)
		cli_warn("%s", err.text);
	return !err.code;
}

/* As valid UTF-8. */
static char *
clean(const char *text)
{
	json_t *value = seam_json_text(text);
	char *copy = value ? strdup(json_string_value(value)) : NULL;

	json_decref(value);
	return copy;
}

/* NULL: no memory. */
static struct cli_result *
result_of(struct out_files *o, size_t number)
{
	struct cli_result *v = o->result;

	if (number > o->nresults) {
		v = reallocarray(v, number, sizeof(*v));
		if (!v)
			return NULL;
		memset(&v[o->nresults], 0, (number - o->nresults) * sizeof(*v));
		o->result = v;
		o->nresults = number;
	}
	return &v[number - 1];
}

static bool
remember(struct out_files *o, unsigned number, const char *text)
{
	struct cli_result *v = result_of(o, number);

	if (!v)
		return false;
	free(v->message);
	v->message = clean(text);
	return v->message;
}

void
out_files_run(struct out_files *o, unsigned number, const struct out_run *r)
{
	json_t *run;

	if ((o->tap || o->junit) && r->text)
		o->bad |= !remember(o, number, r->text);
	if (!o->html && !o->trace)
		return;
	run = out_run_json(r);
	if (!run) {
		cli_warn("no memory for the page of the run");
		o->bad = true;
		return;
	}
	if (o->html)
		o->bad |= !write_run(o->html, number, put_page, run);
	if (o->trace)
		o->bad |= !write_run(o->trace, number, put_trace, run);
	json_decref(run);
}

/* The end. */

/* "explore ./pay --fast" */
static char *
name_of(const struct out_verdict *v)
{
	char *text = NULL, *name;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fputs(v->verb, f);
	for (char *const *word = v->command; word && *word; word++)
		fprintf(f, " %s", *word);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	name = clean(text);
	free(text);
	return name;
}

struct tested {
	struct cli_result *v;
	size_t n;
};

static bool
put_junit(FILE *f, void *data)
{
	const struct tested *t = data;

	cli_put_junit(f, t->v, t->n);
	return true;
}

static bool
put_tap(FILE *f, void *data)
{
	const struct tested *t = data;

	fprintf(f, "TAP version 14\n1..%zu\n", t->n);
	for (size_t i = 0; i < t->n; i++)
		cli_put_tap(f, &t->v[i], (unsigned)i + 1);
	return true;
}

static bool
put_tap_to_stdout(struct out_files *o, struct tested *t)
{
	FILE *f = fdopen(o->tap_fd, "w");

	if (f && put_tap(f, t) && !fclose(f))
		return true;
	cli_warn("standard output: %s", strerror(errno));
	return false;
}

static bool
write_results(struct out_files *o, struct tested *t)
{
	struct seam_error err = { .code = SEAM_OK };
	bool good = true;

	if (o->tap && o->tap_fd >= 0)
		good = put_tap_to_stdout(o, t);
	else if (o->tap && out_write(o->tap, put_tap, t, &err))
		good = false;
	if (err.code)
		cli_warn("%s", err.text);
	if (!o->junit || !out_write(o->junit, put_junit, t, &err))
		return good;
	cli_warn("%s", err.text);
	return false;
}

/* "explore ./pay: deadlock: P1.T0.1 waits for …" */
static bool
name_runs(struct out_files *o, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		const char *message = o->result[i].message;

		if (asprintf(&o->result[i].name, "%s: %.*s", name,
			     (int)strcspn(message, "\n"), message) < 0) {
			o->result[i].name = NULL;
			return false;
		}
	}
	return true;
}

/* The whole's own case comes first, under a name that stays the same whatever
 * is found. */
static bool
make_results(struct out_files *o, const struct out_verdict *v, struct tested *t)
{
	const size_t runs = o->nresults;
	struct cli_result *whole = result_of(o, runs + 1);
	const char *message = v->message;

	if (!whole)
		return false;
	if (!message && runs)
		message = o->result[0].message;
	whole->name = name_of(v);
	whole->seconds = v->seconds;
	whole->error = v->error;
	whole->message = message ? clean(message) : NULL;
	if (!whole->name || (message && !whole->message) ||
	    !name_runs(o, runs, whole->name))
		return false;
	t->n = v->each ? 1 + runs : 1;
	t->v = calloc(t->n, sizeof(*t->v));
	if (!t->v)
		return false;
	t->v[0] = *whole;
	for (size_t i = 1; i < t->n; i++)
		t->v[i] = o->result[i - 1];
	return true;
}

void
out_files_forget(struct out_files *o)
{
	for (size_t i = 0; i < o->nresults; i++) {
		free(o->result[i].name);
		free(o->result[i].message);
	}
	free(o->result);
	o->result = NULL;
	o->nresults = 0;
}

bool
out_files_end(struct out_files *o, const struct out_verdict *v)
{
	struct tested t = { 0 };
	bool good = true;

	if (o->tap || o->junit) {
		good = make_results(o, v, &t);
		if (!good)
			cli_warn("no memory for the results");
		else
			good = write_results(o, &t);
	}
	free(t.v);
	out_files_forget(o);
	for (size_t i = 0; i < sizeof(o->own) / sizeof(*o->own); i++)
		free(o->own[i]);
	return good && !o->bad;
}
