/* SPDX-License-Identifier: MIT */
/*
 * What it costs to wait for a thread that parks and to let it go on, beside
 * the raw round trips of the kernel's means that this is made of:
 *
 *	bench/roundtrip VICTIM		(SEAM_COMMAND and SEAM_PRELOAD set)
 *
 * Each way is tried by a runner, a process of its own that is set up once
 * and then runs a block of cycles whenever it is told to, so that blocks of
 * all ways alternate.  Every way exists twice: with both sides on one core,
 * and on two.  A ratio is the median of the rounds' ratios.
 */
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "bench.h"
#include "session_int.h"

#define ROUNDS 25
#define CYCLES 400
#define SELECTOR "mutex.lock at=take"

/* The two sides of a round trip: `near` drives and measures. */
struct place {
	const char *name;
	int near, far;
};

static const char *victim;

/* --- helpers -------------------------------------------------------------- */

static void
end_child(pid_t pid, int sig)
{
	kill(pid, sig);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* --- raw futex: two words, one for each direction ------------------------- */

struct words {
	_Atomic uint32_t ping __attribute__((aligned(64)));
	_Atomic uint32_t pong __attribute__((aligned(64)));
};

struct futex_trip {
	struct words *w;
	uint32_t turn;
};

static void
echo_words(struct words *w)
{
	uint32_t turn = 0;

	for (;;) {
		while (atomic_load(&w->ping) == turn)
			wait_word(&w->ping, turn);
		turn++;
		atomic_store(&w->pong, turn);
		wake_word(&w->pong);
	}
}

static void *
futex_open(const struct place *p)
{
	static struct futex_trip trip;

	trip.w = mmap(NULL, sizeof(*trip.w), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (trip.w == MAP_FAILED)
		err(1, "mmap");
	if (bench_fork(p->far) == 0)
		echo_words(trip.w);
	return &trip;
}

static void
futex_cycle(void *data)
{
	struct futex_trip *t = data;
	uint32_t before = t->turn++;

	atomic_store(&t->w->ping, t->turn);
	wake_word(&t->w->ping);
	while (atomic_load(&t->w->pong) == before)
		wait_word(&t->w->pong, before);
}

/* --- raw Unix socket: a line there, a line back --------------------------- */

#define REQUEST "wait p\n"
#define REPLY                                                                  \
	"ok id=p thread=P1.T0.1 op=mutex.lock obj=turn at=\"take victim.c\"\n"

/* Blocks until a whole line has come; lines never come two at a time. */
static bool
take_line(int fd)
{
	char buf[256];
	ssize_t n;

	do
		n = read(fd, buf, sizeof(buf));
	while (n > 0 && buf[n - 1] != '\n');
	return n > 0;
}

static void
echo_lines(int fd)
{
	while (take_line(fd))
		bench_write(fd, REPLY, strlen(REPLY));
	_exit(0);
}

static void *
socket_open(const struct place *p)
{
	static int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		err(1, "socketpair");
	if (bench_fork(p->far) == 0)
		echo_lines(ends[1]);
	return &ends[0];
}

static void
socket_cycle(void *data)
{
	int fd = *(int *)data;

	bench_write(fd, REQUEST, strlen(REQUEST));
	if (!take_line(fd))
		errx(1, "the other end is gone");
}

/* --- seam by its socket --------------------------------------------------- */

struct served {
	struct bench_client client;
	char dir[32], path[48];
	pid_t controller, target;
};

static struct served served;

static const char *
needed(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		errx(2, "%s is not set", name);
	return value;
}

static void
exec_controller(const char *path)
{
	const char *command = needed("SEAM_COMMAND");

	execl(command, command, "serve", "-S", path, (char *)NULL);
	err(1, "%s", command);
}

static void
exec_target(const char *path)
{
	setenv("LD_PRELOAD", needed("SEAM_PRELOAD"), 1);
	setenv("SEAM_SOCKET", path, 1);
	setenv("SEAM_JOIN", "only", 1);
	execl(victim, victim, (char *)NULL);
	err(1, "%s", victim);
}

/* The controller has just been started: until it listens. */
static void
await_socket(const char *path)
{
	struct timespec nap = { .tv_nsec = 5000000 };
	int tries = 1000;

	while (access(path, F_OK) != 0 && --tries > 0)
		nanosleep(&nap, NULL);
}

static void *
served_open(const struct place *p)
{
	struct served *s = &served;

	strcpy(s->dir, "/tmp/seam-bench-XXXXXX");
	if (!mkdtemp(s->dir))
		err(1, "%s", s->dir);
	snprintf(s->path, sizeof(s->path), "%s/s", s->dir);
	s->controller = bench_fork(p->far);
	if (s->controller == 0)
		exec_controller(s->path);
	await_socket(s->path);
	bench_dial(&s->client, s->path);
	bench_command(&s->client, "pause " SELECTOR " as=p");
	s->target = bench_fork(p->near);
	if (s->target == 0)
		exec_target(s->path);
	bench_command(&s->client, "wait p");
	bench_command(&s->client, "release p");
	return s;
}

static void
served_cycle(void *data)
{
	static const char lines[] = "wait p\nrelease p\n";
	struct served *s = data;

	bench_write(s->client.fd, lines, sizeof(lines) - 1);
	bench_replies(&s->client, 2);
}

static void
served_close(void *data)
{
	struct served *s = data;

	end_child(s->target, SIGKILL);
	end_child(s->controller, SIGTERM);
	rmdir(s->dir);
}

/* --- seam through its memory ---------------------------------------------- */

struct driven {
	struct seam_session *session;
	uint32_t serial; /* of the last arrival, for bare_cycle */
};

static struct driven driven;

static void
must(enum seam_code code, const struct seam_error *e)
{
	if (code != SEAM_OK)
		errx(1, "%s", e->text);
}

static void
pause_at_take(struct seam_session *s)
{
	struct seam_words words;
	struct seam_selector sel;
	struct seam_error e = { 0 };
	const char *id;

	must(seam_split(SELECTOR, &words, &e), &e);
	must(seam_selector_parse(&words, 0, NULL, &sel, &e), &e);
	must(sess_pause(s, &sel, "p", &id, &e), &e);
	seam_selector_free(&sel);
	seam_words_free(&words);
}

static void *
driven_open(const struct place *p)
{
	struct seam_options options = { .preload = needed("SEAM_PRELOAD"),
					.kill_on_death = true };
	char *argv[] = { strdup(victim), NULL };
	struct sess_start start = { .argv = argv, .stdio = SEAM_INHERIT };
	struct seam_error e = { 0 };
	unsigned proc;

	must(seam_session_open(&options, &driven.session, &e), &e);
	pause_at_take(driven.session);
	/* What is started is where we are. */
	bench_pin(p->far);
	must(sess_start(driven.session, &start, &proc, &e), &e);
	bench_pin(p->near);
	free(argv[0]);
	return &driven;
}

static void
driven_cycle(void *data)
{
	struct driven *d = data;
	struct sess_wait wait = { .kind = SEAM_WAIT_RULE,
				  .what = "p",
				  .timeout_ms = 5000 };
	struct seam_error e = { 0 };
	json_t *reply = json_object();
	unsigned count;

	must(sess_wait(d->session, &wait, reply, &e), &e);
	must(sess_release(d->session, "p", &count, &e), &e);
	json_decref(reply);
}

static struct seam_thread *
parked(struct driven *d)
{
	struct seam_arena *a = d->session->arena;
	uint32_t i, n = atomic_load(&a->head.threads);

	for (i = 0; i < n && i < SEAM_MAX_THREADS; i++) {
		struct seam_thread *t = &a->thread[i];

		if (atomic_load(&t->state) == SEAM_THREAD_PARKED &&
		    atomic_load(&t->serial) != d->serial)
			return t;
	}
	return NULL;
}

/* The arena's protocol and nothing else: no rule looked up, no names. */
static void
bare_cycle(void *data)
{
	struct driven *d = data;
	struct seam_head *h = &d->session->arena->head;
	struct seam_thread *t;
	uint32_t seen;

	atomic_fetch_add(&h->bell_waiters, 1);
	while (seen = atomic_load(&h->bell), !(t = parked(d)))
		wait_word(&h->bell, seen);
	atomic_fetch_sub(&h->bell_waiters, 1);
	d->serial = atomic_load(&t->serial);
	atomic_store(&t->park, 0);
	wake_word(&t->park);
}

static void
driven_close(void *data)
{
	struct driven *d = data;

	seam_session_close(d->session, false);
}

/* --- runners -------------------------------------------------------------- */

enum { FUTEX, SOCKET, SERVED, DRIVEN, BARE, WAYS };

static const struct way {
	const char *what;
	void *(*open)(const struct place *p);
	void (*cycle)(void *data);
	void (*close)(void *data);
} ways[WAYS] = {
	[FUTEX] = { "raw futex round trip", futex_open, futex_cycle, NULL },
	[SOCKET] = { "raw Unix-socket line round trip", socket_open,
		     socket_cycle, NULL },
	[SERVED] = { "pause, wait, release through the socket", served_open,
		     served_cycle, served_close },
	[DRIVEN] = { "park and release through shared memory", driven_open,
		     driven_cycle, driven_close },
	[BARE] = { "of which: park and wake in the arena, no names",
		   driven_open, bare_cycle, driven_close },
};

struct runner {
	int fd;
	pid_t pid;
	double ns[ROUNDS];
};

/* A byte is a block, answered by its nanoseconds a cycle; but for the last. */
static void
serve_blocks(const struct way *w, const struct place *p, int fd)
{
	void *data = w->open(p);
	char c;

	while (read(fd, &c, 1) == 1 && c != 'q') {
		double begin = bench_now(), ns;
		int i;

		for (i = 0; i < CYCLES; i++)
			w->cycle(data);
		ns = (bench_now() - begin) / CYCLES;
		bench_write(fd, (const char *)&ns, sizeof(ns));
	}
	if (w->close)
		w->close(data);
	exit(0);
}

static void
start_runner(struct runner *r, const struct way *w, const struct place *p)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		err(1, "socketpair");
	r->pid = bench_fork(p->near);
	if (r->pid == 0) {
		close(ends[0]);
		serve_blocks(w, p, ends[1]);
	}
	close(ends[1]);
	r->fd = ends[0];
}

static double
run_block(const struct runner *r, const struct way *w)
{
	double ns;

	bench_write(r->fd, "x", 1);
	if (read(r->fd, &ns, sizeof(ns)) != (ssize_t)sizeof(ns))
		errx(1, "%s: could not be run", w->what);
	return ns;
}

static void
end_runner(struct runner *r)
{
	bench_write(r->fd, "q", 1);
	while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* --- the table ------------------------------------------------------------ */

static char *
titled(const char *what, const struct place *p)
{
	static char title[128];

	snprintf(title, sizeof(title), "%s, %s", what, p->name);
	return title;
}

/* One way beside the sum of one or two raw ones. */
static void
compare(struct runner *r, int way, int raw, int more, double target,
	const struct place *p)
{
	double ratio[ROUNDS], own[ROUNDS], sum[ROUNDS];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		own[i] = r[way].ns[i] / 1000;
		sum[i] = r[raw].ns[i] / 1000;
		if (more >= 0)
			sum[i] += r[more].ns[i] / 1000;
		ratio[i] = own[i] / sum[i];
	}
	bench_row(titled(ways[way].what, p), "µs", bench_median(sum, ROUNDS),
		  bench_median(own, ROUNDS), bench_median(ratio, ROUNDS),
		  target);
}

static void
raw_row(struct runner *r, int way, const struct place *p)
{
	double us[ROUNDS];
	int i;

	for (i = 0; i < ROUNDS; i++)
		us[i] = r[way].ns[i] / 1000;
	printf("| %s | | %.2f µs | | | |\n", titled(ways[way].what, p),
	       bench_median(us, ROUNDS));
}

static void
print_rows(struct runner *r, const struct place *p)
{
	raw_row(r, FUTEX, p);
	raw_row(r, SOCKET, p);
	compare(r, DRIVEN, FUTEX, -1, 1.3, p);
	compare(r, BARE, FUTEX, -1, 0, p);
	compare(r, SERVED, SOCKET, FUTEX, 1.5, p);
}

static void
print_notes(void)
{
	puts("A cycle through the socket: the client writes `wait p` and "
	     "`release p` in one go,\n"
	     "the controller answers the first when the victim's thread has "
	     "arrived at the\n"
	     "paused call and parked, lets it go on, answers the second; the "
	     "client reads\n"
	     "both. So a cycle is the time between two successive arrivals; "
	     "it is compared with\n"
	     "the sum of the two raw round trips.");
	puts("A cycle through shared memory: sess_wait() for the rule and "
	     "sess_release() of it, by\n"
	     "a thread of the controller itself: again from arrival to "
	     "arrival.");
	puts("Two cores: client and victim are on one, the controller on the "
	     "other.");
}

int
main(int argc, char *argv[])
{
	struct place places[] = {
		{ "same core", bench_cpu(0), bench_cpu(0) },
		{ "two cores", bench_cpu(0), bench_cpu(1) },
	};
	static struct runner r[2][WAYS];
	int n = places[1].near == places[1].far ? 1 : 2, i, p, w;

	if (argc != 2)
		errx(2, "usage: %s VICTIM", argv[0]);
	victim = argv[1];
	for (p = 0; p < n; p++)
		for (w = 0; w < WAYS; w++)
			start_runner(&r[p][w], &ways[w], &places[p]);
	for (i = -1; i < ROUNDS; i++) /* the first is a warm-up */
		for (p = 0; p < n; p++)
			for (w = 0; w < WAYS; w++)
				r[p][w].ns[i < 0 ? 0 : i] =
				    run_block(&r[p][w], &ways[w]);
	for (p = 0; p < n; p++)
		for (w = 0; w < WAYS; w++)
			end_runner(&r[p][w]);
	for (p = 0; p < n; p++)
		print_rows(r[p], &places[p]);
	print_notes();
	return 0;
}
