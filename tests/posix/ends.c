/* SPDX-License-Identifier: MIT */
/* Ends that are not waited for: tries, one's own, and a shell's. */
#include "promise.h"

static void *
waits_for(void *m)
{
	return RESULT(pthread_mutex_lock(m) + pthread_mutex_unlock(m));
}

static void
tryjoin(void)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_t t;

	pthread_mutex_lock(&m);
	must(pthread_create(&t, NULL, waits_for, &m) != 0);
	answers("tryjoin, alive", pthread_tryjoin_np(t, NULL), EBUSY);
	pthread_mutex_unlock(&m);
	join(t);
}

int
main(void)
{
	answers("join oneself", pthread_join(pthread_self(), NULL), EDEADLK);
	tryjoin();
	is("system: killed", WTERMSIG(system("kill -9 $$")), SIGKILL);
	return broken;
}
