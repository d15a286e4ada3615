/* SPDX-License-Identifier: MIT */
/*
 * bug: The owner of a robust mutex is cancelled; the next owner repairs the
 *      data but forgets pthread_mutex_consistent, and nobody can lock it
 *      again.
 * oracle: exit
 * preemptions: 1
 * critical: canceller thread.cancel P1.T0.1 before worker sem.wait paper
 * or: canceller thread.cancel P1.T0.1 before worker mutex.lock ledger
 * or: canceller thread.cancel P1.T0.1 before - once P1.T0.1/once#1
 */
#include "explore.h"

#include <semaphore.h>

static pthread_mutex_t ledger;
static sem_t paper;
static pthread_t worker_thread;
static int entries, pages;

static void *
worker(void *unused)
{
	(void)unused;
	pthread_testcancel();
	must(pthread_mutex_lock(&ledger));
	entries++;
	sem_wait(&paper);
	pages++;
	must(pthread_mutex_unlock(&ledger));
	return NULL;
}

static void *
canceller(void *unused)
{
	(void)unused;
	must(pthread_cancel(worker_thread));
	return NULL;
}

CALL_SITE static int
audit(void)
{
	int error = pthread_mutex_lock(&ledger), right;

	if (error == EOWNERDEAD) {
		pages = entries;
#ifdef FIXED
		must(pthread_mutex_consistent(&ledger));
#endif
	} else if (error) {
		return 0;
	}
	right = pages == entries;
	must(pthread_mutex_unlock(&ledger));
	return right;
}

int
main(void)
{
	pthread_mutexattr_t attr;
	pthread_t second;
	int right;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	must(pthread_mutex_init(&ledger, &attr));
	sem_init(&paper, 0, 1);
	must(pthread_create(&worker_thread, NULL, worker, NULL));
	must(pthread_create(&second, NULL, canceller, NULL));
	must(pthread_join(second, NULL));
	must(pthread_join(worker_thread, NULL));
	right = audit();
	right = audit() && right;
	return verdict(right);
}
