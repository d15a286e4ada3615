/* SPDX-License-Identifier: MIT */
/* Read-write locks. */
#include "promise.h"

#include <sys/mman.h>

#define OTHER(name, call)                                                      \
	static void *name(void *l)                                             \
	{                                                                      \
		return RESULT(call);                                           \
	}

static struct timespec near_real, near_mono, far_real, far_mono;

OTHER(tryrd, pthread_rwlock_tryrdlock(l))
OTHER(trywr, pthread_rwlock_trywrlock(l))
OTHER(timedrd, pthread_rwlock_timedrdlock(l, &near_real))
OTHER(timedwr, pthread_rwlock_timedwrlock(l, &near_real))
OTHER(clockrd, pthread_rwlock_clockrdlock(l, CLOCK_MONOTONIC, &near_mono))
OTHER(clockwr, pthread_rwlock_clockwrlock(l, CLOCK_MONOTONIC, &near_mono))
OTHER(pastrd, pthread_rwlock_timedrdlock(l, &past))
OTHER(pastwr, pthread_rwlock_clockwrlock(l, CLOCK_MONOTONIC, &past))
OTHER(manyrd, pthread_rwlock_timedrdlock(l, &too_many))
OTHER(fewwr, pthread_rwlock_timedwrlock(l, &too_few))

static void *
rd_and_unlock(void *l)
{
	int error = pthread_rwlock_rdlock(l);

	return RESULT(error ? error : pthread_rwlock_unlock(l));
}

static void
reading(pthread_rwlock_t *l)
{
	answers("rwlock_rdlock", pthread_rwlock_rdlock(l), 0);
	answers("rwlock_rdlock twice", pthread_rwlock_rdlock(l), 0);
	is_error("rwlock_rdlock by two", (int)in_thread(rd_and_unlock, l), 0);
	is_error("rwlock_trywrlock of readers", (int)in_thread(trywr, l),
		 EBUSY);
	is_error("rwlock_timedwrlock of readers", (int)in_thread(timedwr, l),
		 ETIMEDOUT);
	is_error("rwlock_clockwrlock of readers", (int)in_thread(clockwr, l),
		 ETIMEDOUT);
	is_error("rwlock_clockwrlock of readers, past",
		 (int)in_thread(pastwr, l), ETIMEDOUT);
	is_error("rwlock_timedwrlock of readers, -1 ns",
		 (int)in_thread(fewwr, l), EINVAL);
	answers("rwlock_trywrlock, reading oneself",
		pthread_rwlock_trywrlock(l), EBUSY);
	answers("rwlock_unlock of a reader", pthread_rwlock_unlock(l), 0);
	is_error("rwlock_trywrlock, one reader left", (int)in_thread(trywr, l),
		 EBUSY);
	answers("rwlock_unlock of the last reader", pthread_rwlock_unlock(l),
		0);
}

static void
writing(pthread_rwlock_t *l)
{
	answers("rwlock_wrlock", pthread_rwlock_wrlock(l), 0);
	answers("rwlock_wrlock twice", pthread_rwlock_wrlock(l), EDEADLK);
	answers("rwlock_rdlock, writing oneself", pthread_rwlock_rdlock(l),
		EDEADLK);
	answers("rwlock_tryrdlock, writing oneself",
		pthread_rwlock_tryrdlock(l), EBUSY);
	is_error("rwlock_tryrdlock of a writer", (int)in_thread(tryrd, l),
		 EBUSY);
	is_error("rwlock_trywrlock of a writer", (int)in_thread(trywr, l),
		 EBUSY);
	is_error("rwlock_timedrdlock of a writer", (int)in_thread(timedrd, l),
		 ETIMEDOUT);
	is_error("rwlock_clockrdlock of a writer", (int)in_thread(clockrd, l),
		 ETIMEDOUT);
	is_error("rwlock_timedrdlock of a writer, past",
		 (int)in_thread(pastrd, l), ETIMEDOUT);
	is_error("rwlock_timedrdlock of a writer, 1e9 ns",
		 (int)in_thread(manyrd, l), EINVAL);
	answers("rwlock_unlock of the writer", pthread_rwlock_unlock(l), 0);
}

static void
free_ones(pthread_rwlock_t *l)
{
	answers("rwlock_tryrdlock", pthread_rwlock_tryrdlock(l), 0);
	pthread_rwlock_unlock(l);
	answers("rwlock_trywrlock", pthread_rwlock_trywrlock(l), 0);
	pthread_rwlock_unlock(l);
	answers("rwlock_timedrdlock", pthread_rwlock_timedrdlock(l, &far_real),
		0);
	pthread_rwlock_unlock(l);
	answers("rwlock_timedwrlock", pthread_rwlock_timedwrlock(l, &far_real),
		0);
	pthread_rwlock_unlock(l);
	answers("rwlock_clockrdlock",
		pthread_rwlock_clockrdlock(l, CLOCK_MONOTONIC, &far_mono), 0);
	pthread_rwlock_unlock(l);
	answers("rwlock_clockwrlock",
		pthread_rwlock_clockwrlock(l, CLOCK_REALTIME, &far_real), 0);
	pthread_rwlock_unlock(l);
	answers("rwlock_timedrdlock, past",
		pthread_rwlock_timedrdlock(l, &past), 0);
	pthread_rwlock_unlock(l);
	answers("rwlock_timedwrlock, past",
		pthread_rwlock_timedwrlock(l, &past), 0);
	pthread_rwlock_unlock(l);
	/* glibc looks at times and clocks before it looks at the lock. */
	answers("rwlock_timedrdlock, invalid",
		pthread_rwlock_timedrdlock(l, &too_many), EINVAL);
	answers("rwlock_clockrdlock, no such clock",
		pthread_rwlock_clockrdlock(l, CLOCK_THREAD_CPUTIME_ID,
					   &far_mono),
		EINVAL);
}

static int
child_trywr(void *l)
{
	return pthread_rwlock_trywrlock(l);
}

static void
process_shared(void)
{
	pthread_rwlockattr_t a;
	pthread_rwlock_t *l = mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(l == MAP_FAILED);
	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	answers("rwlock_init, shared", pthread_rwlock_init(l, &a), 0);
	pthread_rwlock_rdlock(l);
	is_error("rwlock_trywrlock by a child", in_child(child_trywr, l),
		 EBUSY);
	pthread_rwlock_unlock(l);
	answers("rwlock_destroy, shared", pthread_rwlock_destroy(l), 0);
	munmap(l, sizeof(*l));
}

static void
prefers_writers(void)
{
	pthread_rwlockattr_t a;
	pthread_rwlock_t l;

	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setkind_np(
	    &a, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	answers("rwlock_init, writers first", pthread_rwlock_init(&l, &a), 0);
	pthread_rwlock_rdlock(&l);
	is_error("rwlock_tryrdlock, writers first, none waits",
		 (int)in_thread(rd_and_unlock, &l), 0);
	pthread_rwlock_unlock(&l);
	answers("rwlock_destroy, writers first", pthread_rwlock_destroy(&l), 0);
}

int
main(void)
{
	pthread_rwlock_t l;

	near_real = soon(CLOCK_REALTIME);
	near_mono = soon(CLOCK_MONOTONIC);
	far_real = later(CLOCK_REALTIME);
	far_mono = later(CLOCK_MONOTONIC);
	answers("rwlock_init", pthread_rwlock_init(&l, NULL), 0);
	reading(&l);
	writing(&l);
	free_ones(&l);
	answers("rwlock_destroy", pthread_rwlock_destroy(&l), 0);
	process_shared();
	prefers_writers();
	return broken;
}
