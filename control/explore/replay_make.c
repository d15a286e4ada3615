/* SPDX-License-Identifier: MIT */
/* Replay files from runs, and runs from replay files. */
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explore/replay_compare.h"
#include "rules_int.h"

static void
free_words(char **v)
{
	for (size_t i = 0; v && v[i]; i++)
		free(v[i]);
	free(v);
}

static void
free_events(struct replay_event *event, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(event[i].thread);
		free(event[i].verb);
		free(event[i].object);
		free(event[i].site);
		free(event[i].result);
	}
	free(event);
}

static void
empty(struct replay_file *f)
{
	f->block = NULL;
	f->event = f->standing = NULL;
	f->nblocks = f->nevents = f->nstanding = 0;
	f->room_blocks = f->room_events = f->room_standing = 0;
}

static void
forget_run(struct replay_file *f)
{
	for (size_t i = 0; i < f->nblocks; i++)
		free(f->block[i].thread);
	free_events(f->event, f->nevents);
	free_events(f->standing, f->nstanding);
	free(f->block);
	empty(f);
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

char **
replay_copy_words(char *const *words)
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

char *
replay_copy_text(const char *text)
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
	empty(f);
	f->critical[0] = f->critical[1] = 0;
	f->because = NULL;
	f->argv = replay_copy_words(from->argv);
	f->env = replay_copy_words(from->env);
	f->dir = replay_copy_text(from->dir);
	f->setup = replay_copy_text(from->setup);
	f->reset = replay_copy_text(from->reset);
	f->check = replay_copy_text(from->check);
	f->program = replay_copy_text(from->program);
	f->program_id = replay_copy_text(from->program_id);
	f->library_id = replay_copy_text(from->library_id);
	f->strategy = replay_copy_text(from->strategy);
	f->fault = replay_copy_text(from->fault);
	f->test = replay_copy_text(from->test);
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
		e->verb = strdup(replay_verb(&s->op, verb, sizeof(verb)));
		e->object = strdup(replay_subject(t, l, &s->op));
		e->site = strdup(*site ? site : "-");
		e->result = strdup(replay_result(s, number, sizeof(number)));
		e->event = s->event;
		if (!e->thread || !e->verb || !e->object || !e->site ||
		    !e->result)
			return false;
	}
	return true;
}

static bool
take_standing(struct replay_file *f, const struct explore_trace *t,
	      const struct explore_labels *l)
{
	for (uint32_t i = 0; i < t->nthreads; i++) {
		const struct explore_thread *th = &t->thread[i];
		const bool stands = th->state == SEAM_SLOT_PENDING;
		struct replay_event *e = &f->standing[f->nstanding++];
		char verb[64];

		e->thread = strdup(th->path);
		e->verb = strdup(
		    stands ? replay_verb(&th->pending, verb, sizeof(verb)) :
			     "-");
		e->object =
		    strdup(stands ? replay_subject(t, l, &th->pending) : "-");
		e->site = strdup(stands && *l->at[i] ? l->at[i] : "-");
		if (!e->thread || !e->verb || !e->object || !e->site)
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
	f->standing = calloc(t->nthreads + 1u, sizeof(*f->standing));
	f->hash = t->hash;
	f->seed = t->entropy;
	return f->block && f->event && f->standing && take_blocks(f, t) &&
	       take_events(f, t, l) && take_standing(f, t, l);
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
