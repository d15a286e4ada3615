/* SPDX-License-Identifier: MIT */
/*
 * Named semaphores: taken for real as well, so that programs outside of the
 * session see the hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
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

static struct seam_loan *
note_loan(struct seam_session *s, const struct seam_armed *r)
{
	struct seam_loans *loans = s->own->loans;
	struct seam_loan *loan = &loans->v[r->index];
	struct stat st;

	snprintf(loan->path, sizeof(loan->path), "/dev/shm/sem.%s",
		 r->sel.obj.name + 1);
	if (stat(loan->path, &st))
		return NULL;
	loan->dev = st.st_dev;
	loan->ino = st.st_ino;
	atomic_store(&loan->taken, 0);
	if (atomic_load(&loans->n) <= r->index)
		atomic_store(&loans->n, r->index + 1);
	return loan;
}

void
seam_hold_sem_open(struct seam_session *s, struct seam_armed *r)
{
	sem_t *sem;

	if (!is_ours(s, r))
		return;
	sem = sem_open(r->sel.obj.name, 0);
	if (sem == SEM_FAILED)
		return;
	r->loan = note_loan(s, r);
	if (r->loan)
		r->sem = sem;
	else
		sem_close(sem);
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
	sem_close(r->sem);
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

/* If it is still the one under that name. */
static void
give_back(struct seam_loan *loan)
{
	int fd = open(loan->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	void *sem;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && st.st_dev == loan->dev &&
	    st.st_ino == loan->ino && st.st_size >= (off_t)sizeof(sem_t)) {
		sem = mmap(NULL, sizeof(sem_t), PROT_READ | PROT_WRITE,
			   MAP_SHARED, fd, 0);
		if (sem != MAP_FAILED)
			post_all(loan, sem);
	}
	close(fd);
}

void
seam_loans_return(struct seam_loans *loans)
{
	uint32_t n = atomic_load(&loans->n);

	for (uint32_t i = 0; i < n; i++)
		if (atomic_load(&loans->v[i].taken) > 0)
			give_back(&loans->v[i]);
}
