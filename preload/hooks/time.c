/* SPDX-License-Identifier: MIT */
/*
 * Clocks, sleeps and random bytes.  A scheduled run has its own time, which
 * moves with its steps, and its own randomness; anything else gets the real
 * ones.
 */
#include <sched.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <threads.h>

#include "hooks.h"

/* Not a step: only what is read is another. */
#define VIRTUAL() (!SEAM_PASSIVE(TIME_READ) && seam_is_scheduled())

SEAM_EXPORT int
clock_gettime(clockid_t clock, struct timespec *t)
{
	if (VIRTUAL() && seam_virtual_time(clock, t))
		return 0;
	seam_ready();
	return seam_real.clock_gettime(clock, t);
}

SEAM_EXPORT int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec t;

	if (!VIRTUAL() || !seam_virtual_time(CLOCK_REALTIME, &t)) {
		seam_ready();
		return seam_real.gettimeofday(tv, zone);
	}
	tv->tv_sec = t.tv_sec;
	tv->tv_usec = t.tv_nsec / 1000;
	return 0;
}

SEAM_EXPORT time_t
time(time_t *at)
{
	struct timespec t;

	if (!VIRTUAL() || !seam_virtual_time(CLOCK_REALTIME, &t)) {
		seam_ready();
		return seam_real.time(at);
	}
	if (at)
		*at = t.tv_sec;
	return t.tv_sec;
}

SEAM_EXPORT clock_t
clock(void)
{
	struct timespec t;

	if (!VIRTUAL() || !seam_virtual_time(CLOCK_PROCESS_CPUTIME_ID, &t)) {
		seam_ready();
		return seam_real.clock();
	}
	return t.tv_sec * CLOCKS_PER_SEC + t.tv_nsec / 1000;
}

SEAM_EXPORT int
timespec_get(struct timespec *t, int base)
{
	if (base == TIME_UTC && VIRTUAL() &&
	    seam_virtual_time(CLOCK_REALTIME, t))
		return base;
	seam_ready();
	return seam_real.timespec_get(t, base);
}

/* Sleeps.  c->arg: the real call's own arguments. */

/* What is left of a sleep that a handler has cut short. */
static void
remaining(const struct timespec *until, struct timespec *left)
{
	struct timespec now;

	seam_virtual_time(CLOCK_MONOTONIC, &now);
	left->tv_sec = until->tv_sec - now.tv_sec;
	left->tv_nsec = until->tv_nsec - now.tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_nsec += 1000000000;
		left->tv_sec--;
	}
	if (left->tv_sec < 0)
		left->tv_sec = left->tv_nsec = 0;
}

/* left: NULL if nobody asks, or the time is absolute. */
static int
sleep_by(struct seam_call *c, clockid_t clock, const struct timespec *span,
	 bool absolute, struct timespec *left)
{
	struct timespec until = *span;
	int error;

	/* Every clock of a run moves alike. */
	if (!absolute && seam_is_scheduled()) {
		seam_time_after(&until, span);
		clock = CLOCK_MONOTONIC;
	}
	c->clock = clock;
	c->deadline = &until;
	c->cancel = true;
	c->eintr = true;
	c->timeout_error = 0;
	error = seam_gate_call(c);
	if (error == EINTR && left && !absolute && seam_is_scheduled())
		remaining(&until, left);
	return error;
}

static int
real_nanosleep(struct seam_call *c)
{
	return seam_error(
	    seam_real.nanosleep(seam_ptr(c->arg[0]), seam_ptr(c->arg[1])));
}

static bool
sound(const struct timespec *t)
{
	return t && t->tv_sec >= 0 && t->tv_nsec >= 0 &&
	       t->tv_nsec < 1000000000;
}

SEAM_EXPORT int
nanosleep(const struct timespec *span, struct timespec *left)
{
	if (SEAM_PASS(TIME_SLEEP, NULL) || !sound(span)) {
		seam_ready();
		return seam_real.nanosleep(span, left);
	}
	struct seam_call c = SEAM_CALL(nanosleep, TIME_SLEEP, NULL);
	c.arg[0] = seam_word(span);
	c.arg[1] = seam_word(left);
	c.real = real_nanosleep;
	return seam_errno(sleep_by(&c, CLOCK_MONOTONIC, span, false, left));
}

