/* SPDX-License-Identifier: MIT */
/*
 * bug: Double-checked initialisation that announces the limit before it has
 *      read it; the fast path uses it unset.
 * oracle: crash
 * preemptions: 1
 * critical: use mutex.lock table before load mutex.lock table
 */
#include "explore.h"

#include <stdatomic.h>

static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static atomic_int loaded;
static int limit, used;

CALL_SITE static void
load(void)
{
	pthread_mutex_lock(&table);
	limit = 10;
	pthread_mutex_unlock(&table);
	HERE();
}

CALL_SITE static void
ensure_loaded(void)
{
	if (atomic_load(&loaded))
		return;
	pthread_mutex_lock(&once);
	if (!atomic_load(&loaded)) {
#ifdef FIXED
		load();
		atomic_store(&loaded, 1);
#else
		atomic_store(&loaded, 1);
		load();
#endif
	}
	pthread_mutex_unlock(&once);
	HERE();
}

CALL_SITE static void
use(void)
{
	pthread_mutex_lock(&table);
	used++;
	must(used > limit);
	pthread_mutex_unlock(&table);
	HERE();
}

static void *
user(void *unused)
{
	(void)unused;
	ensure_loaded();
	use();
	return NULL;
}

int
main(void)
{
	together(user, user);
	return verdict(used == 2);
}
