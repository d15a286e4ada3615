/* SPDX-License-Identifier: MIT */
/*
 * A run's objects.  What lies in a module's writable segment is known by its
 * place in the module, wherever that is loaded; anything else by who
 * initialised or met it first, and as its how-manieth.  An object that
 * processes share is one: known by the file behind the mapping, and the place
 * in it.
 */
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "../env.h"
#include "sched.h"

#define SEGMENTS 256

static struct {
	uint64_t lo, hi;
	uint64_t base, module; /* where it is loaded, a hash of its name */
} segment[SEGMENTS];
static unsigned segments;

static int
note_segments(struct dl_phdr_info *info, size_t size, void *data)
{
	unsigned i;

	(void)size;
	(void)data;
	for (i = 0; i < info->dlpi_phnum && segments < SEGMENTS; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_W))
			continue;
		segment[segments].lo = info->dlpi_addr + p->p_vaddr;
		segment[segments].hi = segment[segments].lo + p->p_memsz;
		segment[segments].base = info->dlpi_addr;
		segment[segments].module = seam_key_of(info->dlpi_name);
		segments++;
	}
	return 0;
}

void
seam_sobjects_modules(void)
{
	segments = 0;
	dl_iterate_phdr(note_segments, NULL);
}

void
seam_sobjects_init(void)
{
	seam_sobjects_modules();
}

/* 0: it is no static object. */
static uint64_t
static_key(uint64_t addr)
{
	unsigned i;

	for (i = 0; i < segments; i++)
		if (addr >= segment[i].lo && addr < segment[i].hi)
			return seam_stir(segment[i].module,
					 addr - segment[i].base);
	return 0;
}

/* Its attribute says that processes share it. */
static bool
says_shared(const struct seam_call *c)
{
	const pthread_mutex_t *m = c->ptr;
	const pthread_rwlock_t *l = c->ptr;
	const pthread_cond_t *cond = c->ptr;
	const unsigned *word = c->ptr;

	switch (seam_verbs[c->verb].kind) {
	case SEAM_KIND_MUTEX:
		return m->__data.__kind & 128;
	case SEAM_KIND_RWLOCK:
		return l->__data.__shared != 0;
	case SEAM_KIND_COND:
		return cond->__data.__wrefs & 1;
	case SEAM_KIND_SEM:
		return word[2] != 0;
	case SEAM_KIND_BARRIER:
		return word[3] != 0;
	case SEAM_KIND_FUTEX:
		return true;
	default:
		return false;
	}
}

/* What is mapped at `addr`, if processes share it: file and place. */
static bool
shared_at(uint64_t addr, uint64_t *file, uint64_t *place)
{
	char buf[4096], *line, *end;
	long fd = seam_raw3(SYS_open, "/proc/self/maps", 0, 0), n;
	size_t have = 0;

	if (fd < 0)
		return false;
	while ((n = seam_raw3(SYS_read, fd, buf + have,
			      sizeof(buf) - 1 - have)) > 0) {
		have += (size_t)n;
		buf[have] = '\0';
		for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
			uint64_t lo, hi, off, inode;
			unsigned major, minor;
			char perms[5];

			if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &lo, &hi,
				   perms, &off, &major, &minor, &inode) != 7 ||
			    addr < lo || addr >= hi)
				continue;
			if (perms[3] != 's')
				goto out;
			*file = seam_stir((uint64_t)major << 32 | minor, inode);
			*place = addr - lo + off;
			seam_raw1(SYS_close, fd);
			return true;
		}
		have = strlen(line);
		memmove(buf, line, have);
	}
out:
	seam_raw1(SYS_close, fd);
	return false;
}

static uint32_t *
bucket_of(uint64_t id, uint64_t id2)
{
	uint64_t h = ((id >> 3) ^ id2) * UINT64_C(0x9e3779b97f4a7c15);

	return &seam_sched()->bucket[(h >> 40) % SEAM_SOBJECT_BUCKETS];
}

uint32_t *
seam_sobject_bucket(const struct seam_sobject *o)
{
	return bucket_of(o->id, o->id2);
}

