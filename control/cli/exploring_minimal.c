/* SPDX-License-Identifier: MIT */
/* Shrinking a run that failed, and telling what is left of it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exploring.h"
#include "rules_int.h"

static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
	interrupted = number;
}

static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
#define CAUGHT (sizeof(caught) / sizeof(caught[0]))

/* The first one ends the shrinking, a second one the command. */
static void
catch_signals(struct sigaction old[CAUGHT])
{
	struct sigaction act = { .sa_flags = (int)SA_RESETHAND };

	act.sa_handler = on_signal;
	for (size_t i = 0; i < CAUGHT; i++) {
		sigaction(caught[i], NULL, &old[i]);
		if (old[i].sa_handler != SIG_IGN)
			sigaction(caught[i], &act, NULL);
	}
}

static void
leave_signals(const struct sigaction old[CAUGHT])
{
	for (size_t i = 0; i < CAUGHT; i++)
		sigaction(caught[i], &old[i], NULL);
}

static bool
on_progress(const struct minimise_state *s, void *data)
{
	const bool *tty = data;

	if (*tty)
		fprintf(stderr,
			"\r\033[K%s: %llu runs, %u switches, %u preemptions",
			minimise_phase_names[s->phase],
			(unsigned long long)s->replays, s->switches,
			s->preemptions);
	return !interrupted;
}

static const char *
plural(uint32_t n, const char *ending)
{
	return n == 1 ? "" : ending;
}

/* "44 switches -> 2, ", with an arrow */
static void
put_number(const char *what, const char *ending, uint32_t before,
	   uint32_t after)
{
	printf("%u %s%s", before, what, plural(before, ending));
	if (after != before)
		printf(" \342\206\222 %u", after);
	fputs(", ", stdout);
}

static void
put_text(const struct minimised *m, const char *name)
{
	exploring_put_pair(stdout, m->text, &m->result.trace, m->labels,
			   m->output, m->output_len, &m->critical, m->because);
	putchar('\n');
	put_number("switch", "es", m->before.switches, m->after.switches);
	put_number("preemption", "s", m->before.preemptions,
		   m->after.preemptions);
	put_number("step", "s", m->before.steps, m->after.steps);
	printf("by %llu runs in %.1f s%s; verified %u times\n",
	       (unsigned long long)m->replays, m->seconds,
	       m->stopped ? ", when it was stopped" : "", m->verified);
	if (!m->critical.found)
		puts("no two events were found whose exchange makes it pass");
	printf("run it again: seam replay %s\n", name);
	fflush(stdout);
}

static json_t *
json_size(const struct minimise_size *s)
{
	json_t *o = json_object();

	json_object_set_new(o, "steps", json_integer(s->steps));
	json_object_set_new(o, "decisions", json_integer(s->decisions));
	json_object_set_new(o, "switches", json_integer(s->switches));
	json_object_set_new(o, "preemptions", json_integer(s->preemptions));
	return o;
}

static void
put_json(const struct minimised *m, const char *name)
{
	json_t *o = json_object();

	seam_json_put(o, "event", "minimised");
	json_object_set_new(o, "version", json_integer(EXPLORING_JSON_VERSION));
	seam_json_put(o, "fault", explore_fault_names[m->fault]);
	seam_json_put(o, "message", m->text);
	json_object_set_new(o, "before", json_size(&m->before));
	json_object_set_new(o, "after", json_size(&m->after));
	json_object_set_new(o, "runs", json_integer((json_int_t)m->replays));
	json_object_set_new(o, "verified", json_integer(m->verified));
	json_object_set_new(o, "stopped", json_boolean(m->stopped));
	json_object_set_new(o, "seconds", json_real(m->seconds));
	json_object_set_new(o, "critical",
			    exploring_json_pair(&m->result.trace, m->labels,
						&m->critical));
	if (m->because)
		seam_json_put(o, "because", m->because);
	seam_json_put(o, "replay", name);
	seam_json_put(o, "output", m->output);
	json_object_set_new(o, "events",
			    exploring_json_events(&m->result.trace, m->labels));
	exploring_put_json(o);
}

static char *
comment_of(const struct minimised *m)
{
	char *text;
	int n = asprintf(&text,
			 "%sminimised: %u of %u switches, %u of %u preemptions",
			 m->text, m->after.switches, m->before.switches,
			 m->after.preemptions, m->before.preemptions);

	return n < 0 ? NULL : text;
}

static bool
write_file(const struct minimised *m, const char *path, struct seam_error *err)
{
	char *comment = comment_of(m);
	bool good = !replay_write(m->file, path, comment, err);

	free(comment);
	return good;
}

/* In the place of those of the run as it was found. */
static void
write_outputs(const struct exploring_minimal *how, const struct minimised *m)
{
	struct out_run r = { .file = m->file,
			     .trace = &m->result.trace,
			     .labels = m->labels,
			     .text = m->text,
			     .output = m->output,
			     .output_len = m->output_len,
			     .path = how->name,
			     .schedule = how->schedule };

	if (how->out)
		out_files_run(how->out, how->number, &r);
}

bool
exploring_interrupted(void)
{
	return interrupted;
}

/* Another name for it; what was kept before is older, and stays. */
static bool
keep_original(const char *path, struct seam_error *err)
{
	char *orig;
	int why;

	if (asprintf(&orig, "%s.orig", path) < 0) {
		sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
		return false;
	}
	why = link(path, orig) && errno != EEXIST ? errno : 0;
	if (why)
		sess_fail(err, SEAM_E_UNSUPPORTED, 0,
			  "cannot keep %s as %s: %s", path, orig,
			  strerror(why));
	free(orig);
	return !why;
}

bool
exploring_minimise(const struct exploring_minimal *how,
		   const struct replay_file *f,
		   const struct minimise_config *limits, struct seam_error *err)
{
	bool tty = !how->json && !how->quiet && isatty(STDERR_FILENO), good;
	struct minimise_config config = *limits;
	struct sigaction old[CAUGHT];
	struct minimised m;

	config.file = f;
	config.progress = on_progress;
	config.data = &tty;
	catch_signals(old);
	good = !minimise(&config, &m, err);
	leave_signals(old);
	if (tty)
		fputs("\r\033[K", stderr);
	if (!good)
		return false;
	good = (!how->keep || keep_original(how->path, err)) &&
	       write_file(&m, how->path, err);
	if (how->json)
		put_json(&m, how->name);
	else if (!how->quiet)
		put_text(&m, how->name);
	write_outputs(how, &m);
	minimised_clear(&m);
	return good;
}
