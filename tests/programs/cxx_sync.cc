// SPDX-License-Identifier: MIT
// cxx_sync WHAT: one of C++'s ways to synchronise, in a thread "worker";
// prints what it came to.  With --stdin it waits for a line first.
#include "victim.h"

#include <barrier>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <iterator>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <thread>

using namespace std::chrono_literals;

class Cache {
      public:
	CALL_SITE void put(int key);
	CALL_SITE bool try_put(int key);
	int sum() const
	{
		return sum_;
	}

      private:
	static std::mutex lock_;
	int sum_ = 0;
};

std::mutex Cache::lock_;

void
Cache::put(int key)
{
	std::lock_guard<std::mutex> guard(lock_);
	sum_ += key;
}

bool
Cache::try_put(int key)
{
	std::unique_lock<std::mutex> guard(lock_, std::try_to_lock);
	if (guard)
		sum_ += key;
	return guard.owns_lock();
}

namespace app {
std::mutex registry_lock;
std::shared_mutex table_lock;
std::timed_mutex timed_lock;
std::shared_timed_mutex shared_timed_lock;
std::recursive_mutex recursive_lock;
std::mutex wait_lock;
std::condition_variable wait_cond;
std::once_flag once;
std::counting_semaphore<4> slots(0);
std::latch opened(2);
bool released;

template <typename T>
CALL_SITE int
add(T a, T b)
{
	std::lock_guard<std::mutex> guard(registry_lock);
	return static_cast<int>(a + b);
}
} // namespace app

namespace {

Cache cache;

// A worker with a name; its result is what the function returns.
int
in_worker(const std::function<int()> &f)
{
	int result = -1;
	std::thread t([&] {
		pthread_setname_np(pthread_self(), "worker");
		result = f();
	});

	t.join();
	return result;
}

int
do_mutex()
{
	return in_worker([] {
		cache.put(7);
		return cache.sum();
	});
}

int
do_mutex_try()
{
	return in_worker([] { return cache.try_put(7) ? 1 : 0; });
}

int
do_namespaced()
{
	return in_worker([] { return app::add(3, 4); });
}

int
do_shared()
{
	return in_worker([] {
		std::shared_lock<std::shared_mutex> guard(app::table_lock);
		return 1;
	});
}

int
do_exclusive()
{
	return in_worker([] {
		std::unique_lock<std::shared_mutex> guard(app::table_lock);
		return 1;
	});
}

int
do_timed_mutex()
{
	return in_worker(
	    [] { return app::timed_lock.try_lock_for(200ms) ? 1 : 0; });
}

int
do_shared_timed_mutex()
{
	return in_worker([] {
		return app::shared_timed_lock.try_lock_shared_for(200ms) ? 1 :
									   0;
	});
}

int
do_recursive_mutex()
{
	return in_worker([] {
		std::lock_guard<std::recursive_mutex> one(app::recursive_lock);
		std::lock_guard<std::recursive_mutex> two(app::recursive_lock);
		return 2;
	});
}

int
do_scoped_lock()
{
	return in_worker([] {
		std::scoped_lock both(app::registry_lock, app::wait_lock);
		return 2;
	});
}

int
do_wait_for()
{
	return in_worker([] {
		std::unique_lock<std::mutex> guard(app::wait_lock);
		return app::wait_cond.wait_for(guard, 200ms,
					       [] { return app::released; }) ?
			   1 :
			   0;
	});
}

int
do_wait()
{
	std::promise<void> waiting;
	std::thread t([&] {
		pthread_setname_np(pthread_self(), "worker");
		std::unique_lock<std::mutex> guard(app::wait_lock);
		waiting.set_value();
		app::wait_cond.wait(guard, [] { return app::released; });
	});

	waiting.get_future().wait();
	{
		std::lock_guard<std::mutex> guard(app::wait_lock);
		app::released = true;
	}
	app::wait_cond.notify_one();
	t.join();
	return 1;
}

struct Expensive {
	int value;
	Expensive() : value(42)
	{
		say("constructed");
	}
};

CALL_SITE const Expensive &
instance()
{
	static const Expensive e;
	return e;
}

int
do_static_local()
{
	return in_worker([] { return instance().value; });
}

int
do_call_once()
{
	return in_worker([] {
		int n = 0;

		std::call_once(app::once, [&] { n = 1; });
		return n;
	});
}

int
do_semaphore()
{
	return in_worker(
	    [] { return app::slots.try_acquire_for(100ms) ? 1 : 0; });
}

int
do_semaphore_wait()
{
	std::thread t([] {
		pthread_setname_np(pthread_self(), "worker");
		app::slots.acquire();
	});

	app::slots.release();
	t.join();
	return 1;
}

int
do_latch()
{
	std::thread t([] {
		pthread_setname_np(pthread_self(), "worker");
		app::opened.arrive_and_wait();
	});

	app::opened.arrive_and_wait();
	t.join();
	return 1;
}

int
do_future()
{
	std::promise<int> p;
	std::future<int> f = p.get_future();
	std::thread t([&] {
		pthread_setname_np(pthread_self(), "worker");
		p.set_value(5);
	});
	int result = f.get();

	t.join();
	return result;
}

const struct {
	const char *name;
	int (*run)();
} table[] = {
	{ "mutex", do_mutex },
	{ "mutex-try", do_mutex_try },
	{ "namespaced", do_namespaced },
	{ "shared", do_shared },
	{ "exclusive", do_exclusive },
	{ "timed-mutex", do_timed_mutex },
	{ "shared-timed-mutex", do_shared_timed_mutex },
	{ "recursive-mutex", do_recursive_mutex },
	{ "scoped-lock", do_scoped_lock },
	{ "wait-for", do_wait_for },
	{ "wait", do_wait },
	{ "static-local", do_static_local },
	{ "call-once", do_call_once },
	{ "semaphore", do_semaphore },
	{ "semaphore-wait", do_semaphore_wait },
	{ "latch", do_latch },
	{ "future", do_future },
};

} // namespace

int
main(int argc, char **argv)
{
	if (argc < 2)
		die("usage: cxx_sync WHAT... [--stdin]");
	if (strcmp(argv[argc - 1], "--stdin") == 0) {
		argc--;
		say("ready");
		wait_line(nullptr, 0);
	}
	for (int i = 1; i < argc; i++) {
		auto row = std::begin(table);

		while (row != std::end(table) &&
		       strcmp(row->name, argv[i]) != 0)
			row++;
		if (row == std::end(table))
			die("cxx_sync: no %s", argv[i]);
		say("%s %d", row->name, row->run());
	}
	return 0;
}
