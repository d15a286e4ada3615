/* SPDX-License-Identifier: MIT */
/*
 * rust_like_futex [ROUNDS]: a mutex as Rust's std has it (0 free, 1 taken, 2
 * taken and waited for) on syscall(SYS_futex), which is met only when
 * contended.  With --contend main has it until a line on stdin, so that the
 * worker surely waits.
 */
#include "victim.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>

atomic_uint futex_word;
static long total;
static int rounds = 1000;

CALL_SITE static void
futex_wait(atomic_uint *word, unsigned value)
{
	/* at: futex wait */
	syscall(SYS_futex, word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, value, NULL);
	HERE();
}

CALL_SITE static void
futex_wake(atomic_uint *word)
{
	/* at: futex wake */
	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
	HERE();
}

static void
lock(atomic_uint *word)
{
	unsigned zero = 0;

	if (atomic_compare_exchange_strong(word, &zero, 1))
		return;
	while (atomic_exchange(word, 2) != 0)
		futex_wait(word, 2);
}

static void
unlock(atomic_uint *word)
{
	if (atomic_exchange(word, 0) == 2)
		futex_wake(word);
}

static void *
worker_main(void *arg)
{
	pthread_setname_np(pthread_self(), arg);
	for (int i = 0; i < rounds; i++) {
		lock(&futex_word);
		total++;
		unlock(&futex_word);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	int contend = argc > 1 && strcmp(argv[1], "--contend") == 0;
	pthread_t threads[2];

	if (argc > 1 && !contend)
		rounds = atoi(argv[1]);
	if (contend)
		lock(&futex_word);
	pthread_create(&threads[0], NULL, worker_main, "worker.1");
	pthread_create(&threads[1], NULL, worker_main, "worker.2");
	if (contend) {
		say("taken");
		wait_line(NULL, 0);
		unlock(&futex_word);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	say("total %ld", total);
	return total == 2L * rounds ? 0 : 1;
}
