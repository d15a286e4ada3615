/* SPDX-License-Identifier: MIT */
/*
 * The gate: every intercepted call that something asks for passes here.
 *
 * Order of a call: it arrives (rules may log, park, fail it; a hold stops
 * it), it is tried, it blocks if it must, it is done (rules may park). The
 * real object decides at every step; what is kept about owners is for
 * people to read.
 */
#include <string.h>

#include "core.h"

struct seam_gate seam_gate = { .armed = UINT32_MAX };

static uint32_t
mode_now(void)
{
	return atomic_load_explicit(&seam_gate.mode, memory_order_relaxed);
}

static unsigned
class_of(const struct seam_call *c)
{
	/* The only waiting verb's form that does not wait. */
	if (c->fn == SEAM_FN_pthread_tryjoin_np)
		return SEAM_CLASS_NOTE;
	return seam_verbs[c->verb].class;
}

/*
 * A call from inside another one that waits: a signal handler's.  What the
 * outer one was doing is put aside.
 */
struct nested {
	struct seam_thread *thread;
	uint32_t state;
	struct seam_doing doing;
};

static void
nest(struct nested *n, struct seam_thread *t)
{
	n->thread = NULL;
	n->state = atomic_load_explicit(&t->state, memory_order_relaxed);
	if (SEAM_LIKELY(n->state == SEAM_THREAD_RUNNING))
		return;
	if (n->state == SEAM_THREAD_BLOCKED &&
	    (uintptr_t)__builtin_frame_address(0) > seam_self.blocked_at) {
		/* An exception left the call; nobody waits any more. */
		atomic_store(&t->state, SEAM_THREAD_RUNNING);
		return;
	}
	n->thread = t;
	n->doing = t->doing;
}

static void
unnest(struct nested *n)
{
	if (SEAM_LIKELY(!n->thread))
		return;
	n->thread->doing = n->doing;
	atomic_fetch_add(&n->thread->serial, 1);
	atomic_store(&n->thread->state, n->state);
}

/* Locks the mutex again that it has: no hold keeps it from that. */
static bool
owns(const struct seam_thread *t, const struct seam_call *c)
{
	const pthread_mutex_t *m = c->ptr;

	return seam_verbs[c->verb].kind == SEAM_KIND_MUTEX &&
	       c->verb != SEAM_COND_REACQUIRE && m->__data.__owner == t->tid;
}

/* A hold that the call meets now, index + 1; 0: none. */
static uint32_t
hold_now(const struct seam_thread *t, struct seam_call *c)
{
	struct seam_matched m;

	seam_matched_none(&m);
	seam_match(c, t, false, 0, true, &m);
	return m.n ? m.rule[0] : 0;
}

static int
obey_holds(struct seam_thread *t, struct seam_call *c, uint32_t rule)
{
	int error;

	if (owns(t, c))
		return 0;

	do {
		if (class_of(c) == SEAM_CLASS_TRY)
			return c->busy;
		if ((error = seam_held(t, c, rule)))
			return error;
		rule = hold_now(t, c);
	} while (rule && seam_alive());
	return 0;
}

/* Does what the rules met ask for; returns an error to answer with, or 0. */
static int
obey(struct seam_thread *t, struct seam_call *c, unsigned moment, int error,
     const struct seam_matched *m)
{
	uint32_t hold = 0;
	bool parked = false;
	int fail = 0, r;
	unsigned i;

	for (i = 0; i < m->n; i++) {
		switch (m->action[i]) {
		case SEAM_ACTION_PARK:
			r = seam_park(t, c, m->rule[i], moment, error, m);
			if (r && moment == SEAM_BEFORE)
				return r;
			parked = true;
			break;
		case SEAM_ACTION_NOTIFY:
			seam_bell();
			break;
		case SEAM_ACTION_FAIL:
			fail = seam_arena->rule[m->rule[i] - 1].error;
			break;
		case SEAM_ACTION_HOLD:
			hold = m->rule[i];
			break;
		default:
			break;
		}
	}
	if (fail)
		return fail;
	/* One may have come meanwhile. */
	if (parked && moment == SEAM_BEFORE)
		hold = hold_now(t, c);
	return hold ? obey_holds(t, c, hold) : 0;
}

static void
step_here(struct seam_thread *t, struct seam_call *c)
{
	if (!atomic_load(&t->step))
		return;
	atomic_store(&t->step, 0);
	seam_park(t, c, 0, SEAM_BEFORE, 0, NULL);
}

/* Tells afterwards who was at work when the process crashed. */
static void
note_latest(const struct seam_thread *t)
{
	atomic_store_explicit(&seam_proc->latest, seam_thread_index(t) + 1,
			      memory_order_relaxed);
}

static struct seam_object *
watched_object(struct seam_call *c)
{
	return seam_is_noise(c) ? NULL : seam_object_find(c);
}

/* The owner is kept for people to read; a release forgets it beforehand,
 * since somebody else may have the object before the call returns. */
