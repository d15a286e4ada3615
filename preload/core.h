/* SPDX-License-Identifier: MIT */
/* What the files of the core share; hooks see gate.h only. */
#ifndef SEAM_CORE_H
#define SEAM_CORE_H

#include "gate.h"
#include "raw.h"

/* NULL while there is no session. */
extern struct seam_arena *seam_arena;
extern struct seam_proc *seam_proc;

/* The calling thread. */
struct seam_self {
	struct seam_thread *thread;
	struct seam_ring *ring;
	uint32_t stop;	      /* the ring's head at which to look around */
	unsigned busy;	      /* inside the core: nested calls pass straight */
	bool over;	      /* past its last destructor: passes straight */
	bool exited;	      /* its thread.exit has been seen */
	bool ringless;	      /* there was no ring for it */
	uint8_t rounds;	      /* of its key's destructor */
	uintptr_t blocked_at; /* the frame that waits in a real call */
	struct seam_slot *slot; /* in the scheduled gear */
};
extern _Thread_local struct seam_self seam_self;

/* Its entry, made when first needed; NULL: no session, or the table is full,
 * or the thread is past its end. */
struct seam_thread *seam_thread_self(void);

static inline uint32_t
seam_thread_index(const struct seam_thread *t)
{
	return (uint32_t)(t - seam_arena->thread);
}

static inline uint32_t
seam_proc_index(void)
{
	return (uint32_t)(seam_proc - seam_arena->proc);
}

static inline struct seam_object *
seam_object_of(const struct seam_call *c)
{
	return c->object ? &seam_arena->object[c->object - 1] : NULL;
}

uint64_t seam_nanoseconds(void);

/* threads.c */
void seam_threads_init(void);
/* The calling thread's entry in a new process. */
void seam_thread_adopt_main(void);
/* Its first event, before main or after fork: here a process can be kept
 * from starting. */
void seam_thread_main_begins(void);

/* objects.c: finds or makes the entry, and sets c->object. */
struct seam_object *seam_object_find(struct seam_call *c);
/* An init of it succeeded. */
void seam_object_renew(struct seam_call *c);
/* For files: who c->fd is; fills in the entry's name when first met. */
struct seam_object *seam_file_find(struct seam_call *c);
/* After fork: the parent's objects are the child's too. */
void seam_objects_inherit(struct seam_proc *parent);
const char *seam_string(uint32_t offset);

/* match.c */

/* The rules that an event meets, gathered without holding on to the table. */
struct seam_matched {
	unsigned n;
	uint32_t rule[SEAM_MATCHED];
	uint8_t action[SEAM_MATCHED];
	uint32_t log; /* a LOG rule, index + 1 */
	uint32_t nframes;
	uint64_t frames[SEAM_FRAMES];
};

/* The arrays count as far as n and nframes say. */
static inline void
seam_matched_none(struct seam_matched *m)
{
	m->n = 0;
	m->log = 0;
	m->nframes = 0;
}

/* May anything match?  Cheap; false is certain. */
bool seam_may_match(const struct seam_call *c);
/* Counts hits.  With `holds_only`, looks for HOLD actions and counts none. */
void seam_match(const struct seam_call *c, const struct seam_thread *t,
		bool after, int error, bool holds_only,
		struct seam_matched *out);
/* This object was made, renewed or named: matches waiting for it bind. */
void seam_bind(const struct seam_object *o);
/* Noise: locks of allocators and interpreters, which only rules that name
 * them shall see. */
bool seam_is_noise(const struct seam_call *c);

/* park.c */
void seam_doing(struct seam_thread *t, const struct seam_call *c,
		unsigned moment, int error);
/* Stands at a rule (0: a step) until let go; 0 or EINTR. */
int seam_park(struct seam_thread *t, struct seam_call *c, uint32_t rule,
	      unsigned moment, int error, const struct seam_matched *m);
/* Waits for the end of a hold; 0, EINTR or ETIMEDOUT. */
int seam_held(struct seam_thread *t, struct seam_call *c, uint32_t rule);
void seam_bell(void);
void seam_door(void);
/* Is anybody driving?  Looks for the controller. */
bool seam_alive(void);
/* The same, by one load: has nobody said yet that the controller is gone? */
static inline bool
seam_alive_hint(void)
{
	return atomic_load_explicit(&seam_arena->head.life,
				    memory_order_relaxed) == SEAM_LIFE_LIVE;
}

/* record.c */
void seam_record(const struct seam_call *c, unsigned moment, int error,
		 uint32_t rule);

/* sched/: the scheduled gear.  All of these only when it is on. */
static inline bool
seam_scheduled(void)
{
	return seam_arena && atomic_load_explicit(&seam_arena->sched.on,
						  memory_order_relaxed);
}
int seam_sched_call(struct seam_call *c);
int seam_sched_before(struct seam_call *c);
void seam_sched_after(struct seam_call *c, int error);
/* The first process becomes a server here, if the plan wants it; what
 * returns is a run. */
void seam_sched_serve(unsigned where);
void seam_sched_note_descriptors(void);
void seam_sched_attached(void);
void seam_sched_child_attached(void);
void seam_sched_child_leaves(void);
void seam_sched_thread_prepared(struct seam_thread *t);
void seam_sched_thread_never(struct seam_thread *t);
void seam_sched_thread_begins(struct seam_thread *t);
void seam_sched_thread_ends(void);
void seam_sched_forks(void);
void seam_sched_forked(int32_t pid);
void seam_sched_exec_begins(void);
void seam_sched_exec_failed(void);
void seam_sched_process_ends(void);
void seam_sobjects_modules(void);

/* attach.c: a server's child goes on under its parent's entry. */
void seam_process_again(void);
/* objects.c */
void seam_object_unlink(const struct seam_object *o);
uint32_t seam_keep_string(const char *s);

#endif
