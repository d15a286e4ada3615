/* SPDX-License-Identifier: MIT */
/*
 * What rules.c, compile.c, resolve.c, publish.c, hold*.c, wait*.c, names.c,
 * tables.c and events.c share, and nobody else needs.  The session's lock is
 * held in all of these.
 */
#ifndef SEAM_RULES_INT_H
#define SEAM_RULES_INT_H

#include "session_int.h"

#define SEAM_NAME_TEXT 256
#define SEAM_SITES_CACHED 8192

/* A byte of memory that several processes map, and where it begins. */
struct seam_shared {
	struct seam_backing backing;
	uint64_t len;
};

/* Rules' view of a process, beside seam_process. */
struct seam_ruled {
	uint32_t families; /* that its rules need */
	bool ruled;	   /* a table with matches is published */
	bool binds;	   /* some match waits for an object to be made */
	bool logs;
	struct seam_ranges noise;
	uint32_t noise_maps; /* + 1: proc.maps when noise was looked for */
	struct seam_table_draft *draft; /* published, or NULL */
};

struct seam_named {
	char *text;
	uint64_t addr;
	uint32_t generation, given, maps;
};

struct seam_sited {
	char *text;
	uint64_t site; /* or of data */
	bool data;
	uint32_t proc, maps;
};

struct seam_drawn {
	struct seam_record record;
	uint32_t thread; /* index + 1; 0: unknown */
	uint32_t order;
};

#define SEAM_NAMES_BYTES (SEAM_MAX_OBJECTS * sizeof(struct seam_named))
#define SEAM_SITES_BYTES (SEAM_SITES_CACHED * sizeof(struct seam_sited))

/* Kept in session.spare[0]. */
struct seam_room {
	struct seam_ruled proc[SEAM_MAX_PROCS];
	/* By thread: `serial` of the arrival that a wait has reported, and of
	 * the place it was last stepped from. */
	uint32_t told[SEAM_MAX_THREADS];
	uint32_t stepped[SEAM_MAX_THREADS];
	struct {
		uint32_t serial;
		uint64_t since;
	} blocked[SEAM_MAX_THREADS];
	uint64_t quiet_sum, quiet_since;
	uint32_t births;
	void *ids;		 /* of rules: a tree of tsearch */
	struct seam_named *name; /* [SEAM_MAX_OBJECTS], lazily committed */
	uint32_t names;		 /* high-water of those in use */
	struct seam_sited *site; /* [SEAM_SITES_CACHED], lazily committed */
	uint16_t filled[SEAM_SITES_CACHED]; /* which of them ever were */
	uint32_t nfilled;
	uint32_t ring_owner[SEAM_MAX_RINGS];
	struct seam_drawn *drawn;
	size_t ndrawn, capdrawn;
};

/* rules.c.  Never NULL: without memory the session is broken. */
struct seam_room *seam_room(struct seam_session *s);
struct seam_ruled *seam_ruled(struct seam_session *s,
			      const struct seam_process *p);
/* A new rule, disarmed; NULL with *err.  `as` NULL: an id is made up. */
struct seam_armed *seam_rule_new(struct seam_session *s,
				 enum seam_rule_kind kind, const char *as,
				 struct seam_error *err);
/* The same with a copy of the selector, which is looked through. */
struct seam_armed *seam_rule_from(struct seam_session *s,
				  enum seam_rule_kind kind,
				  const struct seam_selector *sel,
				  const char *as, struct seam_error *err);
/* Another index for its NOTIFY; false: none left. */
bool seam_rule_notify(struct seam_session *s, struct seam_armed *r,
		      const uint64_t *verbs);
/* Compiles it everywhere; on failure the rule is dropped. */
enum seam_code seam_rule_arm(struct seam_session *s, struct seam_armed *r,
			     struct seam_error *err);
