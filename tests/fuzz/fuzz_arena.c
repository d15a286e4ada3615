/* SPDX-License-Identifier: MIT */
/*
 * A damaged arena, as the controller reads it: what `procs threads locks
 * rules stats` show, what waits and names are looked up in, the events in the
 * rings, and what a process leaves that has died.
 */
#include "accounting.h"
#include "execs.h"
#include "overlay.h"
#include "session.h"

static struct seam_session *session;
static pthread_mutex_t free_mutex, taken_mutex;
static struct overlay_area areas[16];
static size_t nareas;

static void
add_area(void *at, size_t size)
{
	areas[nareas++] = (struct overlay_area){ .at = at, .size = size };
}

static uint64_t
place(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static uint64_t
site(void)
{
	return place((const void *)(uintptr_t)seam_now) + 8;
}

/* Threads: who runs, stands at a rule, is held, waits for another, is made,
 * has ended. */
static void
make_threads(struct seam_arena *a)
{
	static const struct {
		const char *path, *name;
		uint32_t state, park, proc;
		uint16_t verb;
		uint32_t rule, object, peer;
	} rows[] = {
		{ "P1.T0", "", SEAM_THREAD_BLOCKED, 0, 0, SEAM_THREAD_JOIN, 0,
		  0, 2 },
		{ "P1.T0.1", "worker", SEAM_THREAD_PARKED, 1, 0,
		  SEAM_MUTEX_LOCK, 1, 1, 0 },
		{ "P1.T0.2", "worker", SEAM_THREAD_HELD, 1, 0, SEAM_SEM_WAIT, 2,
		  3, 0 },
		{ "P1.T0.3", "reader", SEAM_THREAD_BLOCKED, 0, 0,
		  SEAM_MUTEX_LOCK, 0, 2, 0 },
		{ "P1.T0.4", "", SEAM_THREAD_RUNNING, 0, 0, 0, 0, 0, 0 },
		{ "P1.T0.5", "", SEAM_THREAD_NEW, 0, 0, 0, 0, 0, 0 },
		{ "P2.T0", "", SEAM_THREAD_EXITED, 0, 1, 0, 0, 0, 0 },
		{ "P2.T0.1", "left", SEAM_THREAD_RUNNING, 0, 1, 0, 0, 0, 0 },
	};
	const uint32_t n = sizeof(rows) / sizeof(rows[0]);

	for (uint32_t i = 0; i < n; i++) {
		struct seam_thread *t = &a->thread[i];

		strcpy(t->path, rows[i].path);
		strcpy(t->name, rows[i].name);
		atomic_store(&t->state, rows[i].state);
		atomic_store(&t->park, rows[i].park);
		t->proc = rows[i].proc;
		t->tid = getpid() + (int)i;
		t->born = i + 1;
		t->doing = (struct seam_doing){ .verb = rows[i].verb,
						.rule = rows[i].rule,
						.object = rows[i].object,
						.peer = rows[i].peer,
						.site = site(),
						.since = 1 };
	}
	atomic_store(&a->head.threads, n);
	atomic_store(&a->head.births, n);
	atomic_store(&a->proc[0].main, 1);
	atomic_store(&a->proc[1].main, 7);
	add_area(a->thread, n * sizeof(a->thread[0]));
}

static void
make_objects(struct seam_arena *a)
{
	const struct seam_object rows[] = {
		{ .addr = place(&free_mutex), .kind = SEAM_KIND_MUTEX },
		{ .addr = place(&taken_mutex),
		  .kind = SEAM_KIND_MUTEX,
		  .owner = 2,
		  .owner_site = site() },
		{ .addr = 64, .kind = SEAM_KIND_SEM, .name = 1 },
		{ .addr = 2049, .addr2 = 77, .kind = SEAM_KIND_FILE },
		{ .addr = 128,
		  .kind = SEAM_KIND_COND,
		  .init_site = site(),
		  .init_ordinal = 2 },
		{ .addr = 192,
		  .kind = SEAM_KIND_RWLOCK,
		  .first_thread = 2,
		  .first_ordinal = 1 },
		{ .addr = 64, .kind = SEAM_KIND_SEM, .proc = 1, .owner = 8 },
		{ .addr = 256, .kind = SEAM_KIND_SPIN, .dead = 1 },
	};
	const uint32_t n = sizeof(rows) / sizeof(rows[0]);

	memcpy(a->object, rows, sizeof(rows));
	memcpy(a->string + 1, "/jobs", 6);
	atomic_store(&a->head.objects, n);
	atomic_store(&a->head.strings, 7);
	add_area(a->object, sizeof(rows));
	add_area(a->string, 64);
}

static void
make_events(struct seam_arena *a)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct seam_ring *r = &a->ring[i];

		atomic_store(&r->thread, i + 2);
		atomic_store(&r->head, 3);
		for (uint32_t k = 0; k < 3; k++)
			r->record[k] = (struct seam_record){
				.time = 10 * k + i,
				.addr = place(&free_mutex),
				.site = site(),
				.object = k + 1,
				.verb = SEAM_MUTEX_LOCK,
				.moment = SEAM_AFTER,
			};
		add_area(r, offsetof(struct seam_ring, record[4]));
	}
	atomic_store(&a->head.rings, 2);
}

static void
count_event(const struct seam_event *e, void *data)
{
	DEMAND(e->proc && e->thread && e->thread_name && e->verb && e->fn &&
	       e->object && e->site);
	++*(unsigned *)data;
}

