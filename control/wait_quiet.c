/* SPDX-License-Identifier: MIT */
/* Quiescence: nothing more happens by itself. */
#include <sys/syscall.h>

#include "rules_int.h"

#define QUIET_NS UINT64_C(2000000)

struct looking {
	struct seam_session *s;
	struct seam_process *p;
	uint64_t sum;
};

void
seam_mix(uint64_t *sum, uint64_t v)
{
	*sum = (*sum ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	*sum ^= *sum >> 29;
}

/* Ends by itself when its time has come. */
static bool
is_timed(const struct seam_stand *st)
{
	if (st->state == SEAM_THREAD_BLOCKED && st->doing.timed)
		return true;
	return seam_fns[st->doing.fn].form != SEAM_FORM_PLAIN;
}

static bool
is_sleep(long nr, const uint64_t arg[3])
{
	switch (nr) {
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
		return true;
	case SYS_poll: /* without descriptors it is a sleep, too */
	case SYS_ppoll:
		return !arg[1];
	case SYS_select:
	case SYS_pselect6:
		return !arg[0];
	default:
		return false;
	}
}

bool
seam_task_waits(pid_t pid, pid_t tid, uint64_t *sum)
{
	char state = seam_task_state(pid, tid);
	uint64_t arg[3];
	long nr;

	if (!state || state == 'Z' || state == 'X')
		return true;
	if (state != 'S' && state != 'T' && state != 't')
		return false;
	seam_mix(sum, seam_task_ran(pid, tid));
	if (!seam_task_call(pid, tid, &nr, arg))
		return true;
	seam_mix(sum, (uint64_t)nr);
	return !is_sleep(nr, arg);
}

/* 1: it will go on, or goes on. */
static int
look_at(pid_t tid, void *data)
{
	struct looking *l = data;
	struct seam_thread *t = seam_thread_of_tid(l->s, l->p, tid);
	struct seam_stand st = { 0 };

	seam_mix(&l->sum, (uint64_t)tid);
	if (t)
		seam_stand(t, &st);
	seam_mix(&l->sum, st.serial);
	if (st.parked)
		return st.state == SEAM_THREAD_HELD && is_timed(&st);
	if (st.state == SEAM_THREAD_PARKED || st.state == SEAM_THREAD_HELD)
		return 1; /* let go, not yet awake */
	if (st.state == SEAM_THREAD_BLOCKED && is_timed(&st))
		return 1;
	return !seam_task_waits(l->p->pid, tid, &l->sum);
}

/* Waits for us, or becomes another program. */
static bool
is_changing(struct seam_session *s, unsigned i)
{
	struct seam_proc *a = &s->arena->proc[i];
	uint32_t state = atomic_load(&a->state);

	if (state == SEAM_PROC_JOINING)
		return true;
	if (!seam_process_live(&s->process[i]))
		return false;
	if (state == SEAM_PROC_EXECING && !s->process[i].unhooked)
		return true;
	return (int32_t)(atomic_load(&a->wants) - atomic_load(&a->ack)) > 0;
}

bool
seam_quiescent(struct seam_session *s, uint64_t *next_look)
{
	struct seam_room *room = seam_room(s);
	struct looking l = { .s = s, .sum = 1 };
	uint64_t now = seam_now();
	unsigned procs = atomic_load(&s->arena->head.procs);
	bool busy = false;

	for (unsigned i = 0; i < SEAM_MAX_PROCS && i < procs && !busy; i++) {
		l.p = &s->process[i];
		busy = is_changing(s, i);
		if (!busy && seam_process_live(l.p))
			busy = seam_tasks(l.p->pid, look_at, &l);
	}
	*next_look = now + QUIET_NS;
	if (busy) {
		room->quiet_since = 0;
		return false;
	}
	if (!room->quiet_since || room->quiet_sum != l.sum) {
		room->quiet_sum = l.sum;
		room->quiet_since = now;
		return false;
	}
	if (now - room->quiet_since < QUIET_NS)
		return false;
	busy = seam_any_newcomer(s);
	if (busy)
		room->quiet_since = 0;
	return !busy;
}
