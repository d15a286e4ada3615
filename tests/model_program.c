/* SPDX-License-Identifier: MIT */
#include "model_program.h"

#include <stdlib.h>
#include <string.h>

#include "depend.h"

struct object {
	uint16_t owner; /* slot + 1 */
	int readers, count;
	unsigned waiting;
	uint16_t queue[SEAM_MASKED + 16];
	unsigned queued;
	uint16_t index; /* in the trace, + 1 */
};

struct thread {
	uint16_t slot; /* + 1; 0: not created yet */
	unsigned at;
	bool woken;
};

struct run {
	const struct program *p;
	const struct seam_plan *plan;
	struct explore_trace *t;
	struct object object[PROGRAM_OBJECTS + 1];
	struct thread thread[PROGRAM_THREADS];
	uint16_t thread_of[PROGRAM_THREADS];  /* by slot */
	uint16_t number[PROGRAM_OBJECTS + 1]; /* by the trace's index */
	int var[PROGRAM_VARS];
	uint64_t sleep, sleep_how;
	bool over;
};

static void *
checked(void *p)
{
	if (!p)
		abort();
	return p;
}

struct program *
program_new(unsigned n, bool joins)
{
	struct program *p = checked(calloc(1, sizeof(*p)));
	unsigned i;

	p->threads = n + 1;
	for (i = 1; i <= n; i++)
		program_do(p, 0, SEAM_THREAD_CREATE, 0)->peer =
		    (uint8_t)(i + 1);
	for (i = 1; i <= n && joins; i++)
		program_do(p, 0, SEAM_THREAD_JOIN, 0)->peer = (uint8_t)(i + 1);
	program_do(p, 0, SEAM_PROCESS_EXIT, 0);
	return p;
}

static struct program_op *
append(struct program *p, unsigned thread, unsigned kind)
{
	struct program_op *op = &p->op[thread][p->n[thread]++];

	if (p->n[thread] > PROGRAM_OPS)
		abort();
	op->kind = (uint8_t)kind;
	return op;
}

struct program_op *
program_do(struct program *p, unsigned thread, unsigned verb, unsigned object)
{
	struct program_op *op = append(p, thread, PROGRAM_DO);

	op->verb = (uint8_t)verb;
	op->object = (uint8_t)object;
	return op;
}

void
program_add(struct program *p, unsigned thread, unsigned var, int value)
{
	struct program_op *op = append(p, thread, PROGRAM_ADD);

	op->var = (uint8_t)var;
	op->value = value;
}

void
program_if_less(struct program *p, unsigned thread, unsigned var, int value,
		int skip)
{
	struct program_op *op = append(p, thread, PROGRAM_IF_LESS);

	op->var = (uint8_t)var;
	op->value = value;
	op->skip = skip;
}

void
program_unless_less(struct program *p, unsigned thread, unsigned var, int value,
		    int skip)
{
	program_if_less(p, thread, var, value, skip);
	p->op[thread][p->n[thread] - 1].kind = PROGRAM_UNLESS;
}

static struct explore_thread *
shown(struct run *r, uint16_t slot)
{
	return &r->t->thread[slot];
}

static uint16_t
index_of(struct run *r, unsigned object)
{
	struct object *o = &r->object[object];

	if (!object)
		return 0;
	if (!o->index) {
		o->index = (uint16_t)++r->t->nobjects;
		r->number[o->index] = (uint16_t)object;
		r->t->object[o->index - 1] =
		    (struct explore_object){ .key = object };
	}
	return o->index;
}