static int
real_clock_nanosleep(struct seam_call *c)
{
	return seam_real.clock_nanosleep((clockid_t)c->arg[0], (int)c->arg[1],
					 seam_ptr(c->arg[2]),
					 seam_ptr(c->arg[3]));
}

SEAM_EXPORT int
clock_nanosleep(clockid_t clock, int flags, const struct timespec *t,
		struct timespec *left)
{
	if (SEAM_PASS(TIME_SLEEP, NULL) || !sound(t)) {
		seam_ready();
		return seam_real.clock_nanosleep(clock, flags, t, left);
	}
	struct seam_call c = SEAM_CALL(clock_nanosleep, TIME_SLEEP, NULL);
	c.arg[0] = (uint64_t)clock;
	c.arg[1] = (uint64_t)flags;
	c.arg[2] = seam_word(t);
	c.arg[3] = seam_word(left);
	c.real = real_clock_nanosleep;
	return sleep_by(&c, clock, t, flags & TIMER_ABSTIME, left);
}

static int
real_usleep(struct seam_call *c)
{
	return seam_error(seam_real.usleep((useconds_t)c->arg[0]));
}

SEAM_EXPORT int
usleep(useconds_t us)
{
	struct timespec t = { us / 1000000, (long)(us % 1000000) * 1000 };

	if (SEAM_PASS(TIME_SLEEP, NULL)) {
		seam_ready();
		return seam_real.usleep(us);
	}
	struct seam_call c = SEAM_CALL(usleep, TIME_SLEEP, NULL);
	c.arg[0] = us;
	c.real = real_usleep;
	return seam_errno(sleep_by(&c, CLOCK_MONOTONIC, &t, false, NULL));
}

/* Answers by the seconds left. */
static int
real_sleep(struct seam_call *c)
{
	c->value = (int)seam_real.sleep((unsigned)c->arg[0]);
	return 0;
}

SEAM_EXPORT unsigned
sleep(unsigned seconds)
{
	struct timespec t = { seconds, 0 }, left = { seconds, 0 };

	if (SEAM_PASS(TIME_SLEEP, NULL)) {
		seam_ready();
		return seam_real.sleep(seconds);
	}
	struct seam_call c = SEAM_CALL(sleep, TIME_SLEEP, NULL);
	c.arg[0] = seconds;
	c.real = real_sleep;
	int error = sleep_by(&c, CLOCK_MONOTONIC, &t, false, &left);
	return error ? (unsigned)(left.tv_sec + (left.tv_nsec >= 500000000)) :
		       (unsigned)c.value;
}

static int
real_thrd_sleep(struct seam_call *c)
{
	c->value =
	    seam_real.thrd_sleep(seam_ptr(c->arg[0]), seam_ptr(c->arg[1]));
	return 0;
}

SEAM_EXPORT int
thrd_sleep(const struct timespec *span, struct timespec *left)
{
	if (SEAM_PASS(TIME_SLEEP, NULL) || !sound(span)) {
		seam_ready();
		return seam_real.thrd_sleep(span, left);
	}
	struct seam_call c = SEAM_CALL(thrd_sleep, TIME_SLEEP, NULL);
	c.arg[0] = seam_word(span);
	c.arg[1] = seam_word(left);
	c.real = real_thrd_sleep;
	return sleep_by(&c, CLOCK_MONOTONIC, span, false, left) ? -1 : c.value;
}

/* The process's interval timer. */

static uint64_t
ns_of(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_usec * 1000;
}

static struct timeval
timeval_of(uint64_t ns)
{
	return (struct timeval){ (time_t)(ns / 1000000000u),
				 (suseconds_t)(ns % 1000000000u / 1000) };
}

static bool
sound_interval(const struct itimerval *t)
{
	return t && t->it_value.tv_sec >= 0 && t->it_value.tv_usec >= 0 &&
	       t->it_value.tv_usec < 1000000 && t->it_interval.tv_sec >= 0 &&
	       t->it_interval.tv_usec >= 0 && t->it_interval.tv_usec < 1000000;
}

