/* SPDX-License-Identifier: MIT */
/* --html, --trace, --tap and --junit of the exploring commands. */
#ifndef SEAM_CLI_OUT_FILES_H
#define SEAM_CLI_OUT_FILES_H

#include "cli.h"
#include "explore/out_run.h"

struct out_files {
	const char *html, *trace, *tap, *junit; /* NULL: not asked for */
	char *own[4]; /* these, if they had to be made absolute */
	int tap_fd;   /* "-": what standard output was; it is stderr's then */
	struct cli_result *result; /* a failing run each, by number */
	size_t nresults;
	bool bad; /* something could not be written */
};

/* Values of getopt_long, beside those of each command. */
enum out_option {
	OUT_HTML = 512,
	OUT_TRACE,
	OUT_TAP,
	OUT_JUNIT,
};
/* Rows for the commands' tables of options, and lines for their help. */
#define OUT_OPTIONS                                                            \
	{ "html", required_argument, NULL, OUT_HTML },                         \
	    { "trace", required_argument, NULL, OUT_TRACE },                   \
	    { "tap", required_argument, NULL, OUT_TAP },                       \
	{                                                                      \
		"junit", required_argument, NULL, OUT_JUNIT                    \
	}
#define OUT_HELP                                                               \
	"  --html FILE             a page of the run, for a browser\n"         \
	"  --trace FILE            the run for Perfetto or chrome://tracing\n" \
	"  --tap FILE, --junit FILE\n"                                         \
	"                          what came of it as a test; --tap - is "     \
	"standard\n"                                                           \
	"                          output\n"

/* False: it is none of these. */
bool out_files_option(struct out_files *o, int opt, const char *arg);
/* Any of them was asked for. */
static inline bool
out_files_wanted(const struct out_files *o)
{
	return o->html || o->trace || o->tap || o->junit;
}
/* Before anything is printed.  False: said why. */
bool out_files_begin(struct out_files *o);
/* Writes page and trace of a run, of that number (from 1), those of the second
 * to run.2.html and so on; remembers what to say of it at the end.  Again: in
 * the place of the first time.  It says what cannot be done, and so does
 * out_files_end then. */
void out_files_run(struct out_files *o, unsigned number,
		   const struct out_run *r);

/* What was said of the runs is no failure. */
void out_files_forget(struct out_files *o);

struct out_verdict {
	const char *verb;     /* "explore" */
	char *const *command; /* what was run */
	const char *message;  /* NULL: it passed */
	bool error;	      /* it could not be done */
	bool each;	      /* runs are cases of their own */
	double seconds;
};
/* Writes TAP and JUnit, and frees.  False: something could not be written,
 * whenever that was. */
bool out_files_end(struct out_files *o, const struct out_verdict *v);

#endif