/* Disarms, lets go who stands there, frees; returns how many went. */
unsigned seam_rule_drop(struct seam_session *s, struct seam_armed *r);
enum seam_code seam_log_arm(struct seam_session *s,
			    const struct seam_selector *sel, const char *as,
			    seam_event_fn *each, void *data, const char **id,
			    struct seam_error *err);
struct seam_rule *seam_rule_of(struct seam_session *s,
			       const struct seam_armed *r);
/* The armed rule of an arena index + 1 (holds by their notify, too). */
struct seam_armed *seam_rule_at(struct seam_session *s, uint32_t index1);
bool seam_copy_object_name(struct seam_object_name *to,
			   const struct seam_object_name *from);
/* Lives and has a pid: worth compiling for. */
bool seam_process_live(const struct seam_process *p);
/* By path, alias or glob of either; NULL names all. */
bool seam_process_is(struct seam_session *s, const struct seam_process *p,
		     const char *pattern);
/* It descends from one that is. */
bool seam_process_below(struct seam_session *s, const struct seam_process *p,
			const char *name);
/* May the rule ever match in it: proc=, and the process in thread=. */
bool seam_rule_concerns(struct seam_session *s, const struct seam_armed *r,
			const struct seam_process *p);
/* The path "P1.2" of a process; buf has SEAM_PATH bytes. */
char *seam_process_path(struct seam_session *s, const struct seam_process *p,
			char *buf);
void seam_refresh_maps(struct seam_session *s);

/* A consistent copy of what a thread does. */
struct seam_stand {
	uint32_t state, serial;
	bool parked; /* waits in `park` */
	struct seam_doing doing;
};
void seam_stand(const struct seam_thread *t, struct seam_stand *out);
/* Threads in use, by index; NULL at the end.  *i starts at 0. */
struct seam_thread *seam_thread_next(struct seam_session *s, uint32_t *i);
uint32_t seam_thread_index(struct seam_session *s, const struct seam_thread *t);
uint32_t seam_objects(struct seam_session *s); /* high-water, checked */
/* Stands at the rule (index + 1) now: parked or held. */
bool seam_stands_at(const struct seam_stand *st, uint32_t index1);

/* release.c */
void seam_let_go(struct seam_session *s, struct seam_thread *t);

/* gate.c */
unsigned seam_standing(struct seam_session *s, const struct seam_armed *r);
/* The same of all, by index; to be freed, NULL without memory. */
uint32_t *seam_standings(struct seam_session *s);
/* Everybody's word first, then the wakes; how many went. */
unsigned seam_let_all_go(struct seam_session *s, const struct seam_armed *r);
unsigned seam_gate_open(struct seam_session *s, struct seam_armed *r);

/* wait.c: what a reply says of a thread that stands somewhere. */
void seam_put_stand(struct seam_session *s, json_t *reply,
		    const struct seam_thread *t, const struct seam_stand *st);

/* resolve.c: an object's name in one process. */
struct seam_found_object {
	uint64_t lo, hi;    /* [lo, hi): of a symbol, else one byte */
	uint64_t inner;	    /* name+0xinner: already in lo */
	uint32_t object;    /* index + 1 of the known entry, 0: none */
	uint8_t kind;	    /* 0: not known */
	const char *module; /* symbols: where and */
	const char *symbol; /* what; NULL otherwise */
};
struct seam_found {
	struct seam_found_object *v;
	size_t n, cap;
	/* What may be made later: one of SEAM_MATCH_BIND_*, or 0. */
	uint32_t bind;
	struct seam_ranges init;   /* BIND_SITE */
	char glob[SEAM_NAME_TEXT]; /* BIND_NAME, BIND_MET */
	uint32_t ordinal;	   /* 0: any */
	uint8_t kind;		   /* BIND_MET, or the name's */
};
void seam_find(struct seam_session *s, struct seam_process *p,
	       const struct seam_object_name *name, struct seam_found *out);
void seam_found_free(struct seam_found *f);
bool seam_found_add(struct seam_found *f, const struct seam_found_object *o);
/* The entry with that address, index + 1; kind 0: any. */
uint32_t seam_object_index(struct seam_session *s, const struct seam_process *p,
			   uint64_t addr, int kind);
