/* SPDX-License-Identifier: MIT */
/* sem_*, unnamed and named.  sem_post is async-signal-safe and stays so. */
#include <stdarg.h>

#include "hooks.h"

SEAM_HOOK_ERRNO(sem_post, SEM_POST, sem_t)
SEAM_HOOK_ERRNO(sem_destroy, SEM_DESTROY, sem_t)
SEAM_HOOK_ERRNO(sem_close, SEM_CLOSE, sem_t)

static int
real_init(struct seam_call *c)
{
	return seam_error(
	    seam_real.sem_init(c->ptr, (int)c->arg[0], (unsigned)c->arg[1]));
}

SEAM_EXPORT int
sem_init(sem_t *s, int pshared, unsigned value)
{
	if (SEAM_PASS(SEM_INIT, s))
		return seam_real.sem_init(s, pshared, value);
	struct seam_call c = SEAM_CALL(sem_init, SEM_INIT, s);
	c.arg[0] = (uint64_t)pshared;
	c.arg[1] = value;
	c.real = real_init;
	return seam_errno(seam_gate_call(&c));
}

static int
real_trywait(struct seam_call *c)
{
	int saved = errno;

	return seam_try_error(saved, seam_real.sem_trywait(c->ptr));
}

SEAM_EXPORT int
sem_trywait(sem_t *s)
{
	if (SEAM_PASS(SEM_TRYWAIT, s))
		return seam_real.sem_trywait(s);
	struct seam_call c = SEAM_CALL(sem_trywait, SEM_TRYWAIT, s);
	c.busy = EAGAIN;
	c.real = real_trywait;
	return seam_errno(seam_gate_call(&c));
}

/* Every form of sem_wait acts on a cancellation before it takes anything. */
static int
take(struct seam_call *c)
{
	pthread_testcancel();
	c->cancel = true;
	c->eintr = true;
	c->busy = EAGAIN;
	return seam_errno(seam_gate_call(c));
}

SEAM_REAL(sem_wait, seam_error)

SEAM_EXPORT int
sem_wait(sem_t *s)
{
	if (SEAM_PASS(SEM_WAIT, s))
		return seam_real.sem_wait(s);
	if (SEAM_RECORDS())
		return seam_errno(
		    SEAM_RECORDED(sem_wait, SEM_WAIT, s,
				  seam_error(seam_real.sem_wait(s))));
	struct seam_call c = SEAM_CALL(sem_wait, SEM_WAIT, s);
	c.try = real_trywait;
	c.real = real_sem_wait;
	return take(&c);
}

static int
real_timedwait(struct seam_call *c)
{
	return seam_error(seam_real.sem_timedwait(c->ptr, c->deadline));
}

SEAM_EXPORT int
sem_timedwait(sem_t *s, const struct timespec *abstime)
{
	if (SEAM_PASS(SEM_WAIT, s) || !seam_time_valid(CLOCK_REALTIME, abstime))
		return seam_real.sem_timedwait(s, abstime);
	struct seam_call c = SEAM_CALL(sem_timedwait, SEM_WAIT, s);
	c.clock = CLOCK_REALTIME;
	c.deadline = abstime;
	c.try = real_trywait;
	c.real = real_timedwait;
	return take(&c);
}

static int
real_clockwait(struct seam_call *c)
{
	return seam_error(
	    seam_real.sem_clockwait(c->ptr, c->clock, c->deadline));
}

SEAM_EXPORT int
sem_clockwait(sem_t *s, clockid_t clock, const struct timespec *abstime)
{
	if (SEAM_PASS(SEM_WAIT, s) || !seam_time_valid(clock, abstime))
		return seam_real.sem_clockwait(s, clock, abstime);
	struct seam_call c = SEAM_CALL(sem_clockwait, SEM_WAIT, s);
	c.clock = clock;
	c.deadline = abstime;
	c.try = real_trywait;
	c.real = real_clockwait;
	return take(&c);
}

static int
real_open(struct seam_call *c)
{
	sem_t *s = seam_real.sem_open(c->name, (int)c->arg[0],
				      (mode_t)c->arg[1], (unsigned)c->arg[2]);
	if (s == SEM_FAILED)
		return errno;
	c->ptr = s;
	return 0;
}

SEAM_EXPORT sem_t *
sem_open(const char *name, int oflag, ...)
{
	mode_t mode = 0;
	unsigned value = 0;
	va_list ap;

	va_start(ap, oflag);
	if (oflag & O_CREAT) {
		mode = va_arg(ap, mode_t);
		value = va_arg(ap, unsigned);
	}
	va_end(ap);
	if (SEAM_PASS(SEM_OPEN, NULL))
		return seam_real.sem_open(name, oflag, mode, value);
	struct seam_call c = SEAM_CALL(sem_open, SEM_OPEN, NULL);
	c.name = name;
	c.arg[0] = (uint64_t)oflag;
	c.arg[1] = mode;
	c.arg[2] = value;
	c.real = real_open;
	return seam_errno(seam_gate_call(&c)) == 0 ? c.ptr : SEM_FAILED;
}

static int
real_unlink(struct seam_call *c)
{
	return seam_error(seam_real.sem_unlink(c->name));
}

SEAM_EXPORT int
sem_unlink(const char *name)
{
	if (SEAM_PASS(SEM_UNLINK, NULL))
		return seam_real.sem_unlink(name);
	struct seam_call c = SEAM_CALL(sem_unlink, SEM_UNLINK, NULL);
	c.name = name;
	c.real = real_unlink;
	return seam_errno(seam_gate_call(&c));
}