static void
before_release(struct seam_call *c)
{
	struct seam_object *o = seam_object_of(c);

	if (o && class_of(c) == SEAM_CLASS_RELEASE &&
	    c->verb != SEAM_FILE_CLOSE)
		atomic_store_explicit(&o->owner, 0, memory_order_relaxed);
}

static void
note_acquired(struct seam_object *o, const struct seam_call *c)
{
	o->acquired++;
	o->owner_verb = c->verb;
	o->owner_site = c->site;
	atomic_store_explicit(&o->owner,
			      seam_thread_index(seam_self.thread) + 1,
			      memory_order_relaxed);
}

static void
watch_done(struct seam_call *c, int error)
{
	struct seam_object *o = seam_object_of(c);
	unsigned class = class_of(c);

	if (!o)
		return;
	if (c->waited) {
		o->contended++;
		o->waited_ns += seam_nanoseconds() - c->began;
	}
	if (class == SEAM_CLASS_DESTROY && !error && c->verb != SEAM_SEM_CLOSE)
		atomic_store(&o->dead, 1);
	if (class != SEAM_CLASS_ACQUIRE && class != SEAM_CLASS_TRY)
		return;
	if (!error || error == EOWNERDEAD)
		note_acquired(o, c);
	else if (error == c->busy || error == ETIMEDOUT)
		o->failed++;
}

static int
arrive(struct seam_thread *t, struct seam_call *c, uint32_t mode,
       struct seam_matched *m)
{
	bool file = seam_verbs[c->verb].kind == SEAM_KIND_FILE;
	int error;

	t->events++;
	if (mode & SEAM_MODE_TIMES)
		c->began = seam_nanoseconds();
	if (file)
		seam_file_find(c);
	else if (mode & (SEAM_MODE_WATCH | SEAM_MODE_TIMES))
		watched_object(c);
	if (mode & SEAM_MODE_WATCH) {
		seam_doing(t, c, SEAM_BEFORE, 0);
		note_latest(t);
	}
	if (mode & SEAM_MODE_STEP)
		step_here(t, c);
	if (!(mode & SEAM_MODE_RULES) || !seam_may_match(c))
		return 0;
	seam_match(c, t, false, 0, false, m);
	if (!m->n)
		return 0;
	seam_self.busy--;
	error = obey(t, c, SEAM_BEFORE, 0, m);
	seam_self.busy++;
	return error;
}

static void
done(struct seam_thread *t, struct seam_call *c, uint32_t mode, int error,
     uint32_t log)
{
	struct seam_matched m;

	seam_matched_none(&m);
	m.log = log;
	if (mode & SEAM_MODE_WATCH)
		watch_done(c, error);
	if ((mode & SEAM_MODE_RULES) && seam_may_match(c))
		seam_match(c, t, true, error, false, &m);
	if (m.log || (mode & SEAM_MODE_RECORD))
		seam_record(c, SEAM_AFTER, error, m.log);
	if (m.n) {
		seam_self.busy--;
		obey(t, c, SEAM_AFTER, error, &m);
		seam_self.busy++;
	}
}

/* Around a real call that would wait; undone by cancellation as well. */
struct blocked {
	struct seam_thread *thread;
};

static void
unblock(void *data)
{
	const struct blocked *b = data;

	note_latest(b->thread);
	atomic_fetch_add(&b->thread->serial, 1);
	atomic_store(&b->thread->state, SEAM_THREAD_RUNNING);
}

static int
block(struct seam_thread *t, struct seam_call *c, uint32_t mode)
{
	struct blocked b = { t };
	int error;

	if (!c->began)
		c->began = seam_nanoseconds();
	seam_doing(t, c, SEAM_BLOCKED, 0);
	t->doing.since = c->began;
	atomic_fetch_add(&t->serial, 1);
	atomic_store(&t->state, SEAM_THREAD_BLOCKED);
	seam_bell();
	c->waited = true;
	seam_self.blocked_at = (uintptr_t)__builtin_frame_address(0);
	if (mode & SEAM_MODE_TIMES) {
		seam_self.busy++;
		seam_record(c, SEAM_BLOCKED, 0, 0);
		seam_self.busy--;
	}
	pthread_cleanup_push(unblock, &b);
	error = c->real(c);
	pthread_cleanup_pop(1);
	return error;
}

static int
perform(struct seam_thread *t, struct seam_call *c, uint32_t mode)
{
	unsigned class = class_of(c);
	int error;

	if (!(mode & (SEAM_MODE_WATCH | SEAM_MODE_TIMES)) ||
	    (class != SEAM_CLASS_ACQUIRE && class != SEAM_CLASS_WAIT))
		return c->real(c);
	if (c->try) {
		error = c->try(c);
		if (error != c->busy)
			return error;
	}
	return block(t, c, mode);
}

/* A condition's wait lets the mutex go and has it again at the end. */
static void
mutex_of_wait(struct seam_call *c, bool back)
{
	struct seam_call m;
	struct seam_object *o;

	if (c->verb != SEAM_COND_WAIT)
		return;
	m = seam_call_of(0, SEAM_MUTEX_LOCK, c->arg[0], c->site);
	if (seam_is_noise(&m) || !(o = seam_object_find(&m)))
		return;
	if (back)
		note_acquired(o, &m);
	else
		atomic_store_explicit(&o->owner, 0, memory_order_relaxed);
}

