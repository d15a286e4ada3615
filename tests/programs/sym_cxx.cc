// SPDX-License-Identifier: MIT
// As sym_plain, with C++ names.
#include <cstdio>

#ifdef __clang__
#define APART __attribute__((noinline))
#else
#define APART __attribute__((noipa))
#endif

static volatile int marker;

APART void
probe(const char *name, int line)
{
	std::printf("%s %p %d\n", name, __builtin_return_address(0), line);
}

static void
object(const char *name, const void *p)
{
	std::printf("%s %p 0\n", name, p);
}

namespace store {
int shared_lock = 1;

class Cache {
      public:
	static int count;
	void put(int n);
	void put(const char *s);
	template <typename T> APART T twice(T n);
	inline __attribute__((always_inline)) void touch(const char *name);
};

int Cache::count = 2;

void
Cache::touch(const char *name)
{
	marker = marker + 1;
	probe(name, __LINE__);
	marker = marker + 1;
}

APART void
Cache::put(int n)
{
	probe("put_int", __LINE__);
	marker = n;
}

APART void
Cache::put(const char *s)
{
	touch("put_string");
	marker = *s;
}

template <typename T>
T
Cache::twice(T n)
{
	probe("twice", __LINE__);
	marker = marker + 1;
	return n + n;
}
} // namespace store

namespace {
int hidden = 3;

APART void
unnamed()
{
	probe("unnamed", __LINE__);
	marker = marker + hidden;
}
} // namespace

APART static int *
counter()
{
	static int inside = 4;

	inside += marker;
	return &inside;
}

int
main()
{
	store::Cache cache;

	setvbuf(stdout, nullptr, _IOLBF, 0);
	object("shared_lock", &store::shared_lock);
	object("count", &store::Cache::count);
	object("hidden", &hidden);
	object("inside", counter());
	cache.put(1);
	cache.put("x");
	cache.twice(3);
	unnamed();
	auto lambda = [](int n) APART {
		probe("lambda", __LINE__);
		marker = n;
	};
	lambda(2);
	std::puts("ready");
	return std::getchar() == 'x';
}
