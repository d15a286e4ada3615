/* SPDX-License-Identifier: MIT */
/* Scripts of sessions and steps: carrying them out. */
#include "permute.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct running {
	struct permute *p;
	struct seam_session *s;
	struct permute_talk *talk; /* by session */
	size_t *waiting;	   /* steps, in the order they were sent */
	size_t n_waiting;
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

/* *go_on false: the order cannot be had. */
static enum seam_code
take_step(struct running *r, size_t step, bool *go_on)
{
	struct permute_talk *t = talk_of(r, step);
	const struct permute_step *st = &r->p->step[step];
	enum seam_code code;

	*go_on = t->state == PERMUTE_IDLE && !t->over;
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
	for (size_t i = 0; !code && go_on && i < o->n; i++)
		code = take_step(r, o->step[i], &go_on);
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

static enum seam_code
run_order(struct permute *p, const struct permute_order *o,
	  const struct permute_watch *w, FILE *out, FILE *f)
{
	struct seam_options how = { .watch = true, .kill_on_death = true };
	struct running r = { .p = p, .out = out };
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
	seam_session_close(r.s, false);
	free_talks(&r);
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
	for (size_t i = 0; !code && i < p->orders; i++)
		code = run_order(p, &p->order[i], watch, out, f);
	last = permute_shell(p, "teardown", p->teardown, &r.err);
	if (last)
		say(p, NULL, &r, last, f);
	return code ? code : last;
}