/* Runs on to the thread's next operation. */
static void
stand(struct run *r, unsigned thread)
{
	struct thread *th = &r->thread[thread];
	struct explore_thread *e = shown(r, (uint16_t)(th->slot - 1));
	const struct program_op *op;
	unsigned turns = 0;

	memset(&e->pending, 0, sizeof(e->pending));
	for (;; th->at++) {
		bool jumps;

		if (th->at >= r->p->n[thread] || ++turns > 1000) {
			e->state = SEAM_SLOT_GONE;
			return;
		}
		op = &r->p->op[thread][th->at];
		if (op->kind == PROGRAM_DO)
			break;
		if (op->kind == PROGRAM_ADD) {
			r->var[op->var] += op->value;
			continue;
		}
		jumps = (r->var[op->var] < op->value) ==
			(op->kind == PROGRAM_IF_LESS);
		if (jumps)
			th->at = (unsigned)((int)th->at + op->skip);
	}
	e->state = SEAM_SLOT_PENDING;
	e->pending.verb = op->verb;
	e->pending.flags = op->flags;
	e->pending.object = index_of(r, op->object);
	e->pending.second = index_of(r, op->second);
	if (op->verb == SEAM_THREAD_JOIN)
		e->pending.peer = r->thread[op->peer - 1].slot;
	if (op->verb == SEAM_RWLOCK_UNLOCK)
		e->pending.mode = r->object[op->object].owner ? 'w' : 'r';
	if (op->verb == SEAM_COND_WAIT) /* the wait itself is never late */
		e->pending.flags = 0;
}

static void
create(struct run *r, unsigned thread)
{
	uint16_t slot = (uint16_t)r->t->nthreads++;
	struct explore_thread *e = shown(r, slot);

	memset(e, 0, sizeof(*e));
	e->key = seam_stir(17, thread);
	e->state = SEAM_SLOT_PENDING;
	e->pending.verb = SEAM_THREAD_START;
	e->pending.flags = SEAM_OP_LOCAL;
	e->pending.peer = (uint16_t)(slot + 1);
	r->thread[thread].slot = (uint16_t)(slot + 1);
	r->thread_of[slot] = (uint16_t)thread;
}

static struct object *
object_at(struct run *r, uint32_t index)
{
	return &r->object[index ? r->number[index] : 0];
}

static bool
is_queued(const struct object *o, uint16_t slot)
{
	unsigned i;

	for (i = 0; i < o->queued; i++)
		if (o->queue[i] == slot)
			return true;
	return false;
}

static void
dequeue(struct object *o, uint16_t slot)
{
	unsigned i, n = 0;

	for (i = 0; i < o->queued; i++)
		if (o->queue[i] != slot)
			o->queue[n++] = o->queue[i];
	o->queued = n;
}

static bool
is_ready(struct run *r, uint16_t slot)
{
	const struct seam_op *op = &shown(r, slot)->pending;
	struct object *o = object_at(r, op->object);

	switch (op->verb) {
	case SEAM_MUTEX_LOCK:
		return !o->owner;
	case SEAM_COND_REACQUIRE:
		return !o->owner && !is_queued(object_at(r, op->second), slot);
	case SEAM_RWLOCK_RDLOCK:
		return !o->owner;
	case SEAM_RWLOCK_WRLOCK:
		return !o->owner && !o->readers;
	case SEAM_SEM_WAIT:
		return o->count > 0;
	case SEAM_BARRIER_WAIT:
		return op->mode != 'l' || !is_queued(o, slot);
	case SEAM_THREAD_JOIN:
		return op->peer && shown(r, (uint16_t)(op->peer - 1))->state ==
				       SEAM_SLOT_GONE;
	default:
		return true;
	}
}

static bool
may_expire(struct run *r, uint16_t slot)
{
	const struct seam_op *op = &shown(r, slot)->pending;

	if (!(op->flags & SEAM_OP_TIMED) || is_ready(r, slot))
		return false;
	return op->verb != SEAM_COND_REACQUIRE ||
	       is_queued(object_at(r, op->second), slot);
}

static bool
try(struct run *r, uint16_t slot, struct seam_op *op)
{
	struct object *o = object_at(r, op->object);
	bool got = true;

	switch (op->verb) {
	case SEAM_MUTEX_TRYLOCK:
	case SEAM_RWLOCK_TRYRDLOCK:
		got = !o->owner;
		break;
	case SEAM_RWLOCK_TRYWRLOCK:
		got = !o->owner && !o->readers;
		break;
	case SEAM_SEM_TRYWAIT:
		got = o->count > 0;
		break;
	default:
		break;
	}
	if (!got)
		op->flags |= SEAM_OP_YIELD;
	(void)slot;
	return got;
}

