/* SPDX-License-Identifier: MIT */
/* Names of a run's threads, objects and sites. */
#include "explore/labels.h"
#include "explore/runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules_int.h"

/* Sites, each text once. */

struct pooled {
	struct pooled *next;
	uint64_t site;
	uint32_t proc;
	char *path; /* of the source file, NULL: unknown */
	char text[];
};

#define POOL_BUCKETS 1024

struct site_pool {
	struct pooled *bucket[POOL_BUCKETS];
};

static char *
source_path(struct seam_process *p, uint64_t site)
{
	struct seam_map *map = seam_map_of(p);
	struct seam_site at;

	if (!map || seam_map_site(map, site, &at) || !at.path)
		return NULL;
	return strdup(at.path);
}

static const char *
pool_site(struct site_pool *pool, struct seam_session *s, uint32_t proc,
	  uint64_t site)
{
	uint64_t h = (site ^ proc) * UINT64_C(0x9e3779b97f4a7c15);
	struct pooled **link = &pool->bucket[h >> 54], *new;
	struct seam_process *p;
	char text[SEAM_NAME_TEXT];
	size_t n;

	for (; *link; link = &(*link)->next)
		if ((*link)->site == site && (*link)->proc == proc)
			return (*link)->text;
	p = seam_process_at(s, proc);
	if (!site || !p)
		return "";
	seam_site_describe(s, p, site, text, sizeof(text));
	n = strlen(text) + 1;
	new = malloc(sizeof(*new) + n);
	if (!new)
		return "";
	*new = (struct pooled){ .site = site, .proc = proc };
	new->path = source_path(p, site);
	memcpy(new->text, text, n);
	*link = new;
	return new->text;
}

static void
pool_free(struct site_pool *pool)
{
	struct pooled *p, *next;

	for (size_t i = 0; pool && i < POOL_BUCKETS; i++)
		for (p = pool->bucket[i]; p; p = next) {
			next = p->next;
			free(p->path);
			free(p);
		}
	free(pool);
}

/* Taking. */

static char *
thread_text(const struct explore_thread *t, uint32_t slot)
{
	char *text;
	int n;

	if (!*t->path)
		n = asprintf(&text, "thread %u", slot);
	else if (*t->name)
		n = asprintf(&text, "%s (%s)", t->path, t->name);
	else
		n = asprintf(&text, "%s", t->path);
	return n < 0 ? NULL : text;
}

/* What lies in a scratch directory is named as seen from there: that is
 * another one each time. */
static const char *
within_scratch(const char *path)
{
	const char *directory = strstr(path, "/" SCRATCH_PREFIX);
	const char *rest = directory ? strchr(directory + 1, '/') : NULL;

	return rest ? rest + 1 : path;
}

static char *
object_text(struct seam_session *s, const struct explore_trace *t, uint32_t i)
{
	uint32_t entry = s->arena->sched.sobject[i].entry;
	const char *name = entry ? seam_object_text(s, entry - 1) : "";
	char *text;

	if (*name)
		return strdup(within_scratch(name));
	if (asprintf(&text, "%s#%u", seam_kinds[t->object[i].kind], i + 1) < 0)
		return NULL;
	return text;
}

static bool
take_all(struct explore_labels *l, struct seam_session *s,
	 const struct explore_trace *t)
{
	const struct seam_sched *sched = &s->arena->sched;

	for (uint32_t i = 0; i < l->nthreads; i++) {
		l->thread[i] = thread_text(&t->thread[i], i);
		l->at[i] =
		    pool_site(l->p, s, sched->slot[i].proc, t->thread[i].site);
		if (!l->thread[i])
			return false;
	}
	for (uint32_t i = 0; i < l->nobjects; i++) {
		l->object[i] = object_text(s, t, i);
		if (!l->object[i])
			return false;
	}
	for (uint32_t i = 0; i < l->nsteps; i++)
		l->site[i] =
		    pool_site(l->p, s, sched->slot[t->step[i].slot].proc,
			      t->step[i].site);
	return true;
}

