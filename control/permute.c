/* SPDX-License-Identifier: MIT */
/* Scripts of sessions and steps: carrying them out. */
#include "permute.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "permute_auto.h"

#define TRIED_MAX 10000 /* orders, by `permutations auto` */
#define LOOKED_MAX 10000000

struct running {
	struct permute *p;
	struct permute_trial *trial; /* `permutations auto`; else NULL */
	struct permute_eyes *eyes;
	struct seam_session *s;
	struct permute_talk *talk; /* by session */
	size_t *waiting;	   /* steps, in the order they were sent */
	size_t n_waiting;
	uint64_t ended; /* sessions, as far as the trial has it */
	FILE *out;
	struct seam_error err;
};

/* What is written down. */

static void
put_output(struct running *r, const struct permute_talk *t)
{
	if (t->n) {
		fwrite(t->text, 1, t->n, r->out);
		if (t->text[t->n - 1] != '\n')
			fputc('\n', r->out);
	}
	if (!t->over)
		return;
	if (WIFSIGNALED(t->status))
		fprintf(r->out, "<%s ended by signal %d>\n", t->session->name,
			WTERMSIG(t->status));
	else
		fprintf(r->out, "<%s ended with status %d>\n", t->session->name,
			WEXITSTATUS(t->status));
}

static struct permute_talk *
talk_of(struct running *r, size_t step)
{
	return &r->talk[r->p->step[step].session];
}

/* Those that waited and do no longer. */
static void
put_completed(struct running *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n_waiting; i++) {
		size_t step = r->waiting[i];
		const struct permute_talk *t = talk_of(r, step);

		if (t->state == PERMUTE_BLOCKED) {
			r->waiting[kept++] = step;
			continue;
		}
		fprintf(r->out, "step %s: <... completed>\n",
			r->p->step[step].name);
		put_output(r, t);
	}
	r->n_waiting = kept;
}

static void
put_step(struct running *r, size_t step)
{
	const struct permute_step *st = &r->p->step[step];
	const struct permute_talk *t = talk_of(r, step);
	bool waits = t->state == PERMUTE_BLOCKED;

	fprintf(r->out, "step %s: %s%s\n", st->name, st->text,
		waits ? " <waiting ...>" : "");
	if (!waits)
		put_output(r, t);
	put_completed(r);
	if (waits)
		r->waiting[r->n_waiting++] = step;
}

/* One permutation. */

static enum seam_code
begin_session(struct running *r, struct permute_talk *t)
{
	const struct permute_session *s = t->session;
	enum seam_code code = permute_talk_start(r->s, t, &r->err);

	for (size_t i = 0; !code && i < s->setups; i++) {
		code = permute_talk_send(r->s, t, s->setup[i], &r->err);
		if (!code)
			code = permute_talk_settle(r->s, t, 1, &r->err);
		if (!code && t->state == PERMUTE_BLOCKED)
			code = sess_fail(&r->err, SEAM_E_FAILED, 0,
					 "the setup of %s is blocked: %s",
					 s->name, s->setup[i]);
		if (!code && t->over)
			code = sess_fail(&r->err, SEAM_E_GONE, 0,
					 "%s ended in its setup:\n%s", s->name,
					 t->text ? t->text : "");
	}
	return code;
}

/* Before put_step forgets who waited. */
static void
look(struct running *r, size_t step)
{
	struct permute_interval *now = &r->trial->interval[r->trial->n++];

	*now = (struct permute_interval){ .step = step };
	now->active = UINT64_C(1) << r->p->step[step].session;
	for (size_t i = 0; i < r->n_waiting; i++)
		if (talk_of(r, r->waiting[i])->state != PERMUTE_BLOCKED) {
			now->done |= UINT64_C(1) << r->waiting[i];
			now->active |= UINT64_C(1)
				       << r->p->step[r->waiting[i]].session;
		}
	for (size_t i = 0; i < r->p->sessions; i++)
		if (r->talk[i].over && !(r->ended >> i & 1))
			now->ended |= UINT64_C(1) << i;
	r->ended |= now->ended;
	now->active |= now->ended;
	now->waits = talk_of(r, step)->state == PERMUTE_BLOCKED;
	permute_eyes_take(r->eyes, now);
	/* With the program goes what it had locked. */
	now->unknown |= now->ended != 0;
}

