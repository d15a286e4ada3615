/* SPDX-License-Identifier: MIT */
/*
 * bug: The owner of a robust mutex is killed between the two halves of a
 *      transfer; the next owner calls it consistent but does not repair it.
 * oracle: exit
 * preemptions: 1
 * critical: main signal.send - before transfer mutex.lock robust_half.c:33#1
 * or: main signal.send - before transfer mutex.unlock robust_half.c:33#1
 */
#include "explore.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

struct bank {
	pthread_mutex_t lock, journal;
	sem_t halfway;
	int left, right, entries;
};

static struct bank *
bank_open(void)
{
	struct bank *bank = mmap(NULL, sizeof(*bank), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;

	must(bank == MAP_FAILED);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	must(pthread_mutex_init(&bank->journal, &attr));
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	must(pthread_mutex_init(&bank->lock, &attr));
	must(sem_init(&bank->halfway, 1, 0));
	bank->left = bank->right = 50;
	return bank;
}

CALL_SITE static void
transfer(struct bank *bank)
{
	must(pthread_mutex_lock(&bank->lock));
	bank->left -= 10;
	sem_post(&bank->halfway);
	pthread_mutex_lock(&bank->journal);
	bank->entries++;
	pthread_mutex_unlock(&bank->journal);
	bank->right += 10;
	must(pthread_mutex_unlock(&bank->lock));
}

/* The sum must always be 100. */
CALL_SITE static int
sum(struct bank *bank)
{
	int result;

	if (pthread_mutex_lock(&bank->lock) == EOWNERDEAD) {
#ifdef FIXED
		bank->right = 100 - bank->left;
#endif
		must(pthread_mutex_consistent(&bank->lock));
	}
	result = bank->left + bank->right;
	must(pthread_mutex_unlock(&bank->lock));
	return result;
}

/* A child of its own reads the rates. */
static void
read_rates(void)
{
	pid_t child = fork();

	must(child < 0);
	if (child == 0)
		_exit(0);
	must(waitpid(child, NULL, 0) != child);
}

int
main(void)
{
	struct bank *bank = bank_open();
	pid_t child = fork();

	must(child < 0);
	if (child == 0) {
		transfer(bank);
		_exit(0);
	}
	read_rates();
	while (sem_wait(&bank->halfway))
		must(errno != EINTR);
	must(kill(child, SIGKILL));
	must(waitpid(child, NULL, 0) != child);
	return verdict(sum(bank) == 100);
}