struct explore_labels *
explore_labels_take(struct seam_session *s, const struct explore_trace *t)
{
	struct explore_labels *l = calloc(1, sizeof(*l));
	bool good = false;

	if (!l)
		return NULL;
	l->nthreads = t->nthreads;
	l->nobjects = t->nobjects;
	l->nsteps = t->nsteps;
	l->thread = calloc(t->nthreads + 1, sizeof(*l->thread));
	l->at = calloc(t->nthreads + 1, sizeof(*l->at));
	l->object = calloc(t->nobjects + 1, sizeof(*l->object));
	l->site = calloc(t->nsteps + 1, sizeof(*l->site));
	l->p = calloc(1, sizeof(*l->p));
	if (l->thread && l->at && l->object && l->site && l->p) {
		seam_lock(s);
		good = take_all(l, s, t);
		seam_unlock(s);
	}
	if (good)
		return l;
	explore_labels_free(l);
	return NULL;
}

void
explore_labels_free(struct explore_labels *l)
{
	if (!l)
		return;
	for (uint32_t i = 0; l->thread && i < l->nthreads; i++)
		free(l->thread[i]);
	for (uint32_t i = 0; l->object && i < l->nobjects; i++)
		free(l->object[i]);
	free(l->thread);
	free(l->object);
	free(l->at);
	free(l->site);
	pool_free(l->p);
	free(l);
}

/* Telling. */

const char *
explore_thread_label(const struct explore_labels *l, uint32_t slot)
{
	return slot < l->nthreads ? l->thread[slot] : "?";
}

const char *
explore_object_label(const struct explore_labels *l, uint32_t object)
{
	return object && object <= l->nobjects ? l->object[object - 1] : "";
}

const char *
explore_site_label(const struct explore_labels *l, uint32_t step)
{
	return step < l->nsteps && l->site[step] ? l->site[step] : "";
}

const char *
explore_site_line(const char *site)
{
	const char *blank = strrchr(site, ' ');

	return blank && strchr(blank, ':') ? blank + 1 : site;
}

const char *
explore_site_path(const struct explore_labels *l, const char *site)
{
	for (size_t i = 0; *site && i < POOL_BUCKETS; i++)
		for (const struct pooled *p = l->p->bucket[i]; p; p = p->next)
			if (p->text == site)
				return p->path;
	return NULL;
}

char *
explore_op_label(const struct explore_labels *l, const struct seam_op *op,
		 char *buf, size_t size)
{
	const char *name = explore_object_label(l, op->object), *path;
	char range[64] = "";

	if (!*name && op->peer)
		name = explore_thread_label(l, op->peer - 1u);
	if (seam_verbs[op->verb].kind == SEAM_KIND_FILE && (op->len || op->off))
		snprintf(range, sizeof(range), " %llu+%llu",
			 (unsigned long long)op->off,
			 (unsigned long long)op->len);
	path = op->mode && strchr(name, '/') ? strrchr(name, '/') + 1 : name;
	snprintf(buf, size, "%s%s%s%s%s", seam_verb_name(op->verb),
		 op->flags & SEAM_OP_LOCAL && op->verb != SEAM_THREAD_START ?
		     " (after)" :
		     "",
		 *path ? " " : "", path, range);
	return buf;
}

const char *
explore_result_label(const struct seam_step *step, char *buf, size_t size)
{
	if (step->op.how == SEAM_HOW_TIMEOUT)
		return "timeout";
	if (step->op.how == SEAM_HOW_SIGNAL)
		return "interrupted";
	if (step->op.how == SEAM_HOW_SPURIOUS)
		return "woken by nobody";
	if (!step->result)
		return "";
	if (step->result == EBUSY || step->result == EAGAIN)
		return "busy";
	return seam_result_text(step->result, buf, size);
}
