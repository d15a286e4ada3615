/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdlib.h>

#include <pthread.h>
#include <signal.h>

#include "cli.h"

static int run(int argc, char **argv);

const struct cli_command cli_serve = {
	"serve", "seam serve -S SOCK",
	"serve a session that any program may join",
	"  -S, --socket SOCK       the socket to listen at\n"
	"  --on-death release|kill what becomes of targets when seam dies\n"
	"Programs join by LD_PRELOAD=libseam.so SEAM_SOCKET=SOCK ./program.\n"
	"Ends with Ctrl-C, which lets all of them go.\n",
	run
};

static const struct option options[] = {
	{ "socket", required_argument, NULL, 'S' },
	{ "on-death", required_argument, NULL, 'd' },
	{ "once", no_argument, NULL, '1' }, /* for the preload; not shown */
	{ 0 },
};

/* What ends us, but never between opening and closing. */
static sigset_t deadly;

static struct seam_session *
open_undisturbed(const struct seam_options *given)
{
	struct seam_options how = *given;
	struct seam_session *s;
	struct seam_error err;
	sigset_t old;

	sigemptyset(&deadly);
	sigaddset(&deadly, SIGINT);
	sigaddset(&deadly, SIGTERM);
	sigaddset(&deadly, SIGHUP);
	sigaddset(&deadly, SIGQUIT);
	pthread_sigmask(SIG_BLOCK, &deadly, &old);
	how.mask = &old;
	if (!seam_session_open(&how, &s, &err))
		return s;
	/* Several targets may have started one each: the first one serves. */
	if (!how.end_with_last)
		cli_warn("%s", err.text);
	return NULL;
}

static int
serve(const struct seam_options *how)
{
	struct seam_session *s;
	struct seam_commands *commands;
	struct cli_watch watch = { 0 };
	bool sound;

	s = open_undisturbed(how);
	if (!s)
		return SEAM_EXIT_CONTROL;
	watch.session = s;
	commands = seam_commands_serve(s);
	if (!commands || !cli_watch_start(&watch)) {
		if (commands)
			seam_commands_close(commands, true);
		else
			seam_session_close(s, true);
		return SEAM_EXIT_CONTROL;
	}
	pthread_sigmask(SIG_UNBLOCK, &deadly, NULL);
	seam_session_run(s);
	pthread_sigmask(SIG_BLOCK, &deadly, NULL);
	cli_watch_end(&watch);
	sound = !seam_session_broken(s);
	if (!sound)
		cli_warn("the session has ended: %s", seam_session_broken(s));
	seam_commands_close(commands, false);
	return sound ? SEAM_EXIT_OK : SEAM_EXIT_CONTROL;
}

static int
run(int argc, char **argv)
{
	struct seam_options how = { .socket = NULL };
	int opt;

	while ((opt = getopt_long(argc, argv, "+:S:", options, NULL)) != -1)
		switch (opt) {
		case 'S':
			how.socket = optarg;
			break;
		case 'd':
			if (!cli_on_death(&cli_serve, optarg,
					  &how.kill_on_death))
				return SEAM_EXIT_USAGE;
			break;
		case '1':
			how.end_with_last = true;
			break;
		default:
			return cli_bad_option(&cli_serve, opt, argv);
		}
	if (optind < argc)
		return cli_usage(&cli_serve, "unexpected '%s'",
				 seam_show(argv[optind]).s);
	if (!how.socket)
		return cli_usage(&cli_serve, "-S SOCK is needed");
	return serve(&how);
}