/* "A" and "A.T0.1" as "P1.T0" and "P1.T0.1" where A is p's alias; false:
 * the pattern names another process. */
bool seam_thread_pattern(struct seam_session *s, const struct seam_process *p,
			 const char *pattern, char *buf, size_t size);
/* Does the event's object bear that name? */
bool seam_doing_on(struct seam_session *s, const struct seam_thread *t,
		   const struct seam_doing *d,
		   const struct seam_object_name *name);

/* compile.c */
void seam_compile_all(struct seam_session *s, struct seam_error *err);
/* The same where nothing but that one rule is new. */
void seam_compile_new(struct seam_session *s, struct seam_armed *r,
		      struct seam_error *err);
/* A rule is about to go that matches no more.  True: its matches may still
 * lie in some table, so that its index must not be used again. */
bool seam_compile_without(struct seam_session *s, struct seam_armed *r);

/* publish.c: what a process has to match against, as it is laid out in the
 * arena, but in memory that no target can write. */
struct seam_lists {
	uint32_t *head, *tail; /* [seam_table_draft.buckets]: node + 1 */
};
/* A filter's words, and which of them have bits: at all, and since they were
 * published. */
struct seam_bits {
	uint64_t word[SEAM_BLOOM_WORDS];
	uint64_t some[SEAM_BLOOM_WORDS / 64], fresh[SEAM_BLOOM_WORDS / 64];
};
struct seam_table_draft {
	struct seam_match *match;
	struct seam_node *node;
	struct seam_arena_range *range;
	char *string;
	size_t nmatch, nnode, nrange, nstring;
	size_t capmatch, capnode, caprange, capstring;
	const struct seam_ranges *noise;
	size_t rules, dead; /* rules in it; those dropped since */
	bool wild, binds;
	struct seam_bits object_bits, site_bits;
	bool filters; /* some of these bits are set, or may be by binding */
	uint64_t wild_verbs[SEAM_VERB_WORDS];
	uint64_t before[SEAM_VERB_WORDS], after[SEAM_VERB_WORDS];
	uint64_t holds[SEAM_VERB_WORDS];
	uint32_t families;
	bool failed; /* out of memory */

	/* Once laid out: */
	bool out;
	uint32_t buckets;
	struct seam_lists objects, sites;
	uint32_t wild_head, wild_tail, bind_head, bind_tail;
	struct seam_table at; /* where things are in the block, */
	struct seam_link {
		uint32_t at, to;
	} * link; /* from what is there to what is new: word, value */
	size_t nlink, caplink;
	struct seam_draft_size {
		size_t match, node, range, string;
	} laid, room; /* how many are there, and how many can be */
};
void seam_draft_match(struct seam_table_draft *d, const struct seam_match *m);
uint32_t seam_draft_string(struct seam_table_draft *d, const char *text);
void seam_draft_ranges(struct seam_table_draft *d, const struct seam_ranges *r,
		       uint32_t *first, uint32_t *count);
void seam_draft_free(struct seam_table_draft *d); /* and d itself */
/* Takes the draft's place, whatever comes of it. */
enum seam_code seam_publish(struct seam_session *s, struct seam_process *p,
			    struct seam_table_draft *d, struct seam_error *err);
/* Publishes what the process's draft has been given since; false: there is
 * no room for it, all has to be compiled. */
bool seam_publish_more(struct seam_session *s, struct seam_process *p);

/* hold.c, hold_find.c, hold_file.c, hold_sem.c */
struct seam_hold_target {
	struct seam_process *p;
	struct seam_found_object o;
};

struct seam_hold_targets {
	struct seam_hold_target v[SEAM_MAX_PROCS];
	size_t n;
};
/* Finds it in every process, settles its kind, arms; not yet granted. */
enum seam_code seam_hold_set_up(struct seam_session *s, struct seam_armed *r,
				struct seam_hold_targets *at,
				struct seam_error *err);
