/* SPDX-License-Identifier: MIT */
/*
 * A run for machines and eyes: serialised once, as JSON, and told as a page
 * for browsers and as a file for Perfetto and Chrome.
 */
#ifndef SEAM_EXPLORE_OUT_RUN_H
#define SEAM_EXPLORE_OUT_RUN_H

#include <jansson.h>
#include <stdio.h>

#include "explore/labels.h"
#include "explore/replay_file.h"

#define OUT_RUN_VERSION 1

struct out_run {
	const struct replay_file *file; /* command, conditions, what decides */
	const struct explore_trace *trace;
	const struct explore_labels *labels;
	const char *text;   /* what the oracle says; NULL: it did not fail */
	const char *output; /* what the program wrote */
	size_t output_len;
	const char *path;  /* of the replay file; NULL: there is none */
	uint64_t schedule; /* found in the how-manieth; 0: was not */
	bool diverged;	   /* the file's critical pair is not in this run */
};

/* out_spans.c: steps [from, to), to == nsteps for what lasts. */
struct out_span {
	uint32_t from, to, object; /* object: as steps have it, + 1; 0: none */
	uint16_t slot;
	uint16_t by;  /* waits: who has the object, slot + 1; 0: nobody */
	uint8_t mode; /* holds: 'r', 'w' */
	bool open;    /* at the end of the run, too */
	/* Holds. */
	uint32_t depth;
	uint64_t off, len; /* of a file's range */
};

struct out_spans {
	struct out_span *hold, *wait; /* each in the order of `from` */
	size_t nholds, nwaits, room_holds, room_waits;
};

/* Who held which lock when, and who could not go on.  False: no memory. */
bool out_spans_take(struct out_spans *s, const struct explore_trace *t);
void out_spans_free(struct out_spans *s);

/* out_run.c: see docs/schema/run.json; with the lines around each place
 * where their files can be read.  NULL: no memory. */
json_t *out_run_json(const struct out_run *r);

/* out_page.c: a page that needs nothing else.  false: no memory. */
bool out_page_put(FILE *f, json_t *run);
/* out_trace.c: Trace Event Format, as JSON. */
json_t *out_trace_json(const json_t *run);

/* out_write.c: whole or not at all.  `put` says false if there is no
 * memory. */
enum seam_code out_write(const char *path, bool (*put)(FILE *f, void *data),
			 void *data, struct seam_error *err);

#endif
