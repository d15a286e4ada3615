/* SPDX-License-Identifier: MIT */
/* What came of concurrent calls: each, and the distinct ones counted. */
#include "calls.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "command.h"

static bool
same_text(const char *a, size_t na, const char *b, size_t nb)
{
	return na == nb && !memcmp(a, b, na);
}

/* The time does not count. */
static bool
is_same(const struct seam_outcome *a, const struct seam_outcome *b)
{
	return a->status == b->status && a->timed_out == b->timed_out &&
	       a->started == b->started && a->truncated == b->truncated &&
	       same_text(a->out, a->out_size, b->out, b->out_size) &&
	       same_text(a->err, a->err_size, b->err, b->err_size);
}

static bool
make_room(struct cli_outcomes *all)
{
	size_t size = all->size ? 2 * all->size : 64;
	struct cli_outcome *v;

	if (all->n < all->size)
		return true;
	v = realloc(all->v, size * sizeof(*v));
	if (!v)
		return false;
	all->v = v;
	all->size = size;
	return true;
}

bool
cli_outcomes_add(struct cli_outcomes *all, struct seam_outcome *o, size_t round,
		 size_t index)
{
	size_t like = 0;

	if (!make_room(all)) {
		seam_outcomes_free(o, 1);
		return false;
	}
	while (like < all->n &&
	       (all->v[like].like != like || !is_same(&all->v[like].o, o)))
		like++;
	if (like < all->n)
		seam_outcomes_free(o, 1);
	all->v[all->n] = (struct cli_outcome){ *o, round, index, like, 0 };
	all->v[like].count += like <= all->n;
	all->n++;
	return true;
}

void
cli_outcomes_free(struct cli_outcomes *all)
{
	for (size_t i = 0; i < all->n; i++)
		seam_outcomes_free(&all->v[i].o, 1);
	free(all->v);
	*all = (struct cli_outcomes){ 0 };
}

/* For people. */

static void
put_status(const struct seam_outcome *o, FILE *f)
{
	if (WIFSIGNALED(o->status))
		fprintf(f, "SIG%s", seam_signal_name(WTERMSIG(o->status)).s);
	else
		fprintf(f, "exit %d", WEXITSTATUS(o->status));
	if (o->timed_out)
		fputs(", timed out", f);
	if (!o->started)
		fputs(", not at the gate", f);
}

/* Each line behind its mark. */
static void
put_text(const char *text, size_t n, const char *mark, FILE *f)
{
	for (size_t i = 0; i < n;) {
		const char *eol = memchr(text + i, '\n', n - i);
		size_t len = eol ? (size_t)(eol - text) - i : n - i;

		fprintf(f, "    %s ", mark);
		fwrite(text + i, 1, len, f);
		fputc('\n', f);
		i += len + 1;
	}
}

static void
put_texts(const struct seam_outcome *o, FILE *f)
{
	put_text(o->out, o->out_size, "|", f);
	put_text(o->err, o->err_size, "!", f);
	if (o->truncated)
		fputs("    (and more, which was not kept)\n", f);
}

static void
put_each(const struct cli_outcomes *all, FILE *f)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct cli_outcome *c = &all->v[i];

		fprintf(f, "%zu: ", i + 1);
		put_status(&all->v[c->like].o, f);
		fprintf(f, ", %.6f s\n", (double)c->o.elapsed / 1e6);
		put_texts(&all->v[c->like].o, f);
	}
}

void
cli_outcomes_print(const struct cli_outcomes *all, bool each, FILE *f)
{
	size_t distinct = 0;

	for (size_t i = 0; i < all->n; i++)
		distinct += all->v[i].like == i;
	if (each)
		put_each(all, f);
	if (all->n == 1)
		return;
	fprintf(f, "%zu calls, %zu distinct outcome%s\n", all->n, distinct,
		distinct == 1 ? "" : "s");
	for (size_t i = 0; i < all->n; i++) {
		if (all->v[i].like != i)
			continue;
		fprintf(f, "  %zu x ", all->v[i].count);
		put_status(&all->v[i].o, f);
		fputc('\n', f);
		if (!each)
			put_texts(&all->v[i].o, f);
	}
}

/* For programs. */

static json_t *
texts(const struct seam_outcome *o)
{
	return json_pack("{so so sb}", "out", seam_json_text(o->out), "err",
			 seam_json_text(o->err), "truncated", o->truncated);
}

static json_t *
outcome(const struct seam_outcome *o)
{
	json_t *j = json_object(), *t = texts(o);

	if (WIFSIGNALED(o->status))
		json_object_set_new(j, "signal",
				    json_integer(WTERMSIG(o->status)));
	else
		json_object_set_new(j, "status",
				    json_integer(WEXITSTATUS(o->status)));
	json_object_set_new(j, "timed_out", json_boolean(o->timed_out));
	json_object_set_new(j, "at_gate", json_boolean(o->started));
	json_object_update(j, t);
	json_decref(t);
	return j;
}

void
cli_outcomes_json(const struct cli_outcomes *all, FILE *f)
{
	json_t *calls = json_array(), *distinct = json_array(), *top;

	for (size_t i = 0; i < all->n; i++) {
		const struct cli_outcome *c = &all->v[i];
		json_t *j = outcome(&all->v[c->like].o);

		if (c->like == i) {
			json_t *d = json_copy(j);

			json_object_set_new(d, "count",
					    json_integer((json_int_t)c->count));
			json_array_append_new(distinct, d);
		}
		json_object_set_new(j, "round",
				    json_integer((json_int_t)c->round + 1));
		json_object_set_new(j, "elapsed_us",
				    json_integer((json_int_t)c->o.elapsed));
		json_array_append_new(calls, j);
	}
	top = json_pack("{so so}", "calls", calls, "outcomes", distinct);
	json_dumpf(top, f, JSON_COMPACT | JSON_ENSURE_ASCII);
	fputc('\n', f);
	json_decref(top);
}
