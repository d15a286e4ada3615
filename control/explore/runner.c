/* SPDX-License-Identifier: MIT */
/* Starting a replica's target, and running it under a plan. */
#include "explore/runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explore/runner_int.h"
#include "inner.h"

#define START_MS 30000 /* until a target that was started serves */
#define LOOK_MS 100

enum waited { WAITED_OVER, WAITED_GONE, WAITED_LONG, WAITED_STOP };
typedef bool over_fn(const struct runner *r);

/* Waiting, on the bell; the lock is held. */

static enum waited
wait_for(struct runner *r, over_fn *over, uint64_t until)
{
	struct seam_session *s = r->session;
	struct runner_look look = { 0 };
	uint64_t now, next_look = 0;
	uint32_t seen;

	for (;;) {
		seen = atomic_load(&s->arena->head.bell);
		if (over(r))
			return WAITED_OVER;
		if (runner_main(r)->ended || s->broken[0])
			return WAITED_GONE;
		if (atomic_load(&r->stop))
			return WAITED_STOP;
		now = seam_now();
		if (now >= until)
			return WAITED_LONG;
		runner_elect(s);
		if (now >= next_look) {
			runner_unstick(s, &look);
			next_look = now + LOOK_MS * RUNNER_NS_PER_MS;
		}
		now += LOOK_MS * RUNNER_NS_PER_MS;
		seam_bell_wait(s, seen, now < until ? now : until);
	}
}

static bool
is_serving(const struct runner *r)
{
	return atomic_load(&runner_sched(r)->serves) != SEAM_SERVER_NONE;
}

static bool
is_finished(const struct runner *r)
{
	struct seam_sched *s = runner_sched(r);

	return atomic_load(&s->finished) == atomic_load(&s->order);
}

static uint64_t
deadline(const struct runner *r)
{
	uint64_t ms = r->config->timeout_ms;

	return ms ? seam_now() + ms * RUNNER_NS_PER_MS : SEAM_FOREVER;
}

/* The target. */

enum seam_code
runner_open_session(struct runner *r, const char *socket,
		    struct seam_error *err)
{
	const struct seam_options options = { .socket = socket,
					      .preload = r->config->preload,
					      .kill_on_death = true,
					      .kept_free = r->config->kept_free,
					      .mask = r->config->mask };
	struct seam_session *s;
	enum seam_code code = seam_session_open(&options, &s, err);

	if (code)
		return code;
	s->own->patience = 0; /* nobody types here */
	pthread_mutex_lock(&r->guard);
	r->session = s;
	pthread_mutex_unlock(&r->guard);
	return SEAM_OK;
}

void
runner_close_session(struct runner *r)
{
	struct seam_session *s = r->session;
	uint32_t strays;

	if (!s)
		return;
	if (r->used || r->serves) {
		seam_lock(s);
		r->used = true;
		runner_kill(r, &strays);
		seam_unlock(s);
	}
	pthread_mutex_lock(&r->guard);
	r->session = NULL;
	pthread_mutex_unlock(&r->guard);
	seam_session_close(s, false);
	r->used = false;
	r->serves = SEAM_SERVER_NONE;
}

void
runner_put_plan(struct runner *r, const struct seam_plan *plan,
		const struct seam_forced *forced)
{
	struct seam_sched *s = runner_sched(r);

	s->plan = *plan;
	s->plan.server = (uint32_t)r->wanted;
	if (s->plan.forced > SEAM_STEPS)
		s->plan.forced = SEAM_STEPS;
	if (s->plan.forced)
		memcpy(s->forced, forced, s->plan.forced * sizeof(*forced));
}

enum seam_code
runner_make_env(struct runner *r, struct runner_env *env,
		struct seam_error *err)
{
	char *const *added = r->config->env;
	size_t n = 1;

	snprintf(env->own, sizeof(env->own), "SEAM_SCRATCH=%s", r->scratch);
	env->v[0] = env->own;
	for (; added && *added && n <= RUNNER_ENV; added++)
		env->v[n++] = *added;
	env->v[n] = NULL;
	if (added && *added)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "more than %d variables are added",
				 RUNNER_ENV);
	return SEAM_OK;
}

const char *
runner_dir(const struct runner *r)
{
	return r->config->in_scratch ? r->scratch : r->config->dir;
}