static void
wake(struct object *o, unsigned n)
{
	while (n-- && o->queued)
		dequeue(o, o->queue[0]);
}

/* What it does to its object; after cond.wait and an early barrier.wait the
 * thread stands at the second half. */
static bool
effect(struct run *r, uint16_t slot, struct seam_op *op)
{
	struct object *o = object_at(r, op->object);
	struct explore_thread *e = shown(r, slot);
	const struct program_op *source =
	    &r->p->op[r->thread_of[slot]][r->thread[r->thread_of[slot]].at];

	switch (op->verb) {
	case SEAM_MUTEX_LOCK:
	case SEAM_MUTEX_TRYLOCK:
	case SEAM_COND_REACQUIRE:
	case SEAM_RWLOCK_WRLOCK:
	case SEAM_RWLOCK_TRYWRLOCK:
		o->owner = (uint16_t)(slot + 1);
		return true;
	case SEAM_RWLOCK_RDLOCK:
	case SEAM_RWLOCK_TRYRDLOCK:
		o->readers++;
		return true;
	case SEAM_MUTEX_UNLOCK:
		o->owner = 0;
		return true;
	case SEAM_RWLOCK_UNLOCK:
		if (o->owner)
			o->owner = 0;
		else
			o->readers--;
		return true;
	case SEAM_SEM_WAIT:
	case SEAM_SEM_TRYWAIT:
		o->count--;
		return true;
	case SEAM_SEM_POST:
		o->count++;
		return true;
	case SEAM_COND_WAIT:
		o->queue[o->queued++] = slot;
		object_at(r, op->second)->owner = 0;
		e->pending = (struct seam_op){
			.verb = SEAM_COND_REACQUIRE,
			.object = op->second,
			.second = op->object,
			.flags = source->flags,
		};
		return false;
	case SEAM_COND_SIGNAL:
		wake(o, 1);
		return true;
	case SEAM_COND_BROADCAST:
		wake(o, UINT32_MAX);
		return true;
	case SEAM_BARRIER_WAIT:
		if (op->mode == 'l')
			return true;
		if (o->queued + 1 >= r->p->among[r->number[op->object]]) {
			wake(o, UINT32_MAX);
			return true;
		}
		o->queue[o->queued++] = slot;
		e->pending.mode = 'l';
		return false;
	case SEAM_THREAD_CREATE:
		create(r, source->peer - 1u);
		op->peer = (uint16_t)r->t->nthreads;
		return true;
	case SEAM_PROCESS_EXIT:
		r->over = true;
		e->state = SEAM_SLOT_GONE;
		return false;
	default:
		return true;
	}
}

static bool
expire(struct run *r, uint16_t slot, struct seam_op *op)
{
	struct explore_thread *e = shown(r, slot);

	op->flags = SEAM_OP_YIELD | (op->flags & SEAM_OP_TIMED);
	if (op->verb != SEAM_COND_REACQUIRE)
		return true;
	dequeue(object_at(r, op->second), slot);
	e->pending.flags = SEAM_OP_RELOCKS;
	return false;
}

static bool
is_sem(const struct seam_op *op)
{
	return op->verb == SEAM_SEM_WAIT || op->verb == SEAM_SEM_POST ||
	       op->verb == SEAM_SEM_TRYWAIT;
}

static void
perform(struct run *r, uint16_t slot, uint8_t how, struct seam_step *step)
{
	unsigned thread = r->thread_of[slot];
	struct thread *th = &r->thread[thread];
	struct seam_op op = shown(r, slot)->pending;
	bool got = true, goes_on;

	op.how = how;
	if (is_sem(&op) && r->p->counts)
		op.off = (uint64_t)object_at(r, op.object)->count + 1;
	if (op.flags & SEAM_OP_LOCAL) {
		goes_on = false;
		step->op = op;
		stand(r, thread);
	} else if (how == SEAM_HOW_TIMEOUT) {
		got = false;
		goes_on = expire(r, slot, &op);
	} else if (!(got = try(r, slot, &op))) {
		goes_on = true;
	} else {
		goes_on = effect(r, slot, &op);
	}
	step->op = op;
	step->slot = slot;
	shown(r, slot)->steps++;
	if (!goes_on)
		return;
	if (!got)
		th->at =
		    (unsigned)((int)th->at + r->p->op[thread][th->at].skip);
	th->at++;
	stand(r, thread);
}

