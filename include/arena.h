/* SPDX-License-Identifier: MIT */
/*
 * The arena: one shared mapping through which the controller of a session
 * and its targets speak.  Fixed layout; version and size are checked by both
 * sides.  It is a sparse memfd: nothing of it lies in a file system, so a
 * killed controller leaves nothing behind and a full disk cannot hurt.
 *
 * Who writes what
 *   Targets write their own process, thread and object entries, their rings,
 *   and the counters marked T.  The controller writes rules, tables, gates
 *   and the words marked C.  Everything is read by both, and the controller
 *   trusts nothing that a target can write: each index is checked before
 *   use, each string is copied with a bound.
 *
 * Parking
 *   A thread that parks writes what it does into its entry, stores 1 into
 *   `park`, PARKED into `state`, rings the bell, looks whether `life` is
 *   still LIVE, and waits for `park` to become something else than 1.  The
 *   controller lets it go by storing 0 in `park` and waking it.  No lock is
 *   held meanwhile.  When the controller ends, or its warden finds it dead,
 *   FREE is stored in `life`, and then 0 in every `park` that is 1, with a
 *   wake.  Both sides store before they load, all sequentially consistent:
 *   either the thread sees FREE, or its 1 is seen.
 *   A target which finds no warden either (both killed) sees in `porter`
 *   that the controller is gone at its next look, every SEAM_LOOK_MS.
 *
 * The bells
 *   `bell` is a counter that targets increment after changing anything a
 *   driver may wait for; they wake it only if `bell_waiters` is not 0.
 *   `door` is the same for what the controller must act upon by itself:
 *   new processes after fork, libraries opened, rings half full.
 *
 * Tables
 *   What a process has to match against is compiled by the controller into
 *   an immutable seam_table in the heap, published by storing its offset in
 *   gate.table.  Readers count themselves in and out of `readers`, which is
 *   the first word of every block, and look again at gate.table after
 *   counting themselves in.  A replaced table is reused only when its
 *   readers are 0.  Blocks never change their size, so a reader that came
 *   too late touches a `readers` word and nothing else.
 *   What is in a table stays; matches of new rules may be added at its end,
 *   as long as its block has room: first the filters' bits, then the match,
 *   then its node, and last the link to that node.
 */
#ifndef SEAM_ARENA_H
#define SEAM_ARENA_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "ops.h"
#include "schedule.h"

#define SEAM_ARENA_MAGIC UINT64_C(0x616e6572616d6173) /* "samarena" */
#define SEAM_ARENA_VERSION 3

#define SEAM_PAGE 4096
#define SEAM_MAX_PROCS 256
#define SEAM_MAX_THREADS 8192
#define SEAM_MAX_OBJECTS 131072
#define SEAM_MAX_RULES 16384
#define SEAM_MAX_RINGS 1024
#define SEAM_RING_RECORDS 2048
#define SEAM_OBJECT_BUCKETS 16384
#define SEAM_SITE_COUNTERS 1024
#define SEAM_MAX_EXECS 256
#define SEAM_MATCHED 64 /* rules that one event meets */
#define SEAM_BINDS 64	/* new objects that a rule without a number waits for */
#define SEAM_STRING_BYTES (8u << 20)
#define SEAM_HEAP_BYTES (256u << 20)
#define SEAM_BLOOM_WORDS 4096 /* as seam_granule_hash has it */
#define SEAM_NAME 16	      /* as the kernel's thread names */
#define SEAM_PATH 64	      /* logical names: P1.2.T0.1 */
#define SEAM_FRAMES 8
#define SEAM_LOOK_MS 2000
#define SEAM_ACK_MS 10000

enum seam_life {
	SEAM_LIFE_NONE,
	SEAM_LIFE_LIVE, /* the controller is there */
	SEAM_LIFE_FREE, /* it is not, or let go: everybody runs on */
};

/* What the slow path has to do besides rules; bits of seam_gate.mode. */
enum seam_mode {
	SEAM_MODE_WATCH = 1,	/* objects, owners, waits are kept track of */
	SEAM_MODE_RECORD = 2,	/* events go to rings */
	SEAM_MODE_TIMES = 4,	/* with times */
	SEAM_MODE_LOSSLESS = 8, /* wait when a ring is full */
	SEAM_MODE_RULES = 16,	/* a table is published */
	SEAM_MODE_STEP = 32,	/* some thread is being stepped */
	SEAM_MODE_SCHED = 64,	/* one thread at a time: schedule.h */
	SEAM_MODE_LATEST = 128, /* write over the oldest of a full ring */
	/* What those who write to a ring do when it is full. */
	SEAM_MODE_FULL = SEAM_MODE_LOSSLESS | SEAM_MODE_LATEST,
};

