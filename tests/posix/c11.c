/* SPDX-License-Identifier: MIT */
/* C11: mtx_*, cnd_*, thrd_*, tss_*. */
#include "promise.h"

#include <threads.h>

static mtx_t m;
static cnd_t c;
static int there;

static int
tries(void *arg)
{
	int r = mtx_trylock(arg);

	if (r == thrd_success)
		mtx_unlock(arg);
	return r;
}

static int
times_out(void *arg)
{
	struct timespec t = soon(CLOCK_REALTIME);

	return mtx_timedlock(arg, &t);
}

static int
of_thread(thrd_start_t f, void *arg)
{
	thrd_t t;
	int result = -1;

	must(thrd_create(&t, f, arg) != thrd_success);
	must(thrd_join(t, &result) != thrd_success);
	return result;
}

static void
mutexes(void)
{
	struct timespec t = later(CLOCK_REALTIME);

	gives("mtx_init", mtx_init(&m, mtx_timed), thrd_success);
	gives("mtx_lock", mtx_lock(&m), thrd_success);
	is("mtx_trylock, busy", of_thread(tries, &m), thrd_busy);
	is("mtx_timedlock, busy", of_thread(times_out, &m), thrd_timedout);
	gives("mtx_unlock", mtx_unlock(&m), thrd_success);
	gives("mtx_trylock", mtx_trylock(&m), thrd_success);
	mtx_unlock(&m);
	gives("mtx_timedlock", mtx_timedlock(&m, &t), thrd_success);
	mtx_unlock(&m);
	mtx_destroy(&m);
	gives("mtx_init, recursive", mtx_init(&m, mtx_plain | mtx_recursive),
	      thrd_success);
	gives("mtx_lock, recursive", mtx_lock(&m) + mtx_lock(&m),
	      2 * thrd_success);
	mtx_unlock(&m);
	is("mtx_trylock, once unlocked of two", of_thread(tries, &m),
	   thrd_busy);
	mtx_unlock(&m);
	mtx_destroy(&m);
}

static int
arrives(void *arg)
{
	mtx_lock(&m);
	there++;
	int r = arg ? cnd_broadcast(&c) : cnd_signal(&c);
	mtx_unlock(&m);
	return r;
}

static void
conditions(void)
{
	struct timespec t = soon(CLOCK_REALTIME);
	thrd_t a, b;
	int r;

	mtx_init(&m, mtx_plain);
	gives("cnd_init", cnd_init(&c), thrd_success);
	gives("cnd_signal", cnd_signal(&c), thrd_success);
	gives("cnd_broadcast", cnd_broadcast(&c), thrd_success);
	mtx_lock(&m);
	do
		r = cnd_timedwait(&c, &m, &t);
	while (r == thrd_success);
	is("cnd_timedwait", r, thrd_timedout);
	gives("cnd_timedwait, 1e9 ns", cnd_timedwait(&c, &m, &too_many),
	      thrd_error);
	is("cnd_timedwait has the mutex again", of_thread(tries, &m),
	   thrd_busy);
	thrd_create(&a, arrives, NULL);
	thrd_create(&b, arrives, &b);
	r = 0;
	while (there < 2)
		r |= cnd_wait(&c, &m);
	mtx_unlock(&m);
	is("cnd_wait", r, thrd_success);
	thrd_join(a, &r);
	is("cnd_signal, waited for", r, thrd_success);
	thrd_join(b, &r);
	is("cnd_broadcast, waited for", r, thrd_success);
	cnd_destroy(&c);
	mtx_destroy(&m);
}

static int
exits(void *arg)
{
	thrd_exit(*(int *)arg);
}

static int
equals(void *arg)
{
	return thrd_equal(*(thrd_t *)arg, thrd_current());
}

static tss_t key;
static mtx_t in_destructor;
static int destroyed;

static void
destroys(void *value)
{
	mtx_lock(&in_destructor);
	destroyed += *(int *)value;
	mtx_unlock(&in_destructor);
}

static int
has_specific(void *arg)
{
	return tss_set(key, arg);
}

static void
threads(void)
{
	thrd_t t, me = thrd_current();
	int code = 42;

	is("thrd_exit", of_thread(exits, &code), 42);
	is("thrd_equal, another", of_thread(equals, &me), 0);
	gives("thrd_create", thrd_create(&t, exits, &code), thrd_success);
	gives("thrd_join, no result wanted", thrd_join(t, NULL), thrd_success);
	gives("thrd_create, to detach", thrd_create(&t, equals, &me),
	      thrd_success);
	gives("thrd_detach", thrd_detach(t), thrd_success);
	mtx_init(&in_destructor, mtx_plain);
	must(tss_create(&key, destroys) != thrd_success);
	is("tss_set", of_thread(has_specific, &code), thrd_success);
	is("a destructor that locks", destroyed, 42);
	tss_delete(key);
	thrd_yield();
}

int
main(void)
{
	mutexes();
	conditions();
	threads();
	return broken;
}