struct choice {
	uint64_t enabled, timeouts;
	uint16_t done[PROGRAM_THREADS], late[PROGRAM_THREADS];
	unsigned n, nlate;
};

static void
candidates(struct run *r, struct choice *c)
{
	uint16_t s;

	memset(c, 0, sizeof(*c));
	for (s = 0; s < (uint16_t)r->t->nthreads; s++) {
		uint64_t bit = s < SEAM_MASKED ? UINT64_C(1) << s : 0;

		if (shown(r, s)->state != SEAM_SLOT_PENDING)
			continue;
		if (is_ready(r, s)) {
			c->done[c->n++] = s;
			c->enabled |= bit;
		} else if (may_expire(r, s)) {
			c->late[c->nlate++] = s;
			c->timeouts |= bit;
		}
	}
}

static unsigned
without(uint16_t *slot, unsigned n, uint64_t asleep)
{
	unsigned i, left = 0;

	for (i = 0; i < n; i++)
		if (slot[i] >= SEAM_MASKED || !((asleep >> slot[i]) & 1))
			slot[left++] = slot[i];
	return left;
}

static void
prefer_unmarked(struct run *r, struct choice *c, uint16_t current)
{
	uint16_t first = SEAM_NOBODY;
	unsigned i;

	for (i = 0; i < c->n; i++)
		if (shown(r, c->done[i])->pending.verb != SEAM_POINT &&
		    (first == SEAM_NOBODY || c->done[i] == current))
			first = c->done[i];
	if (first != SEAM_NOBODY) {
		c->n = 1;
		c->done[0] = first;
	}
}

static uint16_t
follow(const struct choice *c, uint16_t current)
{
	unsigned i;

	for (i = 0; i < c->n; i++)
		if (c->done[i] == current)
			return current;
	for (i = 0; i < c->n; i++)
		if (c->done[i] > current)
			return c->done[i];
	return c->done[0];
}

static bool
has(const uint16_t *slot, unsigned n, uint16_t who)
{
	while (n--)
		if (slot[n] == who)
			return true;
	return false;
}

/* False: not possible. */
static bool
force(struct run *r, const struct seam_forced *f, const struct choice *c,
      uint16_t *slot, uint8_t *how)
{
	uint16_t s;

	for (s = 0; s < (uint16_t)r->t->nthreads; s++)
		if (shown(r, s)->key == f->thread)
			break;
	*slot = s;
	*how = SEAM_HOW_DONE;
	if (f->how != SEAM_HOW_TIMEOUT && has(c->done, c->n, s))
		return true;
	*how = SEAM_HOW_TIMEOUT;
	return f->how != SEAM_HOW_DONE && has(c->late, c->nlate, s);
}

static bool
choose(struct run *r, const struct seam_forced *forced, struct choice *c,
       uint16_t *slot, uint8_t *how)
{
	uint16_t current = *slot;
	uint32_t i = r->t->nsteps;

	candidates(r, c);
	if (r->plan->flags & SEAM_PLAN_MARKED)
		prefer_unmarked(r, c, current);
	if (!c->n && !c->nlate) {
		r->t->verdict = SEAM_VERDICT_DEADLOCK;
		return false;
	}
	if (i < r->plan->forced && force(r, &forced[i], c, slot, how))
		return true;
	if (i < r->plan->forced && (r->plan->flags & SEAM_PLAN_STRICT)) {
		r->t->verdict = SEAM_VERDICT_DIVERGED;
		return false;
	}
	if ((r->plan->flags & SEAM_PLAN_SLEEP) && i >= r->plan->sleep_from) {
		c->n = without(c->done, c->n, r->sleep);
		c->nlate = without(c->late, c->nlate, r->sleep_how);
	}
	if (!c->n && !c->nlate) {
		r->t->verdict = SEAM_VERDICT_ASLEEP;
		return false;
	}
	*how = c->n ? SEAM_HOW_DONE : SEAM_HOW_TIMEOUT;
	*slot = c->n ? follow(c, current) : c->late[0];
	return true;
}

