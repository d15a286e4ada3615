// SPDX-License-Identifier: MIT
/*
 * bug: The constructor of a static local object takes a mutex, and a thread
 *      that has this mutex waits for the construction.
 * oracle: deadlock
 * preemptions: 1
 * critical: report mutex.lock registry
 *      before Settings::Settings() mutex.lock registry
 */
#include "explore.h"

#include <mutex>
#include <thread>

/* Recursive: whoever constructs may have it already. */
static std::recursive_mutex registry;
static int reported;

struct Settings {
	int entries;

	CALL_SITE
	Settings()
	{
		std::lock_guard<std::recursive_mutex> guard(registry);

		entries = 3;
	}
};

static Settings &
settings()
{
	static Settings the_settings;

	return the_settings;
}

static void
client()
{
	must(settings().entries != 3);
}

static void
report()
{
#ifdef FIXED
	settings();
#endif
	std::lock_guard<std::recursive_mutex> guard(registry);

	reported = settings().entries;
}

int
main()
{
	std::thread first(client), second(report);

	first.join();
	second.join();
	return verdict(reported == 3);
}