static enum seam_code
start(struct runner *r, const struct seam_plan *plan,
      const struct seam_forced *forced, struct seam_error *err)
{
	struct runner_env env;
	struct sess_start how = { .alias = "main",
				  .argv = r->argv,
				  .env = env.v,
				  .dir = runner_dir(r),
				  .stdio = SEAM_CAPTURE };
	enum seam_code code = runner_make_env(r, &env, err);

	if (!code)
		code = runner_open_session(r, NULL, err);
	if (code)
		return code;
	runner_put_plan(r, plan, forced);
	atomic_store(&runner_sched(r)->on, 1);
	code = sess_start(r->session, &how, &r->main, err);
	if (code)
		return code;
	r->used = true;
	code = sess_send(r->session, "main", "", true, err);
	/* A short one has ended by now. */
	return code == SEAM_E_GONE ? SEAM_OK : code;
}

static void
take_why_not(struct runner *r)
{
	seam_arena_string(r->session, atomic_load(&runner_sched(r)->why_not),
			  r->why_not, sizeof(r->why_not));
}

/* It serves, or has been a run itself (*ran, with how that went). */
static enum seam_code
settle(struct runner *r, bool *ran, enum waited *how, struct seam_error *err)
{
	struct stat st;
	uint64_t until = r->wanted == SEAM_SERVER_EARLY ?
			     seam_now() + START_MS * RUNNER_NS_PER_MS :
			     deadline(r);

	*how = wait_for(r, is_serving, until);
	*ran = *how != WAITED_OVER;
	if (*how == WAITED_STOP)
		return sess_fail(err, SEAM_E_GONE, 0, "stopped");
	if (*how != WAITED_OVER) {
		take_why_not(r);
		if (r->wanted == SEAM_SERVER_EARLY)
			return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
					 "%s could not be made to run again "
					 "and again%s%s",
					 r->argv[0], *r->why_not ? ": " : "",
					 r->why_not);
		return SEAM_OK;
	}
	r->serves = (int)atomic_load(&runner_sched(r)->serves);
	r->used = false;
	r->prefix = fstat(runner_main(r)->out, &st) ? 0 : st.st_size;
	return SEAM_OK;
}

/* Its first process has become another program: the thread began anew. */
static bool
has_execed(const struct runner *r)
{
	const struct seam_sched *s = runner_sched(r);
	unsigned begun = 0;

	for (uint32_t i = 0; i < s->steps && i < SEAM_STEPS; i++)
		begun += s->step[i].slot == 0 &&
			 s->step[i].op.verb == SEAM_THREAD_START;
	return begun > 1;
}

/* How the next target is started.  A server's child that becomes another
 * program would join the session as another process than it was: such
 * programs are executed for each run. */
static void
choose_next(struct runner *r, bool served)
{
	if (r->config->server >= 0)
		return;
	if (has_execed(r))
		r->wanted = SEAM_SERVER_NONE;
	else if (!served && r->wanted == SEAM_SERVER_LATE)
		r->wanted = SEAM_SERVER_EARLY;
}

/* A run. */

static enum seam_code
failed(const struct runner *r, const char *what, int status, char *said,
       struct seam_error *err)
{
	(void)r;
	if (status == -1)
		sess_fail(err, SEAM_E_UNSUPPORTED, 0, "%s: %s", what,
			  errno == ETIME ? "not done in time" :
					   strerror(errno));
	else
		sess_fail(err, SEAM_E_UNSUPPORTED, 0,
			  "%s failed with status %d%s%.200s", what,
			  WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
						WEXITSTATUS(status),
			  said && *said ? ": " : "", said ? said : "");
	free(said);
	return err->code;
}

static enum seam_code
carry_out(struct runner *r, const char *command, const char *what,
	  struct seam_error *err)
{
	char *said;
	int status =
	    shell_command(command, r->scratch, r->config->timeout_ms, &said);

	if (status)
		return failed(r, what, status, said, err);
	free(said);
	return SEAM_OK;
}

/* What --setup left is kept, and given to each run anew. */
static enum seam_code
set_up(struct runner *r, struct seam_error *err)
{
	const char *why;
	char *command;
	enum seam_code code;

	r->set_up = true;
	if (!r->config->setup)
		return SEAM_OK;
	code = carry_out(r, r->config->setup, "--setup", err);
	if (code || r->config->reset)
		return code;
	r->model = scratch_new(r->number, &why);
	if (!r->model || asprintf(&command, "cp -a . '%s'", r->model) < 0)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "no directory for what --setup leaves: %s",
				 why);
	code = carry_out(r, command, "keeping what --setup left", err);
	free(command);
	return code;
}

