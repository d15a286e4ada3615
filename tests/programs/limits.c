/* SPDX-License-Identifier: MIT */
/*
 * limits WHAT N: N of what a session has tables for.
 *
 *	threads N	each takes and gives back one lock, all at once
 *	turns N		the same, one after the other
 *	processes N	children that are all there at once, likewise
 *	objects N	mutexes taken and given back, one after the other
 *	made N		objects that are initialised, all at one place
 *	events N	locks and unlocks, by two threads
 *	sites N		mutexes, each initialised at another place
 *	files N		files with long paths, each locked
 *	maps N		children, where there is no room for more mappings
 *
 * Then main passes through at_end(), and tells how much was done.
 */
#include "victim.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

pthread_mutex_t common_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t end_lock = PTHREAD_MUTEX_INITIALIZER;
static long done;

CALL_SITE static void
take_common(void)
{
	pthread_mutex_lock(&common_lock);
	done++;
	pthread_mutex_unlock(&common_lock);
	HERE();
}

CALL_SITE static void
at_end(void)
{
	pthread_mutex_lock(&end_lock);
	pthread_mutex_unlock(&end_lock);
	HERE();
}

static void *
thread_main(void *arg)
{
	take_common();
	return arg;
}

static void
threads(long n)
{
	pthread_t *v = calloc((size_t)n, sizeof(*v));
	pthread_attr_t small;

	if (!v)
		die("limits: out of memory");
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	for (long i = 0; i < n; i++)
		if (pthread_create(&v[i], &small, thread_main, NULL))
			die("limits: pthread_create %ld", i);
	for (long i = 0; i < n; i++)
		pthread_join(v[i], NULL);
	free(v);
}

static void
turns(long n)
{
	pthread_t t;

	for (long i = 0; i < n; i++) {
		if (pthread_create(&t, NULL, thread_main, NULL))
			die("limits: pthread_create %ld", i);
		pthread_join(t, NULL);
	}
}

/* Where children say that they are there, and how they hear of the end. */
struct pipes {
	int up[2], end[2];
};

static void
child(const struct pipes *p)
{
	char none = 0;

	close(p->end[1]);
	if (write(p->up[1], &none, 1) != 1)
		_exit(1);
	while (read(p->end[0], &none, 1) < 0)
		;
	take_common();
	_exit(done == 1 ? 0 : 1);
}

static void
processes(long n)
{
	struct pipes p;
	int status;
	char none;

	if (pipe(p.up) || pipe(p.end))
		die("limits: pipe");
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("limits: fork %ld", i);
		if (!pid)
			child(&p);
	}
	for (long i = 0; i < n; i++)
		if (read(p.up[0], &none, 1) != 1)
			die("limits: read");
	at_end();
	close(p.end[1]);
	while (wait(&status) > 0)
		done += !status;
}

static void
objects(long n)
{
	pthread_mutex_t *v = calloc((size_t)n, sizeof(*v));

	if (!v)
		die("limits: out of memory");
	for (long i = 0; i < n; i++) {
		pthread_mutex_lock(&v[i]);
		done++;
		pthread_mutex_unlock(&v[i]);
	}
	at_end();
	free(v);
}

CALL_SITE static void
make_one(pthread_mutex_t *m)
{
	pthread_mutex_init(m, NULL);
	HERE();
}

static void
made(long n)
{
	pthread_mutex_t *v = calloc((size_t)n, sizeof(*v));

	if (!v)
		die("limits: out of memory");
	for (long i = 0; i < n; i++, done++)
		make_one(&v[i]);
	free(v);
}

static pthread_mutex_t own[2];

static void *
event_main(void *arg)
{
	pthread_mutex_t *m = &own[arg != NULL];
	long n = *(long *)(arg ? arg : &done);

	for (long i = 0; i < n / 4; i++) {
		pthread_mutex_lock(m);
		pthread_mutex_unlock(m);
	}
	take_common();
	return NULL;
}

static void
events(long n)
{
	pthread_t other;

	done = n;
	if (pthread_create(&other, NULL, event_main, &n))
		die("limits: pthread_create");
	event_main(NULL);
	pthread_join(other, NULL);
}

#define EACH_4(what) what what what what
#define EACH_64(what) EACH_4(EACH_4(EACH_4(what)))

static void
sites(long n)
{
	static pthread_mutex_t m[1280];

#define ONE                                                                    \
	if (done < n) {                                                        \
		pthread_mutex_init(&m[done], NULL);                            \
		done++;                                                        \
	}
	EACH_64(EACH_4(EACH_4(ONE)))
	EACH_64(EACH_4(ONE))
#undef ONE
}

static void
files(long n)
{
	struct flock whole = { .l_type = F_WRLCK };
	char name[240];
	int fd;

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 16; i++)
		if (mkdir(name, 0700) || chdir(name))
			die("limits: %s", name);
	for (; done < n; done++) {
		snprintf(name, sizeof(name), "%ld", done);
		fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || fcntl(fd, F_SETLK, &whole))
			die("limits: %s", name);
		close(fd);
	}
}

static void
maps(long n)
{
	const size_t page = 4096, most = (size_t)1 << 30;
	char *v = mmap(NULL, most, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t at = page;
	int status;
	pid_t pid;

	if (v == MAP_FAILED)
		die("limits: mmap");
	/* Every other page, which makes two mappings more. */
	while (at < most && !mprotect(v + at, page, PROT_READ))
		at += 2 * page;
	mprotect(v + at - 2 * page, page, PROT_NONE);
	for (; done < n; done++) {
		pid = fork();
		if (pid == 0) {
			take_common();
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			die("limits: child %ld", done);
	}
	munmap(v, most);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(long n);
	} what[] = {
		{ "threads", threads }, { "processes", processes },
		{ "objects", objects }, { "made", made },
		{ "events", events },	{ "turns", turns },
		{ "sites", sites },	{ "files", files },
		{ "maps", maps },
	};

	for (size_t i = 0; argc > 2 && i < sizeof(what) / sizeof(*what); i++) {
		if (strcmp(argv[1], what[i].name))
			continue;
		what[i].run(atol(argv[2]));
		if (i != 1 && i != 2)
			at_end();
		say("done %ld", done);
		return 0;
	}
	die("usage: limits threads|turns|processes|objects|made|events|"
	    "sites|files|maps N");
}
