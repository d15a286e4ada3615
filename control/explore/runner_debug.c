/* SPDX-License-Identifier: MIT */
/*
 * A replica whose target a debugger starts, again and again.  Each program
 * that it starts wants a fresh session, which is not there at once: for each
 * there is one token, which the program takes before it begins.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explore/runner_int.h"
#include "inner.h"
#include "spawn_env.h"

#define LOOK_MS 50
#define OTHER_NUMBER 99 /* no replica's */
#define ASKED 3		/* looks at which a token was asked for */

struct debugging {
	struct runner *r;
	const struct seam_plan *plan;
	const struct seam_forced *forced;
	struct runner_debugged d;
	char *place; /* a directory */
	char *socket, *token, *taken, *wanted;
	struct seam_env env;
	unsigned asked;
	char **clean; /* the same without what makes a target */
};

/* The place. */

static char *
in(const struct debugging *g, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", g->place, name) < 0 ? NULL : path;
}

static bool
make_place(struct debugging *g, struct seam_error *err)
{
	const char *why = "no memory";

	g->place = scratch_new(OTHER_NUMBER, &why);
	if (g->place) {
		g->d.socket = g->socket = in(g, "control");
		g->d.token = g->token = in(g, "token");
		g->d.taken = g->taken = in(g, "taken");
		g->d.wanted = g->wanted = in(g, "wanted");
	}
	if (g->place && g->socket && g->token && g->taken && g->wanted)
		return true;
	sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no directory for the socket: %s",
		  why);
	return false;
}

static void
leave_place(struct debugging *g)
{
	free(g->socket);
	free(g->token);
	free(g->taken);
	free(g->wanted);
	free(g->clean);
	seam_env_free(&g->env);
	scratch_free(g->place);
}

/* What the debugger and, beyond what is said, its program get. */
static enum seam_code
make_env(struct debugging *g, struct seam_error *err)
{
	static const char *const ours[] = { "SEAM_SOCKET=", "SEAM_JOIN=" };
	struct runner_env added;
	enum seam_code code = runner_make_env(g->r, &added, err);
	size_t n = 0;

	if (code)
		return code;
	if (seam_env_make(g->r->session, added.v, &g->env))
		g->clean = calloc(g->env.n + 1, sizeof(*g->clean));
	if (!g->clean)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	for (size_t i = 0; i < g->env.n; i++) {
		const char *v = g->env.v[i];

		if (strncmp(v, ours[0], strlen(ours[0])) != 0 &&
		    strncmp(v, ours[1], strlen(ours[1])) != 0 &&
		    strncmp(v, "LD_PRELOAD=", 11) != 0)
			g->clean[n++] = g->env.v[i];
	}
	g->d.env = g->clean;
	g->d.preload = seam_env_value(&g->env, "LD_PRELOAD");
	return SEAM_OK;
}

/* A session for the next program. */
static enum seam_code
renew(struct debugging *g, struct seam_error *err)
{
	struct runner *r = g->r;
	enum seam_code code;
	int fd;

	runner_close_session(r);
	code = runner_renew_scratch(r, err);
	if (!code)
		code = runner_open_session(r, g->socket, err);
	if (code)
		return code;
	r->used = true;
	r->main = 0;
	r->wanted = SEAM_SERVER_NONE;
	runner_put_plan(r, g->plan, g->forced);
	atomic_store(&runner_sched(r)->on, 1);
	g->asked = 0;
	fd = open(g->token, O_WRONLY | O_CREAT | O_CLOEXEC, (mode_t)0600);
	if (fd < 0)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "%s: %s", g->token,
				 strerror(errno));
	close(fd);
	return SEAM_OK;
}

/* While it goes on. */

/* Somebody who dies in a debugger's hands may have the baton.  Does the
 * program still run? */
static bool
mind(struct runner *r)
{
	bool runs;

	seam_lock(r->session);
	if (runner_main(r)->used && !r->session->broken[0])
		runner_elect(r->session);
	runs = runner_main(r)->used && !runner_main(r)->ended;
	seam_unlock(r->session);
	return runs;
}

/* Once it may be by one who has got it meanwhile; who goes on asking waits. */
static bool
is_wanted(struct debugging *g)
{
	if (unlink(g->wanted) == 0)
		g->asked++;
	return g->asked >= ASKED;
}

static enum seam_code
wait_for(struct debugging *g, pid_t pid, int *status, struct seam_error *err)
{
	struct pollfd end = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	enum seam_code code = SEAM_OK;

	while (end.fd >= 0 && !code && poll(&end, 1, LOOK_MS) <= 0) {
		bool runs = mind(g->r);

		if (is_wanted(g) && !runs)
			code = renew(g, err);
	}
	if (code)
		kill(pid, SIGTERM);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	if (end.fd >= 0)
		close(end.fd);
	return code;
}

static enum seam_code
take(struct runner *r, struct runner_result *res, struct seam_error *err)
{
	enum seam_code code;

	seam_lock(r->session);
	code = runner_take_trace(r, false, res, err);
	seam_unlock(r->session);
	return code;
}

static enum seam_code
debug(struct debugging *g, runner_launch *launch, void *data,
      struct runner_result *res, int *status, struct seam_error *err)
{
	enum seam_code code;
	pid_t pid;

	if (!make_place(g, err))
		return err->code;
	code = renew(g, err);
	if (!code)
		code = make_env(g, err);
	if (code)
		return code;
	pid = launch(&g->d, data);
	if (pid < 0)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot start the debugger: %s",
				 strerror(-pid));
	code = wait_for(g, pid, status, err);
	return code ? code : take(g->r, res, err);
}

enum seam_code
runner_debug(struct runner *r, const struct seam_plan *plan,
	     const struct seam_forced *forced, runner_launch *launch,
	     void *data, struct runner_result *res, int *status,
	     struct seam_error *err)
{
	struct debugging g = { .r = r,
			       .plan = plan,
			       .forced = forced,
			       .d = { .argv = r->argv, .dir = runner_dir(r) } };
	enum seam_code code = debug(&g, launch, data, res, status, err);

	leave_place(&g);
	return code;
}
