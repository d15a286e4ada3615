/* SPDX-License-Identifier: MIT */
/* The subcommands of `seam`, and what they share. */
#ifndef SEAM_CLI_H
#define SEAM_CLI_H

#include <pthread.h>

#include "script.h"

struct cli_command {
	const char *name, *usage, *meaning;
	const char *options; /* lines for `seam help NAME`, or NULL */
	int (*run)(int argc, char **argv); /* argv[0] is the name */
};

extern const struct cli_command cli_run, cli_serve, cli_ctl, cli_trace,
    cli_test, cli_hold, cli_call, cli_explore, cli_replay, cli_minimise,
    cli_verify, cli_help;
extern const struct cli_command *const cli_commands[]; /* NULL ends it */

/* common.c */
const struct cli_command *cli_find(const char *name);
/* Prints what is wrong and the usage; returns SEAM_EXIT_USAGE. */
int cli_usage(const struct cli_command *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints `seam NAME: text`. */
void cli_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* For getopt_long's '?' and ':'. */
int cli_bad_option(const struct cli_command *c, int opt, char **argv);
/* Milliseconds; false: printed. */
bool cli_ms(const char *text, uint64_t *ms);
/* release or kill; false: printed. */
bool cli_on_death(const struct cli_command *c, const char *text, bool *kill);
/* Waits for the end of a process; *status as a shell has it. */
enum seam_code cli_wait_exit(struct seam_session *s, const char *alias,
			     int *status, struct seam_error *err);
/* Opens a session; NULL: printed. */
struct seam_session *cli_open(const struct seam_options *options);

/*
 * watch.c: a thread that minds signals and the time.  Signals from the
 * terminal reach a target by themselves, others are handed on to it; a
 * second SIGINT, SIGTERM or SIGQUIT ends it by SIGKILL, and the session with
 * it.  Without a target the first one stops the session.
 */
struct cli_watch {
	struct seam_session *session;
	const char *target;  /* alias, or NULL */
	uint64_t timeout_ms; /* 0: none */
	pthread_t thread;
	int pipe[2];
	unsigned signals, endings; /* all; those that mean an end */
	bool timed_out;
	atomic_bool stopped; /* scripts end */
};
bool cli_watch_start(struct cli_watch *w);
/* The time counts from here. */
void cli_watch_end(struct cli_watch *w);
/* Is it a signal that who waits for a command hands on to it? */
bool cli_hands_on(int sig);

/* trace.c and summary.c */
struct cli_summary;
struct cli_summary *cli_summary_new(void);
void cli_summary_add(struct cli_summary *sum, const struct seam_event *e);
void cli_summary_print(struct cli_summary *sum, FILE *f);
void cli_summary_free(struct cli_summary *sum);

/* report.c: what came of tests, of scripts and explorations alike. */
struct cli_result {
	char *name, *message; /* message: NULL, or why it failed */
	double seconds;
	bool error; /* it could not be carried out */
};
void cli_put_tap(FILE *f, const struct cli_result *r, unsigned number);
void cli_put_human(FILE *f, const struct cli_result *r);
void cli_put_junit(FILE *f, const struct cli_result *r, size_t n);

#endif
