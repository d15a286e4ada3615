/* SPDX-License-Identifier: MIT */
/*
 * What running a program again costs, and what a decision costs:
 *
 *	bench/schedule SCHEDULED [rates|decisions|memory]...
 *						(SEAM_PRELOAD, SEAM_COMMAND)
 *
 * Rates are those of whole `seam explore` commands, start and end included,
 * beside posix_spawn and wait of the same program without seam, on one core;
 * two replicas have two.
 * Decisions are those of one process: a hand-over of the baton is compared
 * with one between two threads by raw futexes in shared memory, on the same
 * core.  Blocks alternate; a ratio is the median of the rounds' ratios.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "bench.h"
#include "explore/runner.h"

#define ROUNDS 9
#define SCHEDULES 3000
#define STARTUP_MS 5
#define BLOCKS 101
#define PAIRS 2000 /* in a block, of each of its threads */
#define HANDS 2000
#define MANY 100000

extern char **environ;

static const char *seam, *program;
static cpu_set_t all;

static void
unpin(void)
{
	if (sched_setaffinity(0, sizeof(all), &all) != 0)
		err(1, "sched_setaffinity");
}

static pid_t
start(char *const argv[])
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	errno = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
	if (errno)
		err(1, "%s", argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static void
end(pid_t pid, const char *what)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			err(1, "waitpid");
	if (status)
		errx(1, "%s ended with status %#x", what, (unsigned)status);
}

/* --- rates ---------------------------------------------------------------- */

/* Nanoseconds each. */
static double
spawn_block(const char *turns, unsigned n)
{
	char *argv[] = { (char *)program, (char *)"pairs", (char *)turns,
			 NULL };
	double begin, took;

	bench_pin(bench_cpu(0));
	begin = bench_now();
	for (unsigned i = 0; i < n; i++)
		end(start(argv), program);
	took = bench_now() - begin;
	unpin();
	return took / n;
}

static double
explore_block(const char *turns, unsigned n, const char *replicas)
{
	char number[16];
	char *argv[] = { (char *)seam,	   (char *)"explore",
			 (char *)"-q",	   (char *)"--strategy",
			 (char *)"random", (char *)"-n",
			 number,	   (char *)"-j",
			 (char *)replicas, (char *)"--",
			 (char *)program,  (char *)"pairs",
			 (char *)turns,	   NULL };
	double begin, took;

	snprintf(number, sizeof(number), "%u", n);
	if (!strcmp(replicas, "1"))
		bench_pin(bench_cpu(0));
	begin = bench_now();
	end(start(argv), "seam explore");
	took = bench_now() - begin;
	unpin();
	return took / n;
}

/* Schedules a second, and runs of the program alone: more is better. */
static void
print_rate(const char *what, double *raw, double *ours, double *ratio,
	   double target)
{
	double r = bench_median(ratio, ROUNDS);

	printf("| %s | %.0f /s | %.0f /s | %.2f | ≥ %.2f | ", what,
	       1e9 / bench_median(ours, ROUNDS),
	       1e9 / bench_median(raw, ROUNDS), r, target);
	if (r >= target)
		printf("met |\n");
	else
		printf("**missed** by %.0f %% |\n", (1 - r / target) * 100);
	fflush(stdout);
}

static void
bench_rates(void)
{
	double raw[ROUNDS], one[ROUNDS], two[ROUNDS], r1[ROUNDS], r2[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		raw[i] = spawn_block("0", SCHEDULES / 4);
		one[i] = explore_block("0", SCHEDULES, "1");
		two[i] = explore_block("0", 2 * SCHEDULES, "2");
		r1[i] = raw[i] / one[i];
		r2[i] = raw[i] / two[i];
	}
	print_rate("schedules, two threads and 20 operations; posix_spawn and "
		   "wait of the same program",
		   raw, one, r1, 1.6);
	print_rate("the same, two replicas", raw, two, r2, 2.7);
}

static double
own_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* How many turns of the program's start-up take so long, as text; by the
 * processor's time, whoever else wants it. */
static void
find_turns(char *text, size_t size)
{
	volatile unsigned long turn;
	double begin, took;
	const unsigned long n = 20000000;

	bench_pin(bench_cpu(0));
	begin = own_time();
	for (turn = 0; turn < n; turn++)
		;
	took = own_time() - begin;
	unpin();
	snprintf(text, size, "%.0f", (double)n * STARTUP_MS * 1e6 / took);
}

