// SPDX-License-Identifier: MIT
/*
 * bug: The predicate of a std::condition_variable is made true without the
 *      mutex, between the waiter's test and its wait.
 * oracle: deadlock
 * preemptions: 1
 * critical: notifier cond.signal changed before waiter cond.wait changed
 */
#include "explore.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

static std::mutex lock;
static std::condition_variable changed;
static std::atomic<bool> ready;

static void
waiter()
{
	std::unique_lock<std::mutex> guard(lock);

	changed.wait(guard, [] { return ready.load(); });
}

static void
notifier()
{
#ifdef FIXED
	std::lock_guard<std::mutex> guard(lock);
#endif
	ready = true;
	changed.notify_one();
}

int
main()
{
	std::thread first(notifier), second(waiter);

	first.join();
	second.join();
	return verdict(ready);
}
