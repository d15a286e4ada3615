// SPDX-License-Identifier: MIT
/*
 * bug: A reader of a std::shared_mutex that finds nothing lets go, locks to
 *      write, and does not look again: two threads build the same thing.
 * oracle: exit
 * preemptions: 1
 * critical: find rwlock.rdlock lock before build rwlock.wrlock lock
 */
#include "explore.h"

#include <mutex>
#include <shared_mutex>
#include <thread>

static std::shared_mutex lock;
static int built;

CALL_SITE static bool
find()
{
	std::shared_lock<std::shared_mutex> guard(lock);

	return built > 0;
}

CALL_SITE static void
build()
{
	std::unique_lock<std::shared_mutex> guard(lock);

#ifdef FIXED
	if (built > 0)
		return;
#endif
	built++;
}

static void
client()
{
	if (!find())
		build();
}

int
main()
{
	std::thread first(client), second(client);

	first.join();
	second.join();
	return verdict(built == 1);
}
