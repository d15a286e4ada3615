/* SPDX-License-Identifier: MIT */
/*
 * A damaged trace of a run: copied out of the arena, as exploring does, and
 * if that lets it pass, given to whatever looks at traces.
 */
#include "../model.h"
#include "explore/coverage.h"
#include "explore/critical.h"
#include "explore/lockorder.h"
#include "explore/oracle.h"
#include "explore/order.h"
#include "explore/out_run.h"
#include "explore/predict.h"
#include "explore/replay_compare.h"
#include "explore/strategies.h"
#include "explore/systematic.h"
#include "overlay.h"
#include "session.h"

enum { A = 1, B, COND, SEM };

static struct seam_session *session;
static struct seam_forced *forced;
static struct overlay_area areas[8];
static size_t nareas;

static void
add_area(void *at, size_t size)
{
	areas[nareas++] = (struct overlay_area){ .at = at, .size = size };
}

/* Two locks in both orders, a condition, a semaphore; it comes to its end. */
static void
make_program(struct model_program *p)
{
	for (unsigned i = 1; i < 4; i++)
		model_peer(p, 0, SEAM_THREAD_CREATE, i);
	for (unsigned i = 1; i < 3; i++) {
		model_add(p, i, SEAM_MUTEX_LOCK, i == 1 ? A : B, 0);
		model_add(p, i, SEAM_MUTEX_LOCK, i == 1 ? B : A, 0);
		model_add(p, i, SEAM_MUTEX_UNLOCK, i == 1 ? B : A, 0);
		model_add(p, i, SEAM_MUTEX_UNLOCK, i == 1 ? A : B, 0);
		model_add(p, i, SEAM_SEM_POST, SEM, 0);
	}
	model_add(p, 3, SEAM_MUTEX_LOCK, A, 0);
	model_add(p, 3, SEAM_COND_WAIT, COND, A);
	model_add(p, 3, SEAM_MUTEX_UNLOCK, A, 0);
	model_add(p, 0, SEAM_SEM_WAIT, SEM, 0);
	model_add(p, 0, SEAM_MUTEX_LOCK, A, 0);
	model_add(p, 0, SEAM_COND_SIGNAL, COND, 0);
	model_add(p, 0, SEAM_MUTEX_UNLOCK, A, 0);
	for (unsigned i = 1; i < 4; i++)
		model_peer(p, 0, SEAM_THREAD_JOIN, i);
}

static void
name_all(struct seam_arena *a)
{
	static const uint8_t kinds[] = { SEAM_KIND_MUTEX, SEAM_KIND_MUTEX,
					 SEAM_KIND_COND, SEAM_KIND_SEM };
	struct seam_sched *s = &a->sched;

	for (uint32_t i = 0; i < s->slots; i++) {
		s->slot[i].thread = i;
		snprintf(a->thread[i].path, SEAM_PATH, "P1.T0%s%u",
			 i ? "." : "", i);
		if (!i)
			strcpy(a->thread[i].path, "P1.T0");
		atomic_store(&a->thread[i].state, SEAM_THREAD_RUNNING);
	}
	atomic_store(&a->head.threads, s->slots);
	s->sobjects = sizeof(kinds);
	for (uint32_t i = 0; i < s->sobjects; i++)
		s->sobject[i].kind = kinds[i];
	for (uint32_t i = 0; i < s->steps; i++)
		s->step[i].site = 0x1000 + i;
}

