/* SPDX-License-Identifier: MIT */
/*
 * Commands: one table for sockets, scripts and the shell.
 *
 * A line becomes a job by parsing, which is pure: no session is needed, and
 * whatever can be refused by reading alone is refused there.  A job is then
 * begun; what it has to wait for it says in job->wait, and it is finished
 * with what became of the wait.  Who waits, and how, is the caller's affair:
 * a script sleeps (seam_job_run), a socket's client does not (clients.c).
 */
#ifndef SEAM_COMMAND_H
#define SEAM_COMMAND_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>

#include "session.h"
#include "vars.h"

#define SEAM_WAIT_MS 5000 /* of every wait that does not say */
#define SEAM_NOT_MS 200	  /* of a wait behind `expect not` */
#define SEAM_MS_MAX UINT64_C(1000000000)
#define SEAM_GATE_MAX 8192 /* threads; as many as the arena has */

/* What a command was given; which fields count depends on the command.
 * Strings point into the job's words. */
struct seam_args {
	const char *what; /* id, alias, thread, process, name, "all" */
	const char *text; /* line to send, regular expression, value */
	const char *as, *proc, *dir;
	const char *sets, *value; /* a variable; value NULL: shows later */
	char **argv, **env;	  /* start; the arrays are the job's */
	bool eof, on, has_timeout;
	uint64_t timeout_ms;
	uint64_t number; /* errno, signal, exit status, milliseconds */
	uint64_t times;
	const char *to; /* a checkpoint */
	uint64_t since; /* a mark */
	bool unchecked;
	bool by_signal; /* number is the signal that ended a process */
	int mode;
	struct seam_filerange range;
	struct seam_object_name obj;
	bool has_obj;
	struct seam_selector sel;
	unsigned given; /* options seen: 1 << enum seam_option */
};

struct seam_job {
	const struct seam_command *command; /* NULL: an empty line */
	struct seam_words words;
	struct seam_args args;
	struct sess_wait wait;
	struct seam_job *inner; /* what `expect not` is about */
	bool open; /* a variable had no value: only the name is judged */
};

/* What a command answers: lines shown to a reader, then the fields. */
struct seam_reply {
	json_t *fields; /* an object, in order of printing */
	json_t *rows;	/* an array of objects: a table; or NULL */
	char *text;	/* or lines as they are; or NULL */
	bool shown;	/* scripts print its fields: somebody asked for them */
};

/* In whose name commands are carried out. */
struct seam_context {
	struct seam_session *session;
	struct seam_vars vars;
	bool json, quit;
	bool verbose;		 /* scripts show each line, and its reply */
	const atomic_bool *stop; /* ends a script between lines; or NULL */
	char **logs;		 /* ids of what `log` has on */
	size_t n_logs;
	seam_event_fn *event; /* takes logged events */
	void *event_data;
	/* `start main`; NULL: not here. */
	enum seam_code (*start_main)(void *data, struct seam_error *err);
	/* Sleeps; NULL: nanosleep will do. */
	void (*sleep)(void *data, uint64_t ms);
	void *data;
};

typedef enum seam_code seam_parse_fn(struct seam_job *job, size_t from,
				     struct seam_error *err);
/* SEAM_PENDING: job->wait says for what. */
typedef enum seam_code seam_begin_fn(struct seam_context *ctx,
				     struct seam_job *job,
				     struct seam_reply *reply,
				     struct seam_error *err);
/* What the command makes of its wait's outcome; NULL: nothing. */
typedef enum seam_code seam_finish_fn(struct seam_context *ctx,
				      struct seam_job *job, enum seam_code code,
				      struct seam_reply *reply,
				      struct seam_error *err);

struct seam_command {
	const char *name; /* one word, or two: "wait exit" */
	const char *usage, *meaning;
	seam_parse_fn *parse;
	seam_begin_fn *begin;
	seam_finish_fn *finish;
};

/* Every group's table, ended by an empty entry; NULL ends the groups. */
extern const struct seam_command *const seam_command_groups[];
extern const struct seam_command seam_target_commands[];
extern const struct seam_command seam_rule_commands[];
extern const struct seam_command seam_wait_commands[];
extern const struct seam_command seam_expect_commands[];
extern const struct seam_command seam_table_commands[];
extern const struct seam_command seam_order_commands[];
extern const struct seam_command seam_thread_commands[];
extern const struct seam_command seam_misc_commands[];

/* command.c.  The error's column is that of the line.  Release with
 * seam_job_free, which is safe after an error too. */
enum seam_code seam_job_parse(const char *line, const struct seam_vars *vars,
			      struct seam_job *job, struct seam_error *err);
/* The same of words, which are taken over; from: where the command stands. */
enum seam_code seam_job_parse_words(struct seam_words *words, size_t from,
				    struct seam_job *job,
				    struct seam_error *err);
