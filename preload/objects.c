/* SPDX-License-Identifier: MIT */
/*
 * Objects' entries: one per address and kind in a process, found through the
 * process's buckets.  Entries are only ever added, at the head of a bucket
 * by compare-and-swap; an address used again keeps its entry, with a higher
 * generation.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core.h"

const char *
seam_string(uint32_t offset)
{
	return seam_arena->string + offset;
}

uint32_t
seam_keep_string(const char *s)
{
	uint32_t n = (uint32_t)strnlen(s, PATH_MAX) + 1;
	uint32_t at = atomic_fetch_add(&seam_arena->head.strings, n);

	if (at > SEAM_STRING_BYTES - n) {
		atomic_fetch_sub(&seam_arena->head.strings, n);
		atomic_fetch_add(&seam_arena->head.names_lost, 1);
		return 0;
	}
	memcpy(seam_arena->string + at, s, n - 1);
	return at;
}

static _Atomic uint32_t *
bucket_of(struct seam_proc *p, uint64_t addr, uint64_t addr2)
{
	uint64_t h = ((addr >> 3) ^ addr2) * UINT64_C(0x9e3779b97f4a7c15);

	return &p->buckets[(h >> 40) % SEAM_OBJECT_BUCKETS];
}

/* The newest entry of its bucket goes; nothing else is going on. */
void
seam_object_unlink(const struct seam_object *o)
{
	struct seam_proc *p = &seam_arena->proc[o->proc % SEAM_MAX_PROCS];
	_Atomic uint32_t *bucket = bucket_of(p, o->addr, o->addr2);

	if (atomic_load(bucket) == (uint32_t)(o - seam_arena->object) + 1)
		atomic_store(bucket, atomic_load(&o->next));
}

/* The entry in the chain that begins at `at`, up to `end`. */
static uint32_t
search(uint32_t at, uint32_t end, uint64_t addr, uint64_t addr2, uint8_t kind)
{
	while (at != end) {
		struct seam_object *o = &seam_arena->object[at - 1];

		if (o->addr == addr && o->addr2 == addr2 && o->kind == kind)
			return at;
		at = atomic_load_explicit(&o->next, memory_order_acquire);
	}
	return 0;
}

static struct seam_object *
allocate(void)
{
	uint32_t i = atomic_load(&seam_arena->head.objects);

	do {
		if (i >= SEAM_MAX_OBJECTS) {
			atomic_fetch_add(&seam_arena->head.objects_lost, 1);
			atomic_fetch_add(&seam_proc->locks_lost, 1);
			return NULL;
		}
	} while (!atomic_compare_exchange_weak(&seam_arena->head.objects, &i,
					       i + 1));
	return &seam_arena->object[i];
}

static uint32_t
object_index(const struct seam_object *o)
{
	return (uint32_t)(o - seam_arena->object) + 1;
}

static void
first_met(struct seam_object *o)
{
	struct seam_thread *t = seam_self.thread;

	o->first_thread = seam_thread_index(t) + 1;
	o->first_ordinal = ++t->met[o->kind];
}

static uint32_t
insert(uint64_t addr, uint64_t addr2, uint8_t kind, const struct seam_call *c)
{
	_Atomic uint32_t *bucket = bucket_of(seam_proc, addr, addr2);
	uint32_t head = atomic_load(bucket), end = 0, found;
	struct seam_object *o;

	if ((found = search(head, 0, addr, addr2, kind)))
		return found;
	if (!(o = allocate()))
		return 0;
	o->addr = addr;
	o->addr2 = addr2;
	o->kind = kind;
	o->proc = seam_proc_index();
	o->created_by = c->verb;
	first_met(o);
	for (;;) {
		atomic_store(&o->next, head);
		end = head;
		if (atomic_compare_exchange_strong(bucket, &head,
						   object_index(o)))
			return object_index(o);
		/* Somebody was faster; perhaps with the same object.  Ours
		 * then stays behind, unused. */
		if ((found = search(head, end, addr, addr2, kind))) {
			o->kind = SEAM_KIND_NONE;
			return found;
		}
	}
}

struct seam_object *
seam_object_find(struct seam_call *c)
{
	uint64_t addr = (uint64_t)(uintptr_t)c->ptr;
	uint8_t kind = seam_verbs[c->verb].kind;
	uint32_t i;

	if (c->object)
		return seam_object_of(c);
	if (kind == SEAM_KIND_FILE)
		return seam_file_find(c);
	if (!addr || kind == SEAM_KIND_THREAD || kind == SEAM_KIND_PROCESS ||
	    kind == SEAM_KIND_MODULE || kind == SEAM_KIND_POINT)
		return NULL;
	i = search(atomic_load_explicit(bucket_of(seam_proc, addr, 0),
					memory_order_acquire),
		   0, addr, 0, kind);
	if (!i && (i = insert(addr, 0, kind, c)))
		seam_bind(&seam_arena->object[i - 1]);
	c->object = i;
	return seam_object_of(c);
}

