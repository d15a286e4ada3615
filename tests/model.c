/* SPDX-License-Identifier: MIT */
#include "model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct model *
model_new(void)
{
	struct model *m = calloc(1, sizeof(*m));
	void *sched = mmap(NULL, sizeof(*m->sched), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (!m || sched == MAP_FAILED)
		abort();
	m->sched = sched;
	return m;
}

void
model_free(struct model *m)
{
	munmap(m->sched, sizeof(*m->sched));
	free(m);
}

uint64_t
model_key(unsigned thread)
{
	return seam_stir(1, thread);
}

uint64_t
model_object_key(unsigned object)
{
	return seam_stir(2, object);
}

static struct model_op *
append(struct model_program *p, unsigned thread, unsigned verb)
{
	struct model_thread *t = &p->thread[thread];

	if (thread >= SEAM_SLOTS || t->n == MODEL_OPS)
		abort();
	if (thread >= p->threads)
		p->threads = thread + 1;
	t->op[t->n].verb = (uint8_t)verb;
	return &t->op[t->n++];
}

void
model_add(struct model_program *p, unsigned thread, unsigned verb,
	  unsigned object, unsigned second)
{
	struct model_op *op = append(p, thread, verb);

	if (object > MODEL_OBJECTS || second > MODEL_OBJECTS)
		abort();
	op->object = (uint16_t)object;
	op->second = (uint16_t)second;
}

void
model_peer(struct model_program *p, unsigned thread, unsigned verb,
	   unsigned peer)
{
	append(p, thread, verb)->peer = (uint16_t)(peer + 1);
	if (verb == SEAM_THREAD_CREATE)
		p->thread[peer].created = true;
}

static const struct seam_strategy *
strategy(const struct model *m)
{
	return seam_strategy_of(m->sched->plan.strategy);
}

/* The slot has its next operation pending, or is at its end. */
static void
arrive(struct model *m, const struct model_program *p, uint16_t slot)
{
	struct seam_slot *self = &m->sched->slot[slot];
	uint16_t thread = m->thread_of[slot];
	const struct model_op *op = &p->thread[thread].op[m->pc[thread]];

	if (m->pc[thread] == p->thread[thread].n) {
		self->state = SEAM_SLOT_GONE;
		m->live--;
		return;
	}
	self->op = (struct seam_op){ .verb = op->verb,
				     .object = op->object,
				     .second = op->second };
	if (op->peer)
		self->op.peer = m->slot_of[op->peer - 1];
	self->state = SEAM_SLOT_PENDING;
	if (strategy(m)->arrived)
		strategy(m)->arrived(m->sched, slot);
}

static void
start(struct model *m, const struct model_program *p, uint16_t thread,
      uint16_t parent)
{
	uint16_t slot = (uint16_t)m->sched->slots++;
	struct seam_slot *self = &m->sched->slot[slot];

	memset(self, 0, sizeof(*self));
	m->pc[thread] = 0;
	m->thread_of[slot] = thread;
	m->slot_of[thread] = (uint16_t)(slot + 1);
	m->live++;
	self->parent = parent;
	self->key = model_key(thread);
	arrive(m, p, slot);
}

static bool
enabled(const struct model *m, const struct seam_slot *slot)
{
	const struct seam_op *op = &slot->op;

	if (slot->state != SEAM_SLOT_PENDING)
		return false;
	switch (op->verb) {
	case SEAM_MUTEX_LOCK:
		return !m->owner[op->object];
	case SEAM_COND_REACQUIRE:
		return slot->woken && !m->owner[op->object];
	case SEAM_SEM_WAIT:
		return m->value[op->object] > 0;
	case SEAM_THREAD_JOIN:
		return op->peer &&
		       m->sched->slot[op->peer - 1].state == SEAM_SLOT_GONE;
	default:
		return true;
	}
}

static void
find_candidates(struct model *m, struct seam_step *step)
{
	uint32_t i;

	m->among.n = 0;
	step->enabled = 0;
	for (i = 0; i < m->sched->slots; i++) {
		if (!enabled(m, &m->sched->slot[i]))
			continue;
		m->among.slot[m->among.n++] = (uint16_t)i;
		if (i < SEAM_MASKED)
			step->enabled |= UINT64_C(1) << i;
	}
	step->candidates = (uint16_t)m->among.n;
}

static void
wake(struct model *m, uint16_t condition, bool all)
{
	uint32_t i;

	for (i = 0; i < m->sched->slots; i++) {
		struct seam_slot *slot = &m->sched->slot[i];

		if (slot->state != SEAM_SLOT_PENDING ||
		    slot->op.verb != SEAM_COND_REACQUIRE || slot->woken ||
		    slot->queued != condition)
			continue;
		slot->woken = 1;
		if (!all)
			return;
	}
}

static void
perform(struct model *m, const struct model_program *p, uint16_t slot)
{
	struct seam_slot *self = &m->sched->slot[slot];
	const struct seam_op *op = &self->op;
	uint16_t thread = m->thread_of[slot], peer;

	switch (op->verb) {
	case SEAM_MUTEX_LOCK:
	case SEAM_COND_REACQUIRE:
		m->owner[op->object] = (uint16_t)(slot + 1);
		break;
	case SEAM_MUTEX_UNLOCK:
		m->owner[op->object] = 0;
		break;
	case SEAM_COND_WAIT:
		m->owner[op->second] = 0;
		self->queued = (uint8_t)op->object;
		self->woken = 0;
		break;
	case SEAM_COND_SIGNAL:
	case SEAM_COND_BROADCAST:
		wake(m, (uint16_t)op->object, op->verb == SEAM_COND_BROADCAST);
		break;
	case SEAM_SEM_WAIT:
		m->value[op->object]--;
		break;
	case SEAM_SEM_POST:
		m->value[op->object]++;
		break;
	case SEAM_THREAD_CREATE:
		peer = (uint16_t)(p->thread[thread].op[m->pc[thread]].peer - 1);
		start(m, p, peer, (uint16_t)(slot + 1));
		m->sched->step[m->sched->steps].op.peer = m->slot_of[peer];
		break;
	default:
		break;
	}
}

/* A wait is followed by its reacquiring, which the program does not name. */
static void
go_on(struct model *m, const struct model_program *p, uint16_t slot,
      const struct seam_op *did)
{
	struct seam_slot *self = &m->sched->slot[slot];

	if (did->verb != SEAM_COND_WAIT) {
		m->pc[m->thread_of[slot]]++;
		arrive(m, p, slot);
		return;
	}
	self->op = (struct seam_op){ .verb = SEAM_COND_REACQUIRE,
				     .object = did->second };
	self->state = SEAM_SLOT_PENDING;
	if (strategy(m)->arrived)
		strategy(m)->arrived(m->sched, slot);
}

static bool
is_candidate(const struct model *m, uint16_t slot)
{
	unsigned i;

	for (i = 0; i < m->among.n; i++)
		if (m->among.slot[i] == slot)
			return true;
	return false;
}

static uint16_t
choose(struct model *m, uint16_t current)
{
	uint16_t slot;

	if (m->among.n == 1)
		return m->among.slot[0];
	m->sched->decisions++;
	slot = strategy(m)->pick(m->sched, &m->among, current);
	if (is_candidate(m, slot))
		return slot;
	m->wrong = "picked what is not a candidate";
	return m->among.slot[0];
}

static void
reset(struct model *m, const struct model_program *p)
{
	struct seam_sched *s = m->sched;
	uint32_t i;

	m->wrong = NULL;
	m->live = 0;
	memset(m->owner, 0, sizeof(m->owner));
	memset(m->value, 0, sizeof(m->value));
	memset(m->slot_of, 0, sizeof(m->slot_of));
	s->slots = s->steps = s->decisions = 0;
	s->hash = 0;
	s->random = s->plan.seed;
	s->sobjects = MODEL_OBJECTS;
	for (i = 0; i < MODEL_OBJECTS; i++)
		s->sobject[i].key = model_object_key(i + 1);
	seam_strategy_begin(s);
	for (i = 0; i < p->threads; i++)
		if (!p->thread[i].created)
			start(m, p, (uint16_t)i, 0);
}

bool
model_run(struct model *m, const struct model_program *p)
{
	struct seam_sched *s = m->sched;
	uint16_t slot = 0;

	reset(m, p);
	for (;;) {
		struct seam_step *step = &s->step[s->steps];

		find_candidates(m, step);
		if (!m->among.n)
			return !m->live;
		slot = choose(m, slot);
		step->slot = slot;
		step->op = s->slot[slot].op;
		s->slot[slot].state = SEAM_SLOT_RUNNING;
		perform(m, p, slot);
		s->hash = seam_stir(seam_stir(s->hash, slot), step->op.verb);
		step->hash = s->hash;
		s->steps++;
		if (strategy(m)->done)
			strategy(m)->done(s, step);
		go_on(m, p, slot, &step->op);
	}
}

unsigned
model_who(const struct model *m, uint32_t step)
{
	return m->thread_of[m->sched->step[step].slot];
}

void
model_trace(const struct model *m, struct explore_trace *t)
{
	static struct explore_thread threads[SEAM_SLOTS];
	static struct explore_object objects[MODEL_OBJECTS];
	struct seam_sched *s = m->sched;
	uint32_t i;

	for (i = 0; i < s->slots; i++) {
		threads[i].key = s->slot[i].key;
		threads[i].parent = s->slot[i].parent;
	}
	for (i = 0; i < MODEL_OBJECTS; i++)
		objects[i].key = s->sobject[i].key;
	*t = (struct explore_trace){ .nsteps = s->steps,
				     .nthreads = s->slots,
				     .nobjects = MODEL_OBJECTS,
				     .step = s->step,
				     .thread = threads,
				     .object = objects,
				     .decisions = s->decisions,
				     .hash = s->hash };
}