static void
arm(const char *text, const char *id)
{
	struct seam_error err = { .code = SEAM_OK };
	struct seam_selector sel;
	struct seam_words words;

	DEMAND(!seam_split(text, &words, &err));
	DEMAND(!seam_selector_parse(&words, 0, NULL, &sel, &err));
	DEMAND(!sess_pause(session, &sel, id, NULL, &err));
	seam_selector_free(&sel);
	seam_words_free(&words);
}

static void
make_all(void)
{
	static unsigned events;
	struct seam_arena *a;

	pthread_mutex_lock(&taken_mutex);
	session = fuzz_session();
	a = session->arena;
	fuzz_process(session, 0, "P1", false);
	fuzz_process(session, 1, "P2", true);
	session->process[0].alias = strdup("A");
	make_threads(a);
	make_objects(a);
	make_events(a);
	arm("mutex.lock obj=the_mutex thread=worker.2", "p");
	arm("sem.wait obj=sem:/jobs", "q");
	DEMAND(!seam_record(session, false, count_event, &events, NULL));
	add_area(&a->head, sizeof(a->head));
	for (int i = 0; i < 2; i++)
		add_area(&a->proc[i].state,
			 offsetof(struct seam_proc, buckets) -
			     offsetof(struct seam_proc, state));
	add_area(a->proc[0].buckets, 256);
	add_area(a->rule, 4 * sizeof(a->rule[0]));
	overlay_keep(areas, nareas);
}

/* Readers.  One of them at a time: that is what inputs are small for. */

static void
take_table(json_t *table)
{
	DEMAND(table);
	json_decref(table);
}

static void
look_tables(void)
{
	take_table(seam_table_procs(session));
	take_table(seam_table_threads(session));
	take_table(seam_table_rules(session));
	take_table(seam_table_left(session, 0));
}

static void
look_locks(void)
{
	take_table(seam_table_locks(session));
}

static void
look_events(void)
{
	seam_drain(session);
	seam_events_lost(session);
}

/* As the flight recorder does, whose rings are written over. */
static void
look_latest(void)
{
	session->each_last = 4;
	session->overwrites = true;
	seam_drain(session);
	session->each_last = 0;
	session->overwrites = false;
}

static void
look_sentences(void)
{
	char buf[1024];
	struct seam_text text = { .buf = buf, .size = sizeof(buf) };

	seam_lock(session);
	seam_everybody(session, &text, true);
	seam_unlock(session);
}

static void
look_names(void)
{
	static const char *const names[] = { "P1.T0.1", "worker", "worker.2",
					     "P*",	"A.T0.3", "left" };
	struct seam_error err;

	seam_lock(session);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		seam_thread_find_name(session, names[i], 1, &err);
	seam_process_find(session, "P2", 1, &err);
	seam_process_find(session, "P*", 1, &err);
	seam_unlock(session);
}

static void
look_wait(enum seam_wait_kind kind, const char *what)
{
	struct sess_wait w = { .kind = kind, .what = what };
	struct seam_error err = { .code = SEAM_OK };
	json_t *reply = json_object();

	seam_lock(session);
	if (!seam_wait_prepare(session, &w, &err))
		seam_wait_check(session, &w, reply, &err);
	seam_unlock(session);
	json_decref(reply);
}

static void
look_waits(void)
{
	look_wait(SEAM_WAIT_RULE, "p");
	look_wait(SEAM_WAIT_PARKED, "q");
	look_wait(SEAM_WAIT_BLOCKED, "P1.T0.3");
	look_wait(SEAM_WAIT_JOIN, NULL);
}

/* What `hold` and rules look for. */
static void
look_objects(void)
{
	static const char *const names[] = { "sem:/jobs", "P1.T0.1/rwlock#1",
					     "@0x40", "the_mutex" };
	struct seam_object_name name;
	struct seam_found found;
	struct seam_error err;

	seam_lock(session);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		DEMAND(!seam_object_parse(names[i], 1, &name, &err));
		seam_find(session, &session->process[0], &name, &found);
		seam_found_free(&found);
		seam_object_name_free(&name);
	}
	seam_rules_compile(session, &session->process[0], &err);
	seam_unlock(session);
}

/* P2 has crashed. */
static void
look_end(void)
{
	struct seam_process *p = &session->process[1];
	char *said;

	p->status_known = true;
	p->status = SIGSEGV;
	seam_lock(session);
	seam_note_end(session, p);
	seam_unlock(session);
	said = sess_crashes(session);
	free(said);
	seam_lock(session);
	seam_accounts_free(session);
	seam_unlock(session);
}

/* A full table is a matter of time alone, of which fuzzers have little;
 * tests/check_faults.c has those. */
static void
limit(_Atomic uint32_t *count)
{
	if (atomic_load(count) > 300)
		atomic_store(count, 300);
}

int
FUZZ_TARGET(arena)(const uint8_t *data, size_t size)
{
	static void (*const looks[])(void) = {
		look_tables,	look_locks, look_events,
		look_sentences, look_names, look_waits,
		look_objects,	look_end,   look_latest,
	};

	if (!session)
		make_all();
	if (size < 1)
		return 0;
	overlay_write(areas, nareas, data + 1, size - 1);
	seam_arena_damage(session->arena, session->opener);
	limit(&session->arena->head.threads);
	limit(&session->arena->head.objects);
	looks[*data % (sizeof(looks) / sizeof(looks[0]))]();
	overlay_restore(areas, nareas);
	fuzz_session_mend(session);
	return 0;
}