static uint32_t
search(uint64_t id, uint64_t id2, uint8_t kind, uint16_t proc)
{
	uint32_t i = *bucket_of(id, id2);

	for (; i; i = seam_sobject_at(i)->next) {
		const struct seam_sobject *o = seam_sobject_at(i);

		if (o->id == id && o->id2 == id2 && o->kind == kind &&
		    (o->proc == proc || !o->proc))
			return i;
	}
	return 0;
}

/* The scratch directory is another one each time; what lies in it is not. */
static uint64_t
key_of_file(const struct seam_sobject *o)
{
	const char *path = seam_string(seam_arena->object[o->entry - 1].name);
	const char *scratch = seam_env_get(environ, "SEAM_SCRATCH");
	size_t n = scratch ? strlen(scratch) : 0;

	if (n && !strncmp(path, scratch, n))
		path += n;
	return seam_key_of(path);
}

static uint64_t
key_of(struct seam_slot *slot, const struct seam_sobject *o)
{
	uint64_t h = seam_stir(o->kind, o->proc ? seam_proc_key : 0), place;

	if (o->kind == SEAM_KIND_FILE && o->entry)
		return seam_stir(h, key_of_file(o));
	/* A pipe's number is another one each time. */
	if (!o->proc && o->kind != SEAM_KIND_DESCRIPTOR)
		return seam_stir(h, o->id2);
	place = o->proc ? static_key(o->id) : 0;
	if (place)
		return seam_stir(h, place);
	return seam_stir(seam_stir(h, slot->key), ++slot->met);
}

static uint32_t
insert(struct seam_slot *slot, struct seam_call *c, uint64_t id, uint64_t id2,
       uint16_t proc)
{
	struct seam_sched *s = seam_sched();
	uint32_t *bucket = bucket_of(id, id2);
	struct seam_sobject *o;

	if (s->sobjects >= SEAM_SOBJECTS)
		seam_run_end(SEAM_VERDICT_FULL, slot, "more than %u objects",
			     SEAM_SOBJECTS);
	o = &s->sobject[s->sobjects++];
	*o = (struct seam_sobject){ .id = id,
				    .id2 = id2,
				    .proc = proc,
				    .kind = seam_verbs[c->verb].kind,
				    .next = *bucket };
	seam_object_find(c);
	o->entry = c->object;
	o->key = key_of(slot, o);
	*bucket = s->sobjects;
	return s->sobjects;
}

static uint32_t
find(struct seam_slot *slot, struct seam_call *c, uint64_t id, uint64_t id2,
     uint16_t proc)
{
	uint8_t kind = seam_verbs[c->verb].kind;
	uint32_t i = search(id, id2, kind, proc);

	return i ? i : insert(slot, c, id, id2, proc);
}

static uint32_t
find_in_memory(struct seam_slot *slot, struct seam_call *c)
{
	uint64_t addr = (uint64_t)(uintptr_t)c->ptr, file, place;
	uint16_t proc = (uint16_t)(seam_proc_index() + 1);
	uint32_t i = search(addr, 0, seam_verbs[c->verb].kind, proc);

	if (i || !says_shared(c))
		return i ? i : insert(slot, c, addr, 0, proc);
	if (!shared_at(addr, &file, &place))
		return insert(slot, c, addr, 0, proc);
	return find(slot, c, file, place, 0);
}

uint32_t
seam_sobject_find(struct seam_slot *slot, struct seam_call *c)
{
	const struct seam_object *o;

	switch (seam_verbs[c->verb].kind) {
	case SEAM_KIND_FILE:
		if (!(o = seam_file_find(c)))
			return 0;
		return find(slot, c, o->addr, o->addr2, 0);
	case SEAM_KIND_POINT:
		return find(slot, c, 0, seam_key_of(c->name ? c->name : ""), 0);
	case SEAM_KIND_DESCRIPTOR:
		return c->off ? find(slot, c, c->off, c->len, 0) : 0;
	case SEAM_KIND_THREAD:
	case SEAM_KIND_PROCESS:
	case SEAM_KIND_MODULE:
	case SEAM_KIND_CLOCK:
		return 0;
	default:
		return c->ptr ? find_in_memory(slot, c) : 0;
	}
}
