/* SPDX-License-Identifier: MIT */
/*
 * pshared KIND: a process-shared object in a shared mapping, used by a parent
 * and its forked child: mutex rwlock sem cond barrier spin.  Each adds 1000
 * to a total under it, or passes a token to and fro (cond, barrier).
 */
#include "victim.h"

#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { ROUNDS = 1000, TURNS = 10 };

struct shared {
	pthread_mutex_t lock;
	pthread_rwlock_t rwlock;
	pthread_spinlock_t spin;
	sem_t sem;
	pthread_cond_t cond;
	pthread_barrier_t barrier;
	long total;
	int turn;
};
static struct shared *sh;
static const char *kind;

static int
is(const char *name)
{
	return strcmp(kind, name) == 0;
}

static void
set_up(void)
{
	pthread_mutexattr_t m;
	pthread_rwlockattr_t r;
	pthread_condattr_t c;
	pthread_barrierattr_t b;

	pthread_mutexattr_init(&m);
	pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&sh->lock, &m);
	pthread_rwlockattr_init(&r);
	pthread_rwlockattr_setpshared(&r, PTHREAD_PROCESS_SHARED);
	pthread_rwlock_init(&sh->rwlock, &r);
	pthread_spin_init(&sh->spin, PTHREAD_PROCESS_SHARED);
	sem_init(&sh->sem, 1, 1);
	pthread_condattr_init(&c);
	pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&sh->cond, &c);
	pthread_barrierattr_init(&b);
	pthread_barrierattr_setpshared(&b, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&sh->barrier, &b, 2);
}

CALL_SITE static void
add(void)
{
	if (is("mutex")) {
		pthread_mutex_lock(&sh->lock);
		sh->total++;
		pthread_mutex_unlock(&sh->lock);
	} else if (is("rwlock")) {
		pthread_rwlock_wrlock(&sh->rwlock);
		sh->total++;
		pthread_rwlock_unlock(&sh->rwlock);
	} else if (is("spin")) {
		pthread_spin_lock(&sh->spin);
		sh->total++;
		pthread_spin_unlock(&sh->spin);
	} else {
		while (sem_wait(&sh->sem))
			;
		sh->total++;
		sem_post(&sh->sem);
	}
}

/* A token goes to and fro: who has the turn adds, and gives it away. */
CALL_SITE static void
take_turns(int me)
{
	for (int i = 0; i < TURNS; i++) {
		pthread_mutex_lock(&sh->lock);
		while (sh->turn != me)
			pthread_cond_wait(&sh->cond, &sh->lock);
		sh->total++;
		sh->turn = !me;
		pthread_cond_signal(&sh->cond);
		pthread_mutex_unlock(&sh->lock);
	}
}

CALL_SITE static void
meet(int me)
{
	for (int i = 0; i < TURNS; i++) {
		pthread_barrier_wait(&sh->barrier);
		if (me == i % 2)
			sh->total++;
	}
	pthread_barrier_wait(&sh->barrier);
}

static long
use(int me)
{
	if (is("cond")) {
		take_turns(me);
		return 2L * TURNS;
	}
	if (is("barrier")) {
		meet(me);
		return TURNS;
	}
	for (int i = 0; i < ROUNDS; i++)
		add();
	return 2L * ROUNDS;
}

int
main(int argc, char **argv)
{
	long expected;
	int status;
	pid_t pid;

	kind = argc > 1 ? argv[1] : "";
	if (!is("mutex") && !is("rwlock") && !is("spin") && !is("sem") &&
	    !is("cond") && !is("barrier"))
		die("usage: pshared mutex|rwlock|spin|sem|cond|barrier");
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED)
		die("pshared: mmap");
	set_up();
	pid = fork();
	if (pid == 0) {
		use(1);
		_exit(0);
	}
	expected = use(0);
	if (waitpid(pid, &status, 0) != pid || status)
		die("pshared: the child failed");
	say("total %ld", sh->total);
	return sh->total == expected ? 0 : 1;
}
