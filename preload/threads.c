/* SPDX-License-Identifier: MIT */
/*
 * Threads' entries in the arena.
 *
 * An entry is made by the creator, begins with the trampoline, and ends in
 * the last round of the thread's key destructors: earlier destructors of the
 * program may still take locks.  Threads that came by another way (clone,
 * or before there was a session) get an entry at their first event.
 */
#include <stdio.h>
#include <string.h>

#include "core.h"

_Thread_local struct seam_self seam_self;

static pthread_key_t key;
static bool have_key;

static struct seam_thread *
claim(struct seam_thread *t, uint32_t expected)
{
	if (!atomic_compare_exchange_strong(&t->state, &expected,
					    SEAM_THREAD_NEW))
		return NULL;
	memset((char *)t + offsetof(struct seam_thread, doing), 0,
	       sizeof(*t) - offsetof(struct seam_thread, doing));
	atomic_store(&t->park, 0);
	atomic_store(&t->step, 0);
	t->born = atomic_fetch_add(&seam_arena->head.births, 1) + 1;
	return t;
}

static struct seam_thread *
allocate(void)
{
	struct seam_thread *t;
	uint32_t i;

	if (!seam_arena)
		return NULL;
	i = atomic_load(&seam_arena->head.threads);

	while (i < SEAM_MAX_THREADS) {
		if (!atomic_compare_exchange_weak(&seam_arena->head.threads, &i,
						  i + 1))
			continue;
		t = claim(&seam_arena->thread[i], SEAM_THREAD_NONE);
		if (t)
			return t;
		i = atomic_load(&seam_arena->head.threads);
	}
	for (i = 0; i < SEAM_MAX_THREADS; i++) {
		t = &seam_arena->thread[i];
		if (atomic_load(&t->state) == SEAM_THREAD_EXITED &&
		    claim(t, SEAM_THREAD_EXITED))
			return t;
	}
	atomic_fetch_add(&seam_arena->head.threads_lost, 1);
	return NULL;
}

/* Nobody waits for a run's threads, and a bell would take their core away
 * from them, twice. */
static void
tell(void)
{
	if (!seam_scheduled())
		seam_bell();
}

static void
become(struct seam_thread *t)
{
	t->tid = (int32_t)seam_raw0(SYS_gettid);
	t->handle = (uint64_t)pthread_self();
	seam_self.thread = t;
	seam_self.ring = NULL;
	if (have_key)
		pthread_setspecific(key, t);
	atomic_store(&t->state, SEAM_THREAD_RUNNING);
	atomic_fetch_add(&seam_proc->threads, 1);
	tell();
}

struct seam_thread *
seam_thread_prepare(uint64_t site)
{
	struct seam_thread *self, *t;

	if (!seam_arena || seam_self.over)
		return NULL;
	self = seam_thread_self();
	if (!self || !(t = allocate()))
		return NULL;
	t->proc = seam_proc_index();
	t->creator = seam_thread_index(self) + 1;
	t->ordinal = ++self->created;
	t->create_site = site;
	snprintf(t->path, sizeof(t->path), "%.50s.%u", self->path, t->ordinal);
	if (seam_scheduled())
		seam_sched_thread_prepared(t);
	return t;
}

static void
say_started(struct seam_thread *t)
{
	struct seam_call c = { .verb = SEAM_THREAD_START,
			       .fn = SEAM_FN_pthread_create,
			       .site = t->create_site,
			       .ptr = (void *)(uintptr_t)t->handle,
			       .peer = seam_thread_index(t) + 1 };

	if (!seam_gate_before(&c))
		seam_gate_after(&c, 0);
}

void
seam_thread_begin(struct seam_thread *t)
{
	become(t);
	if (seam_scheduled())
		seam_sched_thread_begins(t);
	else
		say_started(t);
}

void
seam_thread_main_begins(void)
{
	if (seam_self.thread && !seam_scheduled())
		say_started(seam_self.thread);
}

void
seam_thread_never(struct seam_thread *t)
{
	atomic_store(&t->state, SEAM_THREAD_EXITED);
	if (seam_scheduled())
		seam_sched_thread_never(t);
	if (seam_self.thread)
		seam_self.thread->created--;
}

/* A thread that did not come through pthread_create. */
static struct seam_thread *
adopt(void)
{
	struct seam_thread *t = allocate();
	int32_t tid = (int32_t)seam_raw0(SYS_gettid);

	if (!t)
		return NULL;
	t->proc = seam_proc_index();
	if (tid == seam_proc->pid) {
		snprintf(t->path, sizeof(t->path), "%.50s.T0", seam_proc->path);
		atomic_store(&seam_proc->main, seam_thread_index(t) + 1);
	} else {
		snprintf(t->path, sizeof(t->path), "%.50s.T?%u",
			 seam_proc->path,
			 atomic_fetch_add(&seam_proc->strangers, 1) + 1);
	}
	become(t);
	return t;
}

struct seam_thread *
seam_thread_self(void)
{
	if (SEAM_LIKELY(seam_self.thread != NULL))
		return seam_self.thread;
	if (!seam_arena || seam_self.over)
		return NULL;
	return adopt();
}

void
seam_thread_adopt_main(void)
{
	seam_self = (struct seam_self){ 0 };
	adopt();
}

uint32_t
seam_thread_find(uint64_t handle)
{
	uint32_t i, n, me;

	if (!seam_arena)
		return 0;
	me = seam_proc_index();
	n = atomic_load(&seam_arena->head.threads);
	for (i = n < SEAM_MAX_THREADS ? n : SEAM_MAX_THREADS; i-- > 0;) {
		const struct seam_thread *t = &seam_arena->thread[i];

		if (t->handle == handle && t->proc == me &&
		    atomic_load(&t->state) != SEAM_THREAD_NONE)
			return i + 1;
	}
	return 0;
}

void
seam_thread_named(uint32_t thread, const char *name)
{
	struct seam_thread *t;
	uint32_t i, n, same = 1;

	if (!thread || !seam_arena)
		return;
	t = &seam_arena->thread[thread - 1];
	n = atomic_load(&seam_arena->head.threads);
	for (i = 0; i < n && i < SEAM_MAX_THREADS; i++) {
		const struct seam_thread *o = &seam_arena->thread[i];

		same += o != t && o->proc == t->proc &&
			!strncmp(o->name, name, sizeof(o->name) - 1);
	}
	t->name_ordinal = same;
	snprintf(t->name, sizeof(t->name), "%s", name);
	tell();
}

void
seam_thread_ending(void)
{
	struct seam_thread *t = seam_self.thread;
	struct seam_call c = { .verb = SEAM_THREAD_EXIT,
			       .fn = SEAM_FN_pthread_exit };

	if (!t || seam_self.exited)
		return;
	seam_self.exited = true;
	c.site = t->create_site;
	c.ptr = (void *)(uintptr_t)t->handle;
	c.peer = seam_thread_index(t) + 1;
	if (!seam_gate_before(&c))
		seam_gate_after(&c, 0);
}

/* Sets itself again until the last round that glibc promises. */
static void
destructor(void *p)
{
	struct seam_thread *t = p;

	if (seam_self.thread != t)
		return;
	seam_thread_ending();
	if (++seam_self.rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
		pthread_setspecific(key, t);
		return;
	}
	seam_self.over = true;
	seam_self.thread = NULL;
	atomic_store(&t->state, SEAM_THREAD_EXITED);
	tell();
	if (seam_scheduled())
		seam_sched_thread_ends();
}

void
seam_threads_init(void)
{
	have_key = !pthread_key_create(&key, destructor);
}
