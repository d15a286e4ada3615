/* SPDX-License-Identifier: MIT */
/* The undisturbed run: what the program does when nobody schedules it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explore/campaign.h"

static bool
prepare(const struct runner_config *c, const char *scratch,
	struct seam_error *err)
{
	const char *const commands[] = { c->setup, c->reset };
	char *said;
	int status;

	for (int i = 0; i < 2; i++) {
		if (!commands[i])
			continue;
		status =
		    shell_command(commands[i], scratch, c->timeout_ms, &said);
		if (status) {
			sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				  "--%s failed: %.200s", i ? "reset" : "setup",
				  said && *said ? said :
				  status == -1	? strerror(errno) :
						  "no output");
			free(said);
			return false;
		}
		free(said);
	}
	return true;
}

static int
run(const struct runner_config *c, const char *scratch, bool *check_failed,
    const char **why, struct seam_error *err)
{
	const struct shell_how how = { .argv = c->argv,
				       .dir = c->in_scratch ? scratch : c->dir,
				       .scratch = scratch,
				       .env = c->env,
				       .timeout_ms = c->timeout_ms };
	int status = shell_run(&how, NULL);

	*why = NULL;
	if (status == -1 && errno == ETIME) {
		*why = "it was not over in time";
		return -1;
	}
	if (status == -1) {
		sess_fail(err, SEAM_E_UNSUPPORTED, 0, "cannot start %s: %s",
			  c->argv[0], strerror(errno));
		return -1;
	}
	*check_failed = c->check && shell_command(c->check, scratch,
						  c->timeout_ms, NULL) != 0;
	return oracle_shell_status(status);
}

int
campaign_native(const struct runner_config *config, bool *check_failed,
		const char **why, struct seam_error *err)
{
	struct runner_config c = *config;
	char **argv, *program = NULL, *scratch = scratch_new(0, why);
	int status = -1;
	size_t n = 0;

	*check_failed = false;
	err->code = SEAM_OK;
	while (c.argv[n])
		n++;
	argv = calloc(n + 1, sizeof(*argv));
	if (!scratch || !argv) {
		sess_fail(err, SEAM_E_UNSUPPORTED, 0,
			  "no scratch directory: %s", *why);
	} else if (prepare(&c, scratch, err)) {
		memcpy(argv, c.argv, n * sizeof(*argv));
		if (c.in_scratch && n && strchr(c.argv[0], '/'))
			program = realpath(c.argv[0], NULL);
		if (program)
			argv[0] = program;
		c.argv = argv;
		status = run(&c, scratch, check_failed, why, err);
	}
	free(program);
	free(argv);
	scratch_free(scratch);
	return status;
}