static void
make_all(void)
{
	static struct model_program program;
	struct seam_sched *s;
	struct model *m;

	session = fuzz_session();
	fuzz_process(session, 0, "P1", false);
	s = &session->arena->sched;
	forced = calloc(SEAM_STEPS, sizeof(*forced));
	m = calloc(1, sizeof(*m));
	DEMAND(forced && m);
	m->sched = s;
	s->plan.strategy = SEAM_STRATEGY_RANDOM;
	make_program(&program);
	for (s->plan.seed = 1; !model_run(m, &program); s->plan.seed++)
		;
	free(m);
	name_all(session->arena);
	add_area(&s->slots, offsetof(struct seam_sched, slot) -
				offsetof(struct seam_sched, slots));
	add_area(s->slot, (s->slots + 1) * sizeof(s->slot[0]));
	add_area(s->sobject, (s->sobjects + 1) * sizeof(s->sobject[0]));
	add_area(s->step, (s->steps + 1) * sizeof(s->step[0]));
	add_area(&s->status, sizeof(s->status));
	overlay_keep(areas, nareas);
}

/* Who looks at traces. */

struct looked {
	struct runner_result result;
	struct explore_labels *labels;
	struct replay_file *file;
	unsigned pick; /* which search */
};

static void
count_race(void *arg, const struct order_race *race)
{
	struct order *o = arg;

	DEMAND(race->first < race->second && race->others <= SEAM_MASKED);
	order_reversed(o, race);
	order_left_out(o, race, race->first);
}

static void
look_order(const struct looked *l)
{
	const struct explore_trace *t = &l->result.trace;
	struct order o;

	explore_class(t);
	if (t->nthreads > SEAM_MASKED)
		return;
	DEMAND(order_make(&o, t, UINT32_MAX));
	for (uint32_t j = 0; j < o.n; j++)
		order_races(&o, j, count_race, &o);
	for (uint32_t i = 0; i < o.threads; i++)
		if (order_pending(&o, o.n, (uint16_t)i) != ORDER_NONE)
			order_races(&o, o.n + i, count_race, &o);
	order_free(&o);
}

static void
look_oracle(const struct looked *l)
{
	const struct oracle oracle = { .compare = true, .left_behind = true };
	enum explore_fault fault = oracle_judge(&oracle, &l->result);

	DEMAND(fault < EXPLORE_FAULTS && explore_fault_names[fault]);
	free(oracle_explain(&oracle, fault, &l->result, l->labels));
}

static void
look_replay(const struct looked *l)
{
	const struct explore_trace *t = &l->result.trace;
	struct replay_moved moved;
	struct replay_match *m;
	uint32_t at;

	for (int same = 0; same < 2; same++) {
		m = replay_match_new(l->file, t, l->labels, same);
		DEMAND(m);
		replay_differs(m, &at);
		replay_moved(m, &moved);
		replay_match_free(m);
	}
	for (at = 0; at <= t->nsteps; at += t->nsteps / 2 + 1)
		free(replay_actual(t, l->labels, at));
	replay_put(fuzz_null(), l->file, NULL);
}

static void
look_out(const struct looked *l)
{
	const struct out_run run = { .file = l->file,
				     .trace = &l->result.trace,
				     .labels = l->labels,
				     .text = "it failed" };
	json_t *json = out_run_json(&run), *trace;

	DEMAND(json);
	trace = out_trace_json(json);
	DEMAND(trace);
	json_decref(trace);
	json_decref(json);
}

static void
look_prediction(const struct looked *l)
{
	struct predict *p = predict_new(7);
	struct seam_plan plan = { .seed = 1 };
	const struct predict_run run = { .plan = &plan,
					 .trace = &l->result.trace,
					 .session = session,
					 .schedule = 1 };
	uint32_t directed;

	DEMAND(p);
	predict_learn(p, &run);
	predict_learn(p, &run);
	for (int i = 0; i < 4; i++)
		if (!predict_next(p, &plan, forced, &directed))
			break;
	for (size_t i = 0; i < predict_count(p); i++)
		free(prediction_text(predict_at(p, i)));
	predict_free(p);
}

static void
look_coverage(const struct looked *l)
{
	const struct explore_trace *t = &l->result.trace;
	struct explore_coverage *c = explore_coverage_new();
	size_t n;

	DEMAND(c);
	if (!explore_coverage_add(c, t)) {
		explore_coverage_name(c, t, l->labels);
		explore_coverage_add(c, t);
	}
	explore_coverage_sum(c);
	free(explore_coverage_pairs(c, &n));
	explore_coverage_free(c);
}

