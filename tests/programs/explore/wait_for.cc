// SPDX-License-Identifier: MIT
/*
 * wait_for: one std::condition_variable::wait_for; prints "early" (nothing to
 * wait for), "signalled" or "timed out".
 */
#include "explore.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

static std::mutex lock;
static std::condition_variable set;
static bool value;
static const char *outcome = "early";

static void
waiter()
{
	std::unique_lock<std::mutex> guard(lock);

	if (value)
		return;
	outcome = set.wait_for(guard, std::chrono::milliseconds(500),
			       [] { return value; }) ?
		      "signalled" :
		      "timed out";
}

static void
setter()
{
	std::lock_guard<std::mutex> guard(lock);

	value = true;
	set.notify_one();
}

int
main()
{
	std::thread first(waiter), second(setter);

	first.join();
	second.join();
	say("%s", outcome);
	return 0;
}
