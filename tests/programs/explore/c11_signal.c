/* SPDX-License-Identifier: MIT */
/*
 * bug: Two threads wait for the door (C11's threads), which is opened with a
 *      signal in place of a broadcast.
 * oracle: deadlock
 * preemptions: 0
 * critical: visitor cond.wait opened before porter cond.signal opened
 * or: visitor mutex.lock lock before porter mutex.lock lock
 */
#include "explore.h"

#include <threads.h>

static mtx_t lock;
static cnd_t opened;
static int door, inside;

static int
porter(void *unused)
{
	(void)unused;
	mtx_lock(&lock);
	door = 1;
#ifdef FIXED
	cnd_broadcast(&opened);
#else
	cnd_signal(&opened);
#endif
	mtx_unlock(&lock);
	return 0;
}

static int
visitor(void *unused)
{
	(void)unused;
	mtx_lock(&lock);
	while (!door)
		cnd_wait(&opened, &lock);
	inside++;
	mtx_unlock(&lock);
	return 0;
}

int
main(void)
{
	thrd_t threads[3];

	must(mtx_init(&lock, mtx_plain) != thrd_success);
	must(cnd_init(&opened) != thrd_success);
	must(thrd_create(&threads[0], porter, NULL) != thrd_success);
	must(thrd_create(&threads[1], visitor, NULL) != thrd_success);
	must(thrd_create(&threads[2], visitor, NULL) != thrd_success);
	for (int i = 0; i < 3; i++)
		must(thrd_join(threads[i], NULL) != thrd_success);
	return verdict(inside == 2);
}