/*
 * The gate of one process: pages which the preload maps over static pages of
 * its own, so that the passive test is one load from a constant address.
 * Before attaching, they have every family armed.
 */
struct seam_gate {
	_Atomic uint32_t armed; /* C: families that leave the fast path */
	_Atomic uint32_t mode;	/* C */
	_Atomic uint64_t table; /* C: offset of a seam_table, 0: none */
	_Atomic uint64_t wild[SEAM_VERB_WORDS];	  /* C: verbs of matches that
						     name no object, no site */
	_Atomic uint64_t before[SEAM_VERB_WORDS]; /* C: verbs of all matches, */
	_Atomic uint64_t after[SEAM_VERB_WORDS];  /* by their moment; and of */
	_Atomic uint64_t holds[SEAM_VERB_WORDS];  /* those that hold */
	_Atomic uint32_t noise;			  /* C: the table knows noise */
	_Atomic uint64_t objects[SEAM_BLOOM_WORDS] /* C and T (binding) */
	    __attribute__((aligned(SEAM_PAGE)));
	_Atomic uint64_t sites[SEAM_BLOOM_WORDS]; /* C */
} __attribute__((aligned(SEAM_PAGE)));

/*
 * The filters are blocked Bloom filters (Putze, Sanders & Singler, WEA 2007)
 * of a word a block: the hash of a granule gives the word, and two bits in
 * it.  So with 10,000 granules fewer than one of a hundred others is let
 * through in vain, by one load.
 */
