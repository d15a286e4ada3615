/* SPDX-License-Identifier: MIT */
/*
 * What an uncontended call costs in each gear of the gate, beside the same
 * call made straight to libc, in one process that is a target:
 *
 *	seam run -- bench/gate [ROUNDS [PAIRS]]
 *
 * The gears are switched over the session's own socket.  Each round goes
 * through all of them, with a block of native pairs beside each block of
 * pairs through the gate, the same code with other function pointers; a
 * ratio is the median of the rounds' ratios.  A second thread exists, so
 * that libc takes no short cut for processes of one thread.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdalign.h>
#include <stdarg.h>

#include "bench.h"

#define MAX_ROUNDS 1000
#define OTHERS 32 /* objects, and sites, with a rule each */
#define MUTEXES 8

struct functions {
	int (*lock)(pthread_mutex_t *m);
	int (*unlock)(pthread_mutex_t *m);
	int (*wait)(sem_t *s);
	int (*post)(sem_t *s);
	int (*fcntl)(int fd, int cmd, ...);
};

/* A mutex, and another one in the same 64 bytes, as in an array of them. */
struct lane {
	alignas(64) pthread_mutex_t m;
	pthread_mutex_t neighbour;
};

struct bench {
	struct functions native, hooked;
	struct bench_client session;
	struct lane lane[MUTEXES];
	sem_t sem;
	int file;
	unsigned rounds, pairs;
	char lines[16384]; /* commands to be sent in one go */
	unsigned commands;
};

static pthread_mutex_t other[OTHERS];

/* --- functions that lock, and are never called ---------------------------- */

#define NEVER(n)                                                               \
	__attribute__((noinline, used)) void never_##n(void);                  \
	void never_##n(void)                                                   \
	{                                                                      \
		pthread_mutex_lock(&other[n]);                                 \
		pthread_mutex_unlock(&other[n]);                               \
	}                                                                      \
	_Static_assert(n < OTHERS, "")

NEVER(0);
NEVER(1);
NEVER(2);
NEVER(3);
NEVER(4);
NEVER(5);
NEVER(6);
NEVER(7);
NEVER(8);
NEVER(9);
NEVER(10);
NEVER(11);
NEVER(12);
NEVER(13);
NEVER(14);
NEVER(15);
NEVER(16);
NEVER(17);
NEVER(18);
NEVER(19);
NEVER(20);
NEVER(21);
NEVER(22);
NEVER(23);
NEVER(24);
NEVER(25);
NEVER(26);
NEVER(27);
NEVER(28);
NEVER(29);
NEVER(30);
NEVER(31);

/* --- the work ------------------------------------------------------------- */

/* Returns how many calls failed: none should. */
typedef int work(const struct functions *f, struct bench *b, unsigned lane,
		 unsigned pairs);

/* Aligned: no granule of the filters is shared with a function above. */
__attribute__((noinline, aligned(64))) static int
mutex_pairs(const struct functions *f, struct bench *b, unsigned lane,
	    unsigned pairs)
{
	int (*lock)(pthread_mutex_t * m) = f->lock;
	int (*unlock)(pthread_mutex_t * m) = f->unlock;
	pthread_mutex_t *m = &b->lane[lane].m;
	int bad = 0;

	while (pairs-- > 0) {
		bad |= lock(m);
		bad |= unlock(m);
	}
	return bad;
}

__attribute__((noinline, aligned(64))) static int
sem_pairs(const struct functions *f, struct bench *b, unsigned lane,
	  unsigned pairs)
{
	int (*wait)(sem_t * s) = f->wait;
	int (*post)(sem_t * s) = f->post;
	sem_t *s = &b->sem;
	int bad = 0;

	(void)lane;
	while (pairs-- > 0) {
		bad |= wait(s);
		bad |= post(s);
	}
	return bad;
}

__attribute__((noinline, aligned(64))) static int
fcntl_pairs(const struct functions *f, struct bench *b, unsigned lane,
	    unsigned pairs)
{
	int (*lock)(int fd, int cmd, ...) = f->fcntl;
	struct flock on = { .l_type = F_WRLCK,
			    .l_whence = SEEK_SET,
			    .l_len = 1 };
	struct flock off = { .l_type = F_UNLCK,
			     .l_whence = SEEK_SET,
			     .l_len = 1 };
	int fd = b->file, bad = 0;

	(void)lane;
	while (pairs-- > 0) {
		bad |= lock(fd, F_SETLK, &on);
		bad |= lock(fd, F_SETLK, &off);
	}
	return bad;
}

