/* SPDX-License-Identifier: MIT */
/* Virtual time: it moves with the steps, and jumps to deadlines. */
#include <string.h>

#include "sched.h"

static unsigned
epoch_of(clockid_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		return 0;
	default:
		return 1;
	}
}

/* Nanoseconds since the run's beginning; the past is now. */
uint64_t
seam_virtual_deadline(clockid_t clock, const struct timespec *t)
{
	const struct seam_sched *s = seam_sched();
	uint64_t at, epoch = s->epoch[epoch_of(clock)];

	if (t->tv_sec < 0)
		return s->now;
	if (__builtin_mul_overflow((uint64_t)t->tv_sec, 1000000000u, &at) ||
	    __builtin_add_overflow(at, (uint64_t)t->tv_nsec, &at))
		return UINT64_MAX;
	return at > epoch + s->now ? at - epoch : s->now;
}

void
seam_time_reaches(uint64_t at)
{
	struct seam_sched *s = seam_sched();

	if (s->now < at)
		s->now = at;
}

#define READ_NS 1000 /* virtual time that a reading takes */

/* Who reads the clock again and again, and does nothing else, waits for it to
 * move: so it moves, faster and faster. */
static void
tick(struct seam_sched *s)
{
	static uint32_t step, reads;

	if (step != s->steps) {
		step = s->steps;
		reads = 0;
	}
	s->now += (uint64_t)READ_NS << (reads / 256 < 14 ? reads / 256 : 14);
	reads++;
}

void
seam_virtual_random(void *buf, size_t n)
{
	struct seam_sched *s = seam_sched();
	unsigned char *to = buf;
	uint64_t word;

	for (; n; n -= n < sizeof(word) ? n : sizeof(word)) {
		word = seam_random(&s->entropy);
		memcpy(to, &word, n < sizeof(word) ? n : sizeof(word));
		to += sizeof(word);
	}
}

void
seam_time_after(struct timespec *until, const struct timespec *span)
{
	seam_virtual_time(CLOCK_MONOTONIC, until);
	until->tv_sec += span->tv_sec;
	until->tv_nsec += span->tv_nsec;
	if (until->tv_nsec >= 1000000000) {
		until->tv_nsec -= 1000000000;
		until->tv_sec++;
	}
}

/* The clocks that a run controls; others show the machine's. */
bool
seam_virtual_time(clockid_t clock, struct timespec *t)
{
	struct seam_sched *s = seam_sched();
	uint64_t ns;

	tick(s);
	switch (clock) {
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		ns = s->now;
		break;
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		ns = s->epoch[epoch_of(clock)] + s->now;
		break;
	default:
		return false;
	}
	t->tv_sec = (time_t)(ns / 1000000000u);
	t->tv_nsec = (long)(ns % 1000000000u);
	return true;
}
