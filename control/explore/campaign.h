/* SPDX-License-Identifier: MIT */
/*
 * Exploring: one search hands out plans to replicas, each a thread, and
 * learns from their runs, until it knows all, the budget is spent, or
 * something was found.
 */
#ifndef SEAM_EXPLORE_CAMPAIGN_H
#define SEAM_EXPLORE_CAMPAIGN_H

#include "explore/oracle.h"
#include "explore/predict.h"
#include "explore/resume.h"

struct campaign;

struct campaign_find {
	enum explore_fault fault;
	uint64_t schedule; /* the how-manieth; or how many there were before: */
	uint64_t directed; /* the how-manieth directed run; 0: it is none */
	int server;	   /* enum seam_server of the run */
	const struct seam_plan *plan;
	const struct runner_result *result;
	const struct explore_labels *labels;
	const char *text;   /* what the oracle says */
	const char *output; /* what the program wrote */
	size_t output_len;
	/* Room for SEAM_STEPS. */
	struct seam_forced *forced;
};

/* A run that is over, and was no repetition. */
struct campaign_ran {
	enum explore_fault fault;
	int status;	    /* as a shell has it; -1: it was cut off */
	const char *output; /* what the program wrote */
	size_t output_len;
};

struct campaign_config {
	const struct runner_config *run;
	const struct explore_strategy *strategy;
	struct explore_params params;
	struct oracle oracle;
	unsigned replicas;
	uint64_t runs; /* at most; 0: no limit */
	uint64_t ms;   /* likewise, of real time */
	uint32_t max_steps, flags;
	bool keep_going, predict;
	/* Something new was found; from a replica's thread, with the
	 * campaign's lock held. */
	void (*found)(const struct campaign_find *find, void *data);
	/* Likewise, after every run; NULL: nobody asks. */
	void (*ran)(const struct campaign_ran *ran, void *data);
	/* What was known before, to which all is added; NULL: nothing. */
	struct explore_known *known;
	/* Every `keep_ms`, while no run is out: what is known can be kept, and
	 * what the search goes on from.  From a replica's thread, with the
	 * lock held; NULL: nobody wants it.  A signal then ends the campaign
	 * when the runs that are out are over; another one, at once. */
	void (*keep)(struct campaign *c, void *data);
	uint64_t keep_ms;
	/* Five times a second, and when it is over; from the caller's. */
	void (*progress)(void *data);
	void *data;
};

enum campaign_end {
	CAMPAIGN_RUNS,	  /* the budget is spent */
	CAMPAIGN_DONE,	  /* the search has no more */
	CAMPAIGN_FOUND,	  /* something was found, and that was enough */
	CAMPAIGN_STOPPED, /* by a signal */
	CAMPAIGN_ERROR,	  /* could not control */
};

/* With what was known before. */
struct campaign_state {
	uint64_t before;    /* schedules that were */
	uint64_t schedules; /* runs that were no repetitions */
	uint64_t redundant; /* cut off, as others had been like them */
	uint64_t too_long;  /* cut off after max_steps */
	uint64_t failing;   /* of the schedules */
	uint64_t distinct;  /* failures that were told of */
	uint64_t directed;  /* runs besides, for predictions */
	uint64_t confirmed; /* of these, failing */
	uint64_t left;	    /* schedules that left threads behind */
	uint64_t strays;    /* that left processes behind */
	uint64_t outside;   /* that waited for the outside world */
	size_t classes;
	double chance_of_new;		    /* 1 where runs are not drawn */
	uint32_t steps, threads, decisions; /* the most of a run */
	double seconds;			    /* of this campaign */
	int server;			    /* enum seam_server */
	char why_not[256];
	struct explore_said said;
	enum campaign_end end;
	int signal; /* STOPPED: by which */
	struct seam_error err;
};

/* NULL: no memory. */
struct campaign *campaign_new(const struct campaign_config *config);
/* Before it runs: goes on from where the search was that left the state; false:
 * it is no such state. */
bool campaign_resume(struct campaign *c, const json_t *state);
/* From `keep` or after it has run: that state; NULL: it cannot be. */
json_t *campaign_left_at(const struct campaign *c);
const struct explore_known *campaign_known(const struct campaign *c);
/* SIGINT, SIGTERM and SIGHUP stop it; they are blocked meanwhile. */
void campaign_run(struct campaign *c);
/* While it runs, from `progress`; and after it. */
void campaign_state(struct campaign *c, struct campaign_state *state);
/* What no run could be controlled in, a line each; malloc'd, NULL: none. */
const char *campaign_blind(const struct campaign *c);
/* `blind` (or NULL), and a line of schedules that waited for the outside
 * world; malloc'd, "": none; NULL: no memory. */
char *campaign_blind_text(const char *blind, const struct campaign_state *s);
/* When it is over; NULL: nothing was to be predicted. */
const struct predict *campaign_predictions(const struct campaign *c);
void campaign_free(struct campaign *c);
/* Was all run that there is? */
bool campaign_is_exhaustive(const struct campaign_state *s);
/* That the next schedule is of a class that none was of (Good, 1953); 1 where
 * runs are not drawn. */
double campaign_chance_of_new(const struct campaign_state *s);

/* campaign_count.c: what a run adds to what is known. */
void campaign_count(struct explore_known *k, const struct explore_strategy *by,
		    const struct seam_plan *plan,
		    const struct runner_result *res,
		    struct seam_session *session);
/* Everything in the state that is counted. */
void campaign_totals(const struct explore_known *k, struct campaign_state *s);

/* campaign_native.c: the program as it is.  Its exit status as a shell has
 * it; -1: *why (static) tells. */
int campaign_native(const struct runner_config *config, bool *check_failed,
		    const char **why, struct seam_error *err);

#endif
