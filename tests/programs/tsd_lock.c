/* SPDX-License-Identifier: MIT */
/*
 * tsd_lock: locks taken at the odd times: by a constructor before main, by a
 * TSD destructor of an ending thread (three rounds of it), by an atexit
 * handler, and by a destructor after main.
 */
#include "victim.h"

pthread_mutex_t early_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t tsd_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t exit_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t late_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;

__attribute__((constructor)) static void
before_main(void)
{
	pthread_mutex_lock(&early_lock);
	say("constructor");
	pthread_mutex_unlock(&early_lock);
}

__attribute__((destructor)) static void
after_main(void)
{
	pthread_mutex_lock(&late_lock);
	say("destructor");
	pthread_mutex_unlock(&late_lock);
}

static void
at_exit(void)
{
	pthread_mutex_lock(&exit_lock);
	say("atexit");
	pthread_mutex_unlock(&exit_lock);
}

static void
end_of_thread(void *value)
{
	long left = (long)value;

	pthread_mutex_lock(&tsd_mutex);
	say("tsd %ld", left);
	pthread_mutex_unlock(&tsd_mutex);
	if (left > 1)
		pthread_setspecific(key, (void *)(left - 1));
}

static void *
worker_main(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "worker");
	pthread_setspecific(key, (void *)3L);
	return NULL;
}

int
main(void)
{
	pthread_t worker;

	atexit(at_exit);
	pthread_key_create(&key, end_of_thread);
	pthread_create(&worker, NULL, worker_main, NULL);
	pthread_join(worker, NULL);
	say("main");
	return 0;
}