/* Matches for a hold in one process, where it is resolved anew. */
void seam_hold_find(struct seam_session *s, struct seam_armed *r,
		    struct seam_process *p, struct seam_found *found);
enum seam_code seam_hold_file(struct seam_session *s,
			      const struct seam_object_name *obj,
			      const struct seam_hold_how *how, const char *as,
			      const char **id, struct seam_error *err);
void seam_hold_end(struct seam_armed *r); /* gives back the real thing */
/* Named semaphores held for real. */
void seam_hold_sem_open(struct seam_session *s, struct seam_armed *r);
bool seam_hold_sem_take(struct seam_armed *r);
void seam_hold_sem_give(struct seam_armed *r);
/* grace.c: nobody is between its gate and its real call any more. */
void seam_grace(struct seam_session *s, const struct seam_armed *r);

/* events.c */
uint64_t seam_events_lost_locked(struct seam_session *s);

/* names.c */
const char *seam_object_text(struct seam_session *s, uint32_t index);
const char *seam_site_text(struct seam_session *s, struct seam_process *p,
			   uint64_t site);
/* What seam_addr_describe says, kept. */
const char *seam_addr_text(struct seam_session *s, struct seam_process *p,
			   uint64_t addr);
/* What a `doing` is about: the object's name, or "". */
char *seam_doing_object(struct seam_session *s, const struct seam_thread *t,
			const struct seam_doing *d, char *buf, size_t size);
void seam_names_free(struct seam_room *room);
void seam_names_forget(struct seam_room *room, uint32_t proc);
const char *seam_verb_name(unsigned verb);
const char *seam_state_name(const struct seam_stand *st);
/* Its state, operation and object into a row; is it at one? */
bool seam_put_state(struct seam_session *s, json_t *row,
		    const struct seam_thread *t, const struct seam_stand *st);
const char *seam_result_text(int32_t result, char *buf, size_t size);
struct seam_map *seam_map_of(struct seam_process *p);
/* Appends to a bounded text. */
struct seam_text {
	char *buf;
	size_t size, n;
};
void seam_text_add(struct seam_text *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* What all that live do, and how the last few ended; a line each, or with
 * "; " between them if `line`. */
void seam_everybody(struct seam_session *s, struct seam_text *t, bool line);
/* " with status 1", " by SIGTERM", or nothing. */
void seam_process_status(const struct seam_process *p, struct seam_text *t);
void seam_json_put(json_t *object, const char *key, const char *text);

/* wait_quiet.c */
bool seam_quiescent(struct seam_session *s, uint64_t *next_look);
/* newcomers.c: has a target a child that is still to join? */
bool seam_any_newcomer(struct seam_session *s);
/* The task sleeps, not for a time but for somebody; *sum changes when it has
 * run since. */
bool seam_task_waits(pid_t pid, pid_t tid, uint64_t *sum);
void seam_mix(uint64_t *sum, uint64_t v);

/* wait_output.c */
enum seam_code seam_output_check(const char *pattern, struct seam_error *err);
enum seam_code seam_output_look(struct seam_session *s, struct sess_wait *w,
				json_t *reply, struct seam_error *err);

/* tasks.c */
bool seam_task_call(pid_t pid, pid_t tid, long *nr, uint64_t arg[3]);
char seam_task_state(pid_t pid, pid_t tid);
/* Nanoseconds on a processor; 0 when unreadable. */
uint64_t seam_task_born(pid_t pid);
uint64_t seam_task_ran(pid_t pid, pid_t tid);
/* Calls `each` for every task of a process until it returns nonzero. */
int seam_tasks(pid_t pid, int (*each)(pid_t tid, void *data), void *data);
struct seam_thread *seam_thread_of_tid(struct seam_session *s,
				       const struct seam_process *p, int tid);
struct seam_thread *seam_thread_of_owner(struct seam_session *s,
					 const struct seam_process *p, int tid);

#endif