void seam_job_free(struct seam_job *job);
enum seam_code seam_job_begin(struct seam_job *job, struct seam_context *ctx,
			      struct seam_reply *reply, struct seam_error *err);
enum seam_code seam_job_finish(struct seam_job *job, struct seam_context *ctx,
			       enum seam_code code, struct seam_reply *reply,
			       struct seam_error *err);
/* Both, sleeping between them. */
enum seam_code seam_job_run(struct seam_job *job, struct seam_context *ctx,
			    struct seam_reply *reply, struct seam_error *err);
/* Ends what `log` has on, and frees the variables. */
void seam_context_end(struct seam_context *ctx);

/* The tables as text, for `help` and `seam help`; name may be NULL (all).
 * False: nothing of that name. */
bool seam_help_commands(FILE *f, const char *name);
void seam_help_operations(FILE *f);

/* arguments.c: what the parsers of the groups share. */
enum seam_option {
	SEAM_OPTION_AS,
	SEAM_OPTION_AS_VARIABLE,
	SEAM_OPTION_TIMEOUT,
	SEAM_OPTION_MODE,
	SEAM_OPTION_RANGE,
	SEAM_OPTION_PROC,
	SEAM_OPTION_OBJ,
	SEAM_OPTION_ERRNO,
	SEAM_OPTION_TIMES,
	SEAM_OPTION_DIR,
	SEAM_OPTION_TO,
	SEAM_OPTION_SINCE,
	SEAM_OPTION_CHECK,
	SEAM_OPTIONS
};
#define SEAM_OPT(name) (1u << SEAM_OPTION_##name)
/* The rest of the words: key=value of the allowed ones, nothing else. */
enum seam_code seam_take_options(struct seam_job *job, size_t from,
				 unsigned allowed, struct seam_error *err);
/* One of them, or SEAM_PENDING: the word is none of the allowed. */
enum seam_code seam_take_option(struct seam_job *job, size_t at,
				unsigned allowed, struct seam_error *err);
/* A selector, with options among its keys. */
enum seam_code seam_take_selector(struct seam_job *job, size_t from,
				  unsigned allowed, struct seam_error *err);
/* The word at *i, whole, and one on; or says what was expected. */
enum seam_code seam_take_word(struct seam_job *job, size_t *i, const char *what,
			      const char **out, struct seam_error *err);
/* One that nobody named yet: an id, an alias. */
enum seam_code seam_take_name(struct seam_job *job, size_t *i, const char *what,
			      const char **out, struct seam_error *err);
enum seam_code seam_take_regex(struct seam_job *job, size_t *i,
			       struct seam_error *err);
enum seam_code seam_take_switch(struct seam_job *job, size_t *i,
				struct seam_error *err);
enum seam_code seam_take_end(struct seam_job *job, size_t i,
			     struct seam_error *err);
/* Parsers of nothing, and of one word in args.what. */
seam_parse_fn seam_parse_none, seam_parse_what;
/* commands_wait.c: what expectations wait for in the same way. */
enum seam_code seam_begin_wait(struct seam_job *job, enum seam_wait_kind kind);
seam_begin_fn seam_begin_wait_exit, seam_begin_wait_output,
    seam_begin_wait_blocked;
seam_parse_fn seam_parse_waited, seam_parse_wait_blocked;
/* "a=b", where seam_split took it apart. */
const char *seam_word_whole(struct seam_word *w);

/* reply.c.  Formatted replies end with a newline; malloc'd. */
void seam_reply_init(struct seam_reply *reply);
void seam_reply_free(struct seam_reply *reply);
/* A JSON string of any bytes; what is no UTF-8 is replaced. */
json_t *seam_json_text(const char *text);
void seam_reply_add(struct seam_reply *reply, const char *key,
		    const char *value);
void seam_reply_add_number(struct seam_reply *reply, const char *key,
			   long long value);
char *seam_reply_format(const struct seam_reply *reply, enum seam_code code,
			const struct seam_error *err, bool json);
/* The same without its ok or err line: what a person asked to see. */
void seam_reply_show(FILE *f, const struct seam_reply *reply);
char *seam_event_format(const struct seam_event *e, bool json);
/* value, quoted where it needs to be */
void seam_put_value(FILE *f, const char *value);
/* The line, and a caret under the column. */
void seam_put_caret(FILE *f, const char *line, int column);
/* ENOENT, or the number. */
const char *seam_result_name(int32_t result, char buf[16]);

/* clients.c: the clients of the session's socket. */
struct seam_commands;
struct seam_commands *seam_commands_serve(struct seam_session *s);
/* Closes the session. */
void seam_commands_close(struct seam_commands *c, bool leave);

#endif