SEAM_EXPORT int
setitimer(__itimer_which_t which, const struct itimerval *restrict to,
	  struct itimerval *restrict old)
{
	uint64_t set[2] = { 0, 0 }, left[2];

	if (sound_interval(to)) {
		set[0] = ns_of(&to->it_value);
		set[1] = ns_of(&to->it_interval);
	}
	if (which != ITIMER_REAL || !sound_interval(to) || !VIRTUAL() ||
	    !seam_virtual_alarm(set, left)) {
		seam_ready();
		return seam_real.setitimer(which, to, old);
	}
	if (old)
		*old = (struct itimerval){ .it_value = timeval_of(left[0]),
					   .it_interval = timeval_of(left[1]) };
	return 0;
}

SEAM_EXPORT int
getitimer(__itimer_which_t which, struct itimerval *t)
{
	uint64_t left[2];

	if (which != ITIMER_REAL || !VIRTUAL() ||
	    !seam_virtual_alarm(NULL, left)) {
		seam_ready();
		return seam_real.getitimer(which, t);
	}
	*t = (struct itimerval){ .it_value = timeval_of(left[0]),
				 .it_interval = timeval_of(left[1]) };
	return 0;
}

SEAM_EXPORT unsigned
alarm(unsigned seconds)
{
	uint64_t set[2] = { seconds * UINT64_C(1000000000), 0 }, left[2];

	if (!VIRTUAL() || !seam_virtual_alarm(set, left)) {
		seam_ready();
		return seam_real.alarm(seconds);
	}
	return (unsigned)((left[0] + 999999999) / 1000000000u);
}

/* Giving way. */

static int
real_sched_yield(struct seam_call *c)
{
	(void)c;
	return seam_error(seam_real.sched_yield());
}

SEAM_EXPORT int
sched_yield(void)
{
	if (SEAM_PASS(TIME_YIELD, NULL)) {
		seam_ready();
		return seam_real.sched_yield();
	}
	struct seam_call c = SEAM_CALL(sched_yield, TIME_YIELD, NULL);
	c.real = real_sched_yield;
	return seam_errno(seam_gate_call(&c));
}

static int
real_thrd_yield(struct seam_call *c)
{
	(void)c;
	seam_real.thrd_yield();
	return 0;
}

SEAM_EXPORT void
thrd_yield(void)
{
	if (SEAM_PASS(TIME_YIELD, NULL)) {
		seam_ready();
		seam_real.thrd_yield();
		return;
	}
	struct seam_call c = SEAM_CALL(thrd_yield, TIME_YIELD, NULL);
	c.real = real_thrd_yield;
	seam_gate_call(&c);
}

/* Random bytes: the run's own, from its seed. */

SEAM_EXPORT ssize_t
getrandom(void *buf, size_t n, unsigned flags)
{
	if (VIRTUAL()) {
		seam_virtual_random(buf, n);
		return (ssize_t)n;
	}
	seam_ready();
	return seam_real.getrandom(buf, n, flags);
}

SEAM_EXPORT int
getentropy(void *buf, size_t n)
{
	if (n <= 256 && VIRTUAL()) {
		seam_virtual_random(buf, n);
		return 0;
	}
	seam_ready();
	return seam_real.getentropy(buf, n);
}

SEAM_EXPORT uint32_t
arc4random(void)
{
	uint32_t value;

	if (!VIRTUAL()) {
		seam_ready();
		return seam_real.arc4random();
	}
	seam_virtual_random(&value, sizeof(value));
	return value;
}

SEAM_EXPORT void
arc4random_buf(void *buf, size_t n)
{
	if (VIRTUAL()) {
		seam_virtual_random(buf, n);
		return;
	}
	seam_ready();
	seam_real.arc4random_buf(buf, n);
}

SEAM_EXPORT uint32_t
arc4random_uniform(uint32_t limit)
{
	uint32_t value;

	if (!VIRTUAL()) {
		seam_ready();
		return seam_real.arc4random_uniform(limit);
	}
	seam_virtual_random(&value, sizeof(value));
	return (uint32_t)((uint64_t)value * limit >> 32);
}
