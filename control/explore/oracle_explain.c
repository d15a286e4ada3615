/* SPDX-License-Identifier: MIT */
/* What an oracle has to say: threads, objects, lines. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "explore/oracle.h"
#include "rules_int.h"

struct told {
	FILE *f;
	const struct oracle *o;
	const struct runner_result *r;
	const struct explore_trace *t;
	const struct explore_labels *l;
};

static const char *
who(const struct told *x, uint32_t slot)
{
	return explore_thread_label(x->l, slot);
}

static const char *
where(const struct told *x, uint32_t slot)
{
	const char *at = slot < x->l->nthreads ? x->l->at[slot] : NULL;

	return at && *at ? at : "an unknown place";
}

/* Since when, if that is known. */
static void
put_since(const struct told *x, uint32_t slot, uint32_t object)
{
	int64_t step = oracle_acquired_at(x->t, slot, object);
	const char *site =
	    step >= 0 ? explore_site_label(x->l, (uint32_t)step) : "";

	if (*site)
		fprintf(x->f, " since %s", site);
}

/* The condition that a waiter was put into the queue of. */
static const char *
condition_of(const struct told *x, uint32_t slot)
{
	for (int64_t i = (int64_t)x->t->nsteps - 1; i >= 0; i--)
		if (x->t->step[i].slot == slot &&
		    x->t->step[i].op.verb == SEAM_COND_WAIT)
			return explore_object_label(x->l,
						    x->t->step[i].op.object);
	return "a condition";
}

static void
put_forsaken(const struct told *x, uint32_t slot)
{
	const struct seam_op *op = &x->t->thread[slot].pending;
	const char *object = explore_object_label(x->l, op->object);

	switch (op->verb) {
	case SEAM_COND_REACQUIRE:
		fprintf(x->f,
			"waits for condition %s at %s, and nobody is left "
			"who could signal it\n",
			condition_of(x, slot), where(x, slot));
		return;
	case SEAM_SEM_WAIT:
		fprintf(x->f,
			"waits for semaphore %s at %s, and nobody is left "
			"who could post it\n",
			object, where(x, slot));
		return;
	case SEAM_BARRIER_WAIT:
		fprintf(x->f,
			"waits at barrier %s at %s, and nobody is left who "
			"could arrive\n",
			object, where(x, slot));
		return;
	default:
		fprintf(x->f,
			"waits in %s at %s, and nobody is left who could "
			"wake it\n",
			seam_verb_name(op->verb), where(x, slot));
	}
}

static void
put_wait(const struct told *x, uint32_t slot)
{
	const struct seam_op *op = &x->t->thread[slot].pending;
	int other = oracle_waits_for(x->t, slot);
	char call[256];

	fprintf(x->f, "  %s ", who(x, slot));
	if (oracle_is_forsaken(x->t, slot)) {
		put_forsaken(x, slot);
		return;
	}
	fprintf(x->f, "waits in %s at %s",
		explore_op_label(x->l, op, call, sizeof(call)), where(x, slot));
	if (other < 0) {
		fputc('\n', x->f);
		return;
	}
	if (op->verb == SEAM_THREAD_JOIN || op->verb == SEAM_PROCESS_WAIT) {
		fputc('\n', x->f);
		return;
	}
	fprintf(x->f, ", held by %s",
		(uint32_t)other == slot ? "itself" : who(x, (uint32_t)other));
	put_since(x, (uint32_t)other, op->object);
	fputc('\n', x->f);
}

static void
put_waits(const struct told *x)
{
	for (uint32_t i = 0; i < x->t->nthreads; i++)
		if (x->t->thread[i].state == SEAM_SLOT_PENDING)
			put_wait(x, i);
		else if (x->t->thread[i].state == SEAM_SLOT_OUTSIDE)
			fprintf(x->f,
				"  %s waits for the outside world at %s\n",
				who(x, i), where(x, i));
}

