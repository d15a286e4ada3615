/* SPDX-License-Identifier: MIT */
/* The end of the targets that this session started. */
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "inner.h"

#define NS_PER_MS UINT64_C(1000000)
#define TERM_MS 1000

/*
 * A group's number stays taken while it has members, also after its leader
 * was reaped.  That it was given to somebody else since shows in a process
 * of that number.
 */
static bool
is_group_ours(const struct seam_process *p, pid_t group)
{
	return group > 1 && (!p->ended || kill(group, 0) != 0);
}

/* Those outside of the groups that get it as a whole. */
static bool
is_alone(struct seam_session *s, const struct seam_process *p)
{
	pid_t group = getpgid(p->pid);

	for (unsigned i = 0; i < s->processes; i++)
		if (s->process[i].used && s->own->extra[i].group == group &&
		    is_group_ours(&s->process[i], group))
			return false;
	return true;
}

static void
signal_all(struct seam_session *s, int sig)
{
	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];
		pid_t group = s->own->extra[i].group;

		if (!p->used || !s->own->extra[i].started)
			continue;
		if (is_group_ours(p, group))
			kill(-group, sig);
		if (p->pidfd >= 0 && is_alone(s, p))
			pidfd_send_signal(p->pidfd, sig, NULL, 0);
	}
}

void
seam_term_targets(struct seam_session *s)
{
	signal_all(s, SIGTERM);
	signal_all(s, SIGCONT);
}

static nfds_t
gather(struct seam_session *s, struct pollfd *pfd, unsigned *who)
{
	nfds_t n = 0;

	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];

		if (!p->used || p->pidfd < 0 || !s->own->extra[i].started)
			continue;
		pfd[n].fd = p->pidfd;
		pfd[n].events = POLLIN;
		who[n++] = i;
	}
	return n;
}

/* False when the time is over. */
static bool
wait_for_ends(struct seam_session *s, uint64_t until)
{
	struct pollfd pfd[SEAM_MAX_PROCS];
	unsigned who[SEAM_MAX_PROCS];
	uint64_t now;
	nfds_t n;

	while ((n = gather(s, pfd, who)) > 0) {
		now = seam_now();
		if (now >= until)
			return false;
		seam_unlock(s);
		poll(pfd, n, (int)((until - now) / NS_PER_MS) + 1);
		seam_lock(s);
		/* The server may have been faster. */
		for (nfds_t i = 0; i < n; i++)
			if (seam_process_is_over(&s->process[who[i]]))
				seam_process_ended(s, &s->process[who[i]]);
	}
	return true;
}

void
seam_end_targets(struct seam_session *s)
{
	if (!wait_for_ends(s, seam_now() + TERM_MS * NS_PER_MS)) {
		signal_all(s, SIGKILL);
		wait_for_ends(s, seam_now() + TERM_MS * NS_PER_MS);
	}
	/* Forked at the last moment; and what never said hello, where it is
	 * in a group of ours. */
	if (!s->broken[0])
		seam_porter_attend(s);
	signal_all(s, SIGKILL);
	wait_for_ends(s, seam_now() + TERM_MS * NS_PER_MS);
}
