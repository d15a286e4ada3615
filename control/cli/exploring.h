/* SPDX-License-Identifier: MIT */
/* What `seam explore`, `seam replay` and `seam verify` share. */
#ifndef SEAM_CLI_EXPLORING_H
#define SEAM_CLI_EXPLORING_H

#include <getopt.h>

#include "cli.h"
#include "explore/campaign.h"
#include "explore/minimise.h"
#include "explore/replay_find.h"
#include "explore/table.h"
#include "out_files.h"

#define EXPLORING_ENV 64
#define EXPLORING_MERGED 64
/* Of docs/schema/explore.json, which says what the lines of --json are. */
#define EXPLORING_JSON_VERSION 1

struct exploring {
	const struct cli_command *command;
	struct runner_config run;
	char *env[EXPLORING_ENV + 1];
	size_t nenv;
	const char *strategy, *output, *inner;
	uint64_t runs, jobs, seed, depth, bound, steps, expected;
	bool expect_given, json, quiet, verbose, keep_going, left_behind;
	bool marked, any_misuse, outputs, no_minimise, no_predict;
	bool coverage;
	const char *resume, *merge[EXPLORING_MERGED];
	size_t nmerge;
	unsigned shard, shards; /* as in struct explore_params */
	struct out_files out;
};

/* Takes the options that `letters` has of -n -j -s -o and all long ones that
 * the command's list names; -1: argv's command is at optind; else the exit
 * status. */
int exploring_options(struct exploring *x, int argc, char **argv,
		      const char *letters, const struct option *options);
/* Option values of getopt_long; letters for those that have one. */
enum exploring_option {
	EXPLORING_DEPTH = 256,
	EXPLORING_BOUND,
	EXPLORING_TIMEOUT,
	EXPLORING_SETUP,
	EXPLORING_RESET,
	EXPLORING_CHECK,
	EXPLORING_EXPECT,
	EXPLORING_SERVER,
	EXPLORING_JSON,
	EXPLORING_KEEP_GOING,
	EXPLORING_SCRATCH,
	EXPLORING_LEFT_BEHIND,
	EXPLORING_STEPS,
	EXPLORING_MARKED,
	EXPLORING_ALLOW_MISUSE,
	EXPLORING_STRATEGY,
	EXPLORING_OUTPUTS,
	EXPLORING_COVERAGE,
	EXPLORING_RESUME,
	EXPLORING_MERGE,
	EXPLORING_SHARD,
	EXPLORING_NO_PREDICT,
	EXPLORING_NO_MINIMISE,
};
uint32_t exploring_flags(const struct exploring *x);

/* exploring_say.c */
/* Message, table, output: what a person is told of a run that failed. */
void exploring_put_run(FILE *f, const char *text, const struct explore_trace *t,
		       const struct explore_labels *l, const char *output,
		       size_t len);
/* The same of a run whose critical pair is known: reduced to what matters, and
 * with the sentence that says why it failed. */
void exploring_put_pair(FILE *f, const char *text,
			const struct explore_trace *t,
			const struct explore_labels *l, const char *output,
			size_t len, const struct critical *pair,
			const char *because);
/* Two events, or none. */
json_t *exploring_json_pair(const struct explore_trace *t,
			    const struct explore_labels *l,
			    const struct critical *pair);
/* One object a line on standard output. */
void exploring_put_json(json_t *object);
json_t *exploring_json_events(const struct explore_trace *t,
			      const struct explore_labels *l);
const char *exploring_server_name(int server);

/* exploring_known.c */
/* What the files of --resume and --merge have taught; -1, or the exit status
 * once it has been told what is wrong. */
int exploring_known_open(const struct exploring *x, struct explore_known **to);
/* Before it runs: the search goes on as the file says. */
bool exploring_known_resume(const struct exploring *x, struct campaign *c,
			    const struct explore_known *k);
/* Into the file of --resume, if there is one. */
bool exploring_known_keep(const struct exploring *x, const struct campaign *c,
			  struct explore_known *k);
bool exploring_take_shard(struct exploring *x, const char *text);
/* exploring_minimal.c */
/* Shrinks what that file's run needs, with a line of progress or of JSON, and
 * tells of it.  False: it could not be, and *why says so. */
struct exploring_minimal {
	bool json, quiet;
	const char *path; /* where the result goes */
	const char *name; /* what the user calls that */
	bool keep;	  /* what is there stays, as path.orig */
	/* Those of the run, by number; NULL: nobody asked. */
	struct out_files *out;
	unsigned number;
	uint64_t schedule;
};
/* The latest was, by a signal. */
bool exploring_interrupted(void);
bool exploring_minimise(const struct exploring_minimal *how,
			const struct replay_file *f,
			const struct minimise_config *limits,
			struct seam_error *err);

/* exploring_end.c */
double exploring_rate(const struct campaign_state *s); /* schedules a second */
/* The verdict, or a line of JSON, and why it could not control.  c NULL: the
 * files alone. */
void exploring_put_end(const struct exploring *x, const struct campaign *c,
		       const struct explore_known *k,
		       const struct campaign_state *s);

/* exploring_sure.c */
/* How sure a verdict without a failure is, and what --coverage wants. */
void exploring_put_sure(const struct exploring *x,
			const struct explore_known *k,
			const struct campaign_state *s);
void exploring_json_sure(const struct exploring *x, json_t *o,
			 const struct explore_known *k,
			 const struct campaign_state *s);
void exploring_put_coverage(const struct explore_known *k);
json_t *exploring_json_coverage(const struct explore_known *k);
/* exploring_predicted.c: what was predicted, and what came of it. */
void exploring_put_predicted(const struct exploring *x,
			     const struct campaign *c,
			     const struct campaign_state *s);
/* "found in schedule 12", or which directed run it was and why. */
void exploring_put_where(FILE *f, const struct campaign_find *find);

#endif
