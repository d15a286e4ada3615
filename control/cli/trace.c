/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arena.h"
#include "cli.h"

static int run(int argc, char **argv);

const struct cli_command cli_trace = {
	"trace", "seam trace [-c] [-f SELECTOR] [-o FILE] -- CMD [ARG...]",
	"print every event as it happens, or count them by object and site",
	"  -c, --count             tables of objects and call sites at the "
	"end\n"
	"  -f, --filter SELECTOR   only events that match\n"
	"  -o, --output FILE       to FILE, not to standard error\n"
	"Exits with CMD's status (128 + signal).\n",
	run
};

static const struct option options[] = {
	{ "count", no_argument, NULL, 'c' },
	{ "filter", required_argument, NULL, 'f' },
	{ "output", required_argument, NULL, 'o' },
	{ 0 },
};

/* A thread whose last line was an unfinished one. */
struct unfinished {
	struct unfinished *next;
	char thread[];
};

struct trace {
	FILE *out;
	char *const *argv;
	const char *filter;
	struct cli_summary *summary; /* NULL: lines */
	struct unfinished *unfinished;
	int64_t offset; /* from CLOCK_MONOTONIC to the time of day, ns */
};

/* Lines. */

static void
note_unfinished(struct trace *t, const char *thread)
{
	size_t n = strlen(thread) + 1;
	struct unfinished *u = malloc(sizeof(*u) + n);

	if (!u)
		return;
	memcpy(u->thread, thread, n);
	u->next = t->unfinished;
	t->unfinished = u;
}

static bool
was_unfinished(struct trace *t, const char *thread)
{
	struct unfinished **u = &t->unfinished, *found;

	while (*u && strcmp((*u)->thread, thread))
		u = &(*u)->next;
	found = *u;
	if (!found)
		return false;
	*u = found->next;
	free(found);
	return true;
}

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* P1.T0.2 (worker)  12:00:00.123456 */
static void
put_head(struct trace *t, const struct seam_event *e)
{
	int64_t ns =
	    e->time ? (int64_t)e->time + t->offset : clock_ns(CLOCK_REALTIME);
	time_t seconds;
	struct tm tm;
	char when[16];

	if (e->moment == SEAM_AFTER)
		ns += (int64_t)e->waited;
	seconds = (time_t)(ns / 1000000000);
	localtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%H:%M:%S", &tm);
	fputs(e->thread, t->out);
	if (e->thread_name && *e->thread_name)
		fprintf(t->out, " (%s)", e->thread_name);
	fprintf(t->out, "  %s.%06lld ", when, (long long)(ns / 1000 % 1000000));
}

/* mutex.lock(cache_lock) at cache_put cache.c:42 */
static void
put_call(FILE *f, const struct seam_event *e)
{
	fprintf(f, "%s(%s", e->verb, e->object ? e->object : "");
	if (e->off || e->len)
		fprintf(f, ", 0x%llx+%llu", (unsigned long long)e->off,
			(unsigned long long)e->len);
	fputc(')', f);
	if (e->site && *e->site)
		fprintf(f, " at %s", e->site);
}

static void
put_line(struct trace *t, const struct seam_event *e)
{
	char result[16];

	put_head(t, e);
	if (e->moment == SEAM_BLOCKED) {
		put_call(t->out, e);
		fputs(" <unfinished ...>\n", t->out);
		note_unfinished(t, e->thread);
		return;
	}
	if (was_unfinished(t, e->thread))
		fprintf(t->out, "<... %s resumed>", e->verb);
	else
		put_call(t->out, e);
	fprintf(t->out, " = %s", seam_result_name(e->result, result));
	if (e->time)
		fprintf(t->out, " <%llu.%06llu>",
			(unsigned long long)(e->waited / 1000000000),
			(unsigned long long)(e->waited / 1000 % 1000000));
	fputc('\n', t->out);
}

/* Always the same thread's. */
static void
on_event(const struct seam_event *e, void *data)
{
	struct trace *t = data;

	if (t->summary)
		cli_summary_add(t->summary, e);
	else
		put_line(t, e);
}

/* The session. */

