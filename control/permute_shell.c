/* SPDX-License-Identifier: MIT */
/* The shell's commands of a script of steps. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "permute.h"

extern char **environ;

/* The environment, and the script's variables in front of it. */
static char **
make_env(const struct seam_vars *vars)
{
	size_t n = 0, own = vars ? vars->n : 0, k = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + own + 1, sizeof(*env));
	for (size_t i = 0; env && i < own; i++)
		if (vars->v[i].value &&
		    asprintf(&env[k], "%s=%s", vars->v[i].name,
			     vars->v[i].value) > 0)
			k++;
	for (size_t i = 0; env && i < n; i++)
		env[k++] = environ[i];
	return env;
}

static void
free_env(char **env)
{
	for (size_t i = 0; env && env[i] && env[i] != environ[0]; i++)
		free(env[i]);
	free(env);
}

static int
spawn(pid_t *pid, const char *commands, int fd, char **env)
{
	char *argv[] = { "sh", "-e", "-c", (char *)(uintptr_t)commands, NULL };
	posix_spawn_file_actions_t fa;
	int r;

	posix_spawn_file_actions_init(&fa);
	r = posix_spawn_file_actions_adddup2(&fa, fd, 1);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&fa, fd, 2);
	if (!r)
		r = posix_spawn(pid, "/bin/sh", &fa, NULL, argv, env);
	posix_spawn_file_actions_destroy(&fa);
	return r;
}

enum seam_code
permute_shell(const struct permute *p, const char *what, const char *commands,
	      struct seam_error *err)
{
	char text[800] = "", **env;
	int fd, r, status = 0;
	pid_t pid;

	if (!commands)
		return SEAM_OK;
	env = make_env(p->vars);
	fd = memfd_create("seam-shell", MFD_CLOEXEC);
	r = env && fd >= 0 ? spawn(&pid, commands, fd, env) : ENOMEM;
	free_env(env);
	while (!r && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!r && status && pread(fd, text, sizeof(text) - 1, 0) < 0)
		text[0] = '\0';
	if (fd >= 0)
		close(fd);
	if (!r && !status)
		return SEAM_OK;
	if (r)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "%s: %s", what,
				 strerror(r));
	return sess_fail(err, SEAM_E_FAILED, 0, "%s failed (%s %d)\n%s", what,
			 WIFSIGNALED(status) ? "signal" : "status",
			 WIFSIGNALED(status) ? WTERMSIG(status) :
					       WEXITSTATUS(status),
			 text);
}