/* --- gears ---------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void
add(struct bench *b, const char *fmt, ...)
{
	size_t n = strlen(b->lines);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(b->lines + n, sizeof(b->lines) - n - 1, fmt, ap);
	va_end(ap);
	strcat(b->lines, "\n");
	b->commands++;
}

static void
send_lines(struct bench *b)
{
	bench_write(b->session.fd, b->lines, strlen(b->lines));
	bench_replies(&b->session, b->commands);
	b->lines[0] = '\0';
	b->commands = 0;
}

static void
nothing(struct bench *b, unsigned lane)
{
	(void)b;
	(void)lane;
}

static void
rules_on(struct bench *b, unsigned lane)
{
	unsigned i;

	(void)lane;
	for (i = 0; i < OTHERS; i++) {
		add(b, "pause mutex.lock obj=@%#lx", (unsigned long)&other[i]);
		add(b, "pause mutex.lock at=never_%u", i);
	}
	send_lines(b);
}

static void
neighbour_on(struct bench *b, unsigned lane)
{
	add(b, "pause mutex.* obj=@%#lx",
	    (unsigned long)&b->lane[lane].neighbour);
	send_lines(b);
}

static void
thread_on(struct bench *b, unsigned lane)
{
	(void)lane;
	add(b, "pause mutex.* thread=nobody");
	send_lines(b);
}

static void
rules_off(struct bench *b, unsigned lane)
{
	(void)lane;
	bench_command(&b->session, "delete all");
}

static void
record_on(struct bench *b, unsigned lane)
{
	(void)lane;
	bench_command(&b->session, "record on");
}

static void
record_off(struct bench *b, unsigned lane)
{
	(void)lane;
	bench_command(&b->session, "record off");
}

static void
watch_on(struct bench *b, unsigned lane)
{
	(void)lane;
	bench_command(&b->session, "watch on");
}

static void
watch_off(struct bench *b, unsigned lane)
{
	(void)lane;
	bench_command(&b->session, "watch off");
}

typedef void gear(struct bench *b, unsigned lane);

/*
 * In bursts: then comes a nap, as programs do that do not only lock, which
 * does not count, neither for the native pairs.
 */
#define BURST 400