static void
bench_startup(void)
{
	double raw[ROUNDS], ours[ROUNDS], ratio[ROUNDS];
	char turns[32];

	find_turns(turns, sizeof(turns));
	for (unsigned i = 0; i < ROUNDS; i++) {
		raw[i] = spawn_block(turns, SCHEDULES / 40);
		ours[i] = explore_block(turns, SCHEDULES, "1");
		ratio[i] = raw[i] / ours[i];
	}
	print_rate("the same, after 5 ms of start-up", raw, ours, ratio, 10);
}

/* --- decisions ------------------------------------------------------------ */

/* A thread's turn is a line of its own. */
struct turn {
	_Atomic uint32_t word __attribute__((aligned(64)));
};

static void
hand(struct turn *to)
{
	atomic_store_explicit(&to->word, 1, memory_order_release);
	syscall(SYS_futex, &to->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void
await(struct turn *own)
{
	while (!atomic_load_explicit(&own->word, memory_order_acquire))
		syscall(SYS_futex, &own->word, FUTEX_WAIT, 0, NULL, NULL, 0);
	atomic_store_explicit(&own->word, 0, memory_order_relaxed);
}

static void *
hand_back(void *data)
{
	struct turn *t = data;

	for (unsigned i = 0; i < HANDS; i++) {
		await(&t[1]);
		hand(&t[0]);
	}
	return NULL;
}

/* Nanoseconds a hand-over. */
static double
futex_block(struct turn *t)
{
	pthread_t other;
	double begin, took;

	if (pthread_create(&other, NULL, hand_back, t) != 0)
		errx(1, "no second thread");
	begin = bench_now();
	for (unsigned i = 0; i < HANDS; i++) {
		hand(&t[1]);
		await(&t[0]);
	}
	took = bench_now() - begin;
	pthread_join(other, NULL);
	return took / (2.0 * HANDS);
}

struct long_run {
	struct runner *runner;
	struct runner_result result;
	struct seam_forced *forced; /* the two threads by turns */
	double ticks_per_ns;
};

static double
find_ticks(void)
{
	double begin = bench_now();
	uint64_t ticks = __builtin_ia32_rdtsc();

	while (bench_now() - begin < 50e6)
		;
	return (double)(__builtin_ia32_rdtsc() - ticks) / (bench_now() - begin);
}

static void
open_long_run(struct long_run *l, const struct runner_config *config)
{
	const uint64_t key[2] = { seam_key_of("P1.T0.1"),
				  seam_key_of("P1.T0.2") };
	struct seam_error error;

	l->ticks_per_ns = find_ticks();
	l->forced = calloc(SEAM_STEPS, sizeof(*l->forced));
	if (!l->forced)
		err(1, "calloc");
	/* Both are there first. */
	for (unsigned i = 8; i < SEAM_STEPS; i++)
		l->forced[i] = (struct seam_forced){ .thread = key[i % 2],
						     .how = SEAM_HOW_DONE };
	if (runner_open(config, 0, &l->runner, &error) != SEAM_OK)
		errx(1, "%s", error.text);
}

static bool
is_timed(const struct seam_step *step)
{
	return step->slot == 1 && (step->op.verb == SEAM_MUTEX_LOCK ||
				   step->op.verb == SEAM_MUTEX_UNLOCK);
}

/* Of the steps that were timed, which `switched`? */
static unsigned
timed_steps(const struct explore_trace *t, unsigned *switched)
{
	unsigned first, last = t->nsteps - 1, i;

	for (first = 0; first < t->nsteps && !is_timed(&t->step[first]);)
		first++;
	while (last > first && !is_timed(&t->step[last]))
		last--;
	*switched = 0;
	for (i = first + 1; i <= last; i++)
		*switched += t->step[i].slot != t->step[i - 1].slot;
	return last - first;
}

/* Nanoseconds a decision; *share: of these, how many switched. */
static double
decision_block(struct long_run *l, uint32_t forced, double *share)
{
	struct seam_plan plan = { .strategy = SEAM_STRATEGY_FOLLOW,
				  .flags = SEAM_PLAN_MISUSE,
				  .max_steps = SEAM_STEPS - 1,
				  .forced = forced };
	struct seam_error error;
	unsigned switched, steps;
	char *text;
	double ticks;
	size_t len;

	if (runner_run(l->runner, &plan, l->forced, &l->result, &error) !=
	    SEAM_OK)
		errx(1, "%s", error.text);
	text = runner_output(l->runner, &len);
	ticks = text ? strtod(text, NULL) : 0;
	free(text);
	steps = timed_steps(&l->result.trace, &switched);
	if (ticks <= 0 || steps < PAIRS || l->result.trace.verdict)
		errx(1, "the long run went wrong: verdict %u, %u steps",
		     l->result.trace.verdict, steps);
	*share = (double)switched / steps;
	return ticks / l->ticks_per_ns / steps;
}

static void
print_absolute(const char *what, double ns, double target)
{
	printf("| %s | %.2f ns | | | ≤ %.0f ns | ", what, ns, target);
	if (ns <= target)
		printf("met |\n");
	else
		printf("**missed** by %.0f %% |\n", (ns / target - 1) * 100);
	fflush(stdout);
}

static void
bench_decisions(void)
{
	char pairs[16];
	char *argv[] = { (char *)program, (char *)"alone", pairs, NULL };
	const struct runner_config config = { .argv = argv, .server = -1 };
	struct long_run l = { .runner = NULL };
	double raw[BLOCKS], away[BLOCKS], stay[BLOCKS], ratio[BLOCKS], share;
	struct turn *turns = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (turns == MAP_FAILED)
		err(1, "mmap");
	snprintf(pairs, sizeof(pairs), "%u", PAIRS);
	/* From here on this thread is on the replica's core. */
	open_long_run(&l, &config);
	decision_block(&l, 0, &share);
	for (unsigned i = 0; i < BLOCKS; i++) {
		raw[i] = futex_block(turns);
		away[i] = decision_block(&l, SEAM_STEPS, &share);
		if (share < 0.99)
			errx(1, "only %.0f %% of the decisions switch",
			     share * 100);
		stay[i] = decision_block(&l, 0, &share);
		if (share > 0.01)
			errx(1, "%.0f %% of the decisions switch", share * 100);
		ratio[i] = away[i] / raw[i];
	}
	runner_close(l.runner);
	runner_result_clear(&l.result);
	free(l.forced);
	munmap(turns, 4096);
	unpin();
	bench_row("a decision that switches, and its step; raw futex "
		  "hand-over, same core",
		  "ns", bench_median(raw, BLOCKS), bench_median(away, BLOCKS),
		  bench_median(ratio, BLOCKS), 1.3);
	print_absolute("a decision that stays, and its step",
		       bench_median(stay, BLOCKS), 150);
}

/* --- memory --------------------------------------------------------------- */

/* Resident, in KiB; 0: it has ended. */
static unsigned long
resident(pid_t pid)
{
	char path[64], line[256];
	unsigned long kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %lu", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

/* The controller's memory after a tenth of the schedules, and at the end. */
static void
bench_memory(void)
{
	static double sample[100000];
	char number[16];
	char *argv[] = { (char *)seam,	   (char *)"explore",
			 (char *)"-q",	   (char *)"--strategy",
			 (char *)"random", (char *)"-n",
			 number,	   (char *)"--",
			 (char *)program,  (char *)"pairs",
			 (char *)"0",	   NULL };
	unsigned n = 0;
	unsigned long kb;
	double early, late;
	pid_t pid;

	snprintf(number, sizeof(number), "%u", MANY);
	pid = start(argv);
	while (n < sizeof(sample) / sizeof(sample[0]) &&
	       (kb = resident(pid)) > 0) {
		sample[n++] = (double)kb;
		poll(NULL, 0, 50);
	}
	end(pid, "seam explore");
	if (n < 20)
		errx(1, "too few samples of the controller's memory");
	early = sample[n / 10];
	late = sample[n - 1];
	bench_row("the controller's memory after 100,000 schedules; after "
		  "10,000",
		  "KiB", early, late, late / early, 1.02);
}

static void
bench_one(const char *name)
{
	if (!strcmp(name, "rates")) {
		bench_rates();
		bench_startup();
	} else if (!strcmp(name, "decisions")) {
		bench_decisions();
	} else if (!strcmp(name, "memory")) {
		bench_memory();
	} else {
		errx(2,
		     "usage: schedule SCHEDULED [rates|decisions|memory]...");
	}
}

int
main(int argc, char *argv[])
{
	seam = getenv("SEAM_COMMAND");
	if (argc < 2 || !seam)
		errx(2, "SEAM_COMMAND, and the program to be run");
	program = argv[1];
	if (sched_getaffinity(0, sizeof(all), &all) != 0)
		err(1, "sched_getaffinity");
	for (int i = 2; i < argc; i++)
		bench_one(argv[i]);
	if (argc == 2) {
		bench_one("decisions");
		bench_one("rates");
		bench_one("memory");
	}
	return 0;
}
