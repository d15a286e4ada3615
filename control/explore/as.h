/* SPDX-License-Identifier: MIT */
/*
 * A run that failed, told by pauses: for threads that run freely, as a script
 * of `seam test` or as a test for Check.
 *
 * Whatever depends on each other and is not ordered by itself, because it
 * blocks or comes later in its thread, is an *edge*: the second event has to
 * wait for the first (Netzer, PADD 1993: the transitive reduction; here of the
 * reversible races alone).  Edges that do not matter to the failure are left
 * out.  What is left makes *points*, the events that threads are held up at,
 * and *acts*: waiting for a thread to come there, and letting it go.
 */
#ifndef SEAM_EXPLORE_AS_H
#define SEAM_EXPLORE_AS_H

#include <stdio.h>

#include "explore/order.h"
#include "explore/rerun.h"

enum as_half {
	AS_WHOLE,
	AS_LEAVING, /* out of a barrier, off a futex: it was let go */
	AS_GOES_ON, /* its thread goes on after it: a `+` of the events */
};

enum as_stop {
	AS_BEFORE, /* it parks before the event, */
	AS_AFTER,  /* or when it is done; */
	AS_STANDS, /* no pause: it is blocked there by itself */
};

struct as_point {
	uint32_t event; /* of the order */
	enum as_stop stop;
	/* What of the events it is, in any run: the `hit`-th of that thread,
	 * operation and object (0: any), or what its thread does next. */
	uint64_t thread, object;
	uint32_t hit;
	uint8_t verb;
	uint8_t half;
	char id[32];
};

enum as_kind {
	AS_WAIT,    /* until the thread has come there */
	AS_RELEASE, /* it goes on */
	AS_QUIET,   /* until nothing happens any more */
	AS_DELETE,  /* it need not be there, and goes on */
};

struct as_act {
	enum as_kind kind;
	uint32_t point;
};

struct as_plan {
	struct as_point *point;
	struct as_act *act;
	size_t npoints, nacts;
};
void as_plan_clear(struct as_plan *p);

struct as_edge {
	uint32_t from, to; /* events of the order */
	bool loose;	   /* `to` has to wait until all else is at rest */
};

/* What all of it is about. */
struct as_work {
	struct rerun *again;
	const struct replay_file *file;
	struct explore_trace trace;
	struct explore_labels *labels;
	enum explore_fault fault;
	struct order order;
	struct as_edge *edge;
	size_t nedges;
	struct as_plan plan;
	char *explained;  /* the failure, as oracle_explain has it; or NULL */
	uint32_t strayed; /* of AS_TRIES tries, those that came to something
			     else */
	size_t edges;	  /* before they were reduced */
	uint32_t telling; /* the try that was the latest to stray */
};
#define AS_TRIES 100

/* as_plan.c: points and acts for some of the edges.  False: no memory. */
bool as_plan_make(struct as_plan *p, const struct as_work *w,
		  const struct as_edge *edge, size_t n);

/* as_try.c: runs under the scheduler in which whatever the plan leaves open is
 * different each time; how many of `tries` were not the failure, up to
 * `most`. */
enum seam_code as_try(struct as_work *w, const struct as_plan *p,
		      uint32_t tries, uint32_t most, uint32_t *strayed,
		      struct seam_error *err);

/* as_edges.c: those that the failure needs, of the trace, reduced to what
 * matters; fills in edge, plan and strayed. */
enum seam_code as_reduce(struct as_work *w, struct seam_error *err);

/* as_point.c */
/* What the point is in that work's run: fills in all but event and stop. */
void as_point_describe(const struct as_work *w, struct as_point *p);
/* `mutex.lock obj=savings thread=P1.T0.2 hit=2`; malloc'd. */
char *as_point_selector(const struct as_work *w, const struct as_point *p);
/* The same as a person has it: "mutex.lock savings, credit abba.c:37". */
char *as_event_text(const struct as_work *w, uint32_t event);
/* "credit abba.c:37"; "" if it is not known. */
const char *as_site(const struct as_work *w, uint32_t event);
/* As `obj=` has it; "": it has none that is the same in every run. */
const char *as_object_name(const struct as_work *w, uint32_t object);
/* "+0x0" where the name alone means others beside it as well, or "". */
const char *as_object_place(const struct as_work *w, uint32_t object);
static inline enum as_half
as_half_of(const struct seam_op *op)
{
	if ((op->flags & SEAM_OP_LOCAL) && op->verb != SEAM_THREAD_START)
		return AS_GOES_ON;
	return op->mode == 'l' && (op->verb == SEAM_BARRIER_WAIT ||
				   op->verb == SEAM_FUTEX_WAIT) ?
		   AS_LEAVING :
		   AS_WHOLE;
}
/* main has returned, say: no call that a gate could see. */
bool as_is_silent(const struct as_work *w, uint32_t event);
/* Its thread parks when a call is done. */
static inline bool
as_parks_after(const struct as_point *p)
{
	return p->stop == AS_AFTER || p->half != AS_WHOLE;
}

/* as_text.c: words that script and test share. */
/* "P1.T0.2", by what else is started before it. */
char *as_thread_path(const struct as_work *w, uint32_t slot);
/* What it is all about, in lines that begin with `lead`. */
void as_put_about(FILE *f, const char *lead, const struct as_work *w,
		  const char *name, const char *option);
void as_put_point(FILE *f, const struct as_work *w, const struct as_point *p);
void as_put_act(FILE *f, const struct as_work *w, const struct as_act *a);
/* What happens at the end while the fault is there. */
void as_put_end(FILE *f, const struct as_work *w);
/* What has to be run by a shell before or after it; malloc'd. */
char *as_shell_text(const struct as_work *w, const char *command);
/* What a blocked thread waits for. */
uint32_t as_awaited(const struct as_work *w, uint32_t event);
static inline int
as_status(const struct as_work *w)
{
	return w->file->expected < 0 ? 0 : w->file->expected;
}

/* How a form says things, the run's order being the same in all. */
struct as_language {
	const char *comment,
	    *comment_end; /* around one, end of line included */
	void (*shell)(FILE *f, const char *alias, const char *text);
	void (*pause)(FILE *f, const char *selector, const char *id);
	void (*start)(FILE *f, const struct as_work *w);
	void (*wait)(FILE *f, const char *id);
	void (*wait_blocked)(FILE *f, const char *thread, const char *object,
			     const char *place);
	void (*act)(FILE *f, enum as_kind kind, const char *id); /* others */
	void (*expect_exit)(FILE *f, int status);
};
/* as_steps.c: all between a form's beginning and its end. */
void as_put_steps(FILE *f, const struct as_work *w,
		  const struct as_language *l);

/* as_script.c, as_check.c; name: the replay file's */
void as_put_script(FILE *f, const struct as_work *w, const char *name);
void as_put_check(FILE *f, const struct as_work *w, const char *name);

/*
 * as.c.  The latest run of `again`, which was that of the file, and its
 * labels; it is run many times more.  SEAM_E_UNSUPPORTED: what cannot be told
 * so.
 */
enum as_form { AS_SCRIPT, AS_CHECK };
enum seam_code explore_as(struct rerun *again, const struct replay_file *file,
			  struct explore_labels *labels, enum as_form form,
			  const char *name, FILE *f, uint32_t *strayed,
			  struct seam_error *err);

#endif
