/* SPDX-License-Identifier: MIT */
/* Clocks, sleeps, timers, random bytes. */
#include "promise.h"

#include <sys/random.h>
#include <sys/time.h>
#include <threads.h>

static const struct timespec ms5 = { 0, 5000000 };

static int
has_passed(const struct timespec *from, long ns)
{
	struct timespec t = *from;

	t.tv_nsec += ns;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return is_past(CLOCK_MONOTONIC, &t);
}

static void
clocks(void)
{
	struct timespec t, u;
	struct timeval tv;
	time_t now;

	gives("clock_gettime", clock_gettime(CLOCK_MONOTONIC, &t), 0);
	is("clock_gettime goes on", is_past(CLOCK_MONOTONIC, &t), 1);
	fails("clock_gettime, no such clock", clock_gettime(99, &t), EINVAL);
	gives("clock_gettime, of the process",
	      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	gives("gettimeofday", gettimeofday(&tv, NULL), 0);
	is("time", time(&now) == now && now >= tv.tv_sec - 1, 1);
	clock_gettime(CLOCK_REALTIME, &u);
	is("gettimeofday and clock_gettime agree",
	   u.tv_sec - tv.tv_sec >= 0 && u.tv_sec - tv.tv_sec < 10, 1);
	gives("timespec_get", timespec_get(&t, TIME_UTC), TIME_UTC);
	gives("timespec_get, no such base", timespec_get(&t, 99), 0);
	is("clock", clock() != (clock_t)-1, 1);
}

static void
sleeps(void)
{
	struct timespec from, left = { 7, 7 }, until;

	clock_gettime(CLOCK_MONOTONIC, &from);
	gives("nanosleep", nanosleep(&ms5, &left), 0);
	is("nanosleep is not early", has_passed(&from, 5000000), 1);
	is("nanosleep leaves what is left alone", left.tv_sec, 7);
	gives("nanosleep of 0", nanosleep(&(struct timespec){ 0, 0 }, NULL), 0);
	fails("nanosleep, 1e9 ns", nanosleep(&too_many, NULL), EINVAL);
	fails("nanosleep, -1 ns", nanosleep(&too_few, NULL), EINVAL);
	fails("nanosleep, negative", nanosleep(&before_epoch, NULL), EINVAL);
	fails("nanosleep, no time", nanosleep(NULL, NULL), EFAULT);

	clock_gettime(CLOCK_MONOTONIC, &from);
	answers("clock_nanosleep",
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ms5, NULL), 0);
	is("clock_nanosleep is not early", has_passed(&from, 5000000), 1);
	until = soon(CLOCK_REALTIME);
	answers("clock_nanosleep until",
		clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL),
		0);
	is("clock_nanosleep until is not early",
	   is_past(CLOCK_REALTIME, &until), 1);
	answers("clock_nanosleep until the past",
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL),
		0);
	answers("clock_nanosleep, 1e9 ns",
		clock_nanosleep(CLOCK_MONOTONIC, 0, &too_many, NULL), EINVAL);
	answers("clock_nanosleep, no such clock",
		clock_nanosleep(99, 0, &ms5, NULL), EINVAL);
	answers("clock_nanosleep, the thread's own time",
		clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ms5, NULL),
		EINVAL);
	gives("usleep", usleep(2000), 0);
	gives("sleep of 0", sleep(0), 0);
	gives("thrd_sleep", thrd_sleep(&ms5, &left), 0);
	is("thrd_sleep, invalid", thrd_sleep(&too_many, NULL) < -1, 1);
	gives("sched_yield", sched_yield(), 0);
	errno = KEPT;
	thrd_yield();
	is_error("thrd_yield keeps errno", errno, KEPT);
}

static volatile sig_atomic_t rung;

static void
rings(int sig)
{
	(void)sig;
	rung++;
}

/* Again and again, since the first time may come before the sleep. */
static void
ring(void)
{
	struct itimerval soon = { { 0, 5000 }, { 0, 5000 } };

	rung = 0;
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void
rang(const char *what)
{
	struct itimerval never = { { 0, 0 }, { 0, 0 } };

	setitimer(ITIMER_REAL, &never, NULL);
	is(what, rung > 0, 1);
}

static void
timers(void)
{
	struct itimerval once = { { 0, 0 }, { 0, 5000 } }, t;
	struct sigaction act = { .sa_handler = rings };
	struct timespec left = { 0, 0 };

	sigaction(SIGALRM, &act, NULL);
	gives("alarm, none before", alarm(100), 0);
	gives("alarm, one before", alarm(0), 100);
	gives("alarm, none any more", alarm(0), 0);
	gives("setitimer", setitimer(ITIMER_REAL, &once, NULL), 0);
	while (!rung)
		sched_yield();
	is("it rang once", rung, 1);
	gives("getitimer", getitimer(ITIMER_REAL, &t), 0);
	is("getitimer, none any more", t.it_value.tv_sec + t.it_value.tv_usec,
	   0);
	ring();
	fails("nanosleep until it rings",
	      nanosleep(&(struct timespec){ 100, 0 }, &left), EINTR);
	rang("it rang in nanosleep");
	is("nanosleep: what is left", left.tv_sec == 99, 1);
	ring();
	answers("clock_nanosleep until it rings",
		clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 50, 0 },
				&left),
		EINTR);
	rang("it rang in clock_nanosleep");
	is("clock_nanosleep: what is left", left.tv_sec, 49);
	left = (struct timespec){ 7, 7 };
	struct timespec until = later(CLOCK_MONOTONIC);
	ring();
	answers("clock_nanosleep to a time, until it rings",
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, &left),
		EINTR);
	rang("it rang before that time");
	is("clock_nanosleep to a time leaves that alone", left.tv_sec, 7);
	ring();
	is("sleep: what is left, in whole seconds", sleep(100), 99);
	rang("it rang in sleep");
	ring();
	gives("thrd_sleep until it rings",
	      thrd_sleep(&(struct timespec){ 50, 0 }, &left), -1);
	rang("it rang in thrd_sleep");
	is("thrd_sleep: what is left", left.tv_sec, 49);
	ring();
	fails("usleep until it rings", usleep(900000), EINTR);
	rang("it rang in usleep");
	fails("setitimer, invalid",
	      setitimer(ITIMER_REAL,
			&(struct itimerval){ { 0, 0 }, { 0, 1000000 } }, NULL),
	      EINVAL);
	fails("setitimer, no such timer", setitimer(99, &t, NULL), EINVAL);
	fails("getitimer, no such timer", getitimer(99, &t), EINVAL);
}

static void
randoms(void)
{
	static unsigned char big[257], zero[64];

	is("getrandom", getrandom(big, 64, 0), 64);
	is("getrandom fills it", memcmp(big, zero, 64) != 0, 1);
	fails("getrandom, bad flags", getrandom(big, 1, 0x8000), EINVAL);
	gives("getentropy", getentropy(big, 256), 0);
	fails("getentropy, too much", getentropy(big, 257), EIO);
	arc4random_buf(big, 64);
	is("arc4random_buf fills it", memcmp(big, zero, 64) != 0, 1);
	is("arc4random_uniform", arc4random_uniform(1), 0);
	is("arc4random_uniform is below", arc4random_uniform(10) < 10, 1);
	is("arc4random",
	   arc4random() != arc4random() || arc4random() != arc4random(), 1);
}

int
main(void)
{
	clocks();
	sleeps();
	timers();
	randoms();
	return broken;
}
