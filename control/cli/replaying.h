/* SPDX-License-Identifier: MIT */
/* What the files of `seam replay` share. */
#ifndef SEAM_CLI_REPLAYING_H
#define SEAM_CLI_REPLAYING_H

#include "explore/replay_compare.h"
#include "explore/rerun.h"
#include "exploring.h"

struct replaying {
	struct replay_file *file;
	const char *path;
	char **argv;	     /* NULL: the file's */
	uint64_t runs, same; /* how many, and how many were like the first */
	bool same_build;
	bool json, quiet, expect_pass, expect_fail, gdb;
	uint64_t nearby; /* runs; 0: none */
	char *path_out;
	const char *output; /* a file for what fails nearby, or --as; or NULL */
	const char *as;	    /* NULL: it is just run */
	char **gdb_argv;    /* what is more for gdb; NULL: nothing */
	struct out_files out;
	struct rerun again;
	struct explore_labels *labels;
	struct replay_match *match;
};

/* replay_tell.c */
/* Of the latest run; its exit status. */
int replaying_tell(struct replaying *r);
/* The latest run's labels and match; false: no memory, which is told. */
bool replaying_match(struct replaying *r);
int replaying_tell_divergence(struct replaying *r, uint32_t at);
/* How many runs were the same. */
void replaying_tell_runs(const struct replaying *r);

/* replay_nearby.c, replay_gdb.c: the exit status. */
int replaying_nearby(struct replaying *r);
int replaying_gdb(struct replaying *r);

#endif