static inline uint64_t
seam_granule_hash(uint64_t addr)
{
	return (addr >> 6) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline unsigned
seam_bloom_word(uint64_t hash)
{
	return (unsigned)(hash >> 52);
}

static inline unsigned
seam_bloom_bit1(uint64_t hash)
{
	return hash >> 46 & 63;
}

static inline unsigned
seam_bloom_bit2(uint64_t hash)
{
	return hash >> 40 & 63;
}

static inline uint64_t
seam_bloom_mask(uint64_t hash)
{
	return UINT64_C(1) << seam_bloom_bit1(hash) |
	       UINT64_C(1) << seam_bloom_bit2(hash);
}

/* Its bucket in a table of so many, a power of two. */
static inline unsigned
seam_granule_bucket(uint64_t hash, uint32_t buckets)
{
	return (unsigned)(hash >> 40) & (buckets - 1);
}

enum seam_proc_state {
	SEAM_PROC_NONE,
	SEAM_PROC_CLAIMED, /* being filled in by a fork's child */
	SEAM_PROC_JOINING, /* waits for the acknowledgement */
	SEAM_PROC_LIVE,
	SEAM_PROC_EXECING, /* left for another program */
	SEAM_PROC_GONE,
};

struct seam_proc {
	struct seam_gate gate;

	_Atomic uint32_t state;
	_Atomic uint32_t ack;	      /* C: futex; joins and dlopens wait */
	_Atomic uint32_t wants;	      /* T: counter of acks asked for */
	_Atomic uint32_t children;    /* T: ordinals given to children */
	_Atomic uint32_t threads;     /* T: threads started, for information */
	_Atomic uint32_t main;	      /* T: index of the main thread's entry */
	int32_t pid;		      /* T: by its own getpid() */
	int32_t pid_outside;	      /* C: in the controller's namespace */
	uint32_t parent;	      /* index + 1; 0: none */
	uint32_t ordinal;	      /* among the parent's children */
	char path[SEAM_PATH];	      /* C, T on fork: "P1.2" */
	char alias[SEAM_PATH];	      /* C */
	_Atomic uint32_t locks_lost;  /* T: events without an object entry */
	_Atomic uint32_t raw_futex;   /* T: blind: waits on raw futexes */
	_Atomic uint32_t maps;	      /* T: incremented by dlopen */
	_Atomic uint32_t strangers;   /* T: threads that no hook created */
	_Atomic uint32_t exiting;     /* T: exit() was called: index + 1 of the
					 thread, ~0: not known */
	_Atomic uint32_t latest;      /* T: index + 1 of the thread that last
					 did something, as far as watched */
	uint32_t blind_to_controller; /* T: its pid means nothing here */
	uint32_t gateless;	      /* T: forked, and could not map its gate:
					 it runs on alone */
	_Atomic uint64_t caught;      /* T: signals that have a handler */

	_Atomic uint32_t buckets[SEAM_OBJECT_BUCKETS] /* T: index + 1 */
	    __attribute__((aligned(SEAM_PAGE)));
	struct {
		_Atomic uint64_t site;
		_Atomic uint32_t count;
	} sites[SEAM_SITE_COUNTERS]; /* T: objects initialised per site */
} __attribute__((aligned(SEAM_PAGE)));

enum seam_thread_state {
	SEAM_THREAD_NONE,
	SEAM_THREAD_NEW, /* created, not yet running */
	SEAM_THREAD_RUNNING,
	SEAM_THREAD_PARKED,  /* by a pause, a step, or a gate */
	SEAM_THREAD_HELD,    /* at an object the session holds */
	SEAM_THREAD_BLOCKED, /* in the real call, which would wait */
	SEAM_THREAD_EXITED,
};

enum seam_moment { SEAM_BEFORE, SEAM_BLOCKED, SEAM_AFTER };

/* What a thread does, as it stands in its entry and in tables. */
struct seam_doing {
	uint16_t verb, fn;
	uint8_t moment; /* enum seam_moment */
	uint8_t kind;
	uint8_t mode;	   /* 'r' or 'w' for file locks and rwlocks */
	uint8_t timed;	   /* BLOCKED with a deadline: ends by itself */
	int32_t result;	   /* after: as the function returned or errno */
	uint32_t rule;	   /* why it stands here: index + 1; 0: step or call */
	uint32_t object;   /* index + 1 of the entry; 0: none */
	uint32_t peer;	   /* join: index + 1 of the other thread */
	uint64_t addr;	   /* of the object, 0 for files */
	uint64_t site;	   /* return address */
	uint64_t off, len; /* file locks */
	uint64_t since;	   /* CLOCK_MONOTONIC, ns; watched only */
	uint32_t nframes;
	uint64_t frames[SEAM_FRAMES]; /* outer frames when a rule asked */
};

struct seam_thread {
	_Atomic uint32_t state;
	_Atomic uint32_t park;	 /* futex: 1 while parked */
	_Atomic uint32_t step;	 /* C: park at the next event */
	_Atomic uint32_t serial; /* T: incremented at each change of state */
	struct seam_doing doing; /* T */

	uint32_t proc;	     /* index */
	uint32_t creator;    /* index + 1 of the creating thread */
	uint32_t ordinal;    /* among the creator's */
	int32_t tid;	     /* by its own gettid() */
	uint64_t handle;     /* pthread_t */
	uint64_t start, arg; /* for the trampoline */
	uint64_t create_site;
	char path[SEAM_PATH];  /* "P1.T0.2" */
	char name[SEAM_NAME];  /* pthread name, "" until set */
	uint32_t name_ordinal; /* among those of that name in the process */
	_Atomic uint32_t ring; /* index + 1 */
	uint32_t created;      /* T: threads it created */
	uint32_t detached;
	uint32_t slot;		  /* T: schedule.h; index + 1 */
	uint32_t met[SEAM_KINDS]; /* T: objects first met by it */
	uint64_t events;	  /* T: that left the fast path */
	uint64_t parks;
	uint64_t born; /* T: the how-manieth entry of the session */
} __attribute__((aligned(64)));

struct seam_object {
	uint64_t addr;	       /* files: device */
	uint64_t addr2;	       /* files: inode */
	_Atomic uint32_t next; /* index + 1 in the bucket */
	uint32_t proc;
	uint8_t kind;
	_Atomic uint8_t dead;	     /* destroyed */
	uint16_t created_by;	     /* verb */
	_Atomic uint32_t generation; /* incremented by each init */
	uint64_t init_site;
	uint32_t init_ordinal;	/* 1 for the first made at that site */
	uint32_t first_thread;	/* index + 1 */
	uint32_t first_ordinal; /* among the objects of its kind that thread
				   met first */
	_Atomic uint32_t name;	/* offset in strings, 0: none */
	_Atomic uint32_t owner; /* index + 1 of the last to acquire; 0: free,
				   as far as watched */
	uint32_t owner_verb;
	uint64_t owner_site;
	uint64_t acquired;  /* times; guarded by the object itself where it
			       excludes, else approximate */
	uint64_t contended; /* times it had to be waited for */
	uint64_t waited_ns;
	uint64_t failed; /* tries that found it busy, timeouts */
} __attribute__((aligned(64)));

enum seam_action {
	SEAM_ACTION_NONE,
	SEAM_ACTION_PARK,
	SEAM_ACTION_HOLD,   /* acquiring: blocks or fails */
	SEAM_ACTION_FAIL,   /* return an error */
	SEAM_ACTION_NOTIFY, /* ring the bell when matched */
	SEAM_ACTION_LOG,    /* record the event, whatever the mode */
};

struct seam_rule {
	_Atomic uint32_t armed; /* C: 1; 0 lets go and matches no more */
	uint32_t action;
	uint32_t nth;		   /* only the n-th match; 0: every */
	_Atomic uint32_t hits;	   /* T: matches */
	_Atomic uint32_t parked;   /* T: threads that stand there now */
	_Atomic uint32_t arrived;  /* T: threads that ever did */
	int32_t error;		   /* FAIL: errno */
	_Atomic uint32_t times;	   /* FAIL: how often still; ~0: always */
	_Atomic uint32_t released; /* C: futex-free counter of releases */
	uint32_t spare[7];
} __attribute__((aligned(64)));

enum seam_match_flags {
	SEAM_MATCH_OBJECT = 1, /* [obj_lo, obj_hi) */
	SEAM_MATCH_SITE = 2,
	SEAM_MATCH_IN = 4,
	SEAM_MATCH_THREAD = 8,
	SEAM_MATCH_PATH = 16,
	SEAM_MATCH_NAME = 32,
	SEAM_MATCH_RANGE = 64,
	SEAM_MATCH_MODE = 128,
	SEAM_MATCH_RESULT = 256,
	SEAM_MATCH_AFTER = 512,
	SEAM_MATCH_KIND = 1024,
	SEAM_MATCH_BIND_SITE = 2048, /* object made at a site: ordinal */
	SEAM_MATCH_BIND_MET = 4096,  /* object first met by a thread */
	SEAM_MATCH_BIND_NAME = 8192, /* object with a name: name_glob */
	SEAM_MATCH_WILD = 16384,     /* neither object nor site: noise is
					left out */
	SEAM_MATCH_WAITED = 32768,   /* after: the call had to wait */
};
#define SEAM_MATCH_BIND                                                        \
	(SEAM_MATCH_BIND_SITE | SEAM_MATCH_BIND_MET | SEAM_MATCH_BIND_NAME)

/* A rule as one process sees it.  Indexes are into the table's own arrays;
 * strings are offsets from the table's beginning. */
struct seam_match {
	uint32_t rule; /* index */
	uint32_t flags;
	uint32_t action;
	uint16_t fn;
	uint8_t kind, mode, result;
	uint8_t hold_readers; /* HOLD in mode rd: readers pass */
	uint64_t verbs[SEAM_VERB_WORDS];
	_Atomic uint64_t obj_lo, obj_hi; /* bound later by the target */
	uint32_t site, sites;		 /* first range, how many */
	uint32_t in, ins;
	uint32_t thread, path, name; /* globs */
	uint32_t bind, binds;	     /* ranges of init sites */
	uint32_t bind_ordinal;	     /* 0: any */
	uint64_t off, len;	     /* len 0: to the end */
};

struct seam_arena_range {
	uint64_t lo, hi;
};

struct seam_node {
	uint32_t match;	       /* index */
	_Atomic uint32_t next; /* C: index + 1 */
};

#define SEAM_TABLE_BUCKETS 64 /* at least; a power of two */

struct seam_table {
	_Atomic uint32_t readers; /* first, in every block of the heap */
	uint32_t size;		  /* bytes in use */
	uint32_t matches, nodes, ranges, noise;		 /* counts */
	uint32_t match_at, node_at, range_at, string_at; /* offsets */
	uint32_t noise_at;     /* ranges of objects and sites that wild matches
				  and watching leave out */
	_Atomic uint32_t wild; /* C: node index + 1 of the first of a list */
	_Atomic uint32_t bind; /* C */
	uint32_t buckets;      /* how many of each */
	uint32_t object_at;    /* _Atomic uint32_t[buckets], C: like wild */
	uint32_t site_at;
};

/* One event; a call that did not wait makes one record, when done. */
struct seam_record {
	uint64_t time; /* arrival, CLOCK_MONOTONIC ns; 0: not taken */
	uint64_t addr; /* object; files: index + 1 of the entry */
	uint64_t site;
	uint64_t waited; /* ns between arrival and this record, if it waited */
	uint64_t off, len; /* file locks */
	uint32_t object;   /* index + 1; thread.*: that thread's; or 0 */
	int32_t result;
	uint16_t fn;
	uint8_t verb, moment;
	uint32_t rule; /* LOG rules: index + 1 */
};

/*
 * Single producer (the thread), single consumer (the controller).  In mode
 * LATEST the producer does not look at `tail`: what lies more than a ring
 * behind `head` is no more, and the place at `head` is being written.
 */
struct seam_ring {
	_Atomic uint32_t thread; /* index + 1 of the owner, 0: free */
	_Atomic uint32_t head;	 /* T: records written */
	_Atomic uint32_t tail;	 /* C: records read; futex if lossless */
	_Atomic uint32_t lost;	 /* T */
	_Atomic uint32_t latest; /* T: it does so until it looks again */
	uint32_t spare[11];
	struct seam_record record[SEAM_RING_RECORDS];
} __attribute__((aligned(64)));

enum seam_head_flags {
	SEAM_HEAD_KILL = 1, /* once life is FREE: the controller has died, and
			       nobody is to go on */
};

struct seam_head {
	uint64_t magic;
	uint32_t version;
	uint32_t head_size; /* sizeof(struct seam_arena) in pages, a check */
	uint64_t size;
	int32_t controller; /* pid */
	uint32_t flags;	    /* C */
	/* Its porter's thread, by number; the kernel puts FUTEX_OWNER_DIED in
	   its place when that dies (robust_list(7)), whoever kills it, and in
	   whatever pid namespace one looks. */
	_Atomic uint32_t porter;

	_Atomic uint32_t life __attribute__((aligned(64))); /* C: futex */
	_Atomic uint32_t bell __attribute__((aligned(64))); /* T: futex */
	_Atomic uint32_t bell_waiters;			    /* C */
	_Atomic uint32_t door;				    /* T: futex */
	_Atomic uint32_t door_waiters;			    /* C */

	_Atomic uint32_t procs, threads, objects, rings; /* high-water */
	_Atomic uint32_t strings; /* bytes used; 0 is the empty string */
	_Atomic uint32_t threads_lost, objects_lost, procs_lost, rings_lost;
	_Atomic uint32_t matches_lost, binds_lost, sites_lost, names_lost;
	_Atomic uint64_t events_lost;
	_Atomic uint64_t births;	/* T: entries of threads ever made */
	_Atomic uint32_t next_proc;	/* C: numbers of processes without a
					   parent in the session */
	_Atomic uint32_t execs;		/* T: high-water */
	_Atomic uint32_t execs_crowded; /* T: the porter shall make room */
	_Atomic uint32_t execs_lost;
};

/*
 * A program that is about to run in a target or in a child of one.  Written
 * before exec (after posix_spawn), also by a vfork child, which has no entry
 * of its own.  Wiped by the caller if exec fails, by the controller when the
 * program says hello; what stays is a program that never did.
 */
enum seam_exec_flags {
	SEAM_EXEC_OWN = 1,	 /* the target itself becomes it */
	SEAM_EXEC_ELSEWHERE = 2, /* its pid means nothing to the controller */
};

struct seam_exec {
	_Atomic int32_t pid; /* T: of the process, by its own getpid(); 0:
				free; negative: being written */
	uint32_t flags;	     /* enum seam_exec_flags */
	uint64_t time;	     /* CLOCK_BOOTTIME, ns: it was there by then */
	char who[SEAM_PATH]; /* of the target: "P1.2" */
	char path[SEAM_PAGE - 16 - SEAM_PATH]; /* no slash: looked up in PATH */
};

struct seam_arena {
	struct seam_head head __attribute__((aligned(SEAM_PAGE)));
	struct seam_sched sched __attribute__((aligned(SEAM_PAGE)));
	struct seam_proc proc[SEAM_MAX_PROCS];
	struct seam_thread thread[SEAM_MAX_THREADS]
	    __attribute__((aligned(SEAM_PAGE)));
	struct seam_rule rule[SEAM_MAX_RULES]
	    __attribute__((aligned(SEAM_PAGE)));
	struct seam_object object[SEAM_MAX_OBJECTS]
	    __attribute__((aligned(SEAM_PAGE)));
	struct seam_ring ring[SEAM_MAX_RINGS]
	    __attribute__((aligned(SEAM_PAGE)));
	char string[SEAM_STRING_BYTES] __attribute__((aligned(SEAM_PAGE)));
	unsigned char heap[SEAM_HEAP_BYTES] __attribute__((aligned(SEAM_PAGE)));
	struct seam_exec exec[SEAM_MAX_EXECS]
	    __attribute__((aligned(SEAM_PAGE)));
};

#endif
