/* SPDX-License-Identifier: MIT */
/* Many runs, some at a time. */
#include "explore/campaign.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "arena_ctl.h"
#include "session_int.h"

#define PROGRESS_MS 200
#define NS_PER_MS UINT64_C(1000000)
#define KNOWN_MAX 256 /* failures told apart */

struct replica {
	struct campaign *campaign;
	pthread_t thread;
	unsigned number;
	bool started;
	struct runner *runner;
	struct runner_result result;
	struct seam_plan plan;
	struct seam_forced *forced;
	uint32_t directed; /* predict_next's, of the run that is out */
};

struct campaign {
	const struct campaign_config *config;
	struct runner_config run; /* with the signal mask */
	sigset_t mask;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t learnt;
	struct explore_search *search;
	struct explore_known *known, *own; /* own: to be freed */
	struct predict *predict;	   /* NULL: not wanted */
	struct campaign_state state;
	struct replica *replica;
	unsigned running; /* threads */
	uint64_t given, out;
	bool over, ending, keep_due;
	uint64_t kept, timed;	  /* when */
	uint64_t told[KNOWN_MAX]; /* hashes of what was told of */
	size_t ntold;
	char *blind;
	uint64_t begun;
	int over_fd;
};

/* Ending. */

static void
finish(struct campaign *c, enum campaign_end end)
{
	if (c->over)
		return;
	c->over = true;
	c->state.end = end;
	for (unsigned i = 0; i < c->config->replicas; i++)
		if (c->replica[i].runner)
			runner_stop(c->replica[i].runner);
	pthread_cond_broadcast(&c->learnt);
}

/* Where what is known is kept, what is under way is learnt from first. */
static void
end_soon(struct campaign *c, enum campaign_end end)
{
	if (!c->config->keep || !c->out || c->ending) {
		finish(c, end);
		return;
	}
	c->ending = true;
	c->state.end = end;
}

static void
give_up(struct campaign *c, const struct seam_error *err)
{
	if (!c->over)
		c->state.err = *err;
	finish(c, CAMPAIGN_ERROR);
}

/* What came of a run. */

static bool
is_new(struct campaign *c, enum explore_fault fault, const char *text)
{
	uint64_t hash = seam_stir(fault, seam_key_of(text));

	for (size_t i = 0; i < c->ntold; i++)
		if (c->told[i] == hash)
			return false;
	if (c->ntold < KNOWN_MAX)
		c->told[c->ntold++] = hash;
	return true;
}

static void
tell(struct replica *r, enum explore_fault fault)
{
	struct campaign *c = r->campaign;
	struct campaign_find find = { .fault = fault,
				      .schedule = c->known->all.schedules,
				      .server = runner_server(r->runner),
				      .directed =
					  r->directed ? c->state.directed : 0,
				      .plan = &r->plan,
				      .result = &r->result,
				      .forced = r->forced };
	struct explore_labels *l =
	    explore_labels_take(runner_session(r->runner), &r->result.trace);
	char *text =
		 l ? oracle_explain(&c->config->oracle, fault, &r->result, l) :
		     NULL,
	     *output = runner_output(r->runner, &find.output_len);

	if (text && is_new(c, fault, text)) {
		find.labels = l;
		find.text = text;
		find.output = output ? output : "";
		c->state.distinct++;
		c->config->found(&find, c->config->data);
	}
	free(text);
	free(output);
	explore_labels_free(l);
}

/* No strategy can go on where there is no room. */
static bool
is_full(const struct explore_trace *t, struct seam_error *err)
{
	if (t->verdict != SEAM_VERDICT_FULL)
		return false;
	sess_fail(err, SEAM_E_UNSUPPORTED, 0, "a run does not fit: %s",
		  t->what);
	return true;
}

static void
tell_ran(struct replica *r, enum explore_fault fault)
{
	const struct campaign_config *config = r->campaign->config;
	const struct explore_trace *t = &r->result.trace;
	bool cut = t->timed_out || t->verdict;
	struct campaign_ran ran = { .fault = fault };
	char *output;

	if (!config->ran || t->verdict == SEAM_VERDICT_ASLEEP)
		return;
	output = runner_output(r->runner, &ran.output_len);
	ran.status = cut ? -1 : oracle_shell_status(t->status);
	ran.output = output ? output : "";
	config->ran(&ran, config->data);
	free(output);
}