/* How many objects were made at this site, this one included. */
static uint32_t
count_site(uint64_t site)
{
	unsigned h =
	    (unsigned)(seam_granule_hash(site << 6) >> 40) % SEAM_SITE_COUNTERS;
	unsigned i;

	for (i = 0; i < SEAM_SITE_COUNTERS; i++) {
		unsigned at = (h + i) % SEAM_SITE_COUNTERS;
		uint64_t none = 0;

		if (atomic_load(&seam_proc->sites[at].site) == site ||
		    atomic_compare_exchange_strong(&seam_proc->sites[at].site,
						   &none, site) ||
		    none == site)
			return atomic_fetch_add(&seam_proc->sites[at].count,
						1) +
			       1;
	}
	atomic_fetch_add(&seam_arena->head.sites_lost, 1);
	return 0;
}

/* glibc hands out one address for every open of one named semaphore. */
static bool
same_name(const struct seam_object *o, const char *name)
{
	uint32_t at = atomic_load(&o->name);

	return at && name && !strcmp(seam_string(at), name);
}

void
seam_object_renew(struct seam_call *c)
{
	struct seam_object *o = seam_object_find(c);

	if (!o || (c->verb == SEAM_SEM_OPEN && same_name(o, c->name)))
		return;
	o->init_site = c->site;
	o->init_ordinal = count_site(c->site);
	o->acquired = o->contended = o->waited_ns = o->failed = 0;
	atomic_store(&o->owner, 0);
	atomic_store(&o->name, c->name ? seam_keep_string(c->name) : 0);
	atomic_store(&o->dead, 0);
	atomic_fetch_add(&o->generation, 1);
	seam_bind(o);
}

void
seam_object_name(void *ptr, const char *name)
{
	_Atomic uint32_t *bucket;
	uint32_t i;
	bool found = false;

	if (!seam_arena || !name || !seam_thread_self())
		return;
	bucket = bucket_of(seam_proc, (uint64_t)(uintptr_t)ptr, 0);
	for (i = atomic_load(bucket); i;
	     i = atomic_load(&seam_arena->object[i - 1].next)) {
		struct seam_object *o = &seam_arena->object[i - 1];

		if (o->addr != (uint64_t)(uintptr_t)ptr)
			continue;
		atomic_store(&o->name, seam_keep_string(name));
		seam_bind(o);
		found = true;
	}
	if (!found) {
		/* Not met yet: of what kind it is will be seen later. */
		struct seam_call c = { .verb = SEAM_MUTEX_INIT, .ptr = ptr };
		struct seam_object *o = seam_object_find(&c);

		if (o) {
			atomic_store(&o->name, seam_keep_string(name));
			seam_bind(o);
		}
	}
}

/* What the descriptor refers to, as the kernel names it. */
static bool
path_of(int fd, char *buf, size_t size)
{
	char link[40];
	long n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = seam_raw3(SYS_readlink, link, buf, size - 1);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	return true;
}

struct seam_object *
seam_file_find(struct seam_call *c)
{
	char path[PATH_MAX];
	struct stat st = { 0 };
	struct seam_object *o;
	uint32_t i;

	if (c->fd < 0 || seam_raw2(SYS_fstat, c->fd, &st) < 0)
		return NULL;
	/* Only what can be locked: closing sockets and pipes is not news. */
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return NULL;
	i = search(atomic_load(bucket_of(seam_proc, st.st_dev, st.st_ino)), 0,
		   st.st_dev, st.st_ino, SEAM_KIND_FILE);
	if (!i) {
		/* A close makes no entry: it drops no lock that we saw. */
		if (c->verb == SEAM_FILE_CLOSE ||
		    !path_of(c->fd, path, sizeof(path)))
			return NULL;
		i = insert(st.st_dev, st.st_ino, SEAM_KIND_FILE, c);
		if (!i)
			return NULL;
		o = &seam_arena->object[i - 1];
		if (!atomic_load(&o->name))
			atomic_store(&o->name, seam_keep_string(path));
		seam_bind(o);
	}
	c->object = i;
	return seam_object_of(c);
}

void
seam_objects_inherit(struct seam_proc *parent)
{
	struct seam_proc *p = seam_proc;
	unsigned b;

	for (b = 0; b < SEAM_OBJECT_BUCKETS; b++) {
		uint32_t i = atomic_load(&parent->buckets[b]);

		for (; i; i = atomic_load(&seam_arena->object[i - 1].next)) {
			const struct seam_object *from;
			struct seam_object *o = allocate();

			if (!o)
				continue; /* and is counted */
			from = &seam_arena->object[i - 1];
			memcpy(o, from, sizeof(*o));
			o->proc = seam_proc_index();
			atomic_store(&o->owner, 0);
			atomic_store(&o->next, atomic_load(&p->buckets[b]));
			atomic_store(&p->buckets[b], object_index(o));
		}
	}
	for (b = 0; b < SEAM_SITE_COUNTERS; b++) {
		p->sites[b].site = parent->sites[b].site;
		p->sites[b].count = parent->sites[b].count;
	}
}
