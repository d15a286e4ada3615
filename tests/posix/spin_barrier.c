/* SPDX-License-Identifier: MIT */
/* Spin locks and barriers. */
#include "promise.h"

#include <limits.h>
#include <sys/mman.h>

static void *
spin_try(void *s)
{
	return RESULT(pthread_spin_trylock(s));
}

static int
child_spin_try(void *s)
{
	return pthread_spin_trylock(s);
}

static void
spins(void)
{
	pthread_spinlock_t *s = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(s == MAP_FAILED);
	answers("spin_init", pthread_spin_init(s, PTHREAD_PROCESS_SHARED), 0);
	answers("spin_lock", pthread_spin_lock(s), 0);
	answers("spin_trylock own", pthread_spin_trylock(s), EBUSY);
	is_error("spin_trylock by another", (int)in_thread(spin_try, (void *)s),
		 EBUSY);
	is_error("spin_trylock by a child", in_child(child_spin_try, (void *)s),
		 EBUSY);
	answers("spin_unlock", pthread_spin_unlock(s), 0);
	answers("spin_trylock free", pthread_spin_trylock(s), 0);
	answers("spin_unlock again", pthread_spin_unlock(s), 0);
	answers("spin_destroy", pthread_spin_destroy(s), 0);
}

static void *
meet(void *b)
{
	int serials = 0;

	for (int i = 0; i < 3; i++) {
		int r = pthread_barrier_wait(b);

		if (r == PTHREAD_BARRIER_SERIAL_THREAD)
			serials++;
		else if (r != 0)
			return RESULT(-1000);
	}
	return RESULT(serials);
}

/* The one who is told so destroys the barrier at once. */
static void *
meet_and_destroy(void *b)
{
	if (pthread_barrier_wait(b) != PTHREAD_BARRIER_SERIAL_THREAD)
		return RESULT(0);
	int error = pthread_barrier_destroy(b);
	memset(b, 0x5a, sizeof(pthread_barrier_t));
	return RESULT(error);
}

static long
all(void *(*f)(void *), void *arg, int n)
{
	pthread_t threads[8];
	long sum = 0;
	void *result;

	for (int i = 0; i < n; i++)
		must(pthread_create(&threads[i], NULL, f, arg) != 0);
	for (int i = 0; i < n; i++) {
		pthread_join(threads[i], &result);
		sum += (long)result;
	}
	return sum;
}

static void
barriers(void)
{
	pthread_barrier_t b;
	long bad = 0;

	answers("barrier_init of 0", pthread_barrier_init(&b, NULL, 0), EINVAL);
	answers("barrier_init of too many",
		pthread_barrier_init(&b, NULL, UINT_MAX), EINVAL);
	answers("barrier_init of 1", pthread_barrier_init(&b, NULL, 1), 0);
	gives("barrier_wait alone", pthread_barrier_wait(&b),
	      PTHREAD_BARRIER_SERIAL_THREAD);
	answers("barrier_destroy", pthread_barrier_destroy(&b), 0);
	answers("barrier_init of 4", pthread_barrier_init(&b, NULL, 4), 0);
	is("barrier_wait: one serial thread, thrice", all(meet, &b, 4), 3);
	answers("barrier_destroy of 4", pthread_barrier_destroy(&b), 0);
	for (int i = 0; i < 20; i++) {
		pthread_barrier_init(&b, NULL, 3);
		bad += all(meet_and_destroy, &b, 3);
	}
	is("barrier_destroy by the serial thread, 20 times", bad, 0);
}

int
main(void)
{
	spins();
	barriers();
	return broken;
}