static void
predict(struct replica *r, enum explore_fault fault)
{
	struct campaign *c = r->campaign;
	struct predict_run run = { .plan = &r->plan,
				   .trace = &r->result.trace,
				   .session = runner_session(r->runner),
				   .schedule = c->known->all.schedules,
				   .directed = r->directed,
				   .fault = fault };

	if (c->predict)
		predict_learn(c->predict, &run);
}

static void
take_fault(struct replica *r, enum explore_fault fault)
{
	struct campaign *c = r->campaign;

	if (c->ending)
		return;
	tell(r, fault);
	if (!c->config->keep_going)
		end_soon(c, CAMPAIGN_FOUND);
}

/* It is no sample, and no part of what the search goes through. */
static void
take_directed(struct replica *r)
{
	struct campaign *c = r->campaign;
	enum explore_fault fault = oracle_judge(&c->config->oracle, &r->result);

	c->state.directed++;
	predict(r, fault);
	if (!fault)
		return;
	c->known->all.confirmed++;
	take_fault(r, fault);
}

static void
take_result(struct replica *r, uint64_t ticket)
{
	struct campaign *c = r->campaign;
	const struct explore_strategy *s = c->search->strategy,
				      *by = s->whose ?
						s->whose(c->search, ticket) :
						s;
	enum explore_fault fault;
	struct seam_error err;

	if (is_full(&r->result.trace, &err)) {
		give_up(c, &err);
		return;
	}
	s->learn(c->search, ticket, &r->result.trace);
	campaign_count(c->known, by, &r->plan, &r->result,
		       runner_session(r->runner));
	fault = oracle_judge(&c->config->oracle, &r->result);
	tell_ran(r, fault);
	predict(r, fault);
	if (!fault)
		return;
	c->known->all.failing++;
	take_fault(r, fault);
}

/* A replica. */

static void
add_time(struct campaign *c)
{
	uint64_t now = seam_now();

	c->known->all.seconds += (double)(now - c->timed) / 1e9;
	c->timed = now;
}

/* Before the next run: is there something else to do?  true: look again. */
static bool
is_held_up(struct campaign *c)
{
	if (!c->ending && !c->keep_due)
		return false;
	if (c->out) {
		pthread_cond_wait(&c->learnt, &c->lock);
		return true;
	}
	if (c->ending) {
		finish(c, c->state.end);
		return true;
	}
	c->keep_due = false;
	add_time(c);
	c->config->keep(c, c->config->data);
	c->kept = seam_now();
	return true;
}

static enum explore_next
next_plan(struct replica *r, uint64_t *ticket)
{
	struct campaign *c = r->campaign;
	enum explore_next next;

	while (!c->over) {
		if (is_held_up(c))
			continue;
		r->plan =
		    (struct seam_plan){ .flags = c->config->flags,
					.entropy = c->config->params.seed,
					.max_steps = c->config->max_steps };
		r->directed = 0;
		if (c->predict && predict_next(c->predict, &r->plan, r->forced,
					       &r->directed)) {
			c->out++;
			return EXPLORE_PLAN;
		}
		if (c->config->runs && c->given >= c->config->runs) {
			if (!c->out)
				finish(c, CAMPAIGN_RUNS);
			return EXPLORE_DONE;
		}
		next = c->search->strategy->next(c->search, &r->plan, r->forced,
						 ticket);
		if (next == EXPLORE_PLAN) {
			r->plan.flags |= c->config->flags;
			c->given++;
			c->out++;
			return next;
		}
		if (next == EXPLORE_DONE || !c->out) {
			if (!c->out)
				finish(c, CAMPAIGN_DONE);
			return EXPLORE_DONE;
		}
		pthread_cond_wait(&c->learnt, &c->lock);
	}
	return EXPLORE_DONE;
}