static const struct row {
	const char *what;
	gear *on, *off;
	work *work;
	unsigned share; /* pairs are divided by it */
	unsigned burst; /* pairs between naps; 0: none */
	double target;	/* 0: none, the figure is for information */
} rows[] = {
	{ "mutex, passive", nothing, nothing, mutex_pairs, 1, 0, 1.25 },
	{ "mutex, 64 rules, none matching", rules_on, rules_off, mutex_pairs, 1,
	  0, 1.6 },
	{ "mutex, events recorded, in bursts", record_on, record_off,
	  mutex_pairs, 1, BURST, 1.8 },
	{ "mutex, events recorded, without a pause", record_on, record_off,
	  mutex_pairs, 1, 0, 0 },
	{ "mutex, watched", watch_on, watch_off, mutex_pairs, 1, 0, 0 },
	{ "mutex, one rule, for its neighbour within 64 bytes", neighbour_on,
	  rules_off, mutex_pairs, 1, 0, 0 },
	{ "mutex, one rule, for any mutex in another thread", thread_on,
	  rules_off, mutex_pairs, 1, 0, 0 },
	{ "sem_wait + sem_post, passive", nothing, nothing, sem_pairs, 1, 0,
	  1.1 },
	{ "fcntl F_SETLK + F_UNLCK, passive", nothing, nothing, fcntl_pairs, 20,
	  0, 1.05 },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* --- rounds --------------------------------------------------------------- */

struct figures {
	double native[MAX_ROUNDS], hooked[MAX_ROUNDS], ratio[MAX_ROUNDS];
	unsigned long lost;
};

static void
nap(void)
{
	struct timespec ts = { .tv_nsec = 1000000 };

	nanosleep(&ts, NULL);
}

static double
timed_block(struct bench *b, const struct row *r, const struct functions *f,
	    unsigned lane, unsigned pairs)
{
	double begin = bench_now();

	if (r->work(f, b, lane, pairs) != 0)
		errx(1, "%s: a call failed", r->what);
	return bench_now() - begin;
}

/* Nanoseconds a pair. */
static double
timed(struct bench *b, const struct row *r, const struct functions *f,
      unsigned lane)
{
	unsigned pairs = b->pairs / r->share, done;
	unsigned block = r->burst ? r->burst : pairs;
	double ns = 0;

	timed_block(b, r, f, lane, block / 20 + 1);
	for (done = 0; done < pairs; done += block) {
		if (r->burst)
			nap();
		ns += timed_block(b, r, f, lane, block);
	}
	return ns / done;
}

/* How many events the rings had no room for until now. */
static unsigned long
lost_events(struct bench *b)
{
	static const char key[] = "events_lost=";
	char line[4096], *lost;

	bench_write(b->session.fd, "stats\n", strlen("stats\n"));
	do
		bench_read_line(&b->session, line, sizeof(line));
	while (strncmp(line, "ok", 2) != 0 && strncmp(line, "err", 3) != 0);
	lost = strstr(line, key);
	if (!lost)
		errx(1, "no %s in: %s", key, line);
	return strtoul(lost + strlen(key), NULL, 10);
}

static void
one_round(struct bench *b, const struct row *r, struct figures *v, unsigned i)
{
	unsigned long lost = lost_events(b);
	unsigned lane = i % MUTEXES;

	r->on(b, lane);
	if (i % 2)
		v->native[i] = timed(b, r, &b->native, lane);
	v->hooked[i] = timed(b, r, &b->hooked, lane);
	if (!(i % 2))
		v->native[i] = timed(b, r, &b->native, lane);
	r->off(b, lane);
	v->ratio[i] = v->hooked[i] / v->native[i];
	v->lost += lost_events(b) - lost;
}

static void
print_row(const struct row *r, struct figures *v, unsigned rounds)
{
	double ratio = bench_median(v->ratio, rounds);

	bench_row(r->what, "ns", bench_median(v->native, rounds),
		  bench_median(v->hooked, rounds), ratio, r->target);
}

static void
print_lost(const struct bench *b, const struct row *r, const struct figures *v)
{
	if (r->on == record_on)
		printf("%s: %.1f %% of the events lost, for lack of room in "
		       "the ring.\n",
		       r->what,
		       100.0 * (double)v->lost /
			   (2.0 * (double)b->rounds * (double)b->pairs));
}

/* --- setting up ----------------------------------------------------------- */

/* A function pointer is no object pointer in ISO C. */
static void
find(void *handle, const char *name, void *slot)
{
	void *p = dlsym(handle, name);

	if (!p)
		errx(1, "%s: %s", name, dlerror());
	memcpy(slot, &p, sizeof(p));
}

static void
find_all(void *handle, struct functions *f)
{
	find(handle, "pthread_mutex_lock", &f->lock);
	find(handle, "pthread_mutex_unlock", &f->unlock);
	find(handle, "sem_wait", &f->wait);
	find(handle, "sem_post", &f->post);
	find(handle, "fcntl", &f->fcntl);
}

static void *
idle(void *data)
{
	const int *fd = data;
	char c;

	if (read(*fd, &c, 1) < 0)
		err(1, "read");
	return NULL;
}

static void
open_session(struct bench *b)
{
	const char *path = getenv("SEAM_SOCKET");
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	if (!libc)
		errx(1, "libc.so.6: %s", dlerror());
	find_all(libc, &b->native);
	find_all(RTLD_DEFAULT, &b->hooked);
	if (!path || b->native.lock == b->hooked.lock)
		errx(2, "no target: run me by `seam run -- %s`",
		     program_invocation_name);
	bench_dial(&b->session, path);
	bench_command(&b->session, "watch off");
}

static void
open_objects(struct bench *b)
{
	char name[] = "/tmp/seam-bench-XXXXXX";
	unsigned i;

	for (i = 0; i < MUTEXES; i++) {
		pthread_mutex_init(&b->lane[i].m, NULL);
		pthread_mutex_init(&b->lane[i].neighbour, NULL);
	}
	if (sem_init(&b->sem, 0, 1) != 0)
		err(1, "sem_init");
	b->file = mkstemp(name);
	if (b->file < 0)
		err(1, "%s", name);
	unlink(name);
}

static unsigned
number(const char *text, unsigned max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || n == 0 || n > max)
		errx(2, "%s: not a number from 1 to %u", text, max);
	return (unsigned)n;
}

int
main(int argc, char *argv[])
{
	static struct bench b = { .rounds = 40, .pairs = 20000 };
	static struct figures v[ROWS];
	pthread_t second;
	int ends[2];
	unsigned i;
	size_t r;

	if (argc > 1)
		b.rounds = number(argv[1], MAX_ROUNDS);
	if (argc > 2)
		b.pairs = number(argv[2], 10000000);
	open_session(&b);
	open_objects(&b);
	if (pipe(ends) != 0 || pthread_create(&second, NULL, idle, ends) != 0)
		errx(1, "no second thread");
	/* Whoever drains the rings is better off on another one. */
	bench_pin(bench_cpu(1));
	for (i = 0; i < b.rounds; i++)
		for (r = 0; r < ROWS; r++)
			one_round(&b, &rows[r], &v[r], i);
	for (r = 0; r < ROWS; r++)
		print_row(&rows[r], &v[r], b.rounds);
	for (r = 0; r < ROWS; r++)
		print_lost(&b, &rows[r], &v[r]);
	return 0;
}
