/* SPDX-License-Identifier: MIT */
/*
 * bug: A read-write lock of one's own: two readers that both want to become
 *      the writer wait for each other to stop reading.
 * oracle: deadlock
 * preemptions: 1
 * critical: begin_read mutex.lock lock before upgrade mutex.lock lock
 */
#include "explore.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int readers, upgrading, value;

CALL_SITE static void
begin_read(void)
{
	pthread_mutex_lock(&lock);
	while (upgrading)
		pthread_cond_wait(&changed, &lock);
	readers++;
	pthread_mutex_unlock(&lock);
	HERE();
}

CALL_SITE static int
upgrade(void)
{
	pthread_mutex_lock(&lock);
#ifdef FIXED
	if (upgrading) {
		readers--;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
		return 0;
	}
#endif
	upgrading = 1;
	while (readers > 1)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return 1;
}

CALL_SITE static void
end_write(void)
{
	pthread_mutex_lock(&lock);
	readers--;
	upgrading = 0;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	HERE();
}

static void *
writer(void *unused)
{
	(void)unused;
	do
		begin_read();
	while (!upgrade());
	value++;
	end_write();
	return NULL;
}

int
main(void)
{
	together(writer, writer);
	return verdict(value == 2);
}