/* Without a cycle: somebody has left what another waits for. */
static void
put_left(const struct told *x)
{
	for (uint32_t i = 0; i < x->t->nthreads; i++) {
		int other = oracle_waits_for(x->t, i);

		if (other < 0 || x->t->thread[other].state < SEAM_SLOT_ENDING)
			continue;
		fprintf(x->f, "%s waits for %s, which %s held when it ended",
			who(x, i),
			explore_object_label(x->l,
					     x->t->thread[i].pending.object),
			who(x, (uint32_t)other));
		return;
	}
	fputs("nothing can go on", x->f);
}

#define CYCLE_MAX 64

static void
put_deadlock(const struct told *x)
{
	uint32_t slot[CYCLE_MAX];
	unsigned n = oracle_cycle(x->t, slot, CYCLE_MAX);

	fputs("deadlock: ", x->f);
	if (!n)
		put_left(x);
	else if (n == 1)
		fprintf(x->f, "%s waits for itself", who(x, slot[0]));
	else
		for (unsigned i = 0; i <= n; i++)
			fprintf(x->f, "%s%s",
				i == 0 ? "" :
				i == 1 ? " waits for " :
					 ", which waits for ",
				who(x, slot[i % n]));
	fputc('\n', x->f);
	put_waits(x);
}

static void
put_lost_wakeup(const struct told *x)
{
	uint32_t n = 0, first = 0;

	for (uint32_t i = x->t->nthreads; i-- > 0;)
		if (oracle_is_forsaken(x->t, i)) {
			n++;
			first = i;
		}
	if (n == 1)
		fprintf(x->f,
			"lost wake-up: %s waits for what nobody will give\n",
			who(x, first));
	else
		fprintf(x->f,
			"lost wake-up: %u threads wait for what nobody will "
			"give\n",
			n);
	put_waits(x);
}

static int64_t
last_step_of(const struct explore_trace *t, uint32_t slot)
{
	for (int64_t i = (int64_t)t->nsteps - 1; i >= 0; i--)
		if (t->step[i].slot == slot)
			return i;
	return -1;
}

static void
put_held(const struct told *x, uint32_t slot)
{
	for (uint32_t i = 0; i < x->t->nobjects; i++) {
		if (x->t->object[i].owner != slot + 1)
			continue;
		fprintf(x->f, "  it held %s",
			explore_object_label(x->l, i + 1));
		put_since(x, slot, i + 1);
		fputc('\n', x->f);
	}
}

static void
put_last(const struct told *x, uint32_t slot)
{
	int64_t step = last_step_of(x->t, slot);
	const char *site;
	char call[256];

	if (step < 0)
		return;
	site = explore_site_label(x->l, (uint32_t)step);
	fprintf(x->f, "  after %s%s%s\n",
		explore_op_label(x->l, &x->t->step[step].op, call,
				 sizeof(call)),
		*site ? " at " : "", site);
}

static void
put_crash(const struct told *x)
{
	int sig = WTERMSIG(x->t->status);
	const char *text = sigdescr_np(sig);

	fprintf(x->f, "crash: SIG%s (%s)", seam_signal_name(sig).s,
		text ? text : "real-time signal");
	if (!x->t->who) {
		fputc('\n', x->f);
		return;
	}
	fprintf(x->f, " in %s\n", who(x, x->t->who - 1u));
	put_last(x, x->t->who - 1u);
	put_held(x, x->t->who - 1u);
}

static void
put_status(const struct told *x)
{
	fprintf(x->f, "exit status %d, where %d is expected\n",
		oracle_shell_status(x->t->status), x->o->expected);
}

