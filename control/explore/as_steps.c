/* SPDX-License-Identifier: MIT */
/* What is done in which order, in whatever language it is said. */
#include <stdlib.h>

#include "explore/as.h"

static void
put_shell(FILE *f, const struct as_work *w, const struct as_language *l,
	  const char *alias, const char *command)
{
	char *text = command ? as_shell_text(w, command) : NULL;

	if (text)
		l->shell(f, alias, text);
	free(text);
}

static void
put_point(FILE *f, const struct as_work *w, const struct as_language *l,
	  const struct as_point *p)
{
	char *selector;

	if (p->stop == AS_STANDS)
		return;
	selector = as_point_selector(w, p);
	fputs(l->comment, f);
	as_put_point(f, w, p);
	fputs(l->comment_end, f);
	l->pause(f, selector ? selector : "", p->id);
	free(selector);
}

static void
put_wait(FILE *f, const struct as_work *w, const struct as_language *l,
	 const struct as_point *p)
{
	uint32_t object;
	char *thread;

	if (p->stop != AS_STANDS) {
		l->wait(f, p->id);
		return;
	}
	object = as_awaited(w, p->event);
	thread = as_thread_path(w, order_slot(&w->order, p->event));
	l->wait_blocked(f, thread ? thread : "", as_object_name(w, object),
			as_object_place(w, object));
	free(thread);
}

static void
put_act(FILE *f, const struct as_work *w, const struct as_language *l,
	const struct as_act *a)
{
	const struct as_point *p = &w->plan.point[a->point];

	fputs(l->comment, f);
	as_put_act(f, w, a);
	fputs(l->comment_end, f);
	if (a->kind == AS_WAIT)
		put_wait(f, w, l, p);
	else
		l->act(f, a->kind, p->id);
}

void
as_put_steps(FILE *f, const struct as_work *w, const struct as_language *l)
{
	put_shell(f, w, l, "setup", w->file->setup);
	put_shell(f, w, l, "reset", w->file->reset);
	for (size_t i = 0; i < w->plan.npoints; i++)
		put_point(f, w, l, &w->plan.point[i]);
	l->start(f, w);
	for (size_t i = 0; i < w->plan.nacts; i++)
		put_act(f, w, l, &w->plan.act[i]);
	fprintf(f, "%sall goes well; with the fault: ", l->comment);
	as_put_end(f, w);
	fputs(l->comment_end, f);
	l->expect_exit(f, as_status(w));
	put_shell(f, w, l, "check", w->file->check);
}
