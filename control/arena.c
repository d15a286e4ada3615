/* SPDX-License-Identifier: MIT */
#include "arena_ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void
seam_futex_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t until)
{
	struct timespec ts = {
		.tv_sec = (time_t)(until / 1000000000),
		.tv_nsec = (long)(until % 1000000000),
	};

	syscall(SYS_futex, word, FUTEX_WAIT_BITSET, seen,
		until == SEAM_FOREVER ? NULL : &ts, NULL,
		FUTEX_BITSET_MATCH_ANY);
}

void
seam_futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void *
seam_pages_new(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void
seam_pages_free(void *pages, size_t bytes)
{
	if (pages)
		munmap(pages, bytes);
}

static void
fill_head(struct seam_arena *a)
{
	a->head.magic = SEAM_ARENA_MAGIC;
	a->head.version = SEAM_ARENA_VERSION;
	a->head.head_size = (uint32_t)(sizeof(*a) / SEAM_PAGE);
	a->head.size = sizeof(*a);
	a->head.controller = getpid();
	atomic_store(&a->head.strings, 1);
	atomic_store(&a->head.life, SEAM_LIFE_LIVE);
}

/* SIGXFSZ, where a file must not be that large, would be the end of us. */
static int
set_size(int fd, off_t size)
{
	const struct timespec none = { .tv_sec = 0 };
	sigset_t xfsz, old;
	int r, err;

	sigemptyset(&xfsz);
	sigaddset(&xfsz, SIGXFSZ);
	pthread_sigmask(SIG_BLOCK, &xfsz, &old);
	r = ftruncate(fd, size);
	err = errno;
	if (r && err == EFBIG && !sigismember(&old, SIGXFSZ))
		sigtimedwait(&xfsz, NULL, &none);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return r;
}

int
seam_arena_new(struct seam_arena **arena, int *out)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct seam_arena *a;
	int err, fd;

	fd = memfd_create("seam-arena", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (set_size(fd, sizeof(*a)) || fcntl(fd, F_ADD_SEALS, seals))
		goto fail;
	a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (a == MAP_FAILED)
		goto fail;
	madvise(a, sizeof(*a), MADV_DONTDUMP);
	fill_head(a);
	*arena = a;
	*out = fd;
	return 0;
fail:
	err = errno;
	close(fd);
	return -err;
}

void
seam_arena_free(struct seam_arena *arena, int fd)
{
	if (arena)
		munmap(arena, sizeof(*arena));
	if (fd >= 0)
		close(fd);
}

const char *
seam_arena_damage(struct seam_arena *a, pid_t controller)
{
	struct seam_head *h = &a->head;

	if (h->magic != SEAM_ARENA_MAGIC)
		return "its magic number";
	if (h->version != SEAM_ARENA_VERSION)
		return "its version";
	if (h->size != sizeof(*a) || h->head_size != sizeof(*a) / SEAM_PAGE)
		return "its size";
	if (h->controller != controller)
		return "the controller's pid";
	if (atomic_load(&h->life) != SEAM_LIFE_LIVE)
		return "its life word";
	if (atomic_load(&h->procs) > SEAM_MAX_PROCS)
		return "the count of processes";
	if (atomic_load(&h->threads) > SEAM_MAX_THREADS)
		return "the count of threads";
	if (atomic_load(&h->objects) > SEAM_MAX_OBJECTS)
		return "the count of objects";
	if (atomic_load(&h->rings) > SEAM_MAX_RINGS)
		return "the count of rings";
	if (atomic_load(&h->execs) > SEAM_MAX_EXECS)
		return "the count of programs";
	if (atomic_load(&h->strings) > SEAM_STRING_BYTES)
		return "the count of strings";
	return NULL;
}

static unsigned
bounded(_Atomic uint32_t *count, unsigned max)
{
	uint32_t n = atomic_load(count);

	return n < max ? n : max;
}

unsigned
seam_arena_procs(struct seam_arena *a)
{
	return bounded(&a->head.procs, SEAM_MAX_PROCS);
}

unsigned
seam_arena_threads(struct seam_arena *a)
{
	return bounded(&a->head.threads, SEAM_MAX_THREADS);
}

unsigned
seam_arena_objects(struct seam_arena *a)
{
	return bounded(&a->head.objects, SEAM_MAX_OBJECTS);
}

void
seam_arena_let_go(struct seam_arena *a)
{
	unsigned n;

	atomic_store(&a->head.life, SEAM_LIFE_FREE);
	seam_futex_wake(&a->head.life);
	n = seam_arena_threads(a);
	for (unsigned i = 0; i < n; i++) {
		struct seam_thread *t = &a->thread[i];

		if (atomic_load(&t->park) != 1)
			continue;
		atomic_store(&t->park, 0);
		seam_futex_wake(&t->park);
	}
	atomic_fetch_add(&a->head.bell, 1);
	seam_futex_wake(&a->head.bell);
	atomic_fetch_add(&a->head.door, 1);
	seam_futex_wake(&a->head.door);
	for (unsigned i = 0; i < seam_arena_procs(a); i++)
		seam_futex_wake(&a->proc[i].ack);
}

/* A hole reads as zeroes; where the kernel makes none, zeroes are written. */
static void
punch(struct seam_arena *a, int fd, size_t from, size_t bytes)
{
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)from, (off_t)bytes))
		memset((unsigned char *)a + from, 0, bytes);
}

void
seam_arena_zero_proc(struct seam_arena *a, int fd, unsigned proc)
{
	punch(a, fd,
	      offsetof(struct seam_arena, proc[0]) +
		  proc * sizeof(struct seam_proc),
	      sizeof(struct seam_proc));
}

void
seam_arena_reset_proc(struct seam_arena *a, int fd, unsigned proc)
{
	const size_t rest = offsetof(struct seam_proc, buckets);
	struct seam_gate *g = &a->proc[proc].gate;

	atomic_store(&g->armed, 0);
	atomic_store(&g->mode, 0);
	for (size_t i = 0; i < SEAM_VERB_WORDS; i++)
		atomic_store(&g->wild[i], 0);
	punch(a, fd,
	      offsetof(struct seam_arena, proc[0]) +
		  proc * sizeof(struct seam_proc) +
		  offsetof(struct seam_gate, objects),
	      sizeof(*g) - offsetof(struct seam_gate, objects));
	punch(a, fd,
	      offsetof(struct seam_arena, proc[0]) +
		  proc * sizeof(struct seam_proc) + rest,
	      sizeof(struct seam_proc) - rest);
}

/* Decimal into buf, between `before` and `after`. */
static void
put_number(char *buf, const char *before, uint64_t n, const char *after)
{
	char digits[24];
	size_t len = 0;

	do
		digits[len++] = (char)('0' + n % 10);
	while (n /= 10);
	while (*before)
		*buf++ = *before++;
	while (len > 0)
		*buf++ = digits[--len];
	while ((*buf++ = *after++) != '\0')
		;
}

int
seam_maps_has(pid_t pid, ino_t inode)
{
	char path[40], needle[32], buf[4096 + sizeof(needle)];
	size_t len, keep = 0;
	ssize_t n;
	int fd, found = 0;

	put_number(path, "/proc/", (uint64_t)pid, "/maps");
	put_number(needle, " ", inode, " ");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while ((n = read(fd, buf + keep, 4096)) > 0 && !found) {
		len = keep + (size_t)n;
		found = memmem(buf, len, needle, strlen(needle)) != NULL;
		keep = len < strlen(needle) ? len : strlen(needle);
		memmove(buf, buf + len - keep, keep);
	}
	close(fd);
	return n < 0 ? -1 : found;
}
