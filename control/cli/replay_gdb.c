/* SPDX-License-Identifier: MIT */
/*
 * `seam replay --gdb`: gdb has the terminal and starts the program, which
 * joins the session by what the wrapper puts into its environment; gdb's own
 * is left alone.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "replaying.h"

/* One execution more than without, as gdb expects it.  Two variables are gdb's
 * own. */
static const char wrapper[] =
    "until mv \"$1\" \"$2\" 2>/dev/null; do : >\"$3\"; sleep 0.02; done; "
    "LD_PRELOAD=$4 SEAM_SOCKET=$5 SEAM_JOIN=must; "
    "export LD_PRELOAD SEAM_SOCKET SEAM_JOIN; "
    "unset LINES COLUMNS; [ -z \"$6\" ] || export LINES=\"$6\"; "
    "[ -z \"$7\" ] || export COLUMNS=\"$7\"; shift 7; exec \"$@\"";

static void
put_quoted(FILE *f, const char *word)
{
	fputs(" '", f);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", f);
		else
			fputc(*word, f);
	fputc('\'', f);
}

/* malloc'd; NULL: no memory. */
static char *
wrapper_command(const struct runner_debugged *d)
{
	const char *lines = getenv("LINES"), *columns = getenv("COLUMNS");
	const char *const words[] = {
		wrapper,
		"seam",
		d->token,
		d->taken,
		d->wanted,
		d->preload,
		d->socket,
		lines ? lines : "",
		columns ? columns : "",
	};
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fputs("set exec-wrapper /bin/sh -c", f);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		put_quoted(f, words[i]);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

static size_t
count(char *const *words)
{
	size_t n = 0;

	while (words[n])
		n++;
	return n;
}

/* gdb, ours, the user's, the program's; malloc'd. */
static char **
arguments(char *command, char *const *users, char *const *program)
{
	static char gdb[] = "gdb", early[] = "-iex",
		    shell[] = "set startup-with-shell on", args[] = "--args";
	char *const ours[] = { gdb, early, shell, early, command };
	const size_t nours = sizeof(ours) / sizeof(ours[0]),
		     nusers = users ? count(users) : 0, n = count(program);
	char **argv = calloc(nours + nusers + n + 2, sizeof(*argv)),
	     **at = argv;

	if (!argv)
		return NULL;
	for (size_t i = 0; i < nours; i++)
		*at++ = ours[i];
	for (size_t i = 0; i < nusers; i++)
		*at++ = users[i];
	*at++ = args;
	for (size_t i = 0; i < n; i++)
		*at++ = program[i];
	return argv;
}

static pid_t
spawn(char *const *argv, const struct runner_debugged *d)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t defaults;
	pid_t pid;
	int r;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGQUIT);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawn_file_actions_init(&fa);
	r = d->dir ? posix_spawn_file_actions_addchdir_np(&fa, d->dir) : 0;
	if (!r)
		r = posix_spawnp(&pid, argv[0], &fa, &attr, argv, d->env);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return r ? -r : pid;
}

static pid_t
launch(const struct runner_debugged *d, void *data)
{
	const struct replaying *r = data;
	char *command = wrapper_command(d);
	char **argv = command ? arguments(command, r->gdb_argv, d->argv) : NULL;
	pid_t pid = argv ? spawn(argv, d) : -ENOMEM;

	free(argv);
	free(command);
	return pid;
}

/* Keys that mean gdb reach us, too. */
static void
ignore_keys(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGQUIT, &ignore, NULL);
}

/* It may have been left before its end. */
static bool
went_another_way(const struct replaying *r, uint32_t *at)
{
	const struct explore_trace *t = &r->again.result.trace;

	return replay_differs(r->match, at) &&
	       (*at < t->nsteps || t->verdict == SEAM_VERDICT_DIVERGED);
}

int
replaying_gdb(struct replaying *r)
{
	struct seam_error err;
	int status = 0;
	uint32_t at;

	ignore_keys();
	r->again.plan.flags |= SEAM_PLAN_DEBUG;
	if (runner_debug(r->again.runner, &r->again.plan, r->again.forced,
			 launch, r, &r->again.result, &status, &err)) {
		cli_warn("%s", err.text);
		return SEAM_EXIT_CONTROL;
	}
	if (!replaying_match(r))
		return SEAM_EXIT_CONTROL;
	if (went_another_way(r, &at))
		return replaying_tell_divergence(r, at);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
