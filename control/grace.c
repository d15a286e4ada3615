/* SPDX-License-Identifier: MIT */
/*
 * After arming, a thread may still be on its way from the gate, which it
 * passed before, to the real call.  That way is some hundred instructions:
 * whoever has been seen asleep, stands in one of our own waits, or has run
 * for 20 µs since, is past it.
 */
#include <stdlib.h>
#include <time.h>

#include "rules_int.h"

#define GRACE_NS UINT64_C(50000000)
#define LOOK_NS 200000
#define RAN_NS 20000

struct task {
	struct seam_process *p;
	pid_t pid, tid;
	uint64_t ran;
	bool done;
};

struct tasks {
	struct seam_process *p;
	struct task *v;
	size_t n, cap;
};

static int
note(pid_t tid, void *data)
{
	struct tasks *l = data;

	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 32;
		struct task *v = realloc(l->v, cap * sizeof(*v));

		if (!v)
			return 1;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = (struct task){ .p = l->p,
				      .pid = l->p->pid,
				      .tid = tid,
				      .ran = seam_task_ran(l->p->pid, tid) };
	return 0;
}

static bool
is_past(struct seam_session *s, const struct task *k)
{
	struct seam_thread *t = seam_thread_of_tid(s, k->p, k->tid);
	struct seam_stand st;
	char state;

	if (t) {
		seam_stand(t, &st);
		if (st.parked)
			return true;
	}
	state = seam_task_state(k->pid, k->tid);
	if (state != 'R')
		return true;
	return seam_task_ran(k->pid, k->tid) > k->ran + RAN_NS;
}

static bool
all_past(struct seam_session *s, struct tasks *l)
{
	bool all = true;

	for (size_t i = 0; i < l->n; i++) {
		struct task *k = &l->v[i];

		if (k->p->pid != k->pid || !seam_process_live(k->p))
			k->done = true;
		if (!k->done)
			k->done = is_past(s, k);
		all &= k->done;
	}
	return all;
}

static void
nap(struct seam_session *s)
{
	struct timespec ts = { .tv_nsec = LOOK_NS };

	seam_unlock(s);
	nanosleep(&ts, NULL);
	seam_lock(s);
}

void
seam_grace(struct seam_session *s, const struct seam_armed *r)
{
	uint64_t until = seam_now() + GRACE_NS;
	struct tasks l = { 0 };

	for (unsigned i = 0; i < s->processes; i++) {
		l.p = &s->process[i];
		if (seam_process_live(l.p) && seam_rule_concerns(s, r, l.p))
			seam_tasks(l.p->pid, note, &l);
	}
	while (!all_past(s, &l) && seam_now() < until)
		nap(s);
	free(l.v);
}

/* Waits as its entry has it, but is not asleep yet. */
static bool
is_awake(struct seam_session *s, const struct task *k)
{
	struct seam_thread *t = seam_thread_of_tid(s, k->p, k->tid);
	struct seam_stand st;

	if (!t)
		return false;
	seam_stand(t, &st);
	return (st.parked || st.state == SEAM_THREAD_BLOCKED) &&
	       seam_task_state(k->pid, k->tid) == 'R';
}

static bool
any_awake(struct seam_session *s, const struct tasks *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (is_awake(s, &l->v[i]))
			return true;
	return false;
}

void
seam_settle(struct seam_session *s, struct seam_process *p)
{
	uint64_t until = seam_now() + GRACE_NS;
	struct tasks l = { .p = p };

	seam_tasks(p->pid, note, &l);
	while (any_awake(s, &l) && seam_process_live(p) && seam_now() < until)
		nap(s);
	free(l.v);
}