enum seam_code
runner_renew_scratch(struct runner *r, struct seam_error *err)
{
	enum seam_code code = r->set_up ? SEAM_OK : set_up(r, err);
	char *command;

	if (code)
		return code;
	if (r->config->reset)
		return carry_out(r, r->config->reset, "--reset", err);
	if (!scratch_clear(r->scratch))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot empty %s: %s", r->scratch,
				 strerror(errno));
	if (!r->model)
		return SEAM_OK;
	if (asprintf(&command, "cp -a '%s/.' .", r->model) < 0)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	code = carry_out(r, command, "restoring what --setup left", err);
	free(command);
	return code;
}

static enum waited
give_order(struct runner *r, const struct seam_plan *plan,
	   const struct seam_forced *forced)
{
	struct seam_sched *s = runner_sched(r);

	if (ftruncate(runner_main(r)->out, r->prefix))
		errno = 0;
	runner_put_plan(r, plan, forced);
	s->plan.server = (uint32_t)r->serves;
	atomic_fetch_add(&s->order, 1);
	seam_futex_wake(&s->order);
	return wait_for(r, is_finished, deadline(r));
}

enum seam_code
runner_take_trace(struct runner *r, bool timed_out, struct runner_result *res,
		  struct seam_error *err)
{
	struct seam_sched *s = runner_sched(r);
	struct seam_process *p = runner_main(r);
	struct explore_trace *t = &res->trace;
	const char *why;

	if (!explore_trace_copy(r->session->arena, t, &why))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "the arena was damaged: %s", why);
	if (!r->serves)
		t->status = p->status_known ? p->status : 0;
	t->timed_out = timed_out;
	if (!t->who && WIFSIGNALED(t->status)) {
		uint32_t holder = atomic_load(&s->holder);

		t->who = holder <= t->nthreads ? (uint16_t)holder : 0;
	}
	return SEAM_OK;
}

static enum seam_code
conclude(struct runner *r, enum waited how, struct runner_result *res,
	 struct seam_error *err)
{
	enum seam_code code;

	if (r->session->broken[0])
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "the arena was damaged: %s",
				 r->session->broken);
	if (how == WAITED_LONG)
		res->why = runner_describe(r);
	/* Its state first: what dies of the killing changes it. */
	code = runner_take_trace(r, how == WAITED_LONG, res, err);
	res->outside = runner_sched(r)->outside;
	if (!runner_kill(r, &res->strays)) {
		r->used = true;
		if (!code)
			code = sess_fail(err, SEAM_E_UNSUPPORTED, 0,
					 "a process of the run cannot be "
					 "killed");
	}
	if (how == WAITED_STOP && !code)
		code = sess_fail(err, SEAM_E_GONE, 0, "stopped");
	return code;
}

/* *again: the server is no more, through no fault of the plan. */
static enum seam_code
run_locked(struct runner *r, const struct seam_plan *plan,
	   const struct seam_forced *forced, struct runner_result *res,
	   bool *again, struct seam_error *err)
{
	enum waited how = WAITED_OVER;
	enum seam_code code = SEAM_OK;
	bool ran = false;

	*again = false;
	if (!r->serves)
		code = settle(r, &ran, &how, err);
	if (code)
		return code;
	if (!ran)
		how = give_order(r, plan, forced);
	if (!ran && how == WAITED_GONE && !r->session->broken[0]) {
		*again = r->config->server < 0;
		r->wanted = SEAM_SERVER_NONE;
		r->used = true;
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "the process that forks the runs has ended");
	}
	choose_next(r, !ran);
	if (!ran && r->wanted == SEAM_SERVER_NONE) {
		r->used = *again = true;
		return SEAM_OK;
	}
	return conclude(r, how, res, err);
}

static enum seam_code
run_once(struct runner *r, const struct seam_plan *plan,
	 const struct seam_forced *forced, struct runner_result *res,
	 bool *again, struct seam_error *err)
{
	enum seam_code code;

	*again = false;
	if (r->used)
		runner_close_session(r);
	code = runner_renew_scratch(r, err);
	if (!code && !r->session)
		code = start(r, plan, forced, err);
	if (code)
		return code;
	seam_lock(r->session);
	code = run_locked(r, plan, forced, res, again, err);
	seam_unlock(r->session);
	return code;
}

