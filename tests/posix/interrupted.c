/* SPDX-License-Identifier: MIT */
/* Which waits a signal's handler ends, with SA_RESTART and without. */
#include "waits.h"

static atomic_int handled;

static void
handler(int sig)
{
	(void)sig;
	atomic_fetch_add(&handled, 1);
}

/* One that goes on waiting is cancelled. */
static void
interrupt(const struct waiter *w, int flags, int promised)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = flags };
	struct standing s;
	char name[64];
	int before = atomic_load(&handled);

	sigaction(SIGUSR1, &act, NULL);
	stand(&s, w);
	must(pthread_kill(s.thread, SIGUSR1) != 0);
	while (atomic_load(&handled) == before)
		sched_yield();
	until_asleep(&s);
	snprintf(name, sizeof(name), "%s, a handler%s", w->name,
		 flags ? " with SA_RESTART" : "");
	if (promised) {
		join(s.thread);
		is_error(name, s.error, promised);
		return;
	}
	is(name, atomic_load(&s.over), 0);
	pthread_cancel(s.thread);
	join(s.thread);
}

int
main(void)
{
	prepare();
	for (size_t i = 0; i < WAITERS; i++) {
		/* Nothing would end those. */
		if (!waiters[i].cancelled && !waiters[i].interrupted)
			continue;
		interrupt(&waiters[i], 0, waiters[i].interrupted);
		if (waiters[i].cancelled)
			interrupt(&waiters[i], SA_RESTART,
				  waiters[i].restarted);
	}
	clean_up();
	return broken;
}
