/* SPDX-License-Identifier: MIT */
/*
 * The start gate of concurrent calls: a pause at which each of them is
 * awaited, and which is then disarmed, which lets all go at once.
 */
#include "inner.h"
#include "rules_int.h"

#include "call_int.h"

#define GATE "start-gate"
#define BEFORE_MAIN "thread.start thread=*.T0"
#define LOOK_NS UINT64_C(5000000)

enum seam_code
call_gate_arm(struct seam_session *s, const char *at, struct seam_error *err)
{
	struct seam_selector sel = { 0 };
	struct seam_words words;
	enum seam_code code = seam_split(at ? at : BEFORE_MAIN, &words, err);

	if (code)
		return code;
	code = seam_selector_parse(&words, 0, NULL, &sel, err);
	if (!code)
		code = sess_pause(s, &sel, GATE, NULL, err);
	seam_selector_free(&sel);
	seam_words_free(&words);
	return code;
}

/* The process, or the one that it descends from, by whom the call began. */
static pid_t
eldest(struct seam_session *s, const struct seam_process *p)
{
	pid_t pid = p->pid;

	for (unsigned i = 0; p && i < SEAM_MAX_PROCS; i++) {
		pid = p->pid;
		p = seam_process_at(s, s->arena->proc[p->index].parent - 1);
	}
	return pid;
}

static void
note_arrival(struct call_member *v, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].pid == pid)
			v[i].arrived = true;
}

static void
note_arrivals(struct seam_session *s, struct call_member *v, size_t n)
{
	struct seam_armed *r = seam_rule_find(s, GATE);
	struct seam_thread *t;
	uint32_t i = 0;

	while (r && (t = seam_thread_next(s, &i))) {
		struct seam_process *p = seam_process_at(s, t->proc);
		struct seam_stand st;

		seam_stand(t, &st);
		if (p && st.parked && seam_stands_at(&st, r->index + 1))
			note_arrival(v, n, eldest(s, p));
	}
}

static bool
has_joined(struct seam_session *s, const struct call_member *m)
{
	struct seam_process *p = seam_process_of_pid(s, m->pid);

	return p && s->own->extra[p->index].attached;
}

/* How many are still to come; *joining: some have not even begun. */
static size_t
missing(struct seam_session *s, struct call_member *v, size_t n, bool *joining)
{
	size_t count = 0;

	*joining = false;
	note_arrivals(s, v, n);
	for (size_t i = 0; i < n; i++) {
		struct call_member *m = &v[i];

		if (!m->over && call_member_has_ended(m))
			call_member_reap(m);
		if (m->over || m->arrived || m->cannot_come)
			continue;
		*joining |= !has_joined(s, m);
		count++;
	}
	return count;
}

/* Its rule is dropped, which lets all go together. */
static uint64_t
open_gate(struct seam_session *s)
{
	struct seam_armed *r = seam_rule_find(s, GATE);
	uint64_t now = seam_now();

	if (r)
		seam_rule_drop(s, r);
	return now;
}

uint64_t
call_gate_pass(struct seam_session *s, struct call_member *v, size_t n,
	       uint64_t until)
{
	uint64_t now, look, opened;
	uint32_t bell;
	bool joining;

	seam_lock(s);
	for (;;) {
		bell = atomic_load(&s->arena->head.bell);
		now = seam_now();
		if (!missing(s, v, n, &joining) || now >= until || s->broken[0])
			break;
		if (!joining && seam_quiescent(s, &look))
			break;
		look = now + LOOK_NS;
		seam_bell_wait(s, bell, look < until ? look : until);
	}
	opened = open_gate(s);
	seam_unlock(s);
	return opened;
}