/* `before` is what each stood at when the step was done. */
static void
wake_sleepers(struct run *r, const struct seam_step *step,
	      const struct seam_op *before)
{
	uint16_t s;

	if (r->t->nsteps < r->plan->sleep_from)
		return;
	for (s = 0; s < r->t->nthreads && s < SEAM_MASKED; s++) {
		uint64_t bit = UINT64_C(1) << s;
		struct seam_op op = before[s];

		op.how = SEAM_HOW_DONE;
		if (seam_dependent(&step->op, step->slot, &op, s))
			r->sleep &= ~bit;
		op.how = SEAM_HOW_TIMEOUT;
		if (seam_dependent(&step->op, step->slot, &op, s))
			r->sleep_how &= ~bit;
	}
}

static void
make_room(struct explore_trace *t)
{
	if (!t->thread) {
		t->thread =
		    checked(calloc(PROGRAM_THREADS, sizeof(*t->thread)));
		t->object =
		    checked(calloc(PROGRAM_OBJECTS, sizeof(*t->object)));
	}
	if (t->nsteps == t->room_steps) {
		t->room_steps = t->room_steps ? 2 * t->room_steps : 256;
		t->step =
		    checked(realloc(t->step, t->room_steps * sizeof(*t->step)));
	}
}

static bool
anybody(struct run *r)
{
	uint16_t s;

	for (s = 0; s < (uint16_t)r->t->nthreads; s++)
		if (shown(r, s)->state == SEAM_SLOT_PENDING)
			return true;
	return false;
}

static void
take_step(struct run *r, const struct choice *c, uint16_t slot, uint8_t how)
{
	struct seam_op before[PROGRAM_THREADS];
	struct seam_step *step = &r->t->step[r->t->nsteps];
	uint16_t s;

	for (s = 0; s < (uint16_t)r->t->nthreads; s++)
		before[s] = shown(r, s)->pending;
	for (; s < PROGRAM_THREADS; s++)
		memset(&before[s], 0, sizeof(before[s]));
	memset(step, 0, sizeof(*step));
	step->enabled = c->enabled;
	step->timeouts = c->timeouts;
	perform(r, slot, how, step);
	wake_sleepers(r, step, before);
	r->t->hash = seam_stir(r->t->hash, slot * 8u + how);
	step->hash = r->t->hash;
	r->t->nsteps++;
}

void
program_run(const struct program *p, const struct seam_plan *plan,
	    const struct seam_forced *forced, struct explore_trace *t)
{
	struct run r = { .p = p, .plan = plan, .t = t };
	struct choice c;
	uint16_t slot = 0;
	uint8_t how;
	unsigned i;

	r.sleep = plan->sleep;
	r.sleep_how = plan->sleep_how;
	for (i = 0; i <= PROGRAM_OBJECTS; i++)
		r.object[i].count = p->count[i];
	t->nsteps = t->nthreads = t->nobjects = 0;
	t->verdict = SEAM_VERDICT_NONE;
	t->hash = 0;
	t->forced = plan->forced;
	make_room(t);
	create(&r, 0);
	while (!r.over && anybody(&r)) {
		make_room(t);
		if (t->nsteps >= 5000) {
			t->verdict = SEAM_VERDICT_LONG;
			break;
		}
		if (!choose(&r, forced, &c, &slot, &how))
			break;
		take_step(&r, &c, slot, how);
	}
	t->at = t->nsteps;
}

void
program_clear(struct explore_trace *t)
{
	free(t->step);
	free(t->thread);
	free(t->object);
	memset(t, 0, sizeof(*t));
}
