/* SPDX-License-Identifier: MIT */
/* What `seam trace -c` counts: events by object and by call site. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "cli.h"

struct row {
	char *key; /* what tells rows apart, with tabs between */
	uint64_t calls, acquired, contended;
	uint64_t waited, longest; /* ns */
};

struct cli_summary {
	void *objects, *sites; /* trees of tsearch */
};

static int
by_key(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->key,
		      ((const struct row *)b)->key);
}

struct cli_summary *
cli_summary_new(void)
{
	return calloc(1, sizeof(struct cli_summary));
}

static void
free_row(void *data)
{
	struct row *r = data;

	free(r->key);
	free(r);
}

void
cli_summary_free(struct cli_summary *sum)
{
	if (!sum)
		return;
	tdestroy(sum->objects, free_row);
	tdestroy(sum->sites, free_row);
	free(sum);
}

static struct row *
row_of(void **tree, const char *key)
{
	struct row probe = { .key = (char *)key }, *r;
	struct row **found = tfind(&probe, tree, by_key);

	if (found)
		return *found;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->key = strdup(key);
	if (r->key && tsearch(r, tree, by_key))
		return r;
	free_row(r);
	return NULL;
}

static const struct seam_verb_info *
verb_info(const char *name)
{
	for (unsigned v = 1; v < SEAM_VERBS; v++)
		if (!strcmp(seam_verbs[v].name, name))
			return &seam_verbs[v];
	return &seam_verbs[0];
}

/* A call is contended if it waited, or was refused. */
static void
count(struct row *r, const struct seam_event *e,
      const struct seam_verb_info *verb)
{
	bool takes =
	    verb->class == SEAM_CLASS_ACQUIRE || verb->class == SEAM_CLASS_TRY;
	bool busy = takes && (e->result == EBUSY || e->result == EAGAIN ||
			      e->result == EACCES);

	if (!r)
		return;
	r->calls++;
	/* EOWNERDEAD gives the lock, too. */
	r->acquired += takes && (!e->result || e->result == EOWNERDEAD);
	r->contended += busy || e->waited;
	r->waited += e->waited;
	if (e->waited > r->longest)
		r->longest = e->waited;
}

void
cli_summary_add(struct cli_summary *sum, const struct seam_event *e)
{
	const struct seam_verb_info *verb = verb_info(e->verb);
	const char *object = e->object && *e->object ? e->object : "-";
	char key[1024];

	if (e->moment != SEAM_AFTER)
		return;
	snprintf(key, sizeof(key), "%s\t%s",
		 verb->kind ? seam_kinds[verb->kind] : "-", object);
	count(row_of(&sum->objects, key), e, verb);
	snprintf(key, sizeof(key), "%s\t%s\t%s", e->verb, object,
		 e->site && *e->site ? e->site : "-");
	count(row_of(&sum->sites, key), e, verb);
}

/* Printing. */

struct rows {
	struct row **v;
	size_t n, room;
};

static void
collect(const void *node, VISIT visit, void *data)
{
	struct rows *rows = data;

	if (visit != postorder && visit != leaf)
		return;
	if (rows->n == rows->room) {
		size_t room = rows->room ? 2 * rows->room : 64;
		struct row **v = realloc(rows->v, room * sizeof(struct row *));

		if (!v)
			return;
		rows->v = v;
		rows->room = room;
	}
	rows->v[rows->n++] = *(struct row *const *)node;
}

static int
by_waiting(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a;
	const struct row *y = *(struct row *const *)b;

	if (x->waited != y->waited)
		return x->waited < y->waited ? 1 : -1;
	if (x->calls != y->calls)
		return x->calls < y->calls ? 1 : -1;
	return strcmp(x->key, y->key);
}

#define KEYS 3

/* The n-th part of the key. */
static const char *
part(const char *key, unsigned n, int *len)
{
	while (n--)
		key += strcspn(key, "\t") + 1;
	*len = (int)strcspn(key, "\t");
	return key;
}

static void
put_keys(FILE *f, const char *key, unsigned keys, const int *width)
{
	for (unsigned i = 0; i < keys; i++) {
		int len;
		const char *text = part(key, i, &len);

		fprintf(f, "%s%.*s", i ? "  " : "", len, text);
		if (i + 1 < keys)
			fprintf(f, "%*s", width[i] - len, "");
	}
	fputc('\n', f);
}

static void
measure(const char *key, unsigned keys, int *width)
{
	for (unsigned i = 0; i < keys; i++) {
		int len;

		part(key, i, &len);
		if (len > width[i])
			width[i] = len;
	}
}

/* Numbers first, as strace -c has them; head: names of the key's parts. */
static void
put_table(FILE *f, void *tree, const char *head, unsigned keys)
{
	struct rows rows = { 0 };
	int width[KEYS] = { 0 };

	twalk_r(tree, collect, &rows);
	if (rows.n)
		qsort(rows.v, rows.n, sizeof(*rows.v), by_waiting);
	measure(head, keys, width);
	for (size_t i = 0; i < rows.n; i++)
		measure(rows.v[i]->key, keys, width);
	fprintf(f, "%9s %9s %9s %12s %12s  ", "calls", "acquired", "contended",
		"waited", "longest");
	put_keys(f, head, keys, width);
	for (size_t i = 0; i < rows.n; i++) {
		const struct row *r = rows.v[i];

		fprintf(f, "%9llu %9llu %9llu %12.6f %12.6f  ",
			(unsigned long long)r->calls,
			(unsigned long long)r->acquired,
			(unsigned long long)r->contended,
			(double)r->waited / 1e9, (double)r->longest / 1e9);
		put_keys(f, r->key, keys, width);
	}
	free(rows.v);
}

void
cli_summary_print(struct cli_summary *sum, FILE *f)
{
	fputs("objects\n", f);
	put_table(f, sum->objects, "kind\tobject", 2);
	fputs("\ncall sites\n", f);
	put_table(f, sum->sites, "operation\tobject\tsite", 3);
}
