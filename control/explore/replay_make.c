/* SPDX-License-Identifier: MIT */
/* Replay files from runs, and runs from replay files. */
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explore/replay_file.h"
#include "rules_int.h"

static void
free_words(char **v)
{
	for (size_t i = 0; v && v[i]; i++)
		free(v[i]);
	free(v);
}

static void
forget_run(struct replay_file *f)
{
	for (size_t i = 0; i < f->nblocks; i++)
		free(f->block[i].thread);
	for (size_t i = 0; i < f->nevents; i++) {
		free(f->event[i].thread);
		free(f->event[i].verb);
		free(f->event[i].object);
		free(f->event[i].site);
		free(f->event[i].result);
	}
	free(f->block);
	free(f->event);
	f->block = NULL;
	f->event = NULL;
	f->nblocks = f->nevents = f->room_blocks = f->room_events = 0;
}

void
replay_free(struct replay_file *f)
{
	if (!f)
		return;
	forget_run(f);
	free_words(f->argv);
	free_words(f->env);
	free(f->dir);
	free(f->setup);
	free(f->reset);
	free(f->check);
	free(f->program);
	free(f->program_id);
	free(f->library_id);
	free(f->strategy);
	free(f->fault);
	free(f->test);
	free(f->because);
	free(f);
}

static char **
copy_words(char *const *words)
{
	size_t n = 0;
	char **v;

	while (words && words[n])
		n++;
	v = calloc(n + 1, sizeof(*v));
	for (size_t i = 0; v && i < n; i++)
		v[i] = strdup(words[i]);
	return v;
}

static char *
copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

struct replay_file *
replay_copy(const struct replay_file *from)
{
	struct replay_file *f = malloc(sizeof(*f));

	if (!f)
		return NULL;
	*f = *from;
	f->block = NULL;
	f->event = NULL;
	f->nblocks = f->nevents = f->room_blocks = f->room_events = 0;
	f->critical[0] = f->critical[1] = 0;
	f->because = NULL;
	f->argv = copy_words(from->argv);
	f->env = copy_words(from->env);
	f->dir = copy(from->dir);
	f->setup = copy(from->setup);
	f->reset = copy(from->reset);
	f->check = copy(from->check);
	f->program = copy(from->program);
	f->program_id = copy(from->program_id);
	f->library_id = copy(from->library_id);
	f->strategy = copy(from->strategy);
	f->fault = copy(from->fault);
	f->test = copy(from->test);
	if (f->argv && f->env && f->dir && f->program && f->program_id &&
	    f->library_id && f->strategy && f->fault)
		return f;
	replay_free(f);
	return NULL;
}

/* A run to a file. */

static bool
take_blocks(struct replay_file *f, const struct explore_trace *t)
{
	for (uint32_t i = 0; i < t->nsteps; i++) {
		const struct seam_step *s = &t->step[i];
		struct replay_block *b =
		    f->nblocks ? &f->block[f->nblocks - 1] : NULL;

		if (b && i && t->step[i - 1].slot == s->slot &&
		    b->how == s->op.how) {
			b->count++;
			continue;
		}
		b = &f->block[f->nblocks];
		b->thread = strdup(t->thread[s->slot].path);
		b->how = s->op.how;
		b->count = 1;
		if (!b->thread)
			return false;
		f->nblocks++;
	}
	return true;
}

/* What an event is about: an object, or another thread. */
static const char *
subject(const struct explore_trace *t, const struct explore_labels *l,
	const struct seam_op *op)
{
	if (op->object)
		return explore_object_label(l, op->object);
	return op->peer ? t->thread[op->peer - 1].path : "-";
}

/* "mutex.unlock+": goes on after it. */
static const char *
verb_of(const struct seam_op *op, char *buf, size_t size)
{
	const bool after =
	    op->flags & SEAM_OP_LOCAL && op->verb != SEAM_THREAD_START;

	snprintf(buf, size, "%s%s", seam_verb_name(op->verb), after ? "+" : "");
	return buf;
}

static const char *
result_of(const struct seam_step *s, char *buf, size_t size)
{
	const char *text = explore_result_label(s, buf, size);

	return *text ? text : "ok";
}

static bool
take_events(struct replay_file *f, const struct explore_trace *t,
	    const struct explore_labels *l)
{
	for (uint32_t i = 0; i < t->nsteps; i++) {
		const struct seam_step *s = &t->step[i];
		struct replay_event *e = &f->event[f->nevents++];
		const char *site = explore_site_label(l, i);
		char number[16], verb[64];

		e->thread = strdup(t->thread[s->slot].path);
		e->verb = strdup(verb_of(&s->op, verb, sizeof(verb)));
		e->object = strdup(subject(t, l, &s->op));
		e->site = strdup(*site ? site : "-");
		e->result = strdup(result_of(s, number, sizeof(number)));
		e->event = s->event;
		if (!e->thread || !e->verb || !e->object || !e->site ||
		    !e->result)
			return false;
	}
	return true;
}

bool
replay_take(struct replay_file *f, const struct explore_trace *t,
	    const struct explore_labels *l)
{
	forget_run(f);
	f->block = calloc(t->nsteps + 1u, sizeof(*f->block));
	f->event = calloc(t->nsteps + 1u, sizeof(*f->event));
	f->hash = t->hash;
	f->seed = t->entropy;
	return f->block && f->event && take_blocks(f, t) &&
	       take_events(f, t, l);
}

/* A file to a run. */

void
replay_plan(const struct replay_file *f, bool events, struct seam_plan *plan,
	    struct seam_forced *forced)
{
	uint32_t n = 0;

