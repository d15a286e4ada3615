/* SPDX-License-Identifier: MIT */
/*
 * lock_orders CASE: two locks in two orders.  Deadlocks that few runs come to:
 * late (the one long after the other), rare (the one hardly ever), three,
 * upgrade (readers that want to write), posts (semaphores for mutexes), again
 * (the same lock before).  None: gated, joined, alone, readers, counted (there
 * are two of each), tried, flagged (the one only if the other is over), met
 * (at a barrier).
 */
#include "explore.h"

#include <semaphore.h>
#include <string.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t third = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t noise = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t left = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t right = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t meeting;
static sem_t one, other;
static int finished;

static void
work(void)
{
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&noise);
		pthread_mutex_unlock(&noise);
	}
}

CALL_SITE static void
both(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
	pthread_mutex_lock(outer);
	pthread_mutex_lock(inner);
	pthread_mutex_unlock(inner);
	pthread_mutex_unlock(outer);
}

static void *
forwards(void *unused)
{
	both(&first, &second);
	return unused;
}

static void *
backwards(void *unused)
{
	both(&second, &first);
	return unused;
}

static void *
late(void *unused)
{
	work();
	both(&second, &first);
	return unused;
}

/* Only if the other thread was always found working. */
static void *
rare(void *unused)
{
	int found = 0;

	for (int i = 0; i < 6; i++)
		if (pthread_mutex_trylock(&noise))
			found++;
		else
			pthread_mutex_unlock(&noise);
	if (found == 6)
		both(&first, &second);
	return unused;
}

static void *
around(void *unused)
{
	work();
	both(&second, &third);
	return unused;
}

static void *
back(void *unused)
{
	both(&third, &first);
	return unused;
}

static void *
again(void *unused)
{
	pthread_mutex_lock(&first);
	pthread_mutex_unlock(&first);
	work();
	both(&second, &first);
	return unused;
}

static void *
gated_forwards(void *unused)
{
	pthread_mutex_lock(&gate);
	both(&first, &second);
	pthread_mutex_unlock(&gate);
	return unused;
}

static void *
gated_backwards(void *unused)
{
	pthread_mutex_lock(&gate);
	both(&second, &first);
	pthread_mutex_unlock(&gate);
	return unused;
}

static void *
alone(void *unused)
{
	both(&first, &second);
	both(&second, &first);
	return unused;
}

static void *
tries(void *unused)
{
	pthread_mutex_lock(&second);
	if (!pthread_mutex_trylock(&first))
		pthread_mutex_unlock(&first);
	pthread_mutex_unlock(&second);
	return unused;
}

static void
read_both(pthread_rwlock_t *outer, pthread_rwlock_t *inner)
{
	pthread_rwlock_rdlock(outer);
	pthread_rwlock_rdlock(inner);
	pthread_rwlock_unlock(inner);
	pthread_rwlock_unlock(outer);
}

static void *
read_forwards(void *unused)
{
	read_both(&left, &right);
	return unused;
}

static void *
read_backwards(void *unused)
{
	read_both(&right, &left);
	return unused;
}

static void
read_and_write(pthread_rwlock_t *outer, pthread_rwlock_t *inner)
{
	pthread_rwlock_rdlock(outer);
	pthread_rwlock_wrlock(inner);
	pthread_rwlock_unlock(inner);
	pthread_rwlock_unlock(outer);
}

static void *
write_forwards(void *unused)
{
	read_and_write(&left, &right);
	return unused;
}

static void *
write_backwards(void *unused)
{
	work();
	read_and_write(&right, &left);
	return unused;
}

static void
take_both(sem_t *outer, sem_t *inner)
{
	sem_wait(outer);
	sem_wait(inner);
	sem_post(inner);
	sem_post(outer);
}

static void *
take_forwards(void *unused)
{
	take_both(&one, &other);
	return unused;
}

static void *
take_backwards(void *unused)
{
	work();
	take_both(&other, &one);
	return unused;
}

static void *
flags(void *unused)
{
	both(&first, &second);
	pthread_mutex_lock(&gate);
	finished = 1;
	pthread_mutex_unlock(&gate);
	return unused;
}

static void *
if_flagged(void *unused)
{
	int go;

	pthread_mutex_lock(&gate);
	go = finished;
	pthread_mutex_unlock(&gate);
	if (go)
		both(&second, &first);
	return unused;
}

static void *
before(void *unused)
{
	both(&first, &second);
	pthread_barrier_wait(&meeting);
	return unused;
}

static void *
after(void *unused)
{
	pthread_barrier_wait(&meeting);
	both(&second, &first);
	return unused;
}

static void
one_after_the_other(void)
{
	together(forwards);
	together(backwards);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	unsigned units = strcmp(what, "counted") ? 1 : 2;

	must(sem_init(&one, 0, units) || sem_init(&other, 0, units));
	must(pthread_barrier_init(&meeting, NULL, 2));
	if (!strcmp(what, "late"))
		together(forwards, late);
	else if (!strcmp(what, "rare"))
		together(rare, late);
	else if (!strcmp(what, "three"))
		together(forwards, around, back);
	else if (!strcmp(what, "upgrade"))
		together(write_forwards, write_backwards);
	else if (!strcmp(what, "posts") || !strcmp(what, "counted"))
		together(take_forwards, take_backwards);
	else if (!strcmp(what, "again"))
		together(forwards, again);
	else if (!strcmp(what, "gated"))
		together(gated_forwards, gated_backwards);
	else if (!strcmp(what, "joined"))
		one_after_the_other();
	else if (!strcmp(what, "alone"))
		together(alone);
	else if (!strcmp(what, "readers"))
		together(read_forwards, read_backwards);
	else if (!strcmp(what, "tried"))
		together(forwards, tries);
	else if (!strcmp(what, "flagged"))
		together(flags, if_flagged);
	else if (!strcmp(what, "met"))
		together(before, after);
	else
		die("usage: lock_orders CASE");
	return verdict(1);
}
