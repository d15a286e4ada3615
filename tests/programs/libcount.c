/* SPDX-License-Identifier: MIT */
/*
 * libcount: an independent count of calls, by preloading.  At the end it
 * writes "COUNT FUNCTION" lines to the file LIBCOUNT_FILE.  It stands before
 * libseam.so in LD_PRELOAD, and so sees what the program calls.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	MUTEX_LOCK,
	MUTEX_TRYLOCK,
	MUTEX_UNLOCK,
	COND_WAIT,
	COND_TIMEDWAIT,
	COND_SIGNAL,
	COND_BROADCAST,
	RWLOCK_RDLOCK,
	RWLOCK_WRLOCK,
	RWLOCK_UNLOCK,
	SEM_WAIT,
	SEM_POST,
	CREATE,
	JOIN,
	FUNCTIONS
};

static struct {
	const char *name;
	void *real;
	atomic_ulong count;
} function[FUNCTIONS] = {
	[MUTEX_LOCK] = { .name = "pthread_mutex_lock" },
	[MUTEX_TRYLOCK] = { .name = "pthread_mutex_trylock" },
	[MUTEX_UNLOCK] = { .name = "pthread_mutex_unlock" },
	[COND_WAIT] = { .name = "pthread_cond_wait" },
	[COND_TIMEDWAIT] = { .name = "pthread_cond_timedwait" },
	[COND_SIGNAL] = { .name = "pthread_cond_signal" },
	[COND_BROADCAST] = { .name = "pthread_cond_broadcast" },
	[RWLOCK_RDLOCK] = { .name = "pthread_rwlock_rdlock" },
	[RWLOCK_WRLOCK] = { .name = "pthread_rwlock_wrlock" },
	[RWLOCK_UNLOCK] = { .name = "pthread_rwlock_unlock" },
	[SEM_WAIT] = { .name = "sem_wait" },
	[SEM_POST] = { .name = "sem_post" },
	[CREATE] = { .name = "pthread_create" },
	[JOIN] = { .name = "pthread_join" },
};

/* By dlsym: libseam.so's functions have no versions. */
static void *
counted(int i)
{
	void *real = function[i].real;

	if (!real)
		real = dlsym(RTLD_NEXT, function[i].name);
	function[i].real = real;
	atomic_fetch_add(&function[i].count, 1);
	return real;
}

#define COUNTED(i, result, name, declared, ...)                                \
	__attribute__((visibility("default"))) result name declared            \
	{                                                                      \
		result(*real) declared = (result(*) declared)counted(i);       \
		return real(__VA_ARGS__);                                      \
	}

COUNTED(MUTEX_LOCK, int, pthread_mutex_lock, (pthread_mutex_t * m), m)
COUNTED(MUTEX_TRYLOCK, int, pthread_mutex_trylock, (pthread_mutex_t * m), m)
COUNTED(MUTEX_UNLOCK, int, pthread_mutex_unlock, (pthread_mutex_t * m), m)
COUNTED(COND_WAIT, int, pthread_cond_wait,
	(pthread_cond_t * c, pthread_mutex_t *m), c, m)
COUNTED(COND_TIMEDWAIT, int, pthread_cond_timedwait,
	(pthread_cond_t * c, pthread_mutex_t *m, const struct timespec *t), c,
	m, t)
COUNTED(COND_SIGNAL, int, pthread_cond_signal, (pthread_cond_t * c), c)
COUNTED(COND_BROADCAST, int, pthread_cond_broadcast, (pthread_cond_t * c), c)
COUNTED(RWLOCK_RDLOCK, int, pthread_rwlock_rdlock, (pthread_rwlock_t * l), l)
COUNTED(RWLOCK_WRLOCK, int, pthread_rwlock_wrlock, (pthread_rwlock_t * l), l)
COUNTED(RWLOCK_UNLOCK, int, pthread_rwlock_unlock, (pthread_rwlock_t * l), l)
COUNTED(SEM_WAIT, int, sem_wait, (sem_t * s), s)
COUNTED(SEM_POST, int, sem_post, (sem_t * s), s)
COUNTED(CREATE, int, pthread_create,
	(pthread_t * t, const pthread_attr_t *a, void *(*f)(void *), void *arg),
	t, a, f, arg)
COUNTED(JOIN, int, pthread_join, (pthread_t t, void **r), t, r)

__attribute__((destructor)) static void
tell(void)
{
	const char *path = getenv("LIBCOUNT_FILE");
	FILE *f = path ? fopen(path, "we") : NULL;

	for (int i = 0; f && i < FUNCTIONS; i++)
		fprintf(f, "%lu %s\n", atomic_load(&function[i].count),
			function[i].name);
	if (f)
		fclose(f);
}
