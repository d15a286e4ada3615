/* SPDX-License-Identifier: MIT */
/* pthread_barrier_*.  One of the waiters gets -1: an answer, not an error. */
#include "hooks.h"

SEAM_HOOK_PLAIN(pthread_barrier_destroy, BARRIER_DESTROY, pthread_barrier_t)

static int
real_init(struct seam_call *c)
{
	return seam_real.pthread_barrier_init(c->ptr, seam_ptr(c->arg[0]),
					      (unsigned)c->arg[1]);
}

SEAM_EXPORT int
pthread_barrier_init(pthread_barrier_t *b, const pthread_barrierattr_t *attr,
		     unsigned count)
{
	if (SEAM_PASS(BARRIER_INIT, b))
		return seam_real.pthread_barrier_init(b, attr, count);
	struct seam_call c = SEAM_CALL(pthread_barrier_init, BARRIER_INIT, b);
	c.arg[0] = seam_word(attr);
	c.arg[1] = count;
	c.real = real_init;
	return seam_gate_call(&c);
}

static int
real_wait(struct seam_call *c)
{
	c->value = seam_real.pthread_barrier_wait(c->ptr);
	return c->value == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : c->value;
}

SEAM_EXPORT int
pthread_barrier_wait(pthread_barrier_t *b)
{
	if (SEAM_PASS(BARRIER_WAIT, b))
		return seam_real.pthread_barrier_wait(b);
	struct seam_call c = SEAM_CALL(pthread_barrier_wait, BARRIER_WAIT, b);
	c.real = real_wait;
	int error = seam_gate_call(&c);
	return error != 0 ? error : c.value;
}
