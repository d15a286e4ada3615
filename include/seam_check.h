/* SPDX-License-Identifier: MIT */
/*
 * seam in Check suites: assertions that say what everybody does, and a
 * session that is closed whatever becomes of the test.
 *
 *	START_TEST(second_writer_waits)
 *	{
 *		seam_session *s = seam_check_session();
 *
 *		ck_seam(seam_pause(s, "in", "mutex.lock at=put"));
 *		ck_seam(seam_startl(s, "A", "./server", NULL));
 *		ck_seam(seam_wait(s, "in", NULL, SEAM_DEFAULT));
 *	}
 *	END_TEST
 *
 *	tcase_add_checked_fixture(tcase, seam_check_setup,
 *				  seam_check_teardown);
 *
 *	START_TEST(no_order_breaks_it)
 *	{
 *		ck_seam_explore("./bank", "--transfers", "2");
 *	}
 *	END_TEST
 *
 * Every assertion of Check's that fails in a file that includes this prints
 * the session's state on standard error; ck_seam has it in its message.
 *
 * With CK_FORK=no a failed assertion jumps out of the test, and the teardown
 * closes.  With CK_FORK=yes it ends the test's process: ck_seam closes
 * first; whatever else ends it (ck_assert, a crash, Check's timeout, SIGKILL)
 * takes the targets along, and the files.  Holders leave when an assertion
 * fails; where nothing can be run any more, a crash or a kill, those that are
 * commands do.
 *
 * As an unchecked fixture the same two give all tests of a case one session
 * with CK_FORK=no.  With CK_FORK=yes every test's process has a session of
 * its own, since no session can be used across fork().
 *
 * A program may include this in several files; they share one session.
 */
#ifndef SEAM_CHECK_H
#define SEAM_CHECK_H

#include <check.h>
#include <seam.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Check refuses messages beyond 4096 bytes, its own words included. */
#define SEAM_CHECK_MESSAGE 3000

struct seam_check_state {
	seam_session *session;
	pid_t owner;  /* who opened it */
	pid_t loaded; /* the program's first process */
	struct seam_config config;
	int at_exit; /* seam_check_close is registered */
	int said;    /* the message has the state */
	int in_body; /* this process is a run of a SEAM_CHECK_BODY */
	char message[SEAM_CHECK_MESSAGE];
};
__attribute__((weak)) struct seam_check_state seam_check_state;

/* Closes the test's session, if this process has one. */
static inline void
seam_check_close(void)
{
	struct seam_check_state *state = &seam_check_state;
	seam_session *s = state->session;

	state->session = NULL;
	if (state->owner == getpid())
		seam_close(s);
}

/* How sessions are opened from now on; the strings stay the caller's. */
static inline void
seam_check_configure(const struct seam_config *config)
{
	seam_check_state.config = *config;
}

/*
 * The test's session: opened by the fixture, or now, if this process has
 * none yet.
 */
static inline seam_session *
seam_check_session(void)
{
	struct seam_check_state *state = &seam_check_state;

	if (state->session && state->owner == getpid())
		return state->session;
	if (seam_open(&state->session, &state->config) != SEAM_OK)
		ck_abort_msg("seam_open: %s", seam_message());
	state->owner = getpid();
	if (!state->at_exit)
		state->at_exit = atexit(seam_check_close) == 0;
	return state->session;
}

static inline void
seam_check_setup(void)
{
	(void)seam_check_session();
}

static inline void
seam_check_teardown(void)
{
	seam_check_close();
}

/* "CALL: CODE: MESSAGE", and the session's state where that lacks it. */
static inline const char *
seam_check_explain(const char *call, const char *code, const char *message)
{
	struct seam_check_state *state = &seam_check_state;
	char *now = NULL;

	if (state->session && state->owner == getpid())
		now = seam_describe(state->session);
	if (now && strstr(message, now))
		now[0] = '\0';
	snprintf(state->message, sizeof(state->message),
		 "%.200s: %s: %.1000s%s%s", call, code, message,
		 now && *now ? "\nthe session now:\n" : "", now ? now : "");
	free(now);
	state->said = 1;
	return state->message;
}

/* All of Check's assertions end in this function. */
static inline void
seam_check_show(const char *file, int line)
{
	struct seam_check_state *state = &seam_check_state;
	char *now = NULL;

	if (!state->said && state->session && state->owner == getpid())
		now = seam_describe(state->session);
	if (now)
		fprintf(stderr, "%s:%d: the session then:\n%s", file, line,
			now);
	state->said = 0;
	free(now);
	/* Check leaves by _exit. */
	if (state->loaded != getpid())
		seam_holders_end();
}

