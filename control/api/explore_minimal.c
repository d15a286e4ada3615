/* SPDX-License-Identifier: MIT */
/* What was found, shrunk to what matters. */
#include <stdlib.h>
#include <string.h>

#include "explore/minimise.h"
#include "explore_int.h"

#define SHRINK_MS 10000 /* a test has a timeout */

struct shrinking {
	struct minimise_config config;
	struct minimised out;
	struct seam_error err;
	enum seam_code code;
};

/* A thread of its own, since it gives itself to a core. */
static void *
shrink(void *data)
{
	struct shrinking *s = data;

	s->code = minimise(&s->config, &s->out, &s->err);
	return NULL;
}

static void
put_number(FILE *f, const char *what, uint32_t before, uint32_t after)
{
	fprintf(f, ", %u %s", before, what);
	if (after != before)
		fprintf(f, " \342\206\222 %u", after);
}

static char *
note_of(const struct exploring *x, const struct minimised *m)
{
	char *again = explore_how_again(x->path), *note = NULL;
	size_t size;
	FILE *f = again ? open_memstream(&note, &size) : NULL;

	if (f) {
		fprintf(f, "found in schedule %llu",
			(unsigned long long)x->schedule);
		put_number(f, "switches", m->before.switches,
			   m->after.switches);
		put_number(f, "preemptions", m->before.preemptions,
			   m->after.preemptions);
		fprintf(f, "; this one again: %s", again);
		fclose(f);
	}
	free(again);
	return note;
}

/* The file as it was found stays where that of the survivor cannot be
 * written. */
static void
tell(struct exploring *x, const struct minimised *m)
{
	struct explored_run run = { .fault = explore_fault_names[m->fault],
				    .text = m->text,
				    .trace = &m->result.trace,
				    .labels = m->labels,
				    .output = m->output,
				    .output_len = m->output_len,
				    .pair = &m->critical,
				    .because = m->because };
	struct seam_error err;
	char *note;

	if (replay_write(m->file, x->path, m->text, &err))
		return;
	note = note_of(x, m);
	run.note = note;
	if (note)
		explore_fill_in(x, &run);
	free(note);
}

void
explore_minimise(struct exploring *x)
{
	struct shrinking s = { .config = { .file = x->file,
					   .preload = x->run.preload,
					   .ms = SHRINK_MS } };
	pthread_t thread;

	/* Without a file nobody could run it again. */
	if (!*x->result->replay || pthread_create(&thread, NULL, shrink, &s))
		return;
	pthread_join(thread, NULL);
	if (s.code)
		return;
	tell(x, &s.out);
	minimised_clear(&s.out);
}
