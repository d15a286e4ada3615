/* SPDX-License-Identifier: MIT */
/*
 * leavers: threads as the lines of its standard input say.
 *   start NAME   a thread of that name, which waits; "started NAME"
 *   end NAME     it ends, and is joined; "ended NAME"
 *   take NAME    it takes precious_lock, and waits again; "taken NAME"
 *   crash NAME, abort NAME, _exit NAME, exit NAME   it does that
 *   crash, abort, _exit, exit                       main does
 *   fork HOW     a child does one of these, or "term": it is killed; "forked"
 *   reap HOW     the same, and it is waited for
 *   join NAME    main waits for its end
 * At the end of the input main returns.
 */
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "victim.h"

#define MOST 16

pthread_mutex_t precious_lock = PTHREAD_MUTEX_INITIALIZER;

static struct one {
	char name[16], order[8];
	pthread_t thread;
	sem_t go;
} ones[MOST];
static int n;

CALL_SITE static void
take_it(struct one *o)
{
	/* at: take */
	pthread_mutex_lock(&precious_lock);
	say("taken %s", o->name);
}

CALL_SITE static void
crash(void)
{
	volatile int *volatile nowhere = NULL;

	*nowhere = 1;
}

static void
obey(const char *order)
{
	if (!strcmp(order, "crash"))
		crash();
	else if (!strcmp(order, "abort"))
		abort();
	else if (!strcmp(order, "_exit"))
		_exit(7);
	else if (!strcmp(order, "exit"))
		exit(8);
	else if (!strcmp(order, "term"))
		raise(SIGTERM);
}

static void *
one_main(void *arg)
{
	struct one *o = arg;

	pthread_setname_np(pthread_self(), o->name);
	say("started %s", o->name);
	for (;;) {
		while (sem_wait(&o->go))
			;
		if (!strcmp(o->order, "end"))
			return NULL;
		if (!strcmp(o->order, "take"))
			take_it(o);
		else
			obey(o->order);
	}
}

CALL_SITE static void
start_one(const char *name)
{
	struct one *o = &ones[n++];

	if (n == MOST)
		die("leavers: too many");
	snprintf(o->name, sizeof(o->name), "%s", name);
	sem_init(&o->go, 0, 0);
	/* at: start */
	if (pthread_create(&o->thread, NULL, one_main, o))
		die("leavers: pthread_create");
}

static void
tell(struct one *o, const char *order)
{
	bool waits = !strcmp(order, "join");

	if (!waits) {
		snprintf(o->order, sizeof(o->order), "%s", order);
		sem_post(&o->go);
	}
	if (!waits && strcmp(order, "end") != 0)
		return;
	pthread_join(o->thread, NULL);
	say("ended %s", o->name);
	o->name[0] = '\0';
}

static void
tell_named(const char *order, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(ones[i].name, name))
			tell(&ones[i], order);
}

static void
fork_one(const char *how, bool reap)
{
	pid_t pid = fork();
	siginfo_t info;

	if (!pid) {
		obey(how);
		_exit(0);
	}
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | (reap ? 0 : WNOWAIT)))
		die("leavers: no child");
	say("forked");
}

int
main(void)
{
	char line[64], order[8], name[16];

	while (wait_line(line, sizeof(line))) {
		int words = sscanf(line, "%7s %15s", order, name);

		if (words == 1)
			obey(order);
		else if (words == 2 && !strcmp(order, "start"))
			start_one(name);
		else if (words == 2 && !strcmp(order, "fork"))
			fork_one(name, false);
		else if (words == 2 && !strcmp(order, "reap"))
			fork_one(name, true);
		else if (words == 2)
			tell_named(order, name);
	}
	return 0;
}
