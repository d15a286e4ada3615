/* SPDX-License-Identifier: MIT */
/*
 * Named semaphores: taken for real as well, so that programs outside of the
 * session see the hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inner.h"
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
is_ours(struct seam_session *s, struct seam_armed *r, const struct stat *st)
{
	bool same = true;

	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];
		struct seam_found f;

		if (!seam_process_live(p))
			continue;
		seam_find(s, p, &r->sel.obj, &f);
		for (size_t k = 0; k < f.n; k++)
			same &= is_same(p, f.v[k].lo, st);
		seam_found_free(&f);
	}
	return same;
}

static sem_t *
map_sem(int fd)
{
	void *sem = mmap(NULL, sizeof(sem_t), PROT_READ | PROT_WRITE,
			 MAP_SHARED, fd, 0);

	return sem == MAP_FAILED ? NULL : sem;
}

static bool
is_sem(int fd, struct stat *st)
{
	return fstat(fd, st) == 0 && S_ISREG(st->st_mode) &&
	       st->st_size >= (off_t)sizeof(sem_t);
}

static struct seam_loan *
note_loan(struct seam_session *s, uint32_t index, int fd)
{
	struct seam_loans *loans = s->own->loans;

	atomic_store(&loans->v[index].taken, 0);
	if (atomic_load(&loans->n) <= index)
		atomic_store(&loans->n, index + 1);
	return seam_warden_lend(s, index, fd) ? &loans->v[index] : NULL;
}

void
seam_hold_sem_open(struct seam_session *s, struct seam_armed *r)
{
	char path[SEAM_NAME_TEXT + 16];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/dev/shm/sem.%s", r->sel.obj.name + 1);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return;
	if (is_sem(fd, &st) && is_ours(s, r, &st) && (r->sem = map_sem(fd))) {
		r->loan = note_loan(s, r->index, fd);
		if (!r->loan) {
			munmap(r->sem, sizeof(sem_t));
			r->sem = NULL;
		}
	}
	close(fd);
}

/* All there are; false when there is none. */
bool
seam_hold_sem_take(struct seam_armed *r)
{
	while (atomic_load(&r->loan->taken) < 65536 && !sem_trywait(r->sem))
		atomic_fetch_add(&r->loan->taken, 1);
	return atomic_load(&r->loan->taken) > 0;
}

static void
post_all(struct seam_loan *loan, sem_t *sem)
{
	while (atomic_load(&loan->taken) > 0) {
		atomic_fetch_sub(&loan->taken, 1);
		sem_post(sem);
	}
}

void
seam_hold_sem_give(struct seam_armed *r)
{
	if (!r->sem)
		return;
	post_all(r->loan, r->sem);
	munmap(r->sem, sizeof(sem_t));
	r->sem = NULL;
	r->loan = NULL;
}

/* The warden. */

struct seam_loans *
seam_loans_new(void)
{
	void *p = mmap(NULL, sizeof(struct seam_loans), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void
seam_loans_free(struct seam_loans *loans)
{
	if (loans)
		munmap(loans, sizeof(*loans));
}

void
seam_loans_note(struct seam_loans *loans, uint32_t index, int fd)
{
	struct seam_loan *loan = &loans->v[index];

	if (loan->sem)
		munmap(loan->sem, sizeof(sem_t));
	loan->sem = map_sem(fd);
	close(fd);
}

void
seam_loans_return(struct seam_loans *loans)
{
	uint32_t n = atomic_load(&loans->n);

	for (uint32_t i = 0; i < n; i++)
		if (loans->v[i].sem)
			post_all(&loans->v[i], loans->v[i].sem);
}
