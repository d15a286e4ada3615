/* SPDX-License-Identifier: MIT */
/*
 * From a run that failed to the least that makes it fail (Choi & Zeller,
 * ISSTA 2002; Zeller & Hildebrandt, TSE 2002; Jalbert & Sen, FSE 2010), and
 * to the pair of events whose order decides.
 *
 * Nothing here prints, and nothing is written.  As with all replicas, the
 * calling thread gives itself to a core and asks for a fixed address layout.
 */
#ifndef SEAM_EXPLORE_MINIMISE_H
#define SEAM_EXPLORE_MINIMISE_H

#include "explore/critical.h"
#include "explore/rerun.h"

enum minimise_phase {
	MINIMISE_AGAIN,	   /* it is run as it was */
	MINIMISE_SHRINK,   /* switches are left out */
	MINIMISE_CRITICAL, /* pairs are swapped */
	MINIMISE_VERIFY,   /* the survivor is run again */
	MINIMISE_PHASES
};
/* "shrinking" */
extern const char *const minimise_phase_names[MINIMISE_PHASES];

struct minimise_state {
	enum minimise_phase phase;
	uint64_t replays;
	uint32_t switches, preemptions; /* of the least that fails so far */
};

struct minimise_config {
	/* The run. */
	const struct replay_file *file;
	const char *preload; /* libseam.so; NULL: as sessions have it */
	uint64_t replays;    /* at most, about; 0: MINIMISE_REPLAYS */
	uint64_t ms;	     /* at most, about; 0: MINIMISE_MS */
	/* After each run; false: it is to end with what it has.  NULL: nobody
	 * asks. */
	bool (*progress)(const struct minimise_state *state, void *data);
	void *data;
};
#define MINIMISE_REPLAYS 20000
#define MINIMISE_MS 60000
#define MINIMISE_VERIFIED 10

struct minimise_size {
	uint32_t steps, decisions, switches, preemptions;
};

/* What came of it; the run is the survivor's, as it was verified. */
struct minimised {
	struct minimise_size before, after;
	uint64_t replays;  /* in all */
	uint32_t verified; /* how often the survivor failed in the same way */
	bool stopped;	   /* by `progress`, or there was no more time */
	double seconds;
	enum explore_fault fault;
	struct runner_result result; /* its trace */
	struct explore_labels *labels;
	char *text; /* what the oracle says */
	char *output;
	size_t output_len;
	/* Events of the trace whose order decides, and a sentence that says
	 * so; NULL: none was found. */
	struct critical critical;
	char *because;
	/* All of that as a replay file: the caller's to write and free. */
	struct replay_file *file;
};

/* SEAM_E_GONE: it does not fail any more, or not always; err says how. */
enum seam_code minimise(const struct minimise_config *config,
			struct minimised *out, struct seam_error *err);
/* Frees what it points to, the file too. */
void minimised_clear(struct minimised *m);

#endif
