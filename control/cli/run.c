/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static int run(int argc, char **argv);

const struct cli_command cli_run = {
	"run",
	"seam run [-v] [-S SOCK] [-x SCRIPT] [--timeout MS] "
	"[--left-behind] [--on-death release|kill] -- CMD [ARG...]",
	"start CMD as target `main`, serve a socket, run a script",
	"  -S, --socket SOCK       the control socket; default: a private one\n"
	"  -x, --script SCRIPT     commands to carry out; - is standard input\n"
	"  --timeout MS            end CMD after that time, and say why\n"
	"  --left-behind           say which threads were alive at its exit\n"
	"  --on-death release|kill what becomes of targets when seam dies\n"
	"  -v, --verbose           print the socket's path\n"
	"Exits with CMD's status (128 + signal), 1 if the script or the time\n"
	"failed it, 2 for bad usage or syntax, 3 if it could not control.\n",
	run
};

static const struct option options[] = {
	{ "socket", required_argument, NULL, 'S' },
	{ "script", required_argument, NULL, 'x' },
	{ "timeout", required_argument, NULL, 't' },
	{ "left-behind", no_argument, NULL, 'l' },
	{ "on-death", required_argument, NULL, 'd' },
	{ "verbose", no_argument, NULL, 'v' },
	{ 0 },
};

struct job {
	struct seam_options how;
	const char *script_path;
	char *const *argv;
	bool verbose, left_behind;
	struct seam_script *script;
	struct seam_session *session;
	struct cli_watch watch;
	bool started;
};

static enum seam_code
start_main(void *data, struct seam_error *err)
{
	struct job *j = data;
	struct sess_start how = { .alias = "main",
				  .argv = j->argv,
				  .stdio = SEAM_INHERIT };
	enum seam_code code;
	unsigned proc;

	if (j->started)
		return sess_fail(err, SEAM_E_FAILED, 0,
				 "main was started before");
	code = sess_start(j->session, &how, &proc, err);
	j->started = !code;
	return code;
}

/* The status of the script, or of starting. */
static int
carry_out(struct job *j)
{
	struct seam_context ctx = { .session = j->session,
				    .start_main = start_main,
				    .stop = &j->watch.stopped,
				    .data = j };
	struct seam_error err;
	enum seam_code code;

	if (j->script) {
		code = seam_script_run(j->script, &ctx, stderr, stderr);
		seam_context_end(&ctx);
		return seam_exit_of(code);
	}
	code = start_main(j, &err);
	if (!code)
		return SEAM_EXIT_OK;
	cli_warn("%s", err.text);
	return SEAM_EXIT_CONTROL;
}

static void
say_lines(char *text)
{
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			cli_warn("%s", line);
	free(text);
}

/* Of how the processes ended.  A failed script has told of crashes. */
static void
say_ends(struct job *j, bool script_failed)
{
	if (!script_failed && !j->watch.signals)
		say_lines(sess_crashes(j->session));
	if (j->left_behind)
		say_lines(sess_left_at_exit(j->session));
}

/* What the whole comes to. */
static int
outcome(struct job *j)
{
	const char *broken;
	struct seam_error err;
	int status = carry_out(j), ended = SEAM_EXIT_CONTROL;
	bool script_failed = status;

	if (!status && j->started) {
		if (cli_wait_exit(j->session, "main", &ended, &err))
			cli_warn("%s", err.text);
		status = ended;
	}
	say_ends(j, script_failed);
	if (j->watch.timed_out)
		status = SEAM_EXIT_FAILED;
	broken = seam_session_broken(j->session);
	if (!broken)
		return status;
	cli_warn("the session has ended: %s", broken);
	return SEAM_EXIT_CONTROL;
}

static int
with_session(struct job *j)
{
	struct seam_commands *commands;
	int status = SEAM_EXIT_CONTROL;

	j->session = cli_open(&j->how);
	if (!j->session)
		return status;
	commands = seam_commands_serve(j->session);
	if (!commands) {
		seam_session_close(j->session, false);
		return status;
	}
	if (j->verbose)
		fprintf(stderr, "seam: socket %s\n",
			seam_session_socket(j->session));
	j->watch.session = j->session;
	j->watch.target = "main";
	if (cli_watch_start(&j->watch)) {
		status = outcome(j);
		cli_watch_end(&j->watch);
	}
	seam_commands_close(commands, false);
	return status;
}

static int
run_job(struct job *j)
{
	struct seam_error err;
	enum seam_code code;
	int status;

	if (j->script_path) {
		code = seam_script_read(j->script_path, &j->script, &err);
		if (code) {
			cli_warn("%s", err.text);
			return seam_exit_of(code);
		}
		code = seam_script_check(j->script, NULL, stderr);
		if (code) {
			seam_script_free(j->script);
			return seam_exit_of(code);
		}
	}
	status = with_session(j);
	seam_script_free(j->script);
	return status;
}

static bool
take_option(struct job *j, int opt, char **argv)
{
	switch (opt) {
	case 'S':
		j->how.socket = optarg;
		return true;
	case 'x':
		j->script_path = optarg;
		j->how.watch = true;
		return true;
	case 't':
		return cli_ms(optarg, &j->watch.timeout_ms);
	case 'd':
		return cli_on_death(&cli_run, optarg, &j->how.kill_on_death);
	case 'l':
		j->left_behind = true;
		return true;
	case 'v':
		j->verbose = true;
		return true;
	default:
		cli_bad_option(&cli_run, opt, argv);
		return false;
	}
}

static int
run(int argc, char **argv)
{
	struct job j = { 0 };
	int opt;

	while ((opt = getopt_long(argc, argv, "+:S:x:v", options, NULL)) != -1)
		if (!take_option(&j, opt, argv))
			return SEAM_EXIT_USAGE;
	if (optind == argc)
		return cli_usage(&cli_run, "which command?");
	j.argv = argv + optind;
	return run_job(&j);
}
