/* SPDX-License-Identifier: MIT */
/* Why a run failed, in a sentence. */
#include <stdio.h>
#include <stdlib.h>

#include "depend.h"
#include "explore/critical.h"
#include "explore/oracle.h"

#define CYCLE_MAX 64

/* What was done, and what somebody could not do: with the object's name in
 * the place of %s. */
static const struct phrase {
	uint8_t verb;
	const char *did, *would;
} phrases[] = {
	{ SEAM_MUTEX_INIT, "initialised %s", "initialise %s" },
	{ SEAM_MUTEX_DESTROY, "destroyed %s", "destroy %s" },
	{ SEAM_MUTEX_LOCK, "locked %s", "lock %s" },
	{ SEAM_MUTEX_TRYLOCK, "locked %s", "lock %s" },
	{ SEAM_MUTEX_UNLOCK, "unlocked %s", "unlock %s" },
	{ SEAM_SPIN_LOCK, "locked %s", "lock %s" },
	{ SEAM_SPIN_TRYLOCK, "locked %s", "lock %s" },
	{ SEAM_SPIN_UNLOCK, "unlocked %s", "unlock %s" },
	{ SEAM_RWLOCK_RDLOCK, "locked %s for reading", "lock %s for reading" },
	{ SEAM_RWLOCK_TRYRDLOCK, "locked %s for reading",
	  "lock %s for reading" },
	{ SEAM_RWLOCK_WRLOCK, "locked %s for writing", "lock %s for writing" },
	{ SEAM_RWLOCK_TRYWRLOCK, "locked %s for writing",
	  "lock %s for writing" },
	{ SEAM_RWLOCK_UNLOCK, "unlocked %s", "unlock %s" },
	{ SEAM_COND_WAIT, "began to wait for %s", "wait for %s" },
	{ SEAM_COND_REACQUIRE, "woke up and locked %s", "wake up and lock %s" },
	{ SEAM_COND_SIGNAL, "signalled %s", "signal %s" },
	{ SEAM_COND_BROADCAST, "woke all that waited for %s",
	  "wake all that wait for %s" },
	{ SEAM_COND_DESTROY, "destroyed %s", "destroy %s" },
	{ SEAM_SEM_WAIT, "took a unit of %s", "take a unit of %s" },
	{ SEAM_SEM_TRYWAIT, "took a unit of %s", "take a unit of %s" },
	{ SEAM_SEM_POST, "posted %s", "post %s" },
	{ SEAM_BARRIER_WAIT, "arrived at %s", "arrive at %s" },
	{ SEAM_ONCE, "entered %s", "enter %s" },
	{ SEAM_THREAD_CREATE, "created %s", "create %s" },
	{ SEAM_THREAD_START, "began", "begin" },
	{ SEAM_THREAD_EXIT, "ended", "end" },
	{ SEAM_THREAD_JOIN, "joined %s", "join %s" },
	{ SEAM_THREAD_CANCEL, "cancelled %s", "cancel %s" },
	{ SEAM_PROCESS_FORK, "forked", "fork" },
	{ SEAM_PROCESS_EXIT, "ended its process", "end its process" },
	{ SEAM_SIGNAL_SEND, "sent a signal to %s", "send a signal to %s" },
	{ SEAM_SIGNAL_WAIT, "began to wait for a signal", "wait for a signal" },
	{ SEAM_SIGNAL_HANDLE, "handled a signal", "handle a signal" },
	{ SEAM_FCNTL_SETLK, "locked %s", "lock %s" },
	{ SEAM_FCNTL_SETLKW, "locked %s", "lock %s" },
	{ SEAM_FLOCK_LOCK, "locked %s", "lock %s" },
	{ SEAM_FLOCK_TRYLOCK, "locked %s", "lock %s" },
	{ SEAM_LOCKF_LOCK, "locked %s", "lock %s" },
	{ SEAM_LOCKF_TRYLOCK, "locked %s", "lock %s" },
	{ SEAM_FILE_UNLOCK, "unlocked %s", "unlock %s" },
	{ SEAM_FILE_CLOSE, "closed %s", "close %s" },
	{ SEAM_FUTEX_WAIT, "began to wait at %s", "wait at %s" },
	{ SEAM_FUTEX_WAKE, "woke up who waited at %s", "wake up %s" },
	{ SEAM_POINT, "passed %s", "pass %s" },
	{ SEAM_IO_READ, "read from %s", "read from %s" },
	{ SEAM_IO_WRITE, "wrote to %s", "write to %s" },
	{ SEAM_IO_POLL, "looked for something to read", "look" },
};

static const struct phrase *
phrase_of(const struct seam_op *op)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].verb == op->verb)
			return &phrases[i];
	return NULL;
}

struct told {
	FILE *f;
	const struct explore_trace *t;
	const struct explore_labels *l;
};

static void
put_who(const struct told *x, uint32_t event)
{
	fputs(explore_thread_label(x->l, critical_slot(x->t, event)), x->f);
}

static const char *
subject(const struct told *x, const struct seam_op *op)
{
	const char *name = explore_object_label(x->l, op->object);

	if (!*name && op->peer)
		name = explore_thread_label(x->l, op->peer - 1u);
	return *name ? name : "another";
}

/* phrase: "locked %s" */
static void
put_phrase(const struct told *x, const char *phrase, const char *name)
{
	for (; *phrase; phrase++)
		if (phrase[0] == '%' && phrase[1] == 's') {
			fputs(name, x->f);
			phrase++;
		} else {
			fputc(*phrase, x->f);
		}
}

static void
put_deed(const struct told *x, uint32_t event)
{
	const struct seam_op *op = critical_op(x->t, event);
	const struct phrase *p = phrase_of(op);
	const char *site = critical_site(x->t, x->l, event);
	const bool done = event < x->t->nsteps;
	char call[256];

	if (!done)
		fputs("could ", x->f);
	else if (seam_op_failed(op) && p)
		fputs("failed to ", x->f);
	if (p)
		put_phrase(x, done && !seam_op_failed(op) ? p->did : p->would,
			   subject(x, op));
	else
		fprintf(x->f, "%s %s", done ? "did" : "do",
			explore_op_label(x->l, op, call, sizeof(call)));
	if (*site)
		fprintf(x->f, " (%s)", site);
}

/* Who waits for whom now, if they do. */
static void
put_waits(const struct told *x)
{
	uint32_t slot[CYCLE_MAX];
	unsigned n = 0;

	if (x->t->verdict == SEAM_VERDICT_DEADLOCK)
		n = oracle_cycle(x->t, slot, CYCLE_MAX);
	for (unsigned i = 0; n > 1 && i <= n; i++)
		fprintf(x->f, "%s%s",
			i == 0 ? ", and now " :
			i == 1 ? " waits for " :
				 ", which waits for ",
			explore_thread_label(x->l, slot[i % n]));
}

char *
critical_because(const struct explore_trace *t, const struct explore_labels *l,
		 const struct critical *c)
{
	struct told x = { .t = t, .l = l };
	char *text = NULL;
	size_t len;

	x.f = open_memstream(&text, &len);
	if (!x.f)
		return NULL;
	put_who(&x, c->first);
	fputc(' ', x.f);
	put_deed(&x, c->first);
	fputs(" before ", x.f);
	put_who(&x, c->second);
	fputc(' ', x.f);
	put_deed(&x, c->second);
	put_waits(&x);
	fputs("; the other way round the run passes", x.f);
	if (fclose(x.f)) {
		free(text);
		return NULL;
	}
	return text;
}