static bool
can_begin(const struct permute_talk *t)
{
	return t->state == PERMUTE_IDLE && !t->over;
}

/* Somebody else has a step to take. */
static bool
others_can(struct running *r, const struct permute_order *o, size_t from)
{
	for (size_t i = from; i < o->n; i++)
		if (can_begin(talk_of(r, o->step[i])))
			return true;
	return false;
}

/* *go_on false: the order cannot be had. */
static enum seam_code
take_step(struct running *r, size_t step, bool *go_on)
{
	struct permute_talk *t = talk_of(r, step);
	const struct permute_step *st = &r->p->step[step];
	enum seam_code code;

	*go_on = can_begin(t);
	if (t->over)
		fprintf(r->out, "invalid permutation: %s has ended before %s\n",
			t->session->name, st->name);
	else if (!*go_on)
		fprintf(r->out,
			"invalid permutation: %s waits, so %s cannot begin\n",
			r->p->step[t->step].name, st->name);
	if (!*go_on)
		return SEAM_OK;
	t->step = step;
	code = permute_talk_send(r->s, t, st->text, &r->err);
	if (!code)
		code =
		    permute_talk_settle(r->s, r->talk, r->p->sessions, &r->err);
	if (!code && r->trial)
		look(r, step);
	if (!code)
		put_step(r, step);
	return code;
}

static enum seam_code
run_steps(struct running *r, const struct permute_order *o)
{
	enum seam_code code = SEAM_OK;
	bool go_on = true;

	for (size_t i = 0; !code && i < r->p->sessions; i++)
		code = begin_session(r, &r->talk[i]);
	if (!code && r->trial) {
		r->eyes = permute_eyes_open(r->s, r->talk, r->p->sessions);
		if (!r->eyes)
			code = sess_fail(&r->err, SEAM_E_UNSUPPORTED, 0,
					 "out of memory");
	}
	for (size_t i = 0; !code && go_on && i < o->n; i++) {
		code = take_step(r, o->step[i], &go_on);
		if (!go_on && r->trial)
			r->trial->abandoned = others_can(r, o, i + 1);
	}
	for (size_t i = 0; !code && go_on && i < r->n_waiting; i++)
		fprintf(r->out, "step %s: <never completed>\n",
			r->p->step[r->waiting[i]].name);
	return code;
}

static bool
make_talks(struct running *r, size_t steps)
{
	struct permute *p = r->p;

	r->talk = calloc(p->sessions, sizeof(*r->talk));
	r->waiting = calloc(steps, sizeof(*r->waiting));
	for (size_t i = 0; r->talk && i < p->sessions; i++)
		r->talk[i].session = &p->session[i];
	return r->talk && r->waiting;
}

static void
free_talks(struct running *r)
{
	for (size_t i = 0; r->talk && i < r->p->sessions; i++)
		free(r->talk[i].text);
	free(r->talk);
	free(r->waiting);
}

static void
put_order(const struct permute *p, const struct permute_order *o, FILE *out)
{
	fputs("\nstarting permutation:", out);
	for (size_t i = 0; i < o->n; i++)
		fprintf(out, " %s", p->step[o->step[i]].name);
	fputc('\n', out);
}

static enum seam_code
say(const struct permute *p, const struct permute_order *o, struct running *r,
    enum seam_code code, FILE *f)
{
	char *state = r->s ? sess_describe(r->s) : NULL;

	fprintf(f, "%s: %s: %s\n", p->name, seam_code_name(code), r->err.text);
	if (o) {
		fputs("in the permutation:", f);
		for (size_t i = 0; i < o->n; i++)
			fprintf(f, " %s", p->step[o->step[i]].name);
		fputc('\n', f);
	}
	fputs(state ? state : "", f);
	free(state);
	return code;
}

static enum seam_code
in_session(struct running *r, const struct permute_order *o,
	   const struct permute_watch *w)
{
	enum seam_code code;

	if (w && !w->began(r->s, w->data))
		return sess_fail(&r->err, SEAM_E_UNSUPPORTED, 0,
				 "cannot mind signals");
	code = run_steps(r, o);
	if (w && !w->ended(r->s, w->data) && !code)
		code = sess_fail(&r->err, SEAM_E_GONE, 0, "interrupted");
	return code;
}

