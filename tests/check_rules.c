/* SPDX-License-Identifier: MIT */
/*
 * Rules, holds and waits, with the test in the preload's place: targets are
 * forked children, which have this program's objects at the same addresses;
 * their threads' and objects' entries are written here.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inner.h"
#include "rules_int.h"
#include "suite.h"

/* Armed in any case: threads have names, libraries are known. */
#define ALWAYS                                                                 \
	(SEAM_FAMILY_BIT(SEAM_FAMILY_THREAD) |                                 \
	 SEAM_FAMILY_BIT(SEAM_FAMILY_MODULE))

static pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t the_cond __attribute__((used)) = PTHREAD_COND_INITIALIZER;
static struct {
	long other[4];
	pthread_mutex_t first, second;
} pool = { { 0 }, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static pthread_mutex_t *shared;

#define ADDR(x) ((uint64_t)(uintptr_t)(x))

static struct seam_session *session;
static struct seam_arena *arena;
static struct seam_error err;
static pid_t children[8];
static unsigned nchildren;

static void
setup(void)
{
	struct seam_options options = { 0 };

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	ck_assert_int_eq(seam_session_open(&options, &session, &err), SEAM_OK);
	arena = session->arena;
	nchildren = 0;
}

static void
teardown(void)
{
	for (unsigned i = 0; i < nchildren; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	seam_session_close(session, true);
	munmap(shared, 4096);
}

/* Targets. */

static void
sleep_on(void)
{
	for (;;)
		pause();
}

static void
lock_and_sleep(void)
{
	pthread_mutex_lock(&the_lock);
	sleep_on();
}

static void
spin(void)
{
	for (volatile long i = 0;; i++)
		;
}

static bool
sleeps(pid_t pid)
{
	long nr;
	uint64_t arg[3];

	return seam_task_state(pid, pid) == 'S' &&
	       (!seam_task_call(pid, pid, &nr, arg) || nr == 34);
}

static struct seam_process *
target(const char *alias, void (*run)(void))
{
	struct seam_process *p;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		run();
		_exit(0);
	}
	children[nchildren++] = pid;
	while (run != spin && !sleeps(pid))
		sched_yield();
	seam_lock(session);
	p = seam_process_new(session, NULL);
	ck_assert_ptr_nonnull(p);
	p->alias = strdup(alias);
	arena->proc[p->index].pid = pid;
	ck_assert_int_eq(seam_process_follow(session, p, pid), 0);
	ck_assert_int_eq(seam_process_enliven(session, p, &err), SEAM_OK);
	seam_unlock(session);
	return p;
}

static struct seam_thread *
thread(struct seam_process *p, unsigned n)
{
	uint32_t i = atomic_fetch_add(&arena->head.threads, 1);
	struct seam_thread *t = &arena->thread[i];
	char path[SEAM_PATH], text[2 * SEAM_PATH];

	t->proc = p->index;
	t->tid = p->pid;
	seam_process_path(session, p, path);
	snprintf(text, sizeof(text), "%s.T0.%u", path, n);
	if (!n)
		*strrchr(text, '.') = '\0';
	memcpy(t->path, text, sizeof(t->path) - 1);
	atomic_store(&t->state, SEAM_THREAD_RUNNING);
	if (!n)
		atomic_store(&arena->proc[p->index].main, i + 1);
	return t;
}

static void
stand(struct seam_thread *t, uint32_t state, uint32_t rule, uint64_t addr,
      uint64_t since)
{
	t->doing = (struct seam_doing){ .verb = SEAM_MUTEX_LOCK,
					.fn = SEAM_FN_pthread_mutex_lock,
					.kind = SEAM_KIND_MUTEX,
					.rule = rule,
					.addr = addr,
					.since = since };
	atomic_store(&t->park, state != SEAM_THREAD_BLOCKED);
	atomic_fetch_add(&t->serial, 1);
	atomic_store(&t->state, state);
}

static uint32_t
object(struct seam_process *p, int kind, void *addr)
{
	uint32_t i = atomic_fetch_add(&arena->head.objects, 1);
	struct seam_object *o = &arena->object[i];

	o->proc = p->index;
	o->addr = ADDR(addr);
	o->kind = (uint8_t)kind;
	return i;
}

/* The driver. */

static enum seam_code
arm(const char *line, const char *as)
{
	struct seam_selector sel;
	struct seam_words words;
	enum seam_code code;

	ck_assert_int_eq(seam_split(line, &words, &err), SEAM_OK);
	ck_assert_msg(!seam_selector_parse(&words, 0, NULL, &sel, &err), "%s",
		      err.text);
	code = sess_pause(session, &sel, as, NULL, &err);
	seam_selector_free(&sel);
	seam_words_free(&words);
	return code;
}

static enum seam_code
hold(const char *text, const char *as, uint64_t ms, int mode)
{
	struct seam_hold_how how = { .timeout_ms = ms, .mode = mode };
	struct seam_object_name name;
	enum seam_code code;

	ck_assert_int_eq(seam_object_parse(text, 1, &name, &err), SEAM_OK);
	code = sess_hold(session, &name, &how, as, NULL, &err);
	seam_object_name_free(&name);
	return code;
}

static enum seam_code
await(enum seam_wait_kind kind, const char *what, uint64_t ms, json_t *reply)
{
	struct sess_wait w = { .kind = kind, .what = what, .timeout_ms = ms };
	json_t *own = json_object();
	enum seam_code code;

	code = sess_wait(session, &w, reply ? reply : own, &err);
	json_decref(own);
	return code;
}

static void
assert_field(const json_t *row, const char *key, const char *value)
{
	const char *is = json_string_value(json_object_get(row, key));

	ck_assert_msg(is && !strcmp(is, value), "%s is '%s', not '%s'", key,
		      is ? is : "(none)", value);
}

/* Tables as the preload reads them. */

static const struct seam_table *
table_of(const struct seam_process *p)
{
	uint64_t at = atomic_load(&arena->proc[p->index].gate.table);

	return at ? (const void *)((const char *)arena + at) : NULL;
}

static unsigned
count(const struct seam_table *t, uint32_t list)
{
	const struct seam_node *nodes =
	    (const void *)((const char *)t + t->node_at);
	unsigned n = 0;

	for (; list; list = nodes[list - 1].next)
		n++;
	return n;
}

static const struct seam_match *
first(const struct seam_table *t, uint32_t list)
{
	const struct seam_node *nodes =
	    (const void *)((const char *)t + t->node_at);
	const struct seam_match *m =
	    (const void *)((const char *)t + t->match_at);

	ck_assert_uint_ne(list, 0);
	return &m[nodes[list - 1].match];
}

static uint32_t
at_object(const struct seam_table *t, const void *addr)
{
	const _Atomic uint32_t *lists =
	    (const void *)((const char *)t + t->object_at);

	return lists[seam_granule_bucket(seam_granule_hash(ADDR(addr)),
					 t->buckets)];
}

static bool
bit(const _Atomic uint64_t *words, uint64_t addr)
{
	uint64_t h = seam_granule_hash(addr), mask = seam_bloom_mask(h);

	return (atomic_load(&words[seam_bloom_word(h)]) & mask) == mask;
}

static struct seam_gate *
gate_of(const struct seam_process *p)
{
	return &arena->proc[p->index].gate;
}

START_TEST(table_object)
{
	struct seam_process *p = target("A", sleep_on);
	const struct seam_match *m;

	ck_assert_ptr_null(table_of(p));
	ck_assert_uint_eq(gate_of(p)->armed, ALWAYS);
	ck_assert_int_eq(arm("mutex.lock obj=the_lock hit=3", "x"), SEAM_OK);
	ck_assert_ptr_nonnull(table_of(p));
	m = first(table_of(p), at_object(table_of(p), &the_lock));
	ck_assert_uint_eq(m->obj_lo, ADDR(&the_lock));
	ck_assert_uint_eq(m->obj_hi, ADDR(&the_lock + 1));
	ck_assert_uint_eq(m->flags & SEAM_MATCH_WILD, 0);
	ck_assert_uint_eq(arena->rule[m->rule].nth, 3);
	ck_assert_uint_eq(arena->rule[m->rule].armed, 1);
	ck_assert_uint_eq(arena->rule[m->rule].action, SEAM_ACTION_PARK);
	ck_assert(bit(gate_of(p)->objects, ADDR(&the_lock)));
	ck_assert_uint_eq(gate_of(p)->armed & ~ALWAYS,
			  SEAM_FAMILY_BIT(SEAM_FAMILY_MUTEX));
	ck_assert_uint_eq(gate_of(p)->mode, SEAM_MODE_RULES);
	ck_assert_uint_eq(table_of(p)->wild, 0);
	ck_assert_int_eq(sess_delete(session, "x", &err), SEAM_OK);
	ck_assert_ptr_null(table_of(p));
	ck_assert(!bit(gate_of(p)->objects, ADDR(&the_lock)));
	ck_assert_uint_eq(gate_of(p)->armed | gate_of(p)->mode, ALWAYS);
}
END_TEST

START_TEST(table_site)
{
	struct seam_process *p = target("A", sleep_on);
	const _Atomic uint32_t *lists;
	const struct seam_table *t;
	unsigned n = 0;

	ck_assert_int_eq(arm("mutex.lock at=lock_and_sleep", NULL), SEAM_OK);
	t = table_of(p);
	ck_assert_ptr_nonnull(t);
	lists = (const void *)((const char *)t + t->site_at);
	for (unsigned b = 0; b < t->buckets; b++)
		n += count(t, lists[b]);
	ck_assert_uint_ge(n, 1);
	ck_assert_uint_eq(t->wild, 0);
	ck_assert(bit(gate_of(p)->sites, ADDR(lock_and_sleep) + 8));
	ck_assert_int_eq(arm("mutex.lock at=no_such_function", NULL), SEAM_OK);
	ck_assert_uint_eq(table_of(p)->matches, 1);
}
END_TEST

START_TEST(table_wild)
{
	struct seam_process *a = target("A", sleep_on);
	struct seam_process *b = target("B", sleep_on);
	const struct seam_match *m;

	ck_assert_int_eq(arm("mutex.lock thread=A.T0.1", NULL), SEAM_OK);
	m = first(table_of(a), table_of(a)->wild);
	ck_assert_uint_eq(m->flags, SEAM_MATCH_THREAD | SEAM_MATCH_WILD);
	ck_assert_str_eq((const char *)table_of(a) + m->thread, "P1.T0.1");
	ck_assert(
	    seam_verbs_has((uint64_t *)gate_of(a)->wild, SEAM_MUTEX_LOCK));
	ck_assert_ptr_null(table_of(b));
	ck_assert_int_eq(arm("mutex.* proc=B", NULL), SEAM_OK);
	ck_assert_uint_eq(table_of(a)->matches, 1);
	ck_assert_uint_eq(table_of(b)->matches, 1);
}
END_TEST

/* An alias's descendants are named after it, and they alone. */
START_TEST(process_names)
{
	struct seam_process *p = target("A", sleep_on);
	struct seam_process *child;

	seam_lock(session);
	child = seam_process_new(session, p);
	ck_assert(seam_process_is(session, child, "A.1"));
	ck_assert(seam_process_is(session, child, "A.*"));
	ck_assert(seam_process_is(session, child, "P1.1"));
	ck_assert(!seam_process_is(session, child, "A"));
	ck_assert(!seam_process_is(session, p, "A.*"));
	seam_process_drop(session, child);
	seam_unlock(session);
}
END_TEST

START_TEST(rule_before_process)
{
	struct seam_process *p;

	ck_assert_int_eq(arm("mutex.lock obj=the_lock proc=A", "x"), SEAM_OK);
	p = target("A", sleep_on);
	ck_assert_ptr_nonnull(table_of(p));
	ck_assert_uint_eq(table_of(p)->matches, 1);
}
END_TEST

/* Sites: the address of an instruction in a function serves as one. */
START_TEST(binding)
{
	struct seam_process *p = target("A", sleep_on);
	uint32_t i;

	ck_assert_int_eq(arm("mutex.lock obj=spin#2", "x"), SEAM_OK);
	ck_assert_uint_eq(count(table_of(p), table_of(p)->bind), 1);
	ck_assert_uint_eq(gate_of(p)->mode, SEAM_MODE_RULES | SEAM_MODE_WATCH);
	i = object(p, SEAM_KIND_MUTEX, &the_lock);
	arena->object[i].init_site = ADDR(spin) + 8;
	arena->object[i].init_ordinal = 2;
	ck_assert_int_eq(arm("sem.wait obj=P1.T0/sem#7", "y"), SEAM_OK);
	ck_assert_uint_eq(count(table_of(p), table_of(p)->bind), 1);
	ck_assert_uint_eq(
	    first(table_of(p), at_object(table_of(p), &the_lock))->obj_lo,
	    ADDR(&the_lock));
	ck_assert_int_eq(arm("sem.wait obj=sem:/some*", "z"), SEAM_OK);
	ck_assert_uint_gt(count(table_of(p), table_of(p)->bind), 2);
}
END_TEST

START_TEST(shared_memory)
{
	struct seam_process *a = target("A", sleep_on);
	struct seam_process *b = target("B", sleep_on);
	char line[80];

	snprintf(line, sizeof(line), "mutex.lock obj=@%p", (void *)shared);
	ck_assert_int_eq(arm(line, NULL), SEAM_E_AMBIGUOUS);
	ck_assert_ptr_nonnull(strstr(err.text, "P1, P2"));
	snprintf(line, sizeof(line), "mutex:@%p", (void *)shared);
	struct seam_hold_how how = { .proc = "A", .timeout_ms = 1000 };
	struct seam_object_name name;

	pthread_mutex_init(shared, NULL);
	ck_assert_int_eq(seam_object_parse(line, 1, &name, &err), SEAM_OK);
	ck_assert_msg(!sess_hold(session, &name, &how, "h", NULL, &err), "%s",
		      err.text);
	seam_object_name_free(&name);
	ck_assert_ptr_nonnull(table_of(a));
	ck_assert_ptr_nonnull(table_of(b));
	ck_assert_uint_eq(
	    first(table_of(b), at_object(table_of(b), shared))->action,
	    SEAM_ACTION_HOLD);
}
END_TEST

START_TEST(ids)
{
	ck_assert_int_eq(arm("mutex.lock", "x"), SEAM_OK);
	ck_assert_int_eq(arm("mutex.lock", "x"), SEAM_E_AMBIGUOUS);
	ck_assert_int_eq(arm("mutex.lock", "all"), SEAM_E_SYNTAX);
	ck_assert_int_eq(arm("mutex.lock", "a b"), SEAM_E_SYNTAX);
	ck_assert_int_eq(arm("mutex.lock", "p1"), SEAM_OK);
	ck_assert_int_eq(arm("mutex.lock", NULL), SEAM_OK);
	ck_assert_ptr_nonnull(seam_rule_find(session, "p2"));
	ck_assert_int_eq(sess_delete(session, "y", &err),
			 SEAM_E_NO_SUCH_OBJECT);
	ck_assert_int_eq(sess_delete(session, "all", &err), SEAM_OK);
	ck_assert_ptr_null(seam_rule_find(session, "x"));
}
END_TEST

/* Waiting and letting go. */

START_TEST(arrivals)
{
	struct seam_process *p = target("A", sleep_on);
	struct seam_thread *one = thread(p, 0), *two = thread(p, 1);
	json_t *reply = json_object();
	unsigned n = 0;
	uint32_t rule;

	ck_assert_int_eq(arm("mutex.lock obj=the_lock", "x"), SEAM_OK);
	rule = seam_rule_find(session, "x")->index + 1;
	ck_assert_int_eq(await(SEAM_WAIT_RULE, "x", 1, NULL), SEAM_E_TIMEOUT);
	stand(one, SEAM_THREAD_PARKED, rule, ADDR(&the_lock), 200);
	stand(two, SEAM_THREAD_PARKED, rule, ADDR(&the_lock), 100);
	ck_assert_int_eq(await(SEAM_WAIT_PARKED, "x", 1, NULL), SEAM_OK);
	ck_assert_int_eq(await(SEAM_WAIT_RULE, "x", 1, reply), SEAM_OK);
	assert_field(reply, "id", "x");
	assert_field(reply, "thread", "P1.T0.1");
	assert_field(reply, "op", "mutex.lock");
	assert_field(reply, "obj", "the_lock");
	ck_assert_int_eq(await(SEAM_WAIT_RULE, "x", 1, reply), SEAM_OK);
	assert_field(reply, "thread", "P1.T0");
	ck_assert_int_eq(await(SEAM_WAIT_RULE, "x", 1, NULL), SEAM_E_TIMEOUT);
	ck_assert_int_eq(await(SEAM_WAIT_PARKED, "x", 1, NULL), SEAM_OK);
	ck_assert_int_eq(sess_release(session, "x", &n, &err), SEAM_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(atomic_load(&one->park) + atomic_load(&two->park), 0);
	ck_assert_int_eq(await(SEAM_WAIT_PARKED, "x", 1, NULL), SEAM_E_TIMEOUT);
	stand(one, SEAM_THREAD_PARKED, rule, ADDR(&the_lock), 300);
	ck_assert_int_eq(await(SEAM_WAIT_RULE, "x", 1, NULL), SEAM_OK);
	ck_assert_int_eq(sess_delete(session, "x", &err), SEAM_OK);
	ck_assert_uint_eq(atomic_load(&one->park), 0);
	ck_assert_uint_eq(arena->rule[rule - 1].armed, 0);
	json_decref(reply);
}
END_TEST

START_TEST(release_thread)
{
	struct seam_process *p = target("A", sleep_on);
	struct seam_thread *t = thread(p, 0);
	unsigned n = 9;

	stand(t, SEAM_THREAD_PARKED, 0, ADDR(&the_lock), 1);
	ck_assert_int_eq(sess_release(session, "A", &n, &err), SEAM_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(atomic_load(&t->park), 0);
	ck_assert_int_eq(hold("the_lock", "h", 1000, 0), SEAM_OK);
	stand(t, SEAM_THREAD_HELD, seam_rule_find(session, "h")->index + 1,
	      ADDR(&the_lock), 2);
	ck_assert_int_eq(sess_release(session, "A", &n, &err),
			 SEAM_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.text, "release h"));
	ck_assert_int_eq(sess_release(session, "h", &n, &err), SEAM_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(sess_release(session, "nobody", &n, &err),
			 SEAM_E_NO_SUCH_OBJECT);
}
END_TEST

START_TEST(stepping)
{
	struct seam_process *p = target("A", sleep_on);
	struct seam_thread *t = thread(p, 0);
	unsigned n;

	stand(t, SEAM_THREAD_PARKED, 0, ADDR(&the_lock), 1);
	ck_assert_int_eq(sess_step(session, "A", &err), SEAM_OK);
	ck_assert_uint_eq(atomic_load(&t->step), 1);
	ck_assert_uint_eq(atomic_load(&t->park), 0);
	ck_assert_uint_eq(gate_of(p)->mode, SEAM_MODE_STEP);
	ck_assert_uint_ne(gate_of(p)->armed, 0);
	ck_assert_int_eq(await(SEAM_WAIT_THREAD, "A", 1, NULL), SEAM_E_TIMEOUT);
	atomic_store(&t->step, 0);
	stand(t, SEAM_THREAD_PARKED, 0, ADDR(&the_lock), 2);
	ck_assert_int_eq(await(SEAM_WAIT_THREAD, "A", 1, NULL), SEAM_OK);
	ck_assert_int_eq(sess_release(session, "A", &n, &err), SEAM_OK);
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(blocked)
{
	struct seam_process *p = target("A", sleep_on);
	struct seam_thread *t = thread(p, 0);
	json_t *reply = json_object();

	ck_assert_int_eq(await(SEAM_WAIT_BLOCKED, "A", 1, NULL),
			 SEAM_E_TIMEOUT);
	stand(t, SEAM_THREAD_BLOCKED, 0, ADDR(&the_lock), 1);
	ck_assert_int_eq(await(SEAM_WAIT_BLOCKED, "P1.T0", 100, reply),
			 SEAM_OK);
	assert_field(reply, "obj", "the_lock");
	ck_assert_int_eq(await(SEAM_WAIT_BLOCKED, "P7.T0", 1, NULL),
			 SEAM_E_NO_SUCH_THREAD);
	json_decref(reply);
}
END_TEST

START_TEST(quiescence)
{
	struct seam_process *p = target("A", sleep_on);

	(void)p;
	ck_assert_int_eq(await(SEAM_WAIT_QUIESCENT, "", 1000, NULL), SEAM_OK);
	target("B", spin);
	ck_assert_int_eq(await(SEAM_WAIT_QUIESCENT, "", 30, NULL),
			 SEAM_E_TIMEOUT);
}
END_TEST

START_TEST(ended)
{
	struct seam_process *p = target("A", sleep_on);
	json_t *reply = json_object();

	ck_assert_int_eq(arm("mutex.lock proc=A", "x"), SEAM_OK);
	kill(p->pid, SIGKILL);
	ck_assert_int_eq(await(SEAM_WAIT_EXIT, "A", 5000, reply), SEAM_OK);
	assert_field(reply, "proc", "P1");
	ck_assert_int_eq(await(SEAM_WAIT_RULE, "x", 5000, NULL), SEAM_E_GONE);
	json_decref(reply);
}
END_TEST

/* Holds. */

START_TEST(hold_free)
{
	struct seam_process *p = target("A", sleep_on);
	struct seam_armed *r;
	unsigned n;

	ck_assert_msg(!hold("the_lock", "h", 1000, 0), "%s", err.text);
	r = seam_rule_find(session, "h");
	ck_assert(r->granted);
	ck_assert_uint_eq(r->held_kind, SEAM_KIND_MUTEX);
	ck_assert_uint_eq(count(table_of(p), at_object(table_of(p), &the_lock)),
			  2);
	ck_assert_uint_eq(arena->rule[r->index].action, SEAM_ACTION_HOLD);
	ck_assert_uint_eq(arena->rule[r->notify - 1].action,
			  SEAM_ACTION_NOTIFY);
	ck_assert_int_eq(hold("the_lock", NULL, 1, 0), SEAM_E_UNSUPPORTED);
	ck_assert_int_eq(sess_release(session, "h", &n, &err), SEAM_OK);
	ck_assert_ptr_null(table_of(p));
	ck_assert_ptr_null(seam_rule_find(session, "h"));
}
END_TEST

START_TEST(hold_taken)
{
	struct seam_process *p = target("A", lock_and_sleep);

	thread(p, 0);
	ck_assert_int_eq(hold("the_lock", "h", 20, 0), SEAM_E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(err.text, "owned by P1.T0"));
	ck_assert_ptr_null(seam_rule_find(session, "h"));
	ck_assert_ptr_null(table_of(p));
	ck_assert_msg(!hold("mutex:pool+0x20", "i", 1000, 0), "%s", err.text);
}
END_TEST

START_TEST(hold_what)
{
	struct seam_process *p = target("A", sleep_on);

	ck_assert_int_eq(hold("cond:the_cond", NULL, 1, 0), SEAM_E_UNSUPPORTED);
	ck_assert_int_eq(hold("the_lokc", NULL, 1, 0), SEAM_E_NO_SUCH_OBJECT);
	ck_assert_int_eq(hold("pool", NULL, 1, 0), SEAM_E_AMBIGUOUS);
	ck_assert_int_eq(hold("rwlock:the_lock", NULL, 1, 0),
			 SEAM_E_NO_SUCH_OBJECT);
	ck_assert_msg(strstr(err.text, "40 bytes") != NULL, "%s", err.text);
	object(p, SEAM_KIND_MUTEX, &the_lock);
	ck_assert_int_eq(hold("spin:the_lock", NULL, 1, 0),
			 SEAM_E_NO_SUCH_OBJECT);
	ck_assert_msg(strstr(err.text, "is a mutex") != NULL, "%s", err.text);
	object(p, SEAM_KIND_MUTEX, &pool.first);
	object(p, SEAM_KIND_MUTEX, &pool.second);
	ck_assert_int_eq(hold("pool", NULL, 1, 0), SEAM_E_AMBIGUOUS);
	ck_assert_msg(strstr(err.text, "pool+0x20") != NULL, "%s", err.text);
	ck_assert_int_eq(hold("the_lock", NULL, 1, 'r'), SEAM_E_UNSUPPORTED);
	ck_assert_int_eq(hold("mutex:@0x10", NULL, 1, 0),
			 SEAM_E_NO_SUCH_OBJECT);
	ck_assert_uint_eq(session->waiters, 0);
}
END_TEST

static bool
lockable(const char *path)
{
	struct flock fl = { .l_type = F_WRLCK };
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool ok = !fcntl(fd, F_OFD_SETLK, &fl);

	close(fd);
	return ok;
}

START_TEST(hold_file)
{
	char dir[64], path[80], name[100];
	unsigned n;
	int fd;

	scratch_make(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	snprintf(name, sizeof(name), "file:%s", path);
	ck_assert(lockable(path));
	ck_assert_msg(!hold(name, "h", 1000, 0), "%s", err.text);
	ck_assert(!lockable(path));
	ck_assert_int_eq(hold(name, NULL, 30, 0), SEAM_E_TIMEOUT);
	ck_assert_int_eq(sess_release(session, "h", &n, &err), SEAM_OK);
	ck_assert(lockable(path));
	unlink(path);
	close(fd);
	ck_assert_int_eq(hold(name, NULL, 1, 0), SEAM_E_NO_SUCH_OBJECT);
}
END_TEST

START_TEST(hold_named_semaphore)
{
	char name[64], object_name[80];
	unsigned n;
	int value;
	sem_t *sem;

	snprintf(name, sizeof(name), "/seam-check-%d", getpid());
	snprintf(object_name, sizeof(object_name), "sem:%s", name);
	sem = sem_open(name, O_CREAT, 0600, 2);
	ck_assert_ptr_ne(sem, SEM_FAILED);
	ck_assert_msg(!hold(object_name, "h", 1000, 0), "%s", err.text);
	sem_getvalue(sem, &value);
	ck_assert_int_eq(value, 0);
	ck_assert_int_eq(sess_release(session, "h", &n, &err), SEAM_OK);
	sem_getvalue(sem, &value);
	ck_assert_int_eq(value, 2);
	sem_close(sem);
	sem_unlink(name);
}
END_TEST

/* Events. */

static char seen[256];

static void
see(const struct seam_event *e, void *data)
{
	size_t n = strlen(seen);

	(void)data;
	snprintf(seen + n, sizeof(seen) - n, "%s %s %s %llu;", e->thread,
		 e->verb, e->object, (unsigned long long)e->time);
}

static void
record(unsigned ring, const struct seam_thread *t, uint64_t time, unsigned verb)
{
	struct seam_ring *r = &arena->ring[ring];
	uint32_t head = atomic_load(&r->head);

	if (atomic_load(&arena->head.rings) <= ring)
		atomic_store(&arena->head.rings, ring + 1);
	atomic_store(&r->thread, (uint32_t)(t - arena->thread) + 1);
	r->record[head % SEAM_RING_RECORDS] = (struct seam_record){
		.time = time,
		.verb = (uint8_t)verb,
		.addr = ADDR(&the_lock),
		.fn = SEAM_FN_pthread_mutex_lock,
		.moment = SEAM_AFTER,
	};
	atomic_store(&r->head, head + 1);
}

START_TEST(events)
{
	struct seam_process *p = target("A", sleep_on);
	struct seam_thread *one = thread(p, 0), *two = thread(p, 1);

	seen[0] = '\0';
	ck_assert_int_eq(seam_record(session, true, see, NULL, &err), SEAM_OK);
	ck_assert_uint_eq(gate_of(p)->mode & SEAM_MODE_TIMES, SEAM_MODE_TIMES);
	record(0, one, 10, SEAM_MUTEX_LOCK);
	record(0, one, 30, SEAM_MUTEX_UNLOCK);
	record(1, two, 20, SEAM_MUTEX_LOCK);
	seam_drain(session);
	ck_assert_str_eq(seen, "P1.T0 mutex.lock the_lock 10;"
			       "P1.T0.1 mutex.lock the_lock 20;"
			       "P1.T0 mutex.unlock the_lock 30;");
	ck_assert_uint_eq(arena->ring[0].tail, 2);
	atomic_store(&one->state, SEAM_THREAD_EXITED);
	seam_drain(session);
	ck_assert_uint_eq(arena->ring[0].thread, 0);
	ck_assert_int_eq(seam_record(session, false, NULL, NULL, &err),
			 SEAM_OK);
	ck_assert_uint_eq(gate_of(p)->mode, 0);
	ck_assert_ptr_null(seam_session_broken(session));
	atomic_store(&arena->ring[1].head, 1u << 30);
	seam_drain(session);
	ck_assert_ptr_nonnull(seam_session_broken(session));
}
END_TEST

/* What a target may have written must not be believed. */
START_TEST(damaged)
{
	struct seam_process *p = target("A", sleep_on);
	struct seam_thread *t = thread(p, 0);
	uint32_t i = object(p, SEAM_KIND_MUTEX, &the_lock);
	json_t *rows;
	char *text;

	stand(t, SEAM_THREAD_PARKED, UINT32_MAX, 1, 1);
	t->doing.verb = t->doing.fn = UINT16_MAX;
	t->doing.object = t->doing.peer = UINT32_MAX - 1;
	t->doing.kind = UINT8_MAX;
	memset(t->path, 'x', sizeof(t->path));
	memset(t->name, '\xff', sizeof(t->name));
	arena->object[i].name = UINT32_MAX;
	arena->object[i].owner = UINT32_MAX;
	arena->object[i].first_thread = UINT32_MAX;
	atomic_store(&arena->head.rings, UINT32_MAX);
	rows = seam_table_threads(session);
	ck_assert_uint_eq(json_array_size(rows), 1);
	json_decref(rows);
	rows = seam_table_locks(session);
	ck_assert_uint_eq(json_array_size(rows), 1);
	json_decref(rows);
	json_decref(seam_table_procs(session));
	json_decref(seam_table_rules(session));
	json_decref(seam_stats(session));
	text = sess_describe(session);
	ck_assert_ptr_nonnull(text);
	free(text);
	seam_drain(session);
	t->proc = UINT32_MAX;
	json_decref(seam_table_threads(session));
}
END_TEST

static Suite *
rules_suite(void)
{
	Suite *suite = suite_create("rules");
	TCase *tables = tcase_create("tables"), *waits = tcase_create("waits");
	TCase *holds = tcase_create("holds"), *rest = tcase_create("events");
	TCase *all[] = { tables, waits, holds, rest };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		tcase_add_checked_fixture(all[i], setup, teardown);
		tcase_set_timeout(all[i], 30);
		suite_add_tcase(suite, all[i]);
	}
	tcase_add_test(tables, table_object);
	tcase_add_test(tables, table_site);
	tcase_add_test(tables, table_wild);
	tcase_add_test(tables, process_names);
	tcase_add_test(tables, rule_before_process);
	tcase_add_test(tables, binding);
	tcase_add_test(tables, shared_memory);
	tcase_add_test(tables, ids);
	tcase_add_test(waits, arrivals);
	tcase_add_test(waits, release_thread);
	tcase_add_test(waits, stepping);
	tcase_add_test(waits, blocked);
	tcase_add_test(waits, quiescence);
	tcase_add_test(waits, ended);
	tcase_add_test(holds, hold_free);
	tcase_add_test(holds, hold_taken);
	tcase_add_test(holds, hold_what);
	tcase_add_test(holds, hold_file);
	tcase_add_test(holds, hold_named_semaphore);
	tcase_add_test(rest, events);
	tcase_add_test(rest, damaged);
	return suite;
}

int
main(void)
{
	return suite_run(rules_suite());
}
