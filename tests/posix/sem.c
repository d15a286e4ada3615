/* SPDX-License-Identifier: MIT */
/* Semaphores, unnamed and named. */
#include "promise.h"

#include <limits.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/mman.h>

static int
value(sem_t *s)
{
	int n = -1;

	sem_getvalue(s, &n);
	return n;
}

static void
life(void)
{
	sem_t s;

	gives("sem_init", sem_init(&s, 0, 2), 0);
	gives("sem_wait", sem_wait(&s), 0);
	gives("sem_trywait", sem_trywait(&s), 0);
	fails("sem_trywait of 0", sem_trywait(&s), EAGAIN);
	gives("sem_post", sem_post(&s), 0);
	is("sem_getvalue", value(&s), 1);
	gives("sem_wait again", sem_wait(&s), 0);
	gives("sem_destroy", sem_destroy(&s), 0);
	fails("sem_init, too large",
	      sem_init(&s, 0, (unsigned)SEM_VALUE_MAX + 1), EINVAL);
	gives("sem_init, largest", sem_init(&s, 0, SEM_VALUE_MAX), 0);
	fails("sem_post, too large", sem_post(&s), EOVERFLOW);
	is("sem_post, too large, changes nothing", value(&s), SEM_VALUE_MAX);
	gives("sem_destroy, largest", sem_destroy(&s), 0);
}

static void
times(void)
{
	sem_t s;
	struct timespec t = soon(CLOCK_REALTIME);

	sem_init(&s, 0, 0);
	fails("sem_timedwait", sem_timedwait(&s, &t), ETIMEDOUT);
	is("sem_timedwait is not early", is_past(CLOCK_REALTIME, &t), 1);
	fails("sem_timedwait, past", sem_timedwait(&s, &past), ETIMEDOUT);
	fails("sem_timedwait, before the epoch",
	      sem_timedwait(&s, &before_epoch), ETIMEDOUT);
	fails("sem_timedwait, 1e9 ns", sem_timedwait(&s, &too_many), EINVAL);
	fails("sem_timedwait, -1 ns", sem_timedwait(&s, &too_few), EINVAL);
	t = soon(CLOCK_MONOTONIC);
	fails("sem_clockwait, monotonic",
	      sem_clockwait(&s, CLOCK_MONOTONIC, &t), ETIMEDOUT);
	is("sem_clockwait is not early", is_past(CLOCK_MONOTONIC, &t), 1);
	t = soon(CLOCK_REALTIME);
	fails("sem_clockwait, real", sem_clockwait(&s, CLOCK_REALTIME, &t),
	      ETIMEDOUT);
	fails("sem_clockwait, past", sem_clockwait(&s, CLOCK_MONOTONIC, &past),
	      ETIMEDOUT);
	fails("sem_clockwait, no such clock",
	      sem_clockwait(&s, CLOCK_PROCESS_CPUTIME_ID, &t), EINVAL);
	sem_post(&s);
	gives("sem_timedwait free, past", sem_timedwait(&s, &past), 0);
	sem_post(&s);
	gives("sem_clockwait free, past",
	      sem_clockwait(&s, CLOCK_MONOTONIC, &past), 0);
	sem_destroy(&s);
}

static sem_t posted;

static void
post(int sig)
{
	(void)sig;
	sem_post(&posted);
}

static void
from_handler(void)
{
	struct sigaction act = { .sa_handler = post };

	sem_init(&posted, 0, 0);
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	is("sem_post in a handler", value(&posted), 1);
	gives("sem_wait for it", sem_wait(&posted), 0);
	signal(SIGUSR1, SIG_DFL);
}

static int
child_posts(void *s)
{
	return sem_post(s);
}

static void
process_shared(void)
{
	sem_t *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(s == MAP_FAILED);
	gives("sem_init, shared", sem_init(s, 1, 0), 0);
	pid_t pid = fork();
	must(pid < 0);
	if (pid == 0)
		_exit(child_posts(s));
	gives("sem_wait for a child's post", sem_wait(s), 0);
	waitpid(pid, NULL, 0);
	gives("sem_destroy, shared", sem_destroy(s), 0);
}

/* Who has waited for the post destroys and frees at once. */
static void *
posts(void *s)
{
	return RESULT(sem_post(s));
}

static void
destroyed_at_once(void)
{
	long bad = 0;

	for (int i = 0; i < 30; i++) {
		sem_t *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		pthread_t thread;

		must(s == MAP_FAILED);
		sem_init(s, 0, 0);
		must(pthread_create(&thread, NULL, posts, s) != 0);
		bad += sem_wait(s);
		bad += sem_destroy(s);
		munmap(s, sizeof(*s));
		join(thread);
	}
	is("sem_destroy right after the post, 30 times", bad, 0);
}

static int
child_posts_named(void *name)
{
	sem_t *s = sem_open(name, 0);

	return s == SEM_FAILED ? errno : sem_post(s);
}

static void
named(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/seam-posix-%d", (int)getpid());
	fails("sem_open, none", (long)sem_open(name, 0) == 0 ? -1 : 0, ENOENT);
	errno = KEPT;
	sem_t *s = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
	is("sem_open, new", s != SEM_FAILED, 1);
	must(s == SEM_FAILED);
	fails("sem_open, exclusive",
	      (long)sem_open(name, O_CREAT | O_EXCL, 0600, 1) == 0 ? -1 : 0,
	      EEXIST);
	is("sem_open twice is one", sem_open(name, 0) == s, 1);
	is("sem_open, there: its value stays",
	   sem_open(name, O_CREAT, 0600, 5) == s ? value(s) : -1, 1);
	fails("sem_open, too large",
	      (long)sem_open("/seam-posix-x", O_CREAT, 0600,
			     (unsigned)SEM_VALUE_MAX + 1) == 0 ?
		  -1 :
		  0,
	      EINVAL);
	fails("sem_open, bad name", (long)sem_open("/", 0) == 0 ? -1 : 0,
	      EINVAL);
	gives("sem_wait, named", sem_wait(s), 0);
	fails("sem_trywait, named", sem_trywait(s), EAGAIN);
	is_error("sem_post, named, by a child",
		 in_child(child_posts_named, name), 0);
	gives("sem_trywait, named, posted", sem_trywait(s), 0);
	gives("sem_close", sem_close(s), 0);
	gives("sem_close, second", sem_close(s), 0);
	gives("sem_close, third", sem_close(s), 0);
	sem_t never;
	sem_init(&never, 0, 0);
	fails("sem_close, never opened", sem_close(&never), EINVAL);
	is("sem_unlink", sem_unlink(name), 0);
	fails("sem_unlink, none", sem_unlink(name), ENOENT);
}

int
main(void)
{
	life();
	times();
	from_handler();
	process_shared();
	destroyed_at_once();
	named();
	return broken;
}