/* The text's lines, set in. */
static void
put_lines(const struct told *x, const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");

		fprintf(x->f, "  %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void
put_check(const struct told *x)
{
	fprintf(x->f, "the check failed with status %d\n",
		oracle_shell_status(x->r->check));
	put_lines(x, x->r->why);
}

static const char *
misuse_text(uint32_t misuse)
{
	static const char *const texts[] = {
		[SEAM_MISUSE_NONE] = "misuse",
		[SEAM_MISUSE_NOT_OWNER] = "unlocks what another thread has",
		[SEAM_MISUSE_NOT_LOCKED] = "unlocks what nobody has",
		[SEAM_MISUSE_DESTROYED] = "uses what has been destroyed",
		[SEAM_MISUSE_DESTROY_HELD] = "destroys what is held",
		[SEAM_MISUSE_DESTROY_AWAITED] =
		    "destroys what somebody waits for",
		[SEAM_MISUSE_WAIT_NOT_OWNER] =
		    "waits for a condition without having its mutex",
		[SEAM_MISUSE_OVERFLOW] = "posts past the greatest value",
		[SEAM_MISUSE_RELOCK] = "locks what it has already",
	};

	return misuse < sizeof(texts) / sizeof(texts[0]) ? texts[misuse] :
							   texts[0];
}

static void
put_misuse(const struct told *x)
{
	const struct explore_trace *t = x->t;
	const struct seam_op *op = NULL;
	const char *site = "";
	uint32_t slot = t->who ? t->who - 1u : 0, owner;
	char call[256];

	if (t->at < t->nsteps && t->step[t->at].slot == slot) {
		op = &t->step[t->at].op;
		site = explore_site_label(x->l, t->at);
	} else if (slot < t->nthreads) {
		op = &t->thread[slot].pending;
		site = where(x, slot);
	}
	fprintf(x->f, "misuse: %s %s\n", who(x, slot), misuse_text(t->misuse));
	if (op)
		fprintf(x->f, "  %s at %s\n",
			explore_op_label(x->l, op, call, sizeof(call)), site);
	owner = op && op->object ? t->object[op->object - 1].owner : 0;
	if (owner && owner != slot + 1) {
		fprintf(x->f, "  %s is held by %s",
			explore_object_label(x->l, op->object),
			who(x, owner - 1));
		put_since(x, owner - 1, op->object);
		fputc('\n', x->f);
	}
	if (*t->what)
		fprintf(x->f, "  %s\n", t->what);
}

static void
put_livelock(const struct told *x)
{
	fprintf(x->f,
		"livelock: after %u steps every thread only gives way to "
		"others\n",
		x->t->nsteps);
	for (uint32_t i = 0; i < x->t->nthreads; i++)
		if (x->t->thread[i].state == SEAM_SLOT_PENDING ||
		    x->t->thread[i].state == SEAM_SLOT_RUNNING) {
			fprintf(x->f, "  %s", who(x, i));
			put_last(x, i);
		}
}

static void
put_stuck(const struct told *x)
{
	fprintf(x->f, "stuck: the program waits for the outside world%s%s\n",
		*x->t->what ? ": " : "", x->t->what);
	put_waits(x);
}

static void
put_timed_out(const struct told *x)
{
	fputs("timed out: the run was not over in time and was killed\n", x->f);
	put_lines(x, x->r->why);
}

static void
put_left_behind(const struct told *x)
{
	fprintf(x->f, "%u threads were left behind at exit\n",
		oracle_left_behind(x->t));
	put_waits(x);
}

static void
put_nothing(const struct told *x)
{
	fputs("no failure\n", x->f);
}

char *
oracle_explain(const struct oracle *o, enum explore_fault fault,
	       const struct runner_result *r, const struct explore_labels *l)
{
	static void (*const put[EXPLORE_FAULTS])(const struct told *) = {
		[EXPLORE_NO_FAULT] = put_nothing,
		[EXPLORE_DEADLOCK] = put_deadlock,
		[EXPLORE_LOST_WAKEUP] = put_lost_wakeup,
		[EXPLORE_CRASH] = put_crash,
		[EXPLORE_STATUS] = put_status,
		[EXPLORE_CHECK] = put_check,
		[EXPLORE_LIVELOCK] = put_livelock,
		[EXPLORE_MISUSE] = put_misuse,
		[EXPLORE_STUCK] = put_stuck,
		[EXPLORE_TIMED_OUT] = put_timed_out,
		[EXPLORE_LEFT_BEHIND] = put_left_behind,
	};
	struct told x = { .o = o, .r = r, .t = &r->trace, .l = l };
	char *text = NULL;
	size_t len;

	x.f = open_memstream(&text, &len);
	if (!x.f)
		return NULL;
	put[fault](&x);
	if (fclose(x.f)) {
		free(text);
		return NULL;
	}
	return text;
}