	*plan = (struct seam_plan){
		.strategy = SEAM_STRATEGY_FOLLOW,
		.flags = SEAM_PLAN_STRICT,
		.entropy = f->seed,
		.max_steps = f->steps,
	};
	plan->flags |= f->misuse ? SEAM_PLAN_MISUSE : 0u;
	plan->flags |= f->after ? SEAM_PLAN_AFTER : 0u;
	plan->flags |= f->marked ? SEAM_PLAN_MARKED : 0u;
	for (size_t i = 0; i < f->nblocks; i++) {
		const struct replay_block *b = &f->block[i];
		uint64_t key = seam_key_of(b->thread);

		for (uint32_t j = 0; j < b->count && n < SEAM_STEPS; j++, n++)
			forced[n] = (struct seam_forced){
				.thread = key,
				.how = b->how,
				.event = events && n < f->nevents ?
					     f->event[n].event :
					     0,
			};
	}
	plan->forced = n;
}

static bool
is_as_expected(const struct replay_event *e, const struct explore_trace *t,
	       const struct explore_labels *l, uint32_t i)
{
	const struct seam_step *s = &t->step[i];
	char number[16], verb[64];

	return !strcmp(e->thread, t->thread[s->slot].path) &&
	       !strcmp(e->verb, verb_of(&s->op, verb, sizeof(verb))) &&
	       !strcmp(e->object, subject(t, l, &s->op)) &&
	       !strcmp(e->result, result_of(s, number, sizeof(number)));
}

bool
replay_compare(const struct replay_file *f, const struct explore_trace *t,
	       const struct explore_labels *l, bool same_build, uint32_t *at)
{
	uint32_t i;

	if (!f->nevents) {
		*at = t->at;
		return t->verdict == SEAM_VERDICT_DIVERGED;
	}
	for (i = 0; i < t->nsteps && i < f->nevents; i++)
		if (same_build ? t->step[i].event != f->event[i].event :
				 !is_as_expected(&f->event[i], t, l, i))
			break;
	*at = i;
	return i < t->nsteps || i < f->nevents;
}

char *
replay_expected(const struct replay_file *f, uint32_t at)
{
	const struct replay_event *e;
	bool ok, object, site;
	char *text;

	if (at >= f->nevents)
		return strdup("the end of the run");
	e = &f->event[at];
	ok = !strcmp(e->result, "ok");
	object = strcmp(e->object, "-") != 0;
	site = strcmp(e->site, "-") != 0;
	if (asprintf(&text, "%s  %s%s%s%s%s%s%s", e->thread, e->verb,
		     object ? " " : "", object ? e->object : "",
		     site ? " at " : "", site ? e->site : "", ok ? "" : " = ",
		     ok ? "" : e->result) < 0)
		return NULL;
	return text;
}

/* Past the last step: what those that stand would have done. */
static char *
pending_text(const struct explore_trace *t, const struct explore_labels *l)
{
	char *text = NULL, call[256];
	bool any = false;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (uint32_t i = 0; i < t->nthreads; i++) {
		const struct explore_thread *th = &t->thread[i];

		if (th->state != SEAM_SLOT_PENDING)
			continue;
		explore_op_label(l, &th->pending, call, sizeof(call));
		fprintf(f, "%s%s  %s%s%s", any ? "; " : "", th->path, call,
			*l->at[i] ? " at " : "", l->at[i]);
		any = true;
	}
	if (!any)
		fputs("the end of the run", f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

char *
replay_actual(const struct explore_trace *t, const struct explore_labels *l,
	      uint32_t at)
{
	const char *site, *result;
	char call[256], number[16], *text;

	if (at >= t->nsteps)
		return pending_text(t, l);
	site = explore_site_label(l, at);
	result = explore_result_label(&t->step[at], number, sizeof(number));
	explore_op_label(l, &t->step[at].op, call, sizeof(call));
	if (asprintf(&text, "%s  %s%s%s%s%s", t->thread[t->step[at].slot].path,
		     call, *site ? " at " : "", site, *result ? " = " : "",
		     result) < 0)
		return NULL;
	return text;
}

/* Files. */

static bool
is_program(const char *path)
{
	return access(path, X_OK) == 0;
}

char *
replay_find_program(const char *name, const char *dir)
{
	const char *path = getenv("PATH");
	char *list, *rest, *at, *full = NULL;

	if (strchr(name, '/')) {
		if (asprintf(&full, "%s/%s", *name == '/' ? "" : dir, name) < 0)
			return NULL;
		rest = realpath(full, NULL);
		free(full);
		return rest;
	}
	list = strdup(path ? path : "/usr/local/bin:/usr/bin:/bin");
	rest = list;
	while (list && (at = strsep(&rest, ":"))) {
		if (asprintf(&full, "%s/%s", *at ? at : ".", name) < 0)
			full = NULL;
		if (full && is_program(full))
			break;
		free(full);
		full = NULL;
	}
	free(list);
	return full;
}

char *
replay_build_id(const char *path)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	char *hex = NULL;
	const void *bits;
	ssize_t n = 0;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		n = dwelf_elf_gnu_build_id(elf, &bits);
	if (n > 0)
		hex = calloc(2, (size_t)n + 1);
	for (ssize_t i = 0; hex && i < n; i++)
		sprintf(hex + 2 * i, "%02x", ((const unsigned char *)bits)[i]);
	elf_end(elf);
	if (fd >= 0)
		close(fd);
	return hex ? hex : strdup("-");
}

char *
replay_library_id(const char *preload)
{
	const char *set = getenv("SEAM_PRELOAD");

	if (!preload)
		preload = set && *set ? set : SEAM_PKGLIBDIR "/libseam.so";
	return replay_build_id(preload);
}
