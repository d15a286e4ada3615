/* SPDX-License-Identifier: MIT */
/* Waiting for signals, sending them, and which of them have handlers. */
#include <signal.h>

#include "hooks.h"

static bool
signal_ready(const struct seam_call *c)
{
	return seam_signals_pending(*(const uint64_t *)seam_ptr(c->arg[0]));
}

static int
real_sigwait(struct seam_call *c)
{
	return seam_real.sigwait(seam_ptr(c->arg[0]), seam_ptr(c->arg[1]));
}

SEAM_EXPORT int
sigwait(const sigset_t *restrict set, int *restrict sig)
{
	if (SEAM_PASS(SIGNAL_WAIT, NULL)) {
		seam_ready();
		return seam_real.sigwait(set, sig);
	}
	struct seam_call c = SEAM_CALL(sigwait, SIGNAL_WAIT, NULL);
	c.arg[0] = seam_word(set);
	c.arg[1] = seam_word(sig);
	c.cancel = true;
	c.ready = signal_ready;
	c.real = real_sigwait;
	return seam_gate_call(&c);
}

static int
real_sigwaitinfo(struct seam_call *c)
{
	c->value =
	    seam_real.sigwaitinfo(seam_ptr(c->arg[0]), seam_ptr(c->arg[1]));
	return seam_error(c->value);
}

SEAM_EXPORT int
sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
	if (SEAM_PASS(SIGNAL_WAIT, NULL)) {
		seam_ready();
		return seam_real.sigwaitinfo(set, info);
	}
	struct seam_call c = SEAM_CALL(sigwaitinfo, SIGNAL_WAIT, NULL);
	c.arg[0] = seam_word(set);
	c.arg[1] = seam_word(info);
	c.cancel = true;
	c.eintr = true;
	c.ready = signal_ready;
	c.real = real_sigwaitinfo;
	int error = seam_gate_call(&c);
	return error ? seam_errno(error) : c.value;
}

static int
real_sigtimedwait(struct seam_call *c)
{
	c->value =
	    seam_real.sigtimedwait(seam_ptr(c->arg[0]), seam_ptr(c->arg[1]),
				   seam_ptr(c->arg[2]));
	return seam_error(c->value);
}

SEAM_EXPORT int
sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
	     const struct timespec *restrict span)
{
	struct timespec until;

	if (SEAM_PASS(SIGNAL_WAIT, NULL) || !span) {
		seam_ready();
		return seam_real.sigtimedwait(set, info, span);
	}
	struct seam_call c = SEAM_CALL(sigtimedwait, SIGNAL_WAIT, NULL);
	c.arg[0] = seam_word(set);
	c.arg[1] = seam_word(info);
	c.arg[2] = seam_word(span);
	c.cancel = true;
	c.eintr = true;
	c.timeout_error = EAGAIN;
	c.clock = CLOCK_MONOTONIC;
	if (seam_is_scheduled()) {
		seam_time_after(&until, span);
		c.deadline = &until;
		c.ready = signal_ready;
	}
	c.real = real_sigtimedwait;
	int error = seam_gate_call(&c);
	return error ? seam_errno(error) : c.value;
}

/* Whoever suspends itself for a signal had it blocked until then, so that it
 * can be seen pending. */
static bool
unmasked_ready(const struct seam_call *c)
{
	return seam_signals_pending(~*(const uint64_t *)seam_ptr(c->arg[0]));
}

static int
real_sigsuspend(struct seam_call *c)
{
	return seam_error(seam_real.sigsuspend(seam_ptr(c->arg[0])));
}

SEAM_EXPORT int
sigsuspend(const sigset_t *mask)
{
	if (SEAM_PASS(SIGNAL_WAIT, NULL)) {
		seam_ready();
		return seam_real.sigsuspend(mask);
	}
	struct seam_call c = SEAM_CALL(sigsuspend, SIGNAL_WAIT, NULL);
	c.arg[0] = seam_word(mask);
	c.cancel = true;
	c.ready = unmasked_ready;
	c.real = real_sigsuspend;
	return seam_errno(seam_gate_call(&c));
}

static int
real_pthread_kill(struct seam_call *c)
{
	return seam_real.pthread_kill((pthread_t)c->ptr, (int)c->arg[0]);
}

SEAM_EXPORT int
pthread_kill(pthread_t thread, int sig)
{
	if (SEAM_PASS(SIGNAL_SEND, NULL)) {
		seam_ready();
		return seam_real.pthread_kill(thread, sig);
	}
	struct seam_call c = SEAM_CALL(pthread_kill, SIGNAL_SEND, thread);
	c.peer = seam_thread_find(thread);
	c.arg[0] = (uint64_t)sig;
	c.real = real_pthread_kill;
	return seam_gate_call(&c);
}

static int
real_kill(struct seam_call *c)
{
	return seam_error(seam_real.kill((pid_t)c->arg[0], (int)c->arg[1]));
}

SEAM_EXPORT int
kill(pid_t pid, int sig)
{
	if (SEAM_PASS(SIGNAL_SEND, NULL)) {
		seam_ready();
		return seam_real.kill(pid, sig);
	}
	struct seam_call c = SEAM_CALL(kill, SIGNAL_SEND, NULL);
	c.arg[0] = (uint64_t)pid;
	c.arg[1] = (uint64_t)sig;
	c.real = real_kill;
	return seam_errno(seam_gate_call(&c));
}

/* pause: to call it is an event, and to be in it another: a signal that comes
 * before the first one does not end it. */

static bool
never_ready(const struct seam_call *c)
{
	(void)c;
	return false;
}

static int
real_pause(struct seam_call *c)
{
	(void)c;
	return seam_error(seam_real.pause());
}

SEAM_EXPORT int
pause(void)
{
	if (SEAM_PASS(SIGNAL_WAIT, NULL)) {
		seam_ready();
		return seam_real.pause();
	}
	struct seam_call c = SEAM_CALL(pause, SIGNAL_WAIT, NULL);
	c.cancel = true;
	c.eintr = true;
	c.ready = never_ready;
	c.real = real_pause;
	return seam_errno(seam_gate_call(&c));
}

/* Dispositions: nothing passes the gate, but handlers run at events then. */

static bool
is_handler(void (*handler)(int))
{
	return handler != SIG_DFL && handler != SIG_IGN;
}

SEAM_EXPORT int
sigaction(int sig, const struct sigaction *restrict action,
	  struct sigaction *restrict old)
{
	seam_ready();
	int r = seam_real.sigaction(sig, action, old);
	if (!r && action)
		seam_signal_caught(sig, is_handler(action->sa_handler));
	return r;
}

SEAM_EXPORT __sighandler_t
signal(int sig, __sighandler_t handler)
{
	seam_ready();
	__sighandler_t r = seam_real.signal(sig, handler);
	if (r != SIG_ERR)
		seam_signal_caught(sig, is_handler(handler));
	return r;
}

/* What signal() is for strict X/Open programs. */
SEAM_EXPORT __sighandler_t
__sysv_signal(int sig, __sighandler_t handler)
{
	seam_ready();
	__sighandler_t r = seam_real.__sysv_signal(sig, handler);
	if (r != SIG_ERR)
		seam_signal_caught(sig, is_handler(handler));
	return r;
}