/* trial NULL: nobody wants to know what the steps touched. */
static enum seam_code
run_order(struct permute *p, const struct permute_order *o,
	  const struct permute_watch *w, struct permute_trial *trial, FILE *out,
	  FILE *f)
{
	struct seam_options how = { .watch = true, .kill_on_death = true };
	struct running r = { .p = p, .trial = trial, .out = out };
	enum seam_code code;

	put_order(p, o, out);
	code = permute_shell(p, "reset", p->reset, &r.err);
	if (!code && !make_talks(&r, o->n))
		code =
		    sess_fail(&r.err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	if (!code)
		code = seam_session_open(&how, &r.s, &r.err);
	if (!code)
		code = in_session(&r, o, w);
	if (code)
		say(p, o, &r, code, f);
	permute_eyes_close(r.eyes);
	seam_session_close(r.s, false);
	free_talks(&r);
	return code;
}

/* Those that can differ. */

struct choosing {
	struct permute *p;
	const struct permute_watch *watch;
	FILE *out, *f;
	struct permute_auto *known;
	struct permute_trial trial;
	size_t looked, tried, shown;
	enum seam_code code;
	struct seam_error err;
};

static bool
try_order(const size_t *order, void *data)
{
	struct choosing *c = data;
	const struct permute_order o = { (size_t *)(uintptr_t)order,
					 c->p->steps };
	char *text = NULL;
	size_t size;
	FILE *out;

	if (c->looked++ == LOOKED_MAX || c->tried == TRIED_MAX) {
		c->code = sess_fail(&c->err, SEAM_E_UNSUPPORTED, 0,
				    "too many permutations: name those to run");
		fprintf(c->f, "%s: %s\n", c->p->name, c->err.text);
		return false;
	}
	if (!permute_auto_wants(c->known, order))
		return true;
	out = open_memstream(&text, &size);
	if (!out)
		return false;
	c->tried++;
	c->code = run_order(c->p, &o, c->watch, &c->trial, out, c->f);
	fclose(out);
	if (!c->trial.abandoned) {
		c->shown++;
		fputs(text, c->out);
	}
	free(text);
	permute_auto_learn(c->known, &c->trial);
	permute_trial_clear(&c->trial);
	return !c->code;
}

static enum seam_code
run_chosen(struct permute *p, const struct permute_watch *watch, FILE *out,
	   FILE *f)
{
	struct choosing c = { .p = p, .watch = watch, .out = out, .f = f };
	bool ok;

	c.known = permute_auto_new(p);
	ok = c.known && permute_each_order(p, try_order, &c);
	permute_auto_free(c.known);
	if (ok)
		fprintf(out,
			"\n%zu of %zu permutations; all others come to the "
			"same, or cannot be had\n",
			c.shown, c.looked);
	else if (!c.code)
		fprintf(f, "%s: out of memory\n", p->name);
	return ok || c.code ? c.code : SEAM_E_UNSUPPORTED;
}

static enum seam_code
run_named(struct permute *p, const struct permute_watch *watch, FILE *out,
	  FILE *f)
{
	enum seam_code code = SEAM_OK;

	for (size_t i = 0; !code && i < p->orders; i++)
		code = run_order(p, &p->order[i], watch, NULL, out, f);
	return code;
}

enum seam_code
seam_permute_run(struct permute *p, const struct permute_watch *watch,
		 FILE *out, FILE *f)
{
	struct running r = { .p = p };
	enum seam_code code, last;

	fprintf(out, "Parsed test spec with %zu session%s\n", p->sessions,
		p->sessions == 1 ? "" : "s");
	code = permute_shell(p, "setup", p->setup, &r.err);
	if (code)
		return say(p, NULL, &r, code, f);
	code = p->automatic ? run_chosen(p, watch, out, f) :
			      run_named(p, watch, out, f);
	last = permute_shell(p, "teardown", p->teardown, &r.err);
	if (last)
		say(p, NULL, &r, last, f);
	return code ? code : last;
}
