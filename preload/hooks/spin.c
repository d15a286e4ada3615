/* SPDX-License-Identifier: MIT */
/* pthread_spin_*.  A spinning thread looks like a waiting one. */
#include "hooks.h"

SEAM_HOOK_PLAIN(pthread_spin_trylock, SPIN_TRYLOCK, pthread_spinlock_t)
SEAM_HOOK_PLAIN(pthread_spin_unlock, SPIN_UNLOCK, pthread_spinlock_t)
SEAM_HOOK_PLAIN(pthread_spin_destroy, SPIN_DESTROY, pthread_spinlock_t)

static int
real_init(struct seam_call *c)
{
	return seam_real.pthread_spin_init(c->ptr, (int)c->arg[0]);
}

SEAM_EXPORT int
pthread_spin_init(pthread_spinlock_t *l, int pshared)
{
	if (SEAM_PASS(SPIN_INIT, l))
		return seam_real.pthread_spin_init(l, pshared);
	struct seam_call c = SEAM_CALL(pthread_spin_init, SPIN_INIT, l);
	c.arg[0] = (uint64_t)pshared;
	c.real = real_init;
	return seam_gate_call(&c);
}

SEAM_REAL(pthread_spin_lock, seam_same)

SEAM_EXPORT int
pthread_spin_lock(pthread_spinlock_t *l)
{
	if (SEAM_PASS(SPIN_LOCK, l))
		return seam_real.pthread_spin_lock(l);
	struct seam_call c = SEAM_CALL(pthread_spin_lock, SPIN_LOCK, l);
	c.try = real_pthread_spin_trylock;
	c.real = real_pthread_spin_lock;
	return seam_gate_call(&c);
}