enum seam_code
runner_run(struct runner *r, const struct seam_plan *plan,
	   const struct seam_forced *forced, struct runner_result *res,
	   struct seam_error *err)
{
	enum seam_code code;
	bool again;
	char *said;

	free(res->why);
	res->why = NULL;
	res->check = 0;
	res->strays = res->outside = 0;
	if (atomic_load(&r->stop))
		return sess_fail(err, SEAM_E_GONE, 0, "stopped");
	do
		code = run_once(r, plan, forced, res, &again, err);
	while (again);
	if (code || !r->config->check)
		return code;
	res->check = shell_command(r->config->check, r->scratch,
				   r->config->timeout_ms, &said);
	if (res->check == -1)
		return failed(r, "--check", -1, said, err);
	res->why = said;
	return SEAM_OK;
}

/* Opening and closing. */

static pthread_once_t first_known = PTHREAD_ONCE_INIT;
static int first;

static void
find_first(void)
{
	first = sched_getcpu();
}

/* One of the cores that we may use, counted round from where this process
 * began: whoever else explores does not want the same one. */
static void
pin(unsigned number)
{
	cpu_set_t may, one;
	size_t cpu;

	pthread_once(&first_known, find_first);
	if (sched_getaffinity(0, sizeof(may), &may) || !CPU_COUNT(&may))
		return;
	number %= (unsigned)CPU_COUNT(&may);
	cpu = first < 0 ? 0 : (size_t)first;
	while (!CPU_ISSET(cpu, &may) || number-- > 0)
		cpu = (cpu + 1) % CPU_SETSIZE;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* The same program wherever it runs. */
static bool
make_argv(struct runner *r)
{
	size_t n = 0;
	const char *name = r->config->argv[0];

	while (r->config->argv[n])
		n++;
	r->argv = calloc(n + 1, sizeof(*r->argv));
	if (!r->argv)
		return false;
	memcpy(r->argv, r->config->argv, n * sizeof(*r->argv));
	if (r->config->in_scratch && n && strchr(name, '/'))
		r->program = realpath(name, NULL);
	if (r->program)
		r->argv[0] = r->program;
	return true;
}

enum seam_code
runner_open(const struct runner_config *config, unsigned number,
	    struct runner **out, struct seam_error *err)
{
	struct runner *r = calloc(1, sizeof(*r));
	int now = personality(0xffffffff);
	const char *why = "no memory";

	*out = NULL;
	if (!r)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "%s", why);
	r->config = config;
	r->number = number;
	pthread_mutex_init(&r->guard, NULL);
	r->wanted = config->server >= 0		   ? config->server :
		    config->setup || config->reset ? SEAM_SERVER_EARLY :
						     SEAM_SERVER_LATE;
	if (number == 0)
		scratch_sweep();
	pin(number);
	if (now >= 0)
		personality((unsigned long)now | ADDR_NO_RANDOMIZE);
	r->scratch = scratch_new(number, &why);
	if (r->scratch && make_argv(r)) {
		*out = r;
		return SEAM_OK;
	}
	sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no scratch directory: %s", why);
	runner_close(r);
	return err->code;
}

void
runner_close(struct runner *r)
{
	if (!r)
		return;
	runner_close_session(r);
	scratch_free(r->scratch);
	scratch_free(r->model);
	pthread_mutex_destroy(&r->guard);
	free(r->program);
	free(r->argv);
	free(r);
}

void
runner_renew(struct runner *r)
{
	if (r->session)
		r->used = true;
}

void
runner_stop(struct runner *r)
{
	atomic_store(&r->stop, true);
	pthread_mutex_lock(&r->guard);
	if (r->session)
		seam_bell_ring(r->session);
	pthread_mutex_unlock(&r->guard);
}

char *
runner_output(struct runner *r, size_t *len)
{
	struct seam_error err;
	char *text = NULL;

	*len = 0;
	if (!r->session ||
	    sess_output(r->session, "main", &text, len, &err) != SEAM_OK)
		return strdup("");
	return text;
}

struct seam_session *
runner_session(struct runner *r)
{
	return r->session;
}

int
runner_server(struct runner *r)
{
	return r->serves;
}

void
runner_why_not(struct runner *r, char *buf, size_t size)
{
	snprintf(buf, size, "%s", r->why_not);
}

void
runner_result_clear(struct runner_result *res)
{
	explore_trace_clear(&res->trace);
	free(res->why);
	res->why = NULL;
}