static void
run_plans(struct replica *r)
{
	struct campaign *c = r->campaign;
	struct seam_error err;
	enum seam_code code;
	uint64_t ticket = 0;

	while (next_plan(r, &ticket) == EXPLORE_PLAN) {
		pthread_mutex_unlock(&c->lock);
		code = runner_run(r->runner, &r->plan, r->forced, &r->result,
				  &err);
		pthread_mutex_lock(&c->lock);
		c->out--;
		if (code && !c->over)
			give_up(c, &err);
		else if (!code && !c->over && r->directed)
			take_directed(r);
		else if (!code && !c->over)
			take_result(r, ticket);
		pthread_cond_broadcast(&c->learnt);
	}
}

/* Of the last run that there was. */
static void
keep_blind_spots(struct replica *r)
{
	struct seam_session *s = runner_session(r->runner);
	json_t *stats = s ? seam_stats(s) : NULL, *spot;
	char *text = NULL, *longer;
	size_t i;

	json_array_foreach(json_object_get(stats, "blind_spots"), i, spot)
	{
		if (asprintf(&longer, "%s%s%s", text ? text : "",
			     text ? "\n" : "", json_string_value(spot)) < 0)
			break;
		free(text);
		text = longer;
	}
	json_decref(stats);
	free(r->campaign->blind);
	r->campaign->blind = text;
}

static void *
replica_main(void *data)
{
	struct replica *r = data;
	struct campaign *c = r->campaign;
	const uint64_t one = 1;
	struct runner *runner;
	struct seam_error err;
	enum seam_code code = runner_open(&c->run, r->number, &runner, &err);

	pthread_mutex_lock(&c->lock);
	r->runner = runner;
	if (code)
		give_up(c, &err);
	else
		run_plans(r);
	if (runner && r->number == 0) {
		keep_blind_spots(r);
		c->state.server = runner_server(runner);
		runner_why_not(runner, c->state.why_not,
			       sizeof(c->state.why_not));
	}
	r->runner = NULL;
	pthread_mutex_unlock(&c->lock);
	runner_close(runner);
	pthread_mutex_lock(&c->lock);
	c->running--;
	pthread_mutex_unlock(&c->lock);
	if (write(c->over_fd, &one, sizeof(one)) < 0)
		errno = 0;
	return NULL;
}

/* The caller's thread. */

static bool
any_running(struct campaign *c)
{
	bool any;

	pthread_mutex_lock(&c->lock);
	any = c->running > 0;
	pthread_mutex_unlock(&c->lock);
	return any;
}

static void
mind_keeping(struct campaign *c)
{
	if (!c->config->keep)
		return;
	pthread_mutex_lock(&c->lock);
	if (seam_now() - c->kept > c->config->keep_ms * 1000000)
		c->keep_due = true;
	pthread_mutex_unlock(&c->lock);
}

static void
end_now(struct campaign *c, enum campaign_end end)
{
	pthread_mutex_lock(&c->lock);
	end_soon(c, end);
	pthread_mutex_unlock(&c->lock);
}

static void
mind(struct campaign *c, int signals)
{
	struct pollfd p[] = { { .fd = signals, .events = POLLIN },
			      { .fd = c->over_fd, .events = POLLIN } };
	struct signalfd_siginfo info;
	uint64_t number;

	while (any_running(c)) {
		if (poll(p, 2, PROGRESS_MS) < 0)
			continue;
		if (p[1].revents && read(c->over_fd, &number, 8) < 0)
			errno = 0;
		if (p[0].revents &&
		    read(signals, &info, sizeof(info)) == sizeof(info)) {
			c->state.signal = (int)info.ssi_signo;
			end_now(c, CAMPAIGN_STOPPED);
		}
		if (c->config->ms &&
		    seam_now() - c->begun >= c->config->ms * NS_PER_MS)
			end_now(c, CAMPAIGN_RUNS);
		if (c->config->progress)
			c->config->progress(c->config->data);
		mind_keeping(c);
	}
}

static void
start_replicas(struct campaign *c)
{
	struct seam_error err;

	pthread_mutex_lock(&c->lock);
	for (unsigned i = 0; i < c->config->replicas; i++) {
		struct replica *r = &c->replica[i];

		r->campaign = c;
		r->number = i;
		r->forced = seam_pages_new(SEAM_STEPS * sizeof(*r->forced));
		r->started = r->forced && pthread_create(&r->thread, NULL,
							 replica_main, r) == 0;
		c->running += r->started;
		if (r->started)
			continue;
		sess_fail(&err, SEAM_E_UNSUPPORTED, 0,
			  "cannot start replica %u", i);
		give_up(c, &err);
	}
	pthread_mutex_unlock(&c->lock);
}

