/* SPDX-License-Identifier: MIT */
/* Processes and threads as rules look at them. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "rules_int.h"

bool
seam_process_live(const struct seam_process *p)
{
	return p->used && !p->ended && p->pid > 0;
}

char *
seam_process_path(struct seam_session *s, const struct seam_process *p,
		  char *buf)
{
	seam_arena_copy(s->arena->proc[p->index].path, SEAM_PATH, buf,
			SEAM_PATH);
	return buf;
}

void
seam_process_status(const struct seam_process *p, struct seam_text *t)
{
	if (!p->status_known)
		return;
	if (!WIFSIGNALED(p->status)) {
		seam_text_add(t, " with status %d", WEXITSTATUS(p->status));
		return;
	}
	seam_text_add(t, " by SIG%s", seam_signal_name(WTERMSIG(p->status)).s);
}

/* "A.1.2" for the process P3.1.2, whose ancestor P3 has the alias A. */
static bool
is_below_alias(struct seam_session *s, const char *path, const char *pattern)
{
	char up[SEAM_PATH], name[2 * SEAM_PATH];

	for (unsigned i = 0; i < s->processes; i++) {
		const struct seam_process *q = &s->process[i];
		size_t n;

		if (!q->used || !q->alias)
			continue;
		n = strlen(seam_process_path(s, q, up));
		if (strncmp(path, up, n) != 0 || path[n] != '.')
			continue;
		snprintf(name, sizeof(name), "%.63s%s", q->alias, path + n);
		if (seam_glob(pattern, name))
			return true;
	}
	return false;
}

bool
seam_process_is(struct seam_session *s, const struct seam_process *p,
		const char *pattern)
{
	char path[SEAM_PATH];

	if (!pattern)
		return true;
	if (p->alias && seam_glob(pattern, p->alias))
		return true;
	seam_process_path(s, p, path);
	return seam_glob(pattern, path) || is_below_alias(s, path, pattern);
}

bool
seam_process_below(struct seam_session *s, const struct seam_process *p,
		   const char *name)
{
	char pattern[SEAM_NAME_TEXT];

	snprintf(pattern, sizeof(pattern), "%s.*", name);
	return seam_process_is(s, p, pattern);
}

bool
seam_rule_concerns(struct seam_session *s, const struct seam_armed *r,
		   const struct seam_process *p)
{
	char pattern[SEAM_NAME_TEXT];

	if (!seam_process_is(s, p, r->sel.proc) &&
	    (r->kind != SEAM_RULE_ORDER ||
	     !seam_process_below(s, p, r->sel.proc)))
		return false;
	return !r->sel.thread || seam_thread_pattern(s, p, r->sel.thread,
						     pattern, sizeof(pattern));
}

/* The process whose alias the pattern begins with; the latest. */
static const struct seam_process *
process_of_alias(struct seam_session *s, const char *pattern, size_t n)
{
	for (unsigned i = s->processes; i-- > 0;) {
		const struct seam_process *q = &s->process[i];

		if (q->used && q->alias && strlen(q->alias) == n &&
		    !memcmp(q->alias, pattern, n))
			return q;
	}
	return NULL;
}

/* "P1.2.T0…" names process P1.2 alone. */
static bool
path_of_another(const char *path, const char *pattern)
{
	const char *t = strstr(pattern, ".T");
	char proc[SEAM_PATH];

	if (pattern[0] != 'P' || !t || (size_t)(t - pattern) >= SEAM_PATH)
		return false;
	memcpy(proc, pattern, (size_t)(t - pattern));
	proc[t - pattern] = '\0';
	return !strchr(proc, '*') && strcmp(proc, path) != 0;
}

bool
seam_thread_pattern(struct seam_session *s, const struct seam_process *p,
		    const char *pattern, char *buf, size_t size)
{
	size_t n = strcspn(pattern, ".");
	const struct seam_process *of = p;
	char path[SEAM_PATH];

	if (!p->alias || strlen(p->alias) != n || memcmp(p->alias, pattern, n))
		of = process_of_alias(s, pattern, n);
	if (of)
		snprintf(buf, size, "%s%s", seam_process_path(s, of, path),
			 pattern[n] ? pattern + n : ".T0");
	else
		snprintf(buf, size, "%s", pattern);
	return !path_of_another(seam_process_path(s, p, path), buf);
}

void
seam_refresh_maps(struct seam_session *s)
{
	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];

		if (seam_process_live(p) && p->map)
			seam_map_refresh(p->map);
	}
}

/* `serial` changes with the state; twice the same, and nothing in between
 * was torn. */
void
seam_stand(const struct seam_thread *t, struct seam_stand *out)
{
	uint32_t again;

	for (int i = 0; i < 8; i++) {
		out->serial = atomic_load(&t->serial);
		out->state = atomic_load(&t->state);
		out->parked = atomic_load(&t->park) == 1 &&
			      (out->state == SEAM_THREAD_PARKED ||
			       out->state == SEAM_THREAD_HELD);
		memcpy(&out->doing, &t->doing, sizeof(out->doing));
		atomic_thread_fence(memory_order_acquire);
		again = atomic_load(&t->serial);
		if (again == out->serial)
			break;
	}
	if (out->doing.verb >= SEAM_VERBS)
		out->doing.verb = SEAM_VERB_NONE;
	if (out->doing.fn >= SEAM_FNS)
		out->doing.fn = SEAM_FN_NONE;
	if (out->doing.nframes > SEAM_FRAMES)
		out->doing.nframes = SEAM_FRAMES;
}

bool
seam_stands_at(const struct seam_stand *st, uint32_t index1)
{
	return st->parked && st->doing.rule == index1;
}

uint32_t
seam_thread_index(struct seam_session *s, const struct seam_thread *t)
{
	return (uint32_t)(t - s->arena->thread);
}

struct seam_thread *
seam_thread_next(struct seam_session *s, uint32_t *i)
{
	uint32_t n = atomic_load(&s->arena->head.threads);
	struct seam_thread *t;

	if (n > SEAM_MAX_THREADS)
		n = SEAM_MAX_THREADS;
	while (*i < n) {
		t = seam_thread_at(s, (*i)++);
		if (t)
			return t;
	}
	return NULL;
}

uint32_t
seam_objects(struct seam_session *s)
{
	uint32_t n = atomic_load(&s->arena->head.objects);

	return n > SEAM_MAX_OBJECTS ? SEAM_MAX_OBJECTS : n;
}
