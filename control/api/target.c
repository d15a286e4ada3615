/* SPDX-License-Identifier: MIT */
/* Targets: starting, feeding, reading and ending them. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "api.h"
#include "rules_int.h"

#define SHOWN_MAX 500 /* bytes of output in a message */

/* To seam.h a process is something that is called so, and no thread. */
static enum seam_code
leave(enum seam_code code, const struct seam_error *err)
{
	if (code == SEAM_E_NO_SUCH_THREAD)
		code = SEAM_E_NO_SUCH_OBJECT;
	return api_leave(code, err);
}

/* Starting. */

/* Its name: the alias, or "P3"; and a pipe as large as may be, so that it
 * need not run to be fed. */
static void
prepare_input(struct seam_session *s, unsigned proc, size_t size,
	      char name[SEAM_PATH])
{
	struct seam_process *p = &s->process[proc];

	seam_lock(s);
	seam_process_path(s, p, name);
	if (p->in >= 0 && size > 65536)
		fcntl(p->in, F_SETPIPE_SZ,
		      size < 1048576 ? (int)size : 1048576);
	seam_unlock(s);
}

static enum seam_code
feed(struct seam_session *s, unsigned proc, const char *input,
     struct seam_error *err)
{
	char name[SEAM_PATH];
	enum seam_code code;

	prepare_input(s, proc, strlen(input), name);
	code = sess_send(s, name, input, true, err);
	/* It need not read what it is given. */
	return code == SEAM_E_GONE ? SEAM_OK : code;
}

enum seam_code
seam_start(seam_session *s, const char *alias,
	   const struct seam_program *program)
{
	struct sess_start how = { .alias = alias };
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);
	unsigned proc = 0;

	if (!code)
		code = api_need(program, "program", &err);
	if (!code) {
		how.argv = program->argv;
		how.env = program->env;
		how.dir = program->dir;
		how.stdio = program->inherit ? SEAM_INHERIT : SEAM_CAPTURE;
		code = sess_start(s, &how, &proc, &err);
	}
	if (!code && program->input && !program->inherit)
		code = feed(s, proc, program->input, &err);
	return api_leave_state(s, code, &err);
}

enum seam_code
seam_startl(seam_session *s, const char *alias, const char *program, ...)
{
	struct seam_program how = { 0 };
	enum seam_code code;
	size_t n = 1;
	va_list ap, again;
	char **argv;

	va_start(ap, program);
	va_copy(again, ap);
	while (va_arg(ap, char *))
		n++;
	va_end(ap);
	argv = calloc(n + 1, sizeof(*argv));
	if (argv) {
		argv[0] = (char *)(uintptr_t)program;
		for (size_t i = 1; i < n; i++)
			argv[i] = va_arg(again, char *);
	}
	va_end(again);
	how.argv = argv;
	code = seam_start(s, alias, &how);
	free(argv);
	return code;
}

/* Streams. */

enum seam_code
seam_send(seam_session *s, const char *alias, const char *text)
{
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_need(alias, "alias", &err);
	if (!code)
		code = sess_send(s, alias, text, !text, &err);
	if (code == SEAM_E_TIMEOUT)
		return api_leave_state(s, code, &err);
	return leave(code, &err);
}

enum seam_code
seam_output(seam_session *s, const char *alias, char **text, size_t *size)
{
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	*text = NULL;
	if (!code)
		code = api_need(alias, "alias", &err);
	if (!code)
		code = sess_output(s, alias, text, size, &err);
	return leave(code, &err);
}

/* Appends the end of what it wrote to err's text. */
static void
add_output(struct seam_session *s, const char *alias, struct seam_error *err)
{
	struct seam_error none;
	char *text, *from;
	size_t n = strlen(err->text), size;

	if (sess_output(s, alias, &text, &size, &none))
		return;
	from = size > SHOWN_MAX ? text + size - SHOWN_MAX : text;
	snprintf(err->text + n, sizeof(err->text) - n,
		 size ? "; it wrote: %s%s" : "; it wrote nothing",
		 from > text ? "… " : "", from);
	free(text);
}

enum seam_code
seam_wait_output(seam_session *s, const char *alias, const char *regex,
		 char **match, uint64_t timeout)
{
	struct sess_wait w = { .kind = SEAM_WAIT_OUTPUT,
			       .what = regex,
			       .arg = alias };
	struct seam_error err;
	json_t *reply = json_object();
	enum seam_code code = api_enter(s, &err);

	if (match)
		*match = NULL;
	if (!code)
		code = api_need(alias, "alias", &err);
	if (!code)
		code = api_need(regex, "regular expression", &err);
	if (!code) {
		w.timeout_ms = api_timeout(s, timeout);
		code = sess_wait(s, &w, reply, &err);
		api_logs_deliver(s);
		if (code == SEAM_E_TIMEOUT || code == SEAM_E_GONE)
			add_output(s, alias, &err);
	}
	if (!code && match)
		*match = strdup(api_field(reply, "match"));
	json_decref(reply);
	return leave(code, &err);
}

/* Ends. */

enum seam_code
seam_kill(seam_session *s, const char *alias, int signal)
{
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_need(alias, "alias", &err);
	if (!code)
		code = seam_signal(s, alias, signal, &err);
	return leave(code, &err);
}

static enum seam_code
status_of(struct seam_session *s, const char *alias, int *status,
	  struct seam_error *err)
{
	struct seam_process *p;
	enum seam_code code = SEAM_OK;

	seam_lock(s);
	p = seam_process_find(s, alias, 0, err);
	if (!p)
		code = err->code;
	else if (p->status_known)
		*status = p->status;
	else
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "%s has ended; only its parent knows how",
				 seam_show(alias).s);
	seam_unlock(s);
	return code;
}

static enum seam_code
wait_exit(struct seam_session *s, const char *alias, int *status,
	  uint64_t timeout, struct seam_error *err)
{
	struct sess_wait w = { .kind = SEAM_WAIT_EXIT, .what = alias };
	enum seam_code code = api_need(alias, "alias", err);

	if (code)
		return code;
	w.timeout_ms = api_timeout(s, timeout);
	code = api_wait(s, &w, NULL, err);
	return !code && status ? status_of(s, alias, status, err) : code;
}

enum seam_code
seam_wait_exit(seam_session *s, const char *alias, int *status,
	       uint64_t timeout)
{
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = wait_exit(s, alias, status, timeout, &err);
	return leave(code, &err);
}

static enum seam_code
not_so(struct seam_session *s, const char *alias, int was, int wanted,
       struct seam_error *err)
{
	if (WIFSIGNALED(was))
		sess_fail(err, SEAM_E_FAILED, 0,
			  "%s was ended by SIG%s; expected exit status %d",
			  seam_show(alias).s, seam_signal_name(WTERMSIG(was)).s,
			  wanted);
	else
		sess_fail(err, SEAM_E_FAILED, 0,
			  "%s ended with exit status %d; expected %d",
			  seam_show(alias).s, WEXITSTATUS(was), wanted);
	add_output(s, alias, err);
	return SEAM_E_FAILED;
}

enum seam_code
seam_expect_exit(seam_session *s, const char *alias, int status,
		 uint64_t timeout)
{
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);
	int was = 0;

	if (!code)
		code = wait_exit(s, alias, &was, timeout, &err);
	if (code == SEAM_E_TIMEOUT) {
		add_output(s, alias, &err);
		code = SEAM_E_FAILED;
	} else if (!code && (!WIFEXITED(was) || WEXITSTATUS(was) != status)) {
		code = not_so(s, alias, was, status, &err);
	}
	return leave(code, &err);
}
