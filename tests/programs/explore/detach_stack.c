/* SPDX-License-Identifier: MIT */
/*
 * bug: A detached thread reads its job, which lies on its starter's stack,
 *      after it has said that it began; the starter has returned by then.
 * oracle: crash
 * preemptions: 1
 * critical: report mutex.lock lock before count mutex.lock lock
 */
#include "explore.h"

#include <semaphore.h>

struct job {
	sem_t begun;
	int amount[16];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t ended;
static int counted;

CALL_SITE static void
count(const int *amount)
{
	pthread_mutex_lock(&lock);
	counted += *amount;
	pthread_mutex_unlock(&lock);
	HERE();
}

static void *
worker(void *argument)
{
	struct job *job = argument;
#ifdef FIXED
	int amount = job->amount[15];

	sem_post(&job->begun);
	count(&amount);
#else
	sem_post(&job->begun);
	count(&job->amount[15]);
#endif
	sem_post(&ended);
	return NULL;
}

static void *
reader(void *unused)
{
	(void)unused;
	return NULL;
}

/* Both begin; only the reader is waited for to the end. */
CALL_SITE static void
begin(int amount)
{
	struct job job = { .amount[15] = amount };
	pthread_t thread, read_thread;

	sem_init(&job.begun, 0, 0);
	must(pthread_create(&thread, NULL, worker, &job));
	must(pthread_detach(thread));
	must(pthread_create(&read_thread, NULL, reader, NULL));
	must(pthread_join(read_thread, NULL));
	sem_wait(&job.begun);
	sem_destroy(&job.begun);
}

/* Uses the stack again. */
CALL_SITE static void
report(void)
{
	volatile char line[256];

	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = 'x';
	pthread_mutex_lock(&lock);
	line[0] = (char)counted;
	pthread_mutex_unlock(&lock);
	HERE();
}

int
main(void)
{
	sem_init(&ended, 0, 0);
	begin(5);
	report();
	sem_wait(&ended);
	must(counted != 5);
	return verdict(1);
}