static void
end_replicas(struct campaign *c)
{
	for (unsigned i = 0; i < c->config->replicas; i++) {
		struct replica *r = &c->replica[i];

		if (r->started)
			pthread_join(r->thread, NULL);
		seam_pages_free(r->forced, SEAM_STEPS * sizeof(*r->forced));
		runner_result_clear(&r->result);
	}
}

struct campaign *
campaign_new(const struct campaign_config *config)
{
	struct campaign *c = calloc(1, sizeof(*c));
	bool wanted;

	if (!c)
		return NULL;
	c->config = config;
	c->run = *config->run;
	c->run.mask = &c->mask;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->learnt, NULL);
	c->replica = calloc(config->replicas, sizeof(*c->replica));
	c->known = config->known;
	if (!c->known)
		c->known = c->own =
		    explore_known_new(config->params.seed, 0, 0);
	c->over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->search = config->strategy->open(&config->params);
	wanted = config->predict && !(config->flags & SEAM_PLAN_MARKED);
	if (wanted)
		c->predict = predict_new(config->params.seed);
	if (c->replica && c->known && c->search && c->over_fd >= 0 &&
	    (c->predict || !wanted))
		return c;
	campaign_free(c);
	return NULL;
}

bool
campaign_resume(struct campaign *c, const json_t *state)
{
	const struct explore_strategy *s = c->search->strategy;

	return s->load && s->load(c->search, state);
}

json_t *
campaign_left_at(const struct campaign *c)
{
	const struct explore_strategy *s = c->search->strategy;

	return s->save ? s->save(c->search) : NULL;
}

const struct explore_known *
campaign_known(const struct campaign *c)
{
	return c->known;
}

void
campaign_run(struct campaign *c)
{
	sigset_t set;
	int signals;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, &c->mask);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	c->begun = c->kept = c->timed = seam_now();
	start_replicas(c);
	mind(c, signals);
	end_replicas(c);
	c->state.seconds = (double)(seam_now() - c->begun) / 1e9;
	add_time(c);
	if (signals >= 0)
		close(signals);
	pthread_sigmask(SIG_SETMASK, &c->mask, NULL);
}

void
campaign_state(struct campaign *c, struct campaign_state *state)
{
	struct explore_sure sure;

	pthread_mutex_lock(&c->lock);
	c->search->strategy->say(c->search, &c->state.said);
	campaign_totals(c->known, &c->state);
	explore_sure(c->known, c->search->strategy, &c->state.said,
		     campaign_is_exhaustive(&c->state), &sure);
	c->state.chance_of_new = sure.next.value;
	if (c->running)
		c->state.seconds = (double)(seam_now() - c->begun) / 1e9;
	*state = c->state;
	pthread_mutex_unlock(&c->lock);
}

bool
campaign_is_exhaustive(const struct campaign_state *s)
{
	return s->end == CAMPAIGN_DONE && s->said.exhaustive && !s->too_long &&
	       !s->outside;
}

double
campaign_chance_of_new(const struct campaign_state *s)
{
	return s->chance_of_new;
}

const char *
campaign_blind(const struct campaign *c)
{
	return c->blind;
}

char *
campaign_blind_text(const char *blind, const struct campaign_state *s)
{
	char *text;

	if (!s->outside)
		return strdup(blind ? blind : "");
	if (asprintf(&text, "%s%s%llu schedules waited for the outside world",
		     blind ? blind : "", blind && *blind ? "\n" : "",
		     (unsigned long long)s->outside) < 0)
		return NULL;
	return text;
}

const struct predict *
campaign_predictions(const struct campaign *c)
{
	return c->predict;
}

void
campaign_free(struct campaign *c)
{
	if (!c)
		return;
	if (c->search)
		c->search->strategy->close(c->search);
	explore_known_free(c->own);
	predict_free(c->predict);
	if (c->over_fd >= 0)
		close(c->over_fd);
	free(c->replica);
	free(c->blind);
	pthread_cond_destroy(&c->learnt);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
