/* SPDX-License-Identifier: MIT */
/*
 * What seam.h costs a test:
 *
 *	bench/api VICTIM EMPTY.SO	(SEAM_PRELOAD set)
 *
 * a session with a target that does nothing, beside that program under an
 * empty preload; and a pause, a wait and a release, beside the round trip of
 * two raw futexes between processes, with both sides on one core and on two.
 * Blocks alternate; a ratio is the median of the rounds' ratios.
 */
#include <errno.h>
#include <linux/futex.h>
#include <seam.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "bench.h"

#define ROUNDS 25
#define SPAWNS 20
#define CYCLES 400
#define SELECTOR "mutex.lock at=take"

static void
must(enum seam_code code)
{
	if (code)
		errx(1, "%s: %s", seam_code_name(code), seam_message());
}

/* --- sessions ------------------------------------------------------------- */

static double
spawn_block(char **env)
{
	char *argv[] = { (char *)"/bin/true", NULL };
	double begin = bench_now();
	pid_t pid;

	for (int i = 0; i < SPAWNS; i++) {
		errno = posix_spawn(&pid, argv[0], NULL, NULL, argv, env);
		if (errno)
			err(1, "%s", argv[0]);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return (bench_now() - begin) / SPAWNS / 1e3;
}

static double
session_block(void)
{
	double begin = bench_now();
	seam_session *s;

	for (int i = 0; i < SPAWNS; i++) {
		must(seam_open(&s, NULL));
		must(seam_startl(s, "A", "/bin/true", NULL));
		must(seam_expect_exit(s, "A", 0, SEAM_DEFAULT));
		seam_close(s);
	}
	return (bench_now() - begin) / SPAWNS / 1e3;
}

static void
bench_sessions(const char *empty)
{
	double raw[ROUNDS], seam[ROUNDS], ratio[ROUNDS];
	char *env[2] = { NULL, NULL };

	if (asprintf(&env[0], "LD_PRELOAD=%s", empty) < 0)
		err(1, "asprintf");
	spawn_block(env);
	session_block();
	for (int i = 0; i < ROUNDS; i++) {
		raw[i] = spawn_block(env);
		seam[i] = session_block();
		ratio[i] = seam[i] / raw[i];
	}
	free(env[0]);
	bench_row("seam_open, start /bin/true, its exit, seam_close; "
		  "posix_spawn with an empty preload",
		  "µs", bench_median(raw, ROUNDS), bench_median(seam, ROUNDS),
		  bench_median(ratio, ROUNDS), 3);
}

/* --- round trips ---------------------------------------------------------- */

struct words {
	_Atomic uint32_t ping __attribute__((aligned(64)));
	_Atomic uint32_t pong __attribute__((aligned(64)));
};

static void __attribute__((noreturn)) echo_words(struct words *w)
{
	for (uint32_t turn = 0;;) {
		while (atomic_load(&w->ping) == turn)
			wait_word(&w->ping, turn);
		atomic_store(&w->pong, ++turn);
		wake_word(&w->pong);
	}
}

static double
futex_block(struct words *w, uint32_t *turn)
{
	double begin = bench_now();

	for (int i = 0; i < CYCLES; i++) {
		uint32_t before = (*turn)++;

		atomic_store(&w->ping, *turn);
		wake_word(&w->ping);
		while (atomic_load(&w->pong) == before)
			wait_word(&w->pong, before);
	}
	return (bench_now() - begin) / CYCLES / 1e3;
}

static double
pause_block(seam_session *s)
{
	double begin = bench_now();
	struct seam_stop stop;

	for (int i = 0; i < CYCLES; i++) {
		must(seam_wait(s, "p", &stop, SEAM_DEFAULT));
		must(seam_release(s, "p"));
	}
	return (bench_now() - begin) / CYCLES / 1e3;
}

static void
bench_pauses(const char *victim, const char *name, int near, int far)
{
	double raw[ROUNDS], seam[ROUNDS], ratio[ROUNDS];
	struct words *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	seam_session *s;
	uint32_t turn = 0;
	pid_t echo;

	if (w == MAP_FAILED)
		err(1, "mmap");
	echo = bench_fork(far);
	if (echo == 0)
		echo_words(w);
	/* What is started is where we are. */
	bench_pin(far);
	must(seam_open(&s, NULL));
	must(seam_pause(s, "p", SELECTOR));
	must(seam_startl(s, "V", victim, NULL));
	bench_pin(near);
	futex_block(w, &turn);
	pause_block(s);
	for (int i = 0; i < ROUNDS; i++) {
		raw[i] = futex_block(w, &turn);
		seam[i] = pause_block(s);
		ratio[i] = seam[i] / raw[i];
	}
	seam_close(s);
	kill(echo, SIGKILL);
	waitpid(echo, NULL, 0);
	munmap(w, sizeof(*w));
	bench_row(name, "µs", bench_median(raw, ROUNDS),
		  bench_median(seam, ROUNDS), bench_median(ratio, ROUNDS), 1.3);
}

int
main(int argc, char **argv)
{
	int one = bench_cpu(0), two = bench_cpu(1);

	if (argc != 3)
		errx(2, "usage: api VICTIM EMPTY.SO");
	bench_sessions(argv[2]);
	bench_pauses(argv[1],
		     "seam_wait, seam_release, same core; raw futex round trip",
		     one, one);
	bench_pauses(argv[1],
		     "seam_wait, seam_release, two cores; raw futex round trip",
		     one, two);
	return 0;
}