static void
look_search(const struct explore_strategy *row, const struct explore_trace *t)
{
	const struct explore_params params = { .seed = 7 };
	struct explore_search *s = row->open(&params);
	struct explore_said said;
	uint64_t ticket;

	DEMAND(s);
	for (int i = 0; i < 3; i++) {
		struct seam_plan plan = { .forced = 0 };

		if (row->next(s, &plan, forced, &ticket) != EXPLORE_PLAN)
			break;
		DEMAND(plan.forced <= SEAM_STEPS);
		row->learn(s, ticket, t);
	}
	row->say(s, &said);
	row->close(s);
}

static void
look_searches(const struct looked *l)
{
	unsigned n = 1;

	while (explore_strategies[n])
		n++;
	look_search(explore_strategies[l->pick % n], &l->result.trace);
}

static const struct explore_trace *
fails(void *arg, const struct explore_switches *s, bool *go_on)
{
	unsigned *runs = arg;
	struct seam_plan plan = { .forced = 0 };

	explore_switches_plan(s, NULL, &plan, forced);
	*go_on = ++*runs < 8;
	return NULL;
}

static void
look_pair(const struct looked *l)
{
	const struct explore_trace *t = &l->result.trace;
	struct critical c;
	unsigned runs = 0;

	DEMAND(critical_find(t, fails, &runs, &c));
	for (uint32_t i = 0; i + 1 < t->nsteps; i++) {
		c = (struct critical){ true, i, i + 1 };
		free(critical_because(t, l->labels, &c));
	}
}

static void
make_file(struct looked *l)
{
	l->labels = explore_labels_take(session, &l->result.trace);
	l->file = calloc(1, sizeof(*l->file));
	DEMAND(l->labels && l->file);
	l->file->dir = strdup(".");
	l->file->argv = calloc(2, sizeof(char *));
	l->file->argv[0] = strdup("a");
	l->file->program = strdup("/a");
	l->file->program_id = strdup("-");
	l->file->library_id = strdup("-");
	l->file->strategy = strdup("pct");
	l->file->fault = strdup("crash");
	DEMAND(replay_take(l->file, &l->result.trace, l->labels));
}

static void
look_at(unsigned which, struct looked *l)
{
	static const struct {
		void (*look)(const struct looked *);
		bool names;
	} looks[] = {
		{ look_order, false },	    { look_oracle, true },
		{ look_replay, true },	    { look_out, true },
		{ look_prediction, false }, { look_coverage, true },
		{ look_searches, false },   { look_pair, true },
	};
	const unsigned n = sizeof(looks) / sizeof(looks[0]);

	l->pick = which / n;
	if (looks[which % n].names)
		make_file(l);
	looks[which % n].look(l);
	explore_labels_free(l->labels);
	if (l->file)
		replay_free(l->file);
}

/* Longer runs take time alone. */
static void
limit(uint32_t *count, uint32_t to)
{
	if (*count > to)
		*count = to;
}

int
FUZZ_TARGET(run)(const uint8_t *data, size_t size)
{
	struct looked l = { .labels = NULL };
	struct seam_sched *s;
	uint32_t slots;
	const char *why;

	if (!session)
		make_all();
	if (size < 1)
		return 0;
	s = &session->arena->sched;
	overlay_write(areas, nareas, data + 1, size - 1);
	limit(&s->steps, 100);
	limit(&s->sobjects, 100);
	slots = atomic_load(&s->slots);
	limit(&slots, 80);
	atomic_store(&s->slots, slots);
	if (explore_trace_copy(session->arena, &l.result.trace, &why))
		look_at(*data, &l);
	else
		DEMAND(why);
	explore_trace_clear(&l.result.trace);
	overlay_restore(areas, nareas);
	fuzz_session_mend(session);
	return 0;
}