static bool
only_records(const struct seam_call *c, uint32_t mode)
{
	mode &= ~(uint32_t)SEAM_MODE_FULL;
	return mode == SEAM_MODE_RECORD ||
	       (mode == (SEAM_MODE_RECORD | SEAM_MODE_RULES) &&
		!seam_may_match(c));
}

/* Recording alone: the object is not looked up. */
static int
record_only(struct seam_call *c)
{
	int error = c->real(c);

	seam_self.busy++;
	seam_record(c, SEAM_AFTER, error, 0);
	seam_self.busy--;
	return error;
}

/* Somebody drives.  When nobody does any more, the fast path is opened. */
static bool
driven(void)
{
	if (!seam_arena)
		return false;
	if (SEAM_LIKELY(seam_alive_hint()))
		return true;
	atomic_store(&seam_gate.armed, 0);
	return false;
}

bool
seam_is_scheduled(void)
{
	return seam_scheduled() && !seam_self.busy && driven();
}

int
seam_gate_before(struct seam_call *c)
{
	struct seam_matched m;
	struct seam_thread *t;
	int error;

	seam_ready();
	seam_matched_none(&m);
	if (seam_self.busy || !driven() || !(t = seam_thread_self()))
		return 0;
	if (seam_scheduled())
		return seam_sched_before(c);
	seam_self.busy++;
	error = arrive(t, c, mode_now(), &m);
	seam_self.busy--;
	return error;
}

void
seam_gate_after(struct seam_call *c, int error)
{
	struct seam_thread *t;
	int saved = errno;

	if (!seam_arena || seam_self.busy || !(t = seam_self.thread))
		return;
	if (seam_scheduled()) {
		seam_sched_after(c, error);
		errno = saved;
		return;
	}
	seam_self.busy++;
	done(t, c, mode_now(), error, 0);
	seam_self.busy--;
	errno = saved;
}

static int
full_call(struct seam_thread *t, struct seam_call *c, uint32_t mode)
{
	struct seam_matched m;
	bool watch = mode & SEAM_MODE_WATCH;
	int error, saved;

	seam_matched_none(&m);
	/* Closing what was never locked is not news. */
	if (c->verb == SEAM_FILE_CLOSE && c->fd >= 0 && !seam_file_find(c))
		return c->real(c);
	seam_self.busy++;
	saved = errno;
	error = arrive(t, c, mode, &m);
	if (watch && !error) {
		before_release(c);
		mutex_of_wait(c, false);
	}
	errno = saved;
	seam_self.busy--;
	if (!error)
		error = perform(t, c, mode);
	saved = errno;
	seam_self.busy++;
	if (watch)
		mutex_of_wait(c, true);
	if (!error && class_of(c) == SEAM_CLASS_INIT && !seam_is_noise(c))
		seam_object_renew(c);
	done(t, c, mode_now(), error, m.log);
	seam_self.busy--;
	errno = saved;
	return error;
}

int
seam_gate_call(struct seam_call *c)
{
	struct nested n;
	struct seam_thread *t;
	uint32_t mode;
	int error;

	seam_ready();
	mode = mode_now();
	if (seam_self.busy || !driven() ||
	    seam_passive(seam_verbs[c->verb].family))
		return c->real(c);
	if (mode & SEAM_MODE_SCHED)
		return seam_sched_call(c);
	if (only_records(c, mode))
		return record_only(c);
	if (!(t = seam_thread_self()))
		return c->real(c);
	nest(&n, t);
	error = full_call(t, c, mode);
	unnest(&n);
	return error;
}

/*
 * The wait's own taking of the mutex happened inside libc.  What wants to
 * come in between gets it here: the mutex is let go, the thread parks or is
 * held, and takes it again.  Nobody can tell this from a thread that was
 * slow to wake up.
 */
int
seam_gate_reacquire(struct seam_call *c, int (*unlock)(struct seam_call *))
{
	struct seam_matched m;
	struct seam_thread *t = seam_self.thread;
	uint32_t mode = mode_now();
	int error = 0;

	seam_matched_none(&m);
	if (seam_self.busy || !t || !driven() ||
	    seam_passive(seam_verbs[c->verb].family))
		return 0;
	seam_self.busy++;
	if (mode & SEAM_MODE_TIMES)
		c->began = seam_nanoseconds();
	if (mode & (SEAM_MODE_WATCH | SEAM_MODE_TIMES))
		watched_object(c);
	if ((mode & SEAM_MODE_RULES) && seam_may_match(c))
		seam_match(c, t, false, 0, false, &m);
	if (m.n)
		error = unlock(c);
	seam_self.busy--;
	if (m.n && !error) {
		/* An interrupted or timed out standing still ends in having
		 * the mutex, as the wait's promise is. */
		obey(t, c, SEAM_BEFORE, 0, &m);
		error = perform(t, c, mode);
	}
	seam_self.busy++;
	done(t, c, mode_now(), error, m.log);
	seam_self.busy--;
	return error;
}