static enum seam_code
listen_in(struct trace *t, struct seam_session *s, struct seam_error *err)
{
	struct seam_selector sel = { 0 };
	struct seam_words words;
	enum seam_code code;
	const char *id;

	if (!t->filter)
		return seam_record(s, true, on_event, t, err);
	code = seam_split(t->filter, &words, err);
	if (code)
		return code;
	code = seam_selector_parse(&words, 0, NULL, &sel, err);
	if (!code)
		code = sess_log(s, &sel, on_event, t, &id, err);
	seam_selector_free(&sel);
	seam_words_free(&words);
	return code;
}

static enum seam_code
run_target(struct trace *t, struct seam_session *s, int *status,
	   struct seam_error *err)
{
	struct sess_start how = { .alias = "main",
				  .argv = t->argv,
				  .stdio = SEAM_INHERIT };
	struct cli_watch watch = { .session = s, .target = "main" };
	enum seam_code code;
	unsigned proc;

	if (!cli_watch_start(&watch))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "cannot go on");
	code = sess_start(s, &how, &proc, err);
	if (!code)
		code = cli_wait_exit(s, "main", status, err);
	cli_watch_end(&watch);
	seam_drain(s);
	return code;
}

static void
put_blind_spots(struct trace *t, struct seam_session *s)
{
	json_t *stats = seam_stats(s), *spot;
	json_t *spots = json_object_get(stats, "blind_spots");
	size_t i;

	fprintf(t->out, "\nblind spots:%s",
		json_array_size(spots) ? "" : " none");
	json_array_foreach(spots, i, spot)
	    fprintf(t->out, "%s %s", i ? ";" : "", json_string_value(spot));
	fputc('\n', t->out);
	json_decref(stats);
}

static int
with_session(struct trace *t)
{
	struct seam_options how = { .socket = NULL };
	struct seam_session *s = cli_open(&how);
	struct seam_error err;
	enum seam_code code;
	int status = SEAM_EXIT_CONTROL;

	if (!s)
		return status;
	t->offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	code = listen_in(t, s, &err);
	if (!code)
		code = run_target(t, s, &status, &err);
	if (code) {
		cli_warn("%s", err.text);
		status = code == SEAM_E_SYNTAX || code == SEAM_E_UNKNOWN_OP ?
			     SEAM_EXIT_USAGE :
			     SEAM_EXIT_CONTROL;
	} else if (t->summary) {
		cli_summary_print(t->summary, t->out);
		put_blind_spots(t, s);
	}
	if (!code && seam_events_lost(s)) {
		cli_warn("%llu events were lost",
			 (unsigned long long)seam_events_lost(s));
	}
	seam_session_close(s, false);
	return status;
}

/* Before anything is started. */
static bool
check_filter(const char *text)
{
	struct seam_selector sel = { 0 };
	struct seam_words words;
	struct seam_error err;
	enum seam_code code = seam_split(text, &words, &err);

	if (!code) {
		code = seam_selector_parse(&words, 0, NULL, &sel, &err);
		seam_words_free(&words);
	}
	seam_selector_free(&sel);
	if (!code)
		return true;
	cli_warn("%s: %s", seam_code_name(code), err.text);
	if (err.column)
		seam_put_caret(stderr, text, err.column);
	return false;
}

static int
trace(struct trace *t, const char *path, bool count)
{
	int status;

	if (t->filter && !check_filter(t->filter))
		return SEAM_EXIT_USAGE;
	t->out = path ? fopen(path, "we") : stderr;
	if (!t->out) {
		cli_warn("%s: %s", path, strerror(errno));
		return SEAM_EXIT_USAGE;
	}
	if (count)
		t->summary = cli_summary_new();
	setvbuf(t->out, NULL, _IOLBF, 0);
	status = with_session(t);
	while (t->unfinished)
		was_unfinished(t, t->unfinished->thread);
	cli_summary_free(t->summary);
	if (path && fclose(t->out)) {
		cli_warn("%s: %s", path, strerror(errno));
		status = SEAM_EXIT_CONTROL;
	}
	return status;
}

static int
run(int argc, char **argv)
{
	struct trace t = { 0 };
	const char *path = NULL;
	bool count = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "+:cf:o:", options, NULL)) != -1)
		switch (opt) {
		case 'c':
			count = true;
			break;
		case 'f':
			t.filter = optarg;
			break;
		case 'o':
			path = optarg;
			break;
		default:
			return cli_bad_option(&cli_trace, opt, argv);
		}
	if (optind == argc)
		return cli_usage(&cli_trace, "which command?");
	t.argv = argv + optind;
	return trace(&t, path, count);
}
