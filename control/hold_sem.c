/* SPDX-License-Identifier: MIT */
/*
 * Named semaphores: taken for real as well, so that programs outside of the
 * session see the hold.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/stat.h>

#include "rules_int.h"

/* Is what /dev/shm has under that name what the target maps? */
static bool
is_same(struct seam_process *p, uint64_t addr, const struct stat *st)
{
	struct seam_map *map = seam_map_of(p);
	struct seam_backing b;

	if (!map || seam_map_backing(map, addr, &b))
		return true; /* not to be known */
	return b.dev == st->st_dev && b.ino == st->st_ino;
}

static bool
is_ours(struct seam_session *s, struct seam_armed *r)
{
	char path[SEAM_NAME_TEXT];
	bool same = true;
	struct stat st;

	snprintf(path, sizeof(path), "/dev/shm/sem.%s", r->sel.obj.name + 1);
	if (stat(path, &st))
		return false;
	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];
		struct seam_found f;

		if (!seam_process_live(p))
			continue;
		seam_find(s, p, &r->sel.obj, &f);
		for (size_t k = 0; k < f.n; k++)
			same &= is_same(p, f.v[k].lo, &st);
		seam_found_free(&f);
	}
	return same;
}

void
seam_hold_sem_open(struct seam_session *s, struct seam_armed *r)
{
	sem_t *sem;

	if (!is_ours(s, r))
		return;
	sem = sem_open(r->sel.obj.name, 0);
	if (sem != SEM_FAILED)
		r->sem = sem;
}

/* All there are; false when there is none. */
bool
seam_hold_sem_take(struct seam_armed *r)
{
	while (r->taken < 65536 && !sem_trywait(r->sem))
		r->taken++;
	return r->taken > 0;
}

void
seam_hold_sem_give(struct seam_armed *r)
{
	if (!r->sem)
		return;
	for (; r->taken > 0; r->taken--)
		sem_post(r->sem);
	sem_close(r->sem);
	r->sem = NULL;
}