/* There is no Check around a body that is run: whoever failed ends the run,
 * so that it is told who it was. */
static inline void __attribute__((noreturn, format(printf, 4, 5)))
seam_check_body_failed(const char *file, int line, const char *expression,
		       const char *message, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(ap, message);
	if (message)
		vfprintf(stderr, message, ap);
	else
		fputs(expression, stderr);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

#ifdef SEAM_CHECK_SILENT
#define SEAM_CHECK_SHOW(file, line) ((void)0)
#else
#define SEAM_CHECK_SHOW(file, line) seam_check_show(file, line)
#endif

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
#define _ck_assert_failed(file, line, ...)                                     \
	(seam_check_state.in_body ?                                            \
	     seam_check_body_failed(file, line, __VA_ARGS__) :                 \
	     (SEAM_CHECK_SHOW(file, line),                                     \
	      _ck_assert_failed(file, line, __VA_ARGS__)))
#define _mark_point(file, line)                                                \
	(seam_check_state.in_body ? (void)0 : _mark_point(file, line))
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* A file that is of no test must not pass for a suite without failures. */
static inline void
seam_check_replayed(void)
{
	unsigned others, n = seam_replayed(&others);

	if (seam_check_state.loaded != getpid() || n || !others)
		return;
	fprintf(stderr,
		"SEAM_REPLAY=%s is of none of the tests that explore (%u): "
		"no schedule was run\n",
		getenv("SEAM_REPLAY"), others);
	fflush(NULL);
	_exit(EXIT_FAILURE);
}

/* Check's children are not the process that was loaded. */
__attribute__((constructor)) static void
seam_check_loaded(void)
{
	if (seam_check_state.loaded != getpid() && getenv("SEAM_REPLAY"))
		atexit(seam_check_replayed);
	seam_check_state.loaded = getpid();
}

/* What to say; a test's own process has nothing before it but _exit. */
static inline const char *
seam_check_failed(const char *call, const char *code, const char *message)
{
	const char *text = seam_check_explain(call, code, message);

	if (seam_check_state.loaded != getpid())
		seam_check_close();
	return text;
}

/* The text is made before Check's function is reached, which tells the state
 * of whoever has not said it. */
#define SEAM_CHECK_FAIL(call, code, message)                                   \
	do {                                                                   \
		const char *seam_check_text =                                  \
		    seam_check_failed(call, code, message);                    \
		ck_abort_msg("%s", seam_check_text);                           \
	} while (0)

/* Asserts that a call of seam.h succeeds. */
#define ck_seam(call)                                                          \
	do {                                                                   \
		enum seam_code seam_check_is = (call);                         \
		if (seam_check_is == SEAM_OK)                                  \
			mark_point();                                          \
		else                                                           \
			SEAM_CHECK_FAIL(#call, seam_code_name(seam_check_is),  \
					seam_message());                       \
	} while (0)

/* Asserts that it fails, and in this way. */
#define ck_seam_err(call, wanted)                                              \
	do {                                                                   \
		enum seam_code seam_check_is = (call);                         \
		if (seam_check_is == (wanted))                                 \
			mark_point();                                          \
		else                                                           \
			SEAM_CHECK_FAIL(#call " is not " #wanted,              \
					seam_code_name(seam_check_is),         \
					seam_check_is ? seam_message() : "");  \
	} while (0)

/* Asserts anything else, with the session's state in the message. */
#define ck_seam_that(condition)                                                \
	do {                                                                   \
		if (condition)                                                 \
			mark_point();                                          \
		else                                                           \
			SEAM_CHECK_FAIL(#condition, "failed", "");             \
	} while (0)

/* Exploring */

#define SEAM_CHECK_WORDS 64 /* of a command */

/* Explores; what to say of a failure, NULL: there is none. */
static inline const char *
seam_check_run(const char *test, const struct seam_explore_options *options,
	       char *const *argv)
{
	struct seam_check_state *state = &seam_check_state;
	struct seam_explore_options o;
	struct seam_explored result;
	enum seam_code code;

	memset(&o, 0, sizeof(o));
	if (options)
		o = *options;
	o.test = o.test ? o.test : test;
	o.dir = o.dir ? o.dir : state->config.dir;
	o.preload = o.preload ? o.preload : state->config.preload;
	o.message_max = o.message_max ? o.message_max : SEAM_CHECK_MESSAGE;
	code = seam_explore(argv, &o, &result);
	seam_explored_free(&result);
	if (code == SEAM_OK)
		return NULL;
	snprintf(state->message, sizeof(state->message), "%s%s%s",
		 code == SEAM_E_FAILED ? "" : seam_code_name(code),
		 code == SEAM_E_FAILED ? "" : ": ", seam_message());
	if (state->loaded != getpid())
		seam_check_close();
	return state->message;
}

/* START_TEST(name) defines name_fn, or name. */
static inline const char *__attribute__((sentinel))
seam_check_explore(const char *function,
		   const struct seam_explore_options *options,
		   const char *program, ...)
{
	char *argv[SEAM_CHECK_WORDS + 1], test[128];
	const char *word = program;
	size_t n = strlen(function);
	va_list ap;
	int i;

	if (n > 3 && strcmp(function + n - 3, "_fn") == 0)
		n -= 3;
	snprintf(test, sizeof(test), "%.*s", (int)n, function);
	va_start(ap, program);
	for (i = 0; word && i < SEAM_CHECK_WORDS; i++) {
		memcpy(&argv[i], &word, sizeof(word));
		word = va_arg(ap, const char *);
	}
	va_end(ap);
	argv[i] = NULL;
	if (word)
		return "a command of more than 64 words";
	return seam_check_run(test, options, argv);
}

#define SEAM_CHECK_EXPLORED(text)                                              \
	do {                                                                   \
		const char *seam_check_text = (text);                          \
		if (!seam_check_text)                                          \
			mark_point();                                          \
		else                                                           \
			ck_abort_msg("%s", seam_check_text);                   \
	} while (0)

/* Asserts that no order breaks it: ck_seam_explore("./prog", "argument"). */
#define ck_seam_explore(...)                                                   \
	SEAM_CHECK_EXPLORED(                                                   \
	    seam_check_explore(__func__, NULL, __VA_ARGS__, (char *)NULL))

/* The same as the options have it. */
#define ck_seam_explore_with(options, ...)                                     \
	SEAM_CHECK_EXPLORED(                                                   \
	    seam_check_explore(__func__, options, __VA_ARGS__, (char *)NULL))

/*
 * A part of the suite itself, explored: the program is run again and again
 * for nothing but this function, which is run before main.  Its name is the
 * only one of that kind in the program.
 *
 *	SEAM_CHECK_BODY(two_writers)
 *	{
 *		pthread_create(...);
 *		...
 *		ck_assert_int_eq(written, 2);
 *	}
 *
 *	START_TEST(writers)
 *	{
 *		ck_seam_explore_body(two_writers);
 *	}
 *	END_TEST
 */
#define SEAM_CHECK_BODY(name)                                                  \
	static void name(void);                                                \
	__attribute__((constructor)) static void seam_check_body_##name(void)  \
	{                                                                      \
		seam_check_body(#name, name);                                  \
	}                                                                      \
	static void name(void)

#define SEAM_CHECK_BODY_VARIABLE "SEAM_CHECK_BODY"

static inline void
seam_check_body(const char *name, void (*body)(void))
{
	const char *wanted = getenv(SEAM_CHECK_BODY_VARIABLE);

	if (!wanted || strcmp(wanted, name) != 0)
		return;
	seam_check_state.in_body = 1;
	body();
	exit(EXIT_SUCCESS);
}

static inline const char *
seam_check_explore_body(const char *function,
			const struct seam_explore_options *options,
			const char *body)
{
	struct seam_explore_options o;
	char variable[200], *env[SEAM_CHECK_WORDS + 2];
	int i = 0;

	memset(&o, 0, sizeof(o));
	if (options)
		o = *options;
	snprintf(variable, sizeof(variable), SEAM_CHECK_BODY_VARIABLE "=%s",
		 body);
	for (; o.env && o.env[i] && i < SEAM_CHECK_WORDS; i++)
		env[i] = o.env[i];
	env[i++] = variable;
	env[i] = NULL;
	o.env = env;
	return seam_check_explore(function, &o, "/proc/self/exe", (char *)NULL);
}

/* Asserts that no order breaks it. */
#define ck_seam_explore_body(name)                                             \
	SEAM_CHECK_EXPLORED(seam_check_explore_body(__func__, NULL, #name))

/* The same as the options have it. */
#define ck_seam_explore_body_with(options, name)                               \
	SEAM_CHECK_EXPLORED(seam_check_explore_body(__func__, options, #name))

#ifdef __cplusplus
}
#endif

#endif
